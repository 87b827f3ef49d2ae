#include "config/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/check.h"
#include "config/overrides.h"
#include "config/sections.h"
#include "config/variant.h"

enum { FILE_LIMIT = 16 * 1024 * 1024 };

typedef struct reader {
    messages m;
    config *c;
    section *current; /* NULL before the first section and in an unknown one */
    int block;        /* the number of the [critic] that is open; 0: none */
    missing_sections missing;
    repetition repeated;
    cfg_line line;
} reader;

/* A cfg of stock Darknet is read as stock Darknet reads it: some files it comes with repeat keys. */
static bool has_only_stock_sections(reader *r, const char *text, size_t length)
{
    cfg_text lines = tokens_begin(text, length);
    while (tokens_next(&lines, NULL, &r->line)) {
        const section_spec *spec = r->line.kind == LINE_SECTION ? sections_find_spec(r->line.name) : NULL;
        if (spec && !spec->stock)
            return false;
    }
    return true;
}

static void refuse_section(reader *r)
{
    const cfg_line *line = &r->line;
    r->missing.first = r->missing.first || !r->c->n_sections;
    r->missing.n++;
    if (line->wrong)
        return;
    if (*line->name)
        message_error(&r->m, line->name_place, "unknown section '%s'%s", shown(line->name).text,
                      did_you_mean(sections_nearest(line->name)).text);
    else
        message_error(&r->m, line->name_place, "section without a name");
}

/* Which block a new section stands in; one begins behind [critic] and ends with [end]. */
static void take_block(reader *r)
{
    section *s = r->current;
    bool begins = strcmp(s->spec->name, "critic") == 0, ends = s->spec->role == SECTION_END;
    const section *open = r->block ? &r->c->sections[r->block] : NULL;
    if (begins && open)
        message_error(&r->m, r->line.name_place, "[critic] inside of the [critic] of line %d: blocks cannot be nested ([end] is missing)", open->line);
    else if (ends && !open)
        message_error(&r->m, r->line.name_place, "[end] without a [critic] before it");
    else if (open && !ends && s->spec->role != SECTION_LAYER)
        message_error(&r->m, r->line.name_place, "[%s] cannot stand inside of [critic] (line %d): [end] is missing", s->name, open->line);
    else if (!begins)
        s->block = r->block;
    if (begins)
        r->block = r->c->n_sections - 1;
    else if (ends)
        r->block = 0;
}

static void take_section(reader *r)
{
    const section_spec *spec = sections_find_spec(r->line.name);
    r->current = NULL;
    if (spec)
        r->current = sections_add(r->c, spec, &r->line, &r->m);
    else
        refuse_section(r);
    if (r->current)
        take_block(r);
}

static void take_option(reader *r)
{
    if (r->current)
        sections_set(r->current, &r->line, r->repeated, &r->m);
    else if (!r->c->n_sections && !r->missing.n && !r->line.wrong)
        message_error(&r->m, r->line.name_place, "'%s' stands before the first section", shown(r->line.name).text);
}

static void read_lines(reader *r, const char *text, size_t length)
{
    cfg_text lines = tokens_begin(text, length);
    while (!r->m.no_memory && tokens_next(&lines, &r->m, &r->line)) {
        if (r->line.kind == LINE_SECTION)
            take_section(r);
        else if (r->line.kind == LINE_OPTION)
            take_option(r);
    }
}

static void read_text(reader *r, const char *text, size_t length, int n_overrides)
{
    if (length > FILE_LIMIT) {
        message_error(&r->m, (place){1, 1}, "file of more than %d MiB", FILE_LIMIT / (1024 * 1024));
        return;
    }
    r->repeated = has_only_stock_sections(r, text, length) ? REPETITION_IGNORED : REPETITION_REFUSED;
    read_lines(r, text, length);
    if (r->block)
        message_error(&r->m, (place){r->c->sections[r->block].line, r->c->sections[r->block].column}, "[critic] without [end]");
    overrides_apply(r->c, n_overrides, &r->m, &r->line);
    if (!r->m.no_memory)
        check_config(r->c, r->missing, &r->m);
}

static status reader_status(const reader *r)
{
    if (r->m.no_memory)
        return status_fail(STATUS_NO_MEMORY, "%s: out of memory", r->m.path);
    if (r->m.n_errors)
        return status_fail(STATUS_BAD_CONFIG, "%s: %ld error%s", r->c->named_path, r->m.n_errors, r->m.n_errors > 1 ? "s" : "");
    return STATUS_OK;
}

