#include <stdlib.h>
#include <string.h>

#include "backend/ref/ref.h"

enum { ALIGNMENT = 64 };

real *ref_allocate(size_t count)
{
    void *buffer = NULL;
    if (count > (SIZE_MAX - ALIGNMENT) / sizeof(real) || posix_memalign(&buffer, ALIGNMENT, (count ? count : 1) * sizeof(real))) {
        status_fail(STATUS_NO_MEMORY, "out of memory (%zu numbers of %zu bytes)", count, sizeof(real));
        return NULL;
    }
    return memset(buffer, 0, count * sizeof(real));
}

void ref_release(real *buffer)
{
    free(buffer);
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
