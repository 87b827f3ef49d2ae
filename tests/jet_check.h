/* Checks a function on jets, as a backend computes it, against hyper-dual arithmetic in double.
 *
 * A test gives the function once, on hyper-dual numbers: that is the reference for every component of the forward
 * direction. The reference of the adjoint is the central difference of phi = sum <ybar_S, y_S> with respect to each
 * component of x, so that no adjoint formula stands in the tests. */
#ifndef TESTS_JET_CHECK_H
#define TESTS_JET_CHECK_H

#include "backend_fixture.h"

/* -- v + d1 e1 + d2 e2 + d12 e1 e2 with e1^2 = e2^2 = 0 -- */

typedef struct hyperdual {
    double v, d1, d2, d12;
} hyperdual;

/* f(x) from f, f' and f'' at x.v */
static inline hyperdual hd_apply(hyperdual x, double f, double f1, double f2)
{
    return (hyperdual){f, f1 * x.d1, f1 * x.d2, f2 * x.d1 * x.d2 + f1 * x.d12};
}

static inline hyperdual hd_add(hyperdual x, hyperdual y)
{
    return (hyperdual){x.v + y.v, x.d1 + y.d1, x.d2 + y.d2, x.d12 + y.d12};
}

/* slope x + intercept */
static inline hyperdual hd_line(double slope, hyperdual x, double intercept)
{
    return (hyperdual){slope * x.v + intercept, slope * x.d1, slope * x.d2, slope * x.d12};
}

static inline hyperdual hd_multiply(hyperdual x, hyperdual y)
{
    return (hyperdual){x.v * y.v, x.v * y.d1 + x.d1 * y.v, x.v * y.d2 + x.d2 * y.v,
                       x.v * y.d12 + x.d1 * y.d2 + x.d2 * y.d1 + x.d12 * y.v};
}

static inline hyperdual hd_inverse(hyperdual x)
{
    return hd_apply(x, 1 / x.v, -1 / (x.v * x.v), 2 / (x.v * x.v * x.v));
}

static inline hyperdual hd_exp(hyperdual x)
{
    return hd_apply(x, exp(x.v), exp(x.v), exp(x.v));
}

static inline hyperdual hd_log(hyperdual x)
{
    return hd_apply(x, log(x.v), 1 / x.v, -1 / (x.v * x.v));
}

static inline double hd_component(hyperdual x, int s)
{
    return s == 0 ? x.v : s == 1 ? x.d1 : s == 2 ? x.d2 : x.d12;
}

/* -- a function on jets, and a case of it -- */

typedef struct jet_function {
    const char *name;
    int kind;         /* for the test's own use */
    bool elementwise; /* else it acts on whole rows */
    bool one_output;  /* per row */
    /* The reference: y of one sample and one direction. */
    void (*reference)(const struct jet_function *f, size_t count, const hyperdual *x, const double *truth, hyperdual *y);
    void (*forward)(const struct jet_function *f, const backend *be, const jet *x, const real *truth, jet *y,
                    component_range range);
    void (*backward)(const struct jet_function *f, const backend *be, const jet *x, const real *truth, const jet *adj_y,
                     jet *adj_x, component_range range, bool accumulate);
    /* Moves a value away from points where the function has no derivatives; NULL: there are none. */
    double (*avoid)(const struct jet_function *f, double x);
} jet_function;

typedef struct jet_shape {
    int batch;
    size_t count;
    int directions, order;
} jet_shape;

typedef struct jet_problem {
    const jet_function *f;
    const backend *be;
    jet_shape shape;
    jet x, adj_y; /* what the backend reads */
    guarded x_data, adj_data, truth;
    size_t n_x, n_y;
    size_t cells, width, out; /* the function acts on cells of `width` inputs and `out` outputs, independently */
    double *xs, *adjs, *truths;
    double *y, *adj_x; /* the references */
} jet_problem;

#ifdef DNX_DOUBLE
static const double jet_tolerance = 1e-7;
#else
static const double jet_tolerance = 1e-5;
#endif

