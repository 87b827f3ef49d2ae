#include "backend/onednn/tiles.h"

#include <omp.h>
#include <string.h>

/* Products of fewer outputs or rows would waste most of a tile, and deeper ones do not fit into the memory of a panel. */
enum { FEWEST_OUTPUTS = 12, FEWEST_ROWS = 4, FEWEST_BLOCK_ROWS = 6 * TILE_ROWS, CACHED_ELEMENTS = 1 << 16, MOST_GROUP_ROWS = 8 * TILE_ROWS };

/* The kinds that keep the sign of their argument. */
#define SIGN_CASES(X) X(ACTIVATION_LINEAR) X(ACTIVATION_RELU) X(ACTIVATION_RELIE) X(ACTIVATION_RAMP) X(ACTIVATION_LEAKY)

/* For FOR_EACH_PART: a thread does as many multiplications in the time of one element of a pass through memory. */
enum { PRODUCTS_PER_ELEMENT = 8 };

static size_t work_of(size_t rows, size_t columns, size_t depth)
{
    return rows * columns * depth / PRODUCTS_PER_ELEMENT;
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

DNX_ALWAYS_INLINE void put_row(const affine *p, activation f, size_t columns, const real *restrict sums, const real *restrict bias,
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
        if (columns.size == PANEL_COLUMNS)
            put_row(p, f, PANEL_COLUMNS, t->sums[i], bias, value, y);
        else
            put_row(p, f, columns.size, t->sums[i], bias, value, y);
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
    for (size_t done = 0; done < rows.size; done += TILE_ROWS) {
        part now = part_at(rows.size, TILE_ROWS, (long)(done / TILE_ROWS));
        now.first += rows.first;
        tile t;
        tile_multiply((int)now.size, (tile_rows){p->x + now.first * p->x_stride, p->x_stride, 1}, b, &t);
        affine_put(p, now, columns, &t);
    }
}

/* Rows of x that stay in the second-level cache while the panels pass by, and as many blocks as give every thread its share; but every block
 * transposes W anew. */
static size_t block_rows(const affine *p, size_t panels)
{
    const size_t threads = (size_t)omp_get_max_threads(), blocks = panels % threads ? (2 * threads + panels - 1) / panels : 1;
    const size_t fair = ((p->rows + blocks - 1) / blocks + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
    const size_t cached = CACHED_ELEMENTS / p->inputs / TILE_ROWS * TILE_ROWS, size = fair < cached ? fair : cached;
    return size < FEWEST_BLOCK_ROWS ? FEWEST_BLOCK_ROWS : size;
}

static void affine_run(const affine *p)
{
    const long panels = part_count(p->outputs, PANEL_COLUMNS);
    const size_t size = block_rows(p, (size_t)panels);
    FOR_EACH_PART(work_of(p->rows, p->outputs, p->inputs), (size_t)(panels * part_count(p->rows, size)), 1, item,
                  affine_block(p, part_at(p->rows, size, item.index / panels), part_at(p->outputs, PANEL_COLUMNS, item.index % panels)));
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

/* Outputs of one tile: A of its product lies in one piece, and a thread that reads it has written it. */
static real *tile_slopes(const affine_pair *p, part outputs)
{
    return p->scratch + outputs.first * p->rows;
}

DNX_ALWAYS_INLINE void slopes_of_kind(activation f, const affine_pair *p, size_t first, size_t size, real *restrict slopes, real *restrict sums)
{
    for (size_t r = 0; r < p->rows; r++) {
        const real delta = p->delta[r], s = p->s[r];
        const real *restrict y = p->y + r * p->outputs + first;
#pragma omp simd
        for (size_t i = 0; i < size; i++) {
            const real slope = delta * activation_at(f, y[i]).f1;
            slopes[r * size + i] = slope;
            sums[i] += s * slope;
        }
    }
}

/* delta_r f'(y_r) of the outputs of a tile, and their c. */
DNX_HOT static void pair_slopes(const affine_pair *p, part outputs, real *sums)
{
    real *slopes = tile_slopes(p, outputs);
    switch (p->f) {
#define CASE(e)                                                                     \
    case e:                                                                         \
        if (outputs.size == TILE_ROWS)                                              \
            slopes_of_kind(e, p, outputs.first, TILE_ROWS, slopes, sums);           \
        else                                                                        \
            slopes_of_kind(e, p, outputs.first, outputs.size, slopes, sums);        \
        break;
        SIGN_CASES(CASE)
#undef CASE
    default:
        break;
    }
}

/* A scalar product as PANEL_COLUMNS sums. */
typedef real dot_lanes[PANEL_COLUMNS];

/* What a tile of M brings: Wbar += diag(w) M, and its part of <W_j, M_j>. */
DNX_ALWAYS_INLINE void put_pair_row(size_t columns, real above, const real *restrict sums, const real *restrict weights, real *restrict gradient,
                                    real *restrict lanes)
{
    for (size_t i = 0; i < columns; i++) {
        gradient[i] += above * sums[i];
        lanes[i] += weights[i] * sums[i];
    }
}

DNX_HOT static void pair_put(const affine_pair *p, part rows, part columns, const tile *t, dot_lanes *dots)
{
    for (size_t i = 0; i < rows.size; i++) {
        const size_t j = rows.first + i, at = j * p->inputs + columns.first;
        if (columns.size == PANEL_COLUMNS)
            put_pair_row(PANEL_COLUMNS, p->above[j], t->sums[i], p->weights + at, p->weights_gradient + at, dots[i]);
        else
            put_pair_row(columns.size, p->above[j], t->sums[i], p->weights + at, p->weights_gradient + at, dots[i]);
    }
}

/* By halves: few additions one after the other. */
DNX_HOT static real dot_total(dot_lanes lanes)
{
    for (int n = PANEL_COLUMNS / 2; n > 0; n /= 2)
        for (int l = 0; l < n; l++)
            lanes[l] += lanes[l + n];
    return lanes[0];
}

/* Outputs of tile i of a group. */
static part group_tile(part group, long i)
{
    part outputs = part_at(group.size, TILE_ROWS, i);
    outputs.first += group.first;
    return outputs;
}

/* The part of M's columns that some rows of u give. */
static void pair_panel(const affine_pair *p, part group, part depth, part columns, dot_lanes *dots)
{
    panel_memory memory;
    const panel b = panel_of_columns(p->u + depth.first * p->inputs + columns.first, p->inputs, columns.size, depth.size, &memory);
    for (long i = 0; i < part_count(group.size, TILE_ROWS); i++) {
        const part outputs = group_tile(group, i);
        const tile_rows a = {tile_slopes(p, outputs) + depth.first * outputs.size, 1, outputs.size};
        tile t;
        tile_multiply((int)outputs.size, a, b, &t);
        pair_put(p, outputs, columns, &t, dots + i * TILE_ROWS);
    }
}

/* The outputs `group`, at most MOST_GROUP_ROWS. */
static void pair_group(const affine_pair *p, part group)
{
    dot_lanes dots[MOST_GROUP_ROWS];
    real sums[MOST_GROUP_ROWS] = {0};
    memset(dots, 0, group.size * sizeof *dots);
    for (long i = 0; i < part_count(group.size, TILE_ROWS); i++)
        pair_slopes(p, group_tile(group, i), sums + i * TILE_ROWS);
    for (long d = 0; d < part_count(p->rows, PANEL_DEPTH); d++)
        for (long k = 0; k < part_count(p->inputs, PANEL_COLUMNS); k++)
            pair_panel(p, group, part_at(p->rows, PANEL_DEPTH, d), part_at(p->inputs, PANEL_COLUMNS, k), dots);
    for (size_t i = 0; i < group.size; i++) {
        const size_t j = group.first + i;
        p->biases_gradient[j] += p->above[j] * sums[i];
        p->above_gradient[j] += dot_total(dots[i]) + p->biases[j] * sums[i];
    }
}

/* u stays in the cache while a group reads it: the fewer rows there are, the fewer outputs a group needs, and the better it runs through memory. */
static size_t group_outputs(const affine_pair *p)
{
    const size_t threads = (size_t)omp_get_max_threads();
    const size_t fair = (p->outputs / (2 * threads) + TILE_ROWS) / TILE_ROWS * TILE_ROWS;
    if (p->rows < FEWEST_BLOCK_ROWS)
        return TILE_ROWS;
    return fair < MOST_GROUP_ROWS ? fair : MOST_GROUP_ROWS;
}

void onednn_affine_pair_gradients(const affine_pair *p)
{
    FOR_EACH_PART(work_of(p->rows, p->outputs, p->inputs), p->outputs, group_outputs(p), group, pair_group(p, group));
}
