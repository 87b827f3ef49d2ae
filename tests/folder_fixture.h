/* A folder of its own for each test: cmocka setup and teardown. Include after cmocka.h. */
#ifndef DNX_TESTS_FOLDER_FIXTURE_H
#define DNX_TESTS_FOLDER_FIXTURE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static char folder[32];

static int folder_enter(void **state)
{
    (void)state;
    strcpy(folder, "test_XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int folder_leave(void **state)
{
    char command[64];
    (void)state;
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return chdir("..") == 0 && system(command) == 0 ? 0 : -1;
}

static inline void file_put(const char *path, const void *bytes, size_t count)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, count, f), count);
    assert_int_equal(fclose(f), 0);
}

/* Like a full disk: no file may grow beyond `bytes`. */
__attribute__((unused)) static void limit_file_size(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

#endif
