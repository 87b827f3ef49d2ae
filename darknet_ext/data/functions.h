/* Built-in target functions with analytic gradient and Hessian, in double. */
#ifndef DNX_DATA_FUNCTIONS_H
#define DNX_DATA_FUNCTIONS_H

#include <stdbool.h>

typedef struct target_function {
    const char *name;    /* as in `[data] function=`: lower case, words joined by '_' */
    const char *title;   /* for people */
    const char *source;  /* where formula and domain come from */
    int dimension;       /* number of inputs; 0: any, from `dimension=` (at least minimum_dimension) */
    int minimum_dimension;
    double low[2], high[2]; /* domain of coordinate 0 and of the others */

    /* f(x) at x[n]; gradient[n] and hessian[n*n] (row-major, symmetric) are written when not NULL. At points where a
     * derivative does not exist a one-sided or zero value is given, documented beside the formula; never NaN. */
    double (*evaluate)(const double *x, int n, double *gradient, double *hessian);
} target_function;

extern const target_function function_list[];
extern const int function_count;

/* By name, or NULL. */
const target_function *function_find(const char *name);

/* Domain of coordinate i. */
static inline double function_low(const target_function *f, int i)
{
    return f->low[i > 0];
}

static inline double function_high(const target_function *f, int i)
{
    return f->high[i > 0];
}

#endif
