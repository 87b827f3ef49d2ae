/* [maxpool]: y = the largest number of each window of size x size pixels. As in Darknet, `padding` pixels are added to each side of the image in
 * sum, padding / 2 of them at the beginning, and what lies there does not count; of equal numbers the first is taken, row by row.
 *
 * Linear in x once the places of the largest numbers are known, one set of places per sample for all components and directions:
 *     y_S = x_S at the places        xbar_S = sum of ybar_S over the windows that took this number
 *
 * saved: the places of the batch, as window_place, found with the value component. */
#include <stdlib.h>

#include "layers/layer.h"

static const option_spec maxpool_keys[] = {
    {"stride", OPTION_INTEGER, "1", 1, 65536, NULL, "step, pixels"},
    {"size", OPTION_INTEGER, "", 1, WINDOW_MAX_SIZE, NULL, "side of the window, pixels; none: stride"},
    {"padding", OPTION_INTEGER, "", 0, 65536, NULL, "pixels added to each side in sum, half of them at its beginning; none: size - 1"},
    {0},
};

static const section_spec maxpool_section = {
    .name = "maxpool",
    .alias = "max",
    .role = SECTION_LAYER,
    .stock = true,
    .options = maxpool_keys,
    .meaning = "largest value of each window",
};

static const window_shape *window_of(const graph_node *node)
{
    return node->options;
}

/* Whether a window lies outside of the image as a whole: the first one, or the last. */
static bool windows_are_empty(int side, int windows, const window_shape *w)
{
    return w->pad >= w->size || (long)(windows - 1) * w->stride - w->pad >= side;
}

static status maxpool_configure(graph_node *node)
{
    window_shape *w = allocate_zeroed(1, sizeof *w);
    if (!w)
        return STATUS_NO_MEMORY;
    node->options = w;
    int stride = (int)option_integer(node->where, "stride");
    int size = (int)option_integer_or(node->where, "size", stride);
    int padding = (int)option_integer_or(node->where, "padding", size - 1);
    tensor_shape in = node->in;
    if (size > WINDOW_MAX_SIZE)
        return status_fail(STATUS_BAD_CONFIG, "a window of side %d: at most %d", size, WINDOW_MAX_SIZE);
    if (in.height + padding < size || in.width + padding < size)
        return status_fail(STATUS_BAD_CONFIG, "a window of side %d does not fit into %d x %d pixels and padding of %d", size, in.height, in.width,
                           padding);
    node->out = (tensor_shape){in.channels, (in.height + padding - size) / stride + 1, (in.width + padding - size) / stride + 1};
    *w = (window_shape){in, node->out, size, stride, padding / 2};
    if (windows_are_empty(in.height, node->out.height, w) || windows_are_empty(in.width, node->out.width, w))
        return status_fail(STATUS_BAD_CONFIG, "padding=%d: with windows of side %d, %d apart, some lie outside of the image of %d x %d pixels",
                           padding, size, stride, in.height, in.width);
    return STATUS_OK;
}

static size_t maxpool_saved_count(const graph_node *node, int batch, int directions, int order)
{
    size_t bytes = (size_t)batch * layout_count(node_out_layout(node)) * sizeof(window_place);
    return (bytes + sizeof(real) - 1) / sizeof(real);
}

static window_place *places_of(const layer_pass *p)
{
    return (window_place *)p->saved;
}

static void maxpool_forward(const layer_pass *p)
{
    const window_shape *w = window_of(p->node);
    const int block = p->node->out_block;
    component_range rest = p->range;
    if (range_has(rest, 0)) {
        p->be->max_pool(w, block, (size_t)p->x->batch, p->x->data, places_of(p), p->y->data);
        rest.first = 1;
    }
    if (rest.last > rest.first)
        p->be->pool_gather(w, block, jet_range_rows(p->x, rest), (size_t)p->x->batch, places_of(p), jet_component(p->x, rest.first),
                           jet_component(p->y, rest.first));
}

static void maxpool_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        p->be->pool_scatter(window_of(p->node), p->node->out_block, jet_range_rows(p->adj_y, p->range), (size_t)p->x->batch, places_of(p),
                            jet_component(p->adj_y, p->range.first), jet_component(p->adj_x, p->range.first), p->accumulate[0]);
}

static bool maxpool_zero_curvature(const graph_node *node)
{
    return window_of(node)->size > 1;
}

const layer_type maxpool_layer_type = {
    .spec = &maxpool_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = maxpool_configure,
    .choose_blocks = layer_follow_blocks,
    .saved_count = maxpool_saved_count,
    .forward = maxpool_forward,
    .backward = maxpool_backward,
    .scalar_path = true,
    .zero_curvature = maxpool_zero_curvature,
};
