/* data/weights_file.c and core/file.c: a file is read whole and good or not at all, and appears whole or not at all. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/weights_file.h"
#include "folder_fixture.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

enum { VALUES = 5, HEADER = 20, WHOLE = HEADER + 4 * VALUES };

static const uint64_t seen_samples = 12345678901;
static const float values[VALUES] = {1, -2.5f, 0, 3e-39f, -1e38f};

/* ---------------------------------------------------------------- files */

static size_t file_get(const char *path, void *bytes, size_t room)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t count = fread(bytes, 1, room, f);
    fclose(f);
    return count;
}

static bool exists(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0;
}

/* One line that says where and what. */
static void assert_one_message(const char *name, const char *path)
{
    const char *text = status_text();
    if (strncmp(text, path, strlen(path)) != 0 || !strstr(text, "error: ") || strchr(text, '\n'))
        fail_msg("%s: the message is '%s'", name, text);
}

/* ---------------------------------------------------------------- reading */

/* A good file, changed: cut or lengthened to `size`, and with `patch` at `at`. */
typedef struct bad_case {
    const char *name;
    size_t size, at, n_patch;
    const char *patch;
    const char *says;
} bad_case;

#define PATCH(at_, bytes) .at = at_, .patch = bytes, .n_patch = sizeof bytes - 1

static const bad_case bad_cases[] = {
    {"empty", 0, .says = "too short"},
    {"one byte", 1, .says = "too short"},
    {"half a header", 8, .says = "too short"},
    {"no count of samples", 12, .says = "too short"},
    {"half a count of samples", 16, .says = "too short"},
    {"no weights", HEADER, .says = "truncated"},
    {"one weight short", WHOLE - 4, .says = "truncated"},
    {"one byte short", WHOLE - 1, .says = "truncated"},
    {"one byte too long", WHOLE + 1, .says = "too long"},
    {"one weight too long", WHOLE + 4, .says = "too long"},
    {"text", WHOLE, PATCH(0, "[net]\nbatch=1"), .says = "not a Darknet weights file"},
    {"negative version", WHOLE, PATCH(0, "\xff\xff\xff\xff"), .says = "not a Darknet weights file"},
    {"version of transposed weights", WHOLE, PATCH(4, "\xe9\x03\0\0"), .says = "not a Darknet weights file"},
    {"other byte order", WHOLE, PATCH(0, "\0\0\0\0\0\0\0\2"), .says = "not a Darknet weights file"},
    {"short count of an old version", WHOLE, PATCH(4, "\1\0\0\0"), .says = "too long"},
    {"NaN first", WHOLE, PATCH(HEADER, "\0\0\xc0\x7f"), .says = "weight 0"},
    {"NaN last", WHOLE, PATCH(WHOLE - 4, "\1\0\x80\xff"), .says = "weight 4"},
    {"infinite", WHOLE, PATCH(HEADER + 8, "\0\0\x80\x7f"), .says = "weight 2"},
    {"minus infinite", WHOLE, PATCH(HEADER + 8, "\0\0\x80\xff"), .says = "weight 2"},
};

static void good_bytes(unsigned char bytes[WHOLE])
{
    const int32_t version[] = {0, 2, 0};
    memcpy(bytes, version, 12);
    memcpy(bytes + 12, &seen_samples, 8);
    memcpy(bytes + HEADER, values, sizeof values);
}

static void assert_refused(const char *name, const char *path, const char *says)
{
    weights_file w = {.values = (float *)1, .count = 7, .seen = 7};
    status s = weights_file_read(path, VALUES, &w);
    if (s != STATUS_BAD_FILE)
        fail_msg("%s: status %d", name, s);
    assert_one_message(name, path);
    if (!strstr(status_text(), says))
        fail_msg("%s: '%s' does not say '%s'", name, status_text(), says);
    if (w.values || w.count || w.seen)
        fail_msg("%s: something was returned", name);
}

static void test_bad_files_are_refused(void **state)
{
    for (size_t i = 0; i < COUNT_OF(bad_cases); ++i) {
        const bad_case *c = &bad_cases[i];
        unsigned char bytes[WHOLE + 4] = {0};
        good_bytes(bytes);
        memcpy(bytes + c->at, c->patch ? c->patch : "", c->n_patch);
        file_put("bad.weights", bytes, c->size);
        assert_refused(c->name, "bad.weights", c->says);
    }
}

static void test_what_is_no_file_is_refused(void **state)
{
    assert_int_equal(mkdir("folder.weights", 0700), 0);
    assert_refused("missing", "missing.weights", strerror(ENOENT));
    assert_refused("folder", "folder.weights", "not a file");
    assert_refused("device", "/dev/null", "not a file");
    assert_refused("below a file", "/dev/null/x.weights", strerror(ENOTDIR));
}

static void assert_read(const char *path, uint64_t seen)
{
    weights_file w;
    if (weights_file_read(path, VALUES, &w) != STATUS_OK)
        fail_msg("%s", status_text());
    assert_int_equal(w.count, VALUES);
    assert_int_equal(w.seen, seen);
    assert_memory_equal(w.values, values, sizeof values);
    weights_file_free(&w);
    assert_null(w.values);
}

