#include "core/file.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
    *f = fopen(temporary, "wb");
    if (!*f)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", path, strerror(errno));
    return STATUS_OK;
}

status file_commit(FILE *f, const char *temporary, const char *path)
{
    bool written = fflush(f) == 0 && !ferror(f) && fsync(fileno(f)) == 0;
    int cause = errno;
    if (fclose(f) != 0 && written) {
        written = false;
        cause = errno;
    }
    if (written && rename(temporary, path) == 0)
        return STATUS_OK;
    if (written)
        cause = errno;
    unlink(temporary);
    return status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", path, strerror(cause));
}
