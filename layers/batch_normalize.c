#include "layers/batch_normalize.h"

enum { ROLLING_MEAN = 1, ROLLING_VARIANCE = 2 }; /* behind the scales */

static const double kept = .99; /* of the rolling statistics, by each batch: Darknet's */

batch_normalize batch_normalize_add(graph_node *node, int biases, size_t channels)
{
    const batch_normalize b = {true, option_choice(node->net, "batchnorm_gradient") == 1, node->n_parameters, biases};
    node->parameters[node->n_parameters++] = (parameter){.name = "scales", .count = channels, .initial_value = 1};
    node->parameters[node->n_parameters++] = (parameter){.name = "rolling_mean", .count = channels, .statistic = true};
    node->parameters[node->n_parameters++] = (parameter){.name = "rolling_variance", .count = channels, .statistic = true, .initial_value = 1};
    return b;
}

int batch_normalize_least_batch(tensor_shape shape)
{
    return shape.height * shape.width > 1 ? 1 : 2;
}

/* ---------------------------------------------------------------- what is saved */

/* Whole vectors, for what follows. */
static size_t rounded(size_t count)
{
    enum { VECTOR = 16 };
    return (count + VECTOR - 1) / VECTOR * VECTOR;
}

/* As if there were some for every sample: a tape may give up samples for more directions. */
size_t batch_normalize_statistics_count(const graph_node *node, int batch, int directions, int order)
{
    return 2 * rounded(jet_elements((size_t)node->out.channels, batch, directions, order));
}

size_t batch_normalize_saved_count(const graph_node *node, activation f, int batch, int directions, int order)
{
    size_t jets = (activation_keeps_sign(f) ? 1 : 2) * (order > 0 ? 2 : 1);
    return jets * rounded(jet_elements(layout_count(node_out_layout(node)), batch, directions, order)) +
           batch_normalize_statistics_count(node, batch, directions, order);
}

typedef struct room {
    jet z, adj_z, u, adj_u; /* u, adj_u: y and adj_y themselves when f keeps the sign */
    real *statistics;
} room;

/* The next part of `saved` as a jet of y's form. */
static jet take(const layer_pass *p, real **at)
{
    jet j = *p->y;
    j.data = *at;
    *at += rounded(jet_elements(j.count, j.batch, j.directions, j.order));
    return j;
}

static room room_of(const layer_pass *p, activation f)
{
    room r = {.adj_z = *p->adj_y, .u = *p->y, .adj_u = *p->adj_y};
    real *at = p->saved;
    r.z = take(p, &at);
    if (p->y->order > 0)
        r.adj_z = take(p, &at);
    if (!activation_keeps_sign(f))
        r.u = take(p, &at);
    if (!activation_keeps_sign(f) && p->y->order > 0)
        r.adj_u = take(p, &at);
    r.statistics = at;
    return r;
}

jet batch_normalize_z(const layer_pass *p, activation f)
{
    return room_of(p, f).z;
}

jet batch_normalize_adj_z(const layer_pass *p, activation f)
{
    return room_of(p, f).adj_z;
}

/* ---------------------------------------------------------------- the primitives' argument */

static const parameter *parameter_of(const layer_pass *p, int which)
{
    return &p->node->parameters[which];
}

static jet statistic_jet(real *data, size_t channels, int directions, int order)
{
    return (jet){.data = data, .count = channels, .batch = 1, .directions = directions, .order = order};
}

batchnorm batch_normalize_argument(const layer_pass *p, const batch_normalize *b, tensor_layout layout, activation f, real *statistics)
{
    const size_t channels = (size_t)layout.shape.channels;
    const int directions = p->training ? p->y->directions : 0, order = p->training ? p->y->order : 0;
    real *mean = parameter_of(p, b->scales + ROLLING_MEAN)->value, *variance = parameter_of(p, b->scales + ROLLING_VARIANCE)->value;
    if (p->training) {
        mean = statistics;
        variance = statistics + rounded(jet_elements(channels, p->y->batch, directions, order));
    }
    return (batchnorm){
        .layout = layout,
        .scales = parameter_of(p, b->scales)->value,
        .biases = b->biases < 0 ? NULL : parameter_of(p, b->biases)->value,
        .f = f,
        .of_batch = p->training,
        .darknet_adjoint = p->training && b->darknet_adjoint,
        .mean = statistic_jet(mean, channels, directions, order),
        .variance = statistic_jet(variance, channels, directions, order),
    };
}

void batch_normalize_move_statistics(const layer_pass *p, const batch_normalize *b, const batchnorm *n)
{
    if (!p->training || !p->move_statistics || !range_has(p->range, 0))
        return;
    p->be->axpby(n->mean.count, (real)(1 - kept), n->mean.data, (real)kept, parameter_of(p, b->scales + ROLLING_MEAN)->value);
    p->be->axpby(n->mean.count, (real)(1 - kept), n->variance.data, (real)kept, parameter_of(p, b->scales + ROLLING_VARIANCE)->value);
}

/* What is computed in one pass with the normalisation. */
static activation fused(activation f)
{
    return activation_keeps_sign(f) ? f : ACTIVATION_LINEAR;
}

static batchnorm argument_of(const layer_pass *p, const batch_normalize *b, activation f, const room *r)
{
    return batch_normalize_argument(p, b, node_out_layout(p->node), fused(f), r->statistics);
}

/* ---------------------------------------------------------------- forward and backward */

void batch_normalize_forward(const layer_pass *p, const batch_normalize *b, activation f)
{
    room r = room_of(p, f);
    const batchnorm n = argument_of(p, b, f, &r);
    p->be->batchnorm_forward(&n, &r.z, &r.u, p->range);
    batch_normalize_move_statistics(p, b, &n);
    if (!activation_keeps_sign(f))
        p->be->activation_forward(f, &r.u, p->y, p->range);
}

void batch_normalize_backward(const layer_pass *p, const batch_normalize *b, activation f)
{
    room r = room_of(p, f);
    const batchnorm n = argument_of(p, b, f, &r);
    if (!activation_keeps_sign(f))
        p->be->activation_backward(f, &r.u, p->adj_y, &r.adj_u, p->range, false);
    p->be->batchnorm_backward(&n, &r.z, &r.adj_u, &r.adj_z, p->range, false, p->parameters ? parameter_of(p, b->scales)->gradient : NULL,
                              p->parameters && b->biases >= 0 ? parameter_of(p, b->biases)->gradient : NULL);
}

void batch_normalize_fold(const layer_pass *p, const batch_normalize *b, size_t row, const real *weights, real *folded, real *folded_biases)
{
    const batchnorm n = batch_normalize_argument(p, b, node_out_layout(p->node), ACTIVATION_LINEAR, NULL);
    p->be->batchnorm_fold(&n, row, weights, folded, folded_biases);
}
