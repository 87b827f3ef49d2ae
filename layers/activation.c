/* [activation]: y = f(x), element by element; jets and adjoint as in core/activation_math.h. */
#include <stdlib.h>

#include "layers/layer.h"

static const option_spec activation_keys[] = {
    {"activation", OPTION_CHOICE, "linear", 1, 0, activation_names, "activation function"},
    {0},
};

static const section_spec activation_section = {
    .name = "activation",
    .role = SECTION_LAYER,
    .stock = true,
    .options = activation_keys,
    .meaning = "an activation function on its own",
};

static activation activation_kind(const graph_node *node)
{
    return *(const activation *)node->options;
}

static status activation_configure(graph_node *node)
{
    activation *kind = allocate_zeroed(1, sizeof *kind);
    if (!kind)
        return STATUS_NO_MEMORY;
    *kind = (activation)option_choice(node->where, "activation");
    node->options = kind;
    node->out = node->in;
    return STATUS_OK;
}

static void activation_layer_forward(const layer_pass *p)
{
    p->be->activation_forward(activation_kind(p->node), p->x, p->y, p->range);
}

static void activation_layer_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        p->be->activation_backward(activation_kind(p->node), p->x, p->adj_y, p->adj_x, p->range, p->accumulate[0]);
}

static bool activation_zero_curvature(const graph_node *node)
{
    activation a = activation_kind(node);
    return a != ACTIVATION_LINEAR && activation_table[a].piecewise_linear;
}

static bool activation_curved(const graph_node *node)
{
    return !activation_table[activation_kind(node)].piecewise_linear;
}

const layer_type activation_layer_type = {
    .spec = &activation_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = activation_configure,
    .choose_blocks = layer_follow_blocks,
    .forward = activation_layer_forward,
    .backward = activation_layer_backward,
    .scalar_path = true,
    .zero_curvature = activation_zero_curvature,
    .curved = activation_curved,
};
