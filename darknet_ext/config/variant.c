#include "config/variant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const option_spec variant_keys[] = {
    {"of", OPTION_PATH, NULL, 1, 0, NULL, "the cfg that is changed, beside this file"},
    {"section.key", OPTION_TEXT, "", 1, 0, NULL, "a key of it, as -set says it: net.batch=, critic[*].mode=; any number of them"},
    {0},
};

const section_spec variant_section = {
    .name = "variant",
    .role = SECTION_EXTRA,
    .options = variant_keys,
    .meaning = "a file of its own: another cfg with some keys changed",
};

bool variant_is(const char *text, size_t length, cfg_line *line)
{
    cfg_text lines = tokens_begin(text, length);
    while (tokens_next(&lines, NULL, line))
        if (line->kind == LINE_SECTION)
            return !line->wrong && strcmp(line->name, "variant") == 0;
    return false;
}

/* `of` beside the file that names it, unless it is an absolute path. */
static char *base_path(const char *path, const char *of)
{
    const char *slash = strrchr(path, '/');
    char *base = NULL;
    int folder = slash && *of != '/' ? (int)(slash - path) + 1 : 0;
    return asprintf(&base, "%.*s%s", folder, path, of) < 0 ? NULL : base;
}

static void take_base(variant *v, const char *path, const cfg_line *line, messages *m)
{
    if (v->base)
        message_error(m, line->name_place, "of= is given twice");
    else if (!*line->value)
        message_error(m, line->value_place, "of= needs the path of a cfg");
    else if (!(v->base = base_path(path, line->value)))
        m->no_memory = true;
    else
        v->base_place = line->value_place;
}

static bool is_given(const variant *v, const char *key)
{
    const size_t length = strlen(key);
    for (int i = 0; i < v->n_own; ++i)
        if (strncmp(v->overrides[i].text, key, length) == 0 && v->overrides[i].text[length] == '=')
            return true;
    return false;
}

static void take_change(variant *v, const char *path, const cfg_line *line, messages *m)
{
    if (is_given(v, line->name)) {
        message_error(m, line->name_place, "%s= is given twice", shown(line->name).text);
        return;
    }
    char *text = NULL, *origin = NULL;
    override *more = realloc(v->overrides, (size_t)(v->n + 1) * sizeof *more);
    if (more)
        v->overrides = more;
    if (!more || asprintf(&text, "%s=%s", line->name, line->value) < 0 ||
        asprintf(&origin, "%s:%d:%d", path, line->name_place.line, line->name_place.column) < 0) {
        free(text);
        m->no_memory = true;
        return;
    }
    v->overrides[v->n++] = (override){text, origin};
    v->n_own = v->n;
}

static void take_section(variant *v, const cfg_line *line, bool *begun, messages *m)
{
    if (*begun)
        message_error(m, line->name_place, "[variant] stands alone: the sections are those of the cfg that of= names");
    else
        v->base_place = line->name_place;
    *begun = true;
}

static void take_line(variant *v, const char *path, const cfg_line *line, bool *begun, messages *m)
{
    if (line->kind == LINE_SECTION)
        take_section(v, line, begun, m);
    else if (line->kind == LINE_OPTION && !line->wrong && !*begun)
        message_error(m, line->name_place, "'%s' stands before the first section", shown(line->name).text);
    else if (line->kind == LINE_OPTION && !line->wrong && strcmp(line->name, "of") == 0)
        take_base(v, path, line, m);
    else if (line->kind == LINE_OPTION && !line->wrong)
        take_change(v, path, line, m);
}

static void add_given(variant *v, const override *given, int n_given, messages *m)
{
    override *all = realloc(v->overrides, (size_t)(v->n + n_given + 1) * sizeof *all);
    if (!all) {
        m->no_memory = true;
        return;
    }
    v->overrides = all;
    for (int i = 0; i < n_given; ++i)
        all[v->n++] = given[i];
}

void variant_read(variant *v, const char *path, const char *text, size_t length, const override *given, int n_given, messages *m, cfg_line *line)
{
    bool begun = false;
    cfg_text lines = tokens_begin(text, length);
    *v = (variant){0};
    while (!m->no_memory && tokens_next(&lines, m, line))
        take_line(v, path, line, &begun, m);
    if (!v->base && !m->n_errors && !m->no_memory)
        message_error(m, v->base_place, "[variant] needs of=, the path of the cfg that it changes");
    add_given(v, given, n_given, m);
}

void variant_free(variant *v)
{
    for (int i = 0; i < v->n_own; ++i) {
        free((char *)v->overrides[i].text);
        free((char *)v->overrides[i].origin);
    }
    free(v->overrides);
    free(v->base);
    *v = (variant){0};
}
