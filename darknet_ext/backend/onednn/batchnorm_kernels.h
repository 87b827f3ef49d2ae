/* The loops of batch normalisation (core/batchnorm_math.h) over LANES elements at a time, each lane with numbers of its own.
 *
 * One loop serves every order: which components there are is known to the compiler, which unrolls what runs over components. S, T and k are
 * sets of directions, as in core/jet.h. */
#ifndef DNX_BACKEND_ONEDNN_BATCHNORM_KERNELS_H
#define DNX_BACKEND_ONEDNN_BATCHNORM_KERNELS_H

#include "core/hot.h"
#include "backend/onednn/onednn.h"

#include <stdint.h>
#include <string.h>

#pragma GCC diagnostic ignored "-Wpsabi" /* vectors are handed to inlined functions only */

enum { LANES = 16, VECTOR = 8, VECTORS = LANES / VECTOR, SETS = JET_MAX_COMPONENTS };
enum { FLOAT_SUMS = 32 /* are added in real, the sums of these in double */ };

/* Wider ones do not stay in registers where the processor has none of that width. */
typedef real vector __attribute__((vector_size(VECTOR * sizeof(real))));
typedef int32_t vector_bits __attribute__((vector_size(VECTOR * sizeof(int32_t))));

typedef double lane_sums[SETS][LANES];
typedef real lane_numbers[SETS][LANES];
typedef vector lane_vectors[SETS][VECTORS];

/* n times `width` elements; the i-th begin at first + i stride. */
typedef struct span {
    size_t first, n, stride;
    int width;
} span;

/* One direction of the jets: where its components begin. */
typedef struct direction {
    const real *x[SETS], *adj[SETS];
    real *out[SETS];
} direction;

/* Numbers of one direction. */
typedef struct lane_table {
    lane_numbers mean, factor; /* m_S, scale r_S */
    real bias[LANES];
    real slope[2];             /* f' below 0, and above */
    lane_numbers pull, curving, constant; /* backward: factors of ubar_T and of c, 2 kappa Vbar_T; what is subtracted from zbar_S */
} lane_table;

/* The adjoints that are wanted of a jet; `value`: what belongs to no direction takes part. */
typedef struct adjoint_form {
    int order;
    component_range range;
    bool value;
} adjoint_form;

#define EACH_SET(s) _Pragma("GCC unroll 4") for (int s = 0; s < SETS; s++)
/* Of `width` elements. */
#define EACH_VECTOR(h, width) _Pragma("GCC unroll 2") for (int h = 0; h < VECTORS; h++) if (h * VECTOR >= (width)) continue; else

DNX_ALWAYS_INLINE bool set_contains(int set, int subset)
{
    return (set & subset) == subset;
}

/* Whether adjoints of the form depend on component T of ubar: T contains one of them. */
DNX_ALWAYS_INLINE bool takes_adjoint(adjoint_form f, int t)
{
    bool found = false;
    EACH_SET(s)
    found |= range_has(f.range, s) && set_contains(t, s);
    return found && t < jet_components(f.order) && (t > 0 || f.value);
}

/* Whether they depend on component k of z: one of them does not meet it. */
DNX_ALWAYS_INLINE bool takes_value(adjoint_form f, int k)
{
    bool found = false;
    EACH_SET(s)
    found |= range_has(f.range, s) && (s & k) == 0;
    return found && k < jet_components(f.order);
}

/* Whether the adjoint of r_S counts: S contains one of the range. */
DNX_ALWAYS_INLINE bool takes_root(adjoint_form f, int s)
{
    bool found = false;
    EACH_SET(k)
    found |= range_has(f.range, k) && set_contains(s, k);
    return found && s < jet_components(f.order);
}

/* The h-th vector of `width` elements; 0 beyond. */
DNX_ALWAYS_INLINE size_t vector_width(int width, int h)
{
    return width >= LANES ? VECTOR : width <= h * VECTOR ? 0 : width - h * VECTOR < VECTOR ? (size_t)(width - h * VECTOR) : VECTOR;
}

DNX_ALWAYS_INLINE vector vector_load(const real *x, int width, int h)
{
    vector v = {0};
    memcpy(&v, x + h * VECTOR, vector_width(width, h) * sizeof *x);
    return v;
}

DNX_ALWAYS_INLINE void vector_store(vector v, real *y, int width, int h)
{
    memcpy(y + h * VECTOR, &v, vector_width(width, h) * sizeof *y);
}

/* Of numbers that every lane has. */
DNX_ALWAYS_INLINE vector lane_vector(const real numbers[LANES], int h)
{
    return vector_load(numbers, LANES, h);
}

/* f' at u = scale r c + bias; the sign of -u, in all bits, says whether u is positive. */
DNX_ALWAYS_INLINE vector slope_at(const lane_table *k, int h, vector c)
{
    const vector below = (vector){0} + k->slope[0], above = (vector){0} + k->slope[1];
    const vector_bits positive = (vector_bits)(0 - (lane_vector(k->factor[0], h) * c + lane_vector(k->bias, h))) >> 31;
    return (vector)((positive & (vector_bits)above) | (~positive & (vector_bits)below));
}

