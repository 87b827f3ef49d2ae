/* Files that are read from disk; files that appear whole or not at all. */
#ifndef DNX_CORE_FILE_H
#define DNX_CORE_FILE_H

#include <stddef.h>
#include <stdio.h>

#include "core/status.h"

/* Whether it is a regular file: opening a FIFO would wait for a writer, and a device may have no end. */
status file_check_regular(const char *path);

/* Makes a folder, and those above it, unless they are there. */
status file_make_folders(const char *path);

/* Opens `path`.part for writing; its name goes into `temporary`, which stays until commit or abandon. */
status file_begin(const char *path, char *temporary, size_t size, FILE **f);

/* Brings what was written so far to disk. */
status file_flush(FILE *f, const char *path);

/* Flushes it to disk, closes it and gives it its name; on failure the temporary file is removed. */
status file_commit(FILE *f, const char *temporary, const char *path);

/* Closes and removes it. */
void file_abandon(FILE *f, const char *temporary);

/* For programs with one thread that writes files: from now on SIGINT, SIGTERM and SIGHUP also remove the temporary files, of which at most two
 * may be open at a time. */
void file_clean_up_on_signals(void);

#endif
