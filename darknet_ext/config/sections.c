#include "config/sections.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "config/extra_sections.h"
#include "config/values.h"
#include "layers/layer.h"

enum { MAX_NAMES = 128, MAX_SECTION_KINDS = 256 };

static const section_spec *section_kinds[MAX_SECTION_KINDS + 1];

/* The first specification of a name wins, so that a layer of layers/ hides the stock one. */
static void add_kind(const section_spec *spec)
{
    int n = 0;
    for (; section_kinds[n]; ++n)
        if (!strcmp(section_kinds[n]->name, spec->name))
            return;
    if (n == MAX_SECTION_KINDS)
        abort();
    section_kinds[n] = spec;
}

static void collect_kinds(void)
{
    for (const layer_type *const *type = layer_list; *type; ++type)
        add_kind((*type)->spec);
    for (const section_spec *const *spec = stock_sections; *spec; ++spec)
        add_kind(*spec);
    add_kind(&net_section);
    add_kind(&data_section);
    add_kind(&end_section);
    add_kind(&teacher_section);
}

const section_spec *const *config_sections(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, collect_kinds);
    return section_kinds;
}

const section_spec *sections_find_spec(const char *name)
{
    for (const section_spec *const *spec = config_sections(); *spec; ++spec)
        if (!strcmp((*spec)->name, name) || ((*spec)->alias && !strcmp((*spec)->alias, name)))
            return *spec;
    return NULL;
}

const char *sections_nearest(const char *name)
{
    const char *names[MAX_NAMES];
    int n = 0;
    for (const section_spec *const *spec = config_sections(); *spec && n < MAX_NAMES; ++spec)
        names[n++] = (*spec)->name;
    return nearest_name(name, names, n);
}

static int add_names(const char **names, int n, const option_spec *options)
{
    for (; options->key && n < MAX_NAMES; ++options)
        if (options->type != OPTION_IGNORED)
            names[n++] = options->key;
    return n;
}

static const char *nearest_key(const section_spec *spec, const char *key)
{
    const char *names[MAX_NAMES];
    int n = add_names(names, 0, spec->options);
    if (spec->role == SECTION_LAYER)
        n = add_names(names, n, common_layer_options);
    return nearest_name(key, names, n);
}

/* Room for one more item after n: the space doubles when n is a power of two. NULL without memory, and `items` stays. */
static void *grow(void *items, int n, size_t size)
{
    if (n & (n - 1))
        return items;
    return realloc(items, (n ? 2 * (size_t)n : 1) * size);
}

section *sections_add(config *c, const section_spec *spec, const cfg_line *line, messages *m)
{
    section *sections = grow(c->sections, c->n_sections, sizeof *sections);
    if (sections)
        c->sections = sections;
    char *name = strdup(line->name);
    if (!sections || !name) {
        free(name);
        m->no_memory = true;
        return NULL;
    }
    section *added = &sections[c->n_sections++];
    *added = (section){.spec = spec, .name = name, .line = line->name_place.line, .column = line->name_place.column};
    return added;
}

const option *section_given(const section *s, const char *key)
{
    for (int i = 0; i < s->n_options; ++i)
        if (!strcmp(s->options[i].key, key))
            return &s->options[i];
    return NULL;
}

bool section_usable(const section *s, const char *key)
{
    const option *given = section_given(s, key);
    return !given || *given->value;
}

/* A key that was never written, only guessed behind a misspelt one. */
static bool is_guess(const option *o)
{
    return !o->line && !o->column;
}

place section_place(const section *s, const char *key)
{
    const option *given = section_given(s, key);
    return given && !is_guess(given) ? (place){given->line, given->column} : (place){s->line, s->column};
}

/* Of the line of a [variant] that sets a key, or NULL. */
static const char *origin_of(place where, const messages *m)
{
    return !where.line && where.column ? m->overrides[where.column - 1].origin : NULL;
}

static void store(section *s, const option_spec *spec, const char *value, place where, messages *m)
{
    option *stored = (option *)section_given(s, spec->key);
    char *copy = strdup(value), *key = stored ? stored->key : strdup(spec->key);
    option *options = stored ? s->options : grow(s->options, s->n_options, sizeof *options);
    if (options)
        s->options = options;
    if (!copy || !key || !options) {
        free(copy);
        if (!stored)
            free(key);
        m->no_memory = true;
        return;
    }
    if (!stored) {
        stored = &options[s->n_options++];
    } else {
        free(stored->value);
        free(stored->origin);
    }
    *stored = (option){.spec = spec, .key = key, .value = copy, .line = where.line, .column = where.column};
    const char *origin = origin_of(where, m);
    stored->origin = origin ? strdup(origin) : NULL;
    m->no_memory |= origin && !stored->origin;
}

static void refuse_unknown(section *s, const cfg_line *line, messages *m)
{
    const char *nearest = nearest_key(s->spec, line->name);
    if (!line->wrong)
        message_error(m, line->name_place, "unknown key '%s' in [%s]%s", shown(line->name).text, s->name,
                      did_you_mean(nearest).text);
    if (nearest && !section_given(s, nearest))
        store(s, section_option(s->spec, nearest), "", (place){0, 0}, m);
}

static void report_repeated(const option *first, const cfg_line *line, repetition repeated, messages *m)
{
    if (repeated == REPETITION_IGNORED)
        message_warning(m, line->name_place, "duplicate key '%s', Darknet takes the first, at line %d", first->key, first->line);
    else
        message_error(m, line->name_place, "duplicate key '%s', first given at line %d", first->key, first->line);
}

/* Paths may have blanks, within quotes where they stand in a file. */
static bool check_form(const option_spec *spec, const cfg_line *line, messages *m)
{
    const bool path = spec->type == OPTION_PATH;
    if (line->form == VALUE_WORD || (path && (line->form == VALUE_QUOTED || !line->value_place.line)))
        return true;
    if (path)
        message_error(m, line->value_place, "blank inside the path: it must stand in double quotes");
    else if (line->form == VALUE_PHRASE)
        message_error(m, line->value_place, "blank inside the value '%s': Darknet would join its parts", shown(line->value).text);
    else
        message_error(m, line->value_place, "'%s' is no path: its value cannot stand in quotes", spec->key);
    return false;
}

static bool check_option(const option_spec *spec, const cfg_line *line, messages *m)
{
    if (line->wrong)
        return false;
    if (!*line->value) {
        message_error(m, line->value_place, "'%s' has no value", spec->key);
        return false;
    }
    if (!check_form(spec, line, m))
        return false;
    if (spec->type == OPTION_IGNORED)
        message_warning(m, line->name_place, "'%s' is ignored: %s", spec->key, spec->meaning);
    return value_check(m, line->value_place, spec, line->value);
}

void sections_set(section *s, const cfg_line *line, repetition repeated, messages *m)
{
    if (!*line->name && !line->wrong) {
        message_error(m, line->name_place, "missing key before '='");
        return;
    }
    const option_spec *spec = section_option(s->spec, line->name);
    if (!spec) {
        refuse_unknown(s, line, m);
        return;
    }
    const option *earlier = section_given(s, spec->key);
    if (earlier && !is_guess(earlier) && repeated != REPETITION_REPLACES) {
        report_repeated(earlier, line, repeated, m);
        return;
    }
    bool good = check_option(spec, line, m);
    store(s, spec, good ? line->value : "", line->value_place, m);
}
