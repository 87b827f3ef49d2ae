#include "bridge/lower.h"

#include <stdio.h>
#include <string.h>

#include "core/activation_math.h"

bool lower_is_own_key(const section *s, const char *key)
{
    static const char *const net_keys[] = {"backend", "seed", "threads", "batchnorm_gradient", NULL};
    for (const char *const *ours = net_keys; s->spec->role == SECTION_NET && *ours; ++ours)
        if (strcmp(key, *ours) == 0)
            return true;
    return false;
}

static const char *lowered_value(const section *s, const option *o)
{
    if (strcmp(o->key, "activation") != 0 || o->spec->type != OPTION_CHOICE)
        return o->value;
    int kind = option_choice(s, "activation");
    return kind < ACTIVATION_COUNT && !activation_table[kind].stock ? "linear" : o->value;
}

/* Darknet's dropout works in the layer below it: the first one has none. */
static bool is_first_dropout(const section *s, bool first)
{
    return first && strcmp(s->spec->name, "dropout") == 0;
}

static void lower_section(const section *s, bool first, FILE *out)
{
    if (is_first_dropout(s, first)) {
        fprintf(out, "[activation]\nactivation=linear\n");
        return;
    }
    if (!s->spec->stock) {
        fprintf(out, "[cost]\ntype=sse\n");
        return;
    }
    fprintf(out, "[%s]\n", s->spec->name);
    if (s->spec->role == SECTION_NET && !option_given(s, "height")) /* else layers of images would have no size */
        fprintf(out, "height=1\nwidth=1\nchannels=%ld\n", option_integer(s, "inputs"));
    for (int i = 0; i < s->n_options; ++i)
        if (!lower_is_own_key(s, s->options[i].key) && s->options[i].spec->type != OPTION_IGNORED)
            fprintf(out, "%s=%s\n", s->options[i].key, lowered_value(s, &s->options[i]));
}

char *lower_config(const config *c, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    if (!out)
        return NULL;
    int layers = 0;
    for (int i = 0; i < c->n_sections; ++i) {
        const section *s = &c->sections[i];
        if (s->spec->role == SECTION_EXTRA)
            continue;
        lower_section(s, s->spec->role == SECTION_LAYER && layers == 0, out);
        layers += s->spec->role == SECTION_LAYER;
    }
    return fclose(out) == 0 ? text : NULL;
}
