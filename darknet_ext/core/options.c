#include "core/options.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const option_spec common_layer_options[] = {
    {"learning_rate", OPTION_REAL, "1", 0, 1e6, NULL, "factor on the learning rate of this layer"},
    {"stopbackward", OPTION_BOOLEAN, "0", 0, 1, NULL, "no gradient flows to this layer or below it"},
    {"onlyforward", OPTION_BOOLEAN, "0", 0, 1, NULL, "the layer takes part in the forward pass only"},
    {"dontload", OPTION_BOOLEAN, "0", 0, 1, NULL, "its weights are not read from the weights file"},
    {"dontsave", OPTION_BOOLEAN, "0", 0, 1, NULL, "its weights are not written to the weights file"},
    {"dontloadscales", OPTION_BOOLEAN, "0", 0, 1, NULL, "the weights file has no batch normalisation for it"},
    {"numload", OPTION_INTEGER, "0", 0, INT_MAX, NULL, "filters to load from the weights file; 0: all"},
    {"truth", OPTION_BOOLEAN, "0", 0, 1, NULL, "later layers take its output as their labels"},
    {"smooth", OPTION_REAL, "0", 0, 1, NULL, "strength of smoothing (GPU only)"},
    {0},
};

void config_free(config *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n_sections; ++i) {
        section *s = &c->sections[i];
        for (int k = 0; k < s->n_options; ++k) {
            free(s->options[k].key);
            free(s->options[k].value);
            free(s->options[k].origin);
        }
        free(s->options);
        free(s->name);
    }
    free(c->sections);
    free(c->path);
    free(c->named_path);
    free(c);
}

static const option_spec *table_find(const option_spec *table, const char *key)
{
    for (; table->key; ++table)
        if (!strcmp(table->key, key))
            return table;
    return NULL;
}

const option_spec *section_option(const section_spec *spec, const char *key)
{
    const option_spec *found = table_find(spec->options, key);
    if (!found && spec->role == SECTION_LAYER)
        found = table_find(common_layer_options, key);
    return found;
}

const section *config_section(const config *c, const char *name)
{
    for (int i = 0; i < c->n_sections; ++i) {
        const section_spec *spec = c->sections[i].spec;
        if (c->sections[i].block == 0 && (!strcmp(spec->name, name) || (spec->alias && !strcmp(spec->alias, name))))
            return &c->sections[i];
    }
    return NULL;
}

static const option *given_option(const section *s, const char *key)
{
    for (int k = 0; s && k < s->n_options; ++k)
        if (!strcmp(s->options[k].key, key))
            return &s->options[k];
    return NULL;
}

bool option_given(const section *s, const char *key)
{
    return given_option(s, key) != NULL;
}

int option_line(const section *s, const char *key)
{
    const option *given = given_option(s, key);
    return given ? given->line : s ? s->line : 0;
}

static _Noreturn void programming_error(const section *s, const char *key, const char *what)
{
    fprintf(stderr, "option '%s' of [%s]: %s\n", key, s ? s->spec->name : "", what);
    abort();
}

/* Room for a key that was not given. */
static option *option_add(section *s, const char *key)
{
    option *options = realloc(s->options, ((size_t)s->n_options + 1) * sizeof *options);
    char *name = strdup(key);
    if (options)
        s->options = options;
    if (!options || !name) {
        free(name);
        return NULL;
    }
    s->options[s->n_options] = (option){.spec = section_option(s->spec, key), .key = name, .line = s->line, .column = s->column};
    return &s->options[s->n_options++];
}

status option_set_integer(section *s, const char *key, long value)
{
    option *o = (option *)given_option(s, key);
    char *text = NULL;
    if (!section_option(s->spec, key))
        programming_error(s, key, "not in the specification");
    if (asprintf(&text, "%ld", value) < 0 || (!o && !(o = option_add(s, key)))) {
        free(text);
        return status_fail(STATUS_NO_MEMORY, "out of memory (value of %s)", key);
    }
    free(o->value);
    o->value = text;
    return STATUS_OK;
}

status option_fail(const section *s, const char *path, const char *key, const char *text)
{
    const option *given = given_option(s, key);
    int line = option_line(s, key), column = given ? given->column : s->column;
    if (line > 0)
        return status_fail(STATUS_BAD_CONFIG, "%s:%d:%d: error: %s", path, line, column, text);
    if (given && given->origin)
        return status_fail(STATUS_BAD_CONFIG, "%s: error: %s", given->origin, text);
    return status_fail(STATUS_BAD_CONFIG, "-set %s.%s=%s: error: %s", s->name, key, option_text(s, key), text);
}

status section_fail(const section *s, const char *path, const char *text)
{
    return status_fail(STATUS_BAD_CONFIG, "%s:%d:%d: error: %s", path, s->line, s->column, text);
}

static const option_spec *known_option(const section *s, const char *key)
{
    const option_spec *spec = s ? section_option(s->spec, key) : NULL;
    if (!spec)
        programming_error(s, key, "not in the specification");
    return spec;
}

static const char *value_text(const section *s, const char *key)
{
    const option_spec *spec = known_option(s, key);
    const option *given = given_option(s, key);
    if (!given && !spec->fallback)
        programming_error(s, key, "required, and not given");
    return given ? given->value : spec->fallback;
}

long option_integer(const section *s, const char *key)
{
    const char *text = value_text(s, key);
    long value = 0;
    if (*text && !parse_integer(text, &value))
        programming_error(s, key, "not an integer");
    return value;
}

