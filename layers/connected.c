/* [connected]: y = f(z), z = W x + b, W of outputs x inputs, row-major; with batch_normalize=1 z = W x, and what follows is in batch_normalize.h.
 *
 * On jets, with every component stacked as rows (b only in component 0):
 *     z_S = x_S W^T            y = f(z) by the chain rule (core/activation_math.h)
 * Adjoint, zbar = adjoint of f at z:
 *     xbar_S = zbar_S W        Wbar += sum_S zbar_S^T x_S        bbar += sum over samples of zbar_0
 *
 * saved: the jets z and zbar (layers/preactivation.h). */
#include <math.h>
#include <stdlib.h>

#include "layers/preactivation.h"

enum { BIASES, WEIGHTS }; /* in the order of a weights file */

static const option_spec connected_keys[] = {
    {"output", OPTION_INTEGER, "1", 1, 1 << 24, NULL, "number of outputs"},
    {"activation", OPTION_CHOICE, "logistic", 1, 0, activation_names, "activation function"},
    BATCH_NORMALIZE_OPTION,
    {0},
};

static const section_spec connected_section = {
    .name = "connected",
    .alias = "conn",
    .role = SECTION_LAYER,
    .stock = true,
    .options = connected_keys,
    .meaning = "fully connected layer",
};

/* A node's options. */
static const preactivation *after(const graph_node *node)
{
    return node->options;
}

static status connected_configure(graph_node *node)
{
    preactivation *options = allocate_zeroed(1, sizeof *options);
    if (!options)
        return STATUS_NO_MEMORY;
    node->options = options;
    options->f = (activation)option_choice(node->where, "activation");
    size_t inputs = shape_count(node->in), outputs = (size_t)option_integer(node->where, "output");
    if (inputs * outputs > (size_t)1 << 30)
        return status_fail(STATUS_BAD_CONFIG, "%zu inputs times %zu outputs are too many weights", inputs, outputs);
    node->out = shape_vector((int)outputs);
    node->parameters[WEIGHTS] = (parameter){.name = "weights", .count = inputs * outputs, .decays = true, .initial_range = sqrt(2. / (double)inputs)};
    node->parameters[BIASES] = (parameter){.name = "biases", .count = outputs};
    node->n_parameters = 2;
    if (option_boolean(node->where, "batch_normalize"))
        options->normalize = batch_normalize_add(node, BIASES, outputs);
    return STATUS_OK;
}

static size_t connected_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return preactivation_saved_count(after(node), node, batch, directions, order);
}

static void connected_forward(const layer_pass *p)
{
    const parameter *parameters = p->node->parameters;
    const jet *x = p->x;
    if (!p->saved) {
        p->be->affine_forward(after(p->node)->f, x, parameters[WEIGHTS].value, parameters[BIASES].value, p->y, p->range);
        return;
    }
    jet z = preactivation_z(p, after(p->node));
    int rows = (int)jet_range_rows(x, p->range), inputs = (int)x->count, outputs = (int)z.count;
    p->be->gemm(false, true, rows, outputs, inputs, 1, jet_component(x, p->range.first), inputs, parameters[WEIGHTS].value, inputs, 0,
                jet_component(&z, p->range.first), outputs);
    if (range_has(p->range, 0) && !after(p->node)->normalize.on)
        p->be->add_bias((size_t)z.batch, z.count, parameters[BIASES].value, z.data);
    preactivation_forward(p, after(p->node));
}

/* On the scalar path zbar_0 = s zbar_1: Wbar += zbar_1^T (s x_0 + x_1), bbar += s^T zbar_1. */
static void connected_scalar_gradients(const layer_pass *p, const jet *adj_z)
{
    const jet *x = p->x;
    int batch = x->batch, inputs = (int)x->count, outputs = (int)adj_z->count;
    const real *delta = jet_component(adj_z, 1);
    p->be->scale_rows_add((size_t)batch, x->count, p->row_scale, x->data, jet_component(x, 1), p->scratch);
    p->be->gemm(true, false, outputs, inputs, batch, 1, delta, outputs, p->scratch, inputs, 1, p->node->parameters[WEIGHTS].gradient, inputs);
    p->be->gemm(false, false, 1, outputs, batch, 1, p->row_scale, batch, delta, outputs, 1, p->node->parameters[BIASES].gradient, outputs);
}

