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

/* Before there is a network of Darknet's. */
static int minibatch_of(const config *c)
{
    return (int)(option_integer(&c->sections[0], "batch") / option_integer(&c->sections[0], "subdivisions"));
}

/* [data] mirror= and what [sobolev] wants of it. */
static status check_mirror(plugin_network *p)
{
    const config *c = plugin_config(p);
    const section *data = config_section(c, "data");
    const section *where = config_section(c, "sobolev"); /* when it is wrong there is no objective */
    const label_layout *labels = plugin_labels(p);
    bool mirror = data && option_boolean(data, "mirror"), flip = where && sobolev_read_options(where).order > 0 && option_choice(where, "target") == TARGET_FLIP;
    bool image = plugin_graph(p)->input.width > 1;
    if (flip && data && !mirror && image)
        return option_fail(data, c->path, "mirror", "[sobolev] target=flip compares images with their mirror images: it needs [data] mirror=1");
    if (!mirror)
        return STATUS_OK;
    if (!image)
        return option_fail(data, c->path, "mirror", "mirror=1 needs images: [net] with height, width and channels");
    if (minibatch_of(c) % 2 && !flip) /* which says so itself */
        return option_fail(data, c->path, "mirror", "mirror=1 fills half of a minibatch with mirror images: batch / subdivisions must be even");
    if (labels && (labels->order > 0 || labels->directions > 0))
        return option_fail(data, c->path, "mirror", "mirror=1 cannot mirror labels of derivatives: [sobolev] must have target=zero, flip or teacher, or order=0");
    return STATUS_OK;
}

/* What acts on images as they are, and not on pixels that were scaled one by one. */
static status check_image_units(plugin_network *p)
{
    const config *c = plugin_config(p);
    const section *data = config_section(c, "data");
    const objective_options *o = plugin_objective(p);
    if (!data || option_choice(data, "normalise") == 0)
        return STATUS_OK;
    if (option_boolean(data, "mirror"))
        return option_fail(data, c->path, "normalise", "normalise= scales every pixel for itself: it cannot stand beside mirror=1");
    if (o && o->order > 0 && o->n_tangents > 0)
        return option_fail(data, c->path, "normalise", "normalise= scales every pixel for itself: it cannot stand beside [sobolev] tangents=");
    return STATUS_OK;
}

status training_check(plugin_network *p, data_source *data)
{
    const graph *g = plugin_graph(p);
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
    status_collect(&found, graph_check_batch(g, minibatch_of(plugin_config(p)), plugin_config(p)->path));
    status_collect(&found, check_mirror(p));
    status_collect(&found, check_image_units(p));
    if (data)
        status_collect(&found, training_data_open(data, p));
    if (data && found.first != STATUS_OK)
        data_source_free(data);
    return status_collected(&found);
}
