#include "engine/objective.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/environment.h"
#include "engine/along.h"
#include "engine/directions.h"
#include "engine/hints.h"
#include "engine/loss_weights.h"
#include "engine/mirror.h"
#include "engine/objective_check.h"
#include "engine/targets.h"
#include "engine/teacher.h"
#include "layers/heads.h"

enum { LARGEST_DIRECTIONS = 1 << 16 };

struct objective {
    objective_options options;
    graph *graph;
    const backend *be;
    tape tape;
    int n_output_directions;       /* v1 */
    int n_input_directions;        /* v2 of each v1; 1 when order < 2 */
    size_t outputs, inputs;        /* of the network; of the segment's input */
    targets *targets;              /* NULL when derivatives are compared with anything but labels */
    along *along;                  /* NULL: no loss along directions of the input */
    real *mirrored;                /* [v1][batch][inputs]: the derivatives at the partners; of TARGET_FLIP */
    teacher *teacher;              /* NULL: values are compared with labels */
    hints *hints;                  /* NULL: none */
    bool counts_extras;            /* the losses of [teacher] beside those of the orders */
    real *hard_gradient;           /* [batch, outputs]; NULL: no loss on labels beside the teacher's */
    real *labels;                  /* [batch, outputs]: what the data say */
    bool have_labels;
    const real *truth;
    real *value_gradient;          /* [batch, outputs]: d loss / d m */
    label_layout truth_layout;
    double weights[JET_MAX_ORDER + 1]; /* of the orders, in this step */
    loss_weights parts;            /* of the elements and rows of each order's loss */
    bool scalar_path;              /* sweep 4 as engine/tape.h describes it */
    unsigned layout;               /* of the tape, for which seeds, directions and zeros lie in place; 0: none */
    uint64_t seed, step;
};

/* ---------------------------------------------------------------- creating */

static status append_heads(graph *g, const objective_options *o)
{
    status s = STATUS_OK;
    if (o->order == 0)
        return s;
    if (sobolev_differentiates_probabilities(o))
        s = graph_append_head(g, &log_probabilities_head);
    if (s == STATUS_OK && o->differentiated == DIFFERENTIATE_LOSS)
        s = graph_append_head(g, o->cross_entropy ? &cross_entropy_head : &squared_error_head);
    return s;
}

static status count_directions(objective *self, const section *where, const char *path)
{
    const objective_options *o = &self->options;
    size_t top = shape_count(self->graph->nodes[graph_top(self->graph)].out);
    size_t first = o->projections > 0 ? (size_t)o->projections : top;
    size_t labelled = (size_t)o->label_directions, full = labelled > 0 ? labelled : self->inputs;
    size_t second = o->order < 2 ? 1 : o->projections_2 > 0 ? (size_t)o->projections_2 : full;
    if (first > LARGEST_DIRECTIONS || second > LARGEST_DIRECTIONS || first * second > LARGEST_DIRECTIONS) {
        char text[256];
        snprintf(text, sizeof text, "%zu x %zu directions are too many: use projections=%s", first, second, o->order > 1 ? " and projections_2=" : "");
        return option_fail(where, path, "projections", text);
    }
    self->n_output_directions = (int)first;
    self->n_input_directions = (int)second;
    return STATUS_OK;
}

/* Darknet counts labels in ints. */
static status check_label_count(const objective *self, const section *where, const char *path, int capacity)
{
    size_t count = objective_truth_count(self);
    if (count <= (size_t)INT_MAX / (size_t)capacity)
        return STATUS_OK;
    char text[160];
    snprintf(text, sizeof text, "%zu labels for each of %d samples are too many: lower order= or batch=", count, capacity);
    return option_fail(where, path, "order", text);
}

/* Whether derivatives are compared with the teacher's. */
static bool follows_teacher(const objective *self)
{
    return self->teacher && self->options.order > 0 && self->options.target == TARGET_TEACHER;
}

/* Without its graph the network can only predict. */
static status allocate_teacher(objective *self, int capacity, int directions)
{
    const teacher_options *o = self->options.teacher;
    if (!o || !o->graph)
        return STATUS_OK;
    int order = self->options.target == TARGET_TEACHER ? self->options.order : 0;
    status s = teacher_create(&self->teacher, o, self->graph, self->be, capacity, order, directions);
    if (s == STATUS_OK)
        s = hints_create(&self->hints, o, self->graph, self->be, capacity);
    if (s == STATUS_OK && o->hard_weight > 0 && !(self->hard_gradient = self->be->allocate((size_t)capacity * self->outputs)))
        s = STATUS_NO_MEMORY;
    return s;
}

