#include "train/evaluate.h"

#include <math.h>
#include <stdlib.h>

#include "engine/tape.h"

enum { ROWS = 512, MOST_DIRECTIONS = 16 };

struct evaluator {
    tape tape;
    const backend *be;
    int output;      /* node */
    int directions;  /* Hessian rows computed at once */
    size_t inputs, outputs;
    plugin_network *host; /* Darknet predicts where the engine does not know a layer; NULL: the tape does */
    float *host_input;    /* [minibatch, inputs] */
};

static bool needs_host(const graph *g)
{
    for (int i = 0; i <= g->output_node; ++i)
        if (!g->nodes[i].type)
            return true;
    return false;
}

status evaluator_create(evaluator **result, plugin_network *p, int order)
{
    graph *g = plugin_graph(p);
    evaluator *e = allocate_zeroed(1, sizeof *e);
    *result = e;
    if (!e)
        return STATUS_NO_MEMORY;
    e->be = plugin_backend(p);
    e->output = g->output_node;
    e->inputs = shape_count(g->input);
    e->outputs = shape_count(g->nodes[g->output_node].out);
    e->directions = order < 2 ? 1 : e->inputs < MOST_DIRECTIONS ? (int)e->inputs : MOST_DIRECTIONS;
    if (needs_host(g)) {
        e->host = p;
        e->host_input = allocate_zeroed((size_t)plugin_minibatch(p) * e->inputs, sizeof *e->host_input);
        return e->host_input ? STATUS_OK : STATUS_NO_MEMORY;
    }
    return tape_create(&e->tape, g, e->be, order < 2 ? ROWS : ROWS / e->directions, order, e->directions, -1);
}

void evaluator_free(evaluator *e)
{
    if (!e)
        return;
    tape_free(&e->tape);
    free(e->host_input);
    free(e);
}

/* ---------------------------------------------------------------- one chunk of points */

static void load_points(evaluator *e, const double *x, int batch)
{
    tape_set_batch(&e->tape, batch);
    for (size_t i = 0; i < (size_t)batch * e->inputs; ++i)
        e->tape.x.data[i] = (real)x[i];
}

/* Unit vectors first..first+directions-1 (beyond the inputs: zero) as component 1 of the input. */
static void load_directions(evaluator *e, size_t first)
{
    tape *t = &e->tape;
    size_t block = (size_t)t->batch * e->inputs;
    real *v = jet_component(&t->x, 1);
    e->be->fill((size_t)e->directions * block, 0, v);
    for (size_t d = 0; d < (size_t)e->directions && first + d < e->inputs; ++d)
        for (size_t b = 0; b < (size_t)t->batch; ++b)
            v[d * block + b * e->inputs + first + d] = 1;
}

static void run_values(evaluator *e, bool derivatives)
{
    e->tape.derivatives = derivatives;
    sweep_values(&e->tape, 0, e->output);
}

/* Seeds output k on the last component of every direction, and runs the seed sweep. */
static void run_seeds(evaluator *e, size_t k)
{
    tape *t = &e->tape;
    jet *adjoint = tape_adjoint(t, e->output);
    component_range upper = jet_upper_half(t->order);
    real *seed = jet_component(adjoint, jet_components(t->order) - 1);
    e->be->fill(jet_range_rows(adjoint, upper) * adjoint->count, 0, jet_component(adjoint, upper.first));
    for (size_t row = 0; row < (size_t)t->directions * (size_t)t->batch; ++row)
        seed[row * e->outputs + k] = 1;
    tape_clear_adjoints(t);
    tape_seed_adjoint(t, e->output, HALF_UPPER);
    sweep_seeds(t);
}

/* ---------------------------------------------------------------- errors */

typedef struct errors {
    double value, gradient, hessian;
} errors;

static int order_measured(const evaluator *e, const dataset *d)
{
    int order = d->parts[PART_HESSIAN] ? 2 : d->parts[PART_JACOBIAN] ? 1 : 0;
    return e->tape.order < order ? e->tape.order : order;
}

static double squared_difference(const real *a, const double *b, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    return sum;
}

/* Of H_k e_(first + j), for every direction j of this chunk. */
static double hessian_rows_error(evaluator *e, const dataset *d, size_t point, size_t k, size_t first)
{
    const real *q = jet_component(&e->tape.adj_x, 2);
    double sum = 0;
    for (size_t j = 0; j < (size_t)e->directions && first + j < e->inputs; ++j)
        for (size_t b = 0; b < (size_t)e->tape.batch; ++b) {
            size_t row = (point + b) * e->outputs + k;
            sum += squared_difference(q + (j * (size_t)e->tape.batch + b) * e->inputs, d->parts[PART_HESSIAN] + (row * e->inputs + first + j) * e->inputs, e->inputs);
        }
    return sum;
}

