/* [deconvolutional]: y = f(z), z = W^T * x + b: the adjoint of the convolution W [in channels, filters, size, size] that maps images of
 * `filters` channels and (h - 1) stride + size - 2 pad pixels a side to images like x.
 *
 * Linear in x, so that on jets, all components stacked as one batch of images (b only in component 0):
 *     z_S = W^T * x_S          y = f(z) by the chain rule (core/activation_math.h)
 * Adjoint, zbar = adjoint of f at z:
 *     xbar_S = W * zbar_S      Wbar += sum_S x_S (x) zbar_S        bbar += sum over samples and pixels of zbar_0
 *
 * With batch_normalize=1 there is no b in z, and what follows is in batch_normalize.h.
 *
 * saved: the jets z and zbar (layers/preactivation.h). */
#include <stdlib.h>

#include "layers/preactivation.h"

enum { BIASES }; /* in a weights file the first; the weights are the last */

static const option_spec deconvolutional_keys[] = {
    {"filters", OPTION_INTEGER, "1", 1, 1e6, NULL, "output channels"},
    {"size", OPTION_INTEGER, "1", 1, 65536, NULL, "side of the kernel, pixels"},
    {"stride", OPTION_INTEGER, "1", 1, 65536, NULL, "step in the output, pixels"},
    {"pad", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: cut off size / 2 at each side of the output"},
    {"padding", OPTION_INTEGER, "0", 0, 65536, NULL, "cut off so many pixels at each side of the output"},
    {"activation", OPTION_CHOICE, "logistic", 1, 0, activation_names, "activation function"},
    BATCH_NORMALIZE_OPTION,
    {0},
};

static const section_spec deconvolutional_section = {
    .name = "deconvolutional",
    .alias = "deconv",
    .role = SECTION_LAYER,
    .stock = true,
    .options = deconvolutional_keys,
    .meaning = "transposed convolution",
};

typedef struct deconvolutional_options {
    convolution_shape shape; /* from y to x */
    preactivation after; /* z */
    int weights; /* where among the parameters */
} deconvolutional_options;

static const deconvolutional_options *options_of(const graph_node *node)
{
    return node->options;
}

static parameter weights_of(const graph_node *node)
{
    return node->parameters[options_of(node)->weights];
}

static status deconvolutional_configure(graph_node *node)
{
    deconvolutional_options *options = allocate_zeroed(1, sizeof *options);
    if (!options)
        return STATUS_NO_MEMORY;
    node->options = options;
    options->after.f = (activation)option_choice(node->where, "activation");
    int filters = (int)option_integer(node->where, "filters");
    int size = (int)option_integer(node->where, "size"), stride = (int)option_integer(node->where, "stride");
    int pad = option_boolean(node->where, "pad") ? size / 2 : (int)option_integer(node->where, "padding");
    tensor_shape in = node->in;
    double height = (in.height - 1.) * stride + size - 2. * pad, width = (in.width - 1.) * stride + size - 2. * pad;
    if (height < 1 || width < 1)
        return status_fail(STATUS_BAD_CONFIG, "padding %d cuts off all of the %.0f x %.0f pixels", pad, height + 2. * pad, width + 2. * pad);
    if (height * width > 1 << 28)
        return status_fail(STATUS_BAD_CONFIG, "%.0f x %.0f pixels are too large an output", height, width);
    double count = (double)in.channels * filters * size * size;
    if (count > 1 << 30)
        return status_fail(STATUS_BAD_CONFIG, "%d filters of %d x %d x %d numbers are too many weights", filters, in.channels, size, size);
    node->out = (tensor_shape){filters, (int)height, (int)width};
    options->shape = (convolution_shape){node->out, in, size, stride, pad, 1};
    node->parameters[BIASES] = (parameter){.name = "biases", .count = (size_t)filters};
    /* Darknet's deviation: the more pixels the output has, the larger. */
    double deviation = .02 * height * width / (in.height * (double)in.width);
    node->n_parameters = 1;
    if (option_boolean(node->where, "batch_normalize"))
        options->after.normalize = batch_normalize_add(node, BIASES, (size_t)filters);
    options->weights = node->n_parameters++;
    node->parameters[options->weights] = (parameter){.name = "weights", .count = (size_t)count, .decays = true, .initial_deviation = deviation};
    return STATUS_OK;
}

static convolution_shape deconvolutional_convolution(const graph_node *node, bool *transposed)
{
    *transposed = true;
    return options_of(node)->shape;
}

static void deconvolutional_choose_blocks(graph_node *node, const backend *be)
{
    be->convolution_blocks(&options_of(node)->shape, &node->out_block, &node->in_block[0]);
    if (node->plain_output)
        node->out_block = 1;
}

static size_t deconvolutional_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return preactivation_saved_count(&options_of(node)->after, node, batch, directions, order);
}

