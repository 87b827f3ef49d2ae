#include "data/picture_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/messages.h"
#include "core/options.h"

/* Without blanks at both ends. */
static char *trim(char *text)
{
    text += strspn(text, " \t");
    for (char *end = text + strlen(text); end > text && isspace((unsigned char)end[-1]);)
        *--end = '\0';
    return text;
}

/* ---------------------------------------------------------------- lists */

static status line_fail(const picture_list *l, int i, const char *file, const char *problem)
{
    return status_fail(STATUS_BAD_FILE, "%s:%d: error: %s: %s", l->path, l->lines[i], file, problem);
}

/* As Darknet: the name is anywhere in the path. */
static status find_class(const picture_list *l, const names_file *names, int i)
{
    int *class = &l->classes[i];
    char problem[400];
    *class = -1;
    for (int k = 0; k < names->n; ++k) {
        if (!*names->lines[k] || !strstr(l->files.lines[i], names->lines[k]))
            continue;
        if (*class >= 0) {
            snprintf(problem, sizeof problem, "its path contains two names of classes, %s and %s", shown(names->lines[*class]).text,
                     shown(names->lines[k]).text);
            return line_fail(l, i, l->files.lines[i], problem);
        }
        *class = k;
    }
    return *class >= 0 ? STATUS_OK : line_fail(l, i, l->files.lines[i], "its path contains none of the names of classes");
}

/* Lines without blanks at their ends, those that are not empty. */
static void trim_lines(picture_list *l)
{
    int kept = 0;
    for (int i = 0; i < l->files.n; ++i) {
        char *line = trim(l->files.lines[i]);
        if (!*line)
            continue;
        l->files.lines[kept] = line;
        l->lines[kept++] = i + 1;
    }
    l->files.n = kept;
}

status picture_list_open(const char *path, bool classified, picture_list *l)
{
    *l = (picture_list){.path = path};
    status s = names_file_read(path, &l->files);
    if (s != STATUS_OK)
        return s;
    l->lines = allocate_zeroed((unsigned long)l->files.n + 1, sizeof *l->lines);
    l->classes = classified ? allocate_zeroed((unsigned long)l->files.n + 1, sizeof *l->classes) : NULL;
    if (!l->lines || (classified && !l->classes))
        return STATUS_NO_MEMORY;
    trim_lines(l);
    return l->files.n > 0 ? STATUS_OK : status_fail(STATUS_BAD_FILE, "%s: error: the list names no pictures", path);
}

status picture_list_check(picture_list *l, int i, const names_file *names)
{
    if (access(l->files.lines[i], R_OK) != 0)
        return line_fail(l, i, l->files.lines[i], strerror(errno));
    return names ? find_class(l, names, i) : STATUS_OK;
}

status picture_list_read(const char *path, const names_file *names, picture_list *l)
{
    status s = picture_list_open(path, names != NULL, l);
    for (int i = 0; i < l->files.n && s == STATUS_OK; ++i)
        s = picture_list_check(l, i, names);
    return s;
}

void picture_list_free(picture_list *l)
{
    names_file_free(&l->files);
    free(l->lines);
    free(l->classes);
    *l = (picture_list){0};
}

/* ---------------------------------------------------------------- .data files */

/* Where the value of a key belongs, or NULL. */
static char **text_of(picture_data *d, const char *key)
{
    if (strcmp(key, "train") == 0)
        return &d->train;
    if (strcmp(key, "valid") == 0)
        return &d->valid;
    if (strcmp(key, "backup") == 0)
        return &d->backup;
    return strcmp(key, "names") == 0 || strcmp(key, "labels") == 0 ? &d->names : NULL;
}

/* A whole number from 1. */
static status take_count(const char *path, int line, const char *key, const char *value, int *count)
{
    long number;
    if (!parse_integer(value, &number) || number < 1 || number > 1000000)
        return status_fail(STATUS_BAD_FILE, "%s:%d: error: %s: '%s' is not a whole number from 1 to 1000000", path, line, key, shown(value).text);
    *count = (int)number;
    return STATUS_OK;
}

static status take(picture_data *d, const char *path, int line, const char *key, const char *value)
{
    char **text = text_of(d, key);
    if (strcmp(key, "classes") == 0)
        return take_count(path, line, key, value, &d->classes);
    if (strcmp(key, "top") == 0)
        return take_count(path, line, key, value, &d->top);
    if (!text || (*text && strcmp(key, "labels") != 0)) /* the first of equal keys holds, as in Darknet */
        return STATUS_OK;
    free(*text);
    *text = strdup(value);
    return *text ? STATUS_OK : STATUS_NO_MEMORY;
}

status picture_data_read(const char *path, picture_data *d)
{
    names_file lines;
    *d = (picture_data){0};
    status s = names_file_read(path, &lines);
    for (int i = 0; i < lines.n && s == STATUS_OK; ++i) {
        char *line = trim(lines.lines[i]), *equals = strchr(line, '=');
        if (!*line || *line == '#' || *line == ';')
            continue;
        if (!equals) {
            s = status_fail(STATUS_BAD_FILE, "%s:%d: error: '%s' is not key = value", path, i + 1, shown(line).text);
            break;
        }
        *equals = '\0';
        s = take(d, path, i + 1, trim(line), trim(equals + 1));
    }
    names_file_free(&lines);
    if (s == STATUS_OK && !d->train)
        s = status_fail(STATUS_BAD_FILE, "%s: error: has no line 'train = FILE'", path);
    return s;
}

void picture_data_free(picture_data *d)
{
    free(d->train);
    free(d->valid);
    free(d->names);
    free(d->backup);
    *d = (picture_data){0};
}