static inline double *to_double(guarded g)
{
    double *values = malloc((g.count + 1) * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < g.count; i++)
        values[i] = g.data[i];
    return values;
}

/* Where element i of a cell lies in component s and direction d; the arrangement of core/jet.h, written anew. */
static inline size_t jet_place(const jet_problem *p, size_t width, size_t cell, int s, int d, size_t i)
{
    const size_t block = p->cells * width, directions = (size_t)p->shape.directions;
    return (s == 0 ? 0 : block * (1 + (size_t)(s - 1) * directions + (size_t)d)) + cell * width + i;
}

static inline int jet_problem_components(const jet_problem *p)
{
    return p->shape.order == 0 ? 1 : p->shape.order == 1 ? 2 : 4;
}

static inline int component_directions(const jet_problem *p, int s)
{
    return s == 0 ? 1 : p->shape.directions;
}

/* y of one cell and direction, from the values xs. */
static inline void reference_cell(const jet_problem *p, const double *xs, size_t cell, int d, hyperdual *y)
{
    hyperdual x[p->width];
    for (size_t i = 0; i < p->width; i++) {
        double c[JET_MAX_COMPONENTS] = {0};
        for (int s = 0; s < jet_problem_components(p); s++)
            c[s] = xs[jet_place(p, p->width, cell, s, d, i)];
        x[i] = (hyperdual){c[0], c[1], c[2], c[3]};
    }
    p->f->reference(p->f, p->width, x, p->truths + cell * p->width, y);
}

static inline void reference_forward(const jet_problem *p)
{
    hyperdual y[p->out];
    for (size_t cell = 0; cell < p->cells; cell++)
        for (int d = 0; d == 0 || d < p->shape.directions; d++) {
            reference_cell(p, p->xs, cell, d, y);
            for (int s = 0; s < jet_problem_components(p); s++)
                for (size_t i = 0; i < p->out; i++)
                    p->y[jet_place(p, p->out, cell, s, d, i)] = hd_component(y[i], s);
        }
}

/* sum <ybar_S, y_S> over one cell: over one direction, and the value with the first. */
static inline double phi_direction(const jet_problem *p, size_t cell, int d)
{
    hyperdual y[p->out];
    double sum = 0;
    reference_cell(p, p->xs, cell, d, y);
    for (int s = d == 0 ? 0 : 1; s < jet_problem_components(p); s++)
        for (size_t i = 0; i < p->out; i++)
            sum += p->adjs[jet_place(p, p->out, cell, s, d, i)] * hd_component(y[i], s);
    return sum;
}

/* phi as a function of component s, direction d: the value is felt in every direction. */
static inline double phi(const jet_problem *p, size_t cell, int s, int d)
{
    double sum = 0;
    for (int e = s == 0 ? 0 : d; e == 0 || e < (s == 0 ? p->shape.directions : d + 1); e++)
        sum += phi_direction(p, cell, e);
    return sum;
}

static inline double central_difference(const jet_problem *p, size_t cell, int s, int d, size_t i)
{
    const double h = 1e-4;
    double *x = &p->xs[jet_place(p, p->width, cell, s, d, i)];
    const double centre = *x;
    *x = centre + h;
    const double above = phi(p, cell, s, d);
    *x = centre - h;
    const double below = phi(p, cell, s, d);
    *x = centre;
    return (above - below) / (2 * h);
}

static inline void reference_backward(const jet_problem *p)
{
    for (size_t cell = 0; cell < p->cells; cell++)
        for (int s = 0; s < jet_problem_components(p); s++)
            for (int d = 0; d < component_directions(p, s); d++)
                for (size_t i = 0; i < p->width; i++)
                    p->adj_x[jet_place(p, p->width, cell, s, d, i)] = central_difference(p, cell, s, d, i);
}

