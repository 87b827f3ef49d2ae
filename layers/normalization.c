/* [normalization] (local response normalisation): each channel c of a pixel, divided by a power of a sum over its neighbours:
 *
 *     y_c = x_c s_c^-beta        s_c = kappa + alpha (sum of x_j^2 over c - (size-1)/2 <= j <= c + size/2  -  x_h^2, h = size/2)
 *
 * The channel h, where there is one, is Darknet's own: its running sum starts without it, and takes it off later all the same. Darknet's
 * backward is approximate (xbar = s^-beta ybar); this one is exact. A sum that is not positive, NaN in Darknet, gives y = 0.
 *
 * On jets, with q = x x (squares), p = s^-beta and w(c, j) the coefficients of the sum:
 *     s_S = alpha sum_j w(c, j) q_S        p_S: chain rule        y_0 = x_0 p_0        y_1 = x_1 p_0 + x_0 p_1        y_12 = …
 * Adjoint: of the product x p, of the power, of the sum, of the square; core/normalise_math.h has them all.
 *
 * saved: the jets s and sbar. sbar's upper half waits there between the seed sweep and the adjoint sweep. */
#include "layers/normalise_channels.h"

#include <stdlib.h>

static const option_spec normalization_keys[] = {
    {"size", OPTION_INTEGER, "5", 1, 65536, NULL, "channels summed over"},
    {"alpha", OPTION_REAL, ".0001", 0, 1e6, NULL, "factor of the sum of squares"},
    {"beta", OPTION_REAL, ".75", 0, 1e6, NULL, "exponent"},
    {"kappa", OPTION_REAL, "1", 0, 1e6, NULL, "added to the sum of squares"},
    {0},
};

static const section_spec normalization_section = {
    .name = "normalization",
    .alias = "lrn",
    .role = SECTION_LAYER,
    .stock = true,
    .options = normalization_keys,
    .meaning = "local response normalisation over channels",
};

status normalise_channels_configure(graph_node *node, normalise_rule rule)
{
    normalise_rule *options = allocate_zeroed(1, sizeof *options);
    if (!options)
        return STATUS_NO_MEMORY;
    *options = rule;
    node->options = options;
    node->out = node->in;
    return STATUS_OK;
}

static status normalization_configure(graph_node *node)
{
    int size = (int)option_integer(node->where, "size");
    return normalise_channels_configure(node, (normalise_rule){
        .kappa = option_real(node->where, "kappa"),
        .alpha = option_real(node->where, "alpha"),
        .beta = option_real(node->where, "beta"),
        .before = (size - 1) / 2,
        .after = size / 2,
        .skipped = size / 2,
    });
}

size_t normalise_channels_saved_count(const graph_node *node, int batch, int directions, int order)
{
    return 2 * jet_elements(shape_count(node->in), batch, directions, order);
}

static jet sums_of(const layer_pass *p)
{
    jet s = *p->x;
    s.data = p->saved;
    return s;
}

static jet adj_sums_of(const layer_pass *p)
{
    jet adj_s = *p->x;
    adj_s.data = p->saved + jet_elements(adj_s.count, adj_s.batch, adj_s.directions, adj_s.order);
    return adj_s;
}

void normalise_channels_forward(const layer_pass *p)
{
    jet s = sums_of(p);
    p->be->normalise_channels_forward(p->node->options, p->node->in, p->x, &s, p->y, p->range);
}

void normalise_channels_backward(const layer_pass *p)
{
    jet s = sums_of(p), adj_s = adj_sums_of(p);
    if (p->adj_x->data)
        p->be->normalise_channels_backward(p->node->options, p->node->in, p->x, &s, p->adj_y, &adj_s, p->adj_x, p->range, p->accumulate[0]);
}

bool normalise_channels_curved(const graph_node *node)
{
    return true;
}

const layer_type normalization_layer_type = {
    .spec = &normalization_section,
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .configure = normalization_configure,
    .saved_count = normalise_channels_saved_count,
    .forward = normalise_channels_forward,
    .backward = normalise_channels_backward,
    .curved = normalise_channels_curved,
};
