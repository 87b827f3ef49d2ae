/* Batch normalisation in use is linear: y_c = a_c x_c + d_c with a = scale / (sqrt(variance) + eps), d = bias - a mean. So
 *
 *     in the layer below, y = W x + b:   W_f = a_f W_f, b_f = a_f b_f + d_f          when it has no activation
 *     in the layer above, y = W x + b:   b += W d, W_j = W_j a_j                     when that is fully connected
 *     else a convolution of its own with one filter of one number for each channel */
#include "model/export_fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/export_opencv.h"

/* What stock Darknet adds to the deviation, and OpenCV to the variance. */
static const double darknet_epsilon = (double).000001f, opencv_epsilon = 1e-6;

/* ---------------------------------------------------------------- y_c = factor_c x_c + shift_c */

typedef struct affine {
    double *factors, *shifts; /* [channels]; shifts follow the factors */
} affine;

static status affine_of(const layer_arrays *a, affine *result)
{
    result->factors = allocate_zeroed(2 * a->filters, sizeof *result->factors);
    result->shifts = result->factors + a->filters;
    for (size_t c = 0; result->factors && c < a->filters; ++c) {
        result->factors[c] = (double)a->scales[c] / (sqrt((double)a->rolling_variance[c]) + darknet_epsilon);
        result->shifts[c] = (a->biases ? (double)a->biases[c] : 0) - result->factors[c] * (double)a->rolling_mean[c];
    }
    return result->factors ? STATUS_OK : STATUS_NO_MEMORY;
}

static void scale_filters(layer_arrays *a, const double *factors)
{
    for (size_t f = 0; f < a->filters; ++f)
        for (size_t k = 0; k < a->filter_size; ++k)
            a->weights[f * a->filter_size + k] = (float)(factors[f] * (double)a->weights[f * a->filter_size + k]);
}

static void fold_into_below(layer_arrays *a, const affine *g)
{
    scale_filters(a, g->factors);
    for (size_t f = 0; f < a->filters; ++f)
        a->biases[f] = (float)(g->factors[f] * (double)a->biases[f] + g->shifts[f]);
}

/* `pixels` inputs of the connected layer belong to one channel. */
static void fold_into_above(layer_arrays *a, const affine *g, size_t pixels)
{
    for (size_t f = 0; f < a->filters; ++f) {
        float *row = a->weights + f * a->filter_size;
        double bias = (double)a->biases[f];
        for (size_t j = 0; j < a->filter_size; ++j) {
            bias += (double)row[j] * g->shifts[j / pixels];
            row[j] = (float)((double)row[j] * g->factors[j / pixels]);
        }
        a->biases[f] = (float)bias;
    }
}

/* ---------------------------------------------------------------- batch normalisation of a layer's own */

/* If there is one: the bias comes after it. */
static status fold_own_normalisation(layer_arrays *a)
{
    affine g;
    if (!a->scales)
        return STATUS_OK;
    if (affine_of(a, &g) != STATUS_OK)
        return STATUS_NO_MEMORY;
    scale_filters(a, g.factors);
    for (size_t f = 0; f < a->filters; ++f)
        a->biases[f] = (float)g.shifts[f];
    a->scales = a->rolling_mean = a->rolling_variance = NULL;
    free(g.factors);
    return STATUS_OK;
}

