#include "data/normalise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/missing.h"
#include "data/eigen.h"

/* ---------------------------------------------------------------- small matrices, [n, n] row by row */

static double *matrix_create(int n)
{
    return allocate_zeroed((unsigned long)n * (unsigned long)n, sizeof(double));
}

/* out = a b */
static void matrix_product(int n, const double *a, const double *b, double *out)
{
    size_t size = (size_t)n;
    memset(out, 0, size * size * sizeof *out);
    for (size_t i = 0; i < size; ++i)
        for (size_t k = 0; k < size; ++k)
            for (size_t j = 0; j < size && a[i * size + k] != 0; ++j)
                out[i * size + j] += a[i * size + k] * b[k * size + j];
}

/* out = m x, or m^T x, for one of the two matrices of n. */
static void matrix_apply(const normaliser *n, const double *m, bool transposed, const double *x, double *out)
{
    size_t size = (size_t)n->inputs;
    for (size_t i = 0; i < size; ++i) {
        double sum = n->diagonal ? product_given(m[i], x[i]) : 0;
        for (size_t j = 0; j < size && !n->diagonal; ++j)
            sum += product_given(transposed ? m[j * size + i] : m[i * size + j], x[j]);
        out[i] = sum;
    }
}

/* ---------------------------------------------------------------- means and deviations */

/* What does not vary keeps its scale. */
static double scale_of(double deviation)
{
    return deviation > 0 ? deviation : 1;
}

static void scale_inputs(normaliser *n, const dataset *d)
{
    for (int j = 0; j < n->inputs; ++j) {
        double deviation;
        size_t diagonal = n->diagonal ? (size_t)j : (size_t)j * (size_t)n->inputs + (size_t)j;
        dataset_component(d, PART_X, j, &n->mean_x[j], &deviation);
        deviation = scale_of(deviation);
        n->forward[diagonal] = 1 / deviation;
        n->inverse[diagonal] = deviation;
    }
}

static void scale_outputs(normaliser *n, const dataset *d)
{
    for (int k = 0; k < n->outputs; ++k) {
        n->mean_y[k] = 0;
        n->scale_y[k] = 1;
        if (n->scales_outputs && d->parts[PART_Y]) {
            dataset_component(d, PART_Y, k, &n->mean_y[k], &n->scale_y[k]);
            n->scale_y[k] = scale_of(n->scale_y[k]);
        }
    }
}

/* ---------------------------------------------------------------- differential PCA */

/* Of the inputs with mean 0 and deviation 1. */
static double *correlations(const normaliser *n, const dataset *d, const double *deviations)
{
    size_t size = (size_t)n->inputs;
    double *c = matrix_create(n->inputs);
    for (int i = 0; c && i < d->points; ++i) {
        const double *x = dataset_at(d, PART_X, (size_t)i);
        for (size_t a = 0; a < size; ++a)
            for (size_t b = 0; b <= a; ++b)
                c[a * size + b] += (x[a] - n->mean_x[a]) / deviations[a] * ((x[b] - n->mean_x[b]) / deviations[b]) / d->points;
    }
    for (size_t a = 0; c && a < size; ++a)
        for (size_t b = 0; b < a; ++b)
            c[b * size + a] = c[a * size + b];
    return c;
}

/* Whitening: with D the deviations, V the eigenvectors of the correlations (rows) and L their eigenvalues, A = L^-1/2 V D^-1, B = D V^T L^1/2. */
static status whiten(normaliser *n, const dataset *d)
{
    const double least = 1e-12; /* of the largest eigenvalue: below it there is only rounding */
    size_t size = (size_t)n->inputs;
    double *deviations = allocate_zeroed(size, sizeof *deviations), *values = allocate_zeroed(size, sizeof *values);
    for (size_t j = 0; deviations && j < size; ++j)
        deviations[j] = n->inverse[j * size + j]; /* as scale_inputs left them */
    double *v = deviations ? correlations(n, d, deviations) : NULL;
    status s = v && values ? symmetric_eigen(n->inputs, v, values) : STATUS_NO_MEMORY;
    memset(n->forward, 0, size * size * sizeof *n->forward);
    memset(n->inverse, 0, size * size * sizeof *n->inverse);
    n->kept = 0;
    for (size_t r = 0; s == STATUS_OK && r < size && values[r] > least * values[0]; ++r, ++n->kept)
        for (size_t j = 0; j < size; ++j) {
            n->forward[r * size + j] = v[r * size + j] / (sqrt(values[r]) * deviations[j]);
            n->inverse[j * size + r] = v[r * size + j] * sqrt(values[r]) * deviations[j];
        }
    free(deviations);
    free(values);
    free(v);
    return s == STATUS_OK && n->kept == 0 ? status_fail(STATUS_BAD_CONFIG, "differential_pca: the inputs of the training samples do not vary") : s;
}

