/* Matrix products whose result is only a few columns wide: the first layer's weight gradient and input gradient of a
 * network of few inputs. oneDNN's blocking is made for wide results and reaches a tenth of the memory's speed here. */
#ifndef DNX_BACKEND_ONEDNN_THIN_PRODUCTS_H
#define DNX_BACKEND_ONEDNN_THIN_PRODUCTS_H

#include "core/hot.h"
#include "backend/onednn/onednn.h"

enum { THIN_COLUMNS = 8, THIN_DEPTH = PART_ELEMENTS, THIN_LANES = 16, THIN_VECTORS = 4, THIN_ROWS = 16 };

/* The widths, 2..THIN_COLUMNS: each has its own loops, with the sums in registers. */
#define THIN_CASES(X) X(2) X(3) X(4) X(5) X(6) X(7) X(8)

typedef real thin_vector __attribute__((vector_size(THIN_LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

/* C[m,n] = alpha op(A)[m,k] op(B)[k,n] + beta C, as in backend.h */
typedef struct product {
    bool transpose_a, transpose_b;
    int m, n, k;
    real alpha;
    const real *a;
    size_t lda;
    const real *b;
    size_t ldb;
    real beta;
    real *c;
    size_t ldc;
} product;

/* n == 1 is a matrix-vector product, which oneDNN does well. */
static inline bool product_is_thin(const product *p)
{
    return p->n > 1 && p->n <= THIN_COLUMNS && (p->transpose_a || p->k <= THIN_DEPTH);
}

DNX_ALWAYS_INLINE void product_put(const product *p, size_t i, size_t j, real sum)
{
    real *c = &p->c[i * p->ldc + j];
    *c = p->alpha * sum + (p->beta == 0 ? 0 : p->beta * *c);
}

/* -- A as it is: each element of C is the dot product of a row of A with a row of packed B -- */

/* The columns of op(B) as rows of `depth` numbers, padded with zeros to whole vectors. */
typedef struct packed_columns {
    size_t depth;
    real data[THIN_COLUMNS * THIN_DEPTH];
} packed_columns;

static void pack_columns(const product *p, packed_columns *packed)
{
    packed->depth = ((size_t)p->k + THIN_LANES - 1) / THIN_LANES * THIN_LANES;
    for (size_t j = 0; j < (size_t)p->n; j++)
        for (size_t l = 0; l < packed->depth; l++) {
            const real *b = p->transpose_b ? &p->b[j * p->ldb + l] : &p->b[l * p->ldb + j];
            packed->data[j * packed->depth + l] = l < (size_t)p->k ? *b : 0;
        }
}

typedef real thin_half __attribute__((vector_size(THIN_LANES / 2 * sizeof(real))));
typedef real thin_quarter __attribute__((vector_size(THIN_LANES / 4 * sizeof(real))));

/* By halves: four additions deep instead of sixteen. */
DNX_ALWAYS_INLINE real lane_sum(const thin_vector *lanes)
{
    const thin_vector x = *lanes;
    const thin_half half =
        __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    const thin_quarter quarter =
        __builtin_shufflevector(half, half, 0, 1, 2, 3) + __builtin_shufflevector(half, half, 4, 5, 6, 7);
    return (quarter[0] + quarter[2]) + (quarter[1] + quarter[3]);
}

DNX_ALWAYS_INLINE void thin_row(const product *p, int n, const packed_columns *packed, size_t i)
{
    const size_t whole = (size_t)p->k / THIN_LANES * THIN_LANES, rest = (size_t)p->k - whole;
    const real *a = p->a + i * p->lda;
    thin_vector sums[THIN_COLUMNS] = {{0}}, last = {0};
    for (size_t l = 0; l < whole; l += THIN_LANES) {
        const thin_vector row = *(const thin_vector *)(a + l);
        for (int j = 0; j < n; j++)
            sums[j] += row * *(const thin_vector *)(packed->data + (size_t)j * packed->depth + l);
    }
    for (size_t l = 0; l < rest; l++)
        last[l] = a[whole + l];
    for (int j = 0; j < n; j++) {
        if (rest)
            sums[j] += last * *(const thin_vector *)(packed->data + (size_t)j * packed->depth + whole);
        product_put(p, i, (size_t)j, lane_sum(&sums[j]));
    }
}

DNX_HOT static void thin_rows(const product *p, const packed_columns *packed, part rows)
{
    switch (p->n) {
#define CASE(n)                                                      \
    case n:                                                          \
        for (size_t i = rows.first; i < rows.first + rows.size; i++) \
            thin_row(p, n, packed, i);                               \
        break;
        THIN_CASES(CASE)
#undef CASE
    default:
        break;
    }
}

/* -- A transposed: row l of the stored A, times one number of B for each column, is added to the columns of C -- */

DNX_ALWAYS_INLINE real transposed_b_at(const product *p, size_t l, size_t j)
{
    return p->transpose_b ? p->b[j * p->ldb + l] : p->b[l * p->ldb + j];
}

/* Rows first .. first + n_vectors * THIN_LANES - 1 of C. */
DNX_ALWAYS_INLINE void thin_columns(const product *p, int n, int n_vectors, size_t first)
{
    thin_vector sums[THIN_COLUMNS][THIN_VECTORS] = {{{0}}};
    for (size_t l = 0; l < (size_t)p->k; l++) {
        const real *a = p->a + l * p->lda + first;
        for (int j = 0; j < n; j++) {
            const real b = transposed_b_at(p, l, (size_t)j);
            for (int v = 0; v < n_vectors; v++)
                sums[j][v] += b * *(const thin_vector *)(a + v * THIN_LANES);
        }
    }
    for (int i = 0; i < n_vectors * THIN_LANES; i++)
        for (int j = 0; j < n; j++)
            product_put(p, first + (size_t)i, (size_t)j, sums[j][i / THIN_LANES][i % THIN_LANES]);
}

static void thin_remainder(const product *p, size_t first, size_t last)
{
    for (size_t i = first; i < last; i++)
        for (size_t j = 0; j < (size_t)p->n; j++) {
            real sum = 0;
            for (size_t l = 0; l < (size_t)p->k; l++)
                sum += p->a[l * p->lda + i] * transposed_b_at(p, l, j);
            product_put(p, i, j, sum);
        }
}

/* As many sums as there are vector registers: 16 of the widest, with 16 left for the rest. */
DNX_ALWAYS_INLINE void thin_columns_part(const product *p, int n, part columns)
{
    const int n_vectors = n <= 4 ? THIN_VECTORS : THIN_VECTORS / 2;
    const size_t block = (size_t)n_vectors * THIN_LANES, last = columns.first + columns.size;
    size_t first = columns.first;
    for (; first + block <= last; first += block)
        thin_columns(p, n, n_vectors, first);
    for (; first + THIN_LANES <= last; first += THIN_LANES)
        thin_columns(p, n, 1, first);
    thin_remainder(p, first, last);
}

DNX_HOT static void thin_columns_of(const product *p, part columns)
{
    switch (p->n) {
#define CASE(n)                           \
    case n:                               \
        thin_columns_part(p, n, columns); \
        break;
        THIN_CASES(CASE)
#undef CASE
    default:
        break;
    }
}

static void product_thin(const product *p)
{
    const size_t work = (size_t)p->m * (size_t)p->k;
    if (p->transpose_a) {
        FOR_EACH_PART(work, (size_t)p->m, THIN_VECTORS * THIN_LANES, columns, thin_columns_of(p, columns));
        return;
    }
    packed_columns packed;
    pack_columns(p, &packed);
    FOR_EACH_PART(work, (size_t)p->m, THIN_ROWS, rows, thin_rows(p, &packed, rows));
}

#endif
