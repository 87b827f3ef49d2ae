#include "data/names_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

static status read_text(const char *path, char **text)
{
    if (file_check_regular(path) != STATUS_OK)
        return STATUS_BAD_FILE;
    FILE *f = fopen(path, "r");
    size_t size = 0;
    errno = 0;
    bool read = f && getdelim(text, &size, '\0', f) > 0; /* to the end, or a zero byte */
    status s = STATUS_OK;
    if (!read)
        s = status_fail(STATUS_BAD_FILE, "%s: error: %s", path, errno ? strerror(errno) : "the file is empty");
    else if (!feof(f))
        s = status_fail(STATUS_BAD_FILE, "%s: error: is not a text", path);
    if (f)
        fclose(f);
    return s;
}

status names_file_read(const char *path, names_file *f)
{
    *f = (names_file){0};
    status s = read_text(path, &f->text);
    if (s != STATUS_OK)
        return s;
    f->lines = allocate_zeroed(strlen(f->text) + 1, sizeof *f->lines);
    if (!f->lines)
        return STATUS_NO_MEMORY;
    for (char *at = f->text; *at;) {
        size_t length = strcspn(at, "\n");
        char *next = at + length + (at[length] == '\n');
        at[length] = 0;
        if (length > 0 && at[length - 1] == '\r')
            at[length - 1] = 0;
        f->lines[f->n++] = at;
        at = next;
    }
    return STATUS_OK;
}

void names_file_free(names_file *f)
{
    free(f->text);
    free(f->lines);
    *f = (names_file){0};
}