static void test_good_files_of_old_and_new_versions(void **state)
{
    unsigned char bytes[WHOLE], old[WHOLE - 4];
    good_bytes(bytes);
    file_put("new.weights", bytes, sizeof bytes);
    assert_read("new.weights", seen_samples);

    const int32_t version[] = {0, 1, 0}, seen = 77;
    memcpy(old, version, 12);
    memcpy(old + 12, &seen, 4);
    memcpy(old + 16, values, sizeof values);
    file_put("old.weights", old, sizeof old);
    assert_read("old.weights", 77);
}

static void test_a_network_without_weights(void **state)
{
    weights_file w;
    assert_int_equal(weights_file_write("none.weights", 3, NULL, 0), STATUS_OK);
    assert_int_equal(weights_file_read("none.weights", 0, &w), STATUS_OK);
    assert_int_equal(w.seen, 3);
    weights_file_free(&w);
}

/* ---------------------------------------------------------------- writing */

static status write_values(const char *path)
{
    float copy[VALUES];
    memcpy(copy, values, sizeof values);
    const weights_block blocks[] = {{.values = copy, .count = 2}, {.values = copy + 2, .count = 0}, {.values = copy + 2, .count = 3}};
    return weights_file_write(path, seen_samples, blocks, COUNT_OF(blocks));
}

static void test_blocks_are_written_in_order(void **state)
{
    unsigned char expected[WHOLE], bytes[WHOLE + 4];
    good_bytes(expected);
    assert_int_equal(write_values("out.weights"), STATUS_OK);
    assert_int_equal(file_get("out.weights", bytes, sizeof bytes), WHOLE);
    assert_memory_equal(bytes, expected, WHOLE);
    assert_false(exists("out.weights.part"));
    assert_read("out.weights", seen_samples);
}

static void test_an_old_file_and_a_leftover_are_replaced(void **state)
{
    static const char longer[100] = "old";
    file_put("out.weights", longer, sizeof longer);
    file_put("out.weights.part", longer, sizeof longer);
    assert_int_equal(write_values("out.weights"), STATUS_OK);
    assert_read("out.weights", seen_samples);
    assert_false(exists("out.weights.part"));
}

static void assert_not_written(const char *name, const char *path)
{
    if (write_values(path) != STATUS_BAD_FILE)
        fail_msg("%s: was written", name);
    assert_one_message(name, path);
}

static void test_where_nothing_can_be_written(void **state)
{
    char long_name[300], long_path[5000]; /* for the folder; for us */
    memset(long_name, 'x', sizeof long_name);
    memset(long_path, 'x', sizeof long_path);
    long_name[sizeof long_name - 1] = long_path[sizeof long_path - 1] = 0;
    assert_int_equal(mkdir("folder.weights", 0700), 0);
    assert_int_equal(mkdir("taken.weights.part", 0700), 0);
    file_put("file", "", 0);
    assert_not_written("missing folder", "nowhere/out.weights");
    assert_not_written("below a file", "file/out.weights");
    assert_not_written("onto a folder", "folder.weights");
    assert_not_written("the other name is a folder", "taken.weights");
    assert_not_written("too long a name", long_name);
    assert_int_equal(write_values(long_path), STATUS_BAD_FILE);
    assert_false(exists("folder.weights.part"));
    assert_false(exists("taken.weights"));
    if (geteuid() != 0) {
        assert_int_equal(mkdir("read_only", 0500), 0);
        assert_not_written("read-only folder", "read_only/out.weights");
    }
}

/* The disk is full at every place: in the header, within a block, between blocks, at the last byte. */
static void test_full_disk_leaves_the_old_file(void **state)
{
    enum { LARGE = 30000 };
    static float large[LARGE];
    const weights_block blocks[] = {{.values = large, .count = 3}, {.values = large, .count = LARGE}, {.values = large, .count = 9}};
    const rlim_t whole = HEADER + 4 * (3 + LARGE + 9);
    const rlim_t limits[] = {0, 10, HEADER, HEADER + 12, HEADER + 5000, 65536, whole - 36, whole - 1};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(write_values("out.weights"), STATUS_OK);
    for (size_t i = 0; i < COUNT_OF(limits); ++i) {
        char name[64];
        snprintf(name, sizeof name, "room for %lu bytes", (unsigned long)limits[i]);
        limit_file_size(limits[i]);
        status s = weights_file_write("out.weights", 1, blocks, COUNT_OF(blocks));
        limit_file_size(RLIM_INFINITY);
        if (s != STATUS_BAD_FILE || !strstr(status_text(), strerror(EFBIG)))
            fail_msg("%s: status %d, '%s'", name, s, status_text());
        assert_one_message(name, "out.weights");
        assert_false(exists("out.weights.part"));
        assert_read("out.weights", seen_samples);
    }
    limit_file_size(whole);
    status s = weights_file_write("out.weights", 1, blocks, COUNT_OF(blocks));
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(s, STATUS_OK);
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_FOLDER(test_bad_files_are_refused),
        IN_FOLDER(test_what_is_no_file_is_refused),
        IN_FOLDER(test_good_files_of_old_and_new_versions),
        IN_FOLDER(test_a_network_without_weights),
        IN_FOLDER(test_blocks_are_written_in_order),
        IN_FOLDER(test_an_old_file_and_a_leftover_are_replaced),
        IN_FOLDER(test_where_nothing_can_be_written),
        IN_FOLDER(test_full_disk_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