static void deconvolutional_forward(const layer_pass *p)
{
    const preactivation *after = &options_of(p->node)->after;
    const jet *x = p->x;
    jet z = preactivation_z(p, after);
    if (range_has(p->range, 0))
        p->be->convolution_load(p->convolution, weights_of(p->node).value);
    p->be->convolution_backward_data(p->convolution, jet_range_rows(x, p->range), jet_component(x, p->range.first), jet_component(&z, p->range.first),
                                     false);
    if (range_has(p->range, 0) && !after->normalize.on)
        p->be->add_channel_bias((size_t)z.batch, node_out_layout(p->node), p->node->parameters[BIASES].value, z.data);
    preactivation_forward(p, after);
}

/* On the scalar path zbar_0 = s zbar_1: Wbar += (s x_0 + x_1) (x) zbar_1, bbar += sums of s zbar_1. */
static void deconvolutional_scalar_gradients(const layer_pass *p, const jet *adj_z)
{
    const jet *x = p->x;
    int batch = x->batch, outputs = (int)adj_z->count;
    const real *delta = jet_component(adj_z, 1);
    p->be->scale_rows_add((size_t)batch, x->count, p->row_scale, x->data, jet_component(x, 1), p->scratch);
    p->be->convolution_backward_weights(p->convolution, (size_t)batch, p->scratch, delta, weights_of(p->node).gradient);
    p->be->gemm(false, false, 1, outputs, batch, 1, p->row_scale, batch, delta, outputs, 0, p->scratch, outputs);
    p->be->sum_channels(1, node_out_layout(p->node), p->scratch, p->node->parameters[BIASES].gradient);
}

static void deconvolutional_backward(const layer_pass *p)
{
    const preactivation *after = &options_of(p->node)->after;
    const jet *x = p->x;
    jet adj_z = preactivation_backward(p, after), *adj_x = p->adj_x;
    if (adj_x->data) {
        size_t rows = jet_range_rows(x, p->range);
        const real *from = jet_component(&adj_z, p->range.first);
        real *to = jet_component(adj_x, p->range.first);
        if (p->accumulate[0])
            p->be->convolution_forward_add(p->convolution, rows, from, to);
        else
            p->be->convolution_forward(p->convolution, rows, from, NULL, ACTIVATION_LINEAR, to);
    }
    if (p->row_scale) {
        deconvolutional_scalar_gradients(p, &adj_z);
    } else if (p->parameters) {
        p->be->convolution_backward_weights(p->convolution, jet_range_rows(x, jet_all(x->order)), x->data, adj_z.data, weights_of(p->node).gradient);
        if (!after->normalize.on)
            p->be->sum_channels((size_t)adj_z.batch, node_out_layout(p->node), adj_z.data, p->node->parameters[BIASES].gradient);
    }
}

static double deconvolutional_row_cost(const graph_node *node)
{
    return 2. * (double)weights_of(node).count * node->in.height * node->in.width;
}

static int deconvolutional_least_batch(const graph_node *node)
{
    return preactivation_least_batch(&options_of(node)->after, node);
}

static bool deconvolutional_zero_curvature(const graph_node *node)
{
    return preactivation_zero_curvature(&options_of(node)->after);
}

static bool deconvolutional_curved(const graph_node *node)
{
    return preactivation_curved(&options_of(node)->after);
}

const layer_type deconvolutional_layer_type = {
    .spec = &deconvolutional_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = deconvolutional_configure,
    .choose_blocks = deconvolutional_choose_blocks,
    .convolution = deconvolutional_convolution,
    .least_batch = deconvolutional_least_batch,
    .saved_count = deconvolutional_saved_count,
    .forward = deconvolutional_forward,
    .backward = deconvolutional_backward,
    .scalar_path = true,
    .row_cost = deconvolutional_row_cost,
    .zero_curvature = deconvolutional_zero_curvature,
    .curved = deconvolutional_curved,
};
