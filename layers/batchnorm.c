/* [batchnorm]: y = scale xhat(x), every channel normalised over the batch and its pixels; on jets, and the adjoint, as in core/batchnorm_math.h.
 *
 * Darknet's own crashes without a graphics card, and with one never trains its scales. They are trained here, being in the weights file; biases
 * are not in it, and there are none.
 *
 * saved: means and variances of the batch. */
#include <stdlib.h>

#include "layers/batch_normalize.h"

static const option_spec batchnorm_keys[] = {{0}};

static const section_spec batchnorm_section = {
    .name = "batchnorm",
    .role = SECTION_LAYER,
    .stock = true,
    .options = batchnorm_keys,
    .meaning = "batch normalisation",
};

static status batchnorm_configure(graph_node *node)
{
    batch_normalize *b = allocate_zeroed(1, sizeof *b);
    if (!b)
        return STATUS_NO_MEMORY;
    node->out = node->in;
    *b = batch_normalize_add(node, -1, (size_t)node->out.channels);
    node->options = b;
    return STATUS_OK;
}

static size_t batchnorm_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return batch_normalize_statistics_count(node, batch, directions, order);
}

static batchnorm argument_of(const layer_pass *p)
{
    return batch_normalize_argument(p, p->node->options, node_in_layout(p->node, 0), ACTIVATION_LINEAR, p->saved);
}

static void batchnorm_layer_forward(const layer_pass *p)
{
    const batchnorm n = argument_of(p);
    p->be->batchnorm_forward(&n, p->x, p->y, p->range);
    batch_normalize_move_statistics(p, p->node->options, &n);
}

static void batchnorm_layer_backward(const layer_pass *p)
{
    const batch_normalize *b = p->node->options;
    const batchnorm n = argument_of(p);
    real *scales_gradient = p->parameters ? p->node->parameters[b->scales].gradient : NULL;
    p->be->batchnorm_backward(&n, p->x, p->adj_y, p->adj_x, p->range, p->accumulate[0], scales_gradient, NULL);
}

static int batchnorm_least_batch(const graph_node *node)
{
    return batch_normalize_least_batch(node->out);
}

/* The variance of the batch bends whatever it divides. */
static bool batchnorm_curved(const graph_node *node)
{
    return true;
}

const layer_type batchnorm_layer_type = {
    .spec = &batchnorm_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = batchnorm_configure,
    .choose_blocks = layer_follow_blocks,
    .saved_count = batchnorm_saved_count,
    .forward = batchnorm_layer_forward,
    .backward = batchnorm_layer_backward,
    .least_batch = batchnorm_least_batch,
    .curved = batchnorm_curved,
};
