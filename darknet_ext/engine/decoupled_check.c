/* What [net] says of decoupled training, and what cannot be trained so. */
#include <string.h>

#include "engine/decoupled.h"

enum { DEFAULT_QUEUE = 2 };

decoupled_options decoupled_read_options(const section *net, bool *wanted)
{
    *wanted = option_boolean(net, "decoupled");
    return (decoupled_options){
        .queue = (int)option_integer_or(net, "queue", DEFAULT_QUEUE),
        .drops = strcmp(option_text(net, "queue_full"), "drop") == 0,
        .lockstep = option_boolean(net, "lockstep"),
    };
}

/* The part below would have to wait for what the parts above find out. */
static status check_block(const config *c, const section *where, bool cut_above)
{
    critic_options o = critic_read_options(where);
    status_list found = {.first = STATUS_OK};
    if (!critic_predicts(o.mode))
        return STATUS_OK;
    if (o.mix > 0)
        status_collect(&found, option_fail(where, c->path, "mix", "with decoupled=1 the part below does not wait for the true gradient: it needs mix=0"));
    if (o.target == CRITIC_TARGET_TRUE && cut_above)
        status_collect(&found, option_fail(where, c->path, "target",
                                           "with decoupled=1 no true gradient comes down through the cut above this one: it needs target=bootstrap"));
    return status_collected(&found);
}

/* No gradient would come to the cut below, and its part would learn from a critic that learns nothing. */
static status check_stop(const graph *g, const config *c, int first_cut)
{
    status_list found = {.first = STATUS_OK};
    for (int i = first_cut + 1; i < g->n_nodes; ++i)
        if (g->nodes[i].stop_backward)
            status_collect(&found, option_fail(g->nodes[i].where, c->path, "stopbackward", "with decoupled=1 stopbackward=1 stands below the first cut only"));
    return status_collected(&found);
}

static bool is_cut(const graph_node *node)
{
    return node->type && node->type->critic && critic_read_options(node->where).mode != CRITIC_BACKPROP;
}

/* *first_cut: n_nodes when there is none. */
static status check_nodes(const graph *g, const config *c, int *first_cut)
{
    status_list found = {.first = STATUS_OK};
    *first_cut = g->n_nodes;
    for (int i = g->n_nodes - 1; i >= 0; --i) {
        const graph_node *node = &g->nodes[i];
        if (!node->type)
            status_collect(&found, section_fail(node->where, c->path, "with decoupled=1 all layers are the engine's, and Darknet runs this one itself"));
        if (node->type && node->type->critic)
            status_collect(&found, check_block(c, node->where, *first_cut < g->n_nodes));
        *first_cut = is_cut(node) ? i : *first_cut;
    }
    return status_collected(&found);
}

status decoupled_check(const graph *g, const config *c)
{
    const section *net = &c->sections[0], *taught = config_section(c, "teacher");
    status_list found = {.first = STATUS_OK};
    bool wanted;
    int first_cut;
    decoupled_options o = decoupled_read_options(net, &wanted);
    if (!wanted)
        return STATUS_OK;
    status_collect(&found, check_nodes(g, c, &first_cut));
    status_collect(&found, check_stop(g, c, first_cut));
    if (first_cut == g->n_nodes)
        status_collect(&found, option_fail(net, c->path, "decoupled", "decoupled=1 needs a [critic] that cuts the network, in another mode than backprop"));
    if (taught && option_given(taught, "cfg"))
        status_collect(&found, section_fail(taught, c->path, "decoupled=1 trains without a teacher network"));
    if (o.drops && option_integer(net, "subdivisions") > 1)
        status_collect(&found, option_fail(net, c->path, "queue_full", "queue_full=drop would leave updates without some of their subdivisions: it needs subdivisions=1"));
    return status_collected(&found);
}
