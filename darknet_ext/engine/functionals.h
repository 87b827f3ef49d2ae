/* Linear functionals of derivatives: <g, v> against <t1, v>, for several directions v of every sample. */
#ifndef DNX_ENGINE_FUNCTIONALS_H
#define DNX_ENGINE_FUNCTIONALS_H

#include "core/loss_math.h"

typedef struct functional_batch {
    size_t batch, n_v1, inputs, directions;
    const real *v;           /* direction i of sample b begins at b * sample_step + i * direction_step */
    size_t sample_step, direction_step;
    bool weighted;           /* behind each v stands the weight of its loss; else all 1 */
    const real *row_weights; /* [v1][batch]; NULL: all 1 */
} functional_batch;

/* Sum over v1, samples and directions of scale * weights * loss(<g, v>, target), a loss of vectors of one element; adds its derivative by g
 * to r. g and r of v1 number i begin at row i * stride * batch. targets: [v1][batch][directions], NaN: not given; NULL: zeros. */
double functionals_loss(loss_function loss, const functional_batch *b, const real *g, size_t stride, const real *targets, double scale, real *r);

/* out [v1][batch][directions] = <t, v>; t of v1 number i begins at t + i * step. A component that is not given is missed where v is not 0. */
void functionals_of(const functional_batch *b, const real *t, size_t step, real *out);

#endif
