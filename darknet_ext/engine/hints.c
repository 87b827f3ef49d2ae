#include "engine/hints.h"

#include <stdlib.h>

struct hints {
    const teacher_options *options;
    const backend *be;
    real *gradients[TEACHER_MAX_HINTS]; /* [capacity, outputs of the student's node] */
};

status hints_create(hints **result, const teacher_options *o, graph *student, const backend *be, int capacity)
{
    *result = NULL;
    if (o->n_hints == 0 || !o->graph)
        return STATUS_OK;
    hints *h = allocate_zeroed(1, sizeof *h);
    *result = h;
    if (!h)
        return STATUS_NO_MEMORY;
    h->options = o;
    h->be = be;
    bool complete = true;
    for (int i = 0; i < o->n_hints; ++i) {
        int node = o->hints[i][0];
        graph_make_plain(student, be, node);
        h->gradients[i] = be->allocate((size_t)capacity * shape_count(student->nodes[node].out));
        complete &= h->gradients[i] != NULL;
    }
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

void hints_free(hints *h)
{
    if (!h)
        return;
    for (int i = 0; i < h->options->n_hints; ++i)
        h->be->release(h->gradients[i]);
    free(h);
}

double hints_loss(hints *h, tape *student, teacher *t)
{
    const teacher_options *o = h->options;
    double total = 0;
    for (int i = 0; i < o->n_hints; ++i) {
        const jet *found = tape_jet(student, o->hints[i][0]);
        total += h->be->loss(o->hint_loss, (size_t)found->batch, found->count, found->data, teacher_node(t, o->hints[i][1]), (real)o->hint_weight,
                             h->gradients[i]);
    }
    return total;
}

void hints_seed(const hints *h, tape *student)
{
    for (int i = 0; i < h->options->n_hints; ++i) {
        int node = h->options->hints[i][0];
        jet *adjoint = tape_adjoint(student, node);
        if (!*tape_adjoint_started(student, node, HALF_LOW))
            tape_zero_low(student, node);
        h->be->axpby((size_t)adjoint->batch * adjoint->count, 1, h->gradients[i], 1, adjoint->data);
    }
}
