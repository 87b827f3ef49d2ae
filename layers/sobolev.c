/* [sobolev]: the loss on values and derivatives. Its mathematics is engine/objective.h; here is its language. */
#include "layers/sobolev.h"

static const char *const projection_names[] = {"sphere", "rademacher", "gaussian", "coordinate", NULL};
static const char *const differentiated_names[] = {"output", "log_probabilities", "loss", NULL};
static const char *const objective_loss_names[] = {"squared_error", "cross_entropy", NULL};
static const char *const target_names[] = {"data", "zero", NULL};

static const option_spec sobolev_keys[] = {
    {"order", OPTION_INTEGER, "1", 0, JET_MAX_ORDER, NULL, "highest order of derivatives in the loss"},
    {"loss", OPTION_CHOICE, "l2", 1, 0, loss_names, "loss on values"},
    {"loss_1", OPTION_CHOICE, "l2", 1, 0, loss_names, "loss on first derivatives"},
    {"loss_2", OPTION_CHOICE, "l2", 1, 0, loss_names, "loss on second derivatives"},
    {"weight", OPTION_REAL, "1", 0, 1e12, NULL, "weight of the loss on values; 0 leaves it out"},
    {"weight_1", OPTION_REAL, "1", 0, 1e12, NULL, "weight of the loss on first derivatives; 0 leaves it out"},
    {"weight_2", OPTION_REAL, "1", 0, 1e12, NULL, "weight of the loss on second derivatives; 0 leaves it out"},
    {"huber_delta", OPTION_REAL, "1", 1e-12, 1e12, NULL, "where the huber loss turns from quadratic to linear"},
    {"relative_epsilon", OPTION_REAL, "1e-6", 1e-30, 1e12, NULL, "added to the squared norm of the target in the relative loss"},
    {"projections", OPTION_INTEGER, "0", 0, 4096, NULL, "random directions v in the output space; 0: the full gradient or Jacobian"},
    {"projections_2", OPTION_INTEGER, "0", 0, 4096, NULL, "random directions in the input space for order 2; 0: the full Hessian"},
    {"projection", OPTION_CHOICE, "sphere", 1, 0, projection_names, "distribution of the random directions"},
    {"resample", OPTION_BOOLEAN, "1", 0, 1, NULL, "1: fresh directions every step; 0: fixed for each sample"},
    {"differentiate", OPTION_CHOICE, "output", 1, 0, differentiated_names, "what is differentiated"},
    {"objective_loss", OPTION_CHOICE, "squared_error", 1, 0, objective_loss_names, "the loss that differentiate=loss differentiates"},
    {"target", OPTION_CHOICE, "data", 1, 0, target_names, "what derivatives are compared with: labels, or zero"},
    {"wrt", OPTION_INTEGER, "-1", -1, 1 << 20, NULL, "differentiate with respect to the output of this layer (from 0); -1: the network's input"},
    {"allow_zero_curvature", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: order 2 also through piecewise-linear activations, whose second derivative is 0"},
    {0},
};

static const section_spec sobolev_section = {
    .name = "sobolev",
    .role = SECTION_LAYER,
    .stock = false,
    .options = sobolev_keys,
    .meaning = "loss on values and derivatives",
};

static loss_function loss_of(const section *s, const char *key)
{
    loss_function loss = {(loss_kind)option_choice(s, key), 0};
    if (loss.kind == LOSS_HUBER)
        loss.parameter = option_real(s, "huber_delta");
    if (loss.kind == LOSS_RELATIVE)
        loss.parameter = option_real(s, "relative_epsilon");
    return loss;
}

objective_options sobolev_read_options(const section *s)
{
    objective_options o = {
        .order = (int)option_integer(s, "order"),
        .loss = {loss_of(s, "loss"), loss_of(s, "loss_1"), loss_of(s, "loss_2")},
        .weight = {option_real(s, "weight"), option_real(s, "weight_1"), option_real(s, "weight_2")},
        .projections = (int)option_integer(s, "projections"),
        .projections_2 = (int)option_integer(s, "projections_2"),
        .projection = (projection_kind)option_choice(s, "projection"),
        .resample = option_boolean(s, "resample"),
        .differentiated = (differentiated_kind)option_choice(s, "differentiate"),
        .cross_entropy = option_choice(s, "objective_loss") == 1,
        .target = (target_kind)option_choice(s, "target"),
        .wrt = (int)option_integer(s, "wrt"),
        .allow_zero_curvature = option_boolean(s, "allow_zero_curvature"),
    };
    while (o.order > 0 && o.weight[o.order] == 0)
        --o.order;
    return o;
}

static status sobolev_configure(graph_node *node)
{
    node->out = node->in;
    return STATUS_OK;
}

const layer_type sobolev_layer_type = {
    .spec = &sobolev_section,
    .role = LAYER_OBJECTIVE,
    .max_order = 0,
    .order_limit = "it is the loss itself",
    .configure = sobolev_configure,
};
