/* Target functions in shared objects: `function=./libprice.so:price`, with
 *
 *     int price(const double *x, int n, double *y, int m);    n inputs, m outputs; 0: done, anything else: an error
 *
 * The function is called in child processes only, several at once. So it needs not be safe for threads, and a crash of it, or a
 * call of exit(), is a message. It must be a function of x: what it keeps from call to call is lost now and then. Its parallel
 * regions of OpenMP run on one thread (data/black_box_calls.c says why); what it prints is passed on.
 *
 * Its derivatives are central finite differences:
 *
 *     df/dx_j       (f(x + h_j) - f(x - h_j)) / (2 h_j)
 *     d2f/dx_j2     (f(x + h_j) - 2 f(x) + f(x - h_j)) / h_j^2
 *     d2f/dx_i dx_j (f(x + h_i + h_j) - f(x + h_i - h_j) - f(x - h_i + h_j) + f(x - h_i - h_j)) / (4 h_i h_j)
 *
 * all with an error of O(h^2) plus the function's own noise over h (h^2). The step of a coordinate and order is chosen on a few
 * points of the domain, from a ladder of steps, where the estimated sum of both errors is least (data/finite_differences.h). A
 * chosen step is at most 1/16 of the domain's width; at a point of the domain the function is called up to one step outside of it. */
#ifndef DNX_DATA_BLACK_BOX_H
#define DNX_DATA_BLACK_BOX_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"

typedef struct black_box black_box;

/* The step of one coordinate, and what its derivatives are worth: root mean squares over the pilot points and outputs. */
typedef struct difference_step {
    double step;       /* in units of x_j */
    double error;      /* estimated error of the derivative; order 2: of d2f/dx_j2 */
    double derivative; /* size of the derivative itself */
} difference_step;

/* True when the value of `function=` names a symbol of a shared object: it contains a ':'. */
bool black_box_is_named(const char *function);

/* `name` is LIBRARY:SYMBOL. A library without '/' is looked for where the system looks; others relative to the working folder.
 * STATUS_BAD_CONFIG with a sentence (without file:line, the caller knows it) when library or symbol cannot be found. At most
 * `processes` calls of the function run at once. *result is NULL on failure, else freed by the caller. */
status black_box_open(black_box **result, const char *name, int inputs, int outputs, int processes);
void black_box_free(black_box *b);

/* Chooses the steps for derivatives up to `order` (1 or 2) on the domain low[inputs] .. high[inputs]; `relative` > 0, at most 1/4:
 * takes that fraction of each coordinate's width instead (errors are estimated all the same). Call it before black_box_evaluate asks
 * for derivatives. STATUS_BAD_CONFIG when a coordinate's domain is too narrow for the numbers in it; else as black_box_evaluate. */
status black_box_choose_steps(black_box *b, const double *low, const double *high, int order, double relative, uint64_t seed);

/* The steps of first (order 1) or second (order 2) derivatives: [inputs], owned by b; NULL when they have not been chosen. */
const difference_step *black_box_steps(const black_box *b, int order);

/* A sentence on each step for derivatives up to `order`. */
void black_box_describe(const black_box *b, int order, FILE *out);

/* Values [points, outputs] and, when not NULL, Jacobian [points, outputs, inputs] and Hessian [points, outputs, inputs, inputs].
 * STATUS_FAILED with a sentence that says at which x, when the function returns an error, gives a value that is not finite, ends its
 * process or crashes: then the results are worthless. The results do not depend on the number of processes.
 * Memory beside the results: some MB, or twice one point's Hessian. */
status black_box_evaluate(black_box *b, const double *x, int points, double *y, double *jacobian, double *hessian);

#endif
