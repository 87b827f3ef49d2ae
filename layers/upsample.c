/* [upsample]: y = scale x with each pixel repeated stride x stride times. A negative stride turns it round: y = scale times the sum of
 * |stride| x |stride| pixels of x. Both are linear in x, and each is the other's adjoint. */
#include <stdlib.h>

#include "layers/layer.h"

static const option_spec upsample_keys[] = {
    {"stride", OPTION_INTEGER, "2", -65536, 65536, NULL, "each pixel becomes stride x stride; negative: so many become one, their sum"},
    {"scale", OPTION_REAL, "1", -1e6, 1e6, NULL, "factor of the output"},
    {0},
};

static const section_spec upsample_section = {
    .name = "upsample",
    .role = SECTION_LAYER,
    .stock = true,
    .options = upsample_keys,
    .meaning = "repeats each pixel",
};

typedef struct upsample_options {
    int stride;
    bool down;
    real scale;
} upsample_options;

static const upsample_options *options_of(const graph_node *node)
{
    return node->options;
}

static status upsample_configure(graph_node *node)
{
    upsample_options *o = allocate_zeroed(1, sizeof *o);
    if (!o)
        return STATUS_NO_MEMORY;
    node->options = o;
    long stride = option_integer(node->where, "stride");
    tensor_shape in = node->in;
    *o = (upsample_options){(int)labs(stride), stride < 0, (real)option_real(node->where, "scale")};
    if (stride == 0)
        return status_fail(STATUS_BAD_CONFIG, "stride=0: at least 1, or at most -1");
    if (o->down && (in.height % o->stride || in.width % o->stride))
        return status_fail(STATUS_BAD_CONFIG, "stride=%ld: %d x %d pixels do not divide into squares of that side", stride, in.height, in.width);
    size_t height = (size_t)in.height, width = (size_t)in.width, side = (size_t)o->stride;
    node->out = o->down ? (tensor_shape){in.channels, in.height / o->stride, in.width / o->stride}
                        : (tensor_shape){in.channels, shape_size(height * side), shape_size(width * side)};
    return STATUS_OK;
}

static void upsample_apply(const layer_pass *p, bool down, tensor_layout small, const jet *from, const jet *to, bool accumulate)
{
    const upsample_options *o = options_of(p->node);
    const real *x = jet_component(from, p->range.first);
    real *y = jet_component(to, p->range.first);
    if (down)
        p->be->sum_pixels(jet_range_rows(from, p->range), small, o->stride, o->scale, x, y, accumulate);
    else
        p->be->repeat_pixels(jet_range_rows(from, p->range), small, o->stride, o->scale, x, y, accumulate);
}

static tensor_layout small_image(const graph_node *node)
{
    return options_of(node)->down ? node_out_layout(node) : node_in_layout(node, 0);
}

static void upsample_forward(const layer_pass *p)
{
    upsample_apply(p, options_of(p->node)->down, small_image(p->node), p->x, p->y, false);
}

static void upsample_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        upsample_apply(p, !options_of(p->node)->down, small_image(p->node), p->adj_y, p->adj_x, p->accumulate[0]);
}

const layer_type upsample_layer_type = {
    .spec = &upsample_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = upsample_configure,
    .choose_blocks = layer_follow_blocks,
    .forward = upsample_forward,
    .backward = upsample_backward,
    .scalar_path = true,
};
