#include "train/training_set.h"

#include <stdlib.h>
#include <string.h>

#include "engine/objective_check.h"
#include "train/point_sets.h"
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
    if (plugin_teacher(p) && normalisation_of(p) != NORMALISE_NONE)
        return option_fail(data, plugin_config(p)->path, "normalise", "normalise= cannot stand beside [teacher] with cfg=: its network takes raw numbers");
    return normalisation_of(p) == NORMALISE_NONE ? STATUS_OK : fold_check(p, normalisation_of(p));
}

status training_set_check(training_set *t, plugin_network *p)
{
    status_list found = {.first = STATUS_OK};
    status_collect(&found, check_normalisation(p));
    status data = training_check(p, &t->data);
    status_collect(&found, data);
    if (data == STATUS_OK)
        status_collect(&found, teacher_function_open(p, &t->data, &t->box));
    return status_collected(&found);
}

/* ---------------------------------------------------------------- making */

/* Training samples as the network will see them. */
static status normalise_training(training_set *t, plugin_network *p, FILE *log)
{
    const section *data = config_section(plugin_config(p), "data");
    normalise_kind kind = normalisation_of(p);
    if (kind == NORMALISE_NONE)
        return fold_create(&t->fold, plugin_graph(p), NULL);
    double dropped = option_real(data, "differential_pca");
    status s = normaliser_create(&t->normaliser, &t->training, kind, dropped);
    if (s == STATUS_BAD_CONFIG)
        return option_fail(data, plugin_config(p)->path, "differential_pca", strdupa(status_text()));
    if (s == STATUS_OK)
        s = normalise_dataset(&t->normaliser, &t->training);
    if (s == STATUS_OK)
        s = fold_create(&t->fold, plugin_graph(p), &t->normaliser);
    t->normalised = s == STATUS_OK;
    if (t->normalised && dropped > 0)
        fprintf(log, "differential PCA: %d of %d directions kept\n", t->normaliser.kept, t->normaliser.inputs);
    return s;
}

/* component_weights=rms: 1 / mean square; a component that is always 0 or never given keeps its weight. */
static status weigh_components(const training_set *t, plugin_network *p)
{
    const objective_options *o = plugin_objective(p);
    if (!o || !o->rms_components)
        return STATUS_OK;
    double *sizes = allocate_zeroed((unsigned long)t->training.inputs, sizeof *sizes);
    for (int order = 1; sizes && order <= o->order; ++order) {
        derivative_sizes(&t->training, order, sizes);
        for (int j = 0; j < t->training.inputs; ++j)
            sizes[j] = sizes[j] > 0 ? 1 / (sizes[j] * sizes[j]) : 1;
        plugin_scale_components(p, order, sizes);
    }
    bool complete = sizes != NULL;
    free(sizes);
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Values, unless the training does not look at them or the test samples do not have them; then the first derivatives that are there. */
static dataset_part choose_measure(const training_set *t, plugin_network *p)
{
    static const dataset_part parts[] = {PART_Y, PART_JACOBIAN, PART_JVP, PART_HESSIAN, PART_HVP};
    static const int orders[] = {0, 1, 1, 2, 2};
    const objective_options *o = plugin_objective(p);
    bool values = !o || objective_has_values(o);
    for (int i = values ? 0 : 1; i < 5; ++i)
        if (orders[i] <= evaluation_order(p) && dataset_has_given(&t->test, parts[i]))
            return parts[i];
    return PART_Y;
}

static status give_labels(training_set *t, plugin_network *p)
{
    if (!t->box)
        return teacher_network_label(p, evaluation_order(p), &t->test);
    status s = teacher_function_label(p, t->box, false, &t->training);
    return s == STATUS_OK ? teacher_function_label(p, t->box, true, &t->test) : s;
}

status training_set_make(training_set *t, plugin_network *p, FILE *log)
{
    status s = data_source_training(&t->data, &t->training);
    if (s == STATUS_OK)
        s = data_source_test(&t->data, &t->test);
    if (s == STATUS_OK)
        s = give_labels(t, p);
    if (s != STATUS_OK)
        return s;
    t->measure = choose_measure(t, p);
    s = normalise_training(t, p, log);
    if (s == STATUS_OK)
        s = weigh_components(t, p);
    return s == STATUS_OK ? batches_create(&t->batches, p, &t->training) : s;
}

void training_set_free(training_set *t)
{
    batches_free(&t->batches);
    fold_free(&t->fold);
    normaliser_free(&t->normaliser);
    dataset_free(&t->training);
    dataset_free(&t->test);
    black_box_free(t->box);
    data_source_free(&t->data);
}

double training_set_mean_error(const training_set *t)
{
    double squares = 0, given = 0;
    for (int k = 0; k < t->test.outputs && t->test.parts[PART_Y]; ++k) {
        double mean, deviation, n = (double)dataset_component(&t->test, PART_Y, k, &mean, &deviation);
        squares += n * deviation * deviation;
        given += n;
    }
    return given > 0 ? squares / given : 0;
}
