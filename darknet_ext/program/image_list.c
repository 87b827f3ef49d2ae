#include "program/image_list.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

static status add(image_list *l, const char *folder, const char *name)
{
    char **paths = realloc(l->paths, ((size_t)l->n + 1) * sizeof *paths), *path = NULL;
    if (paths)
        l->paths = paths;
    if (!paths || (folder ? asprintf(&path, "%s/%s", folder, name) : asprintf(&path, "%s", name)) < 0)
        return status_fail(STATUS_NO_MEMORY, "out of memory (names of pictures)");
    l->paths[l->n++] = path;
    return STATUS_OK;
}

static int is_picture(const struct dirent *entry)
{
    static const char *const endings[] = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp"};
    const char *dot = strrchr(entry->d_name, '.');
    for (size_t i = 0; dot && i < sizeof endings / sizeof *endings; ++i)
        if (strcasecmp(dot, endings[i]) == 0)
            return 1;
    return 0;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static status add_folder(image_list *l, const char *folder)
{
    struct dirent **entries;
    int n = scandir(folder, &entries, is_picture, by_bytes);
    if (n < 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: the folder cannot be read: %s", folder, strerror(errno));
    status s = n > 0 ? STATUS_OK : status_fail(STATUS_BAD_FILE, "%s: error: there is no picture in this folder (by the endings of their names)", folder);
    for (int i = 0; i < n; ++i) {
        if (s == STATUS_OK)
            s = add(l, folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return s;
}

status image_list_create(image_list *l, const char *const *names, int n)
{
    status s = STATUS_OK;
    *l = (image_list){0};
    for (int i = 0; i < n && s == STATUS_OK; ++i) {
        struct stat info;
        if (stat(names[i], &info) != 0)
            s = status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: %s", names[i], strerror(errno));
        else
            s = S_ISDIR(info.st_mode) ? add_folder(l, names[i]) : add(l, NULL, names[i]);
    }
    return s;
}

void image_list_free(image_list *l)
{
    for (int i = 0; i < l->n; ++i)
        free(l->paths[i]);
    free(l->paths);
    *l = (image_list){0};
}
