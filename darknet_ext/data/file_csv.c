/* CSV files of data sets. They are read line by line: memory holds one line and the numbers. */
#include "data/file_formats.h"

#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "config/messages.h"
#include "data/file_csv_columns.h"

enum { FIRST_ROOM = 1 << 18, LONGEST_LINE = 1 << 26, MOST_COLUMNS = 1 << 20, FIRST_POINTS = 256 };

/* ---------------------------------------------------------------- lines */

typedef struct line_source {
    FILE *f;
    const char *path;
    char *buffer; /* owned; a byte more than `room`, for the end of the last line */
    size_t room, begin, end;
    bool ended;
    unsigned long line; /* of the last one, from 1 */
} line_source;

static status line_fail(const line_source *s, const char *text)
{
    return status_fail(STATUS_BAD_FILE, "%s:%lu: error: %s", s->path, s->line, text);
}

/* More bytes behind those that are not used up. */
static status source_fill(line_source *s)
{
    memmove(s->buffer, s->buffer + s->begin, s->end - s->begin);
    s->end -= s->begin;
    s->begin = 0;
    if (s->end == s->room) {
        if (s->room >= LONGEST_LINE)
            return status_fail(STATUS_BAD_FILE, "%s:%lu: error: the line is longer than %d bytes", s->path, s->line + 1, LONGEST_LINE);
        char *larger = realloc(s->buffer, s->room * 2 + 1);
        if (!larger)
            return status_fail(STATUS_NO_MEMORY, "%s: error: no memory for a line", s->path);
        s->buffer = larger;
        s->room *= 2;
    }
    size_t count = fread(s->buffer + s->end, 1, s->room - s->end, s->f);
    s->end += count;
    s->ended = count == 0;
    if (ferror(s->f))
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be read: %s", s->path, strerror(errno));
    return STATUS_OK;
}

