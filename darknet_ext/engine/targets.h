/* What the derivatives are compared with: the target function's derivatives along the same directions, contracted from
 * its Jacobian and Hessian in the labels.
 *
 * For the head phi (identity when there is none) and the target function f, with c = grad phi(f) . v1 and
 * w = grad (grad phi . v1) . (J v2), both from the head's own sweeps on the labels:
 *     t1 = J^T c            t2 = sum_k c_k H_k v2 + J^T w            <t1, v> = <c, J v> for the directions of the labels
 * A target that needs a number that is not given is itself not given (NaN); unit vectors need only their own. */
#ifndef DNX_ENGINE_TARGETS_H
#define DNX_ENGINE_TARGETS_H

#include "engine/labels.h"
#include "engine/tape.h"

typedef struct targets targets;

/* `g` is the network with its head nodes appended. Allocates for `capacity` samples. */
status targets_create(targets **result, const graph *g, const backend *be, int capacity, label_layout layout, int n_output_directions,
                      int n_input_directions);
void targets_free(targets *t);

/* truth: batch rows of the layout.
 * labels: [batch, outputs], f alone. seed: the top's adjoint, with v1 in its last component.
 * x: the segment's input, with v2 in component 1 (order 2). */
void targets_compute(targets *t, const real *truth, const real *labels, int batch, const jet *seed, const jet *x);

/* [n_output_directions][batch][inputs], and [directions][batch][inputs]; NULL when t is NULL. */
const real *targets_gradient(const targets *t);
const real *targets_hessian(const targets *t);
/* <c, J v>: [n_output_directions][batch][label directions]; NULL without label directions. */
const real *targets_along(const targets *t);

#endif
