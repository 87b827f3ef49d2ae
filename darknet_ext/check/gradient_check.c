#include "check/gradient_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/differences.h"

enum {
    DIRECTIONS_PER_PARAMETER = 3,
    MOST_POINTS = 3 /* at which differences are tried until they agree: one may lie nearer to a kink than the smallest step */
};

/* Floating-point operations: a minute or so. Networks that would take longer are checked along one direction through all arrays, and no more
 * step sizes are tried once one agrees. */
static const double patience = 1e11;

typedef struct checker {
    graph *g;
    const backend *be;
    const check_settings *settings;
    double tolerance;
    check_sink sink;
    void *context;
    bool failed;
    bool large;             /* takes more than `patience` */
    bool training;          /* what is checked now: the network as it is trained, or as it predicts */
    size_t inputs, outputs;
    real *x;      /* [batch, inputs], from the domain */
    real *truth;  /* labels of the objective */
    random_stream stream;
    uint64_t drawn;
} checker;

int gradient_check_order(const graph *g)
{
    int order = JET_MAX_ORDER;
    for (int i = 0; i <= g->output_node; ++i) {
        const layer_type *type = g->nodes[i].type;
        if (!type || type->role != LAYER_PLAIN)
            order = type ? order : 0;
        else if (type->max_order < order)
            order = type->max_order;
    }
    return order;
}

/* ---------------------------------------------------------------- small tools */

static void draw_normal(checker *c, size_t count, real *out)
{
    c->be->normal(c->stream, c->drawn, count, out);
    c->drawn += 2 * count + 2;
}

static void report(checker *c, const char *name, const char *where, double error)
{
    check_row row = {.name = name, .error = error, .tolerance = c->tolerance};
    snprintf(row.where, sizeof row.where, "%s%s", where, c->training ? "" : ", prediction");
    row.passed = error <= c->tolerance; /* false for NaN */
    c->failed |= !row.passed;
    c->sink(c->context, &row);
}

static void draw_input(checker *c)
{
    for (size_t i = 0; i < (size_t)c->settings->batch * c->inputs; ++i) {
        size_t k = i % c->inputs;
        double low = c->settings->low ? c->settings->low[k] : -1, high = c->settings->high ? c->settings->high[k] : 1;
        c->x[i] = (real)(low + (high - low) * random_one(c->stream, c->drawn++));
    }
}

/* The larger of two errors; NaN is the largest. */
static double worse(double a, double b)
{
    return b > a || isnan(b) ? b : a;
}

static double norm(const checker *c, size_t count, const real *x)
{
    return sqrt(c->be->dot(count, x, x));
}

/* The smaller of two errors; NaN, of a derivative that is not finite, stays. */
static double better(double a, double b)
{
    return isnan(a) || isnan(b) ? NAN : b < a ? b : a;
}

/* Inputs at which differences are tried: in a small network a formula that is wrong on one side of a kink might be right at one of several. */
static int points_to_try(const checker *c)
{
    enum { MANY_UNITS = 50000 };
    double units = 0;
    for (int i = 0; i < c->g->n_nodes; ++i)
        units += (double)c->settings->batch * (double)shape_count(c->g->nodes[i].out);
    return units >= MANY_UNITS ? MOST_POINTS : 1;
}

/* In a large network some unit is always near its kink: with steps that are not small there is none without a jump. */
static const double small_step_sizes[] = {1e-4, 1e-5, 1e-6, 1e-7};
enum { SMALL_STEP_SIZES = sizeof small_step_sizes / sizeof *small_step_sizes };

/* ---------------------------------------------------------------- with respect to the input */

typedef struct input_checker {
    checker *c;
    tape t;
    size_t count, top; /* elements of the batch's input and of the top's output */
    real *u, *v;       /* directions in input space; unit norm */
    real *seed;
    real *g, *hu, *hv; /* gradient, Hessian-vector products */
    real *moved;
} input_checker;

/* s = <seed, top(x)>, and the top's jet. */
static double seeded_value(input_checker *k, const real *x)
{
    tape *t = &k->t;
    t->derivatives = false;
    k->c->be->copy(k->count, x, t->x.data);
    sweep_values(t, 0, graph_top(t->graph));
    return k->c->be->dot(k->top, k->seed, tape_jet(t, graph_top(t->graph))->data);
}

