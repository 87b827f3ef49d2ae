#include "core/hot.h"
#include "backend/onednn/onednn.h"

#include <string.h>

real *onednn_allocate(size_t count)
{
    return buffer_allocate(count, sizeof(real));
}

void onednn_release(real *buffer)
{
    buffer_release(buffer);
}

DNX_HOT static void fill_part(size_t count, real value, real *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = value;
}

void onednn_fill(size_t count, real value, real *y)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, fill_part(p.size, value, y + p.first));
}

void onednn_copy(size_t count, const real *x, real *y)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, memmove(y + p.first, x + p.first, p.size * sizeof(real)));
}

/* In the loops below the output may be one of the inputs: ivdep promises only that iterations are independent. */

DNX_HOT static void axpby_part(size_t count, real alpha, const real *x, real beta, real *y)
{
    if (beta == 0) {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] = alpha * x[i];
    } else {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] = alpha * x[i] + beta * y[i];
    }
}

void onednn_axpby(size_t count, real alpha, const real *x, real beta, real *y)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, axpby_part(p.size, alpha, x + p.first, beta, y + p.first));
}

DNX_HOT static void multiply_part(size_t count, const real *x, const real *m, real *y, bool accumulate)
{
    if (accumulate) {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] += x[i] * m[i];
    } else {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] = x[i] * m[i];
    }
}

void onednn_multiply(size_t count, const real *x, const real *m, real *y, bool accumulate)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, multiply_part(p.size, x + p.first, m + p.first, y + p.first, accumulate));
}

DNX_HOT static void replace_part(size_t count, const real *x, real marker, const real *other, real *y)
{
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++) {
        const real kept = x[i], replacement = other[i];
        y[i] = kept == marker ? replacement : kept;
    }
}

void onednn_replace(size_t count, const real *x, real marker, const real *other, real *y)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, replace_part(p.size, x + p.first, marker, other + p.first, y + p.first));
}
