/* The pictures that -image names: files, and those in folders. */
#ifndef DNX_PROGRAM_IMAGE_LIST_H
#define DNX_PROGRAM_IMAGE_LIST_H

#include "core/status.h"

typedef struct image_list {
    char **paths; /* owned */
    int n;
} image_list;

/* Files as they are; of folders, sorted by name, what ends like a picture. STATUS_BAD_FILE when something is missing or a folder has none. */
status image_list_create(image_list *l, const char *const *names, int n);
void image_list_free(image_list *l);

#endif
