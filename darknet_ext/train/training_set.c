#include "train/training_set.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/logit_loss_math.h"
#include "data/domain.h"
#include "engine/objective_check.h"
#include "train/point_sets.h"
#include "train/sample_pieces.h"
#include "train/teacher_labels.h"
#include "train/training_check.h"

/* ---------------------------------------------------------------- checking */

static normalise_kind normalisation_of(plugin_network *p)
{
    return (normalise_kind)option_choice(config_section(plugin_config(p), "data"), "normalise");
}

static status check_normalisation(plugin_network *p)
{
    const section *data = config_section(plugin_config(p), "data");
    if (!data)
        return STATUS_OK;
    const objective_options *o = plugin_objective(p);
    bool reduces = option_real(data, "differential_pca") > 0;
    if (reduces && normalisation_of(p) == NORMALISE_NONE)
        return option_fail(data, plugin_config(p)->path, "differential_pca", "[data] differential_pca needs normalise=inputs or normalise=all");
    if (reduces && o && o->where && option_given(o->where, "input_weights"))
        return option_fail(o->where, plugin_config(p)->path, "input_weights", "input_weights mean nothing beside differential_pca, which turns the inputs");
    if (reduces && plugin_teacher(p))
        return option_fail(data, plugin_config(p)->path, "differential_pca",
                           "differential_pca cannot stand beside [teacher] with cfg=: it needs gradients of labels, and would take inputs from the teacher");
    return normalisation_of(p) == NORMALISE_NONE ? STATUS_OK : fold_check(p, normalisation_of(p));
}

/* Losses that compare with the data's labels, and labels that they would misread. */
static status check_label_kind(const training_set *t, plugin_network *p)
{
    const sample_stream *stream = t->data.streams.stream;
    const objective_options *o = plugin_objective(p);
    const teacher_options *taught = plugin_teacher(p);
    const char *key = taught ? "hard_loss" : "loss", *path = plugin_config(p)->path;
    if (!o || !stream->has_labels || !stream->of_classes || (taught ? !(taught->hard_weight > 0) : !sobolev_has_loss(o, 0)))
        return STATUS_OK;
    loss_kind kind = taught ? taught->hard_loss.kind : o->loss[0].kind;
    const section *where = taught ? taught->where : config_section(plugin_config(p), "sobolev");
    if (kind == LOSS_CROSS_ENTROPY && stream->labels != LABELS_CLASSES)
        return option_fail(where, path, key, "cross_entropy compares with probabilities, and the labels are logits (labels=probabilities becomes them): kl_reverse, "
                                             "which differs by a constant, takes those");
    if (loss_is_of_logits(kind) && kind != LOSS_CROSS_ENTROPY && stream->labels == LABELS_CLASSES)
        return option_fail(where, path, key, "kl and kl_reverse compare with logits, and the labels are classes: cross_entropy takes those");
    return STATUS_OK;
}

static status fail_without_labels(const training_set *t, const char *path)
{
    return data_fail(t->data.where, path, stream_source_key(t->data.where), "the test samples have no labels: nothing says how good the network is");
}

/* An update of fewer samples than it asks for would see some of them twice. */
static status check_streams(training_set *t, plugin_network *p)
{
    const config *c = plugin_config(p);
    const section *net = &c->sections[0];
    long batch = option_integer(net, "batch");
    char text[160];
    if (!data_source_is_streamed(&t->data))
        return STATUS_OK;
    if (teacher_function(p))
        return option_fail(teacher_function(p), c->path, "function", "a function gives its labels once, to samples in memory, and these are read in pieces");
    const sample_stream *tests = t->data.streams.test.stream;
    if (!tests->has_labels && !stream_has_derivatives(tests) && !config_section(c, "teacher"))
        return fail_without_labels(t, c->path);
    const bool mirror = option_boolean(t->data.where, "mirror");
    status s = check_label_kind(t, p);
    if (s != STATUS_OK || (long)t->data.streams.training.n >= (mirror ? batch / 2 : batch))
        return s;
    snprintf(text, sizeof text, "an update takes batch=%ld samples%s, but there are %lu to train on", batch,
             mirror ? ", half of them mirror images" : "", (unsigned long)t->data.streams.training.n);
    return option_fail(net, c->path, "batch", text);
}

static status check_logits(plugin_network *p)
{
    const objective_options *o = plugin_objective(p);
    bool refused = o && o->where && objective_takes_logits(o) && objective_is_softmax(plugin_graph(p));
    return refused ? objective_refuse_softmax(plugin_graph(p), o->where, plugin_config(p)->path) : STATUS_OK;
}