DNX_ALWAYS_INLINE void sums_add(const lane_vectors parts, int s, lane_sums sums)
{
    real numbers[LANES];
    memcpy(numbers, parts[s], sizeof numbers);
    for (int l = 0; l < LANES; l++)
        sums[s][l] += (double)numbers[l];
}

/* ---------------------------------------------------------------- forward */

/* sums[S] += x_S - shift_S, squares[S] += sum_T w_T w_(S\T) with w_T = x_T - shift_T. */
DNX_ALWAYS_INLINE void forward_sums_loop(component_range range, int width, const direction *d, span s, const lane_numbers shift, lane_sums sums,
                                         lane_sums squares)
{
    for (size_t first = 0; first < s.n; first += FLOAT_SUMS) {
        const size_t last = first + FLOAT_SUMS < s.n ? first + FLOAT_SUMS : s.n;
        lane_vectors sum = {{{0}}}, square = {{{0}}};
        for (size_t i = first; i < last; i++)
            EACH_VECTOR(h, width)
            {
                vector w[SETS] = {{0}};
                EACH_SET(k)
                if (k < range.last) /* 0 beyond the width */
                    w[k] = vector_load(d->x[k] + s.first + i * s.stride, width, h) - vector_load(shift[k], width, h);
                EACH_SET(k)
                if (range_has(range, k)) {
                    sum[k][h] += w[k];
                    square[k][h] += k == 0 ? w[0] * w[0] : k < 3 ? 2 * w[0] * w[k] : 2 * (w[0] * w[3] + w[1] * w[2]);
                }
            }
        EACH_SET(k)
        if (range_has(range, k)) {
            sums_add(sum, k, sums);
            sums_add(square, k, squares);
        }
    }
}

/* y_S */
DNX_ALWAYS_INLINE void forward_apply_loop(component_range range, int width, const direction *d, span s, const lane_table *table)
{
    for (size_t i = 0; i < s.n; i++)
        EACH_VECTOR(h, width)
        {
            const size_t at = s.first + i * s.stride;
            vector c[SETS] = {{0}};
            EACH_SET(k)
            if (k < range.last)
                c[k] = vector_load(d->x[k] + at, width, h) - lane_vector(table->mean[k], h);
            const vector slope = slope_at(table, h, c[0]);
            EACH_SET(k)
            if (range_has(range, k)) {
                vector u = lane_vector(table->factor[0], h) * c[k];
                if (k == 0)
                    u += lane_vector(table->bias, h);
                EACH_SET(t)
                if (set_contains(k, t) && t < k)
                    u += lane_vector(table->factor[k & ~t], h) * c[t];
                vector_store(slope * u, d->out[k] + at, width, h);
            }
        }
}

/* ---------------------------------------------------------------- backward */

/* ubar_T and c_k */
DNX_ALWAYS_INLINE void load_element(adjoint_form f, int width, int h, const direction *d, const lane_table *table, size_t at, vector c[SETS],
                                    vector u_bar[SETS])
{
    EACH_SET(k)
    if (k == 0 || takes_value(f, k))
        c[k] = vector_load(d->x[k] + at, width, h) - lane_vector(table->mean[k], h);
    const vector slope = slope_at(table, h, c[0]);
    EACH_SET(t)
    if (takes_adjoint(f, t))
        u_bar[t] = slope * vector_load(d->adj[t] + at, width, h);
}

/* sums[T] += ubar_T, roots[S] += sum_T c_(T\S) ubar_T. */
DNX_ALWAYS_INLINE void backward_sums_loop(adjoint_form f, int width, const direction *d, span s, const lane_table *table, lane_sums sums,
                                          lane_sums roots)
{
    for (size_t first = 0; first < s.n; first += FLOAT_SUMS) {
        const size_t last = first + FLOAT_SUMS < s.n ? first + FLOAT_SUMS : s.n;
        lane_vectors sum = {{{0}}}, root = {{{0}}};
        for (size_t i = first; i < last; i++)
            EACH_VECTOR(h, width)
            {
                vector c[SETS] = {{0}}, u_bar[SETS] = {{0}};
                load_element(f, width, h, d, table, s.first + i * s.stride, c, u_bar);
                EACH_SET(t)
                if (takes_adjoint(f, t)) {
                    sum[t][h] += u_bar[t];
                    EACH_SET(k)
                    if (set_contains(t, k) && takes_root(f, k))
                        root[k][h] += c[t & ~k] * u_bar[t];
                }
            }
        EACH_SET(k)
        {
            if (takes_adjoint(f, k))
                sums_add(sum, k, sums);
            if (takes_root(f, k))
                sums_add(root, k, roots);
        }
    }
}

