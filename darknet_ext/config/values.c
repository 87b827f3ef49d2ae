#include "config/values.h"

#include <math.h>
#include <string.h>

/* " from 1 to 64", " >= 0", or "". */
static shown_text range_text(const option_spec *spec)
{
    shown_text text = {""};
    if (spec->low > spec->high)
        return text;
    if (isinf(spec->high))
        snprintf(text.text, sizeof text.text, " >= %s", shown_number(spec->low).text);
    else
        snprintf(text.text, sizeof text.text, " from %s to %s", shown_number(spec->low).text,
                 shown_number(spec->high).text);
    return text;
}

static bool in_range(const option_spec *spec, double number)
{
    return spec->low > spec->high || (number >= spec->low && number <= spec->high);
}

static bool is_integer(const option_spec *spec, const char *word)
{
    long number;
    return parse_integer(word, &number) && in_range(spec, (double)number);
}

static bool is_real(const option_spec *spec, const char *word)
{
    double number;
    return parse_real(word, &number) && in_range(spec, number);
}

typedef bool (*word_check)(const option_spec *spec, const char *word);

static bool check_number(messages *m, place where, const option_spec *spec, const char *value, word_check check, const char *noun)
{
    if (check(spec, value))
        return true;
    message_error(m, where, "%s: expected %s%s, found '%s'", spec->key, noun, range_text(spec).text, shown(value).text);
    return false;
}

static bool check_list(messages *m, place where, const option_spec *spec, const char *value, word_check check, const char *noun)
{
    char word[128];
    for (const char *c = value;; ++c) {
        size_t length = strcspn(c, ",");
        snprintf(word, sizeof word, "%.*s", (int)length, c);
        if (!check(spec, word)) {
            message_error(m, where, "%s: expected %s%s, separated by commas, found '%s'", spec->key, noun, range_text(spec).text,
                          shown(word).text);
            return false;
        }
        c += length;
        if (!*c)
            return true;
    }
}

static void report_choice(messages *m, place where, const option_spec *spec, const char *value)
{
    int n = 0;
    char list[512] = "";
    for (size_t used = 0; spec->choices[n] && used < sizeof list; ++n)
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", n ? ", " : "", spec->choices[n]);
    const char *nearest = nearest_name(value, spec->choices, n);
    if (nearest)
        message_error(m, where, "%s: unknown value '%s'%s", spec->key, shown(value).text, did_you_mean(nearest).text);
    else
        message_error(m, where, "%s: expected one of %s; found '%s'", spec->key, list, shown(value).text);
}

static bool check_choice(messages *m, place where, const option_spec *spec, const char *value)
{
    for (const char *const *choice = spec->choices; *choice; ++choice)
        if (!strcmp(*choice, value))
            return true;
    report_choice(m, where, spec, value);
    return false;
}

static bool check_boolean(messages *m, place where, const option_spec *spec, const char *value)
{
    if (!strcmp(value, "0") || !strcmp(value, "1"))
        return true;
    message_error(m, where, "%s: expected 0 or 1, found '%s'", spec->key, shown(value).text);
    return false;
}

bool value_check(messages *m, place where, const option_spec *spec, const char *value)
{
    switch (spec->type) {
    case OPTION_INTEGER:
        return check_number(m, where, spec, value, is_integer, "an integer");
    case OPTION_REAL:
        return check_number(m, where, spec, value, is_real, "a number");
    case OPTION_BOOLEAN:
        return check_boolean(m, where, spec, value);
    case OPTION_CHOICE:
        return check_choice(m, where, spec, value);
    case OPTION_INTEGERS:
        return check_list(m, where, spec, value, is_integer, "integers");
    case OPTION_REALS:
        return check_list(m, where, spec, value, is_real, "numbers");
    case OPTION_TEXT:
    case OPTION_PATH:
    case OPTION_IGNORED:
        return true;
    }
    return true;
}
