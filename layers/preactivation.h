/* Layers that end with an activation, y = f(z): where the jets z and zbar lie. When f keeps the sign of z (relu, leaky, …) they are y and ybar
 * themselves, which f overwrites, unless the objective's directions must stay in ybar; else `saved` keeps both, zbar's upper half from the seed
 * sweep to the adjoint sweep. */
#ifndef DNX_LAYERS_PREACTIVATION_H
#define DNX_LAYERS_PREACTIVATION_H

#include "layers/layer.h"

static inline bool preactivation_in_place(activation f, const graph_node *node)
{
    return f == ACTIVATION_LINEAR || (activation_keeps_sign(f) && !node->seeded);
}

static inline size_t preactivation_saved_count(activation f, const graph_node *node, int batch, int directions, int order)
{
    return preactivation_in_place(f, node) ? 0 : 2 * jet_elements(layout_count(node_out_layout(node)), batch, directions, order);
}

static inline jet preactivation_z(const layer_pass *p)
{
    jet z = *p->y;
    if (p->saved)
        z.data = p->saved;
    return z;
}

static inline jet preactivation_adj_z(const layer_pass *p)
{
    jet adj_z = *p->adj_y;
    if (p->saved)
        adj_z.data = p->saved + jet_elements(adj_z.count, adj_z.batch, adj_z.directions, adj_z.order);
    return adj_z;
}

static inline bool activation_has_zero_curvature(activation f)
{
    return f != ACTIVATION_LINEAR && activation_table[f].piecewise_linear;
}

#endif
