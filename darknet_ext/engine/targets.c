#include "engine/targets.h"

#include <stdlib.h>
#include <string.h>

#include "core/missing.h"

struct targets {
    const backend *be;
    graph head;       /* the head alone, its input is the network's output */
    tape head_tape;   /* unused when there is no head */
    label_layout layout;
    int order, n_output_directions, n_input_directions;
    size_t outputs, inputs;
    real *gradient, *hessian, *along;
};

static status head_create(targets *t, const graph *g, int capacity)
{
    t->head = (graph){.input = shape_vector((int)t->outputs), .output_node = -1};
    t->head.nodes = allocate_zeroed(GRAPH_MAX_HEAD, sizeof *t->head.nodes);
    status s = t->head.nodes ? STATUS_OK : STATUS_NO_MEMORY;
    for (int i = 0; i < g->n_head && s == STATUS_OK; ++i)
        s = graph_append_head(&t->head, g->nodes[g->n_nodes + i].type);
    if (s == STATUS_OK && g->n_head > 0)
        s = tape_create(&t->head_tape, &t->head, t->be, capacity, t->order, t->n_output_directions * t->n_input_directions, -1);
    return s;
}

status targets_create(targets **result, const graph *g, const backend *be, int capacity, label_layout layout, int n_output_directions,
                      int n_input_directions)
{
    targets *t = allocate_zeroed(1, sizeof *t);
    *result = t;
    if (!t)
        return STATUS_NO_MEMORY;
    t->be = be;
    t->layout = layout;
    t->order = layout.order;
    t->n_output_directions = n_output_directions;
    t->n_input_directions = n_input_directions;
    t->outputs = layout.outputs;
    t->inputs = layout.inputs;
    size_t rows = (size_t)capacity * (size_t)n_output_directions;
    status s = head_create(t, g, capacity);
    if (s != STATUS_OK)
        return s;
    t->gradient = be->allocate(rows * t->inputs);
    t->hessian = t->order > 1 ? be->allocate(rows * (size_t)n_input_directions * t->inputs) : NULL;
    t->along = layout.directions > 0 ? be->allocate(rows * (size_t)layout.directions) : NULL;
    return t->gradient && (t->hessian || t->order < 2) && (t->along || layout.directions == 0) ? STATUS_OK : STATUS_NO_MEMORY;
}

void targets_free(targets *t)
{
    if (!t)
        return;
    tape_free(&t->head_tape);
    graph_free(&t->head, t->be);
    t->be->release(t->gradient);
    t->be->release(t->hessian);
    t->be->release(t->along);
    free(t);
}

const real *targets_gradient(const targets *t)
{
    return t ? t->gradient : NULL;
}

const real *targets_hessian(const targets *t)
{
    return t ? t->hessian : NULL;
}

const real *targets_along(const targets *t)
{
    return t ? t->along : NULL;
}

/* out[inputs] (+)= J^T c, J of outputs x inputs. */
static void jacobian_product(const targets *t, const real *jacobian, const real *c, bool accumulate, real *out)
{
    for (size_t j = 0; j < t->inputs; ++j) {
        double sum = accumulate ? (double)out[j] : 0;
        for (size_t k = 0; k < t->outputs; ++k)
            sum += product_given((double)c[k], (double)jacobian[k * t->inputs + j]);
        out[j] = (real)sum;
    }
}

/* out[outputs] = J v. */
static void jacobian_direction(const targets *t, const real *jacobian, const real *v, real *out)
{
    for (size_t k = 0; k < t->outputs; ++k) {
        double sum = 0;
        for (size_t j = 0; j < t->inputs; ++j)
            sum += product_given((double)v[j], (double)jacobian[k * t->inputs + j]);
        out[k] = (real)sum;
    }
}

/* out[inputs] = sum_k c_k H_k v, each H_k of inputs x inputs. */
static void hessian_product(const targets *t, const real *hessian, const real *c, const real *v, real *out)
{
    size_t n = t->inputs;
    for (size_t i = 0; i < n; ++i) {
        double sum = 0;
        for (size_t k = 0; k < t->outputs; ++k) {
            const real *row = hessian + (k * n + i) * n;
            double along = 0;
            for (size_t j = 0; j < n && c[k] != 0; ++j)
                along += product_given((double)v[j], (double)row[j]);
            sum += c[k] == 0 ? 0 : (double)c[k] * along;
        }
        out[i] = (real)sum;
    }
}

