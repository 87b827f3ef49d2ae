#include "engine/teacher.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layers/heads.h"

struct teacher {
    graph *graph;
    const backend *be;
    tape tape;
    real *labels; /* [capacity, outputs]: what loss heads compare with */
};

/* ---------------------------------------------------------------- options */

static loss_function loss_of(const section *s, const char *key)
{
    return loss_of_kind((loss_kind)option_choice(s, key));
}

/* "S:T". */
static bool read_hint(const char *text, int hint[2])
{
    char copy[64], *colon;
    long student, master;
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy || !(colon = strchr(copy, ':')))
        return false;
    *colon = 0;
    bool read = parse_integer(copy, &student) && parse_integer(colon + 1, &master);
    if (!read || student < 0 || student > 1 << 20 || master < 0 || master > 1 << 20)
        return false;
    hint[0] = (int)student;
    hint[1] = (int)master;
    return true;
}

static status read_hints(const section *where, const char *path, teacher_options *o)
{
    if (!option_given(where, "hint"))
        return STATUS_OK;
    char *list = strdupa(option_text(where, "hint")), *rest = list, *word;
    while ((word = strsep(&rest, ",")) != NULL) {
        if (o->n_hints == TEACHER_MAX_HINTS || !read_hint(word, o->hints[o->n_hints]))
            return option_fail(where, path, "hint",
                               "hint: expected at most 16 pairs student:teacher of layer numbers (from 0), separated by commas: 3:5,6:9");
        ++o->n_hints;
    }
    return STATUS_OK;
}

status teacher_read_options(const section *where, const char *path, teacher_options *o)
{
    *o = (teacher_options){
        .where = where,
        .wrt = (int)option_integer(where, "wrt"),
        .hint_weight = option_real_or(where, "hint_weight", 1),
        .hard_weight = option_real(where, "hard_weight"),
        .hint_loss = loss_of(where, "hint_loss"),
        .hard_loss = loss_of(where, "hard_loss"),
    };
    return read_hints(where, path, o);
}

void teacher_join(objective_options *o, teacher_options *t)
{
    o->teacher = t;
    if (!option_given(t->where, "wrt"))
        t->wrt = o->wrt;
    if (!o->where || !option_given(o->where, "target"))
        o->target = TARGET_TEACHER;
}

/* ---------------------------------------------------------------- creating */

static status append_heads(graph *g, const graph *student)
{
    status s = STATUS_OK;
    for (int i = 0; i < student->n_head && s == STATUS_OK; ++i)
        s = graph_append_head(g, student->nodes[student->n_nodes + i].type);
    return s;
}

status teacher_create(teacher **result, const teacher_options *o, const graph *student, const backend *be, int capacity, int order, int directions)
{
    teacher *t = allocate_zeroed(1, sizeof *t);
    *result = t;
    if (!t)
        return STATUS_NO_MEMORY;
    t->graph = o->graph;
    t->be = be;
    graph_make_plain(t->graph, be, o->wrt);
    for (int i = 0; i < o->n_hints; ++i)
        graph_make_plain(t->graph, be, o->hints[i][1]);
    status s = order > 0 ? append_heads(t->graph, student) : STATUS_OK;
    if (s == STATUS_OK)
        s = tape_create(&t->tape, t->graph, be, capacity, order, directions, o->wrt);
    if (s != STATUS_OK)
        return s;
    t->tape.training = t->tape.move_statistics = t->tape.own_losses = false;
    t->labels = be->allocate((size_t)capacity * shape_count(t->graph->nodes[t->graph->output_node].out));
    return t->labels ? STATUS_OK : STATUS_NO_MEMORY;
}

void teacher_free(teacher *t)
{
    if (!t)
        return;
    tape_free(&t->tape);
    graph_drop_heads(t->graph);
    t->be->release(t->labels);
    free(t);
}

/* ---------------------------------------------------------------- sweeps */

void teacher_values(teacher *t, const real *x, int batch, bool derivatives, const jet *segment)
{
    tape *own = &t->tape;
    if (own->batch != batch)
        tape_set_batch(own, batch);
    own->derivatives = derivatives;
    tape_clear_adjoints(own);
    t->be->copy((size_t)batch * own->x.count, x, own->x.data);
    if (derivatives && own->order > 1)
        t->be->copy(jet_rows(segment, 1) * segment->count, jet_component(segment, 1), jet_component(tape_jet(own, own->segment_input), 1));
    sweep_values(own, 0, t->graph->output_node);
}

/* A label that is not given becomes one that adds nothing to the head's loss. */
static void fill_labels(teacher *t, const real *labels)
{
    const jet *f = tape_jet(&t->tape, t->graph->output_node);
    bool products = t->graph->nodes[graph_top(t->graph)].type == &cross_entropy_head;
    for (size_t i = 0; i < (size_t)f->batch * f->count; ++i)
        t->labels[i] = isnan(labels[i]) ? (products ? 0 : f->data[i]) : labels[i];
    t->tape.truth = t->labels;
}

void teacher_derivatives(teacher *t, const jet *seed, const real *labels)
{
    tape *own = &t->tape;
    int top = graph_top(t->graph);
    component_range upper = jet_upper_half(own->order);
    fill_labels(t, labels);
    sweep_values(own, t->graph->n_nodes, top);
    jet *adjoint = tape_adjoint(own, top);
    t->be->copy(jet_range_rows(seed, upper) * seed->count, jet_component(seed, upper.first), jet_component(adjoint, upper.first));
    tape_seed_adjoint(own, top, HALF_UPPER);
    sweep_seeds(own);
}

const real *teacher_outputs(teacher *t)
{
    return teacher_node(t, t->graph->output_node);
}

const real *teacher_node(teacher *t, int node)
{
    return tape_jet(&t->tape, node)->data;
}

const real *teacher_gradient(teacher *t)
{
    return jet_component(tape_adjoint(&t->tape, t->tape.segment_input), jet_components(t->tape.order) - 1);
}

const real *teacher_hessian(teacher *t)
{
    return t->tape.order > 1 ? jet_component(tape_adjoint(&t->tape, t->tape.segment_input), 2) : NULL;
}
