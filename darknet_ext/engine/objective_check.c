#include "engine/objective_check.h"

#include <stdio.h>
#include <string.h>

#include "core/logit_loss_math.h"
#include "engine/choice_check.h"
#include "engine/teacher_check.h"

/* Whether one node of the segment can be differentiated as often as asked. */
static status check_node(const graph_node *node, const char *asker, const char *path, const objective_options *o)
{
    char text[768];
    if (!node->type || node->type->max_order < o->order) {
        char what[192];
        const char *reason = node->type ? node->type->order_limit : layer_stays(node->where);
        if (node->type)
            snprintf(what, sizeof what, "[%s]", node->where->name);
        else
            layer_describe_foreign(node->where, what, sizeof what);
        snprintf(text, sizeof text, "%s cannot be differentiated %s, but [sobolev] at %s differentiates through it%s%s", what,
                 o->order > 1 && node->type && node->type->max_order > 0 ? "twice" : "here", asker, reason ? ": " : "", reason ? reason : "");
        return section_fail(node->where, path, text);
    }
    for (int i = 0; i < node->n_inputs; ++i)
        if (node->inputs[i] < o->wrt) {
            snprintf(text, sizeof text, "this layer reads layer %d, which lies below layer %d, the one [sobolev] at %s differentiates by (wrt)",
                     node->inputs[i], o->wrt, asker);
            return section_fail(node->where, path, text);
        }
    if (o->order > 1 && !o->allow_zero_curvature && node->type->zero_curvature && node->type->zero_curvature(node)) {
        bool by_activation = section_option(node->where->spec, "activation");
        snprintf(text, sizeof text,
                 "this %s is piecewise linear: its second derivative is zero wherever it exists, so order=2 at %s has nothing to learn "
                 "(%s set allow_zero_curvature=1 in [sobolev])",
                 by_activation ? "activation" : "layer", asker, by_activation ? "use a smooth activation, or" : "where other layers are smooth,");
        return section_fail(node->where, path, text);
    }
    return STATUS_OK;
}

void objective_check_segment(const graph *g, const char *asker, const char *path, const objective_options *o, status_list *found)
{
    for (int i = o->wrt + 1; i <= g->output_node; ++i)
        if (!g->nodes[i].type || g->nodes[i].type->role != LAYER_LOSS)
            status_collect(found, check_node(&g->nodes[i], asker, path, o));
}

static void check_nodes(const graph *g, const section *where, const char *path, const objective_options *o, status_list *found)
{
    char asker[64];
    snprintf(asker, sizeof asker, "line %d", where->line);
    objective_check_segment(g, asker, path, o, found);
}

/* Darknet's approximation is one of first derivatives; what would be trained on it here is not even that. */
static status check_batchnorm_gradient(const graph *g, const section *where, const char *path)
{
    const section *net = g->nodes[0].net;
    char text[192];
    if (!graph_has_statistics(g) || option_choice(net, "batchnorm_gradient") == 0)
        return STATUS_OK;
    snprintf(text, sizeof text, "batchnorm_gradient=darknet approximates the gradient of values: [sobolev] at line %d needs the exact one", where->line);
    return option_fail(net, path, "batchnorm_gradient", text);
}

/* A schedule that would move nothing. */
static status check_schedule(const section *where, const char *path, const objective_options *o)
{
    if (o->schedule == SCHEDULE_CONSTANT)
        return STATUS_OK;
    bool ends = option_given(where, "weight_end") || option_given(where, "weight_1_end") || option_given(where, "weight_2_end");
    if (!ends)
        return option_fail(where, path, "weight_schedule", "weight_schedule needs weight_end, weight_1_end or weight_2_end: no weight would move");
    if (o->schedule == SCHEDULE_SWAP && o->swap_at == 0)
        return option_fail(where, path, "weight_schedule", "weight_schedule=swap needs swap_at=");
    return STATUS_OK;
}

static status check_components(const section *where, const char *path, const objective_options *o)
{
    if (o->rms_components && o->target != TARGET_DATA)
        return option_fail(where, path, "component_weights", "component_weights=rms needs target=data: there is nothing to take mean squares of");
    return STATUS_OK;
}

static status check_target(const section *where, const char *path, const objective_options *o)
{
    if (o->target == TARGET_TEACHER && !o->teacher)
        return option_fail(where, path, "target", "target=teacher needs a section [teacher] with cfg=");
    if (o->target == TARGET_DATA && o->teacher)
        return option_fail(where, path, "target",
                           "target=data cannot stand beside [teacher] with cfg=: derivatives are the teacher's, or target=zero");
    return STATUS_OK;
}

bool objective_has_values(const objective_options *o)
{
    return sobolev_has_loss(o, 0) || (o->teacher && (o->teacher->hard_weight > 0 || o->teacher->n_hints > 0));
}

bool objective_takes_logits(const objective_options *o)
{
    const bool hard = o->teacher && o->teacher->hard_weight > 0 && loss_is_of_logits(o->teacher->hard_loss.kind);
    return (sobolev_has_loss(o, 0) && loss_is_of_logits(o->loss[0].kind)) || (o->order > 0 && sobolev_differentiates_probabilities(o)) || hard;
}

bool objective_is_softmax(const graph *g)
{
    return strcmp(g->nodes[g->output_node].where->spec->name, "softmax") == 0;
}

status objective_refuse_softmax(const graph *g, const section *where, const char *path)
{
    char text[192];
    snprintf(text, sizeof text, "[sobolev] at line %d takes the outputs for logits, and this layer makes probabilities of them: leave it out", where->line);
    return section_fail(g->nodes[g->output_node].where, path, text);
}

status objective_check(const graph *g, const section *where, const char *path, const objective_options *o)
{
    status_list found = {.first = STATUS_OK};
    status_collect(&found, check_schedule(where, path, o));
    status_collect(&found, choice_check_losses(g, where, path, o));
    if (o->teacher)
        status_collect(&found, teacher_check(g, where, path, o));
    if (o->order == 0) {
        if (!objective_has_values(o))
            status_collect(&found, option_fail(where, path, "weight", "all weights are 0: there is nothing to train on"));
        return status_collected(&found);
    }
    status_collect(&found, check_target(where, path, o));
    status_collect(&found, check_batchnorm_gradient(g, where, path));
    choice_check_directions(g, where, path, o, &found);
    status_collect(&found, check_components(where, path, o));
    if (o->wrt >= g->output_node)
        status_collect(&found, option_fail(where, path, "wrt", "wrt must name a layer below the network's output"));
    if (o->wrt >= 0 && o->target == TARGET_DATA)
        status_collect(&found, option_fail(where, path, "wrt",
                                           "labels give derivatives with respect to the network's input only: with wrt= use target=zero, or a [teacher]"));
    if (o->differentiated == DIFFERENTIATE_LOG_PROBABILITIES && shape_count(g->nodes[g->output_node].out) < 2)
        status_collect(&found, option_fail(where, path, "differentiate", "differentiate=log_probabilities needs at least two outputs: the log-probability of one is constant"));
    if (o->differentiated == DIFFERENTIATE_LOSS && o->cross_entropy && shape_count(g->nodes[g->output_node].out) < 2)
        status_collect(&found, option_fail(where, path, "objective_loss", "objective_loss=cross_entropy needs at least two outputs: that of one is constant"));
    check_nodes(g, where, path, o, &found);
    return status_collected(&found);
}
