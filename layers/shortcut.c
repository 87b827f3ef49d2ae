/* [shortcut]: y = f(z), z = alpha x + beta a: x from the layer below, a from an earlier one.
 *
 * Images a of another size are added where Darknet adds them: to every sample-th pixel of z, from every stride-th pixel of a, with stride the whole
 * number of times that a is as wide as x, sample the other way round (at least 1), as far as both have pixels and channels. Elsewhere z = x.
 *
 * On jets z is linear, and y follows by the chain rule (core/activation_math.h). Adjoint, zbar = adjoint of f at z:
 *     xbar_S = alpha zbar_S        abar_S = beta zbar_S
 * and xbar_S = zbar_S where nothing is added. (Darknet takes alpha zbar there too, which is no derivative.)
 *
 * saved: the jets z and zbar (layers/preactivation.h). */
#include <stdlib.h>

#include "layers/preactivation.h"

static const option_spec shortcut_keys[] = {
    {"from", OPTION_INTEGER, NULL, -1e6, 1e6, NULL, "layer to add: a number from 0, or negative: from here"},
    {"activation", OPTION_CHOICE, "linear", 1, 0, activation_names, "activation function"},
    {"alpha", OPTION_REAL, "1", -1e6, 1e6, NULL, "factor of the input"},
    {"beta", OPTION_REAL, "1", -1e6, 1e6, NULL, "factor of the added layer"},
    {0},
};

static const section_spec shortcut_section = {
    .name = "shortcut",
    .role = SECTION_LAYER,
    .stock = true,
    .options = shortcut_keys,
    .meaning = "adds the output of an earlier layer",
};

typedef struct shortcut_options {
    preactivation after; /* z = alpha x + beta a */
    real alpha, beta;
    bool same_shape;
    int stride, sample;
} shortcut_options;

static const shortcut_options *options_of(const graph_node *node)
{
    return node->options;
}

static status shortcut_connect(graph_node *node)
{
    long from = option_integer(node->where, "from");
    node->n_inputs = 2;
    node->inputs[1] = (int)(from < 0 ? node->index + from : from);
    return STATUS_OK;
}

static int at_least_1(int n)
{
    return n > 1 ? n : 1;
}

static status shortcut_configure(graph_node *node)
{
    shortcut_options *o = allocate_zeroed(1, sizeof *o);
    if (!o)
        return STATUS_NO_MEMORY;
    node->options = o;
    tensor_shape x = node->in, a = node->in_shapes[1];
    if (a.width / x.width != a.height / x.height || x.width / a.width != x.height / a.height)
        return status_fail(STATUS_BAD_CONFIG, "%d x %d pixels cannot be added to %d x %d: height and width differ by other factors", a.height, a.width,
                           x.height, x.width);
    *o = (shortcut_options){
        .after.f = (activation)option_choice(node->where, "activation"),
        .alpha = (real)option_real(node->where, "alpha"),
        .beta = (real)option_real(node->where, "beta"),
        .same_shape = x.channels == a.channels && x.height == a.height && x.width == a.width,
        .stride = at_least_1(a.width / x.width),
        .sample = at_least_1(x.width / a.width),
    };
    node->out = x;
    return STATUS_OK;
}

static size_t shortcut_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return preactivation_saved_count(&options_of(node)->after, node, batch, directions, order);
}

static int smaller(int a, int b)
{
    return a < b ? a : b;
}

/* The pixels of a and of z that are added. */
static image_grid shortcut_grid(const graph_node *node)
{
    const tensor_layout z = node_in_layout(node, 0), a = node_in_layout(node, 1);
    const shortcut_options *o = options_of(node);
    return (image_grid){a, z, smaller(a.shape.channels, z.shape.channels), smaller(a.shape.height, z.shape.height),
                        smaller(a.shape.width, z.shape.width), o->stride, o->sample};
}

/* y = f(alpha x + beta a), f keeping the sign: in one pass over each component. */
static void forward_in_place(const layer_pass *p)
{
    const shortcut_options *o = options_of(p->node);
    const jet *x = &p->x[0], *a = &p->x[1], *y = p->y;
    const size_t count = (size_t)y->batch * y->count;
    for (int s = p->range.first; s < p->range.last; ++s) {
        size_t blocks = jet_rows(y, s) / (size_t)y->batch;
        if (s == 0)
            p->be->blend(o->after.f, count, o->alpha, x->data, o->beta, a->data, y->data);
        else
            p->be->blend_slope(o->after.f, blocks, count, y->data, o->alpha, jet_component(x, s), o->beta, jet_component(a, s), jet_component(y, s));
    }
}

