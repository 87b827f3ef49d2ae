/* Layers that compute a preactivation z and end with y = f(z), or with batch normalisation between z and f (layers/batch_normalize.h): where the
 * jets z and zbar lie, and how one leads to y and ybar to the other.
 *
 * Without normalisation, when f keeps the sign of z (relu, leaky, …), they are y and ybar themselves, which f overwrites, unless the objective's
 * directions must stay in ybar; else `saved` keeps both, zbar's upper half from the seed sweep to the adjoint sweep. */
#ifndef DNX_LAYERS_PREACTIVATION_H
#define DNX_LAYERS_PREACTIVATION_H

#include "layers/batch_normalize.h"

/* What stands behind z; part of a layer's options. */
typedef struct preactivation {
    activation f;
    batch_normalize normalize;
} preactivation;

static inline size_t preactivation_saved_count(const preactivation *a, const graph_node *node, int batch, int directions, int order)
{
    const bool in_place = a->f == ACTIVATION_LINEAR || (activation_keeps_sign(a->f) && !node->seeded);
    if (a->normalize.on)
        return batch_normalize_saved_count(node, a->f, batch, directions, order);
    return in_place ? 0 : 2 * jet_elements(layout_count(node_out_layout(node)), batch, directions, order);
}

static inline jet preactivation_z(const layer_pass *p, const preactivation *a)
{
    if (a->normalize.on)
        return batch_normalize_z(p, a->f);
    jet z = *p->y;
    if (p->saved)
        z.data = p->saved;
    return z;
}

static inline jet preactivation_adj_z(const layer_pass *p, const preactivation *a)
{
    if (a->normalize.on)
        return batch_normalize_adj_z(p, a->f);
    jet adj_z = *p->adj_y;
    if (p->saved)
        adj_z.data = p->saved + jet_elements(adj_z.count, adj_z.batch, adj_z.directions, adj_z.order);
    return adj_z;
}

/* From z, with its bias unless it is normalised, to y; for the pass's range. */
static inline void preactivation_forward(const layer_pass *p, const preactivation *a)
{
    const jet z = preactivation_z(p, a);
    if (a->normalize.on)
        batch_normalize_forward(p, &a->normalize, a->f);
    else if (a->f != ACTIVATION_LINEAR)
        p->be->activation_forward(a->f, &z, p->y, p->range);
}

/* From ybar to zbar, for the pass's range; normalised, with the gradients of scales and biases when the pass wants them. */
static inline jet preactivation_backward(const layer_pass *p, const preactivation *a)
{
    const jet z = preactivation_z(p, a);
    jet adj_z = preactivation_adj_z(p, a);
    if (a->normalize.on)
        batch_normalize_backward(p, &a->normalize, a->f);
    else if (a->f != ACTIVATION_LINEAR && p->range.last > p->range.first)
        p->be->activation_backward(a->f, &z, p->adj_y, &adj_z, p->range, false);
    return adj_z;
}

static inline int preactivation_least_batch(const preactivation *a, const graph_node *node)
{
    return a->normalize.on ? batch_normalize_least_batch(node->out) : 1;
}

static inline bool preactivation_zero_curvature(const preactivation *a)
{
    return !a->normalize.on && a->f != ACTIVATION_LINEAR && activation_table[a->f].piecewise_linear;
}

static inline bool preactivation_curved(const preactivation *a)
{
    return a->normalize.on || !activation_table[a->f].piecewise_linear;
}

#endif
