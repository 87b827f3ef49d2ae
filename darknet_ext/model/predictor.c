#include "model/predictor.h"

#include <math.h>
#include <stdlib.h>

#include "engine/tape.h"

struct predictor {
    tape tape; /* for `rows` samples with one direction, or fewer samples with more */
    const backend *be;
    int rows;
    int output; /* node */
    size_t inputs, outputs;
    plugin_network *host; /* Darknet predicts where the engine does not know a layer; NULL: the tape does */
    float *host_input;    /* [minibatch, inputs] */
};

/* One pass over the network: some of the points, with some of their directions. */
typedef struct pass {
    const prediction *wanted; /* v NULL: unit vectors */
    size_t point, batch;
    size_t first, directions; /* of each point */
    size_t first_output, outputs;
} pass;

static bool needs_host(const graph *g)
{
    for (int i = 0; i <= g->output_node; ++i)
        if (!g->nodes[i].type)
            return true;
    return false;
}

static int least(int a, int b)
{
    return a < b ? a : b;
}

static const char *order_limit(const graph_node *node)
{
    return node->type ? node->type->order_limit : layer_stays(node->where);
}

status predictor_check_order(plugin_network *p, int order)
{
    const graph *g = plugin_graph(p);
    for (int i = 0; i <= g->output_node; ++i) {
        const graph_node *node = &g->nodes[i];
        if (order <= (node->type ? node->type->max_order : 0))
            continue;
        return status_fail(STATUS_BAD_CONFIG, "%s:%d:%d: error: [%s] has no derivatives of order %d: %s", plugin_config(p)->path, node->where->line,
                           node->where->column, node->where->name, order, order_limit(node));
    }
    return STATUS_OK;
}

/* Points with one direction whose jets and adjoints fit into 256 MB. */
static int rows_that_fit(const graph *g, int order)
{
    const size_t most = (size_t)1 << 26;
    size_t numbers = shape_count(g->input);
    for (int i = 0; i <= g->output_node; ++i)
        numbers += layout_count(node_out_layout(&g->nodes[i]));
    numbers *= 2 * (size_t)jet_components(order);
    return numbers * PREDICTOR_ROWS <= most ? PREDICTOR_ROWS : numbers < most ? (int)(most / numbers) : 1;
}

static predictor *create(const graph *g, const backend *be)
{
    predictor *self = allocate_zeroed(1, sizeof *self);
    if (self)
        *self = (predictor){
            .be = be,
            .output = g->output_node,
            .inputs = shape_count(g->input),
            .outputs = shape_count(g->nodes[g->output_node].out),
        };
    return self;
}

status predictor_create_for_graph(predictor **result, graph *g, const backend *be, int order)
{
    predictor *self = create(g, be);
    *result = self;
    return self ? tape_create(&self->tape, g, be, self->rows = rows_that_fit(g, order), order, 1, -1) : STATUS_NO_MEMORY;
}

status predictor_create(predictor **result, plugin_network *p, int order)
{
    graph *g = plugin_graph(p);
    *result = NULL;
    status s = predictor_check_order(p, order);
    if (s != STATUS_OK)
        return s;
    if (!needs_host(g))
        return predictor_create_for_graph(result, g, plugin_backend(p), order);
    predictor *self = create(g, plugin_backend(p));
    *result = self;
    if (!self)
        return STATUS_NO_MEMORY;
    self->host = p;
    self->host_input = allocate_zeroed((size_t)plugin_minibatch(p) * self->inputs, sizeof *self->host_input);
    return self->host_input ? STATUS_OK : STATUS_NO_MEMORY;
}

void predictor_free(predictor *p)
{
    if (!p)
        return;
    tape_free(&p->tape);
    free(p->host_input);
    free(p);
}

int predictor_order(const predictor *p)
{
    return p->tape.order;
}

