/* The names of outputs, one a line, as Darknet's .names and .labels files. */
#ifndef DNX_PROGRAM_NAMES_FILE_H
#define DNX_PROGRAM_NAMES_FILE_H

#include "core/status.h"

typedef struct names_file {
    char *text; /* owned */
    char **lines;
    int n;
} names_file;

/* STATUS_BAD_FILE with one sentence. */
status names_file_read(const char *path, names_file *f);
void names_file_free(names_file *f);

#endif
