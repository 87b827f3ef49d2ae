#include "backend/onednn/tiles.h"

#include <omp.h>
#include <string.h>

/* Products of fewer outputs or rows would waste most of a tile, and deeper ones do not fit into the memory of a panel. */
enum { FEWEST_OUTPUTS = 12, FEWEST_ROWS = 4, FEWEST_BLOCK_ROWS = 48, CACHED_ELEMENTS = 1 << 16 };

/* The kinds that keep the sign of their argument. */
#define SIGN_CASES(X) X(ACTIVATION_LINEAR) X(ACTIVATION_RELU) X(ACTIVATION_RELIE) X(ACTIVATION_RAMP) X(ACTIVATION_LEAKY)

/* For FOR_EACH_PART: a thread does as many multiplications in the time of one element of a pass through memory. */
enum { PRODUCTS_PER_ELEMENT = 8 };

static size_t work_of(size_t rows, size_t columns, size_t depth)
{
    return rows * columns * depth / PRODUCTS_PER_ELEMENT;
}

static size_t in_tiles(size_t rows)
{
    return (rows + tile_height() - 1) / tile_height() * tile_height();
}

/* The rows of a block from `done` on that make a tile. */
static part tile_part(part block, size_t done)
{
    const size_t rest = block.size - done;
    return (part){block.first + done, rest < tile_height() ? rest : tile_height(), 0};
}

/* ---------------------------------------------------------------- y = f(x W^T + b) */

typedef struct affine {
    activation f;
    size_t rows, inputs, outputs;
    const real *x, *weights;
    size_t x_stride, weights_stride, y_stride;
    real *y;
    const real *biases; /* of values; NULL: none */
    const real *value;  /* NULL: y is the value, f(z); else y = f'(value) z, with the values of `batch` rows for all rows in turn */
    size_t batch;
} affine;

DNX_ALWAYS_INLINE void put_row(size_t columns, activation f, const real *restrict sums, const real *restrict bias,
                               const real *restrict value, real *restrict y)
{
    for (size_t j = 0; j < columns; j++)
        y[j] = value ? activation_at(f, value[j]).f1 * sums[j] : activation_at(f, bias ? sums[j] + bias[j] : sums[j]).f;
}

DNX_ALWAYS_INLINE void put_rows(const affine *p, activation f, part rows, part columns, const tile *t)
{
    const real *bias = p->biases ? p->biases + columns.first : NULL;
    size_t sample = p->value ? rows.first % p->batch : 0;
    for (size_t i = 0; i < rows.size; i++, sample = sample + 1 < p->batch ? sample + 1 : 0) {
        const size_t row = rows.first + i;
        const real *value = p->value ? p->value + sample * p->y_stride + columns.first : NULL;
        real *y = p->y + row * p->y_stride + columns.first;
        WITH_TILE_COLUMNS(columns.size, put_row, f, t->sums[i], bias, value, y);
    }
}

DNX_HOT static void affine_put(const affine *p, part rows, part columns, const tile *t)
{
    switch (p->f) {
#define CASE(e)                           \
    case e:                               \
        put_rows(p, e, rows, columns, t); \
        break;
        SIGN_CASES(CASE)
#undef CASE
    default:
        break;
    }
}

static void affine_block(const affine *p, part rows, part columns)
{
    panel_memory memory;
    const panel b = panel_of_rows(p->weights + columns.first * p->weights_stride, p->weights_stride, columns.size, p->inputs, &memory);
    for (size_t done = 0; done < rows.size; done += tile_height()) {
        const part now = tile_part(rows, done);
        const tile_rows a = {p->x + now.first * p->x_stride, p->x_stride, 1};
        tile t;
        tile_multiply((int)now.size, &a, &b, &t);
        affine_put(p, now, columns, &t);
    }
}

/* Rows of x that stay in the second-level cache while the panels pass by, and as many blocks as give every thread its share; but every block
 * transposes W anew. */
static size_t block_rows(const affine *p, size_t panels)
{
    const size_t threads = (size_t)omp_get_max_threads(), blocks = panels % threads ? (2 * threads + panels - 1) / panels : 1;
    const size_t fair = in_tiles((p->rows + blocks - 1) / blocks);
    const size_t cached = CACHED_ELEMENTS / p->inputs / tile_height() * tile_height(), size = fair < cached ? fair : cached;
    return size < FEWEST_BLOCK_ROWS ? FEWEST_BLOCK_ROWS : size;
}

