/* Target functions in shared objects: `function=./libprice.so:price`, with
 *
 *     int price(const double *x, int n, double *y, int m);    n inputs, m outputs; 0: done, anything else: an error
 *
 * evaluated in several processes at once, so that the function needs not be safe for threads, and a crash of it is a message.
 * Its derivatives are central finite differences:
 *
 *     df/dx_j       (f(x + h_j) - f(x - h_j)) / (2 h_j)
 *     d2f/dx_j2     (f(x + h_j) - 2 f(x) + f(x - h_j)) / h_j^2
 *     d2f/dx_i dx_j (f(x + h_i + h_j) - f(x + h_i - h_j) - f(x - h_i + h_j) + f(x - h_i - h_j)) / (4 h_i h_j)
 *
 * all with an error of O(h^2) plus the function's own noise over h (h^2). The step of a coordinate and order is chosen on a few
 * points of the domain, from a ladder of steps, where the estimated sum of both errors is least. */
#ifndef DNX_DATA_BLACK_BOX_H
#define DNX_DATA_BLACK_BOX_H

#include <stdint.h>

#include "core/status.h"

typedef struct black_box black_box;

/* The step of one coordinate, and what its derivatives are worth: root mean squares over the pilot points and outputs. */
typedef struct difference_step {
    double step;       /* in units of x_j */
    double error;      /* estimated error of the derivative */
    double derivative; /* size of the derivative itself */
} difference_step;

/* True when the value of `function=` names a symbol of a shared object: it contains a ':'. */
int black_box_is_named(const char *function);

/* `name` is LIBRARY:SYMBOL. A library without '/' is looked for where the system looks; others relative to the working folder.
 * STATUS_BAD_CONFIG with a sentence (without file:line, the caller knows it) when library or symbol cannot be found. The function is called in child
 * processes only, at most `processes` at once. */
status black_box_open(black_box **result, const char *name, int inputs, int outputs, int processes);
void black_box_free(black_box *b);

/* Chooses the steps for derivatives up to `order` on a domain; `relative` > 0: takes that fraction of each coordinate's width instead
 * (errors are estimated all the same). Call it before black_box_evaluate with order > 0. */
status black_box_choose_steps(black_box *b, const double *low, const double *high, int order, double relative, uint64_t seed);

/* The steps of first (order 1) or second (order 2) derivatives: [inputs], owned by b. */
const difference_step *black_box_steps(const black_box *b, int order);

/* Values [points, outputs] and, when not NULL, Jacobian [points, outputs, inputs] and Hessian [points, outputs, inputs, inputs]. STATUS_FAILED with a
 * sentence that says which x, when the function returns an error, gives a value that is not finite, or crashes; STATUS_INTERRUPTED after SIGINT or SIGTERM. The results do not depend on the number of processes. */
status black_box_evaluate(black_box *b, const double *x, int points, double *y, double *jacobian, double *hessian);

#endif
