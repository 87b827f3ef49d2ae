#include "train/evaluate.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/gradient_check.h"
#include "model/predictor.h"
#include "train/sample_pieces.h"

/* Numbers that an array of predictions holds at most: large networks are measured in smaller pieces. */
enum { MOST_NUMBERS = 1 << 22 };

struct evaluator {
    predictor *predictor;
    size_t inputs, outputs;
    size_t rows; /* points times directions of one piece */
    bool classes;        /* error and kl are wanted */
    bool probabilities;  /* of labels; else they are logits */
    int top;             /* classes that top_error looks at; below 2: none */
    predictor *teacher;  /* NULL: there is none */
    double *y, *jacobian, *v, *jvp, *hvp; /* rows times [outputs], [outputs, inputs], [inputs], [outputs], [outputs, inputs] */
};

int evaluation_order(plugin_network *p)
{
    const section *s = config_section(plugin_config(p), "sobolev");
    int wanted = s && option_integer(s, "order") > 1 ? 2 : 1, possible = gradient_check_order(plugin_graph(p));
    return wanted < possible ? wanted : possible;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static status allocate_arrays(evaluator *e, int order)
{
    size_t entries = e->outputs * e->inputs, largest = order > 0 ? entries : e->outputs;
    e->rows = largest * PREDICTOR_ROWS > MOST_NUMBERS ? MOST_NUMBERS / largest : PREDICTOR_ROWS;
    e->rows = e->rows ? e->rows : 1;
    e->y = allocate_zeroed(e->rows * e->outputs, sizeof *e->y);
    if (order > 0) {
        e->jacobian = allocate_zeroed(e->rows * entries, sizeof *e->jacobian);
        e->v = allocate_zeroed(e->rows * e->inputs, sizeof *e->v);
        e->jvp = allocate_zeroed(e->rows * e->outputs, sizeof *e->jvp);
    }
    if (order > 1)
        e->hvp = allocate_zeroed(e->rows * entries, sizeof *e->hvp);
    bool first = e->jacobian && e->v && e->jvp;
    return e->y && (order < 1 || first) && (order < 2 || e->hvp) ? STATUS_OK : STATUS_NO_MEMORY;
}

status evaluator_create(evaluator **result, plugin_network *p, int order)
{
    const graph *g = plugin_graph(p);
    evaluator *e = allocate_zeroed(1, sizeof *e);
    *result = e;
    if (!e)
        return STATUS_NO_MEMORY;
    e->inputs = shape_count(g->input);
    e->outputs = shape_count(g->nodes[g->output_node].out);
    status s = predictor_create(&e->predictor, p, order);
    return s == STATUS_OK ? allocate_arrays(e, predictor_order(e->predictor)) : s;
}

void evaluator_free(evaluator *e)
{
    if (!e)
        return;
    predictor_free(e->predictor);
    predictor_free(e->teacher);
    free(e->y);
    free(e->jacobian);
    free(e->v);
    free(e->jvp);
    free(e->hvp);
    free(e);
}

/* ---------------------------------------------------------------- errors */

typedef struct mean {
    double sum;
    size_t entries;
} mean;

typedef struct errors {
    mean value, gradient, hessian, directional, error, kl, top;
} errors;

static void add_errors(mean *m, const double *found, const double *given, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        if (!isnan(given[i])) {
            m->sum += (found[i] - given[i]) * (found[i] - given[i]);
            ++m->entries;
        }
}

static double mean_of(const mean *m)
{
    return m->entries ? m->sum / (double)m->entries : NAN;
}

static size_t largest(const double *y, size_t count)
{
    size_t best = 0;
    for (size_t k = 1; k < count; ++k)
        if (y[k] > y[best])
            best = k;
    return best;
}

/* Numbers that come before number k when they are sorted, the largest and of equal ones the first of them first; NaN comes last. */
static int rank_of(const double *y, size_t k, size_t count)
{
    int rank = 0;
    for (size_t i = 0; i < count; ++i)
        rank += y[i] > y[k] || (y[i] == y[k] && i < k) || (isnan(y[k]) && !isnan(y[i]));
    return rank;
}

/* log of the sum of e^y. */
static double log_normaliser(const double *y, size_t count)
{
    double top = y[largest(y, count)], sum = 0;
    for (size_t k = 0; k < count; ++k)
        sum += exp(y[k] - top);
    return top + log(sum);
}

/* KL(p || q), p and q the softmax of logits. */
static double divergence(const double *p, const double *q, size_t count)
{
    double p_norm = log_normaliser(p, count), q_norm = log_normaliser(q, count), sum = 0;
    for (size_t k = 0; k < count; ++k)
        sum += exp(p[k] - p_norm) * ((p[k] - p_norm) - (q[k] - q_norm));
    return sum;
}

/* KL(t || softmax of q), t the probabilities themselves. */
static double divergence_of_probabilities(const double *t, const double *q, size_t count)
{
    double q_norm = log_normaliser(q, count), sum = 0;
    for (size_t k = 0; k < count; ++k)
        if (t[k] > 0)
            sum += t[k] * (log(t[k]) - (q[k] - q_norm));
    return sum;
}

static bool is_given(const double *y, size_t count)
{
    for (size_t k = 0; k < count; ++k)
        if (isnan(y[k]))
            return false;
    return true;
}

static void add(mean *m, double value)
{
    m->sum += value;
    ++m->entries;
}

/* y and label [samples, outputs]. */
static void add_classes(const evaluator *e, const double *y, const double *label, size_t samples, errors *sums)
{
    const size_t m = e->outputs;
    for (size_t i = 0; i < samples; ++i, y += m, label += m) {
        if (!is_given(label, m))
            continue;
        add(&sums->error, largest(y, m) != largest(label, m));
        if (e->top > 1)
            add(&sums->top, rank_of(y, largest(label, m), m) >= e->top);
        add(&sums->kl, e->probabilities ? divergence_of_probabilities(label, y, m) : divergence(y, label, m));
    }
}

/* ---------------------------------------------------------------- pieces of a data set */

/* What a walk over the points compares. */
typedef struct comparison {
    const dataset *d;
    bool values, jacobian, hessian, jvp, hvp;
    size_t directions; /* of each point: unit vectors for the Hessian, else the data set's; 0: none */
} comparison;

typedef struct piece {
    size_t point, batch, first, directions;
} piece;

/* The piece's vectors, [batch, directions, inputs]. */
static void load_vectors(evaluator *e, const comparison *c, const piece *p)
{
    size_t count = p->directions * e->inputs;
    memset(e->v, 0, p->batch * count * sizeof *e->v);
    for (size_t b = 0; b < p->batch; ++b)
        if (!c->hessian)
            memcpy(e->v + b * count, dataset_at(c->d, PART_V, p->point + b) + p->first * e->inputs, count * sizeof *e->v);
        else
            for (size_t j = 0; j < p->directions; ++j)
                e->v[b * count + j * e->inputs + p->first + j] = 1;
}

/* A product along unit vector i is row i of the Hessian of each output. */
static void compare_hessian_rows(evaluator *e, const comparison *c, const piece *p, mean *m)
{
    for (size_t b = 0; b < p->batch; ++b)
        for (size_t j = 0; j < p->directions; ++j)
            for (size_t k = 0; k < e->outputs; ++k)
                add_errors(m, e->hvp + ((b * p->directions + j) * e->outputs + k) * e->inputs,
                           dataset_at(c->d, PART_HESSIAN, p->point + b) + (k * e->inputs + p->first + j) * e->inputs, e->inputs);
}

/* `part` is PART_JVP or PART_HVP: `size` numbers for each direction. */
static void compare_along(const comparison *c, const piece *p, dataset_part part, const double *found, size_t size, mean *m)
{
    for (size_t b = 0; b < p->batch; ++b)
        add_errors(m, found + b * p->directions * size, dataset_at(c->d, part, p->point + b) + p->first * size, p->directions * size);
}

static void compare_piece(evaluator *e, const comparison *c, const piece *p, errors *sums)
{
    bool values = c->values && p->first == 0, jacobian = c->jacobian && p->first == 0;
    prediction wanted = {
        .directions = (int)p->directions,
        .v = e->v,
        .y = values ? e->y : NULL,
        .jacobian = jacobian ? e->jacobian : NULL,
        .jvp = c->jvp ? e->jvp : NULL,
        .hvp = c->hessian || c->hvp ? e->hvp : NULL,
    };
    if (p->directions > 0)
        load_vectors(e, c, p);
    predictor_run(e->predictor, dataset_at(c->d, PART_X, p->point), (int)p->batch, &wanted);
    if (values)
        add_errors(&sums->value, e->y, dataset_at(c->d, PART_Y, p->point), p->batch * e->outputs);
    if (values && e->classes)
        add_classes(e, e->y, dataset_at(c->d, PART_Y, p->point), p->batch, sums);
    if (jacobian)
        add_errors(&sums->gradient, e->jacobian, dataset_at(c->d, PART_JACOBIAN, p->point), p->batch * e->outputs * e->inputs);
    if (c->hessian)
        compare_hessian_rows(e, c, p, &sums->hessian);
    if (c->jvp)
        compare_along(c, p, PART_JVP, e->jvp, e->outputs, &sums->directional);
    if (c->hvp)
        compare_along(c, p, PART_HVP, e->hvp, e->outputs * e->inputs, &sums->hessian);
}

static void compare(evaluator *e, const comparison *c, errors *sums)
{
    size_t points = (size_t)c->d->points, group = least(least(c->directions, PREDICTOR_DIRECTIONS), e->rows);
    size_t batch = group ? e->rows / group : e->rows, step = group ? group : 1;
    for (size_t point = 0; point < points; point += batch)
        for (size_t first = 0; first == 0 || first < c->directions; first += step) {
            piece p = {point, least(batch, points - point), first, least(group, c->directions - first)};
            compare_piece(e, c, &p, sums);
        }
}

void evaluator_compare_classes(evaluator *e, bool probabilities, int top)
{
    e->classes = true;
    e->top = top;
    e->probabilities = probabilities;
}

status evaluator_ask_teacher(evaluator *e, graph *g, const backend *be)
{
    return predictor_create_for_graph(&e->teacher, g, be, 0);
}

const char *evaluation_top_name(const evaluation *e, char name[TOP_NAME])
{
    snprintf(name, TOP_NAME, "top%d_error", e->top);
    return name;
}

static evaluation result_of(const evaluator *e, const errors *sums)
{
    return (evaluation){
        .value_mse = mean_of(&sums->value),
        .gradient_mse = mean_of(&sums->gradient),
        .hessian_mse = mean_of(&sums->hessian),
        .directional_mse = mean_of(&sums->directional),
        .error = mean_of(&sums->error),
        .kl = mean_of(&sums->kl),
        .top_error = mean_of(&sums->top),
        .top = e->top,
    };
}

/* All that the samples have. */
static void compare_parts(evaluator *e, const dataset *d, errors *sums)
{
    int order = predictor_order(e->predictor);
    bool values = d->parts[PART_Y], jacobian = order > 0 && d->parts[PART_JACOBIAN], hessian = order > 1 && d->parts[PART_HESSIAN];
    bool jvp = order > 0 && d->parts[PART_JVP], hvp = order > 1 && !hessian && d->parts[PART_HVP];
    if (hessian)
        compare(e, &(comparison){.d = d, .values = values, .jacobian = jacobian, .hessian = true, .directions = e->inputs}, sums);
    if (!hessian || jvp) {
        comparison given = {.d = d, .values = values && !hessian, .jacobian = jacobian && !hessian, .jvp = jvp, .hvp = hvp};
        given.directions = jvp || hvp ? (size_t)d->directions : 0;
        compare(e, &given, sums);
    }
}

evaluation evaluator_run(evaluator *e, const dataset *d)
{
    errors sums = {.value = {0, 0}};
    compare_parts(e, d, &sums);
    return result_of(e, &sums);
}

status evaluator_run_streamed(evaluator *e, const sample_set *set, evaluation *result)
{
    sample_pieces pieces;
    errors sums = {.value = {0, 0}};
    status s = sample_pieces_create(&pieces, set, e->rows);
    while (s == STATUS_OK && pieces.next < set->n) {
        s = sample_pieces_read(&pieces);
        if (s == STATUS_OK && !set->stream->has_labels && e->teacher)
            predictor_run(e->teacher, pieces.samples.parts[PART_X], pieces.samples.points, &(prediction){.y = pieces.samples.parts[PART_Y]});
        if (s == STATUS_OK)
            compare_parts(e, &pieces.samples, &sums);
    }
    sample_pieces_free(&pieces);
    *result = result_of(e, &sums);
    return s;
}

/* ---------------------------------------------------------------- crops of pictures */

/* average [samples, outputs] += the softmax of each row of y, divided by `parts`. */
static void add_probabilities(const double *y, size_t samples, size_t outputs, int parts, double *average)
{
    for (size_t i = 0; i < samples; ++i, y += outputs, average += outputs) {
        double norm = log_normaliser(y, outputs);
        for (size_t k = 0; k < outputs; ++k)
            average[k] += exp(y[k] - norm) / parts;
    }
}

static status compare_crops(evaluator *e, sample_pieces *pieces, int crops, double *average, errors *sums)
{
    status s = sample_pieces_read(pieces);
    size_t n = (size_t)pieces->samples.points;
    memset(average, 0, n * e->outputs * sizeof *average);
    for (int crop = 0; crop < crops && s == STATUS_OK; ++crop) {
        s = crop ? sample_pieces_crop(pieces, crop) : STATUS_OK;
        if (s != STATUS_OK)
            break;
        predictor_run(e->predictor, pieces->samples.parts[PART_X], (int)n, &(prediction){.y = e->y});
        add_probabilities(e->y, n, e->outputs, crops, average);
    }
    for (size_t i = 0; i < n * e->outputs; ++i) /* logits of the means: their softmax */
        average[i] = log(average[i]);
    if (s == STATUS_OK)
        add_classes(e, average, pieces->samples.parts[PART_Y], n, sums);
    return s;
}

status evaluator_run_crops(evaluator *e, const sample_set *set, int crops, evaluation *result)
{
    sample_pieces pieces;
    errors sums = {.value = {0, 0}};
    double *average = allocate_zeroed(e->rows * e->outputs, sizeof *average);
    status s = sample_pieces_create(&pieces, set, e->rows);
    if (!average)
        s = STATUS_NO_MEMORY;
    while (s == STATUS_OK && pieces.next < set->n)
        s = compare_crops(e, &pieces, crops, average, &sums);
    sample_pieces_free(&pieces);
    free(average);
    *result = result_of(e, &sums);
    return s;
}