/* The first two sweeps at x along direction v (order 2): g, and hv = H v when not NULL. Leaves the low half in the tape. */
static void seeded_derivatives(input_checker *k, const real *x, const real *v, real *g, real *hv)
{
    tape *t = &k->t;
    const backend *be = k->c->be;
    int top = graph_top(t->graph), last = jet_components(t->order) - 1;
    t->derivatives = true;
    be->copy(k->count, x, t->x.data);
    if (t->order > 1)
        be->copy(k->count, v, jet_component(&t->x, 1));
    tape_clear_adjoints(t);
    sweep_values(t, 0, top);
    jet *adjoint = tape_adjoint(t, top);
    component_range upper = jet_upper_half(t->order);
    be->fill(jet_range_rows(adjoint, upper) * adjoint->count, 0, jet_component(adjoint, upper.first));
    be->copy(k->top, k->seed, jet_component(adjoint, last));
    tape_seed_adjoint(t, top, HALF_UPPER);
    sweep_seeds(t);
    be->copy(k->count, jet_component(&t->adj_x, last), g);
    if (hv)
        be->copy(k->count, jet_component(&t->adj_x, 2), hv);
}

/* Whether no other step size is worth its time. */
static bool is_settled(const checker *c, double error)
{
    return c->large && error <= c->tolerance;
}

static double gradient_error(input_checker *k)
{
    checker *c = k->c;
    double best = INFINITY, slope = c->be->dot(k->count, k->g, k->u), scale = norm(c, k->count, k->g) * 1e-2 + 1e-12;
    for (int i = 0; i < STEP_SIZES && !is_settled(c, best); ++i) {
        double h = step_sizes[i], value[2];
        for (int side = 0; side < 2; ++side) {
            c->be->copy(k->count, c->x, k->moved);
            c->be->axpby(k->count, (real)(side ? h : -h), k->u, 1, k->moved);
            value[side] = seeded_value(k, k->moved);
        }
        best = fmin(best, relative_error(slope, (value[1] - value[0]) / (2 * h), scale));
    }
    return isfinite(slope) ? best : NAN;
}

static double hessian_error(input_checker *k)
{
    checker *c = k->c;
    double best = INFINITY, curvature = c->be->dot(k->count, k->hv, k->u);
    double scale = norm(c, k->count, k->hv) * 1e-2 + norm(c, k->count, k->g) * 1e-3 + 1e-12;
    for (int i = 0; i < STEP_SIZES && !is_settled(c, best); ++i) {
        double h = step_sizes[i], slope[2];
        for (int side = 0; side < 2; ++side) {
            c->be->copy(k->count, c->x, k->moved);
            c->be->axpby(k->count, (real)(side ? h : -h), k->v, 1, k->moved);
            seeded_derivatives(k, k->moved, k->v, k->hu, NULL);
            slope[side] = c->be->dot(k->count, k->hu, k->u);
        }
        best = fmin(best, relative_error(curvature, (slope[1] - slope[0]) / (2 * h), scale));
    }
    return isfinite(curvature) ? best : NAN;
}

/* <g, u> = <seed, y_1(u)>: the adjoint and the tangent are transposes of each other. */
static double transpose_error(input_checker *k)
{
    checker *c = k->c;
    tape *t = &k->t;
    int component = t->order > 1 ? 1 : jet_components(t->order) - 1;
    c->be->copy(k->count, k->v, jet_component(&t->x, component));
    if (t->order > 1)
        sweep_values(t, 0, graph_top(t->graph));
    else
        sweep_tangents(t);
    double forward = c->be->dot(k->top, k->seed, jet_component(tape_jet(t, graph_top(t->graph)), component));
    double scale = norm(c, k->count, k->g) * 1e-2 + 1e-12;
    return relative_error(forward, c->be->dot(k->count, k->g, k->v), scale);
}

static double symmetry_error(input_checker *k)
{
    checker *c = k->c;
    seeded_derivatives(k, c->x, k->u, k->g, k->hu);
    double scale = (norm(c, k->count, k->hv) + norm(c, k->count, k->hu)) * 1e-2 + norm(c, k->count, k->g) * 1e-3 + 1e-12;
    return relative_error(c->be->dot(k->count, k->hu, k->v), c->be->dot(k->count, k->hv, k->u), scale);
}

