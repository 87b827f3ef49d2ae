/* [dropout]: y = mask x while training (mask 0 with probability p, else 1/(1-p)), y = x otherwise.
 *
 * Linear in x for a fixed mask, one mask per sample for all components and directions:
 *     y_S = mask x_S        xbar_S = mask ybar_S
 *
 * saved: the mask of the batch, drawn with the value component (all ones when not training); in blocked layout also as it was drawn: the
 * numbers do not depend on how channels lie. */
#include <stdlib.h>

#include "layers/layer.h"

static const option_spec dropout_keys[] = {
    {"probability", OPTION_REAL, "0.5", 0, 0.999999, NULL, "probability that an input is set to zero while training"},
    {0},
};

static const section_spec dropout_section = {
    .name = "dropout",
    .role = SECTION_LAYER,
    .stock = true,
    .options = dropout_keys,
    .meaning = "random zeros while training",
};

static status dropout_configure(graph_node *node)
{
    double *probability = allocate_zeroed(1, sizeof *probability);
    if (!probability)
        return STATUS_NO_MEMORY;
    *probability = option_real(node->where, "probability");
    node->options = probability;
    node->out = node->in;
    return STATUS_OK;
}

static size_t dropout_saved_count(const graph_node *node, int batch, int directions, int order)
{
    tensor_layout layout = node_in_layout(node, 0);
    return (size_t)batch * (layout_count(layout) + (layout.block > 1 ? shape_count(node->in) : 0));
}

static void dropout_draw(const layer_pass *p)
{
    tensor_layout layout = node_in_layout(p->node, 0);
    size_t rows = (size_t)p->x->batch;
    double probability = p->training ? *(const double *)p->node->options : 0;
    real *mask = p->saved, *drawn = layout.block > 1 ? mask + rows * layout_count(layout) : mask;
    p->be->dropout_mask(p->random, p->position, rows * shape_count(layout.shape), probability, drawn);
    if (drawn != mask)
        p->be->reorder(rows, (tensor_layout){layout.shape, 1}, drawn, layout.block, mask, false);
}

/* to_S = mask from_S for the components of the range. */
static void dropout_apply(const layer_pass *p, const jet *from, jet *to, bool accumulate)
{
    size_t elements = (size_t)from->batch * from->count;
    size_t blocks = jet_range_rows(from, p->range) / (size_t)from->batch;
    const real *source = jet_component(from, p->range.first);
    real *destination = jet_component(to, p->range.first);
    for (size_t block = 0; block < blocks; ++block)
        p->be->multiply(elements, source + block * elements, p->saved, destination + block * elements, accumulate);
}

static void dropout_forward(const layer_pass *p)
{
    if (range_has(p->range, 0))
        dropout_draw(p);
    dropout_apply(p, p->x, p->y, false);
}

static void dropout_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        dropout_apply(p, p->adj_y, p->adj_x, p->accumulate[0]);
}

const layer_type dropout_layer_type = {
    .spec = &dropout_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = dropout_configure,
    .choose_blocks = layer_follow_blocks,
    .scalar_path = true,
    .saved_count = dropout_saved_count,
    .forward = dropout_forward,
    .backward = dropout_backward,
};
