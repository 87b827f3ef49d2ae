/* Head for differentiate=log_probabilities: y = x - log sum exp x, as a jet (backend head.c has the formulas). */
#include "layers/heads.h"

static status log_probabilities_configure(graph_node *node)
{
    node->out = node->in;
    return STATUS_OK;
}

static void log_probabilities_forward(const layer_pass *p)
{
    p->be->log_softmax_forward(p->x, p->y, p->range);
}

static void log_probabilities_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        p->be->log_softmax_backward(p->x, p->adj_y, p->adj_x, p->range, p->accumulate[0]);
}

const layer_type log_probabilities_head = {
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = log_probabilities_configure,
    .forward = log_probabilities_forward,
    .backward = log_probabilities_backward,
};