/* Identities hold at every point, differences agree at one at least. */
static void check_points(input_checker *k, int order)
{
    checker *c = k->c;
    const bool differences = c->settings->differences;
    double transpose = 0, gradient = INFINITY, hessian = INFINITY, symmetry = 0;
    const int points = points_to_try(c);
    for (int point = 0; point < points; ++point) {
        if (point)
            draw_input(c);
        seeded_derivatives(k, c->x, k->v, k->g, order > 1 ? k->hv : NULL);
        transpose = worse(transpose, transpose_error(k));
        gradient = differences ? better(gradient, gradient_error(k)) : 0;
        hessian = differences && order > 1 ? better(hessian, hessian_error(k)) : 0;
        symmetry = order > 1 ? worse(symmetry, symmetry_error(k)) : 0;
        if (gradient <= c->tolerance && hessian <= c->tolerance)
            break;
    }
    report(c, "<gradient, u> = <seed, tangent of u>", "network input", transpose);
    if (differences)
        report(c, "gradient against differences", "network input", gradient);
    if (differences && order > 1)
        report(c, "Hessian-vector product against differences", "network input", hessian);
    if (order > 1)
        report(c, "<H u, v> = <u, H v>", "network input", symmetry);
}

static status check_input(checker *c, int order)
{
    input_checker k = {.c = c};
    status s = tape_create(&k.t, c->g, c->be, c->settings->batch, order, 1, -1);
    if (s != STATUS_OK)
        return s;
    k.count = (size_t)c->settings->batch * c->inputs;
    k.top = (size_t)c->settings->batch * shape_count(c->g->nodes[graph_top(c->g)].out);
    k.t.truth = c->truth;
    k.t.training = c->training;
    k.t.move_statistics = false;
    k.t.seed = c->settings->seed;
    real *memory = c->be->allocate(6 * k.count + k.top);
    if (!memory) {
        tape_free(&k.t);
        return STATUS_NO_MEMORY;
    }
    real **parts[] = {&k.u, &k.v, &k.g, &k.hu, &k.hv, &k.moved};
    for (int i = 0; i < 6; ++i)
        *parts[i] = memory + (size_t)i * k.count;
    k.seed = memory + 6 * k.count;
    draw_normal(c, k.count, k.u);
    draw_normal(c, k.count, k.v);
    draw_normal(c, k.top, k.seed);
    check_points(&k, order);
    c->be->release(memory);
    tape_free(&k.t);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- with respect to the parameters */

static double total_loss(checker *c, objective *o)
{
    tape *t = objective_tape(o);
    c->be->copy((size_t)t->batch * c->inputs, c->x, t->x.data);
    t->move_statistics = false;
    objective_begin(o, c->truth, c->training, c->settings->seed, 1);
    sweep_values(t, 0, c->g->n_nodes - 1);
    return objective_forward(o).total;
}

/* A trained array, with room for a direction of the same size and a copy of its values. Its gradient waits in p->gradient. */
typedef struct trained {
    const graph_node *node;
    parameter *p;
    real *direction, *kept;
} trained;

static void move(checker *c, const trained *arrays, int n, double h)
{
    for (int i = 0; i < n; ++i) {
        parameter *p = arrays[i].p;
        c->be->copy(p->count, arrays[i].kept, p->value);
        if (h != 0)
            c->be->axpby(p->count, (real)h, arrays[i].direction, 1, p->value);
    }
}

/* Of the slope of the loss when all n arrays move along their directions at once; `scale` is added to both sides. */
static double slope_error(checker *c, objective *o, const trained *arrays, int n, double slope, double scale)
{
    double best = INFINITY;
    for (int i = 0; i < (c->large ? SMALL_STEP_SIZES : STEP_SIZES) && !is_settled(c, best); ++i) {
        double h = c->large ? small_step_sizes[i] : step_sizes[i], value[2];
        for (int side = 0; side < 2; ++side) {
            move(c, arrays, n, side ? h : -h);
            value[side] = total_loss(c, o);
        }
        best = fmin(best, relative_error(slope, (value[1] - value[0]) / (2 * h), scale));
    }
    move(c, arrays, n, 0);
    return isfinite(slope) ? best : NAN;
}

static void report_array(checker *c, const trained *t, double error)
{
    char where[64];
    snprintf(where, sizeof where, "layer %d %s, %s", t->node->index, t->node->where ? t->node->where->name : "head", t->p->name);
    report(c, "loss gradient against differences", where, error);
}

static void check_array(checker *c, objective *o, const trained *t, double loss)
{
    double worst = 0;
    for (int d = 0; d < DIRECTIONS_PER_PARAMETER; ++d) {
        draw_normal(c, t->p->count, t->direction);
        double size = norm(c, t->p->count, t->direction), scale = size > 0 ? norm(c, t->p->count, t->p->gradient) * 1e-2 + rounding_of(loss) : 1;
        double error = slope_error(c, o, t, 1, c->be->dot(t->p->count, t->p->gradient, t->direction), scale);
        worst = worse(worst, error);
    }
    report_array(c, t, worst);
}

/* A direction along which the array changes the loss by about itself, but itself no more than about once. Half of it is the gradient's, or
 * a step that is small for many weights would be too small for the loss; half is random. Returns the slope. */
static double aim(checker *c, const trained *t, double loss)
{
    const size_t count = t->p->count;
    const double size = norm(c, count, t->p->gradient), most = loss / (norm(c, count, t->kept) + 1);
    draw_normal(c, count, t->direction);
    double length = (.5 + random_one(c->stream, c->drawn++)) * loss / (size + most);
    if (random_one(c->stream, c->drawn++) < .5)
        length = -length;
    c->be->axpby(count, (real)(size > 0 ? length / size : 0), t->p->gradient, (real)(length / norm(c, count, t->direction)), t->direction);
    return c->be->dot(count, t->p->gradient, t->direction);
}

static bool gradients_vanish(const checker *c, const trained *arrays, int n)
{
    bool vanish = true;
    for (int i = 0; i < n; ++i)
        vanish &= norm(c, arrays[i].p->count, arrays[i].p->gradient) == 0;
    return vanish;
}

/* Of all arrays, at c->x. Returns the loss. */
static double loss_gradients(checker *c, objective *o)
{
    graph_clear_gradients(c->g, c->be);
    const double loss = total_loss(c, o);
    objective_backward(o);
    sweep_adjoints(objective_tape(o), c->g->output_node, 0, true); /* [cost] layers are not part of the objective's loss */
    return loss;
}

static double together_error(checker *c, objective *o, const trained *arrays, int n, double loss)
{
    double slope = 0, squares = 0;
    for (int i = 0; i < n; ++i) {
        double part = aim(c, &arrays[i], loss);
        slope += part;
        squares += part * part;
    }
    return slope_error(c, o, arrays, n, slope, 1e-2 * sqrt(squares) + rounding_of(loss));
}

/* Large networks: one direction through all arrays at once. Where it fails, each alone, to find which. */
static void check_together(checker *c, objective *o, const trained *arrays, int n)
{
    const double loss = total_loss(c, o);
    if (loss == 0 && !c->training) /* losses on derivatives alone, which are there in training only */
        return;
    char where[64];
    snprintf(where, sizeof where, "all %d arrays together", n);
    if (loss == 0) { /* derivatives that are 0 everywhere: no step could show anything, and no gradient may be left */
        report(c, "loss gradient where the loss is 0", where, gradients_vanish(c, arrays, n) ? 0 : INFINITY);
        return;
    }
    double error = together_error(c, o, arrays, n, loss);
    const int points = points_to_try(c);
    for (int point = 1; point < points && error > c->tolerance; ++point) {
        draw_input(c);
        loss_gradients(c, o);
        error = better(error, together_error(c, o, arrays, n, loss));
    }
    report(c, "loss gradient against differences", where, error);
    for (int i = 0; i < n && !(error <= c->tolerance); ++i) {
        double part = aim(c, &arrays[i], loss);
        report_array(c, &arrays[i], slope_error(c, o, &arrays[i], 1, part, 1e-2 * fabs(part) + rounding_of(loss)));
    }
}

/* The arrays that are trained, each with its part of `memory` (twice the number of parameters). */
static int list_trained(const graph *g, const backend *be, real *memory, trained *arrays)
{
    int n = 0;
    for (int i = 0; i < g->n_nodes; ++i)
        for (int k = 0; k < g->nodes[i].n_parameters && !g->nodes[i].stop_backward; ++k) {
            parameter *p = &g->nodes[i].parameters[k];
            if (p->statistic)
                continue;
            arrays[n] = (trained){&g->nodes[i], p, memory, memory + p->count};
            be->copy(p->count, p->value, arrays[n++].kept);
            memory += 2 * p->count;
        }
    return n;
}

static status check_parameters(checker *c, objective *o)
{
    real *memory = c->be->allocate(2 * graph_parameter_count(c->g));
    trained *arrays = allocate_zeroed((unsigned long)c->g->n_nodes * NODE_MAX_PARAMETERS, sizeof *arrays);
    if (!memory || !arrays) {
        c->be->release(memory);
        free(arrays);
        return STATUS_NO_MEMORY;
    }
    const double loss = loss_gradients(c, o);
    int n = list_trained(c->g, c->be, memory, arrays);
    for (int i = 0; i < n && !c->large; ++i)
        check_array(c, o, &arrays[i], loss);
    if (c->large)
        check_together(c, o, arrays, n);
    graph_clear_gradients(c->g, c->be);
    c->be->release(memory);
    free(arrays);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- all of it */

/* Inputs from the domain; labels normal, probabilities where the objective wants them. */
static status draw_sample(checker *c, const objective *o)
{
    int batch = c->settings->batch;
    size_t stride = objective_truth_count(o);
    c->x = c->be->allocate((size_t)batch * c->inputs);
    c->truth = c->be->allocate((size_t)batch * stride);
    if (!c->x || !c->truth)
        return STATUS_NO_MEMORY;
    draw_input(c);
    draw_normal(c, (size_t)batch * stride, c->truth);
    return STATUS_OK;
}

static status check_all(checker *c, objective *o)
{
    int order = gradient_check_order(c->g);
    status s = order > 0 && objective_get_options(o)->wrt < 0 ? check_input(c, order) : STATUS_OK;
    if (s == STATUS_OK && c->settings->differences)
        s = check_parameters(c, o);
    return s;
}

/* A network with statistics is two functions; that of prediction is trained on values only. */
static status run(checker *c, objective *o)
{
    status s = draw_sample(c, o);
    c->training = true;
    if (s == STATUS_OK)
        s = check_all(c, o);
    c->training = false;
    if (s == STATUS_OK && graph_has_statistics(c->g))
        s = check_all(c, o);
    return s;
}

/* What cannot be checked at all. */
static status check_graph(const graph *g, const check_settings *settings, const char *path)
{
    const section *net = g->nodes[0].net;
    if (graph_has_statistics(g) && option_choice(net, "batchnorm_gradient") == 1)
        return option_fail(net, path, "batchnorm_gradient", "batchnorm_gradient=darknet is not the derivative of anything: there is nothing to check it against");
    return graph_check_batch(g, settings->batch, path);
}

/* Whether three directions through each array would take too long; a loss is about three passes over the network. */
static bool is_large(const graph *g, int batch)
{
    int arrays = 0;
    for (int i = 0; i < g->n_nodes; ++i)
        arrays += g->nodes[i].n_parameters;
    return 3 * batch * graph_row_cost(g) * arrays * DIRECTIONS_PER_PARAMETER * 2 * STEP_SIZES > patience;
}

status gradient_check_run(graph *g, const backend *be, const objective_options *options, const section *where, const char *path,
                          const check_settings *settings, check_sink sink, void *context)
{
    objective *o;
    status s = check_graph(g, settings, path);
    if (s == STATUS_OK)
        s = objective_create(&o, g, be, where, path, options, settings->batch);
    if (s != STATUS_OK)
        return s;
    double weights[JET_MAX_ORDER + 1]; /* of a schedule, the larger end: every order is checked */
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        weights[k] = options->weight[k] > options->end_weight[k] ? options->weight[k] : options->end_weight[k];
    objective_set_weights(o, weights);
    checker c = {.g = g, .be = be, .settings = settings, .sink = sink, .context = context};
    c.tolerance = settings->tolerance > 0 ? settings->tolerance : default_tolerance();
    c.large = is_large(g, settings->batch);
    c.inputs = shape_count(g->input);
    c.outputs = shape_count(g->nodes[g->output_node].out);
    c.stream = (random_stream){settings->seed, RANDOM_CHECK, 0};
    s = run(&c, o);
    be->release(c.x);
    be->release(c.truth);
    objective_free(o);
    if (s == STATUS_OK && c.failed)
        s = status_fail(STATUS_FAILED, "at least one derivative check failed");
    return s;
}
