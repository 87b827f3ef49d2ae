/* [sobolev]: the loss on values and derivatives. Its mathematics is engine/objective.h; here is its language. */
#include "layers/sobolev.h"

#include <string.h>

static const char *const projection_names[] = {"sphere", "rademacher", "gaussian", "coordinate", "class", NULL};
static const char *const differentiated_names[] = {"output", "log_probabilities", "loss", NULL};
static const char *const objective_loss_names[] = {"squared_error", "cross_entropy", NULL};
static const char *const target_names[] = {"data", "zero", "teacher", "flip", NULL};
static const char *const schedule_names[] = {"constant", "linear", "rate", "swap", NULL};
static const char *const balance_names[] = {"none", "softadapt", "gradnorm", NULL};
static const char *const collapse_names[] = {"warn", "rollback", "ignore", NULL};
static const char *const transformation_names[TRANSFORMATION_COUNT] = {"translate_x", "translate_y", "rotate", "scale"};
static const char *const component_names[] = {"uniform", "rms", NULL};

static const option_spec sobolev_keys[] = {
    {"order", OPTION_INTEGER, "1", 0, JET_MAX_ORDER, NULL, "highest order of derivatives in the loss"},
    {"loss", OPTION_CHOICE, "l2", 1, 0, value_loss_names, "loss on values; kl, kl_reverse and cross_entropy take the outputs for logits"},
    {"loss_1", OPTION_CHOICE, "l2", 1, 0, gradient_loss_names, "loss on first derivatives"},
    {"loss_2", OPTION_CHOICE, "l2", 1, 0, vector_loss_names, "loss on second derivatives"},
    {"weight", OPTION_REAL, "1", 0, 1e12, NULL, "weight of the loss on values; 0 leaves it out"},
    {"weight_1", OPTION_REAL, "1", 0, 1e12, NULL, "weight of the loss on first derivatives; 0 leaves it out"},
    {"weight_2", OPTION_REAL, "1", 0, 1e12, NULL, "weight of the loss on second derivatives; 0 leaves it out"},
    {"output_weights", OPTION_REALS, "", 0, 1e12, NULL, "weight of each output in all losses"},
    {"input_weights", OPTION_REALS, "", 0, 1e12, NULL, "weight of each input's component in the losses on derivatives"},
    {"component_weights", OPTION_CHOICE, "uniform", 1, 0, component_names,
     "rms: derivatives by each input (of Hessians a row of it) also count 1 / their mean square in the training set"},
    {"weight_schedule", OPTION_CHOICE, "constant", 1, 0, schedule_names,
     "how the weights move to their ends: linear in the updates, with the learning rate, or all at once (swap)"},
    {"weight_end", OPTION_REAL, "", 0, 1e12, NULL, "where weight ends; absent: it stays"},
    {"weight_1_end", OPTION_REAL, "", 0, 1e12, NULL, "where weight_1 ends; absent: it stays"},
    {"weight_2_end", OPTION_REAL, "", 0, 1e12, NULL, "where weight_2 ends; absent: it stays"},
    {"swap_at", OPTION_INTEGER, "", 1, 1L << 40, NULL, "weight_schedule=swap: the update from which the end weights hold"},
    {"balance", OPTION_CHOICE, "none", 1, 0, balance_names,
     "factors on the weights from how the losses fall (softadapt) or how large their gradients are (gradnorm)"},
    {"balance_every", OPTION_INTEGER, "100", 1, 1000000000, NULL, "updates between two changes of these factors"},
    {"balance_strength", OPTION_REAL, "", 0, 1e3, NULL, "softadapt: beta (0.1); gradnorm: alpha (0.12)"},
    {"on_collapse", OPTION_CHOICE, "warn", 1, 0, collapse_names,
     "what to do when derivatives make the values worse: say so, also go back to the best weights, or nothing"},
    {"label_directions", OPTION_INTEGER, "0", 0, 4096, NULL,
     "vectors v that every label brings along, with J v and (order=2) H v instead of the Hessian; with another target than data, v alone"},
    {"tangents", OPTION_TEXT, "", 1, 0, NULL,
     "translate_x,translate_y,rotate,scale or some of them: derivatives are compared along these transformations of the input image alone"},
    {"huber_delta", OPTION_REAL, "1", 1e-12, 1e12, NULL, "where the huber loss turns from quadratic to linear"},
    {"relative_epsilon", OPTION_REAL, "1e-6", 1e-30, 1e12, NULL, "added to the squared norm of the target in the relative loss"},
    {"temperature", OPTION_REAL, "", 1e-3, 1e6, NULL,
     "loss=kl, kl_reverse, cross_entropy: divides the logits of outputs and labels (1); the loss carries its square"},
    {"penalty_norm", OPTION_REAL, "", 0, 1e12, NULL, "loss_1=penalty: the norm that gradients are drawn to (1)"},
    {"projections", OPTION_INTEGER, "0", 0, 4096, NULL, "random directions v in the output space; 0: the full gradient or Jacobian"},
    {"projections_2", OPTION_INTEGER, "0", 0, 4096, NULL, "random directions in the input space for order 2; 0: the full Hessian"},
    {"projection", OPTION_CHOICE, "sphere", 1, 0, projection_names, "distribution of the random directions; class: the output that is largest among the labels, or the teacher's"},
    {"resample", OPTION_BOOLEAN, "1", 0, 1, NULL, "1: fresh directions every step; 0: fixed for each sample"},
    {"differentiate", OPTION_CHOICE, "output", 1, 0, differentiated_names, "what is differentiated"},
    {"objective_loss", OPTION_CHOICE, "squared_error", 1, 0, objective_loss_names, "the loss that differentiate=loss differentiates"},
    {"target", OPTION_CHOICE, "", 1, 0, target_names,
     "what derivatives are compared with: labels, zero, those of a [teacher], or those at the mirror image (data; beside a [teacher] teacher)"},
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

/* The key of a loss's own number; NULL: it has none. */
static const char *parameter_key(loss_kind kind)
{
    switch (kind) {
    case LOSS_HUBER:
        return "huber_delta";
    case LOSS_RELATIVE:
        return "relative_epsilon";
    case LOSS_PENALTY:
        return "penalty_norm";
    case LOSS_KL:
    case LOSS_KL_REVERSE:
    case LOSS_CROSS_ENTROPY:
        return "temperature";
    default:
        return NULL;
    }
}

static loss_function loss_of(const section *s, loss_kind kind)
{
    const char *key = parameter_key(kind);
    loss_function loss = loss_of_kind(kind);
    if (key && option_given(s, key))
        loss.parameter = option_real(s, key);
    return loss;
}

/* Where a weight ends; without a schedule, where it begins. */
static double end_of(const section *s, const char *key, const char *end_key)
{
    bool moves = option_choice(s, "weight_schedule") != SCHEDULE_CONSTANT && option_given(s, end_key);
    return option_real(s, moves ? end_key : key);
}

static double strength_of(const section *s)
{
    if (option_given(s, "balance_strength"))
        return option_real(s, "balance_strength");
    return option_choice(s, "balance") == BALANCE_SOFTADAPT ? .1 : .12;
}

static int transformation_named(const char *word)
{
    for (int k = 0; k < TRANSFORMATION_COUNT; ++k)
        if (strcmp(word, transformation_names[k]) == 0)
            return k;
    return -1;
}

bool sobolev_read_tangents(const section *s, objective_options *o)
{
    o->n_tangents = 0;
    if (!option_given(s, "tangents"))
        return true;
    char *list = strdupa(option_text(s, "tangents")), *word;
    unsigned seen = 0;
    while ((word = strsep(&list, ",")) != NULL) {
        int kind = transformation_named(word);
        if (kind < 0 || seen >> kind & 1)
            return false;
        seen |= 1u << kind;
        o->tangents[o->n_tangents++] = (transformation_kind)kind;
    }
    return true;
}

bool sobolev_has_loss(const objective_options *o, int order)
{
    return o->weight[order] > 0 || o->end_weight[order] > 0;
}

bool sobolev_differentiates_probabilities(const objective_options *o)
{
    return o->differentiated == DIFFERENTIATE_LOG_PROBABILITIES || (o->differentiated == DIFFERENTIATE_LOSS && o->cross_entropy);
}

objective_options sobolev_read_options(const section *s)
{
    objective_options o = {
        .order = (int)option_integer(s, "order"),
        .loss = {loss_of(s, (loss_kind)option_choice(s, "loss")), loss_of(s, gradient_loss_kind(option_choice(s, "loss_1"))),
                 loss_of(s, (loss_kind)option_choice(s, "loss_2"))},
        .weight = {option_real(s, "weight"), option_real(s, "weight_1"), option_real(s, "weight_2")},
        .end_weight = {end_of(s, "weight", "weight_end"), end_of(s, "weight_1", "weight_1_end"), end_of(s, "weight_2", "weight_2_end")},
        .schedule = (schedule_kind)option_choice(s, "weight_schedule"),
        .swap_at = option_integer(s, "swap_at"),
        .balance = (balance_kind)option_choice(s, "balance"),
        .balance_every = (int)option_integer(s, "balance_every"),
        .balance_strength = strength_of(s),
        .on_collapse = (collapse_action)option_choice(s, "on_collapse"),
        .rms_components = option_choice(s, "component_weights") == 1,
        .label_directions = (int)option_integer(s, "label_directions"),
        .where = s,
        .projections = (int)option_integer(s, "projections"),
        .projections_2 = (int)option_integer(s, "projections_2"),
        .projection = (projection_kind)option_choice(s, "projection"),
        .resample = option_boolean(s, "resample"),
        .differentiated = (differentiated_kind)option_choice(s, "differentiate"),
        .cross_entropy = option_choice(s, "objective_loss") == 1,
        .target = (target_kind)option_choice_or(s, "target", TARGET_DATA),
        .wrt = (int)option_integer(s, "wrt"),
        .allow_zero_curvature = option_boolean(s, "allow_zero_curvature"),
    };
    sobolev_read_tangents(s, &o);
    while (o.order > 0 && !sobolev_has_loss(&o, o.order))
        --o.order;
    return o;
}

void sobolev_weights(const objective_options *o, long update, long updates, double rate, double weights[JET_MAX_ORDER + 1])
{
    double end = 0; /* how much of the end weights */
    if (o->schedule == SCHEDULE_LINEAR && updates > 0)
        end = (double)update / (double)updates;
    else if (o->schedule == SCHEDULE_RATE)
        end = 1 - rate;
    else if (o->schedule == SCHEDULE_SWAP)
        end = update >= o->swap_at;
    end = end < 0 ? 0 : end > 1 ? 1 : end;
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        weights[k] = (1 - end) * o->weight[k] + end * o->end_weight[k];
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
