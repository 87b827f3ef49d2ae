#include "train/point_sets.h"

#include "core/logit_loss_math.h"
#include "data/image_files.h"
#include "train/teacher_labels.h"

status training_data_open(data_source *d, plugin_network *p)
{
    const config *c = plugin_config(p);
    const graph *g = plugin_graph(p);
    const section *s = config_section(c, "data");
    const objective_options *o = plugin_objective(p);
    const label_layout *labels = plugin_labels(p);
    const teacher_options *t = plugin_teacher(p);
    const bool function = teacher_function(p) != NULL;
    bool head = o && o->order > 0 && o->differentiated != DIFFERENTIATE_OUTPUT;
    *d = (data_source){0};
    if (!s)
        return status_fail(STATUS_BAD_CONFIG, "%s:%d: error: there is no [data] section: nothing says what to train on", c->path, c->sections[0].line);
    data_needs needs = {
        .inputs = (int)shape_count(g->input),
        .outputs = (int)shape_count(g->nodes[g->output_node].out),
        .input = g->input,
        .pictures = &picture_tools_of_opencv,
        .order = labels ? labels->order : 0,
        .evaluation_order = evaluation_order(p),
        .directions = labels ? labels->directions : 0,
        .needs_values = t ? t->hard_weight > 0 : !o || sobolev_has_loss(o, 0) || (o->order > 0 && o->projection == PROJECTION_CLASS),
        .teacher = function || plugin_teacher_graph(p),
        .needs_first = labels && labels->order > 0 && sobolev_has_loss(o, 1),
        .head = head && (o->target == TARGET_DATA || o->differentiated == DIFFERENTIATE_LOSS),
        .whole_jacobian = head && o->order > 1 && o->target == TARGET_DATA,
        .seed = plugin_seed(p),
        .processes = plugin_threads(p),
    };
    if (function) /* its labels come later, whatever the data say */
        needs = (data_needs){.inputs = needs.inputs, .outputs = needs.outputs, .teacher = true, .seed = needs.seed, .processes = needs.processes};
    return data_source_open(d, s, c->path, &needs);
}

static loss_kind value_loss(plugin_network *p)
{
    const objective_options *o = plugin_objective(p);
    const teacher_options *t = plugin_teacher(p);
    if (!o || (!t && !sobolev_has_loss(o, 0)))
        return LOSS_L2;
    return t && t->hard_weight > 0 ? t->hard_loss.kind : o->loss[0].kind;
}

label_scores data_scores(plugin_network *p, const data_source *d)
{
    const graph *g = plugin_graph(p);
    const sample_stream *stream = d->streams.stream;
    loss_kind loss = value_loss(p);
    if (shape_count(g->nodes[g->output_node].out) < 2)
        return SCORES_NONE;
    if (stream && stream->has_labels && stream->of_classes)
        return stream->labels == LABELS_CLASSES ? SCORES_PROBABILITIES : SCORES_LOGITS;
    if (!loss_is_of_logits(loss))
        return SCORES_NONE;
    return loss == LOSS_CROSS_ENTROPY && !(stream && !stream->has_labels) ? SCORES_PROBABILITIES : SCORES_LOGITS;
}

int data_loaders(plugin_network *p)
{
    const int few = 2;
    const section *data = config_section(plugin_config(p), "data");
    return (int)option_integer_or(data, "loaders", few);
}

static int data_top(plugin_network *p, const data_source *d)
{
    const int usual = 5, outputs = (int)shape_count(plugin_graph(p)->nodes[plugin_graph(p)->output_node].out);
    int top = (int)option_integer_or(d->where, "top", d->streams.top ? d->streams.top : usual);
    return top < outputs ? top : 0;
}

status data_evaluator_create(evaluator **e, plugin_network *p, const data_source *d)
{
    bool streamed = data_source_is_streamed(d);
    label_scores scores = data_scores(p, d);
    graph *teacher_graph = plugin_teacher_graph(p);
    bool values_alone = streamed && !stream_has_derivatives(d->streams.test.stream);
    status s = evaluator_create(e, p, values_alone ? 0 : evaluation_order(p));
    if (s == STATUS_OK && scores != SCORES_NONE)
        evaluator_compare_classes(*e, scores == SCORES_PROBABILITIES, data_top(p, d));
    if (s == STATUS_OK && streamed && teacher_graph)
        s = evaluator_ask_teacher(*e, teacher_graph, plugin_backend(p));
    return s;
}
