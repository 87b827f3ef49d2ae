#include "engine/loss_weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* ---------------------------------------------------------------- creating */

static status fail_length(const section *where, const char *path, const char *key, int given, size_t count)
{
    char text[128];
    snprintf(text, sizeof text, "%s has %d number%s, but there %s %zu", key, given, given == 1 ? "" : "s", count == 1 ? "is" : "are", count);
    return option_fail(where, path, key, text);
}

/* A list of the cfg; *weights stays NULL without it. */
static status read_list(loss_weights *w, const section *where, const char *path, const char *key, size_t count, real **weights)
{
    if (!where || !option_given(where, key))
        return STATUS_OK;
    int given = option_reals(where, key, NULL, 0);
    if ((size_t)given != count)
        return fail_length(where, path, key, given, count);
    double *values = allocate_zeroed(count, sizeof *values);
    *weights = w->be->allocate(count);
    double sum = 0;
    if (values && *weights)
        option_reals(where, key, values, given);
    for (size_t i = 0; values && *weights && i < count; ++i) {
        (*weights)[i] = (real)values[i];
        sum += values[i];
    }
    bool complete = values && *weights;
    free(values);
    if (complete && sum == 0)
        return option_fail(where, path, key, "all weights of this list are 0: nothing would be left of the losses that they weigh");
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

static status allocate_ones(const backend *be, size_t count, real **weights)
{
    *weights = be->allocate(count);
    if (!*weights)
        return STATUS_NO_MEMORY;
    be->fill(count, 1, *weights);
    return STATUS_OK;
}

/* Whether the rows of an order have weights of their own. */
static bool weighs_rows(const loss_weights *w, const objective_options *o, int order)
{
    return w->outputs || (order > 1 && (w->inputs || o->label_directions > 0));
}

static status spread(loss_weights *w, const objective_options *o)
{
    status s = STATUS_OK;
    for (int k = 1; k <= o->order && s == STATUS_OK; ++k) {
        size_t rows = (size_t)w->form.capacity * (size_t)w->form.n_v1 * (k > 1 ? (size_t)w->form.n_v2 : 1);
        if (w->inputs || o->rms_components)
            s = allocate_ones(w->be, w->form.inputs, &w->components[k]);
        if (s == STATUS_OK && w->inputs)
            w->be->copy(w->form.inputs, w->inputs, w->components[k]);
        if (s == STATUS_OK && weighs_rows(w, o, k))
            s = allocate_ones(w->be, rows, &w->rows[k]);
    }
    return s;
}

/* A vector scaled by the roots of the weights gives the weighted sum only where the loss is quadratic. */
static status check_random(const loss_weights *w, const objective_options *o, const char *path)
{
    bool quadratic = o->order < 1 || (o->loss[1].kind == LOSS_L2 && (o->order < 2 || o->loss[2].kind == LOSS_L2));
    if (quadratic)
        return STATUS_OK;
    if (w->outputs && w->outputs_are_random)
        return option_fail(o->where, path, "output_weights", "output_weights with projections= need loss_1=l2 (and loss_2=l2)");
    if (w->inputs && w->inputs_are_random && o->order > 1)
        return option_fail(o->where, path, "input_weights", "input_weights with projections_2= need loss_2=l2 (and loss_1=l2)");
    return STATUS_OK;
}

status loss_weights_create(loss_weights *w, const backend *be, const objective_options *o, loss_form form, const char *path)
{
    *w = (loss_weights){.be = be, .form = form, .one_output = form.top == 1};
    w->outputs_are_random = o->projections > 0 && !w->one_output;
    w->inputs_are_random = o->projections_2 > 0;
    if (o->differentiated == DIFFERENTIATE_LOSS && o->order > 0 && o->where && option_given(o->where, "output_weights"))
        return option_fail(o->where, path, "output_weights", "differentiate=loss has one value to differentiate: output_weights cannot be given");
    status s = read_list(w, o->where, path, "output_weights", form.outputs, &w->outputs);
    if (s == STATUS_OK && o->order > 0)
        s = read_list(w, o->where, path, "input_weights", form.inputs, &w->inputs);
    if (s == STATUS_OK)
        s = check_random(w, o, path);
    return s == STATUS_OK ? spread(w, o) : s;
}

void loss_weights_free(loss_weights *w)
{
    if (!w->be)
        return;
    w->be->release(w->outputs);
    w->be->release(w->inputs);
    for (int k = 1; k <= JET_MAX_ORDER; ++k) {
        w->be->release(w->components[k]);
        w->be->release(w->rows[k]);
    }
    *w = (loss_weights){0};
}

/* ---------------------------------------------------------------- use */

void loss_weights_scale(loss_weights *w, int order, const double *factors)
{
    real *weights = w->components[order];
    for (size_t j = 0; weights && j < w->form.inputs; ++j)
        weights[j] = (real)((double)weights[j] * factors[j]);
}

/* Element k of every vector times the root of its weight. */
static void scale_vectors(size_t vectors, size_t count, const real *weights, real *v)
{
    for (size_t i = 0; weights && i < vectors * count; ++i)
        v[i] *= (real)sqrt((double)weights[i % count]);
}

void loss_weights_scale_outputs(const loss_weights *w, size_t vectors, real *v1)
{
    if (w->outputs_are_random)
        scale_vectors(vectors, w->form.top, w->outputs, v1);
}

void loss_weights_scale_inputs(const loss_weights *w, size_t vectors, real *v2)
{
    if (w->inputs_are_random)
        scale_vectors(vectors, w->form.inputs, w->inputs, v2);
}

static double output_weight(const loss_weights *w, int v1)
{
    if (!w->outputs || w->outputs_are_random)
        return 1;
    return (double)w->outputs[w->one_output ? 0 : v1];
}

/* Of the pair (v1, v2) of a sample. */
static double input_weight(const loss_weights *w, const label_layout *layout, const real *sample, int v2)
{
    if (layout->directions > 0)
        return (double)sample[labels_direction(layout, v2) + labels_weight(layout)];
    return w->inputs && !w->inputs_are_random ? (double)w->inputs[v2] : 1;
}

static void fill_pairs(loss_weights *w, const label_layout *layout, const real *truth, int batch, int v1)
{
    for (int v2 = 0; v2 < w->form.n_v2; ++v2)
        for (int b = 0; b < batch; ++b) {
            size_t row = ((size_t)v1 * (size_t)w->form.n_v2 + (size_t)v2) * (size_t)batch + (size_t)b;
            w->rows[2][row] = (real)(output_weight(w, v1) * input_weight(w, layout, truth + (size_t)b * labels_count(layout), v2));
        }
}

void loss_weights_fill_rows(loss_weights *w, const label_layout *layout, const real *truth, int batch)
{
    for (int v1 = 0; w->rows[1] && v1 < w->form.n_v1; ++v1)
        w->be->fill((size_t)batch, (real)output_weight(w, v1), w->rows[1] + (size_t)v1 * (size_t)batch);
    for (int v1 = 0; w->rows[2] && v1 < w->form.n_v1; ++v1)
        fill_pairs(w, layout, truth, batch, v1);
}

loss_function loss_weights_of(const loss_weights *w, int order, loss_function loss)
{
    loss.weights = order == 0 ? w->outputs : w->components[order];
    loss.row_weights = w->rows[order];
    return loss;
}