/* Whether some channel's factor differs by more than rounding of some layers would. */
static bool readers_disagree(const layer_arrays *a)
{
    const double tolerance = 2e-6;
    for (size_t c = 0; c < a->filters; ++c) {
        double variance = (double)a->rolling_variance[c];
        double ratio = (sqrt(variance) + darknet_epsilon) / sqrt(variance + opencv_epsilon);
        if (!(fabs(ratio - 1) <= tolerance))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------- layers */

static bool is_linear(const plan_layer *l)
{
    return l->arrays.weights && strcmp(l->activation, "linear") == 0;
}

/* The fully connected layer that alone reads this one; NULL otherwise. */
static plan_layer *own_connected_reader(const plan *p, const plan_layer *l)
{
    if (plan_readers(p, l->index) != 1)
        return NULL;
    for (int i = l->index + 1; i < p->n; ++i)
        if (!p->layers[i].dropped && p->layers[i].inputs[0] == l->index)
            return plan_is(&p->layers[i], "connected") ? &p->layers[i] : NULL;
    return NULL;
}

static status replace_batchnorm(plan *p, plan_layer *l)
{
    plan_layer *below = plan_own_input(p, l), *above = own_connected_reader(p, l);
    affine g;
    if (affine_of(&l->arrays, &g) != STATUS_OK)
        return STATUS_NO_MEMORY;
    below = below && is_linear(below) ? below : NULL;
    plan_layer *into = below ? below : above;
    status s = into ? fold_own_normalisation(&into->arrays) : plan_make_convolution(l, g.factors, g.shifts, NULL);
    if (into && s == STATUS_OK) {
        if (into == below)
            fold_into_below(&into->arrays, &g);
        else
            fold_into_above(&into->arrays, &g, (size_t)l->in.height * (size_t)l->in.width);
        s = plan_drop(p, l);
    }
    free(g.factors);
    return s;
}

/* [activation], or [logistic], which is one. */
static status replace_activation(plan *p, plan_layer *l, const char *f)
{
    plan_layer *below = plan_own_input(p, l);
    if (strcmp(f, "linear") == 0)
        return plan_drop(p, l);
    if (!opencv_has_activation(f))
        return STATUS_OK;
    bool fits = below && (below->arrays.weights || plan_is(below, "shortcut"));
    if (!fits || strcmp(below->activation, "linear") != 0)
        return l->shapeless ? STATUS_OK : plan_make_convolution(l, NULL, NULL, f);
    below->activation = f;
    return plan_drop(p, l);
}

static status replace_temperature(plan *p, plan_layer *l)
{
    plan_layer *below = plan_own_input(p, l);
    if (!below || !is_linear(below))
        return STATUS_OK;
    if (fold_own_normalisation(&below->arrays) != STATUS_OK)
        return STATUS_NO_MEMORY;
    for (size_t i = 0; i < below->arrays.filters * below->arrays.filter_size; ++i)
        below->arrays.weights[i] = (float)((double)below->arrays.weights[i] / l->temperature);
    for (size_t f = 0; f < below->arrays.filters; ++f)
        below->arrays.biases[f] = (float)((double)below->arrays.biases[f] / l->temperature);
    l->temperature = 1;
    return STATUS_OK;
}

/* Darknet adds every so many-th pixel of a larger image. */
static void thin_added_layer(const plan *p, plan_layer *l)
{
    tensor_shape added = plan_shape(p, l->inputs[1]);
    int every = added.width / l->in.width;
    if (every > 1 && added.height / l->in.height == every && (added.width - 1) / every + 1 == l->in.width &&
        (added.height - 1) / every + 1 == l->in.height)
        l->thinning = every;
}

/* Darknet's dropout works in the layer below it: when others are folded it may have none. */
static status drop_first_dropouts(plan *p)
{
    status s = STATUS_OK;
    for (plan_layer *l = p->layers; s == STATUS_OK && l < p->layers + p->n; ++l)
        if (!l->dropped && plan_is(l, "dropout") && l->inputs[0] < 0)
            s = plan_drop(p, l);
    return s;
}

static status fold_for_darknet(plan *p, plan_layer *l)
{
    if (plan_is(l, "critic"))
        return plan_drop(p, l);
    if (plan_is(l, "batchnorm"))
        return replace_batchnorm(p, l);
    if (plan_is(l, "convolutional") && l->adopted && l->window.size == 1 && (l->window.stride > 1 || l->window.padding > 0))
        return plan_widen_kernel(l);
    return STATUS_OK;
}

static status fold_for_opencv(plan *p, plan_layer *l)
{
    if (plan_is(l, "activation"))
        return replace_activation(p, l, l->activation);
    if (plan_is(l, "logistic"))
        return replace_activation(p, l, "logistic");
    if (plan_is(l, "shortcut"))
        thin_added_layer(p, l);
    if (plan_is(l, "softmax") && l->temperature != 1)
        return replace_temperature(p, l);
    if (l->arrays.scales && (plan_is(l, "connected") || readers_disagree(&l->arrays)))
        return fold_own_normalisation(&l->arrays);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- public */

status export_fold(plan *p, bool for_opencv)
{
    status s = STATUS_OK;
    for (plan_layer *l = p->layers; s == STATUS_OK && l < p->layers + p->n; ++l)
        if (!l->dropped)
            s = fold_for_darknet(p, l);
    for (plan_layer *l = p->layers; for_opencv && s == STATUS_OK && l < p->layers + p->n; ++l)
        if (!l->dropped)
            s = fold_for_opencv(p, l);
    return s == STATUS_OK ? drop_first_dropouts(p) : s;
}
