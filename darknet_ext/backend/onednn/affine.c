#include "backend/onednn/tiles.h"

#include <omp.h>

/* Products of fewer outputs or rows would waste most of a tile, and deeper ones do not fit into the memory of a panel. */
enum { FEWEST_OUTPUTS = 12, FEWEST_ROWS = 4, FEWEST_BLOCK_ROWS = 6 * TILE_ROWS, MOST_GROUP_ROWS = 8 * TILE_ROWS };

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
    for (size_t i = 0; i < rows.size; i++) {
        const size_t row = rows.first + i;
        const real *value = p->value ? p->value + row % p->batch * p->y_stride + columns.first : NULL;
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

/* Rows are divided only as far as the threads need it: every block transposes its columns of W anew. */
static size_t block_rows(size_t rows, size_t panels)
{
    const size_t threads = (size_t)omp_get_max_threads(), blocks = panels % threads ? (2 * threads + panels - 1) / panels : 1;
    const size_t size = ((rows + blocks - 1) / blocks + TILE_ROWS - 1) / TILE_ROWS * TILE_ROWS;
    return size < FEWEST_BLOCK_ROWS ? FEWEST_BLOCK_ROWS : size;
}

static void affine_run(const affine *p)
{
    const long panels = part_count(p->outputs, PANEL_COLUMNS);
    const size_t size = block_rows(p->rows, (size_t)panels);
    const long blocks = part_count(p->rows, size);
    FOR_EACH_PART(work_of(p->rows, p->outputs, p->inputs), (size_t)(panels * blocks), 1, item,
                  affine_block(p, part_at(p->rows, size, item.index % blocks), part_at(p->outputs, PANEL_COLUMNS, item.index / blocks)));
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

DNX_ALWAYS_INLINE void slope_rows(activation f, part rows, const affine_pair *p)
{
    for (size_t r = rows.first; r < rows.first + rows.size; r++) {
        const real *restrict y = p->y + r * p->outputs;
        real *restrict slopes = p->scratch + r * p->outputs;
        for (size_t j = 0; j < p->outputs; j++)
            slopes[j] = p->delta[r] * activation_at(f, y[j]).f1;
    }
}

/* delta_r f'(y_r) into the scratch memory. */
DNX_HOT static void pair_slopes(const affine_pair *p, part rows)
{
    switch (p->f) {
#define CASE(e)                 \
    case e:                     \
        slope_rows(e, rows, p); \
        break;
        SIGN_CASES(CASE)
#undef CASE
    default:
        break;
    }
}

enum { DOT_LANES = 16 };

/* What a tile of M brings: Wbar += diag(w) M, and its part of <W_j, M_j>, which is returned. */
DNX_ALWAYS_INLINE double put_pair_row(size_t columns, real above, const real *restrict sums, const real *restrict weights, real *restrict gradient)
{
    real lanes[DOT_LANES] = {0};
    double dot = 0;
    for (size_t i = 0; i < columns; i++)
        gradient[i] += above * sums[i];
    for (size_t i = 0; i < columns; i++)
        lanes[i % DOT_LANES] += weights[i] * sums[i];
    for (int l = 0; l < DOT_LANES; l++)
        dot += (double)lanes[l];
    return dot;
}

DNX_HOT static void pair_put(const affine_pair *p, part rows, part columns, const tile *t, double *dots)
{
    for (size_t i = 0; i < rows.size; i++) {
        const size_t j = rows.first + i, at = j * p->inputs + columns.first;
        if (columns.size == PANEL_COLUMNS)
            dots[i] += put_pair_row(PANEL_COLUMNS, p->above[j], t->sums[i], p->weights + at, p->weights_gradient + at);
        else
            dots[i] += put_pair_row(columns.size, p->above[j], t->sums[i], p->weights + at, p->weights_gradient + at);
    }
}

/* c_j of the outputs `group`. */
DNX_HOT static void pair_sums(const affine_pair *p, part group, double *sums)
{
    for (size_t r = 0; r < p->rows; r++)
        for (size_t i = 0; i < group.size; i++)
            sums[i] += (double)(p->s[r] * p->scratch[r * p->outputs + group.first + i]);
}

/* The outputs `group`, at most MOST_GROUP_ROWS. */
static void pair_group(const affine_pair *p, part group)
{
    double dots[MOST_GROUP_ROWS] = {0}, sums[MOST_GROUP_ROWS] = {0};
    panel_memory memory;
    for (size_t first = 0; first < p->rows; first += PANEL_DEPTH) {
        const part depth = part_at(p->rows, PANEL_DEPTH, (long)(first / PANEL_DEPTH));
        for (long k = 0; k < part_count(p->inputs, PANEL_COLUMNS); k++) {
            const part columns = part_at(p->inputs, PANEL_COLUMNS, k);
            const panel b = panel_of_columns(p->u + first * p->inputs + columns.first, p->inputs, columns.size, depth.size, &memory);
            for (long i = 0; i < part_count(group.size, TILE_ROWS); i++) {
                part rows = part_at(group.size, TILE_ROWS, i);
                double *row_dots = dots + rows.first;
                tile t;
                rows.first += group.first;
                tile_multiply((int)rows.size, (tile_rows){p->scratch + first * p->outputs + rows.first, 1, p->outputs}, b, &t);
                pair_put(p, rows, columns, &t, row_dots);
            }
        }
    }
    pair_sums(p, group, sums);
    for (size_t i = 0; i < group.size; i++) {
        const size_t j = group.first + i;
        p->biases_gradient[j] = (real)(p->biases_gradient[j] + p->above[j] * sums[i]);
        p->above_gradient[j] = (real)(p->above_gradient[j] + dots[i] + p->biases[j] * sums[i]);
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
    const size_t rows_per_part = p->outputs < PART_ELEMENTS ? PART_ELEMENTS / p->outputs : 1, size = group_outputs(p);
    FOR_EACH_PART(p->rows * p->outputs, p->rows, rows_per_part, rows, pair_slopes(p, rows));
    FOR_EACH_PART(work_of(p->rows, p->outputs, p->inputs), p->outputs, size, group, pair_group(p, group));
}