static void shortcut_forward(const layer_pass *p)
{
    const shortcut_options *o = options_of(p->node);
    const jet *x = &p->x[0], *a = &p->x[1];
    jet z = preactivation_z(p, &o->after);
    const size_t rows = jet_range_rows(x, p->range);
    if (o->same_shape && !p->saved) {
        forward_in_place(p);
        return;
    }
    if (o->same_shape) {
        p->be->blend(ACTIVATION_LINEAR, rows * x->count, o->alpha, jet_component(x, p->range.first), o->beta, jet_component(a, p->range.first),
                     jet_component(&z, p->range.first));
    } else {
        const image_grid grid = shortcut_grid(p->node);
        p->be->copy(rows * x->count, jet_component(x, p->range.first), jet_component(&z, p->range.first));
        p->be->axpby_grid(&grid, rows, o->beta, jet_component(a, p->range.first), o->alpha, jet_component(&z, p->range.first));
    }
    preactivation_forward(p, &o->after);
}

/* Both adjoints in one pass; one layer as both inputs has one adjoint. */
static void backward_same_shape(const layer_pass *p, activation f, const jet *adj_z)
{
    const shortcut_options *o = options_of(p->node);
    const size_t rows = jet_range_rows(adj_z, p->range), batch = (size_t)adj_z->batch;
    real *to[2];
    for (int i = 0; i < 2; ++i)
        to[i] = p->adj_x[i].data ? jet_component(&p->adj_x[i], p->range.first) : NULL;
    const bool one = to[0] && to[0] == to[1];
    p->be->blend_adjoint(f, rows / batch, batch * adj_z->count, p->y->data, jet_component(adj_z, p->range.first),
                         one ? o->alpha + o->beta : o->alpha, to[0], p->accumulate[0], o->beta, one ? NULL : to[1], p->accumulate[1]);
}

static void backward_other_shape(const layer_pass *p, const jet *adj_z)
{
    const shortcut_options *o = options_of(p->node);
    const jet *adj_x = &p->adj_x[0], *adj_a = &p->adj_x[1];
    const size_t rows = jet_range_rows(adj_z, p->range);
    const real *adjoint = jet_component(adj_z, p->range.first);
    const image_grid grid = shortcut_grid(p->node);
    if (adj_x->data) {
        const image_grid own = {grid.to, grid.to, grid.channels, grid.height, grid.width, grid.to_step, grid.to_step};
        p->be->axpby(rows * adj_z->count, 1, adjoint, p->accumulate[0], jet_component(adj_x, p->range.first));
        p->be->axpby_grid(&own, rows, o->alpha - 1, adjoint, 1, jet_component(adj_x, p->range.first));
    }
    if (adj_a->data) {
        const image_grid back = {grid.to, grid.from, grid.channels, grid.height, grid.width, grid.to_step, grid.from_step};
        if (!p->accumulate[1])
            p->be->fill(rows * adj_a->count, 0, jet_component(adj_a, p->range.first));
        p->be->axpby_grid(&back, rows, o->beta, adjoint, 1, jet_component(adj_a, p->range.first));
    }
}

static void shortcut_backward(const layer_pass *p)
{
    const shortcut_options *o = options_of(p->node);
    const bool in_place = o->same_shape && !p->saved;
    if (p->range.last == p->range.first)
        return;
    const jet adj_z = in_place ? *p->adj_y : preactivation_backward(p, &o->after);
    if (o->same_shape)
        backward_same_shape(p, in_place ? o->after.f : ACTIVATION_LINEAR, &adj_z);
    else
        backward_other_shape(p, &adj_z);
}

static bool shortcut_zero_curvature(const graph_node *node)
{
    return preactivation_zero_curvature(&options_of(node)->after);
}

static bool shortcut_curved(const graph_node *node)
{
    return preactivation_curved(&options_of(node)->after);
}

const layer_type shortcut_layer_type = {
    .spec = &shortcut_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .connect = shortcut_connect,
    .configure = shortcut_configure,
    .choose_blocks = layer_follow_blocks,
    .saved_count = shortcut_saved_count,
    .forward = shortcut_forward,
    .backward = shortcut_backward,
    .scalar_path = true,
    .zero_curvature = shortcut_zero_curvature,
    .curved = shortcut_curved,
};
