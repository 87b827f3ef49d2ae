#include <string.h>

#include "backend/ref/ref.h"

real *ref_allocate(size_t count)
{
    return buffer_allocate(count, sizeof(real));
}

void ref_release(real *buffer)
{
    buffer_release(buffer);
}

void ref_fill(size_t count, real value, real *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = value;
}

void ref_copy(size_t count, const real *x, real *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = x[i];
}

void ref_axpby(size_t count, real alpha, const real *x, real beta, real *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = alpha * x[i] + (beta == 0 ? 0 : beta * y[i]);
}

void ref_multiply(size_t count, const real *x, const real *m, real *y, bool accumulate)
{
    for (size_t i = 0; i < count; i++)
        y[i] = accumulate ? y[i] + x[i] * m[i] : x[i] * m[i];
}

void ref_replace(size_t count, const real *x, real marker, const real *other, real *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = x[i] == marker ? other[i] : x[i];
}
