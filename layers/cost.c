/* [cost]: Darknet's loss between the network's output x and the labels t, e = x - t over a sample's elements:
 *
 *     sse, seg, wgan   cost = sum e^2                              dL/dx = scale e
 *     L1               cost = sum |e|                              dL/dx = scale sign(e), and 0 where e = 0 (Darknet: scale)
 *     smooth           cost = sum of e^2 (|e| < 1) or 2|e| - 1     dL/dx = scale clamp(e, -1, 1)
 *     masked           as sse, with e = 0 where t = -1234 (Darknet's SECRET_NUM)
 *
 * The printed cost is Darknet's; its gradient is, as in Darknet, half of the derivative of the cost for sse and smooth.
 * Darknet's own smooth has the wrong sign outside |e| < 1; here it is put right. seg and wgan are sse on Darknet's CPU.
 *
 * saved: the labels in use (batch * count), then the gradient (batch * count). */
#include "layers/layer.h"

#include <stdlib.h>

static const char *const cost_types[] = {"sse", "masked", "smooth", "L1", "seg", "wgan", NULL};
enum { COST_SSE, COST_MASKED, COST_SMOOTH, COST_L1, COST_SEG, COST_WGAN };

static const real secret_number = -1234;

static const option_spec cost_keys[] = {
    {"type", OPTION_CHOICE, "sse", 1, 0, cost_types, "kind of loss"},
    {"scale", OPTION_REAL, "1", -1e6, 1e6, NULL, "factor of the gradient"},
    {"ratio", OPTION_REAL, "0", 0, 1, NULL, "used by Darknet on the GPU only"},
    {"noobj", OPTION_REAL, "1", -1e6, 1e6, NULL, "used by Darknet on the GPU only"},
    {"thresh", OPTION_REAL, "0", -1e6, 1e6, NULL, "used by Darknet on the GPU only"},
    {0},
};

static const section_spec cost_section = {
    .name = "cost",
    .role = SECTION_LAYER,
    .stock = true,
    .options = cost_keys,
    .meaning = "Darknet's loss layer",
};

typedef struct cost_options {
    int type;
    double scale;
} cost_options;

static status cost_configure(graph_node *node)
{
    cost_options *options = allocate_zeroed(1, sizeof *options);
    if (!options)
        return STATUS_NO_MEMORY;
    options->type = option_choice(node->where, "type");
    options->scale = option_real(node->where, "scale");
    node->options = options;
    node->out = node->in;
    return STATUS_OK;
}

static size_t cost_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return 2 * (size_t)batch * shape_count(node->in);
}

/* The loss whose gradient is `cost_gradient_factor` times Darknet's. */
static loss_function cost_loss(int type)
{
    switch (type) {
    case COST_L1:
        return (loss_function){.kind = LOSS_L1, .parameter = 0};
    case COST_SMOOTH:
        return (loss_function){.kind = LOSS_HUBER, .parameter = 1};
    default:
        return (loss_function){.kind = LOSS_L2, .parameter = 0};
    }
}

static bool is_squared(int type)
{
    return type != COST_L1 && type != COST_SMOOTH;
}

static void cost_forward(const layer_pass *p)
{
    const cost_options *options = p->node->options;
    if (!p->truth)
        return;
    size_t rows = (size_t)p->x->batch, elements = rows * p->x->count;
    real *labels = p->saved, *gradient = p->saved + elements;
    if (options->type == COST_MASKED)
        p->be->replace(elements, p->truth, secret_number, p->x->data, labels);
    else
        p->be->copy(elements, p->truth, labels);
    double cost = p->be->loss(cost_loss(options->type), rows, p->x->count, p->x->data, labels, 1, gradient);
    *p->cost += options->type == COST_SMOOTH ? 2 * cost : cost;
}

static void cost_backward(const layer_pass *p)
{
    const cost_options *options = p->node->options;
    size_t elements = (size_t)p->x->batch * p->x->count;
    real factor = (real)(options->scale * (is_squared(options->type) ? .5 : 1));
    if (p->adj_x->data)
        p->be->axpby(elements, factor, p->saved + elements, p->accumulate[0], p->adj_x->data);
}

const layer_type cost_layer_type = {
    .spec = &cost_section,
    .role = LAYER_LOSS,
    .max_order = 0,
    .order_limit = "it is a loss: use [sobolev] for losses on derivatives",
    .configure = cost_configure,
    .saved_count = cost_saved_count,
    .forward = cost_forward,
    .backward = cost_backward,
};
