#include "core/file.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---------------------------------------------------------------- signals */

enum { MAX_UNFINISHED = 2 };

static bool cleans_up;
static const char *volatile unfinished[MAX_UNFINISHED]; /* temporary files that would be left behind, borrowed; NULL: none */

static void change_unfinished(const char *from, const char *to)
{
    for (int i = 0; cleans_up && i < MAX_UNFINISHED; ++i)
        if (unfinished[i] == from) {
            unfinished[i] = to;
            return;
        }
}

static void remember_unfinished(const char *temporary)
{
    change_unfinished(NULL, temporary);
}

static void forget_unfinished(const char *temporary)
{
    change_unfinished(temporary, NULL);
}

static void clean_up(int number)
{
    for (int i = 0; i < MAX_UNFINISHED; ++i)
        if (unfinished[i])
            unlink(unfinished[i]);
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
    forget_unfinished(temporary);
    return status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", path, strerror(errno));
}

status file_make_folders(const char *path)
{
    char part[2048];
    if ((size_t)snprintf(part, sizeof part, "%s", path) >= sizeof part)
        return status_fail(STATUS_BAD_FILE, "%s: error: the path is too long", path);
    for (char *at = part + 1;; ++at) {
        if (*at && *at != '/')
            continue;
        char kept = *at;
        *at = 0;
        if (mkdir(part, 0777) != 0 && errno != EEXIST)
            return status_fail(STATUS_BAD_FILE, "%s: error: the folder cannot be made: %s", part, strerror(errno));
        *at = kept;
        if (!kept)
            return STATUS_OK;
    }
}

status file_flush(FILE *f, const char *path)
{
    if (fflush(f) == 0 && !ferror(f) && fsync(fileno(f)) == 0)
        return STATUS_OK;
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
        forget_unfinished(temporary);
        return STATUS_OK;
    }
    if (written)
        cause = errno;
    unlink(temporary);
    forget_unfinished(temporary);
    return status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", path, strerror(cause));
}

void file_abandon(FILE *f, const char *temporary)
{
    fclose(f);
    unlink(temporary);
    forget_unfinished(temporary);
}
