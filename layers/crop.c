/* [crop]: y = 2 x - 1 (noadjust=1: x) on a part of the image: while training a random one, every other time mirrored (flip=1), the same for the whole
 * batch; otherwise the centre. Darknet uses angle, saturation, exposure and shift on the GPU only: they change nothing here.
 *
 * Linear in x for a fixed part, but for the shift of the value:
 *     y_0 = 2 x_0 - 1        y_S = 2 x_S        xbar_S = 2 ybar_S on the part, 0 elsewhere
 * Darknet lets nothing flow back; here the gradient with respect to the input is wanted. */
#include <stdlib.h>

#include "layers/layer.h"

static const option_spec crop_keys[] = {
    {"crop_height", OPTION_INTEGER, "1", 1, 65536, NULL, "height of the output, pixels"},
    {"crop_width", OPTION_INTEGER, "1", 1, 65536, NULL, "width of the output, pixels"},
    {"flip", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: mirror the images of half of the batches"},
    {"angle", OPTION_REAL, "0", -360, 360, NULL, "largest rotation, degrees (GPU only)"},
    {"saturation", OPTION_REAL, "1", 0, 1e6, NULL, "largest change of saturation, a factor (GPU only)"},
    {"exposure", OPTION_REAL, "1", 0, 1e6, NULL, "largest change of brightness, a factor (GPU only)"},
    {"shift", OPTION_REAL, "0", 0, 1e6, NULL, "largest shift of each colour (GPU only)"},
    {"noadjust", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: leave pixel values as they are"},
    {0},
};

static const section_spec crop_section = {
    .name = "crop",
    .role = SECTION_LAYER,
    .stock = true,
    .options = crop_keys,
    .meaning = "random crop of the input image",
};

typedef struct crop_options {
    bool flip;
    real scale, shift;
} crop_options;

static const crop_options *options_of(const graph_node *node)
{
    return node->options;
}

static status crop_configure(graph_node *node)
{
    crop_options *o = allocate_zeroed(1, sizeof *o);
    if (!o)
        return STATUS_NO_MEMORY;
    node->options = o;
    bool adjust = !option_boolean(node->where, "noadjust");
    *o = (crop_options){option_boolean(node->where, "flip"), adjust ? 2 : 1, adjust ? -1 : 0};
    node->out = (tensor_shape){node->in.channels, (int)option_integer(node->where, "crop_height"), (int)option_integer(node->where, "crop_width")};
    if (node->out.height > node->in.height || node->out.width > node->in.width)
        return status_fail(STATUS_BAD_CONFIG, "%d x %d pixels cannot be cropped from an image of %d x %d", node->out.height, node->out.width,
                           node->in.height, node->in.width);
    return STATUS_OK;
}

/* One of n, and what is left of the random number u, uniform in (0, 1) again. */
static int take_choice(double *u, int n)
{
    int choice = (int)(*u * n);
    *u = *u * n - choice;
    return choice;
}

/* The part of this batch; the same in all sweeps, for it is drawn from one number of this step. */
static image_cut part_of(const layer_pass *p)
{
    const tensor_shape in = p->node->in, out = p->node->out;
    int rest_h = in.height - out.height, rest_w = in.width - out.width;
    if (!p->training)
        return (image_cut){in, out, rest_h / 2, rest_w / 2, false};
    double u = random_one(p->random, p->position);
    bool flip = take_choice(&u, 2) && options_of(p->node)->flip;
    int top = take_choice(&u, rest_h + 1), left = take_choice(&u, rest_w + 1);
    return (image_cut){in, out, top, left, flip};
}

static void crop_forward(const layer_pass *p)
{
    const crop_options *o = options_of(p->node);
    const image_cut cut = part_of(p);
    for (int s = p->range.first; s < p->range.last; ++s)
        p->be->cut(&cut, jet_rows(p->x, s), o->scale, s == 0 ? o->shift : 0, jet_component(p->x, s), jet_component(p->y, s));
}

static void crop_backward(const layer_pass *p)
{
    const image_cut cut = part_of(p);
    if (p->adj_x->data)
        p->be->cut_adjoint(&cut, jet_range_rows(p->adj_y, p->range), options_of(p->node)->scale, jet_component(p->adj_y, p->range.first),
                           jet_component(p->adj_x, p->range.first), p->accumulate[0]);
}

const layer_type crop_layer_type = {
    .spec = &crop_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = crop_configure,
    .forward = crop_forward,
    .backward = crop_backward,
    .scalar_path = true,
};
