#include "bridge/lower.h"

#include <stdio.h>
#include <string.h>

#include "core/activation_math.h"

bool lower_is_own_key(const section *s, const char *key)
{
    static const char *const net_keys[] = {"backend", "seed", "threads", "batchnorm_gradient", "decoupled", "queue", "queue_full", "lockstep", NULL};
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

/* Darknet's layers on images refuse a vector as the network's input; as an image of one pixel it is the same to all others. */
static void lower_vector(const section *net, FILE *out)
{
    if (!option_given(net, "height"))
        fprintf(out, "height=1\nwidth=1\nchannels=%ld\n", option_integer(net, "inputs"));
}

static void lower_section(const section *s, bool first, FILE *out)
{
    if (is_first_dropout(s, first) || strcmp(s->spec->name, "critic") == 0) {
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

static bool is_one_of(const char *name, const char *const *names)
{
    while (*names && strcmp(name, *names) != 0)
        ++names;
    return *names;
}

static bool gives_no_image(const graph_node *node)
{
    const char *name = node->where->spec->name;
    for (int i = 1; i < node->n_inputs && strcmp(name, "route") == 0; ++i)
        if (node->in_shapes[i].height != node->in.height || node->in_shapes[i].width != node->in.width)
            return true;
    return strcmp(name, "softmax") == 0 || (strcmp(name, "reorg") == 0 && option_integer(node->where, "extra") > 0);
}

status lower_check(const graph *g, const char *path)
{
    static const char *const on_images[] = {"convolutional", "deconvolutional", "local", "maxpool", "avgpool", "crop", "upsample", "reorg", "normalization",
                                            "batchnorm", "l2norm", "crnn", "region", "yolo", "iseg", NULL};
    for (int i = 1; i < g->n_nodes; ++i) {
        const section *where = g->nodes[i].where, *below = g->nodes[i - 1].where;
        if (!is_one_of(where->spec->name, on_images) || !gives_no_image(&g->nodes[i - 1]))
            continue;
        char text[160];
        snprintf(text, sizeof text, "[%s] needs an image, and Darknet's [%s] (line %d) gives none", where->name, below->name, below->line);
        return section_fail(where, path, text);
    }
    return STATUS_OK;
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
        if (s->spec->role == SECTION_EXTRA || s->spec->role == SECTION_END || s->block)
            continue;
        lower_section(s, s->spec->role == SECTION_LAYER && layers == 0, out);
        if (s->spec->role == SECTION_NET)
            lower_vector(s, out);
        layers += s->spec->role == SECTION_LAYER;
    }
    return fclose(out) == 0 ? text : NULL;
}