status predictor_check_numbers(const char *name, const double *numbers, int points, size_t size)
{
    for (size_t i = 0; i < (size_t)points * size; ++i)
        if (!isfinite((real)numbers[i]))
            return status_fail(STATUS_FAILED, "%s: error: number %zu of point %zu (from 0) is not finite, or too large for float", name, i % size,
                               i / size);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- into the tape */

static void load_points(predictor *p, const double *x, size_t batch)
{
    for (size_t i = 0; i < batch * p->inputs; ++i)
        p->tape.x.data[i] = (real)x[i];
}

/* The pass's directions, direction-major as jets have them, as component 1 of the input; without any: zero. */
static void load_directions(predictor *p, const pass *now)
{
    real *to = jet_component(&p->tape.x, 1);
    size_t block = now->batch * p->inputs;
    p->be->fill((size_t)p->tape.directions * block, 0, to);
    for (size_t d = 0; d < now->directions; ++d)
        for (size_t b = 0; b < now->batch; ++b) {
            real *row = to + d * block + b * p->inputs;
            const double *v = now->wanted->v;
            if (v)
                v += ((now->point + b) * (size_t)now->wanted->directions + now->first + d) * p->inputs;
            else
                row[now->first + d] = 1;
            for (size_t i = 0; v && i < p->inputs; ++i)
                row[i] = (real)v[i];
        }
}

/* Seeds output k on the last component of every direction, and runs the seed sweep. */
static void run_seeds(predictor *p, size_t k)
{
    tape *t = &p->tape;
    jet *adjoint = tape_adjoint(t, p->output);
    component_range upper = jet_upper_half(t->order);
    real *seed = jet_component(adjoint, jet_components(t->order) - 1);
    p->be->fill(jet_range_rows(adjoint, upper) * adjoint->count, 0, jet_component(adjoint, upper.first));
    for (size_t row = 0; row < (size_t)t->directions * (size_t)t->batch; ++row)
        seed[row * p->outputs + k] = 1;
    tape_clear_adjoints(t);
    tape_seed_adjoint(t, p->output, HALF_UPPER);
    sweep_seeds(t);
}

/* ---------------------------------------------------------------- out of the tape */

static void store_row(const real *from, size_t count, double *to)
{
    for (size_t i = 0; i < count; ++i)
        to[i] = (double)from[i];
}

/* Order 2: J v is component 1 of the output. */
static void store_tangents(predictor *p, const pass *now)
{
    const real *tangent = jet_component(tape_jet(&p->tape, p->output), 1);
    for (size_t d = 0; d < now->directions; ++d)
        for (size_t b = 0; b < now->batch; ++b) {
            size_t at = (now->point + b) * (size_t)now->wanted->directions + now->first + d;
            store_row(tangent + (d * now->batch + b) * p->outputs + now->first_output, now->outputs, now->wanted->jvp + at * now->outputs);
        }
}

/* Order 1: (J v)_k from the gradient g of output k of the wanted ones, [batch, inputs]. */
static void store_projections(predictor *p, const pass *now, const real *g, size_t k)
{
    for (size_t b = 0; b < now->batch; ++b)
        for (size_t d = 0; d < now->directions; ++d) {
            size_t at = (now->point + b) * (size_t)now->wanted->directions + now->first + d;
            const double *v = now->wanted->v + at * p->inputs;
            double sum = 0;
            for (size_t i = 0; i < p->inputs; ++i)
                sum += (double)g[b * p->inputs + i] * v[i];
            now->wanted->jvp[at * now->outputs + k] = sum;
        }
}

/* H_k v, which is row k of hvp, or for unit vectors a row of the Hessian. */
static void store_products(predictor *p, const pass *now, size_t k)
{
    const real *q = jet_component(&p->tape.adj_x, 2);
    const prediction *to = now->wanted;
    for (size_t d = 0; d < now->directions; ++d)
        for (size_t b = 0; b < now->batch; ++b) {
            size_t point = now->point + b, direction = now->first + d;
            const real *row = q + (d * now->batch + b) * p->inputs;
            if (to->hessian)
                store_row(row, p->inputs, to->hessian + ((point * now->outputs + k) * p->inputs + direction) * p->inputs);
            else
                store_row(row, p->inputs, to->hvp + ((point * (size_t)to->directions + direction) * now->outputs + k) * p->inputs);
        }
}

/* Of output k of the wanted ones, after its seed sweep. */
static void store_derivatives(predictor *p, const pass *now, size_t k)
{
    const real *g = jet_component(&p->tape.adj_x, jet_components(p->tape.order) - 1); /* the same for every direction */
    const prediction *to = now->wanted;
    for (size_t b = 0; b < now->batch && to->jacobian && now->first == 0; ++b)
        store_row(g + b * p->inputs, p->inputs, to->jacobian + ((now->point + b) * now->outputs + k) * p->inputs);
    if (to->jvp && p->tape.order == 1)
        store_projections(p, now, g, k);
    if (to->hessian || to->hvp)
        store_products(p, now, k);
}

/* ---------------------------------------------------------------- passes */

static void store_values(predictor *p, const pass *now)
{
    const real *y = tape_jet(&p->tape, p->output)->data;
    for (size_t b = 0; b < now->batch; ++b)
        store_row(y + b * p->outputs + now->first_output, now->outputs, now->wanted->y + (now->point + b) * now->outputs);
}

static void run_pass(predictor *p, const double *x, const pass *now)
{
    const prediction *to = now->wanted;
    tape *t = &p->tape;
    bool second = t->order > 1;
    tape_set_rows(t, (int)now->batch, second && now->directions > 0 ? (int)now->directions : 1);
    load_points(p, x + now->point * p->inputs, now->batch);
    t->derivatives = to->jacobian || to->jvp || to->hvp || to->hessian;
    if (second && t->derivatives)
        load_directions(p, now);
    sweep_values(t, 0, p->output);
    if (to->y && now->first == 0)
        store_values(p, now);
    if (to->jvp && second)
        store_tangents(p, now);
    bool seeds = to->hessian || to->hvp || (to->jacobian && now->first == 0) || (to->jvp && !second);
    for (size_t k = 0; seeds && k < now->outputs; ++k) {
        run_seeds(p, now->first_output + k);
        store_derivatives(p, now, k);
    }
}

/* With order 2 several directions share a pass; below, every direction comes from the gradients. */
static void run_passes(predictor *p, const double *x, int points, const prediction *wanted)
{
    bool grouped = p->tape.order > 1 && wanted->directions > 0;
    int group = grouped ? least(least(wanted->directions, PREDICTOR_DIRECTIONS), p->rows) : wanted->directions;
    int capacity = grouped ? p->rows / group : p->rows;
    size_t first_output = wanted->output > 0 ? (size_t)wanted->output - 1 : 0, outputs = wanted->output > 0 ? 1 : p->outputs;
    for (int point = 0; point < points; point += capacity)
        for (int first = 0; first == 0 || first < wanted->directions; first += group ? group : 1) {
            int batch = least(points - point, capacity), directions = least(wanted->directions - first, group);
            pass now = {wanted, (size_t)point, (size_t)batch, (size_t)first, (size_t)directions, first_output, outputs};
            run_pass(p, x, &now);
        }
}

/* Darknet predicts whole minibatches: behind the last points stand old ones, whose values nobody reads. */
static void run_host(predictor *p, const double *x, int points, const prediction *wanted)
{
    int capacity = plugin_minibatch(p->host);
    size_t first = wanted->output > 0 ? (size_t)wanted->output - 1 : 0, outputs = wanted->output > 0 ? 1 : p->outputs;
    for (int point = 0; wanted->y && point < points; point += capacity) {
        size_t batch = (size_t)least(points - point, capacity), at = (size_t)point;
        for (size_t i = 0; i < batch * p->inputs; ++i)
            p->host_input[i] = (float)x[at * p->inputs + i];
        const float *values = plugin_predict(p->host, p->host_input);
        for (size_t b = 0; b < batch; ++b)
            store_row(values + b * p->outputs + first, outputs, wanted->y + (at + b) * outputs);
    }
}

void predictor_run(predictor *p, const double *x, int points, const prediction *wanted)
{
    prediction rest = *wanted;
    if (p->host) {
        run_host(p, x, points, wanted);
        return;
    }
    if (wanted->hessian) {
        prediction full = {.output = wanted->output, .directions = (int)p->inputs, .y = wanted->y, .jacobian = wanted->jacobian, .hessian = wanted->hessian};
        run_passes(p, x, points, &full);
        rest.y = rest.jacobian = rest.hessian = NULL;
    }
    if (!rest.jvp && !rest.hvp)
        rest.directions = 0;
    if (rest.y || rest.jacobian || rest.directions > 0)
        run_passes(p, x, points, &rest);
}