status training_set_check(training_set *t, plugin_network *p)
{
    status_list found = {.first = STATUS_OK};
    status_collect(&found, check_normalisation(p));
    status_collect(&found, check_logits(p));
    status data = training_check(p, &t->data);
    status_collect(&found, data);
    status_collect(&found, check_streams(t, p));
    if (data == STATUS_OK && !data_source_is_streamed(&t->data))
        status_collect(&found, teacher_function_open(p, &t->data, &t->box));
    return status_collected(&found);
}

/* ---------------------------------------------------------------- making */

/* Training samples, or some of them, become what the network will see. */
static status normalise_training(training_set *t, plugin_network *p, dataset *training, FILE *log)
{
    const section *data = config_section(plugin_config(p), "data");
    normalise_kind kind = normalisation_of(p);
    if (kind == NORMALISE_NONE)
        return fold_create(&t->fold, plugin_graph(p), NULL);
    double dropped = option_real(data, "differential_pca");
    status s = kind == NORMALISE_ALL ? teacher_network_label(p, 0, training) : STATUS_OK;
    if (s == STATUS_OK)
        s = normaliser_create(&t->normaliser, training, kind, dropped);
    if (s == STATUS_BAD_CONFIG)
        return option_fail(data, plugin_config(p)->path, "differential_pca", strdupa(status_text()));
    if (s == STATUS_OK)
        s = normalise_dataset(&t->normaliser, training);
    if (s == STATUS_OK)
        s = fold_create(&t->fold, plugin_graph(p), &t->normaliser);
    if (s == STATUS_OK && plugin_teacher_graph(p))
        s = fold_create(&t->teacher_fold, plugin_teacher_graph(p), &t->normaliser);
    if (s == STATUS_OK)
        fold_inverse(&t->teacher_fold);
    t->normalised = s == STATUS_OK;
    if (t->normalised && dropped > 0)
        fprintf(log, "differential PCA: %d of %d directions kept\n", t->normaliser.kept, t->normaliser.inputs);
    return s;
}