double option_real(const section *s, const char *key)
{
    const char *text = value_text(s, key);
    double value = 0;
    if (*text && !parse_real(text, &value))
        programming_error(s, key, "not a number");
    return value;
}

bool option_boolean(const section *s, const char *key)
{
    return !strcmp(value_text(s, key), "1");
}

int option_choice(const section *s, const char *key)
{
    const char *text = value_text(s, key);
    const char *const *choices = known_option(s, key)->choices;
    for (int i = 0; choices && choices[i]; ++i)
        if (!strcmp(choices[i], text))
            return i;
    if (*text)
        programming_error(s, key, "not one of its choices");
    return -1;
}

long option_integer_or(const section *s, const char *key, long fallback)
{
    return option_given(s, key) ? option_integer(s, key) : fallback;
}

double option_real_or(const section *s, const char *key, double fallback)
{
    return option_given(s, key) ? option_real(s, key) : fallback;
}

bool option_boolean_or(const section *s, const char *key, bool fallback)
{
    return option_given(s, key) ? option_boolean(s, key) : fallback;
}

int option_choice_or(const section *s, const char *key, int fallback)
{
    return option_given(s, key) ? option_choice(s, key) : fallback;
}

const char *option_text(const section *s, const char *key)
{
    return value_text(s, key);
}

/* Copies the list element at *text into `word` and moves *text behind the comma after it; false at the end. */
static bool next_element(const char **text, char *word, size_t size)
{
    if (!**text)
        return false;
    size_t length = strcspn(*text, ",");
    snprintf(word, size, "%.*s", (int)length, *text);
    *text += length + ((*text)[length] == ',');
    return true;
}

int option_integers(const section *s, const char *key, long *values, int capacity)
{
    const char *text = value_text(s, key);
    char word[128];
    int n = 0;
    for (; next_element(&text, word, sizeof word); ++n) {
        long value;
        if (!parse_integer(word, &value))
            programming_error(s, key, "not a list of integers");
        if (n < capacity)
            values[n] = value;
    }
    return n;
}

int option_reals(const section *s, const char *key, double *values, int capacity)
{
    const char *text = value_text(s, key);
    char word[128];
    int n = 0;
    for (; next_element(&text, word, sizeof word); ++n) {
        double value;
        if (!parse_real(word, &value))
            programming_error(s, key, "not a list of numbers");
        if (n < capacity)
            values[n] = value;
    }
    return n;
}

/* The limit keeps every number that passes the check readable by next_element(). */
enum { NUMBER_LENGTH = 100 };

static bool is_number_text(const char *text, const char *characters)
{
    size_t length = strspn(text, characters);
    return length && length <= NUMBER_LENGTH && !text[length];
}

bool parse_integer(const char *text, long *value)
{
    if (!is_number_text(text, "+-0123456789"))
        return false;
    char *end;
    errno = 0;
    long parsed = strtol(text, &end, 10);
    if (end == text || *end || errno)
        return false;
    *value = parsed;
    return true;
}

bool parse_real(const char *text, double *value)
{
    if (!is_number_text(text, "+-.0123456789eE"))
        return false;
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (!c_locale)
        return false;
    char *end;
    errno = 0;
    double parsed = strtod_l(text, &end, c_locale);
    /* a subnormal result sets ERANGE too, and is as good as any; a nonzero text that became 0 is not */
    bool lost = errno == ERANGE && parsed == 0;
    freelocale(c_locale);
    if (end == text || *end || lost || !isfinite(parsed))
        return false;
    *value = parsed;
    return true;
}

static int minimum(int a, int b)
{
    return a < b ? a : b;
}

enum { NAME_LENGTH = 64 };

/* Optimal string alignment: insertions, deletions, replacements and swaps of neighbours, each counted once; letters of
 * the other case are the same. Row i holds the distances of the first i letters of a to all beginnings of b. */
static int edit_distance(const char *a, const char *b)
{
    int rows[3][NAME_LENGTH + 1], n = (int)strlen(a), m = (int)strlen(b);
    int *before = rows[0], *previous = rows[1], *current = rows[2];
    for (int j = 0; j <= m; ++j)
        previous[j] = j;
    for (int i = 1; i <= n; ++i) {
        current[0] = i;
        for (int j = 1; j <= m; ++j) {
            int p = tolower((unsigned char)a[i - 1]), q = tolower((unsigned char)b[j - 1]);
            current[j] = minimum(previous[j - 1] + (p != q), minimum(previous[j], current[j - 1]) + 1);
            if (i > 1 && j > 1 && p == tolower((unsigned char)b[j - 2]) && q == tolower((unsigned char)a[i - 2]))
                current[j] = minimum(current[j], before[j - 2] + 1);
        }
        int *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[m];
}

const char *nearest_name(const char *word, const char *const *names, int n)
{
    int length = (int)strnlen(word, NAME_LENGTH + 1);
    if (length > NAME_LENGTH)
        return NULL;
    const char *nearest = NULL;
    int best = minimum((length + 2) / 3 + 1, length); /* one letter in three may be wrong, but not all of them */
    for (int i = 0; i < n; ++i) {
        if (strlen(names[i]) > NAME_LENGTH)
            continue;
        int distance = edit_distance(word, names[i]);
        if (distance < best) {
            best = distance;
            nearest = names[i];
        }
    }
    return nearest;
}
