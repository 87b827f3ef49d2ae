/* Layers that are also Darknet's loss on labels ([softmax], [logistic]): in a network without [sobolev], when there are labels t,
 *
 *     cost = sum of cross_entropy_term(p, t)        xbar = p - t + ybar        (core/loss_math.h)
 *
 * p being their output. ybar, from layers above such as [cost], passes unchanged, as in Darknet: not through the Jacobian.
 *
 * saved: p - t (batch * count), from the forward pass. */
#ifndef DNX_LAYERS_LABEL_LOSS_H
#define DNX_LAYERS_LABEL_LOSS_H

#include "layers/layer.h"

static inline size_t label_loss_saved_count(const graph_node *node, int batch)
{
    return (size_t)batch * shape_count(node->out);
}

static inline void label_loss_forward(const layer_pass *p, bool binary)
{
    *p->cost += p->be->cross_entropy(binary, (size_t)p->y->batch * p->y->count, p->y->data, p->truth, p->saved);
}

static inline void label_loss_backward(const layer_pass *p)
{
    size_t elements = (size_t)p->y->batch * p->y->count;
    if (!p->adj_x->data)
        return;
    p->be->axpby(elements, 1, p->adj_y->data, p->accumulate[0], p->adj_x->data);
    p->be->axpby(elements, 1, p->saved, 1, p->adj_x->data);
}

#endif
