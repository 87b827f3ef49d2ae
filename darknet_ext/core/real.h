/* The number type of the engine: float for use, double for the gradient tests. */
#ifndef DNX_CORE_REAL_H
#define DNX_CORE_REAL_H

#include <float.h>

#ifdef DNX_DOUBLE
typedef double real;
#define REAL_EPSILON DBL_EPSILON
#define REAL_SMALLEST DBL_MIN
#else
typedef float real;
#define REAL_EPSILON FLT_EPSILON
#define REAL_SMALLEST FLT_MIN
#endif

#endif