/* Mean of g g^T over samples and outputs, g the gradients in the coordinates of n. */
static status gradient_products(const normaliser *n, const dataset *d, double *c)
{
    size_t size = (size_t)n->inputs;
    double *g = allocate_zeroed(size, sizeof *g);
    if (!g)
        return STATUS_NO_MEMORY;
    long used = 0;
    for (size_t row = 0; row < (size_t)d->points * (size_t)d->outputs; ++row) {
        matrix_apply(n, n->inverse, true, d->parts[PART_JACOBIAN] + row * size, g);
        double sum = 0;
        for (size_t j = 0; j < size; ++j)
            sum += g[j] /= n->scale_y[row % (size_t)d->outputs];
        if (isnan(sum))
            continue;
        ++used;
        for (size_t a = 0; a < size; ++a)
            for (size_t b = 0; b < size; ++b)
                c[a * size + b] += g[a] * g[b];
    }
    free(g);
    if (used == 0)
        return status_fail(STATUS_BAD_CONFIG, "differential_pca needs dydx, and no sample has all of it");
    for (size_t i = 0; i < size * size; ++i)
        c[i] /= (double)used;
    return STATUS_OK;
}

/* How many of the falling eigenvalues are needed to lose no more than `dropped` of their sum. */
static int count_needed(int n, const double *values, double dropped)
{
    double total = 0, rest = 0;
    for (int i = 0; i < n; ++i)
        total += values[i] > 0 ? values[i] : 0;
    while (n > 1) {
        rest += values[n - 1] > 0 ? values[n - 1] : 0;
        if (rest > dropped * total)
            break;
        --n;
    }
    return n;
}

