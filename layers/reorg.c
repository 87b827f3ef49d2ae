/* [reorg]: the numbers of an image in another order, s = stride.
 *     reverse=1    channels [s s c, h, w] to pixels [c, s h, s w]: pixel (s i + a, s j + b) of channel k is pixel (i, j) of channel (s a + b) c + k
 *     otherwise    pixels to channels: [c, h, w] to [s s c, h / s, w / s]
 *     flatten=1    the shape changes in the same way; the numbers go from [c, h w] to [h w, c], with reverse=1 from [h w, c] to [c, h w]
 *     extra=n      n zeros behind the numbers, which keep their order
 * Darknet takes the inverse of reverse=1 for the direction from pixels to channels as if the image were [c / (s s), s h, s w], which needs c to be a
 * multiple of s s. So it is here; for other c, where Darknet reads outside of the image or divides by 0, it is the inverse of reverse=1.
 *
 * Linear in x, a permutation: the adjoint is its inverse. */
#include <stdlib.h>

#include "layers/layer.h"

static const option_spec reorg_keys[] = {
    {"stride", OPTION_INTEGER, "1", 1, 16384, NULL, "side of the square of pixels that one pixel becomes, or the other way round"},
    {"reverse", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: from channels to pixels"},
    {"flatten", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: from planes to pixels with all their channels"},
    {"extra", OPTION_INTEGER, "0", 0, 1e6, NULL, "zeros appended to each sample"},
    {0},
};

static const section_spec reorg_section = {
    .name = "reorg",
    .role = SECTION_LAYER,
    .stock = true,
    .options = reorg_keys,
    .meaning = "moves pixels to channels or back",
};

typedef enum reorg_kind { TO_CHANNELS, TO_PIXELS, TRANSPOSE, APPEND } reorg_kind;

typedef struct reorg_options {
    reorg_kind kind;
    int stride;
    tensor_shape large;  /* the image of few channels */
    size_t rows, columns; /* of the matrix that is transposed */
} reorg_options;

static const reorg_options *options_of(const graph_node *node)
{
    return node->options;
}

static status set_shape(graph_node *node, bool reverse, int s)
{
    const tensor_shape in = node->in;
    if (reverse && in.channels % (s * s))
        return status_fail(STATUS_BAD_CONFIG, "reverse=1: %d channels do not divide into %d x %d pixels", in.channels, s, s);
    if (!reverse && (in.height % s || in.width % s))
        return status_fail(STATUS_BAD_CONFIG, "stride=%d: %d x %d pixels do not divide into squares of that side", s, in.height, in.width);
    node->out = reverse ? (tensor_shape){in.channels / (s * s), in.height * s, in.width * s}
                        : (tensor_shape){in.channels * s * s, in.height / s, in.width / s};
    return STATUS_OK;
}

static status reorg_configure(graph_node *node)
{
    reorg_options *o = allocate_zeroed(1, sizeof *o);
    if (!o)
        return STATUS_NO_MEMORY;
    node->options = o;
    bool reverse = option_boolean(node->where, "reverse"), flatten = option_boolean(node->where, "flatten");
    int stride = (int)option_integer(node->where, "stride"), extra = (int)option_integer(node->where, "extra");
    tensor_shape in = node->in;
    size_t pixels = (size_t)in.height * (size_t)in.width, channels = (size_t)in.channels;
    if (extra > 0 && (reverse || flatten))
        return status_fail(STATUS_BAD_CONFIG, "extra=%d keeps the order of the numbers: it does not go with reverse=1 or flatten=1", extra);
    if (extra > 0) {
        *o = (reorg_options){.kind = APPEND};
        node->out = shape_vector((int)shape_count(in) + extra);
        return STATUS_OK;
    }
    status s = set_shape(node, reverse, stride);
    bool as_darknet = in.channels % (stride * stride) == 0;
    *o = (reorg_options){
        .kind = flatten ? TRANSPOSE : reverse ? TO_PIXELS : TO_CHANNELS,
        .stride = stride,
        .large = reverse      ? node->out
                 : as_darknet ? (tensor_shape){in.channels / (stride * stride), in.height * stride, in.width * stride}
                              : in,
        .rows = reverse ? pixels : channels,
        .columns = reverse ? channels : pixels,
    };
    return s;
}

/* from = x, or for the adjoint ybar. */
static void reorder_rows(const layer_pass *p, bool adjoint, const jet *from, const jet *to, bool accumulate)
{
    const reorg_options *o = options_of(p->node);
    const size_t rows = jet_range_rows(from, p->range);
    const real *x = jet_component(from, p->range.first);
    real *y = jet_component(to, p->range.first);
    if (o->kind == TRANSPOSE)
        p->be->transpose(rows, adjoint ? o->columns : o->rows, adjoint ? o->rows : o->columns, x, y, accumulate);
    else if (o->kind == APPEND)
        p->be->copy_columns(rows, shape_count(p->node->in), x, from->count, y, to->count, accumulate);
    else if ((o->kind == TO_CHANNELS) != adjoint)
        p->be->pixels_to_channels(rows, o->large, o->stride, x, y, accumulate);
    else
        p->be->channels_to_pixels(rows, o->large, o->stride, x, y, accumulate);
}

static void reorg_forward(const layer_pass *p)
{
    if (options_of(p->node)->kind == APPEND)
        p->be->fill(jet_range_rows(p->y, p->range) * p->y->count, 0, jet_component(p->y, p->range.first));
    reorder_rows(p, false, p->x, p->y, false);
}

static void reorg_backward(const layer_pass *p)
{
    if (p->adj_x->data)
        reorder_rows(p, true, p->adj_y, p->adj_x, p->accumulate[0]);
}

const layer_type reorg_layer_type = {
    .spec = &reorg_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = reorg_configure,
    .forward = reorg_forward,
    .backward = reorg_backward,
    .scalar_path = true,
};
