/* What checks by central differences share. */
#ifndef DNX_CHECK_DIFFERENCES_H
#define DNX_CHECK_DIFFERENCES_H

#include <math.h>

#include "core/real.h"

/* Steps that are tried: the best one counts (check/gradient_check.h). */
static const double step_sizes[] = {1e-3, 1e-4, 1e-5, 1e-6, 1e-7};
enum { STEP_SIZES = sizeof step_sizes / sizeof *step_sizes };

static inline double relative_error(double a, double b, double scale)
{
    return fabs(a - b) / (fabs(a) + fabs(b) + scale);
}

/* What both sides of a derivative that is 0 may be added to: the difference of two values as large as `value` has their rounding. */
static inline double rounding_of(double value)
{
    return 1e-5 * fabs(value) + 1e-12;
}

/* What an error may be when the caller does not say: in double, and of identities in float. */
static inline double default_tolerance(void)
{
    return sizeof(real) == sizeof(double) ? 1e-6 : 1e-3;
}

#endif
