/* [local]: y = f(z), z = W x + b: a convolution whose weights are not shared: W [pixels of the output, filters, channels, size, size] and
 * b [filters, pixels of the output], one for each output. pad=1 lets the windows begin one pixel outside of the image, on the left and above.
 *
 * On jets, all components stacked as one batch of images (b only in component 0):
 *     z_S = W x_S              y = f(z) by the chain rule (core/activation_math.h)
 * Adjoint, zbar = adjoint of f at z:
 *     xbar_S = W^T zbar_S          Wbar += sum_S zbar_S (x) x_S        bbar += sum over samples of zbar_0
 *
 * Darknet draws the weights of the first pixel and leaves the others 0; here all are drawn alike. It forgets to multiply the room it needs for
 * patches by the size of a number: a layer without a larger convolution beside it writes outside. And with pad=1 its patches have the size of its
 * output only where size=3 or the stride makes up for it.
 *
 * saved: the jets z and zbar (layers/preactivation.h). */
#include <math.h>
#include <stdlib.h>

#include "layers/preactivation.h"

enum { BIASES, WEIGHTS }; /* in the order of a weights file */

static const option_spec local_keys[] = {
    {"filters", OPTION_INTEGER, "1", 1, 1e6, NULL, "output channels"},
    {"size", OPTION_INTEGER, "1", 1, 65536, NULL, "side of the kernel, pixels"},
    {"stride", OPTION_INTEGER, "1", 1, 65536, NULL, "step, pixels"},
    {"pad", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: one pixel of padding"},
    {"activation", OPTION_CHOICE, "logistic", 1, 0, activation_names, "activation function"},
    {0},
};

static const section_spec local_section = {
    .name = "local",
    .role = SECTION_LAYER,
    .stock = true,
    .options = local_keys,
    .meaning = "convolution with its own weights at every pixel",
};

typedef struct local_options {
    convolution_shape shape;
    preactivation after; /* z */
} local_options;

static const local_options *options_of(const graph_node *node)
{
    return node->options;
}

static status local_configure(graph_node *node)
{
    local_options *o = allocate_zeroed(1, sizeof *o);
    if (!o)
        return STATUS_NO_MEMORY;
    node->options = o;
    int filters = (int)option_integer(node->where, "filters"), size = (int)option_integer(node->where, "size");
    int stride = (int)option_integer(node->where, "stride"), pad = option_boolean(node->where, "pad");
    tensor_shape in = node->in;
    if (!pad && (in.height < size || in.width < size))
        return status_fail(STATUS_BAD_CONFIG, "a kernel of side %d does not fit into %d x %d pixels", size, in.height, in.width);
    int covered = pad ? 1 : size; /* of the image, by the last window at least */
    node->out = (tensor_shape){filters, (in.height - covered) / stride + 1, (in.width - covered) / stride + 1};
    double patch = (double)in.channels * size * size, outputs = (double)filters * node->out.height * node->out.width;
    if (patch * outputs > 1 << 30)
        return status_fail(STATUS_BAD_CONFIG, "%.0f outputs of %.0f numbers are too many weights", outputs, patch);
    *o = (local_options){{in, node->out, size, stride, pad, 1}, {.f = (activation)option_choice(node->where, "activation")}};
    node->parameters[BIASES] = (parameter){.name = "biases", .count = (size_t)outputs};
    node->parameters[WEIGHTS] = (parameter){.name = "weights", .count = (size_t)(patch * outputs), .decays = true, .initial_range = sqrt(2 / patch)};
    node->n_parameters = 2;
    return STATUS_OK;
}

static size_t local_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return preactivation_saved_count(&options_of(node)->after, node, batch, directions, order);
}

static void local_forward(const layer_pass *p)
{
    const local_options *o = options_of(p->node);
    const parameter *parameters = p->node->parameters;
    const jet *x = p->x;
    jet z = preactivation_z(p, &o->after);
    p->be->local_forward(&o->shape, jet_range_rows(x, p->range), parameters[WEIGHTS].value, jet_component(x, p->range.first),
                         jet_component(&z, p->range.first));
    if (range_has(p->range, 0))
        p->be->add_bias((size_t)z.batch, z.count, parameters[BIASES].value, z.data);
    preactivation_forward(p, &o->after);
}

/* On the scalar path zbar_0 = s zbar_1: Wbar += zbar_1 (x) (s x_0 + x_1), bbar += sum of s zbar_1. */
static void local_scalar_gradients(const layer_pass *p, const jet *adj_z)
{
    const parameter *parameters = p->node->parameters;
    const jet *x = p->x;
    int batch = x->batch, outputs = (int)adj_z->count;
    const real *delta = jet_component(adj_z, 1);
    p->be->scale_rows_add((size_t)batch, x->count, p->row_scale, x->data, jet_component(x, 1), p->scratch);
    p->be->local_backward_weights(&options_of(p->node)->shape, (size_t)batch, delta, p->scratch, parameters[WEIGHTS].gradient);
    p->be->gemm(false, false, 1, outputs, batch, 1, p->row_scale, batch, delta, outputs, 1, parameters[BIASES].gradient, outputs);
}

static void local_backward(const layer_pass *p)
{
    const local_options *o = options_of(p->node);
    const parameter *parameters = p->node->parameters;
    const jet *x = p->x;
    jet adj_z = preactivation_backward(p, &o->after), *adj_x = p->adj_x;
    if (adj_x->data)
        p->be->local_backward_data(&o->shape, jet_range_rows(x, p->range), parameters[WEIGHTS].value, jet_component(&adj_z, p->range.first),
                                   jet_component(adj_x, p->range.first), p->accumulate[0]);
    if (p->row_scale) {
        local_scalar_gradients(p, &adj_z);
    } else if (p->parameters) {
        p->be->local_backward_weights(&o->shape, jet_range_rows(x, jet_all(x->order)), adj_z.data, x->data, parameters[WEIGHTS].gradient);
        p->be->sum_rows((size_t)adj_z.batch, adj_z.count, adj_z.data, parameters[BIASES].gradient);
    }
}

static double local_row_cost(const graph_node *node)
{
    return 2. * (double)node->parameters[WEIGHTS].count;
}

static bool local_zero_curvature(const graph_node *node)
{
    return preactivation_zero_curvature(&options_of(node)->after);
}

static bool local_curved(const graph_node *node)
{
    return preactivation_curved(&options_of(node)->after);
}

const layer_type local_layer_type = {
    .spec = &local_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = local_configure,
    .saved_count = local_saved_count,
    .forward = local_forward,
    .backward = local_backward,
    .scalar_path = true,
    .row_cost = local_row_cost,
    .zero_curvature = local_zero_curvature,
    .curved = local_curved,
};
