#include "train/training_check.h"

#include <stdio.h>
#include <string.h>

#include "layers/sobolev.h"
#include "train/point_sets.h"

static status refuse(plugin_network *p, const section *where, const char *text)
{
    return section_fail(where, plugin_config(p)->path, text);
}

/* Why one of Darknet's own layers cannot be used here; NULL: it can. */
static const char *unfit_reason(const section *s)
{
    static const char sequences[] = "it needs sequences, and [data] gives single points";
    static const char labels[] = "it is a loss on other labels than [data] gives";
    static const struct {
        const char *name, *reason;
    } table[] = {
        {"rnn", sequences},     {"crnn", sequences},  {"lstm", sequences}, {"gru", sequences},
        {"yolo", labels},       {"region", labels},   {"detection", labels}, {"iseg", labels},
    };
    if (strcmp(s->spec->name, "softmax") == 0 && !option_boolean(s, "noloss"))
        return "it brings a loss on class labels: set noloss=1";
    for (size_t i = 0; i < sizeof table / sizeof *table; ++i)
        if (strcmp(s->spec->name, table[i].name) == 0)
            return table[i].reason;
    return NULL;
}

/* Whether [sobolev] has refused it already, for it differentiates through it. */
static bool is_refused(const plugin_network *p, const graph_node *node)
{
    const section *where = config_section(plugin_config(p), "sobolev");
    objective_options o = where ? sobolev_read_options(where) : (objective_options){.order = 0};
    return o.order > 0 && node->index > o.wrt;
}

static status check_foreign(plugin_network *p, const graph_node *node)
{
    const char *reason = unfit_reason(node->where);
    char text[256];
    if (!reason || is_refused(p, node))
        return STATUS_OK;
    snprintf(text, sizeof text, "[%s] cannot be trained here: %s", node->where->name, reason);
    return refuse(p, node->where, text);
}

status training_check(plugin_network *p, data_source *data)
{
    const graph *g = plugin_graph(p);
    const section *net = &plugin_config(p)->sections[0];
    status_list found = {.first = STATUS_OK};
    bool has_loss = false;
    for (int i = 0; i < g->n_nodes; ++i) {
        const graph_node *node = &g->nodes[i];
        if (!node->type)
            status_collect(&found, check_foreign(p, node));
        has_loss |= node_is_loss(node) || (node->type && node->type->role == LAYER_OBJECTIVE);
    }
    if (!has_loss)
        status_collect(&found, refuse(p, g->nodes[g->n_nodes - 1].where, "the network has no loss: end it with [sobolev]"));
    status_collect(&found, graph_check_batch(g, (int)(option_integer(net, "batch") / option_integer(net, "subdivisions")), plugin_config(p)->path));
    if (data)
        status_collect(&found, training_data_open(data, p));
    if (data && found.first != STATUS_OK)
        data_source_free(data);
    return status_collected(&found);
}
