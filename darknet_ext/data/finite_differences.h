/* Central differences: where a function must be known, what follows from that, and which step is best. Private to
 * data/black_box.c.
 *
 * The difference D(h) of order p (1: first derivative, 2: second by one coordinate) at step h is
 *
 *     D(h) = derivative + c h^2 + O(h^4) + noise(h),    noise(h) about sigma / h^p
 *
 * where sigma is what the function's values are uncertain by: rounding, or a simulation's or a solver's own noise. Steps on a
 * ladder show both errors. With the next larger step q h and the next smaller one h / s:
 *
 *     D(q h) - D(h)  =  (q^2 - 1) c h^2          where the noise is small:  c h^2    = |D(q h) - D(h)| / (q^2 - 1)     (q = 4: 15)
 *     D(h) - D(h/s)  =  about noise(h/s)         where c h^2 is small:      noise(h) = |D(h) - D(h/s)| / s^p           (s = 4: 4, 16)
 *
 *     error(h) = |D(q h) - D(h)| / (q^2 - 1) + |D(h) - D(h/s)| / s^p
 *
 * Where c h^2 rules the second term adds (1 - 1/s^2) / s^p of it (23% at order 1, 6% at order 2), where the noise rules the first adds
 * sqrt(1 + 1/q^2p) / (q^2 - 1) of it (7%): the sum is honest at both ends and in between. Differences are taken on pilot points of
 * the domain, and the step with the least root mean square of error(h) over pilots and outputs wins, the larger one of equals.
 *
 * A step that is finer than the function's own resolution (it rounds x to float, or looks it up in a table) gives f(x + h) = f(x - h) at most
 * pilots, and differences of zero that agree with each other. So a step is only eligible if, at its smaller neighbour, at least half as
 * many differences are not zero as at the best step. */
#ifndef DNX_DATA_FINITE_DIFFERENCES_H
#define DNX_DATA_FINITE_DIFFERENCES_H

#include <stdbool.h>
#include <stddef.h>

#include "data/black_box.h"

/* ---- derivatives of one point */

typedef struct difference_stencil {
    int inputs;
    const difference_step *first, *second; /* [inputs]; NULL: derivatives of that order are not wanted */
} difference_stencil;

/* Values that one point takes, itself included: 1 + 2 inputs + 2 inputs^2 for both orders. */
size_t difference_stencil_size(const difference_stencil *s);

/* The k-th of them, for the derivatives at x. Value 0 is x itself. */
void difference_stencil_point(const difference_stencil *s, const double *x, size_t k, double *point);

/* values[size, outputs] to y[outputs], jacobian[outputs, inputs] and hessian[outputs, inputs, inputs], as far as wanted. Steps are measured
 * as x + h - x, so that the rounding of x + h does no harm. */
void difference_stencil_combine(const difference_stencil *s, const double *x, const double *values, int outputs, double *y, double *jacobian,
                                double *hessian);

/* ---- the step of one coordinate */

enum { DIFFERENCE_PILOTS = 16, LADDER_LENGTH = 14 };

/* Descending steps; the first and the last are only neighbours of others. */
typedef struct difference_ladder {
    int length;
    double low, high; /* domain of the coordinate */
    double steps[LADDER_LENGTH];
} difference_ladder;

/* relative 0: steps width/8, then width/4^k for k = 2 .. 14, down to 16 times the spacing of numbers in the domain. Others: relative *
 * width between 4 times (at most 3/8 of the width) and 1/4 of it. False when the domain is too narrow for such steps. */
bool difference_ladder_begin(difference_ladder *l, double low, double high, double relative);

/* The coordinate of a pilot point, u in (0,1): at least the largest step away from the ends of the domain. */
double difference_ladder_place(const difference_ladder *l, double u);

/* Values that one pilot takes, and the coordinate of the k-th of them. Value 0 is the pilot itself. */
size_t difference_ladder_size(const difference_ladder *l);
double difference_ladder_point(const difference_ladder *l, double x, size_t k);

/* The best step for derivatives of that order; x[DIFFERENCE_PILOTS], values[DIFFERENCE_PILOTS, size, outputs]. */
difference_step difference_ladder_choose(const difference_ladder *l, int order, const double *x, const double *values, int outputs);

#endif
