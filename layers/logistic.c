/* [logistic]: y = 1 / (1 + exp(-x)), element by element; jets and adjoint as in core/activation_math.h. It is also Darknet's loss
 * (label_loss.h), the cross-entropy of independent yes-or-no questions.
 *
 * saved: label_loss.h. */
#include "layers/label_loss.h"

static const option_spec logistic_keys[] = {{0}};

static const section_spec logistic_section = {
    .name = "logistic",
    .role = SECTION_LAYER,
    .stock = true,
    .options = logistic_keys,
    .meaning = "logistic function and its cross-entropy loss",
};

static status logistic_configure(graph_node *node)
{
    node->out = node->in;
    return STATUS_OK;
}

static size_t logistic_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return label_loss_saved_count(node, batch);
}

static bool logistic_always(const graph_node *node)
{
    return true;
}

static void logistic_forward(const layer_pass *p)
{
    p->be->activation_forward(ACTIVATION_LOGISTIC, p->x, p->y, p->range);
    if (p->truth)
        label_loss_forward(p, true);
}

static void logistic_backward(const layer_pass *p)
{
    if (p->truth)
        label_loss_backward(p);
    else if (p->adj_x->data)
        p->be->activation_backward(ACTIVATION_LOGISTIC, p->x, p->adj_y, p->adj_x, p->range, p->accumulate[0]);
}

const layer_type logistic_layer_type = {
    .spec = &logistic_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = logistic_configure,
    .saved_count = logistic_saved_count,
    .forward = logistic_forward,
    .backward = logistic_backward,
    .has_loss = logistic_always,
    .curved = logistic_always,
};
