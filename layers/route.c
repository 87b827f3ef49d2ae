/* [route]: y = the outputs of earlier layers, one after the other: channel after channel where the images are of the same size, else as vectors.
 * Linear in its inputs:
 *     y_S = (x_S, z_S, …)        xbar_S, zbar_S, … = the parts of ybar_S */
#include <stdlib.h>

#include "layers/layer.h"

static const option_spec route_keys[] = {
    {"layers", OPTION_INTEGERS, NULL, -1e6, 1e6, NULL, "layers to join: numbers from 0, or negative: from here"},
    {0},
};

static const section_spec route_section = {
    .name = "route",
    .role = SECTION_LAYER,
    .stock = true,
    .options = route_keys,
    .meaning = "joins the outputs of earlier layers",
};

static status route_connect(graph_node *node)
{
    long layers[NODE_MAX_INPUTS];
    int n = option_integers(node->where, "layers", layers, NODE_MAX_INPUTS);
    if (n > NODE_MAX_INPUTS)
        return status_fail(STATUS_BAD_CONFIG, "[route] joins %d layers: at most %d", n, NODE_MAX_INPUTS);
    node->n_inputs = n;
    for (int i = 0; i < n; ++i)
        node->inputs[i] = (int)(layers[i] < 0 ? node->index + layers[i] : layers[i]);
    return STATUS_OK;
}

static bool joins_images(const graph_node *node)
{
    for (int i = 1; i < node->n_inputs; ++i)
        if (node->in_shapes[i].height != node->in.height || node->in_shapes[i].width != node->in.width)
            return false;
    return true;
}

static status route_configure(graph_node *node)
{
    size_t channels = 0, count = 0;
    for (int i = 0; i < node->n_inputs; ++i) {
        channels += (size_t)node->in_shapes[i].channels;
        count += shape_count(node->in_shapes[i]);
    }
    node->out = joins_images(node) ? (tensor_shape){shape_size(channels), node->in.height, node->in.width} : shape_vector(shape_size(count));
    return STATUS_OK;
}

/* In blocks only where every input lies in the same ones, and all but the last fill theirs; then too the inputs lie one after the other. */
static void route_choose_blocks(graph_node *node, const backend *be)
{
    int block = node->plain_output || !joins_images(node) ? 1 : node->in_block[0];
    for (int i = 0; i < node->n_inputs; ++i) {
        bool fills = node->in_shapes[i].channels % block == 0 || i + 1 == node->n_inputs;
        if (node->in_block[i] != block || !fills)
            block = 1;
    }
    for (int i = 0; i < node->n_inputs; ++i)
        node->in_block[i] = block;
    node->out_block = block;
}

static void route_forward(const layer_pass *p)
{
    real *y = jet_component(p->y, p->range.first);
    for (int i = 0; i < p->node->n_inputs; ++i) {
        const jet *x = &p->x[i];
        p->be->copy_columns(jet_range_rows(x, p->range), x->count, jet_component(x, p->range.first), x->count, y, p->y->count, false);
        y += x->count;
    }
}

static void route_backward(const layer_pass *p)
{
    const real *adj_y = jet_component(p->adj_y, p->range.first);
    for (int i = 0; i < p->node->n_inputs; ++i) {
        const jet *adj_x = &p->adj_x[i];
        const size_t count = p->x[i].count;
        if (adj_x->data)
            p->be->copy_columns(jet_range_rows(adj_x, p->range), count, adj_y, p->adj_y->count, jet_component(adj_x, p->range.first), count,
                                p->accumulate[i]);
        adj_y += count;
    }
}

const layer_type route_layer_type = {
    .spec = &route_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .connect = route_connect,
    .configure = route_configure,
    .choose_blocks = route_choose_blocks,
    .forward = route_forward,
    .backward = route_backward,
    .scalar_path = true,
};