/* The layer above is m = <w, y> + c: the gradients of both, without component 1 of y. What the layer above left in its adjoint is delta, the
 * derivative by m. */
static void connected_pair_gradients(const layer_pass *p)
{
    const jet *x = p->x;
    const parameter *own = p->node->parameters, *above = p->above->parameters;
    const size_t batch = (size_t)x->batch;
    p->be->scale_rows_add(batch, x->count, p->row_scale, x->data, jet_component(x, 1), p->scratch);
    const affine_pair pair = {
        .f = after(p->node)->f,
        .rows = batch,
        .inputs = x->count,
        .outputs = p->y->count,
        .u = p->scratch,
        .y = p->y->data,
        .delta = p->above_delta,
        .s = p->row_scale,
        .weights = own[WEIGHTS].value,
        .biases = own[BIASES].value,
        .above = above[WEIGHTS].value,
        .weights_gradient = own[WEIGHTS].gradient,
        .biases_gradient = own[BIASES].gradient,
        .above_gradient = above[WEIGHTS].gradient,
    };
    p->be->affine_pair_gradients(&pair);
    above[BIASES].gradient[0] += (real)p->be->dot(batch, p->row_scale, p->above_delta);
}

static void connected_backward(const layer_pass *p)
{
    const jet *x = p->x;
    jet adj_z = preactivation_backward(p, after(p->node)), *adj_x = p->adj_x;
    int inputs = (int)x->count, outputs = (int)adj_z.count;
    if (adj_x->data) {
        int rows = (int)jet_range_rows(x, p->range);
        p->be->gemm(false, false, rows, inputs, outputs, 1, jet_component(&adj_z, p->range.first), outputs,
                    p->node->parameters[WEIGHTS].value, inputs, p->accumulate[0], jet_component(adj_x, p->range.first), inputs);
    }
    if (p->above) {
        connected_pair_gradients(p);
    } else if (p->row_scale) {
        connected_scalar_gradients(p, &adj_z);
    } else if (p->parameters) {
        int rows = (int)jet_range_rows(x, jet_all(x->order));
        p->be->gemm(true, false, outputs, inputs, rows, 1, adj_z.data, outputs, x->data, inputs, 1, p->node->parameters[WEIGHTS].gradient, inputs);
        if (!after(p->node)->normalize.on)
            p->be->sum_rows((size_t)adj_z.batch, adj_z.count, adj_z.data, p->node->parameters[BIASES].gradient);
    }
}

static double connected_row_cost(const graph_node *node)
{
    return 2. * (double)shape_count(node->in) * (double)shape_count(node->out);
}

static int connected_least_batch(const graph_node *node)
{
    return preactivation_least_batch(after(node), node);
}

static bool connected_zero_curvature(const graph_node *node)
{
    return preactivation_zero_curvature(after(node));
}

static bool connected_curved(const graph_node *node)
{
    return preactivation_curved(after(node));
}

static bool connected_scalar_pair(const graph_node *node, const graph_node *above)
{
    bool one_output = above->type == node->type && shape_count(above->out) == 1 && after(above)->f == ACTIVATION_LINEAR;
    return one_output && activation_keeps_sign(after(node)->f);
}

const layer_type connected_layer_type = {
    .spec = &connected_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = connected_configure,
    .least_batch = connected_least_batch,
    .saved_count = connected_saved_count,
    .forward = connected_forward,
    .backward = connected_backward,
    .fully_connected = true,
    .scalar_path = true,
    .scalar_pair = connected_scalar_pair,
    .row_cost = connected_row_cost,
    .zero_curvature = connected_zero_curvature,
    .curved = connected_curved,
};
