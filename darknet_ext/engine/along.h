/* The loss on first derivatives along directions of the input: those that labels bring along, or tangents of image transformations.
 *
 *     sum over v1 and the directions v of  weight(v) * loss_1(<g, v>, <t1, v>)
 *
 * With labels that give derivatives of their own (target=data) and directions of the labels it stands beside loss_1(g, t1); else it
 * replaces it: the components of g that no direction asks for are free. */
#ifndef DNX_ENGINE_ALONG_H
#define DNX_ENGINE_ALONG_H

#include "backend/backend.h"
#include "engine/labels.h"
#include "layers/sobolev.h"

typedef struct along along;

/* *result is NULL when nothing asks for it. `input`: the shape of the network's input. */
status along_create(along **result, const objective_options *o, const backend *be, label_layout layout, tensor_shape input, int n_v1, int capacity);
void along_free(along *a);

/* Whether loss_1(g, t1) itself is not wanted. */
bool along_alone(const along *a);

/* The directions of a batch: truth, rows of the layout; x [batch, inputs] as the network reads it. */
void along_begin(along *a, const real *truth, const real *x, int batch);

/* What <g, v> is compared with: `given` [v1][batch][directions] unless NULL, else <t1, v> of t1, whose v1 are `step` numbers apart; NULL: 0. */
typedef struct along_target {
    const real *given, *gradient;
    size_t step;
} along_target;

/* The loss, times `scale`; its derivative by g is added to r. Those of one v1 begin `stride` batches behind those of the one before. */
double along_loss(along *a, loss_function loss, const real *g, size_t stride, along_target target, const real *row_weights, double scale, real *r);

#endif
