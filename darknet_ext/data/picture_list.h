/* Lists of pictures as Darknet has them: a text file with a path a line, and a .data file that names such lists and the classes. */
#ifndef DNX_DATA_PICTURE_LIST_H
#define DNX_DATA_PICTURE_LIST_H

#include <stdbool.h>

#include "data/names_file.h"

typedef struct picture_list {
    const char *path;   /* of the list; borrowed */
    names_file files;   /* its lines; empty ones are left out */
    int *lines;         /* [files.n], owned: the line of each, from 1 */
    int *classes;       /* [files.n], owned: from 0; NULL: no names were given */
} picture_list;

/* Reads the lines of a list, `classified` with room for classes; and looks at one of them: its file, and with names its class. Together they are
 * picture_list_read(), for programs that want to know of every line. */
status picture_list_open(const char *path, bool classified, picture_list *l);
status picture_list_check(picture_list *l, int i, const names_file *names);

/* Reads a list. With names, the class of a picture is the one name that its path contains, as in Darknet. STATUS_BAD_FILE, path:line where
 * there is one, when the list is empty, a file is missing, or a path contains no name or several. Freed by the caller also on failure. */
status picture_list_read(const char *path, const names_file *names, picture_list *l);
void picture_list_free(picture_list *l);

/* What a .data file says: `train = FILE` and so on, a line each; other keys of Darknet's (tree, results, …) are left alone. Owned texts, NULL: not
 * given. STATUS_BAD_FILE. */
typedef struct picture_data {
    char *train, *valid, *backup;
    char *names; /* `labels`, or without it `names`: with both, Darknet finds classes by the one and prints the other */
    int classes, top; /* 0: not given */
} picture_data;

status picture_data_read(const char *path, picture_data *d);
void picture_data_free(picture_data *d);

#endif
