/* Heads for differentiate=loss: the loss of a sample as a function of the network's output x, labels t held constant.
 *
 *     squared error    y = sum (x - t)^2
 *     cross-entropy    y = - sum t x over log-probabilities x (so it follows log_probabilities_head)
 *
 * One output per sample; jets and adjoints are the backend's head.c. */
#include "layers/heads.h"

static status loss_head_configure(graph_node *node)
{
    node->out = shape_vector(1);
    return STATUS_OK;
}

static void squared_error_forward(const layer_pass *p)
{
    p->be->squared_error_forward(p->x, p->truth, p->y, p->range);
}

static void squared_error_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        p->be->squared_error_backward(p->x, p->truth, p->adj_y, p->adj_x, p->range, p->accumulate[0]);
}

static void cross_entropy_forward(const layer_pass *p)
{
    p->be->truth_product_forward(-1, p->x, p->truth, p->y, p->range);
}

static void cross_entropy_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        p->be->truth_product_backward(-1, p->truth, p->adj_y, p->adj_x, p->range, p->accumulate[0]);
}

const layer_type squared_error_head = {
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = loss_head_configure,
    .forward = squared_error_forward,
    .backward = squared_error_backward,
};

const layer_type cross_entropy_head = {
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = loss_head_configure,
    .forward = cross_entropy_forward,
    .backward = cross_entropy_backward,
};
