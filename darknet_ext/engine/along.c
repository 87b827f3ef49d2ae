#include "engine/along.h"

#include <stdlib.h>

#include "engine/functionals.h"
#include "engine/transformations.h"

struct along {
    const backend *be;
    label_layout layout;
    tensor_shape input;
    int n_tangents;
    transformation_kind kinds[TRANSFORMATION_COUNT];
    bool alone;
    functional_batch batch;
    real *tangents; /* [capacity][n_tangents][inputs]; NULL: the labels bring the directions along */
    real *targets;  /* [v1][capacity][directions]: <t1, v>; NULL: never needed */
};

status along_create(along **result, const objective_options *o, const backend *be, label_layout layout, tensor_shape input, int n_v1, int capacity)
{
    *result = NULL;
    if (o->order == 0 || (o->n_tangents == 0 && layout.directions == 0))
        return STATUS_OK;
    along *a = allocate_zeroed(1, sizeof *a);
    *result = a;
    if (!a)
        return STATUS_NO_MEMORY;
    a->be = be;
    a->layout = layout;
    a->input = input;
    a->n_tangents = o->n_tangents;
    for (int i = 0; i < o->n_tangents; ++i)
        a->kinds[i] = o->tangents[i];
    a->alone = o->n_tangents > 0 || o->target != TARGET_DATA;
    size_t directions = a->n_tangents > 0 ? (size_t)a->n_tangents : (size_t)layout.directions;
    a->batch = (functional_batch){.n_v1 = (size_t)n_v1, .inputs = layout.inputs, .directions = directions, .weighted = a->n_tangents == 0};
    a->batch.direction_step = a->n_tangents > 0 ? layout.inputs : labels_direction_count(&layout);
    a->batch.sample_step = a->n_tangents > 0 ? directions * layout.inputs : labels_count(&layout);
    bool computed = a->alone && o->target != TARGET_ZERO;
    a->tangents = a->n_tangents > 0 ? be->allocate((size_t)capacity * directions * layout.inputs) : NULL;
    a->targets = computed ? be->allocate((size_t)n_v1 * (size_t)capacity * directions) : NULL;
    return (a->tangents || a->n_tangents == 0) && (a->targets || !computed) ? STATUS_OK : STATUS_NO_MEMORY;
}

void along_free(along *a)
{
    if (!a)
        return;
    a->be->release(a->tangents);
    a->be->release(a->targets);
    free(a);
}

bool along_alone(const along *a)
{
    return a && a->alone;
}

void along_begin(along *a, const real *truth, const real *x, int batch)
{
    a->batch.batch = (size_t)batch;
    a->batch.v = a->tangents ? a->tangents : truth + labels_direction(&a->layout, 0);
    size_t count = a->layout.inputs;
    for (size_t k = 0; k < (size_t)batch * (size_t)a->n_tangents; ++k)
        transformation_tangent(a->kinds[k % (size_t)a->n_tangents], a->input, x + k / (size_t)a->n_tangents * count, a->tangents + k * count);
}

double along_loss(along *a, loss_function loss, const real *g, size_t stride, along_target target, const real *row_weights, double scale, real *r)
{
    const real *targets = target.given;
    if (a->targets && target.gradient) {
        functionals_of(&a->batch, target.gradient, target.step, a->targets);
        targets = a->targets;
    }
    a->batch.row_weights = row_weights;
    return functionals_loss(loss, &a->batch, g, stride, targets, scale, r);
}