/* The next line without its end, writable until the one after; NULL behind the last. */
static status next_line(line_source *s, char **line)
{
    size_t searched = 0;
    char *end = NULL;
    *line = NULL;
    while (!(end = memchr(s->buffer + s->begin + searched, '\n', s->end - s->begin - searched)) && !s->ended) {
        searched = s->end - s->begin;
        status filled = source_fill(s);
        if (filled != STATUS_OK)
            return filled;
    }
    if (!end && s->begin == s->end)
        return STATUS_OK;
    ++s->line;
    *line = s->buffer + s->begin;
    if (!end)
        end = s->buffer + s->end;
    size_t length = (size_t)(end - *line);
    s->begin += end == s->buffer + s->end ? length : length + 1;
    (*line)[length] = '\0';
    if (memchr(*line, '\0', length))
        return line_fail(s, "a NUL byte: this is no text (save it as UTF-8 when it is UTF-16)");
    if (length && (*line)[length - 1] == '\r')
        (*line)[length - 1] = '\0';
    return STATUS_OK;
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

/* ---------------------------------------------------------------- fields */

static void trim_end(char *begin, char *end)
{
    while (end > begin && (end[-1] == ' ' || end[-1] == '\t'))
        --end;
    *end = '\0';
}

/* A quoted field, in place; returns what follows it, or NULL when its quote is not closed. */
static char *unquote(char *text)
{
    char *out = text;
    for (char *c = text + 1; *c; ++c) {
        if (*c == '"' && *++c != '"') {
            *out = '\0';
            return c;
        }
        *out++ = *c;
    }
    return NULL;
}

/* Cuts off the first field of *rest, without blanks and quotes around it; *rest becomes NULL behind the last one. False when quotes
 * are wrong. */
static bool take_field(char **rest, char **field)
{
    char *text = *rest, *end;
    while (*text == ' ' || *text == '\t')
        ++text;
    *field = text;
    if (*text == '"') {
        end = unquote(text);
        if (!end)
            return false;
        end += strspn(end, " \t");
        if (*end && *end != ',')
            return false;
        *rest = *end ? end + 1 : NULL;
        return true;
    }
    end = strchrnul(text, ',');
    *rest = *end ? end + 1 : NULL;
    trim_end(text, end);
    return true;
}

/* ---------------------------------------------------------------- numbers */

/* Digits, point and exponent that fit 53 bits and 22 powers of ten: one exact product or quotient, so the nearest double. */
static bool parse_short(const char *text, double *value)
{
    static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                    1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
    bool negative = *text == '-';
    text += negative;
    long digits = 0;
    int n = 0, decimals = 0;
    bool point = false;
    for (; n <= 16 && ((*text >= '0' && *text <= '9') || (*text == '.' && !point)); ++text) {
        if (*text == '.') {
            point = true;
            continue;
        }
        digits = digits * 10 + (*text - '0');
        ++n;
        decimals += point;
    }
    if (*text || !n || digits >= 1L << 53)
        return false;
    *value = (negative ? -1. : 1.) * (double)digits / powers[decimals];
    return true;
}

/* NULL, or what is wrong with the text. An infinite number is a number. */
static const char *parse_number(const char *text, locale_t numbers, double *value)
{
    if (parse_short(text, value))
        return NULL;
    const char *word = text + (*text == '+' || *text == '-');
    *value = NAN;
    if (!*text || !strcasecmp(word, "nan"))
        return NULL;
    if (!strcasecmp(word, "inf") || !strcasecmp(word, "infinity")) {
        *value = INFINITY;
        return NULL;
    }
    if (!text[strspn(text, "+-.0123456789eE")]) {
        char *end;
        *value = strtod_l(text, &end, numbers);
        if (end != text && !*end)
            return NULL;
    }
    if (strchr(text, ';'))
        return "has a semicolon: fields must be separated by commas";
    if (strchr(text, ',') && !text[strspn(text, "+-.,0123456789eE")])
        return "has a comma: numbers are written with a point, and without separators of thousands";
    if (word[0] == '0' && (word[1] == 'x' || word[1] == 'X'))
        return "is hexadecimal: numbers are decimal";
    return "is not a number";
}

/* ---------------------------------------------------------------- reading */

typedef struct csv_reader {
    const file_request *request;
    line_source source;
    locale_t numbers;
    char *header; /* owned, holds the names */
    csv_column *columns; /* owned */
    int n_columns;
    int room; /* points there is memory for */
    dataset *d;
} csv_reader;

static int count_fields(const char *line)
{
    int n = 1;
    for (; *line; ++line)
        n += *line == ',';
    return n;
}

static status split_header(csv_reader *c)
{
    char *rest = c->header;
    int most = count_fields(rest);
    if (most > MOST_COLUMNS)
        return line_fail(&c->source, "more columns than this program can handle");
    c->columns = allocate_zeroed((unsigned long)most, sizeof *c->columns);
    if (!c->columns)
        return STATUS_NO_MEMORY;
    while (rest) {
        char *name;
        if (!take_field(&rest, &name))
            return line_fail(&c->source, "a quote is not closed, or something follows it");
        c->columns[c->n_columns++].name = name;
    }
    return STATUS_OK;
}

static status read_header(csv_reader *c, unsigned *parts)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    char *line;
    status s = next_line(&c->source, &line);
    if (s != STATUS_OK)
        return s;
    if (!strncmp(line, byte_order_mark, strlen(byte_order_mark)))
        line += strlen(byte_order_mark);
    c->header = strdup(line);
    if (!c->header)
        return status_fail(STATUS_NO_MEMORY, "%s: error: no memory for its header", c->source.path);
    s = split_header(c);
    if (s != STATUS_OK)
        return s;
    if (c->n_columns == 1 && strpbrk(c->columns[0].name, "; \t"))
        return line_fail(&c->source, "the fields are separated by semicolons, tabs or blanks: it must be commas");
    return csv_columns_resolve(c->request, c->columns, c->n_columns, c->d, parts);
}

/* Room for `points` samples in every part that is there. */
static status set_room(csv_reader *c, int points)
{
    dataset *d = c->d;
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        if (!d->parts[part])
            continue;
        double *larger = reallocarray(d->parts[part], (size_t)points, dataset_part_size(d, part) * sizeof *larger);
        if (!larger)
            return status_fail(STATUS_NO_MEMORY, "%s:%lu: error: no memory for more than %d points", c->source.path, c->source.line, c->room);
        d->parts[part] = larger;
    }
    c->room = points;
    return STATUS_OK;
}

static status field_fail(const csv_reader *c, int column, const char *text, const char *problem)
{
    return status_fail(STATUS_BAD_FILE, "%s:%lu: error: %s: '%s' %s", c->source.path, c->source.line, shown(c->columns[column].name).text,
                       shown(text).text, problem);
}

static status read_field(csv_reader *c, int column, const char *text)
{
    const csv_column *to = &c->columns[column];
    double value;
    if (to->part == PART_COUNT)
        return STATUS_OK;
    const char *problem = parse_number(text, c->numbers, &value);
    if (!problem)
        problem = file_value_problem(to->part, value);
    if (problem)
        return field_fail(c, column, text, problem);
    double *sample = dataset_at(c->d, to->part, (size_t)c->d->points);
    sample[to->place] = sample[to->mirror] = value;
    return STATUS_OK;
}

