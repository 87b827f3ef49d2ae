/* Head for differentiate=log_probabilities: y = x - log sum exp x, as a jet (backend/ref/softmax.c has the formulas).
 *
 * saved: the probabilities of the batch. */
#include "layers/heads.h"

static status log_probabilities_configure(graph_node *node)
{
    node->out = node->in;
    return STATUS_OK;
}

static size_t log_probabilities_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return (size_t)batch * shape_count(node->in);
}

static void log_probabilities_forward(const layer_pass *p)
{
    p->be->log_softmax_forward(p->x, p->saved, p->y, p->range);
}

static void log_probabilities_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        p->be->log_softmax_backward(p->x, p->saved, p->adj_y, p->adj_x, p->range, p->accumulate[0]);
}

const layer_type log_probabilities_head = {
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = log_probabilities_configure,
    .saved_count = log_probabilities_saved_count,
    .forward = log_probabilities_forward,
    .backward = log_probabilities_backward,
};
