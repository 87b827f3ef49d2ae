#include "config/overrides.h"

#include <string.h>

#include "config/sections.h"

enum { NO_NUMBER = -1, EVERY_NUMBER = -2 };

/* Cuts "[number]" off the end of a section name; false, with a message, when it is malformed. */
static bool take_number(char *name, long *number, place where, messages *m)
{
    char *open = strchr(name, '[');
    *number = NO_NUMBER;
    if (!open)
        return true;
    size_t length = strlen(open);
    bool closed = open[length - 1] == ']';
    open[closed ? length - 1 : length] = '\0';
    *open = '\0';
    if (closed && strcmp(open + 1, "*") == 0) {
        *number = EVERY_NUMBER;
        return true;
    }
    if (closed && parse_integer(open + 1, number) && *number >= 0)
        return true;
    message_error(m, where, "expected %s[number], counted from 0, or %s[*]", shown(name).text, shown(name).text);
    return false;
}

/* The section of that specification and number; of EVERY_NUMBER the first. */
static section *choose(config *c, const section_spec *spec, long number, place where, messages *m)
{
    section *chosen = NULL;
    int n = 0;
    for (int i = 0; i < c->n_sections; ++i)
        if (c->sections[i].spec == spec && (n++ == number || (number < 0 && n == 1)))
            chosen = &c->sections[i];
    if (!n)
        message_error(m, where, "the cfg has no section [%s]", spec->name);
    else if (number == NO_NUMBER && n > 1)
        message_error(m, where, "the cfg has %d sections [%s]: write %s[0] to %s[%d], or %s[*] for all", n, spec->name, spec->name, spec->name,
                      n - 1, spec->name);
    else if (!chosen)
        message_error(m, where, "no section %s[%ld]: the cfg has %d, counted from 0", spec->name, number, n);
    return n > 1 && number == NO_NUMBER ? NULL : chosen;
}

static section *find_section(config *c, char *name, long *number, place where, messages *m)
{
    if (!take_number(name, number, where, m))
        return NULL;
    const section_spec *spec = sections_find_spec(name);
    if (!spec) {
        message_error(m, where, "unknown section '%s'%s", shown(name).text, did_you_mean(sections_nearest(name)).text);
        return NULL;
    }
    return choose(c, spec, *number, where, m);
}

static void apply(config *c, place where, messages *m, cfg_line *line)
{
    char *dot = strchr(line->name, '.');
    if (!dot) {
        message_error(m, where, "expected section.key=value");
        return;
    }
    *dot = '\0';
    long number;
    section *first = find_section(c, line->name, &number, where, m);
    line->name = dot + 1;
    for (section *s = first; s && s < c->sections + c->n_sections; ++s)
        if (s == first || (number == EVERY_NUMBER && s->spec == first->spec))
            sections_set(s, line, REPETITION_REPLACES, m);
}

void overrides_apply(config *c, int n, messages *m, cfg_line *line)
{
    for (int i = 0; i < n; ++i) {
        place where = {0, i + 1};
        const char *text = m->overrides[i].text;
        tokens_option(text, strlen(text), where, m, line);
        if (!line->wrong)
            apply(c, where, m, line);
    }
}
