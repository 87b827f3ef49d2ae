/* [l2norm]: the channels of each pixel divided by their length:
 *
 *     y_c = x_c s^-1/2        s = sum of x_j^2 over all channels j
 *
 * On jets and adjoint: core/normalise_math.h, with one window for all channels. Darknet's backward passes ybar on unchanged; this one
 * is exact. A pixel of zeros, NaN in Darknet, gives y = 0 and no derivatives.
 *
 * saved: as in normalization.c. */
#include "layers/normalise_channels.h"

static const option_spec l2norm_keys[] = {{0}};

static const section_spec l2norm_section = {
    .name = "l2norm",
    .role = SECTION_LAYER,
    .stock = true,
    .options = l2norm_keys,
    .meaning = "divides the channels of each pixel by their length",
};

static status l2norm_configure(graph_node *node)
{
    int all = node->in.channels;
    return normalise_channels_configure(node, (normalise_rule){.kappa = 0, .alpha = 1, .beta = .5, .before = all, .after = all, .skipped = -1});
}

const layer_type l2norm_layer_type = {
    .spec = &l2norm_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = l2norm_configure,
    .saved_count = normalise_channels_saved_count,
    .forward = normalise_channels_forward,
    .backward = normalise_channels_backward,
    .curved = normalise_channels_curved,
};