static void affine_run(const affine *p)
{
    const long panels = part_count(p->outputs, tile_columns());
    const size_t size = block_rows(p, (size_t)panels);
    FOR_EACH_PART(work_of(p->rows, p->outputs, p->inputs), (size_t)(panels * part_count(p->rows, size)), 1, item,
                  affine_block(p, part_at(p->rows, size, item.index / panels), part_at(p->outputs, tile_columns(), item.index % panels)));
}

static bool affine_suits(size_t rows, size_t outputs, size_t inputs)
{
    return TILES_ARE_FAST && rows >= FEWEST_ROWS && outputs >= FEWEST_OUTPUTS && inputs > 0 && inputs <= PANEL_DEPTH;
}

bool onednn_transposed_product(size_t m, size_t n, size_t k, const real *a, size_t lda, const real *b, size_t ldb, real *c, size_t ldc)
{
    const affine p = {ACTIVATION_LINEAR, m, k, n, a, b, lda, ldb, ldc, c, NULL, NULL, 0};
    if (!affine_suits(m, n, k))
        return false;
    affine_run(&p);
    return true;
}

static void affine_by_parts(activation f, const jet *x, const real *weights, const real *biases, jet *y, component_range range)
{
    const int rows = (int)jet_range_rows(x, range), inputs = (int)x->count, outputs = (int)y->count;
    onednn_gemm(false, true, rows, outputs, inputs, 1, jet_component(x, range.first), inputs, weights, inputs, 0, jet_component(y, range.first), outputs);
    if (range_has(range, 0))
        onednn_add_bias((size_t)y->batch, y->count, biases, y->data);
    if (f != ACTIVATION_LINEAR)
        onednn_activation_forward(f, y, y, range);
}

void onednn_affine_forward(activation f, const jet *x, const real *weights, const real *biases, jet *y, component_range range)
{
    const size_t rows = jet_range_rows(x, range);
    const bool values = range_has(range, 0);
    if (!affine_suits(rows, y->count, x->count)) {
        affine_by_parts(f, x, weights, biases, y, range);
        return;
    }
    if (values && range.last > 1) { /* the slopes are taken at the values */
        onednn_affine_forward(f, x, weights, biases, y, (component_range){0, 1});
        onednn_affine_forward(f, x, weights, biases, y, (component_range){1, range.last});
        return;
    }
    const affine p = {
        .f = f,
        .rows = rows,
        .inputs = x->count,
        .outputs = y->count,
        .x = jet_component(x, range.first),
        .weights = weights,
        .x_stride = x->count,
        .weights_stride = x->count,
        .y_stride = y->count,
        .y = jet_component(y, range.first),
        .biases = values ? biases : NULL,
        .value = values ? NULL : y->data,
        .batch = (size_t)y->batch,
    };
    affine_run(&p);
}

/* ---------------------------------------------------------------- the gradients of a pair */

enum { SAMPLE_BLOCK = 256, MOST_GROUP_ROWS = 12 * NARROW_ROWS };
_Static_assert(MOST_GROUP_ROWS % WIDE_ROWS == 0, "whole tiles of both heights");

/* A scalar product as many sums. */
typedef real dot_lanes[TILE_MOST_COLUMNS];

/* Outputs of one thread, and what their c and <W_j, M_j> come to. */
typedef struct pair_group {
    const affine_pair *pair;
    part outputs;
    real sums[MOST_GROUP_ROWS];
    dot_lanes dots[MOST_GROUP_ROWS];
    real slopes[MOST_GROUP_ROWS * SAMPLE_BLOCK]; /* delta_r f'(y_r) of a block of samples, those of a tile's outputs in one piece */
} __attribute__((aligned(64))) pair_group;

DNX_ALWAYS_INLINE void slopes_of_kind(size_t size, activation f, const affine_pair *p, size_t first, part samples, real *restrict slopes,
                                      real *restrict sums)
{
    for (size_t r = 0; r < samples.size; r++) {
        const real delta = p->delta[samples.first + r], s = p->s[samples.first + r];
        const real *restrict y = p->y + (samples.first + r) * p->outputs + first;
#pragma omp simd
        for (size_t i = 0; i < size; i++) {
            const real slope = delta * activation_at(f, y[i]).f1;
            slopes[r * size + i] = slope;
            sums[i] += s * slope;
        }
    }
}

