#include <math.h>
#include <stdio.h>

#include "data/domain.h"
#include "program/arguments.h"
#include "train/evaluate.h"
#include "train/point_sets.h"
#include "train/teacher_labels.h"
#include "train/training_check.h"

static void print_measure(const char *name, double value)
{
    if (isfinite(value))
        printf("%s %.9g\n", name, value);
}

/* What ten crops need of the data. */
static status check_crops(const data_source *d, bool classes)
{
    if (d->streams.test.stream && d->streams.test.stream->crops > 1 && classes)
        return STATUS_OK;
    return data_fail(d->where, d->path, option_given(d->where, "view") ? "view" : stream_source_key(d->where),
                     "-crops=10 needs pictures with classes, of which view=centre_crop shows a part");
}

/* Test samples in memory; the teacher's labels where they have none, as in training. */
static status make_tests(plugin_network *p, data_source *data, dataset *test)
{
    black_box *box = NULL;
    status s = data_source_test(data, test);
    if (s == STATUS_OK)
        s = teacher_function_open(p, data, &box);
    if (s == STATUS_OK)
        s = teacher_label_tests(p, box, test);
    black_box_free(box);
    return s;
}

static status validate(plugin_network *p, const char *weights, int crops)
{
    dataset test = {0};
    data_source data;
    evaluator *e = NULL;
    status s = training_check(p, &data);
    if (s != STATUS_OK)
        return s;
    bool streamed = data_source_is_streamed(&data);
    evaluation result;
    char name[TOP_NAME];
    const sample_stream *tests = data.streams.test.stream;
    if (streamed && !tests->has_labels && !stream_has_derivatives(tests) && !plugin_teacher_graph(p))
        s = data_fail(data.where, data.path, stream_source_key(data.where), "the test samples have no labels, and there is no [teacher] whose files can be read");
    else
        s = streamed ? stream_source_prepare(&data.streams, data.where, data.path) : make_tests(p, &data, &test);
    if (s == STATUS_OK && crops > 1)
        s = check_crops(&data, data_scores(p, &data) != SCORES_NONE);
    if (s == STATUS_OK)
        s = plugin_load_weights(p, weights);
    if (s == STATUS_OK)
        s = data_evaluator_create(&e, p, &data);
    if (s == STATUS_OK && crops > 1)
        s = evaluator_run_crops(e, &data.streams.test, crops, &result);
    else if (s == STATUS_OK && streamed)
        s = evaluator_run_streamed(e, &data.streams.test, &result);
    else if (s == STATUS_OK)
        result = evaluator_run(e, &test);
    if (s == STATUS_OK) {
        printf("points %d\n", streamed ? (int)data.streams.test.n : test.points);
        print_measure("value_mse", result.value_mse);
        print_measure("gradient_mse", result.gradient_mse);
        print_measure("hessian_mse", result.hessian_mse);
        print_measure("directional_mse", result.directional_mse);
        print_measure("error", result.error);
        print_measure(evaluation_top_name(&result, name), result.top_error);
        print_measure("kl", result.kl);
    }
    evaluator_free(e);
    dataset_free(&test);
    data_source_free(&data);
    return s;
}

static int valid(const arguments *a)
{
    plugin_network *p;
    int result = load_cfg(a, LOAD_TO_TEST, &p);
    if (!p)
        return result;
    status s = validate(p, a->positional[1], a->crops);
    plugin_free(p);
    return s == STATUS_OK ? EXIT_OK : report_failure(s);
}

const verb verb_valid = {
    .name = "valid",
    .synopsis = "CFG WEIGHTS",
    .meaning = "measure trained weights on the test set of the cfg",
    .details = "Prints the number of test points and the mean squared errors of values, gradients and (order=2) Hessians. Unless it\n"
               "is a file of its own, the test set depends on the seed: give the run's. Samples without labels are compared with what\n"
               "the [teacher] says. Of classifiers also the part of the samples whose class is not the largest output, or not among\n"
               "the 5 largest (data.top), and the mean of KL (of classes: the cross entropy). -crops 10: by the mean of the\n"
               "probabilities of ten crops of each picture.\n",
    .least = 2,
    .most = 2,
    .flags = FLAG_CFG | FLAG_CROPS,
    .takes_long = true,
    .run = valid,
};