static inline jet_problem jet_problem_new(const jet_function *f, const backend *be, jet_shape shape, int shift)
{
    jet_problem p = {.f = f, .be = be, .shape = shape};
    const size_t values = (size_t)shape.batch * shape.count, outputs = f->one_output ? 1 : shape.count;
    p.cells = f->elementwise ? values : (size_t)shape.batch;
    p.width = f->elementwise ? 1 : shape.count;
    p.out = f->elementwise ? 1 : outputs;
    p.n_x = jet_elements(shape.count, shape.batch, shape.directions, shape.order);
    p.n_y = jet_elements(outputs, shape.batch, shape.directions, shape.order);
    p.x_data = guarded_noise(p.n_x, shift, 1);
    p.adj_data = guarded_noise(p.n_y, 1 - shift, 2);
    p.truth = guarded_noise(values, shift, 3);
    for (size_t i = 0; i < values; i++) {
        const double x = 6 * p.x_data.data[i];
        p.x_data.data[i] = (real)(f->avoid ? f->avoid(f, x) : x);
    }
    p.x = (jet){p.x_data.data, shape.count, shape.batch, shape.directions, shape.order};
    p.adj_y = (jet){p.adj_data.data, outputs, shape.batch, shape.directions, shape.order};
    p.xs = to_double(p.x_data);
    p.adjs = to_double(p.adj_data);
    p.truths = to_double(p.truth);
    p.y = calloc(p.n_y, sizeof *p.y);
    p.adj_x = calloc(p.n_x, sizeof *p.adj_x);
    assert_true(p.y && p.adj_x);
    reference_forward(&p);
    reference_backward(&p);
    return p;
}

static inline void jet_problem_free(jet_problem *p)
{
    double *const arrays[] = {p->xs, p->adjs, p->truths, p->y, p->adj_x};
    for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
        free(arrays[i]);
    guarded_free(p->x_data);
    guarded_free(p->adj_data);
    guarded_free(p->truth);
}

/* -- the checks -- */

/* A copy of a jet's data in which the components of `unknown` are NaN: who reads what is not there yet is found out. */
static inline guarded poisoned_copy(guarded data, const jet *form, component_range unknown)
{
    guarded copy = guarded_copy(data, 0);
    jet view = *form;
    view.data = copy.data;
    for (size_t i = 0; i < jet_range_rows(&view, unknown) * form->count; i++)
        jet_component(&view, unknown.first)[i] = (real)NAN;
    return copy;
}

/* Components of `range` must be before (when accumulated to) + want; the others must be as before. */
static inline void check_components(const jet_problem *p, const char *what, const jet *got, guarded before, const double *want,
                                    component_range range, bool accumulate)
{
    for (int s = 0; s < jet_components(got->order); s++) {
        const size_t first = jet_first_row(got, s) * got->count, last = first + jet_rows(got, s) * got->count;
        char label[160];
        snprintf(label, sizeof label, "%s %s, batch %d count %zu directions %d order %d, range %d..%d%s, component %d",
                 p->f->name, what, p->shape.batch, p->shape.count, p->shape.directions, p->shape.order, range.first, range.last,
                 accumulate ? " accumulated" : "", s);
        if (!range_has(range, s)) {
            check_same_bits(label, got->data + first, before.data + first, last - first);
            continue;
        }
        double scale = 1;
        for (size_t i = first; i < last; i++)
            scale = fabs(want[i]) > scale ? fabs(want[i]) : scale;
        for (size_t i = first; i < last; i++)
            check_near(label, i - first, got->data[i], want[i] + (accumulate ? before.data[i] : 0), jet_tolerance, scale);
    }
}

static inline void check_forward(const jet_problem *p, component_range range, component_range unknown)
{
    guarded xs = poisoned_copy(p->x_data, &p->x, unknown), before = guarded_noise(p->n_y, 0, 4), after = guarded_copy(before, 1);
    jet x = p->x, y = p->adj_y;
    x.data = xs.data;
    y.data = after.data;
    p->f->forward(p->f, p->be, &x, p->truth.data, &y, range);
    check_components(p, "forward", &y, before, p->y, range, false);
    guarded_free(xs);
    guarded_free(before);
    guarded_free(after);
}