/* `name`: the path that the user named. */
static reader *reader_create(const char *path, const char *name, const override *overrides)
{
    reader *r = allocate_zeroed(1, sizeof *r);
    if (!r)
        return NULL;
    r->m.path = path;
    r->m.overrides = overrides;
    r->c = allocate_zeroed(1, sizeof *r->c);
    if (r->c) {
        r->c->path = strdup(path);
        r->c->named_path = strdup(name);
    }
    if (!r->c || !r->c->path || !r->c->named_path) {
        config_free(r->c);
        free(r);
        return NULL;
    }
    return r;
}

static status parse(const char *path, const char *name, const char *text, size_t length, const override *overrides, int n_overrides,
                    message_sink sink, void *context, config **result)
{
    *result = NULL;
    reader *r = reader_create(path, name, overrides);
    if (!r)
        return status_fail(STATUS_NO_MEMORY, "%s: out of memory", path);
    read_text(r, text, length, n_overrides);
    messages_deliver(&r->m, sink, context);
    status code = reader_status(r);
    if (code == STATUS_OK)
        *result = r->c;
    else
        config_free(r->c);
    free(r);
    return code;
}

status config_parse(const char *path, const char *text, size_t length, const override *overrides, int n_overrides,
                    message_sink sink, void *context, config **result)
{
    return parse(path, path, text, length, overrides, n_overrides, sink, context, result);
}

/* Reads at most FILE_LIMIT + 1 bytes: config_parse() refuses the last one. Returns a negative errno on failure. */
static ssize_t read_all(int file, char *text)
{
    size_t length = 0;
    while (length < FILE_LIMIT + 1) {
        ssize_t n = read(file, text + length, FILE_LIMIT + 1 - length);
        if (n == 0)
            break;
        if (n > 0)
            length += (size_t)n;
        else if (errno != EINTR)
            return -errno;
    }
    return (ssize_t)length;
}

/* The text of the file; the caller frees it. A directory opens, but read() refuses it. */
static status read_file(const char *path, char **text, size_t *length)
{
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return status_fail(STATUS_BAD_FILE, "%s: %s", path, strerror(errno));
    *text = malloc(FILE_LIMIT + 1); /* pages that stay untouched cost nothing */
    ssize_t n = *text ? read_all(file, *text) : -ENOMEM;
    close(file);
    if (n >= 0) {
        *length = (size_t)n;
        return STATUS_OK;
    }
    free(*text);
    return status_fail(STATUS_BAD_FILE, "%s: %s", path, strerror((int)-n));
}

/* The text of the cfg that a [variant] changes; NULL with a message, or without memory. */
static char *read_base(reader *r, const variant *v, size_t *length)
{
    char *text = NULL;
    if (read_file(v->base, &text, length) != STATUS_OK) {
        message_error(&r->m, v->base_place, "%s", status_text());
        return NULL;
    }
    if (!variant_is(text, *length, &r->line))
        return text;
    message_error(&r->m, v->base_place, "of= names a [variant] too: it needs the cfg itself");
    free(text);
    return NULL;
}

/* `r` reads the lines of the variant, and its messages are about them. */
static status read_variant(reader *r, const char *text, size_t length, const override *overrides, int n_overrides, message_sink sink, void *context,
                           config **result)
{
    variant v;
    size_t base_length = 0;
    variant_read(&v, r->m.path, text, length, overrides, n_overrides, &r->m, &r->line);
    char *base = r->m.n_errors || r->m.no_memory ? NULL : read_base(r, &v, &base_length);
    messages_deliver(&r->m, sink, context);
    status code = reader_status(r);
    if (code == STATUS_OK)
        code = parse(v.base, r->m.path, base, base_length, v.overrides, v.n, sink, context, result);
    free(base);
    variant_free(&v);
    return code;
}

status config_read(const char *path, const override *overrides, int n_overrides, message_sink sink, void *context,
                   config **result)
{
    char *text = NULL;
    size_t length = 0;
    *result = NULL;
    status code = read_file(path, &text, &length);
    if (code != STATUS_OK)
        return code;
    reader *r = reader_create(path, path, NULL);
    if (!r)
        code = status_fail(STATUS_NO_MEMORY, "%s: out of memory", path);
    else if (length <= FILE_LIMIT && variant_is(text, length, &r->line))
        code = read_variant(r, text, length, overrides, n_overrides, sink, context, result);
    else
        code = config_parse(path, text, length, overrides, n_overrides, sink, context, result);
    if (r)
        config_free(r->c);
    free(r);
    free(text);
    return code;
}