static status allocate(objective *self, int capacity)
{
    const objective_options *o = &self->options;
    int directions = self->n_output_directions * self->n_input_directions;
    status s = allocate_teacher(self, capacity, directions); /* first: hints decide how the student's layers lie in memory */
    if (s == STATUS_OK)
        s = tape_create(&self->tape, self->graph, self->be, capacity, o->order, directions, o->wrt);
    if (s == STATUS_OK && o->order > 0 && o->target == TARGET_DATA)
        s = targets_create(&self->targets, self->graph, self->be, capacity, self->truth_layout, self->n_output_directions, self->n_input_directions);
    if (s != STATUS_OK)
        return s;
    /* Gaussian directions of one output are not +-1. */
    if (fast_paths_enabled() && !self->hints && !(o->projections > 0 && o->projection == PROJECTION_GAUSSIAN))
        s = tape_allow_scalar_path(&self->tape, &self->scalar_path);
    if (s != STATUS_OK)
        return s;
    s = along_create(&self->along, o, self->be, self->truth_layout, self->graph->input, self->n_output_directions, capacity);
    if (s == STATUS_OK && o->order > 0 && o->target == TARGET_FLIP &&
        !(self->mirrored = self->be->allocate((size_t)capacity * (size_t)self->n_output_directions * self->inputs)))
        s = STATUS_NO_MEMORY;
    if (s != STATUS_OK)
        return s;
    self->labels = self->be->allocate((size_t)capacity * self->outputs);
    self->value_gradient = self->be->allocate((size_t)capacity * self->outputs);
    return self->labels && self->value_gradient ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---------------------------------------------------------------- weights */

void objective_scale_components(objective *self, int order, const double *factors)
{
    loss_weights_scale(&self->parts, order, factors);
}

void objective_set_weights(objective *self, const double weights[JET_MAX_ORDER + 1])
{
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        self->weights[k] = weights[k];
}

/* ---------------------------------------------------------------- creating and freeing */

/* The shape of the losses on derivatives. */
static loss_form loss_form_of(const objective *self, int capacity)
{
    return (loss_form){
        .outputs = self->outputs,
        .top = shape_count(self->graph->nodes[graph_top(self->graph)].out),
        .inputs = self->inputs,
        .n_v1 = self->n_output_directions,
        .n_v2 = self->n_input_directions,
        .capacity = capacity,
    };
}

status objective_create(objective **result, graph *g, const backend *be, const section *where, const char *path,
                        const objective_options *options, int capacity)
{
    *result = NULL;
    status s = objective_check(g, where, path, options);
    if (s != STATUS_OK)
        return s;
    objective *self = allocate_zeroed(1, sizeof *self);
    if (!self)
        return STATUS_NO_MEMORY;
    self->options = *options;
    self->graph = g;
    self->be = be;
    self->counts_extras = true;
    self->outputs = shape_count(g->nodes[g->output_node].out);
    self->inputs = options->wrt < 0 ? shape_count(g->input) : shape_count(g->nodes[options->wrt].out);
    self->truth_layout = (label_layout){
        .outputs = self->outputs,
        .inputs = self->inputs,
        .order = options->target == TARGET_DATA ? options->order : 0,
        .directions = options->order > 0 ? options->label_directions : 0,
    };
    objective_set_weights(self, options->weight);
    s = append_heads(g, options);
    g->nodes[graph_top(g)].seeded = options->order > 0;
    if (s == STATUS_OK && options->order > 0)
        s = count_directions(self, where, path);
    if (s == STATUS_OK)
        s = check_label_count(self, where, path, capacity);
    if (s == STATUS_OK)
        s = loss_weights_create(&self->parts, be, options, loss_form_of(self, capacity), path);
    if (s == STATUS_OK)
        s = allocate(self, capacity);
    if (s != STATUS_OK) {
        objective_free(self);
        return s;
    }
    *result = self;
    return STATUS_OK;
}

void objective_free(objective *self)
{
    if (!self)
        return;
    tape_free(&self->tape);
    targets_free(self->targets);
    along_free(self->along);
    self->be->release(self->mirrored);
    teacher_free(self->teacher);
    hints_free(self->hints);
    self->be->release(self->hard_gradient);
    self->be->release(self->labels);
    self->be->release(self->value_gradient);
    loss_weights_free(&self->parts);
    free(self);
}

tape *objective_tape(objective *self)
{
    return &self->tape;
}

const objective_options *objective_get_options(const objective *self)
{
    return &self->options;
}

bool objective_takes_scalar_path(const objective *self)
{
    return self->scalar_path;
}

bool objective_can_train(const objective *self)
{
    return !self->options.teacher || self->teacher;
}

void objective_count_extras(objective *self, bool counts)
{
    self->counts_extras = counts;
}

const label_layout *objective_labels(const objective *self)
{
    return &self->truth_layout;
}

size_t objective_truth_count(const objective *self)
{
    return labels_count(&self->truth_layout);
}

/* ---------------------------------------------------------------- directions */

static jet *top_adjoint(objective *self)
{
    return tape_adjoint(&self->tape, graph_top(self->graph));
}

static jet *segment_input(objective *self)
{
    return tape_jet(&self->tape, self->options.wrt);
}

static bool directions_are_random(const objective *self)
{
    return self->options.projections > 0 || (self->options.order > 1 && self->options.projections_2 > 0);
}

/* After a change of the batch size the components have moved: everything that is written only in part is zeroed. */
static void clear_layout(objective *self)
{
    const jet *seed = top_adjoint(self), *x = segment_input(self);
    component_range upper = jet_upper_half(self->options.order);
    self->be->fill(jet_range_rows(seed, upper) * seed->count, 0, jet_component(seed, upper.first));
    self->be->fill(jet_range_rows(x, upper) * x->count, 0, jet_component(x, upper.first));
    self->layout = self->tape.layout;
}

/* The vectors that the labels bring along, for every v1. */
static void place_label_directions(objective *self)
{
    const jet *x = segment_input(self);
    for (int r = 0; r < self->truth_layout.directions; ++r)
        for (int b = 0; b < x->batch; ++b) {
            const real *v = self->truth + (size_t)b * labels_count(&self->truth_layout) + labels_direction(&self->truth_layout, r);
            self->be->copy(x->count, v, jet_component(x, 1) + ((size_t)r * (size_t)x->batch + (size_t)b) * x->count);
        }
    directions_repeat(self->n_input_directions, self->n_output_directions, x->batch, x->count, jet_component(x, 1));
}

/* v1 into the last component of the top's adjoint, v2 into component 1 of the segment's input. */
static void place_directions(objective *self)
{
    const objective_options *o = &self->options;
    bool moved = self->layout != self->tape.layout;
    if (moved)
        clear_layout(self);
    if (o->order > 1 && self->truth_layout.directions > 0)
        place_label_directions(self);
    if (!moved && !directions_are_random(self))
        return;
    int pairs = self->n_output_directions * self->n_input_directions;
    direction_source source = {
        .kind = o->projection,
        .seed = self->seed,
        .step = self->step,
        .capacity = self->tape.capacity,
        .samples = o->resample ? NULL : &self->tape.x,
    };
    const jet *seed = top_adjoint(self);
    real *v1 = jet_component(seed, jet_components(o->order) - 1);
    if (o->projection != PROJECTION_CLASS)
        directions_fill(&source, RANDOM_OUTPUT_DIRECTIONS, o->projections == 0, self->n_output_directions, self->n_input_directions, seed->batch,
                        seed->count, v1);
    if (o->target == TARGET_FLIP)
        mirror_directions((size_t)pairs, (size_t)seed->batch, seed->count, v1);
    loss_weights_scale_outputs(&self->parts, (size_t)pairs * (size_t)seed->batch, v1);
    if (o->order > 1 && self->truth_layout.directions == 0) {
        const jet *x = segment_input(self);
        directions_fill(&source, RANDOM_INPUT_DIRECTIONS, o->projections_2 == 0, o->projections_2 == 0 ? self->n_input_directions : pairs, 1,
                        x->batch, x->count, jet_component(x, 1));
        if (o->projections_2 == 0)
            directions_repeat(self->n_input_directions, self->n_output_directions, x->batch, x->count, jet_component(x, 1));
        loss_weights_scale_inputs(&self->parts, (size_t)pairs * (size_t)x->batch, jet_component(x, 1));
    }
}

/* projection=class: known when the teacher has spoken. */
static void place_class(objective *self)
{
    const objective_options *o = &self->options;
    const jet *seed = top_adjoint(self);
    real *v1 = jet_component(seed, jet_components(o->order) - 1);
    if (o->projections == 0 || o->projection != PROJECTION_CLASS)
        return;
    directions_of_class(self->teacher ? teacher_outputs(self->teacher) : self->labels, self->n_input_directions, seed->batch, seed->count, v1);
    if (o->target == TARGET_FLIP)
        mirror_directions((size_t)self->n_input_directions, (size_t)seed->batch, seed->count, v1);
    loss_weights_scale_outputs(&self->parts, (size_t)self->n_input_directions * (size_t)seed->batch, v1);
}

static void gather_labels(objective *self, const real *truth)
{
    size_t stride = objective_truth_count(self);
    self->have_labels = truth != NULL && objective_can_train(self);
    self->truth = truth;
    for (size_t b = 0; truth && b < (size_t)self->tape.batch; ++b)
        for (size_t k = 0; k < self->outputs; ++k)
            self->labels[b * self->outputs + k] = truth[b * stride + k];
    self->tape.truth = truth ? self->labels : NULL;
}

static bool has_derivative_loss(const objective *self)
{
    for (int k = 1; k <= self->options.order; ++k)
        if (self->weights[k] != 0)
            return true;
    return false;
}

void objective_begin(objective *self, const real *truth, bool training, uint64_t seed, uint64_t step)
{
    tape *t = &self->tape;
    t->training = training;
    t->derivatives = training && truth && has_derivative_loss(self) && objective_can_train(self);
    t->seed = self->seed = seed;
    t->step = self->step = step;
    t->cost = 0;
    gather_labels(self, truth);
    t->row_scale = NULL;
    tape_clear_adjoints(t);
    if (t->derivatives) {
        place_directions(self);
        loss_weights_fill_rows(&self->parts, &self->truth_layout, self->truth, self->tape.batch);
        if (self->along)
            along_begin(self->along, self->truth, t->x.data, t->batch);
    }
    if (self->teacher && self->have_labels)
        teacher_values(self->teacher, t->x.data, t->batch, t->derivatives && follows_teacher(self), segment_input(self));
}

/* ---------------------------------------------------------------- losses */

static double value_loss(objective *self)
{
    const jet *m = tape_jet(&self->tape, self->graph->output_node);
    if (self->weights[0] == 0) {
        self->be->fill((size_t)self->tape.batch * self->outputs, 0, self->value_gradient);
        return 0;
    }
    loss_function loss = loss_weights_of(&self->parts, 0, self->options.loss[0]);
    const real *target = self->teacher ? teacher_outputs(self->teacher) : self->labels;
    return self->be->loss(loss, (size_t)self->tape.batch, self->outputs, m->data, target, (real)self->weights[0], self->value_gradient);
}

/* What [teacher] adds to the loss on values: against the labels of the data, and between layers. */
static double extra_losses(objective *self)
{
    const jet *m = tape_jet(&self->tape, self->graph->output_node);
    double total = 0;
    if (!self->counts_extras)
        return 0;
    if (self->hard_gradient) {
        const teacher_options *o = self->options.teacher;
        loss_function loss = loss_weights_of(&self->parts, 0, o->hard_loss);
        total += self->be->loss(loss, (size_t)self->tape.batch, self->outputs, m->data, self->labels, (real)o->hard_weight, self->hard_gradient);
        self->be->axpby((size_t)self->tape.batch * self->outputs, 1, self->hard_gradient, 1, self->value_gradient);
    }
    return self->hints ? total + hints_loss(self->hints, &self->tape, self->teacher) : total;
}

/* Random directions estimate a mean; unit vectors enumerate a sum. */
static double output_direction_weight(const objective *self)
{
    return self->options.projections > 0 ? 1. / self->n_output_directions : 1;
}

static double input_direction_weight(const objective *self)
{
    return self->options.projections_2 > 0 ? 1. / self->n_input_directions : 1;
}

/* What the derivatives are compared with; an array that is NULL stands for zeros. */
typedef struct derivative_targets {
    const real *gradient;
    size_t stride; /* from the rows of one v1 to those of the next */
    const real *hessian, *along;
} derivative_targets;

static derivative_targets targets_of(const objective *self)
{
    size_t block = (size_t)self->tape.batch * self->inputs;
    if (follows_teacher(self)) /* like the student's own, they stand once for each pair (v1, v2) */
        return (derivative_targets){teacher_gradient(self->teacher), (size_t)self->n_input_directions * block, teacher_hessian(self->teacher), NULL};
    if (self->mirrored)
        return (derivative_targets){self->mirrored, block, NULL, NULL};
    return (derivative_targets){targets_gradient(self->targets), block, targets_hessian(self->targets), targets_along(self->targets)};
}

/* g against its target, for every v1; r = dL/dg. With order 2 each v1 has several directions that all carry the same g: the first of them
 * stands for all. */
static double whole_gradient_loss(objective *self, const real *g, derivative_targets t, double scale, real *r)
{
    size_t per_direction = (size_t)self->n_input_directions, rows = (size_t)self->tape.batch, block = rows * self->inputs;
    loss_function loss = loss_weights_of(&self->parts, 1, self->options.loss[1]);
    if (per_direction == 1)
        return self->be->loss(loss, rows * (size_t)self->n_output_directions, self->inputs, g, t.gradient, (real)scale, r);
    double sum = 0;
    for (size_t i = 0; i < (size_t)self->n_output_directions; ++i) {
        size_t at = i * per_direction * block;
        sum += self->be->loss(loss, rows, self->inputs, g + at, t.gradient ? t.gradient + i * t.stride : NULL, (real)scale, r + at);
        if (loss.row_weights)
            loss.row_weights += rows;
    }
    return sum;
}

/* The losses on first derivatives; r = dL/dg goes where the tangent sweep reads it. */
static double gradient_loss(objective *self)
{
    const objective_options *o = &self->options;
    int last = jet_components(o->order) - 1;
    size_t per_direction = (size_t)self->n_input_directions, block = (size_t)self->tape.batch * self->inputs;
    const real *g = jet_component(tape_adjoint(&self->tape, o->wrt), last);
    derivative_targets t = targets_of(self);
    real *r = jet_component(segment_input(self), last);
    double scale = self->weights[1] * output_direction_weight(self), sum = 0;
    for (size_t i = 0; (scale == 0 || along_alone(self->along)) && i < (size_t)self->n_output_directions; ++i)
        self->be->fill(block, 0, r + i * per_direction * block);
    if (scale == 0)
        return 0;
    if (!along_alone(self->along))
        sum = whole_gradient_loss(self, g, t, scale, r);
    if (self->along)
        sum += along_loss(self->along, o->loss[1], g, per_direction, (along_target){t.along, t.gradient, t.stride}, self->parts.rows[1], scale, r);
    if (self->mirrored)
        mirror_gradients((size_t)self->n_output_directions, (size_t)self->tape.batch, self->graph->input, r);
    return sum;
}

/* q against its target, for every pair (v1, v2); u = dL/dq. */
static double hessian_loss(objective *self)
{
    const objective_options *o = &self->options;
    size_t rows = (size_t)self->tape.batch * (size_t)self->tape.directions;
    real scale = (real)(self->weights[2] * output_direction_weight(self) * input_direction_weight(self));
    real *u = jet_component(segment_input(self), 2);
    if (scale == 0) {
        self->be->fill(rows * self->inputs, 0, u);
        return 0;
    }
    return self->be->loss(loss_weights_of(&self->parts, 2, o->loss[2]), rows, self->inputs, jet_component(tape_adjoint(&self->tape, o->wrt), 2),
                          targets_of(self).hessian, scale, u);
}

/* differentiate=loss: a label that is not given is left out of the loss, by a term that is 0. */
static void fill_missing_labels(objective *self)
{
    const objective_options *o = &self->options;
    const real *m = tape_jet(&self->tape, self->graph->output_node)->data;
    for (size_t i = 0; o->differentiated == DIFFERENTIATE_LOSS && i < (size_t)self->tape.batch * self->outputs; ++i)
        if (isnan(self->labels[i]))
            self->labels[i] = o->cross_entropy ? 0 : m[i];
}

static void derivative_losses(objective *self, objective_losses *losses)
{
    tape *t = &self->tape;
    int order = self->options.order, top = graph_top(self->graph);
    place_class(self);
    if (follows_teacher(self))
        teacher_derivatives(self->teacher, top_adjoint(self), self->labels);
    fill_missing_labels(self);
    sweep_values(t, self->graph->n_nodes, top);
    tape_seed_adjoint(t, top, HALF_UPPER);
    sweep_seeds(t);
    if (self->targets)
        targets_compute(self->targets, self->truth, self->labels, t->batch, top_adjoint(self), segment_input(self));
    if (self->mirrored)
        mirror_targets((size_t)self->n_output_directions, (size_t)t->batch, self->graph->input, jet_component(tape_adjoint(t, self->options.wrt), 1), self->mirrored);
    losses->order[1] = gradient_loss(self);
    if (order > 1)
        losses->order[2] = hessian_loss(self);
}

objective_losses objective_forward(objective *self)
{
    objective_losses losses = {{0}, 0};
    if (!self->have_labels) {
        self->be->fill((size_t)self->tape.batch * self->outputs, 0, self->value_gradient);
        return losses;
    }
    losses.order[0] = value_loss(self);
    losses.order[0] += extra_losses(self);
    if (self->tape.derivatives)
        derivative_losses(self, &losses);
    losses.total = losses.order[0] + losses.order[1] + losses.order[2];
    return losses;
}

/* s = v dl/dm, in place of dl/dm: with one output v is +-1, its own inverse. */
static void start_scalar_path(objective *self)
{
    tape *t = &self->tape;
    self->be->multiply((size_t)t->batch, self->value_gradient, jet_component(top_adjoint(self), 1), self->value_gradient, false);
    t->row_scale = self->value_gradient;
}

void objective_backward(objective *self)
{
    tape *t = &self->tape;
    int output = self->graph->output_node, top = graph_top(self->graph);
    bool scalar_path = t->derivatives && self->scalar_path && !t->input_adjoint;
    if (scalar_path)
        start_scalar_path(self);
    if (t->derivatives)
        sweep_tangents(t);
    if (scalar_path)
        return;
    tape_zero_low(t, t->derivatives ? top : output);
    if (t->derivatives)
        sweep_adjoints(t, top, self->graph->n_nodes, false);
    self->be->axpby((size_t)t->batch * self->outputs, 1, self->value_gradient, 1, tape_adjoint(t, output)->data);
    if (self->hints && self->counts_extras)
        hints_seed(self->hints, t);
}

/* One training step of a batch, but for the update. */
static void run_step(objective *self, const real *x, int batch, const real *truth, uint64_t seed, uint64_t step)
{
    tape *t = &self->tape;
    if (t->batch != batch)
        tape_set_batch(t, batch);
    t->input_adjoint = false;
    if (x != t->x.data)
        self->be->copy((size_t)batch * t->x.count, x, t->x.data);
    objective_begin(self, truth, true, seed, step);
    sweep_values(t, 0, self->graph->n_nodes - 1);
    objective_forward(self);
    objective_backward(self);
    sweep_adjoints(t, self->graph->output_node, 0, true);
}

status objective_gradient(objective *self, const real *x, int batch, const real *truth, uint64_t seed, uint64_t step, real *gradient)
{
    size_t n = 0;
    GRAPH_PARAMETERS(self->graph, p) ++n;
    real **kept = allocate_zeroed(n, sizeof *kept), *to = gradient;
    if (!kept)
        return STATUS_NO_MEMORY;
    n = 0;
    GRAPH_PARAMETERS(self->graph, p)
    {
        kept[n++] = p->gradient;
        p->gradient = to;
        to += p->count;
    }
    graph_clear_gradients(self->graph, self->be);
    self->tape.move_statistics = false;
    run_step(self, x, batch, truth, seed, step);
    self->tape.move_statistics = true;
    n = 0;
    GRAPH_PARAMETERS(self->graph, p) p->gradient = kept[n++];
    free(kept);
    return STATUS_OK;
}