/* Those of a tile's outputs, and what they add to c. */
DNX_HOT static void pair_slopes(const affine_pair *p, part outputs, part samples, real *slopes, real *sums)
{
    switch (p->f) {
#define CASE(e)                                                                                   \
    case e:                                                                                       \
        WITH_TILE_ROWS(outputs.size, slopes_of_kind, e, p, outputs.first, samples, slopes, sums); \
        break;
        SIGN_CASES(CASE)
#undef CASE
    default:
        break;
    }
}

/* What a tile of M brings: Wbar += diag(w) M, and its part of <W_j, M_j>. */
DNX_ALWAYS_INLINE void put_pair_rows(size_t columns, const affine_pair *p, part outputs, size_t first_column, const tile *t, dot_lanes *dots)
{
    const size_t inputs = p->inputs, at = outputs.first * inputs + first_column;
    const real *restrict above = p->above + outputs.first, *restrict weights = p->weights + at;
    real *restrict gradient = p->weights_gradient + at;
    for (size_t i = 0; i < outputs.size; i++, weights += inputs, gradient += inputs) {
        const real *restrict sums = t->sums[i];
        real *restrict lanes = dots[i];
        for (size_t k = 0; k < columns; k++) {
            gradient[k] += above[i] * sums[k];
            lanes[k] += weights[k] * sums[k];
        }
    }
}

DNX_HOT static void pair_put(const affine_pair *p, part outputs, part columns, const tile *t, dot_lanes *dots)
{
    WITH_TILE_COLUMNS(columns.size, put_pair_rows, p, outputs, columns.first, t, dots);
}

/* By halves: few additions one after the other. */
DNX_HOT static real dot_total(dot_lanes lanes)
{
    for (int n = TILE_MOST_COLUMNS / 2; n > 0; n /= 2)
        for (int l = 0; l < n; l++)
            lanes[l] += lanes[l + n];
    return lanes[0];
}

/* The part of M's columns that some samples give. */
static void pair_panel(pair_group *g, part samples, part columns)
{
    const affine_pair *p = g->pair;
    panel_memory memory;
    const panel b = panel_of_columns(p->u + samples.first * p->inputs + columns.first, p->inputs, columns.size, samples.size, &memory);
    for (size_t done = 0; done < g->outputs.size; done += tile_height()) {
        const part outputs = tile_part(g->outputs, done);
        const tile_rows a = {g->slopes + done * samples.size, 1, outputs.size};
        tile t;
        tile_multiply((int)outputs.size, &a, &b, &t);
        pair_put(p, outputs, columns, &t, g->dots + done);
    }
}

static void pair_samples(pair_group *g, part samples)
{
    const affine_pair *p = g->pair;
    for (size_t done = 0; done < g->outputs.size; done += tile_height())
        pair_slopes(p, tile_part(g->outputs, done), samples, g->slopes + done * samples.size, g->sums + done);
    for (long k = 0; k < part_count(p->inputs, tile_columns()); k++)
        pair_panel(g, samples, part_at(p->inputs, tile_columns(), k));
}

static void pair_outputs(const affine_pair *p, part outputs)
{
    pair_group g;
    g.pair = p;
    g.outputs = outputs;
    memset(g.sums, 0, outputs.size * sizeof *g.sums);
    memset(g.dots, 0, outputs.size * sizeof *g.dots);
    for (long d = 0; d < part_count(p->rows, SAMPLE_BLOCK); d++)
        pair_samples(&g, part_at(p->rows, SAMPLE_BLOCK, d));
    for (size_t i = 0; i < outputs.size; i++) {
        const size_t j = outputs.first + i;
        p->biases_gradient[j] += p->above[j] * g.sums[i];
        p->above_gradient[j] += dot_total(g.dots[i]) + p->biases[j] * g.sums[i];
    }
}

/* As many as give every thread its share; where panels are read as they lie, fewer run better through memory, and few samples need no more. */
static size_t group_outputs(const affine_pair *p)
{
    const size_t threads = (size_t)omp_get_max_threads(), fair = in_tiles((p->outputs + threads - 1) / threads);
    if (p->rows <= PANEL_FEW_ROWS)
        return 2 * tile_height();
    return fair < MOST_GROUP_ROWS ? fair : MOST_GROUP_ROWS;
}

void onednn_affine_pair_gradients(const affine_pair *p)
{
    FOR_EACH_PART(work_of(p->rows, p->outputs, p->inputs), p->outputs, group_outputs(p), outputs, pair_outputs(p, outputs));
}
