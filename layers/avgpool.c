/* [avgpool]: y[c] = the mean over all pixels of channel c. Linear in x:
 *     y_S = mean over the pixels of x_S        xbar_S[c, :] = ybar_S[c] / pixels */
#include "layers/layer.h"

static const option_spec avgpool_keys[] = {{0}};

static const section_spec avgpool_section = {
    .name = "avgpool",
    .alias = "avg",
    .role = SECTION_LAYER,
    .stock = true,
    .options = avgpool_keys,
    .meaning = "mean over all pixels of each channel",
};

static status avgpool_configure(graph_node *node)
{
    node->out = shape_vector(node->in.channels);
    return STATUS_OK;
}

/* Reads whatever comes; a vector is the same in blocks. */
static void avgpool_choose_blocks(graph_node *node, const backend *be)
{
    node->out_block = 1;
}

static void avgpool_forward(const layer_pass *p)
{
    p->be->mean_pixels(jet_range_rows(p->x, p->range), node_in_layout(p->node, 0), jet_component(p->x, p->range.first),
                       jet_component(p->y, p->range.first));
}

static void avgpool_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        p->be->spread_pixels(jet_range_rows(p->adj_y, p->range), node_in_layout(p->node, 0), jet_component(p->adj_y, p->range.first),
                             jet_component(p->adj_x, p->range.first), p->accumulate[0]);
}

const layer_type avgpool_layer_type = {
    .spec = &avgpool_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = avgpool_configure,
    .choose_blocks = avgpool_choose_blocks,
    .forward = avgpool_forward,
    .backward = avgpool_backward,
    .scalar_path = true,
};
