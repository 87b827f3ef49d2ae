/* Text files of one thing a line: the names of outputs, as Darknet's .names and .labels files, or paths of pictures. */
#ifndef DNX_DATA_NAMES_FILE_H
#define DNX_DATA_NAMES_FILE_H

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
