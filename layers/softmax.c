/* [softmax]: p = exp(x / T) / sum exp(x / T) over each of `groups` equal parts of a sample.
 *
 * On jets, with <u> = sum p u over a group, k_S = x_S - <x_S> and the Jacobian's product C(w) = p (w - <w>):
 *     y_0 = p        y_1 = C(x_1) / T        y_2 = C(x_2) / T        y_12 = C(x_12 + k_1 k_2 / T) / T
 * Adjoint, with g_S = ybar_S - <ybar_S>:
 *     xbar_12 = C(ybar_12) / T        xbar_1 = C(ybar_1 + g_12 k_2 / T) / T        xbar_2 = C(ybar_2 + g_12 k_1 / T) / T
 *     xbar_0: backend/ref/softmax.c
 * Unless noloss=1 it is also Darknet's loss (label_loss.h). T does not count there: Darknet leaves it out of its gradient. In Darknet
 * ybar passes unchanged without the loss, too; here the adjoint is then the true one.
 *
 * Darknet's output has no image shape: a vector. With tree= (hierarchical softmax) the layer stays Darknet's own.
 *
 * saved: label_loss.h. */
#include <stdlib.h>

#include "layers/label_loss.h"

static const option_spec softmax_keys[] = {
    {"groups", OPTION_INTEGER, "1", 1, 1e6, NULL, "groups of inputs, each with its own softmax"},
    {"temperature", OPTION_REAL, "1", 1e-6, 1e6, NULL, "divisor of the inputs"},
    {"spatial", OPTION_BOOLEAN, "0", 0, 1, NULL, "used by Darknet on the GPU only"},
    {"noloss", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: no cross-entropy loss"},
    {"tree", OPTION_TEXT, "", 1, 0, NULL, "file with the class hierarchy; the layer then stays Darknet's own and cannot be differentiated"},
    {0},
};

static const section_spec softmax_section = {
    .name = "softmax",
    .alias = "soft",
    .role = SECTION_LAYER,
    .stock = true,
    .options = softmax_keys,
    .meaning = "softmax and its cross-entropy loss",
};

typedef struct softmax_options {
    int groups;
    real temperature;
    bool loss;
} softmax_options;

static const softmax_options *options_of(const graph_node *node)
{
    return node->options;
}

static bool softmax_takes(const section *where)
{
    return !option_given(where, "tree");
}

static status softmax_configure(graph_node *node)
{
    softmax_options *options = allocate_zeroed(1, sizeof *options);
    if (!options)
        return STATUS_NO_MEMORY;
    node->options = options;
    options->groups = (int)option_integer(node->where, "groups");
    options->temperature = (real)option_real(node->where, "temperature");
    options->loss = !option_boolean(node->where, "noloss");
    size_t count = shape_count(node->in);
    if (count % (size_t)options->groups)
        return status_fail(STATUS_BAD_CONFIG, "groups=%d does not divide the %zu inputs", options->groups, count);
    node->out = shape_vector((int)count);
    return STATUS_OK;
}

static bool softmax_has_loss(const graph_node *node)
{
    return options_of(node)->loss;
}

static size_t softmax_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return softmax_has_loss(node) ? label_loss_saved_count(node, batch) : 0;
}

static bool is_loss(const layer_pass *p)
{
    return p->truth && softmax_has_loss(p->node);
}

static void softmax_layer_forward(const layer_pass *p)
{
    const softmax_options *options = options_of(p->node);
    p->be->softmax_forward(options->groups, options->temperature, p->x, p->y, p->range);
    if (is_loss(p))
        label_loss_forward(p, false);
}

static void softmax_layer_backward(const layer_pass *p)
{
    const softmax_options *options = options_of(p->node);
    if (is_loss(p))
        label_loss_backward(p);
    else if (p->adj_x->data)
        p->be->softmax_backward(options->groups, options->temperature, p->x, p->y->data, p->adj_y, p->adj_x, p->range, p->accumulate[0]);
}

static bool softmax_curved(const graph_node *node)
{
    return true;
}

const layer_type softmax_layer_type = {
    .spec = &softmax_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .takes = softmax_takes,
    .stays_with = "tree=",
    .stays = "it is many softmaxes, one for each set of sisters in a tree",
    .configure = softmax_configure,
    .saved_count = softmax_saved_count,
    .forward = softmax_layer_forward,
    .backward = softmax_layer_backward,
    .has_loss = softmax_has_loss,
    .curved = softmax_curved,
};