static status read_sample(csv_reader *c, char *line)
{
    int column = 0;
    for (char *rest = line, *field; rest; ++column) {
        if (!take_field(&rest, &field))
            return line_fail(&c->source, "a quote is not closed, or something follows it");
        if (column == c->n_columns)
            return status_fail(STATUS_BAD_FILE, "%s:%lu: error: more than the %d fields of the header (numbers have a point, not a comma)",
                               c->source.path, c->source.line, c->n_columns);
        status s = read_field(c, column, field);
        if (s != STATUS_OK)
            return s;
    }
    if (column < c->n_columns)
        return status_fail(STATUS_BAD_FILE, "%s:%lu: error: %d field%s, the header has %d: %s is missing", c->source.path, c->source.line, column,
                           column > 1 ? "s" : "", c->n_columns, shown(c->columns[column].name).text);
    ++c->d->points;
    return STATUS_OK;
}

/* Empty lines may only stand at the end. */
static status read_samples(csv_reader *c)
{
    unsigned long empty = 0;
    for (;;) {
        char *line;
        status s = next_line(&c->source, &line);
        if (s != STATUS_OK || !line)
            return s;
        if (is_blank(line)) {
            empty = empty ? empty : c->source.line;
            continue;
        }
        if (empty)
            return status_fail(STATUS_BAD_FILE, "%s:%lu: error: the line is empty", c->source.path, empty);
        if (c->d->points == INT_MAX - 1)
            return line_fail(&c->source, "more points than this program can handle");
        if (c->d->points == c->room)
            s = set_room(c, c->room < INT_MAX / 2 ? c->room + c->room / 2 : INT_MAX);
        if (s == STATUS_OK)
            s = read_sample(c, line);
        if (s != STATUS_OK)
            return s;
    }
}

static status read_all(csv_reader *c)
{
    unsigned parts;
    status s = read_header(c, &parts);
    if (s != STATUS_OK)
        return s;
    c->d->points = c->room = FIRST_POINTS;
    s = dataset_allocate(c->d, parts);
    c->d->points = 0;
    if (s == STATUS_OK)
        s = read_samples(c);
    if (s == STATUS_OK && !c->d->points)
        s = status_fail(STATUS_BAD_FILE, "%s: error: a header, and no samples", c->source.path);
    return s == STATUS_OK ? set_room(c, c->d->points) : s;
}

/* A file that shrinks or grows under the reader would be half of one and half of another. */
static bool is_unchanged(FILE *f, const struct stat *before)
{
    struct stat now;
    return fstat(fileno(f), &now) == 0 && now.st_size == before->st_size && now.st_mtim.tv_sec == before->st_mtim.tv_sec &&
           now.st_mtim.tv_nsec == before->st_mtim.tv_nsec;
}

status file_csv_read(const file_request *r, dataset *d)
{
    csv_reader c = {.request = r, .d = d, .source = {.path = r->path, .room = FIRST_ROOM}};
    c.source.f = fopen(r->path, "rb");
    struct stat before;
    if (!c.source.f || fstat(fileno(c.source.f), &before) != 0) {
        status s = status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: %s", r->path, strerror(errno));
        if (c.source.f)
            fclose(c.source.f);
        return s;
    }
    c.source.buffer = malloc(FIRST_ROOM + 1);
    c.numbers = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    status s = c.source.buffer && c.numbers ? read_all(&c) : status_fail(STATUS_NO_MEMORY, "%s: error: no memory to read it", r->path);
    if (!is_unchanged(c.source.f, &before))
        s = status_fail(STATUS_BAD_FILE, "%s: error: it was changed while it was read", r->path);
    if (c.numbers)
        freelocale(c.numbers);
    free(c.source.buffer);
    free(c.columns);
    free(c.header);
    fclose(c.source.f);
    return s;
}

/* ---------------------------------------------------------------- writing */

static void put_header(FILE *f, const dataset *d)
{
    bool first = true;
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        for (size_t at = 0; d->parts[part] && at < dataset_part_size(d, part); ++at) {
            fprintf(f, "%s%s", first ? "" : ",", csv_column_name(d, part, at).text);
            first = false;
        }
    fputc('\n', f);
}

static void put_sample(FILE *f, const dataset *d, int sample)
{
    bool first = true;
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        for (size_t at = 0; d->parts[part] && at < dataset_part_size(d, part); ++at) {
            double value = dataset_at(d, part, (size_t)sample)[at];
            if (!first)
                fputc(',', f);
            if (!isnan(value))
                fprintf(f, "%.17g", value);
            first = false;
        }
    fputc('\n', f);
}

status file_csv_write(FILE *f, const char *path, const dataset *d)
{
    if (d->directions > 1)
        return status_fail(STATUS_BAD_FILE, "%s: error: a CSV file holds one direction per point, not %d: write an HDF5 file", path, d->directions);
    locale_t numbers = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!numbers)
        return status_fail(STATUS_NO_MEMORY, "%s: error: no memory to write it", path);
    locale_t before = uselocale(numbers);
    put_header(f, d);
    for (int i = 0; i < d->points; ++i)
        put_sample(f, d, i);
    uselocale(before);
    freelocale(numbers);
    return STATUS_OK;
}