/* Turns the white coordinates: A becomes Q A, B becomes B Q^T, with the eigenvectors in the rows of Q; the last rows are dropped. */
static status rotate(normaliser *n, const double *q, int kept)
{
    size_t size = (size_t)n->inputs, bytes = size * size * sizeof(double);
    double *turned = matrix_create(n->inputs), *transposed = matrix_create(n->inputs);
    if (turned && transposed) {
        for (size_t r = 0; r < (size_t)kept; ++r)
            for (size_t j = 0; j < size; ++j)
                transposed[j * size + r] = q[r * size + j];
        matrix_product(n->inputs, n->inverse, transposed, turned);
        memcpy(n->inverse, turned, bytes);
        matrix_product(n->inputs, q, n->forward, turned);
        memset(turned + (size_t)kept * size, 0, (size - (size_t)kept) * size * sizeof *turned);
        memcpy(n->forward, turned, bytes);
        n->kept = kept;
    }
    bool complete = turned && transposed;
    free(turned);
    free(transposed);
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

static status reduce_inputs(normaliser *n, const dataset *d, double dropped)
{
    if (!d->parts[PART_JACOBIAN])
        return status_fail(STATUS_BAD_CONFIG, "differential_pca needs first derivatives of the training samples");
    if (d->directions > 0)
        return status_fail(STATUS_BAD_CONFIG, "differential_pca cannot be used with v: products with the dropped directions are part of its labels");
    status s = whiten(n, d);
    double *q = matrix_create(n->inputs), *values = allocate_zeroed((unsigned long)n->inputs, sizeof *values);
    if (s == STATUS_OK && !(q && values))
        s = STATUS_NO_MEMORY;
    if (s == STATUS_OK)
        s = gradient_products(n, d, q);
    if (s == STATUS_OK)
        s = symmetric_eigen(n->inputs, q, values);
    if (s == STATUS_OK)
        s = rotate(n, q, count_needed(n->kept, values, dropped));
    free(q);
    free(values);
    return s;
}

/* ---------------------------------------------------------------- public */

status normaliser_create(normaliser *n, const dataset *d, normalise_kind kind, double dropped)
{
    size_t inputs = (size_t)d->inputs, outputs = (size_t)d->outputs;
    *n = (normaliser){.inputs = d->inputs, .outputs = d->outputs, .kept = d->inputs, .diagonal = dropped <= 0, .scales_outputs = kind == NORMALISE_ALL};
    n->mean_x = allocate_zeroed(inputs, sizeof *n->mean_x);
    n->forward = n->diagonal ? allocate_zeroed(inputs, sizeof *n->forward) : matrix_create(d->inputs);
    n->inverse = n->diagonal ? allocate_zeroed(inputs, sizeof *n->inverse) : matrix_create(d->inputs);
    n->mean_y = allocate_zeroed(outputs, sizeof *n->mean_y);
    n->scale_y = allocate_zeroed(outputs, sizeof *n->scale_y);
    status s = n->mean_x && n->forward && n->inverse && n->mean_y && n->scale_y ? STATUS_OK : STATUS_NO_MEMORY;
    if (s == STATUS_OK) {
        scale_inputs(n, d);
        scale_outputs(n, d);
    }
    if (s == STATUS_OK && dropped > 0)
        s = reduce_inputs(n, d, dropped);
    if (s != STATUS_OK)
        normaliser_free(n);
    return s;
}

void normaliser_free(normaliser *n)
{
    free(n->mean_x);
    free(n->forward);
    free(n->inverse);
    free(n->mean_y);
    free(n->scale_y);
    *n = (normaliser){0};
}

/* Derivatives along dropped directions are not given. */
static void forget_dropped(const normaliser *n, double *gradient)
{
    for (int j = n->kept; j < n->inputs; ++j)
        gradient[j] = NAN;
}

/* A gradient: g' = B^T g / scale. */
static void normalise_gradient(const normaliser *n, double scale, double *g, double *scratch)
{
    matrix_apply(n, n->inverse, true, g, scratch);
    for (int j = 0; j < n->inputs; ++j)
        g[j] = scratch[j] / scale;
    forget_dropped(n, g);
}

/* H' = B^T H B / scale: rows, then columns. */
static void normalise_hessian(const normaliser *n, double scale, double *h, double *scratch)
{
    size_t size = (size_t)n->inputs;
    double *column = scratch + size;
    for (size_t i = 0; i < size; ++i) {
        matrix_apply(n, n->inverse, true, h + i * size, scratch);
        memcpy(h + i * size, scratch, size * sizeof *h);
    }
    for (size_t j = 0; j < size; ++j) {
        for (size_t i = 0; i < size; ++i)
            column[i] = h[i * size + j];
        matrix_apply(n, n->inverse, true, column, scratch);
        for (size_t i = 0; i < size; ++i)
            h[i * size + j] = (int)i < n->kept && (int)j < n->kept ? scratch[i] / scale : NAN;
    }
}

static void normalise_vector(const normaliser *n, double *v, double *scratch)
{
    matrix_apply(n, n->forward, false, v, scratch);
    memcpy(v, scratch, (size_t)n->inputs * sizeof *v);
}

void normalise_sample(const normaliser *n, dataset *d, size_t sample, double *scratch)
{
    size_t inputs = (size_t)n->inputs, outputs = (size_t)n->outputs, directions = (size_t)d->directions;
    double *x = dataset_at(d, PART_X, sample);
    for (size_t j = 0; j < inputs; ++j)
        x[j] -= n->mean_x[j];
    normalise_vector(n, x, scratch);
    for (size_t k = 0; k < outputs; ++k) {
        double scale = n->scale_y[k];
        if (d->parts[PART_Y])
            dataset_at(d, PART_Y, sample)[k] = (dataset_at(d, PART_Y, sample)[k] - n->mean_y[k]) / scale;
        if (d->parts[PART_JACOBIAN])
            normalise_gradient(n, scale, dataset_at(d, PART_JACOBIAN, sample) + k * inputs, scratch);
        if (d->parts[PART_HESSIAN])
            normalise_hessian(n, scale, dataset_at(d, PART_HESSIAN, sample) + k * inputs * inputs, scratch);
        for (size_t r = 0; r < directions; ++r) {
            if (d->parts[PART_JVP])
                dataset_at(d, PART_JVP, sample)[r * outputs + k] /= scale;
            if (d->parts[PART_HVP])
                normalise_gradient(n, scale, dataset_at(d, PART_HVP, sample) + (r * outputs + k) * inputs, scratch);
        }
    }
    for (size_t r = 0; r < directions && d->parts[PART_V]; ++r)
        normalise_vector(n, dataset_at(d, PART_V, sample) + r * inputs, scratch);
}

status normalise_dataset(const normaliser *n, dataset *d)
{
    double *scratch = allocate_zeroed(normalise_scratch(n), sizeof *scratch);
    if (!scratch)
        return STATUS_NO_MEMORY;
    for (size_t sample = 0; sample < (size_t)d->points; ++sample)
        normalise_sample(n, d, sample, scratch);
    free(scratch);
    return STATUS_OK;
}

void derivative_sizes(const dataset *d, int order, double *sizes)
{
    size_t inputs = (size_t)d->inputs;
    dataset_part part = order == 1 ? PART_JACOBIAN : d->parts[PART_HESSIAN] ? PART_HESSIAN : PART_HVP;
    size_t count = d->parts[part] ? (size_t)d->points * dataset_part_size(d, part) : 0;
    for (size_t j = 0; j < inputs; ++j) {
        double sum = 0;
        long n = 0;
        for (size_t i = j; i < count; i += inputs) {
            double value = d->parts[part][i];
            if (isnan(value))
                continue;
            sum += value * value;
            ++n;
        }
        sizes[j] = n > 0 ? sqrt(sum / (double)n) : NAN;
    }
}
