/* The update of one parameter w from its accumulated gradient g (a sum over `batch` samples of +dL/dw).
 *
 * Darknet's SGD keeps its momentum inside the gradient accumulator:
 *     g <- g + decay batch w        w <- w - rate / batch g        g <- momentum g
 *
 * Adam (Kingma and Ba 2015, algorithm 1, with L2 decay added to the gradient as Darknet does):
 *     d = g / batch + decay w       m <- B1 m + (1 - B1) d         v <- B2 v + (1 - B2) d^2
 *     w <- w - rate (m / (1 - B1^t)) / (sqrt(v / (1 - B2^t)) + eps)          g <- 0
 *
 * The moments of a parameter whose gradient stays 0 (of a unit that is never active) shrink until they are smaller than normal numbers, and
 * rounding keeps them there for ever. Processors are slow with such numbers, so that they become 0.
 */
#ifndef DNX_CORE_OPTIMIZER_MATH_H
#define DNX_CORE_OPTIMIZER_MATH_H

#include <stddef.h>

#include "core/activation_math.h"

typedef struct sgd_rule {
    real rate, momentum, decay;
    real batch; /* samples behind one gradient: batch * subdivisions */
} sgd_rule;

typedef struct adam_rule {
    real rate, B1, B2, eps, decay;
    real batch;
    real correction_1; /* 1 / (1 - B1^t) */
    real correction_2; /* 1 / (1 - B2^t) */
} adam_rule;

/* The rule of step t (1 for the first). */
DNX_INLINE adam_rule adam_rule_at(double rate, double B1, double B2, double eps, double decay, double batch, long t)
{
    adam_rule r = {(real)rate, (real)B1, (real)B2, (real)eps, (real)decay, (real)batch, (real)(1 / (1 - pow(B1, (double)t))),
                   (real)(1 / (1 - pow(B2, (double)t)))};
    return r;
}

DNX_INLINE void sgd_step(sgd_rule r, real *w, real *g)
{
    real sum = *g + r.decay * r.batch * *w;
    *w -= r.rate / r.batch * sum;
    *g = r.momentum * sum;
}

DNX_INLINE real without_subnormal(real x)
{
    return real_fabs(x) < REAL_SMALLEST ? 0 : x;
}

DNX_INLINE void adam_step(adam_rule r, real *w, real *g, real *m, real *v)
{
    const real per_sample = 1 / r.batch, step = r.rate * r.correction_1; /* the same for all parameters: outside of a loop */
    real d = *g * per_sample + r.decay * *w;
    *m = without_subnormal(r.B1 * *m + (1 - r.B1) * d);
    *v = without_subnormal(r.B2 * *v + (1 - r.B2) * d * d);
    *w -= step * *m / (real_sqrt(*v * r.correction_2) + r.eps);
    *g = 0;
}

#endif
