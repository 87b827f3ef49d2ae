/* The loops of activations over one part of at most PART_ELEMENTS elements.
 *
 * Two routes. A piecewise linear kind has f'' = 0: components do not mix, and each is a product with the slope, which is
 * compared anew for each. Every other kind computes f and as many derivatives as are needed once, into a block in the
 * cache; then loops that do not know the kind combine them with the components.
 *
 * An output may be the input of the same component: ivdep promises only that iterations are independent. */
#ifndef DNX_BACKEND_ONEDNN_ACTIVATION_KERNELS_H
#define DNX_BACKEND_ONEDNN_ACTIVATION_KERNELS_H

#include "core/hot.h"
#include "backend/onednn/onednn.h"

/* -- piecewise linear kinds -- */

DNX_ALWAYS_INLINE void piecewise_value_loop(activation kind, size_t count, const real *x, real *y)
{
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        y[i] = activation_at(kind, x[i]).f;
}

/* y = f(x) */
DNX_HOT static void piecewise_value(activation kind, size_t count, const real *x, real *y)
{
    switch (kind) {
#define CASE(e, name, piecewise, stock)           \
    case e:                                       \
        if (piecewise)                            \
            piecewise_value_loop(e, count, x, y); \
        break;
        ACTIVATION_TABLE(CASE)
#undef CASE
    default:
        break;
    }
}

DNX_ALWAYS_INLINE void piecewise_slope_loop(activation kind, size_t count, const real *x, const real *u, real *y, bool accumulate)
{
    if (accumulate) {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] += activation_jet(1, activation_at(kind, x[i]), u[i], 0, 0);
    } else {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] = activation_jet(1, activation_at(kind, x[i]), u[i], 0, 0);
    }
}

/* y = f'(x) u, or y += f'(x) u */
DNX_HOT static void piecewise_slope(activation kind, size_t count, const real *x, const real *u, real *y, bool accumulate)
{
    switch (kind) {
#define CASE(e, name, piecewise, stock)                          \
    case e:                                                      \
        if (piecewise)                                           \
            piecewise_slope_loop(e, count, x, u, y, accumulate); \
        break;
        ACTIVATION_TABLE(CASE)
#undef CASE
    default:
        break;
    }
}

/* -- smooth kinds -- */

enum { VECTOR_ELEMENTS = 16 }; /* of the widest vectors */

typedef struct smooth_block {
    real f[PART_ELEMENTS], f1[PART_ELEMENTS], f2[PART_ELEMENTS], f3[PART_ELEMENTS];
} __attribute__((aligned(64))) smooth_block;

DNX_ALWAYS_INLINE activation_values smooth_at(const smooth_block *block, size_t i)
{
    return (activation_values){block->f[i], block->f1[i], block->f2[i], block->f3[i]};
}

DNX_ALWAYS_INLINE void smooth_values_loop(activation kind, int highest, size_t count, const real *restrict x,
                                          smooth_block *restrict block)
{
    for (size_t i = 0; i < count; i++) {
        const activation_values a = activation_at(kind, x[i]);
        block->f[i] = a.f;
        if (highest > 0)
            block->f1[i] = a.f1;
        if (highest > 1)
            block->f2[i] = a.f2;
        if (highest > 2)
            block->f3[i] = a.f3;
    }
}

DNX_ALWAYS_INLINE void smooth_values_kind(activation kind, int highest, size_t count, const real *x, smooth_block *block)
{
    switch (highest) {
    case 0:
        smooth_values_loop(kind, 0, count, x, block);
        break;
    case 1:
        smooth_values_loop(kind, 1, count, x, block);
        break;
    case 2:
        smooth_values_loop(kind, 2, count, x, block);
        break;
    default:
        smooth_values_loop(kind, 3, count, x, block);
    }
}

/* f and its derivatives up to `highest`. `count` is a multiple of VECTOR_ELEMENTS. */
DNX_HOT static void smooth_values(activation kind, int highest, size_t count, const real *x, smooth_block *block)
{
    switch (kind) {
#define CASE(e, name, piecewise, stock)                      \
    case e:                                                  \
        if (!(piecewise))                                    \
            smooth_values_kind(e, highest, count, x, block); \
        break;
        ACTIVATION_TABLE(CASE)
#undef CASE
    default:
        break;
    }
}

/* y = f' u, or y += f' u */
DNX_HOT static void smooth_slope(size_t count, const real *f1, const real *u, real *y, bool accumulate)
{
    if (accumulate) {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] += activation_jet(1, (activation_values){0, f1[i], 0, 0}, u[i], 0, 0);
    } else {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] = activation_jet(1, (activation_values){0, f1[i], 0, 0}, u[i], 0, 0);
    }
}

/* y_12 */
DNX_HOT static void smooth_mixed(size_t count, const smooth_block *block, const real *x1, const real *x2, const real *x12,
                                 real *y)
{
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        y[i] = activation_jet(3, smooth_at(block, i), x1[i], x2[i], x12[i]);
}

/* xbar_1 of an order-2 jet with other = x_2; the formula of xbar_2 is the same with other = x_1. */
DNX_HOT static void smooth_mixed_adjoint(size_t count, const smooth_block *block, const real *other, const real *adj,
                                         const real *adj12, real *y, bool accumulate)
{
    if (accumulate) {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] += activation_adjoint(1, smooth_at(block, i), 0, other[i], adj[i], 0, adj12[i]);
    } else {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] = activation_adjoint(1, smooth_at(block, i), 0, other[i], adj[i], 0, adj12[i]);
    }
}

/* What one direction adds to xbar_0 of an order-1 jet. */
DNX_HOT static void smooth_curvature_1(size_t count, const smooth_block *block, const real *x1, const real *adj1, real *sum)
{
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++) {
        const activation_values a = {0, 0, block->f2[i], 0};
        sum[i] += activation_adjoint_curvature(a, x1[i], 0, 0, adj1[i], 0, 0);
    }
}

/* The components of one direction. */
typedef struct direction {
    const real *x1, *x2, *x12, *adj1, *adj2, *adj12;
} direction;

/* What one direction adds to xbar_0 of an order-2 jet. */
DNX_HOT static void smooth_curvature_2(size_t count, const smooth_block *block, direction d, real *sum)
{
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        sum[i] += activation_adjoint_curvature(smooth_at(block, i), d.x1[i], d.x2[i], d.x12[i], d.adj1[i], d.adj2[i], d.adj12[i]);
}

/* y = u, or y += u */
DNX_HOT static void smooth_put(size_t count, const real *u, real *y, bool accumulate)
{
    if (accumulate) {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] += u[i];
    } else {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            y[i] = u[i];
    }
}

#endif