static inline void check_backward(const jet_problem *p, component_range range, component_range unknown_x,
                                  component_range unknown_adj, bool accumulate)
{
    guarded xs = poisoned_copy(p->x_data, &p->x, unknown_x), adjs = poisoned_copy(p->adj_data, &p->adj_y, unknown_adj);
    guarded before = guarded_noise(p->n_x, 0, 5), after = guarded_copy(before, 1);
    jet x = p->x, adj_y = p->adj_y, adj_x = p->x;
    x.data = xs.data;
    adj_y.data = adjs.data;
    adj_x.data = after.data;
    p->f->backward(p->f, p->be, &x, p->truth.data, &adj_y, &adj_x, range, accumulate);
    check_components(p, "backward", &adj_x, before, p->adj_x, range, accumulate);
    guarded_free(xs);
    guarded_free(adjs);
    guarded_free(before);
    guarded_free(after);
}

/* <ybar, J u> = <J^T ybar, u>, with J u by central differences of the backend's own forward function. */
static inline void check_adjoint_identity(const jet_problem *p)
{
#ifdef DNX_DOUBLE
    const double h = 1e-5, tolerance = 1e-8;
#else
    const double h = 1. / 64, tolerance = 2e-3;
#endif
    const component_range all = jet_all(p->shape.order);
    guarded u = guarded_noise(p->n_x, 0, 6), moved = guarded_new(p->n_x, 0), adj = guarded_new(p->n_x, 0);
    guarded y[2] = {guarded_new(p->n_y, 0), guarded_new(p->n_y, 0)};
    for (int side = 0; side < 2; side++) {
        for (size_t i = 0; i < p->n_x; i++)
            moved.data[i] = (real)(p->xs[i] + (side ? h : -h) * u.data[i]);
        jet x = p->x, out = p->adj_y;
        x.data = moved.data;
        out.data = y[side].data;
        p->f->forward(p->f, p->be, &x, p->truth.data, &out, all);
    }
    jet adj_x = p->x;
    adj_x.data = adj.data;
    p->f->backward(p->f, p->be, &p->x, p->truth.data, &p->adj_y, &adj_x, all, false);
    double forward = 0, backward = 0, scale = 1;
    for (size_t i = 0; i < p->n_y; i++) {
        const double term = p->adjs[i] * ((double)y[1].data[i] - (double)y[0].data[i]) / (2 * h);
        forward += term;
        scale += fabs(term);
    }
    for (size_t i = 0; i < p->n_x; i++)
        backward += (double)adj.data[i] * u.data[i];
    check_near(p->f->name, p->n_x, forward, backward, tolerance, scale);
    guarded_free(u);
    guarded_free(moved);
    guarded_free(adj);
    guarded_free(y[0]);
    guarded_free(y[1]);
}

static const component_range no_components = {0, 0};

/* The halves as the four sweeps of engine/graph.h ask for them, with what the sweep does not know yet as NaN. */
static inline void check_sweeps(const jet_problem *p)
{
    const component_range low = jet_low_half(p->shape.order), upper = jet_upper_half(p->shape.order);
    const component_range unknown = p->shape.order > 0 ? upper : no_components;
    check_forward(p, low, unknown);
    check_forward(p, upper, no_components);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        if (p->shape.order > 0)
            check_backward(p, upper, unknown, low, accumulate);
        check_backward(p, low, no_components, no_components, accumulate);
    }
}

/* Every range there is. */
static inline void check_ranges(const jet_problem *p)
{
    for (int first = 0; first < jet_components(p->shape.order); first++)
        for (int last = first + 1; last <= jet_components(p->shape.order); last++) {
            const component_range range = {first, last};
            check_forward(p, range, no_components);
            check_backward(p, range, no_components, no_components, false);
            check_backward(p, range, no_components, no_components, true);
        }
}

static inline void check_jet_function(const jet_function *f, const backend *be, jet_shape shape, int shift)
{
    jet_problem p = jet_problem_new(f, be, shape, shift);
    check_sweeps(&p);
    check_ranges(&p);
    check_adjoint_identity(&p);
    jet_problem_free(&p);
}

#endif
