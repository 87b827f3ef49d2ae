#include "core/file.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- signals */

static bool cleans_up;
static const char *volatile unfinished; /* the temporary file that would be left behind, borrowed; NULL: none */

static void remember_unfinished(const char *temporary)
{
    if (cleans_up)
        unfinished = temporary;
}

static void clean_up(int number)
{
    if (unfinished)
        unlink(unfinished);
    signal(number, SIG_DFL);
    raise(number);
}

void file_clean_up_on_signals(void)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before;
    cleans_up = true;
    for (size_t i = 0; i < sizeof signals / sizeof *signals; ++i)
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler == SIG_DFL)
            sigaction(signals[i], &(struct sigaction){.sa_handler = clean_up, .sa_flags = SA_NODEFER}, NULL);
}

/* ---------------------------------------------------------------- files */

status file_check_regular(const char *path)
{
    struct stat info;
    if (stat(path, &info) != 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: %s", path, strerror(errno));
    return S_ISREG(info.st_mode) ? STATUS_OK : status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: not a file", path);
}

status file_begin(const char *path, char *temporary, size_t size, FILE **f)
{
    if ((size_t)snprintf(temporary, size, "%s.part", path) >= size)
        return status_fail(STATUS_BAD_FILE, "%s: error: the path is too long", path);
    remember_unfinished(temporary); /* before it is there: a signal may come at once */
    *f = fopen(temporary, "wb");
    if (*f)
        return STATUS_OK;
    remember_unfinished(NULL);
    return status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", path, strerror(errno));
}

status file_commit(FILE *f, const char *temporary, const char *path)
{
    bool written = fflush(f) == 0 && !ferror(f) && fsync(fileno(f)) == 0;
    int cause = errno;
    if (fclose(f) != 0 && written) {
        written = false;
        cause = errno;
    }
    if (written && rename(temporary, path) == 0) {
        remember_unfinished(NULL);
        return STATUS_OK;
    }
    if (written)
        cause = errno;
    unlink(temporary);
    remember_unfinished(NULL);
    return status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", path, strerror(cause));
}

void file_abandon(FILE *f, const char *temporary)
{
    fclose(f);
    unlink(temporary);
    remember_unfinished(NULL);
}
