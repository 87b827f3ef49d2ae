/* [convolutional]: y = f(z), z = W * x + b: cross-correlation of images with W [filters, channels / groups, size, size], stride and padding.
 *
 * Linear in x, so that on jets, all components stacked as one batch of images (b only in component 0):
 *     z_S = W * x_S            y = f(z) by the chain rule (core/activation_math.h)
 * Adjoint, zbar = adjoint of f at z:
 *     xbar_S = W^T * zbar_S        Wbar += sum_S zbar_S (x) x_S        bbar += sum over samples and pixels of zbar_0
 *
 * With batch_normalize=1 there is no b in z, and what follows is in batch_normalize.h. A prediction then folds the normalisation into W and b, where
 * that is less work than to apply it to the output.
 *
 * saved: the jets z and zbar (layers/preactivation.h). */
#include <math.h>
#include <stdlib.h>

#include "layers/preactivation.h"

enum { BIASES }; /* in a weights file the first; the weights are the last */

static const option_spec convolutional_keys[] = {
    {"filters", OPTION_INTEGER, "1", 1, 1e6, NULL, "output channels"},
    {"size", OPTION_INTEGER, "1", 1, 65536, NULL, "side of the kernel, pixels"},
    {"stride", OPTION_INTEGER, "1", 1, 65536, NULL, "step, pixels"},
    {"pad", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: pad by size / 2"},
    {"padding", OPTION_INTEGER, "0", 0, 65536, NULL, "padding, pixels"},
    {"groups", OPTION_INTEGER, "1", 1, 1e6, NULL, "groups of channels that do not mix"},
    {"activation", OPTION_CHOICE, "logistic", 1, 0, activation_names, "activation function"},
    BATCH_NORMALIZE_OPTION,
    {"binary", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: binary weights; the layer then stays Darknet's own"},
    {"xnor", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: binary weights and inputs; the layer then stays Darknet's own"},
    {"flipped", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: the weights file stores the kernels transposed"},
    {"dot", OPTION_REAL, "0", 0, 1e6, NULL, "penalty on similar filters (GPU only)"},
    {0},
};

static const section_spec convolutional_section = {
    .name = "convolutional",
    .alias = "conv",
    .role = SECTION_LAYER,
    .stock = true,
    .options = convolutional_keys,
    .meaning = "convolution",
};

typedef struct convolutional_options {
    convolution_shape shape;
    preactivation after; /* z */
    int weights; /* where among the parameters */
    size_t patch; /* weights of one filter */
} convolutional_options;

static const convolutional_options *options_of(const graph_node *node)
{
    return node->options;
}

static parameter weights_of(const graph_node *node)
{
    return node->parameters[options_of(node)->weights];
}

static bool convolutional_takes(const section *where)
{
    return !option_boolean(where, "binary") && !option_boolean(where, "xnor");
}

static status convolutional_configure(graph_node *node)
{
    convolutional_options *options = allocate_zeroed(1, sizeof *options);
    if (!options)
        return STATUS_NO_MEMORY;
    node->options = options;
    options->after.f = (activation)option_choice(node->where, "activation");
    int filters = (int)option_integer(node->where, "filters"), groups = (int)option_integer(node->where, "groups");
    int size = (int)option_integer(node->where, "size"), stride = (int)option_integer(node->where, "stride");
    int pad = option_boolean(node->where, "pad") ? size / 2 : (int)option_integer(node->where, "padding");
    tensor_shape in = node->in;
    if (in.channels % groups || filters % groups)
        return status_fail(STATUS_BAD_CONFIG, "groups=%d divides not both the %d input channels and the %d filters", groups, in.channels, filters);
    if (in.height + 2 * pad < size || in.width + 2 * pad < size)
        return status_fail(STATUS_BAD_CONFIG, "a kernel of side %d does not fit into %d x %d pixels padded by %d", size, in.height, in.width, pad);
    node->out = (tensor_shape){filters, (in.height + 2 * pad - size) / stride + 1, (in.width + 2 * pad - size) / stride + 1};
    options->shape = (convolution_shape){in, node->out, size, stride, pad, groups};
    double patch = (double)(in.channels / groups) * size * size;
    if (patch * filters > 1 << 30)
        return status_fail(STATUS_BAD_CONFIG, "%d filters of %.0f numbers are too many weights", filters, patch);
    node->parameters[BIASES] = (parameter){.name = "biases", .count = (size_t)filters};
    node->n_parameters = 1;
    if (option_boolean(node->where, "batch_normalize"))
        options->after.normalize = batch_normalize_add(node, BIASES, (size_t)filters);
    options->weights = node->n_parameters++;
    options->patch = (size_t)patch;
    node->parameters[options->weights] =
        (parameter){.name = "weights", .count = (size_t)patch * (size_t)filters, .decays = true, .initial_deviation = sqrt(2 / patch)};
    return STATUS_OK;
}

static convolution_shape convolutional_convolution(const graph_node *node, bool *transposed)
{
    return options_of(node)->shape;
}

static void convolutional_choose_blocks(graph_node *node, const backend *be)
{
    be->convolution_blocks(&options_of(node)->shape, &node->in_block[0], &node->out_block);
    if (node->plain_output)
        node->out_block = 1;
}

static size_t convolutional_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return preactivation_saved_count(&options_of(node)->after, node, batch, directions, order);
}

/* biases NULL: none; f is applied to values only. */
static void convolve(const layer_pass *p, const real *weights, const real *biases, activation f, const jet *y)
{
    if (range_has(p->range, 0))
        p->be->convolution_load(p->convolution, weights);
    p->be->convolution_forward(p->convolution, jet_range_rows(p->x, p->range), jet_component(p->x, p->range.first), biases, f,
                               jet_component(y, p->range.first));
}

/* y_S = f'(y_0) (W * x_S), without y_0; f keeps the sign of z. */
static void forward_tangents(const layer_pass *p)
{
    p->be->convolution_forward_slopes(p->convolution, jet_range_rows(p->x, p->range), jet_component(p->x, p->range.first), options_of(p->node)->after.f,
                                      (size_t)p->y->batch, p->y->data, jet_component(p->y, p->range.first));
}

static void forward_plain(const layer_pass *p)
{
    const convolutional_options *o = options_of(p->node);
    if (!range_has(p->range, 0) && !p->saved) {
        forward_tangents(p);
        return;
    }
    const real *biases = p->node->parameters[BIASES].value;
    jet z = preactivation_z(p, &o->after);
    const bool values_alone = p->range.last == 1, in_one = values_alone && !p->saved;
    convolve(p, weights_of(p->node).value, values_alone ? biases : NULL, in_one ? o->after.f : ACTIVATION_LINEAR, &z);
    if (range_has(p->range, 0) && !values_alone)
        p->be->add_channel_bias((size_t)z.batch, node_out_layout(p->node), biases, z.data);
    if (!in_one)
        preactivation_forward(p, &o->after);
}

static void forward_normalised(const layer_pass *p)
{
    const preactivation *after = &options_of(p->node)->after;
    jet z = preactivation_z(p, after);
    convolve(p, weights_of(p->node).value, NULL, ACTIVATION_LINEAR, &z);
    preactivation_forward(p, after);
}

/* Where a filter has at most as many weights as pixels. */
static bool folds(const layer_pass *p)
{
    const convolutional_options *o = options_of(p->node);
    return !p->training && p->y->order == 0 && o->patch <= (size_t)p->node->out.height * (size_t)p->node->out.width;
}

/* The folded weights and biases lie where z lies otherwise, and fit. */
static void forward_folded(const layer_pass *p)
{
    const convolutional_options *o = options_of(p->node);
    const parameter weights = weights_of(p->node);
    const activation f = activation_table[o->after.f].piecewise_linear ? o->after.f : ACTIVATION_LINEAR;
    batch_normalize_fold(p, &o->after.normalize, o->patch, weights.value, p->saved, p->saved + weights.count);
    convolve(p, p->saved, p->saved + weights.count, f, p->y);
    if (f != o->after.f)
        p->be->activation_forward(o->after.f, p->y, p->y, p->range);
}

static void convolutional_forward(const layer_pass *p)
{
    if (!options_of(p->node)->after.normalize.on)
        forward_plain(p);
    else if (folds(p))
        forward_folded(p);
    else
        forward_normalised(p);
}

/* On the scalar path zbar_0 = s zbar_1: Wbar += zbar_1 (x) (s x_0 + x_1), bbar += sums of s zbar_1. */
static void convolutional_scalar_gradients(const layer_pass *p, const jet *adj_z)
{
    const jet *x = p->x;
    int batch = x->batch, outputs = (int)adj_z->count;
    const real *delta = jet_component(adj_z, 1);
    p->be->scale_rows_add((size_t)batch, x->count, p->row_scale, x->data, jet_component(x, 1), p->scratch);
    p->be->convolution_backward_weights(p->convolution, (size_t)batch, delta, p->scratch, weights_of(p->node).gradient);
    p->be->gemm(false, false, 1, outputs, batch, 1, p->row_scale, batch, delta, outputs, 0, p->scratch, outputs);
    p->be->sum_channels(1, node_out_layout(p->node), p->scratch, p->node->parameters[BIASES].gradient);
}

static void convolutional_backward(const layer_pass *p)
{
    const convolutional_options *o = options_of(p->node);
    const jet *x = p->x;
    const bool normalised = o->after.normalize.on;
    if (normalised && folds(p))
        forward_normalised(p); /* z is not there */
    jet adj_z = preactivation_backward(p, &o->after), *adj_x = p->adj_x;
    if (adj_x->data)
        p->be->convolution_backward_data(p->convolution, jet_range_rows(x, p->range), jet_component(&adj_z, p->range.first),
                                         jet_component(adj_x, p->range.first), p->accumulate[0]);
    if (p->row_scale) {
        convolutional_scalar_gradients(p, &adj_z);
    } else if (p->parameters) {
        p->be->convolution_backward_weights(p->convolution, jet_range_rows(x, jet_all(x->order)), adj_z.data, x->data, weights_of(p->node).gradient);
        if (!normalised)
            p->be->sum_channels((size_t)adj_z.batch, node_out_layout(p->node), adj_z.data, p->node->parameters[BIASES].gradient);
    }
}

static double convolutional_row_cost(const graph_node *node)
{
    return 2. * (double)weights_of(node).count * node->out.height * node->out.width;
}

static int convolutional_least_batch(const graph_node *node)
{
    return preactivation_least_batch(&options_of(node)->after, node);
}

static bool convolutional_zero_curvature(const graph_node *node)
{
    return preactivation_zero_curvature(&options_of(node)->after);
}

static bool convolutional_curved(const graph_node *node)
{
    return preactivation_curved(&options_of(node)->after);
}

const layer_type convolutional_layer_type = {
    .spec = &convolutional_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .takes = convolutional_takes,
    .stays_with = "binary=1 or xnor=1",
    .stays = "weights of two values have no derivative",
    .configure = convolutional_configure,
    .choose_blocks = convolutional_choose_blocks,
    .convolution = convolutional_convolution,
    .least_batch = convolutional_least_batch,
    .saved_count = convolutional_saved_count,
    .forward = convolutional_forward,
    .backward = convolutional_backward,
    .scalar_path = true,
    .row_cost = convolutional_row_cost,
    .zero_curvature = convolutional_zero_curvature,
    .curved = convolutional_curved,
};
