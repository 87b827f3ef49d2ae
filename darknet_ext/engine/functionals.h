/* Linear functionals of derivatives as targets: <g, v> against <t1, v>, for every direction v that the labels bring along. */
#ifndef DNX_ENGINE_FUNCTIONALS_H
#define DNX_ENGINE_FUNCTIONALS_H

#include "core/loss_math.h"
#include "engine/labels.h"

typedef struct functional_batch {
    const label_layout *layout;
    const real *truth;       /* [batch] rows of the layout: the directions and their weights */
    size_t batch, n_v1;
    size_t stride;           /* g and r of v1 number i begin at row i * stride * batch */
    const real *row_weights; /* [v1][batch]; NULL: all 1 */
} functional_batch;

/* Sum over v1, samples and directions of scale * weights * loss(<g, v>, target), a loss of vectors of one element; adds its derivative by g
 * to r. targets: [v1][batch][directions]; NaN: not given. */
double functionals_loss(loss_function loss, const functional_batch *b, const real *g, const real *targets, double scale, real *r);

#endif