/* out_S = zbar_S, or += */
DNX_ALWAYS_INLINE void backward_apply_loop(adjoint_form f, int width, const direction *d, span s, const lane_table *table,
                                           const bool accumulate[SETS])
{
    for (size_t i = 0; i < s.n; i++)
        EACH_VECTOR(h, width)
        {
            const size_t at = s.first + i * s.stride;
            vector c[SETS] = {{0}}, u_bar[SETS] = {{0}};
            load_element(f, width, h, d, table, at, c, u_bar);
            EACH_SET(k)
            if (range_has(f.range, k)) {
                vector z_bar = -lane_vector(table->constant[k], h);
                EACH_SET(t)
                if (set_contains(t, k) && takes_adjoint(f, t))
                    z_bar += lane_vector(table->pull[t & ~k], h) * u_bar[t];
                EACH_SET(t)
                if (set_contains(t, k) && takes_adjoint(f, t))
                    z_bar += lane_vector(table->curving[t], h) * c[t & ~k];
                if (accumulate[k])
                    z_bar += vector_load(d->out[k] + at, width, h);
                vector_store(z_bar, d->out[k] + at, width, h);
            }
        }
}

/* ---------------------------------------------------------------- with form and width known to the compiler */

/* The sweeps ask for whole values, and for the halves of orders 1 and 2, of LANES elements or, in blocks of 8, of a vector; everything else, and the
 * rest of a row, is rare. */
#define CHOOSE_RANGE_OF(range, width, CALL)               \
    do {                                                  \
        if ((range).first == 0 && (range).last == 1)      \
            CALL(((component_range){0, 1}), width);       \
        else if ((range).first == 1 && (range).last == 2) \
            CALL(((component_range){1, 2}), width);       \
        else if ((range).first == 0 && (range).last == 2) \
            CALL(((component_range){0, 2}), width);       \
        else if ((range).first == 2 && (range).last == 4) \
            CALL(((component_range){2, 4}), width);       \
        else                                              \
            CALL(range, width);                           \
    } while (0)

#define IS_FORM(f, order_, first_, last_, value_) \
    ((f).order == order_ && (f).range.first == first_ && (f).range.last == last_ && (f).value == value_)

#define CHOOSE_FORM_OF(f, width, CALL)                       \
    do {                                                     \
        if (IS_FORM(f, 0, 0, 1, true))                       \
            CALL(((adjoint_form){0, {0, 1}, true}), width);  \
        else if (IS_FORM(f, 1, 0, 1, true))                  \
            CALL(((adjoint_form){1, {0, 1}, true}), width);  \
        else if (IS_FORM(f, 1, 0, 1, false))                 \
            CALL(((adjoint_form){1, {0, 1}, false}), width); \
        else if (IS_FORM(f, 1, 1, 2, (f).value))             \
            CALL(((adjoint_form){1, {1, 2}, false}), width); \
        else if (IS_FORM(f, 2, 0, 2, true))                  \
            CALL(((adjoint_form){2, {0, 2}, true}), width);  \
        else if (IS_FORM(f, 2, 0, 2, false))                 \
            CALL(((adjoint_form){2, {0, 2}, false}), width); \
        else if (IS_FORM(f, 2, 2, 4, (f).value))             \
            CALL(((adjoint_form){2, {2, 4}, false}), width); \
        else                                                 \
            CALL(f, width);                                  \
    } while (0)

/* CHOOSE: one of the two above. */
#define CHOOSE_WIDTH(CHOOSE, what, width, CALL) \
    do {                                        \
        if ((width) == LANES)                   \
            CHOOSE(what, LANES, CALL);          \
        else if ((width) == VECTOR)             \
            CHOOSE(what, VECTOR, CALL);         \
        else                                    \
            CALL(what, width);                  \
    } while (0)

DNX_HOT static void forward_sums(component_range range, const direction *d, span s, const lane_numbers shift, lane_sums sums, lane_sums squares)
{
#define CALL(range_, width) forward_sums_loop(range_, width, d, s, shift, sums, squares)
    CHOOSE_WIDTH(CHOOSE_RANGE_OF, range, s.width, CALL);
#undef CALL
}

DNX_HOT static void forward_apply(component_range range, const direction *d, span s, const lane_table *table)
{
#define CALL(range_, width) forward_apply_loop(range_, width, d, s, table)
    CHOOSE_WIDTH(CHOOSE_RANGE_OF, range, s.width, CALL);
#undef CALL
}

DNX_HOT static void backward_sums(adjoint_form f, const direction *d, span s, const lane_table *table, lane_sums sums, lane_sums roots)
{
#define CALL(f_, width) backward_sums_loop(f_, width, d, s, table, sums, roots)
    CHOOSE_WIDTH(CHOOSE_FORM_OF, f, s.width, CALL);
#undef CALL
}

DNX_HOT static void backward_apply(adjoint_form f, const direction *d, span s, const lane_table *table, const bool accumulate[SETS])
{
#define CALL(f_, width) backward_apply_loop(f_, width, d, s, table, accumulate)
    CHOOSE_WIDTH(CHOOSE_FORM_OF, f, s.width, CALL);
#undef CALL
}

#endif