/* component_weights=rms: 1 / mean square; a component that is always 0 or never given keeps its weight. */
static status weigh_components(const dataset *training, plugin_network *p)
{
    const objective_options *o = plugin_objective(p);
    if (!o || !o->rms_components)
        return STATUS_OK;
    double *sizes = allocate_zeroed((unsigned long)training->inputs, sizeof *sizes);
    for (int order = 1; sizes && order <= o->order; ++order) {
        derivative_sizes(training, order, sizes);
        for (int j = 0; j < training->inputs; ++j)
            sizes[j] = sizes[j] > 0 ? 1 / (sizes[j] * sizes[j]) : 1;
        plugin_scale_components(p, order, sizes);
    }
    bool complete = sizes != NULL;
    free(sizes);
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

/* What the best weights can be chosen by. */
static const struct {
    dataset_part part;
    int order;
} measures[] = {{PART_Y, 0}, {PART_JACOBIAN, 1}, {PART_JVP, 1}, {PART_HESSIAN, 2}, {PART_HVP, 2}};

/* Values, unless the training does not look at them or the test samples do not have them; then the first derivatives that they have. */
static dataset_part choose_measure(plugin_network *p, const bool given[PART_COUNT])
{
    const objective_options *o = plugin_objective(p);
    bool values = !o || objective_has_values(o);
    for (size_t i = values ? 0 : 1; i < sizeof measures / sizeof *measures; ++i)
        if (measures[i].order <= evaluation_order(p) && given[measures[i].part])
            return measures[i].part;
    return PART_Y;
}

/* Whether any sample has one of the labels first..first+count-1. */
static status find_given(const sample_set *set, size_t first, size_t count, bool *given)
{
    float *labels = allocate_zeroed(stream_labels(set->stream), sizeof *labels);
    void *scratch = malloc(stream_scratch(set->stream));
    status s = labels && scratch ? STATUS_OK : STATUS_NO_MEMORY;
    *given = false;
    for (uint32_t i = 0; i < set->n && s == STATUS_OK && !*given; ++i) {
        s = stream_read(set->stream, set->samples[i], NULL, scratch, NULL, labels);
        for (size_t k = first; k < first + count && s == STATUS_OK; ++k)
            *given |= !isnan(labels[k]);
    }
    free(labels);
    free(scratch);
    return s;
}

static status find_given_parts(const sample_set *tests, int order, bool given[PART_COUNT])
{
    const sample_stream *stream = tests->stream;
    status s = STATUS_OK;
    for (size_t i = 0; i < sizeof measures / sizeof *measures && s == STATUS_OK; ++i) {
        dataset_part part = measures[i].part;
        bool there = part == PART_Y ? stream->has_labels : stream_has(stream, part) && measures[i].order <= order;
        if (there)
            s = find_given(tests, stream_labels_before(stream, part), stream_part_size(stream, part), &given[part]);
    }
    return s;
}

/* As of tests in memory; values also where a teacher gives them. */
static status choose_streamed_measure(training_set *t, plugin_network *p)
{
    const sample_set *tests = &t->data.streams.test;
    const objective_options *o = plugin_objective(p);
    bool given[PART_COUNT] = {false};
    t->measure = PART_Y;
    if (!tests->stream->has_labels && o && o->teacher)
        return STATUS_OK;
    status s = find_given_parts(tests, evaluation_order(p), given);
    if (s != STATUS_OK)
        return s;
    t->measure = choose_measure(p, given);
    return given[t->measure] ? STATUS_OK : fail_without_labels(t, plugin_config(p)->path);
}

/* ---------------------------------------------------------------- samples in pieces */

enum { LOOKED_AT = 1 << 25 /* numbers of training samples at most */ };

static unsigned parts_to_look_at(const sample_stream *stream, plugin_network *p)
{
    const section *data = config_section(plugin_config(p), "data");
    const objective_options *o = plugin_objective(p);
    const bool teacher_gives_values = plugin_teacher(p) && !stream->has_labels;
    unsigned parts = 1u << PART_X | (teacher_gives_values ? 0 : 1u << PART_Y);
    if (option_real(data, "differential_pca") > 0 || (o && o->rms_components))
        parts |= 1u << PART_JACOBIAN;
    return o && o->rms_components && o->order > 1 ? parts | 1u << PART_HESSIAN | 1u << PART_HVP : parts;
}

/* Of directions fewer samples than there are inputs know nothing, and they would be dropped. */
static status check_enough_samples(plugin_network *p, const dataset *some, uint32_t all)
{
    char text[200];
    const section *data = config_section(plugin_config(p), "data");
    if (option_real(data, "differential_pca") <= 0 || (uint32_t)some->points == all || some->points > some->inputs)
        return STATUS_OK;
    snprintf(text, sizeof text, "differential_pca looks at %d of the %lu training samples, which are too large: it needs more of them than the %d inputs",
             some->points, (unsigned long)all, some->inputs);
    return option_fail(data, plugin_config(p)->path, "differential_pca", text);
}

/* What is decided by looking at the training samples: their normalisation, and weights of components. */
static status look_at_samples(training_set *t, plugin_network *p, FILE *log)
{
    dataset some = {0};
    const objective_options *o = plugin_objective(p);
    sample_set *training = &t->data.streams.training;
    if (normalisation_of(p) == NORMALISE_NONE && !(o && o->rms_components))
        return normalise_training(t, p, NULL, log);
    status s = sample_pieces_gather(training, parts_to_look_at(training->stream, p), LOOKED_AT, &some);
    if (s == STATUS_OK && (uint32_t)some.points < training->n)
        fprintf(log, "normalisation and weights of components: from %d of the %lu training samples\n", some.points, (unsigned long)training->n);
    if (s == STATUS_OK)
        s = check_enough_samples(p, &some, training->n);
    if (s == STATUS_OK)
        s = normalise_training(t, p, &some, log);
    if (s == STATUS_OK)
        s = weigh_components(&some, p);
    dataset_free(&some);
    training->normaliser = t->normalised ? &t->normaliser : NULL;
    return s;
}

/* Whether the loss finds a label in the training samples, when labels may be missing. */
static status check_streamed_training(const training_set *t, plugin_network *p)
{
    const section *data = config_section(plugin_config(p), "data");
    const sample_set *training = &t->data.streams.training;
    const data_needs *needs = &t->data.needs;
    bool given[PART_COUNT] = {false};
    if (!option_boolean(data, "missing") || needs->teacher)
        return STATUS_OK;
    status s = find_given_parts(training, needs->order, given);
    bool derivatives = given[PART_JACOBIAN] || given[PART_JVP] || given[PART_HESSIAN] || given[PART_HVP];
    if (s != STATUS_OK || derivatives || (needs->needs_values ? given[PART_Y] : needs->order == 0))
        return s;
    return data_fail(data, plugin_config(p)->path, stream_source_key(data), "none of the training samples has a label that could be used");
}

static status make_streamed(training_set *t, plugin_network *p, FILE *log)
{
    const section *data = config_section(plugin_config(p), "data");
    status s = stream_source_prepare(&t->data.streams, data, plugin_config(p)->path);
    if (s == STATUS_OK)
        s = choose_streamed_measure(t, p);
    t->classes = t->measure == PART_Y && data_scores(p, &t->data) != SCORES_NONE;
    if (s == STATUS_OK)
        s = check_streamed_training(t, p);
    if (s == STATUS_OK)
        s = look_at_samples(t, p, log);
    return s == STATUS_OK ? batches_create_streamed(&t->batches, p, &t->data.streams.training, data_loaders(p)) : s;
}

/* ---------------------------------------------------------------- all of them */

static status give_labels(training_set *t, plugin_network *p)
{
    status s = t->box ? teacher_function_label(p, t->box, false, &t->training) : STATUS_OK;
    return s == STATUS_OK ? teacher_label_tests(p, t->box, &t->test) : s;
}

status training_set_make(training_set *t, plugin_network *p, FILE *log)
{
    if (data_source_is_streamed(&t->data))
        return make_streamed(t, p, log);
    status s = data_source_training(&t->data, &t->training);
    if (s == STATUS_OK)
        s = data_source_test(&t->data, &t->test);
    if (s == STATUS_OK)
        s = give_labels(t, p);
    if (s != STATUS_OK)
        return s;
    bool given[PART_COUNT];
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        given[part] = dataset_has_given(&t->test, part);
    t->measure = choose_measure(p, given);
    t->classes = dataset_has_given(&t->test, PART_Y) && t->measure == PART_Y && data_scores(p, &t->data) != SCORES_NONE;
    s = normalise_training(t, p, &t->training, log);
    if (s == STATUS_OK)
        s = weigh_components(&t->training, p);
    return s == STATUS_OK ? batches_create(&t->batches, p, &t->training) : s;
}

void training_set_free(training_set *t)
{
    batches_free(&t->batches);
    fold_free(&t->fold);
    fold_free(&t->teacher_fold);
    normaliser_free(&t->normaliser);
    dataset_free(&t->training);
    dataset_free(&t->test);
    black_box_free(t->box);
    data_source_free(&t->data);
}

int training_set_points(const training_set *t)
{
    return t->batches.loader ? (int)t->data.streams.training.n : t->training.points;
}

status training_set_evaluate(training_set *t, evaluator *e, evaluation *result)
{
    if (t->batches.loader) {
        fold_in(&t->teacher_fold);
        status s = evaluator_run_streamed(e, &t->data.streams.test, result);
        fold_out(&t->teacher_fold);
        return s;
    }
    *result = evaluator_run(e, &t->test);
    return STATUS_OK;
}

/* The variance of the labels, over the first test samples that can be read. */
static double streamed_mean_error(const sample_set *set)
{
    enum { ENOUGH = 10000 };
    const sample_stream *s = set->stream;
    size_t m = (size_t)s->outputs;
    double *sums = allocate_zeroed(3 * m, sizeof *sums), *squares = sums + m, *given = sums + 2 * m, total = 0, counted = 0;
    float *y = allocate_zeroed(stream_labels(s), sizeof *y);
    void *scratch = malloc(stream_scratch(s));
    for (uint32_t i = 0; sums && y && scratch && i < set->n && i < ENOUGH && stream_read(s, set->samples[i], NULL, scratch, NULL, y) == STATUS_OK; ++i)
        for (size_t k = 0; k < m; ++k)
            if (!isnan(y[k])) {
                sums[k] += (double)y[k];
                squares[k] += (double)y[k] * (double)y[k];
                ++given[k];
            }
    for (size_t k = 0; sums && k < m; ++k) {
        total += given[k] > 0 ? squares[k] - sums[k] * sums[k] / given[k] : 0;
        counted += given[k];
    }
    free(sums);
    free(y);
    free(scratch);
    return counted > 0 ? total / counted : 0;
}

double training_set_mean_error(const training_set *t)
{
    if (t->classes)
        return log(t->data.needs.outputs);
    if (t->batches.loader)
        return streamed_mean_error(&t->data.streams.test);
    double squares = 0, given = 0;
    for (int k = 0; k < t->test.outputs && t->test.parts[PART_Y]; ++k) {
        double mean, deviation, n = (double)dataset_component(&t->test, PART_Y, k, &mean, &deviation);
        squares += n * deviation * deviation;
        given += n;
    }
    return given > 0 ? squares / given : 0;
}