static double gradient_error(evaluator *e, const dataset *d, size_t point, size_t k)
{
    const real *g = jet_component(&e->tape.adj_x, jet_components(e->tape.order) - 1);
    double sum = 0;
    for (size_t b = 0; b < (size_t)e->tape.batch; ++b)
        sum += squared_difference(g + b * e->inputs, d->parts[PART_JACOBIAN] + ((point + b) * e->outputs + k) * e->inputs, e->inputs);
    return sum;
}

static void chunk_errors(evaluator *e, const dataset *d, size_t point, errors *sums)
{
    int order = order_measured(e, d);
    bool second = order > 1;
    for (size_t first = 0; first < (second ? e->inputs : 1); first += (size_t)e->directions) {
        if (e->tape.order > 1)
            load_directions(e, first);
        run_values(e, e->tape.order > 0);
        if (first == 0)
            sums->value += squared_difference(tape_jet(&e->tape, e->output)->data, d->parts[PART_Y] + point * e->outputs, (size_t)e->tape.batch * e->outputs);
        for (size_t k = 0; k < e->outputs && order > 0; ++k) {
            run_seeds(e, k);
            if (first == 0)
                sums->gradient += gradient_error(e, d, point, k);
            if (second)
                sums->hessian += hessian_rows_error(e, d, point, k, first);
        }
    }
}

/* Darknet predicts whole minibatches: behind the last points stand old ones, whose values nobody reads. */
static evaluation run_in_host(evaluator *e, const dataset *d)
{
    int capacity = plugin_minibatch(e->host);
    double sum = 0;
    for (int point = 0; point < d->points; point += capacity) {
        int left = d->points - point;
        size_t batch = (size_t)(left < capacity ? left : capacity);
        for (size_t i = 0; i < batch * e->inputs; ++i)
            e->host_input[i] = (float)d->parts[PART_X][(size_t)point * e->inputs + i];
        sum += squared_difference(plugin_predict(e->host, e->host_input), d->parts[PART_Y] + (size_t)point * e->outputs, batch * e->outputs);
    }
    return (evaluation){sum / ((double)d->points * (double)e->outputs), NAN, NAN};
}

evaluation evaluator_run(evaluator *e, const dataset *d)
{
    if (e->host)
        return run_in_host(e, d);
    errors sums = {0, 0, 0};
    for (int point = 0; point < d->points; point += e->tape.capacity) {
        int left = d->points - point, batch = left < e->tape.capacity ? left : e->tape.capacity;
        load_points(e, d->parts[PART_X] + (size_t)point * e->inputs, batch);
        chunk_errors(e, d, (size_t)point, &sums);
    }
    double values = (double)d->points * (double)e->outputs, inputs = (double)e->inputs;
    int order = order_measured(e, d);
    return (evaluation){
        .value_mse = sums.value / values,
        .gradient_mse = order > 0 ? sums.gradient / (values * inputs) : NAN,
        .hessian_mse = order > 1 ? sums.hessian / (values * inputs * inputs) : NAN,
    };
}

void evaluator_predict(evaluator *e, const double *x, int points, double *values, double *jacobian)
{
    for (int point = 0; point < points; point += e->tape.capacity) {
        int left = points - point, batch = left < e->tape.capacity ? left : e->tape.capacity;
        load_points(e, x + (size_t)point * e->inputs, batch);
        if (e->tape.order > 1)
            load_directions(e, 0);
        run_values(e, jacobian != NULL);
        const real *m = tape_jet(&e->tape, e->output)->data;
        for (size_t i = 0; i < (size_t)batch * e->outputs; ++i)
            values[(size_t)point * e->outputs + i] = (double)m[i];
        for (size_t k = 0; k < e->outputs && jacobian; ++k) {
            run_seeds(e, k);
            const real *g = jet_component(&e->tape.adj_x, jet_components(e->tape.order) - 1);
            for (size_t b = 0; b < (size_t)batch; ++b)
                for (size_t i = 0; i < e->inputs; ++i)
                    jacobian[(((size_t)point + b) * e->outputs + k) * e->inputs + i] = (double)g[b * e->inputs + i];
        }
    }
}
