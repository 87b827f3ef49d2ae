#include "config/check.h"

#include "config/rules.h"
#include "config/sections.h"

static void check_required(const section *s, messages *m)
{
    for (const option_spec *spec = s->spec->options; spec->key; ++spec)
        if (!spec->fallback && !option_given(s, spec->key))
            message_error(m, section_place(s, spec->key), "[%s] needs the key '%s': %s", s->name, spec->key, spec->meaning);
}

static void check_single(const config *c, const section_spec *spec, messages *m)
{
    const section *first = config_section(c, spec->name);
    for (int i = 0; i < c->n_sections; ++i) {
        const section *s = &c->sections[i];
        if (s->spec == spec && s != first)
            message_error(m, (place){s->line, s->column}, "second [%s], the first is at line %d", spec->name, first->line);
    }
}

static bool is_single(const section *s)
{
    return s->spec->role == SECTION_NET || s->spec->role == SECTION_EXTRA;
}

static void check_order(const config *c, missing_sections missing, int n_layers, messages *m)
{
    if (!c->n_sections && !missing.n) {
        message_error(m, (place){1, 1}, "no sections: a cfg begins with [net]");
        return;
    }
    const section *first = c->n_sections ? &c->sections[0] : NULL;
    if (first && !missing.first && first->spec->role != SECTION_NET)
        message_error(m, (place){first->line, first->column}, "the first section must be [net], not [%s]", first->name);
    else if (first && !missing.n && !n_layers)
        message_error(m, (place){first->line, first->column}, "[net] without layers");
    for (int i = 0; i < c->n_sections; ++i)
        if (is_single(&c->sections[i]) && config_section(c, c->sections[i].name) == &c->sections[i])
            check_single(c, c->sections[i].spec, m);
}

void check_config(const config *c, missing_sections missing, messages *m)
{
    int n_layers = 0, n_inner = 0; /* of the network; of the block that is open */
    for (int i = 0; i < c->n_sections; ++i) {
        const section *s = &c->sections[i];
        bool is_layer = s->spec->role == SECTION_LAYER;
        int *number = s->block ? &n_inner : &n_layers;
        check_required(s, m);
        rules_check(s, is_layer && !missing.n ? *number : -1, m);
        *number += is_layer;
        if (s->spec->role == SECTION_END)
            n_inner = 0;
    }
    check_order(c, missing, n_layers, m);
}
