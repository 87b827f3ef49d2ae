#include "engine/choice_check.h"

#include <stdio.h>

#include "core/logit_loss_math.h"

/* Numbers of a loss that is not asked for, and losses of logits where there are none. */
status choice_check_losses(const graph *g, const section *where, const char *path, const objective_options *o)
{
    bool of_logits = loss_is_of_logits(o->loss[0].kind), penalty = o->loss[1].kind == LOSS_PENALTY;
    if (of_logits && shape_count(g->nodes[g->output_node].out) < 2)
        return option_fail(where, path, "loss", "this loss takes the outputs for logits and needs at least two: the probability of one is 1");
    if (!of_logits && option_given(where, "temperature"))
        return option_fail(where, path, "temperature", "temperature needs loss=kl, kl_reverse or cross_entropy");
    if (!penalty && option_given(where, "penalty_norm"))
        return option_fail(where, path, "penalty_norm", "penalty_norm needs loss_1=penalty");
    if (penalty && o->order > 0 && o->target != TARGET_ZERO)
        return option_fail(where, path, "loss_1", "loss_1=penalty draws the norm of the derivatives themselves: it needs target=zero");
    return STATUS_OK;
}

static bool is_image(tensor_shape s)
{
    return s.height > 1 || s.width > 1;
}

/* What goes with label directions. */
static status check_label_directions(const section *where, const char *path, const objective_options *o)
{
    if (o->label_directions == 0)
        return STATUS_OK;
    if (o->target == TARGET_FLIP)
        return option_fail(where, path, "label_directions", "label_directions cannot stand beside target=flip, which compares whole gradients");
    if (o->wrt >= 0)
        return option_fail(where, path, "label_directions", "label_directions are directions of the network's input: wrt must be -1");
    if (o->order > 1 && o->projections_2 > 0)
        return option_fail(where, path, "projections_2", "label_directions are the directions of order 2: projections_2 must be 0");
    return STATUS_OK;
}

static status check_tangents(const graph *g, const section *where, const char *path, const objective_options *o)
{
    objective_options read;
    if (!option_given(where, "tangents"))
        return STATUS_OK;
    if (!sobolev_read_tangents(where, &read))
        return option_fail(where, path, "tangents", "tangents: expected translate_x, translate_y, rotate and scale, or some of them, separated by commas");
    if (o->order > 1)
        return option_fail(where, path, "tangents", "tangents are directions of first derivatives: order must be 1");
    if (o->wrt >= 0 || !is_image(g->input))
        return option_fail(where, path, "tangents", "tangents are those of images that the network reads: [net] must have height, width and channels, and wrt must be -1");
    if (o->label_directions > 0)
        return option_fail(where, path, "tangents", "tangents cannot stand beside label_directions: give the directions in one way");
    if (o->target == TARGET_FLIP)
        return option_fail(where, path, "tangents", "tangents cannot stand beside target=flip, which compares whole gradients");
    return STATUS_OK;
}

/* Weights of components, where products along directions are all that the loss sees. */
static status check_components(const section *where, const char *path, const objective_options *o)
{
    bool along_alone = o->n_tangents > 0 || (o->label_directions > 0 && o->target != TARGET_DATA && o->order == 1);
    const char *key = o->rms_components ? "component_weights" : "input_weights";
    if (!along_alone || (!o->rms_components && !option_given(where, "input_weights")))
        return STATUS_OK;
    return option_fail(where, path, key, "the loss sees derivatives along directions only: their components have no weights");
}

static status check_class(const graph *g, const section *where, const char *path, const objective_options *o)
{
    if (o->projection != PROJECTION_CLASS)
        return STATUS_OK;
    if (o->projections != 1)
        return option_fail(where, path, "projection", "projection=class is one direction for each sample: it needs projections=1");
    if (o->order > 1 && o->projections_2 > 0)
        return option_fail(where, path, "projections_2", "projection=class chooses an output, not directions of the input: projections_2 must be 0");
    if (o->differentiated == DIFFERENTIATE_LOSS || shape_count(g->nodes[g->output_node].out) < 2)
        return option_fail(where, path, "projection", "projection=class chooses one of several outputs: what is differentiated here has one");
    return STATUS_OK;
}

static status check_flip(const graph *g, const section *where, const char *path, const objective_options *o)
{
    const section *net = g->nodes[0].net;
    long minibatch = option_integer(net, "batch") / option_integer(net, "subdivisions");
    char text[160];
    if (o->target != TARGET_FLIP)
        return STATUS_OK;
    if (o->order > 1)
        return option_fail(where, path, "target", "target=flip compares first derivatives: order must be 1");
    if (o->wrt >= 0 || g->input.width < 2)
        return option_fail(where, path, "target", "target=flip mirrors images that the network reads: [net] must have height, width and channels, and wrt must be -1");
    if (o->loss[1].kind == LOSS_RELATIVE)
        return option_fail(where, path, "loss_1", "loss_1=relative divides by its target, which target=flip differentiates: use another loss");
    snprintf(text, sizeof text, "target=flip pairs the halves of a minibatch: batch / subdivisions = %ld is odd", minibatch);
    return minibatch % 2 ? option_fail(net, path, "batch", text) : STATUS_OK;
}

void choice_check_directions(const graph *g, const section *where, const char *path, const objective_options *o, status_list *found)
{
    status_collect(found, check_label_directions(where, path, o));
    status_collect(found, check_tangents(g, where, path, o));
    status_collect(found, check_components(where, path, o));
    status_collect(found, check_class(g, where, path, o));
    status_collect(found, check_flip(g, where, path, o));
}