/* The label direction that belongs to a pair (v1, v2) of a sample. */
static const real *label_direction(const targets *t, const real *sample, size_t pair)
{
    return sample + labels_direction(&t->layout, (int)(pair % (size_t)t->n_input_directions));
}

/* J v2: given, or from the Jacobian. */
static void label_tangent(const targets *t, const real *sample, size_t pair, const real *v, real *out)
{
    jacobian_direction(t, sample + labels_jacobian(&t->layout), v, out);
    if (t->layout.directions == 0)
        return;
    const real *jvp = label_direction(t, sample, pair) + labels_jvp(&t->layout);
    for (size_t k = 0; k < t->outputs; ++k)
        if (jvp[k] == jvp[k])
            out[k] = jvp[k];
}

/* The head's sweeps on the labels: c in the last component of its input's adjoint, w (order 2) in component 2. */
static void head_sweeps(targets *t, const real *truth, const real *labels, int batch, const jet *seed, const jet *x)
{
    tape *head = &t->head_tape;
    tape_set_batch(head, batch);
    tape_clear_adjoints(head);
    head->derivatives = true;
    head->truth = labels;
    t->be->copy((size_t)batch * t->outputs, labels, head->x.data);
    if (t->order > 1)
        for (size_t row = 0; row < jet_rows(x, 1); ++row) {
            size_t sample = row % (size_t)batch;
            label_tangent(t, truth + sample * labels_count(&t->layout), row / (size_t)batch, jet_component(x, 1) + row * x->count,
                          jet_component(&head->x, 1) + row * t->outputs);
        }
    int top = graph_top(&t->head);
    sweep_values(head, 0, top);
    component_range upper = jet_upper_half(t->order);
    jet *top_adjoint = tape_adjoint(head, top);
    t->be->copy(jet_range_rows(seed, upper) * seed->count, jet_component(seed, upper.first), jet_component(top_adjoint, upper.first));
    tape_seed_adjoint(head, top, HALF_UPPER);
    sweep_seeds(head);
}

/* t2 of one pair: sum_k c_k H_k v2, from the Hessian or as it is given. */
static void second_target(const targets *t, const real *sample, size_t pair, const real *c, const real *v, real *out)
{
    if (t->layout.directions > 0)
        jacobian_product(t, label_direction(t, sample, pair) + labels_hvp(&t->layout), c, false, out);
    else
        hessian_product(t, sample + labels_after_jacobian(&t->layout), c, v, out);
}

/* Of one output direction: t1, and its products with the label directions. */
static void first_targets(const targets *t, const real *sample, const real *c, real *gradient, real *along)
{
    jacobian_product(t, sample + labels_jacobian(&t->layout), c, false, gradient);
    for (int r = 0; r < t->layout.directions; ++r) {
        const real *jvp = sample + labels_direction(&t->layout, r) + labels_jvp(&t->layout);
        double sum = 0;
        for (size_t k = 0; k < t->outputs; ++k)
            sum += product_given((double)c[k], (double)jvp[k]);
        along[r] = (real)sum;
    }
}

void targets_compute(targets *t, const real *truth, const real *labels, int batch, const jet *seed, const jet *x)
{
    const jet *adjoint = seed; /* without a head c is v1 itself */
    if (t->head.n_head > 0) {
        head_sweeps(t, truth, labels, batch, seed, x);
        adjoint = &t->head_tape.adj_x;
    }
    const real *c = jet_component(adjoint, jet_components(t->order) - 1);
    size_t per_v1 = (size_t)t->n_input_directions, rows = (size_t)batch * (size_t)t->n_output_directions * per_v1;
    for (size_t row = 0; row < rows; ++row) {
        size_t b = row % (size_t)batch, pair = row / (size_t)batch, to = pair / per_v1 * (size_t)batch + b;
        const real *sample = truth + b * labels_count(&t->layout), *c_row = c + row * t->outputs;
        if (pair % per_v1 == 0)
            first_targets(t, sample, c_row, t->gradient + to * t->inputs, t->along ? t->along + to * (size_t)t->layout.directions : NULL);
        if (t->order > 1) {
            real *out = t->hessian + row * t->inputs;
            second_target(t, sample, pair, c_row, jet_component(x, 1) + row * t->inputs, out);
            if (t->head.n_head > 0)
                jacobian_product(t, sample + labels_jacobian(&t->layout), jet_component(adjoint, 2) + row * t->outputs, true, out);
        }
    }
}
