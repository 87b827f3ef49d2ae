#include "train/metrics_table.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/file.h"

typedef struct table_source {
    FILE *f;
    char *line; /* owned; without its end */
    size_t capacity;
    int number;
    locale_t numbers; /* a decimal point whatever the user's locale is */
} table_source;

static status fail_at(const metrics_table *t, const table_source *source, const char *text)
{
    return status_fail(STATUS_BAD_FILE, "%s:%d: error: %s", t->path, source->number, text);
}

/* A zero byte would end the line early and hide what follows; no number has a '?'. */
static void show_zero_bytes(char *line, size_t length)
{
    for (char *c = line; (c = memchr(c, '\0', length - (size_t)(c - line))) != NULL;)
        *c = '?';
}

/* False at the end of the file; a line that lacks its end is no line. */
static bool next_line(table_source *source)
{
    ssize_t length = getline(&source->line, &source->capacity, source->f);
    if (length <= 0 || source->line[length - 1] != '\n')
        return false;
    source->number++;
    show_zero_bytes(source->line, (size_t)length);
    source->line[--length] = '\0';
    if (length > 0 && source->line[length - 1] == '\r')
        source->line[length - 1] = '\0';
    return true;
}

static status read_header(metrics_table *t, table_source *source)
{
    if (!next_line(source))
        return status_fail(STATUS_BAD_FILE, "%s: error: %s", t->path,
                           ferror(source->f) ? strerror(errno) : "has no header line, so it is not the metrics.csv of a run");
    t->header = strdup(source->line);
    if (!t->header)
        return status_fail(STATUS_NO_MEMORY, "%s: error: no memory to read it", t->path);
    t->n_columns = 1;
    for (char *c = t->header; (c = strchr(c, ',')) != NULL; *c++ = '\0')
        t->n_columns++;
    return STATUS_OK;
}

/* Space for one more row, or NULL. */
static double *grow(metrics_table *t)
{
    size_t row = (size_t)t->n_columns;
    bool full = t->n_rows == 0 || (t->n_rows >= 64 && (t->n_rows & (t->n_rows - 1)) == 0);
    if (full) {
        size_t rows = t->n_rows < 64 ? 64 : 2 * (size_t)t->n_rows;
        double *larger = realloc(t->values, rows * row * sizeof *larger);
        if (!larger)
            return NULL;
        t->values = larger;
    }
    return t->values + row * (size_t)t->n_rows++;
}

/* A field is empty or one number that ends at a comma or at the line's end; or a word. */
static bool read_field(table_source *source, char **field, bool is_word, double *value)
{
    char *end = *field;
    if (is_word) {
        *field += strcspn(*field, ",");
        *value = NAN;
        return true;
    }
    *value = *end == ',' || *end == '\0' ? NAN : strtod_l(*field, &end, source->numbers);
    if (*end != ',' && *end != '\0')
        return false;
    *field = end;
    return true;
}

static status read_row(metrics_table *t, table_source *source)
{
    double *row = grow(t);
    if (!row)
        return status_fail(STATUS_NO_MEMORY, "%s: error: no memory for its rows", t->path);
    char *field = source->line;
    int words = metrics_table_column(t, "mode");
    for (int i = 0; i < t->n_columns; i++) {
        if (!read_field(source, &field, i == words, &row[i]))
            return fail_at(t, source, "not a row of numbers");
        bool last = i == t->n_columns - 1;
        if ((*field == '\0') != last)
            return fail_at(t, source, last ? "more fields than the header has" : "fewer fields than the header has");
        field++;
    }
    return STATUS_OK;
}

static status read_rows(metrics_table *t, table_source *source)
{
    status s = read_header(t, source);
    while (s == STATUS_OK && next_line(source))
        s = read_row(t, source);
    if (s == STATUS_OK && ferror(source->f))
        s = status_fail(STATUS_BAD_FILE, "%s: error: cannot be read to its end: %s", t->path, strerror(errno));
    return s;
}

status metrics_table_read(const char *path, metrics_table *t)
{
    *t = (metrics_table){.path = path};
    if (file_check_regular(path) != STATUS_OK)
        return STATUS_BAD_FILE;
    table_source source = {.f = fopen(path, "re")};
    if (!source.f)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: %s", path, strerror(errno));
    source.numbers = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    status s = STATUS_NO_MEMORY;
    if (source.numbers) {
        s = read_rows(t, &source);
        freelocale(source.numbers);
    } else
        status_fail(s, "%s: error: cannot be read: %s", path, strerror(errno));
    free(source.line);
    fclose(source.f);
    return s;
}

void metrics_table_free(metrics_table *t)
{
    free(t->header);
    free(t->values);
    *t = (metrics_table){0};
}

int metrics_table_column(const metrics_table *t, const char *name)
{
    const char *column = t->header;
    for (int i = 0; i < t->n_columns; i++, column += strlen(column) + 1)
        if (strcmp(column, name) == 0)
            return i;
    return -1;
}
