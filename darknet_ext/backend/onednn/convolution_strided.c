/* Convolutions of few filters with a stride. oneDNN's code for them reaches half of the speed of a matrix product where registers hold eight numbers,
 * and everywhere when few channels come in; or it needs squares of pixels as channels, which are moved first.
 *
 * Each direction is a product A B whose A is read where it lies: element (i, l) of A is image[row_at[i] + depth_at[l]], since all patches look alike.
 *
 *     forward            A: pixels x patch of x                     B: patch x filters, the packed weights
 *     backward weights   A: the same, transposed                    B: pixels x filters, adj_y as it is
 *     backward data      A: cells x patch of adj_y within zeros     B: patch x pixels and channels of a cell of x, packed
 *
 * A cell is a square of stride x stride pixels; every cell has the same filters over it, shifted. Of a patch the rows of zeros are left out. The sum of
 * an element runs through the depth in an order that does not depend on the number of threads. Images are plain or in blocks of 8 or 16, without
 * padding. */
#include "backend/onednn/convolution.h"
#include "core/hot.h"
#include "backend/onednn/scratch.h"

#include <omp.h>
#include <string.h>

/* A tile of 6 x 16 sums takes 12 of 16 registers of eight numbers. Of 32 registers of sixteen numbers one of 10 x 16 takes ten: enough for the
 * processor, and as many addresses of rows as it has registers for. The depth of a weight gradient is cut so that its part of adj_y stays in the
 * first-level cache. */
enum { NARROW_ROWS = 6, WIDE_ROWS = 10, LANES = 8, COLUMNS = 2 * LANES, GRADIENT_DEPTH = 100, GRADIENT_PARTS = 16 };

typedef real vector __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef real wide_vector __attribute__((vector_size(COLUMNS * sizeof(real)), aligned(sizeof(real)), may_alias));

/* Whether tiles are those of larger registers, which take sixteen channels of a pixel at once. */
static bool is_wide(const recipe *r)
{
    return DNX_IS_WIDE && r->y_block % COLUMNS == 0;
}

/* Rows of a full tile. */
static size_t full_rows(const recipe *r)
{
    return is_wide(r) ? WIDE_ROWS : NARROW_ROWS;
}

typedef struct tile {
    vector sums[WIDE_ROWS][2];
} tile;

/* A, without the image. */
typedef struct gather {
    size_t rows, depth;
    uint32_t *row_at, *depth_at;
} gather;

/* The columns of B: vectors low and high of row l lie l * step further. */
typedef struct columns {
    const real *low, *high;
    size_t step;
} columns;

#define SIX_ROWS(X) X(0) X(1) X(2) X(3) X(4) X(5)
#define TEN_ROWS(X) SIX_ROWS(X) X(6) X(7) X(8) X(9)
/* Sums with names of their own: compilers keep arrays of them in memory around the loop. A tile that is not full computes its last row several
 * times. */
#define ROW(i) const real *a##i = image + row_at[(i) < rows ? (i) : rows - 1];
#define SUMS(i) ROW(i) vector low##i = {0}, high##i = {0};
#define ADD(i)                \
    low##i += a##i[at] * low; \
    high##i += a##i[at] * high;
#define STORE(i)              \
    out->sums[i][0] = low##i; \
    out->sums[i][1] = high##i;
#define WIDE_SUMS(i) ROW(i) wide_vector sum##i = {0};
#define WIDE_ADD(i) sum##i += a##i[at] * row;
#define WIDE_STORE(i) *(wide_vector *)out->sums[i] = sum##i;

DNX_ALWAYS_INLINE void multiply_narrow(const real *image, size_t rows, const uint32_t *row_at, size_t depth, const uint32_t *depth_at, columns b,
                                       tile *out)
{
    SIX_ROWS(SUMS)
    for (size_t l = 0; l < depth; l++, b.low += b.step, b.high += b.step) {
        const vector low = *(const vector *)b.low, high = *(const vector *)b.high;
        const size_t at = depth_at[l];
        SIX_ROWS(ADD)
    }
    SIX_ROWS(STORE)
}

/* Of columns that lie side by side. */
DNX_WIDE static void multiply_wide(const real *image, size_t rows, const uint32_t *row_at, size_t depth, const uint32_t *depth_at, columns b,
                                   tile *out)
{
    TEN_ROWS(WIDE_SUMS)
    for (size_t l = 0; l < depth; l++, b.low += b.step) {
        const wide_vector row = *(const wide_vector *)b.low;
        const size_t at = depth_at[l];
        TEN_ROWS(WIDE_ADD)
    }
    TEN_ROWS(WIDE_STORE)
}

DNX_ALWAYS_INLINE void multiply(const recipe *r, const real *image, size_t rows, const uint32_t *row_at, size_t depth, const uint32_t *depth_at, columns b,
                                tile *out)
{
    if (is_wide(r))
        multiply_wide(image, rows, row_at, depth, depth_at, b, out);
    else
        multiply_narrow(image, rows, row_at, depth, depth_at, b, out);
}

/* The image after this one, of which each tile asks for its share: the processor does not see by itself that patches walk through memory. */
typedef struct ahead {
    const real *data;
    size_t left, share;
} ahead;

/* Image n + 1 of `rows` images of `count` numbers. */
static ahead new_ahead(const real *images, size_t n, size_t rows, size_t count, size_t tiles)
{
    const bool exists = n + 1 < rows;
    return (ahead){images + (exists ? n + 1 : n) * count, exists ? count : 0, (count + tiles - 1) / tiles};
}

DNX_ALWAYS_INLINE void ask_ahead(ahead *next)
{
    enum { LINE = 64 / sizeof(real) };
    const size_t share = next->share < next->left ? next->share : next->left;
    for (size_t i = 0; i < share; i += LINE)
        __builtin_prefetch(next->data + i, 0, 2);
    next->data += share;
    next->left -= share;
}

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

static size_t tile_count(const recipe *r, size_t rows)
{
    return (rows + full_rows(r) - 1) / full_rows(r);
}

static size_t panel_count(size_t n)
{
    return (n + COLUMNS - 1) / COLUMNS;
}

static size_t patch_count(const convolution_shape *s)
{
    return (size_t)(s->in.channels * s->size * s->size);
}

/* ---------------------------------------------------------------- tables */

/* Where the parts of the workspace lie; all NULL: only counted. */
typedef struct memory {
    char *base;
    size_t used;
} memory;

static void *take(memory *m, size_t bytes)
{
    void *p = m->base ? m->base + m->used : NULL;
    m->used += scratch_round(bytes);
    return p;
}

static gather new_gather(memory *m, size_t rows, size_t depth)
{
    return (gather){rows, depth, take(m, rows * sizeof(uint32_t)), take(m, depth * sizeof(uint32_t))};
}

/* Pixels i * step of an image. */
static void fill_grid(tensor_layout l, int step, int height, int width, uint32_t *at)
{
    for (int i = 0; i < height; i++)
        for (int j = 0; j < width; j++)
            *at++ = (uint32_t)layout_at(l, 0, (size_t)(i * step * l.shape.width + j * step));
}

/* Elements of a patch: channels, then the square in the order of the weights. */
static void fill_patch(tensor_layout l, int size, uint32_t *at)
{
    for (int c = 0; c < l.shape.channels; c++)
        for (int q = 0; q < size * size; q++)
            *at++ = (uint32_t)layout_at(l, (size_t)c, (size_t)(q / size * l.shape.width + q % size));
}

/* ---------------------------------------------------------------- forward */

typedef struct forward_plan {
    const recipe *r;
    gather a;
    size_t panels;
    real *weights, *bias; /* [panels][depth][COLUMNS], [panels][COLUMNS] */
} forward_plan;

static forward_plan forward_plan_new(const recipe *r, memory *m)
{
    const convolution_shape *s = &r->inner;
    forward_plan p = {.r = r, .a = new_gather(m, layout_pixels(recipe_y(r)), patch_count(s)), .panels = panel_count((size_t)s->out.channels)};
    p.weights = take(m, p.panels * p.a.depth * COLUMNS * sizeof(real));
    p.bias = take(m, p.panels * COLUMNS * sizeof(real));
    return p;
}

/* bias NULL: zeros. */
static void forward_prepare(const forward_plan *p, const real *weights, const real *bias)
{
    const convolution_shape *s = &p->r->inner;
    fill_grid(recipe_x(p->r), s->stride, s->out.height, s->out.width, p->a.row_at);
    fill_patch(recipe_x(p->r), s->size, p->a.depth_at);
    const size_t filters = (size_t)s->out.channels, depth = p->a.depth;
    for (size_t f = 0; f < p->panels * COLUMNS; f++) {
        p->bias[f] = bias && f < filters ? bias[f] : 0;
        for (size_t l = 0; l < depth; l++)
            p->weights[(f / COLUMNS * depth + l) * COLUMNS + f % COLUMNS] = f < filters ? weights[f * depth + l] : 0;
    }
}

/* Rows first .. first + rows - 1 of the product; of the last panel the second vector may have no channels in y. */
DNX_ALWAYS_INLINE void put_pixels(const tile *t, size_t rows, const vector *bias, tensor_layout l, size_t first, size_t panel, real *y)
{
    const size_t vectors = layout_channels(l) - panel * COLUMNS > LANES ? 2 : 1;
    for (size_t v = 0; v < vectors; v++) {
        real *to = y + layout_at(l, panel * COLUMNS + v * LANES, first);
        for (size_t i = 0; i < rows; i++, to += l.block)
            *(vector *)to = t->sums[i][v] + bias[v];
    }
}

DNX_HOT static void forward_image(const forward_plan *p, const real *x, ahead next, real *y)
{
    for (size_t panel = 0; panel < p->panels; panel++) {
        const real *w = p->weights + panel * p->a.depth * COLUMNS;
        for (size_t first = 0; first < p->a.rows; first += full_rows(p->r)) {
            const size_t rows = at_most(p->a.rows - first, full_rows(p->r));
            tile t;
            ask_ahead(&next);
            multiply(p->r, x, rows, p->a.row_at + first, p->a.depth, p->a.depth_at, (columns){w, w + LANES, COLUMNS}, &t);
            put_pixels(&t, rows, (const vector *)(p->bias + panel * COLUMNS), recipe_y(p->r), first, panel, y);
        }
    }
}

void strided_forward(const recipe *r, size_t rows, const real *x, const real *weights, const real *bias, const finish *after, real *y, void *workspace)
{
    memory m = {workspace, 0};
    const forward_plan plan = forward_plan_new(r, &m);
    const size_t n_x = layout_count(recipe_x(r)), n_y = layout_count(recipe_y(r));
    const size_t tiles = plan.panels * tile_count(r, plan.a.rows);
    forward_prepare(&plan, weights, bias);
    FOR_EACH_PART(rows * n_y * plan.a.depth, rows, 1, p, {
        forward_image(&plan, x + p.first * n_x, new_ahead(x, p.first, rows, n_x, tiles), y + p.first * n_y);
        finish_image(after, n_y, p.first, (part){0, n_y, 0}, y);
    });
}

/* ---------------------------------------------------------------- backward weights */

typedef struct gradient_plan {
    const recipe *r;
    gather a;
    size_t panels, parts, part_size; /* of the images */
    real *partial;                   /* [parts][patch][panels][COLUMNS] */
} gradient_plan;

static gradient_plan gradient_plan_new(const recipe *r, size_t rows, memory *m)
{
    const convolution_shape *s = &r->inner;
    gradient_plan p = {.r = r, .a = new_gather(m, patch_count(s), layout_pixels(recipe_y(r))), .panels = panel_count((size_t)s->out.channels)};
    p.part_size = (rows + GRADIENT_PARTS - 1) / GRADIENT_PARTS;
    p.parts = (size_t)part_count(rows, p.part_size);
    p.partial = take(m, p.parts * p.a.rows * p.panels * COLUMNS * sizeof(real));
    return p;
}

/* The two vectors of a panel of filters in pixel 0 of y; the second is the first where y has no more channels. */
static columns panel_of_y(tensor_layout l, const real *y, size_t panel)
{
    const size_t low = panel * COLUMNS, high = low + LANES < layout_channels(l) ? low + LANES : low;
    return (columns){y + layout_at(l, low, 0), y + layout_at(l, high, 0), (size_t)l.block};
}

/* A part of the pixels of an image, one panel. */
DNX_ALWAYS_INLINE void add_gradient(const gradient_plan *p, part pixels, const real *x, ahead *next, columns y, real *to)
{
    y.low += pixels.first * y.step;
    y.high += pixels.first * y.step;
    for (size_t first = 0; first < p->a.rows; first += full_rows(p->r)) {
        const size_t rows = at_most(p->a.rows - first, full_rows(p->r));
        tile t;
        ask_ahead(next);
        multiply(p->r, x, rows, p->a.row_at + first, pixels.size, p->a.depth_at + pixels.first, y, &t);
        for (size_t i = 0; i < rows; i++) {
            vector *sums = (vector *)(to + (first + i) * p->panels * COLUMNS);
            sums[0] += t.sums[i][0];
            sums[1] += t.sums[i][1];
        }
    }
}

DNX_HOT static void gradient_of_images(const gradient_plan *p, part images, const real *x, const real *y)
{
    const tensor_layout from = recipe_y(p->r);
    const size_t n_x = layout_count(recipe_x(p->r)), n_y = layout_count(from), count = p->a.rows * p->panels * COLUMNS;
    real *to = p->partial + (size_t)images.index * count;
    memset(to, 0, count * sizeof *to);
    const long depths = part_count(p->a.depth, GRADIENT_DEPTH);
    const size_t tiles = (size_t)depths * p->panels * tile_count(p->r, p->a.rows), last = images.first + images.size;
    for (size_t n = images.first; n < last; n++) {
        ahead next = new_ahead(x, n, last, n_x, tiles);
        for (long k = 0; k < depths; k++) {
            const part pixels = part_at(p->a.depth, GRADIENT_DEPTH, k);
            for (size_t panel = 0; panel < p->panels; panel++)
                add_gradient(p, pixels, x + n * n_x, &next, panel_of_y(from, y + n * n_y, panel), to + panel * COLUMNS);
        }
    }
}

/* The parts are added in order. */
static void gather_gradient(const gradient_plan *p, real *gradient)
{
    const size_t patch = p->a.rows, stride = p->panels * COLUMNS, count = patch * stride;
    for (size_t i = 1; i < p->parts; i++)
        onednn_axpby(count, 1, p->partial + i * count, 1, p->partial);
    for (size_t f = 0; f < (size_t)p->r->inner.out.channels; f++)
        for (size_t k = 0; k < patch; k++)
            gradient[f * patch + k] += p->partial[k * stride + f];
}

void strided_backward_weights(const recipe *r, size_t rows, const real *y, const real *x, real *gradient, void *workspace)
{
    memory m = {workspace, 0};
    const convolution_shape *s = &r->inner;
    const gradient_plan plan = gradient_plan_new(r, rows, &m);
    fill_patch(recipe_x(r), s->size, plan.a.row_at);
    fill_grid(recipe_x(r), s->stride, s->out.height, s->out.width, plan.a.depth_at);
    FOR_EACH_PART(rows * layout_count(recipe_y(r)) * plan.a.rows, rows, plan.part_size, images, gradient_of_images(&plan, images, x, y));
    gather_gradient(&plan, gradient);
}

/* ---------------------------------------------------------------- backward data */

/* A cell of x sees `taps` x `taps` pixels of y, which has taps - 1 zeros around it. */
typedef struct data_plan {
    const recipe *r;
    tensor_layout y; /* within zeros */
    int taps, height, width; /* of the cells */
    gather a; /* cells, patch of y: its rows, the pixels of a row, their channels */
    size_t columns, panels, piece; /* neighbouring columns that are neighbours in x */
    uint32_t *cell_at, *piece_at;  /* in x: of cells, and of pieces within a cell */
    real *weights;                 /* [panels][depth][COLUMNS] */
    real *images;                  /* one y for each thread */
} data_plan;

/* The largest divisor of 8 that divides the runs of pixels of a cell. */
static size_t piece_of(const recipe *r)
{
    size_t piece = LANES;
    while (r->x_block == 1 && (size_t)r->inner.stride % piece != 0)
        piece /= 2;
    return piece;
}

static data_plan data_plan_new(const recipe *r, memory *m)
{
    const convolution_shape *s = &r->inner;
    const int taps = s->size / s->stride;
    data_plan p = {.r = r, .y = recipe_y(r), .taps = taps, .height = s->out.height - 1 + taps, .width = s->out.width - 1 + taps, .piece = piece_of(r)};
    const size_t cells = (size_t)(p.height * p.width);
    p.y.shape.height += 2 * (taps - 1);
    p.y.shape.width += 2 * (taps - 1);
    p.a = new_gather(m, cells, (size_t)(s->out.channels * taps * taps));
    p.columns = layout_channels(recipe_x(r)) * (size_t)(s->stride * s->stride);
    p.panels = panel_count(p.columns);
    p.cell_at = take(m, cells * sizeof(uint32_t));
    p.piece_at = take(m, p.columns / p.piece * sizeof(uint32_t));
    p.weights = take(m, p.panels * p.a.depth * COLUMNS * sizeof(real));
    p.images = take(m, (size_t)omp_get_max_threads() * layout_count(p.y) * sizeof(real));
    return p;
}

/* A column is channel `channel` of pixel (row, column) of a cell. */
typedef struct cell_element {
    int channel, row, column;
} cell_element;

/* Plain: channels, pixels; in blocks: eight channels, pixels, the channels of the eight. */
static cell_element element_of(const recipe *r, size_t column)
{
    const int lanes = r->x_block == 1 ? 1 : LANES, stride = r->inner.stride, n = (int)column, pixel = n / lanes % (stride * stride);
    return (cell_element){n / lanes / (stride * stride) * lanes + n % lanes, pixel / stride, pixel % stride};
}

/* What the pixels of the patch of y give to a column: they come in ascending order, the taps of the kernel descending. */
static void pack_column(const data_plan *p, const real *weights, size_t column)
{
    const convolution_shape *s = &p->r->inner;
    const cell_element e = element_of(p->r, column);
    const bool exists = column < p->columns && e.channel < s->in.channels;
    real *to = p->weights + column / COLUMNS * p->a.depth * COLUMNS + column % COLUMNS;
    const int kernel_size = s->size * s->size, taps = p->taps, corner = exists ? e.channel * kernel_size + e.row * s->size + e.column : 0;
    for (int i = taps - 1; i >= 0; i--)
        for (int j = taps - 1; j >= 0; j--) {
            const real *from = weights + corner + (i * s->size + j) * s->stride;
            for (int f = 0; f < s->out.channels; f++, to += COLUMNS)
                *to = exists ? from[f * s->in.channels * kernel_size] : 0;
        }
}

static void fill_taps(const data_plan *p)
{
    uint32_t *at = p->a.depth_at;
    for (int q = 0; q < p->taps * p->taps; q++)
        for (int f = 0; f < p->r->inner.out.channels; f++)
            *at++ = (uint32_t)layout_at(p->y, (size_t)f, (size_t)(q / p->taps * p->y.shape.width + q % p->taps));
}

static void data_prepare(const data_plan *p, const real *weights)
{
    const convolution_shape *s = &p->r->inner;
    const tensor_layout x = recipe_x(p->r);
    fill_grid(p->y, 1, p->height, p->width, p->a.row_at);
    fill_taps(p);
    fill_grid(x, s->stride, p->height, p->width, p->cell_at);
    for (size_t i = 0; i < p->columns / p->piece; i++) {
        const cell_element e = element_of(p->r, i * p->piece);
        p->piece_at[i] = (uint32_t)layout_at(x, (size_t)e.channel, (size_t)(e.row * s->in.width + e.column));
    }
    for (size_t column = 0; column < p->panels * COLUMNS; column++)
        pack_column(p, weights, column);
}

/* y within zeros. */
static void frame_image(const data_plan *p, const real *y, real *framed)
{
    const tensor_layout from = recipe_y(p->r);
    const size_t row = (size_t)(from.shape.width * from.block), margin = (size_t)(p->taps - 1);
    memset(framed, 0, layout_count(p->y) * sizeof *framed);
    for (size_t c = 0; c < layout_channels(from); c += (size_t)from.block)
        for (size_t i = 0; i < (size_t)from.shape.height; i++)
            memcpy(framed + layout_at(p->y, c, (i + margin) * (size_t)p->y.shape.width + margin),
                   y + layout_at(from, c, i * (size_t)from.shape.width), row * sizeof *framed);
}

/* A tile goes to its cells piece by piece. */
DNX_ALWAYS_INLINE void put_tile(const tile *t, size_t rows, const uint32_t *cell_at, size_t piece, size_t count, const uint32_t *piece_at, real *x)
{
    for (size_t k = 0; k < count; k++) {
        real *to = x + piece_at[k];
        for (size_t i = 0; i < rows; i++)
            memcpy(to + cell_at[i], (const real *)t->sums[i] + k * piece, piece * sizeof *to);
    }
}

/* Rows of cells whose patches have the same rows of zeros; what is left of the patch is [from, from + depth). */
typedef struct band {
    size_t first, last; /* cells */
    size_t from, depth;
} band;

/* The rows of a patch of cell row `row` that lie inside of y, and the rows of cells below that have the same. */
static band band_at(const data_plan *p, int row)
{
    const int margin = p->taps - 1, height = p->r->inner.out.height, below = margin + height - row;
    const int from = row < margin ? margin - row : 0, to = below < p->taps ? below : p->taps;
    const bool whole = from == 0 && to == p->taps;
    const size_t tap_row = (size_t)(p->taps * p->r->inner.out.channels), width = (size_t)p->width;
    return (band){(size_t)row * width, (size_t)(whole ? height : row + 1) * width, (size_t)from * tap_row, (size_t)(to - from) * tap_row};
}

DNX_ALWAYS_INLINE void data_cells(const data_plan *p, size_t piece, band b, const real *framed, real *x, ahead *next)
{
    for (size_t first = b.first; first < b.last; first += full_rows(p->r))
        for (size_t panel = 0; panel < p->panels; panel++) {
            const size_t rows = at_most(b.last - first, full_rows(p->r)), count = at_most(p->columns - panel * COLUMNS, COLUMNS) / piece;
            const real *w = p->weights + (panel * p->a.depth + b.from) * COLUMNS;
            const uint32_t *cell_at = p->cell_at + first, *piece_at = p->piece_at + panel * COLUMNS / piece;
            tile t;
            ask_ahead(next);
            multiply(p->r, framed, rows, p->a.row_at + first, b.depth, p->a.depth_at + b.from, (columns){w, w + LANES, COLUMNS}, &t);
            if (rows == NARROW_ROWS && count == COLUMNS / piece)
                put_tile(&t, NARROW_ROWS, cell_at, piece, COLUMNS / piece, piece_at, x);
            else if (rows == WIDE_ROWS && count == COLUMNS / piece)
                put_tile(&t, WIDE_ROWS, cell_at, piece, COLUMNS / piece, piece_at, x);
            else
                put_tile(&t, rows, cell_at, piece, count, piece_at, x);
        }
}

/* The pieces that most networks have are known to the compiler. */
DNX_HOT static void data_image(const data_plan *p, const real *framed, real *x, ahead next)
{
    for (size_t cell = 0; cell < p->a.rows;) {
        const band b = band_at(p, (int)(cell / (size_t)p->width));
        if (p->piece == 8)
            data_cells(p, 8, b, framed, x, &next);
        else if (p->piece == 4)
            data_cells(p, 4, b, framed, x, &next);
        else
            data_cells(p, p->piece, b, framed, x, &next);
        cell = b.last;
    }
}

void strided_backward_data(const recipe *r, size_t rows, const real *y, const real *weights, real *x, void *workspace)
{
    memory m = {workspace, 0};
    const data_plan plan = data_plan_new(r, &m);
    const size_t n_x = layout_count(recipe_x(r)), n_y = layout_count(recipe_y(r)), tiles = plan.panels * tile_count(r, plan.a.rows);
    data_prepare(&plan, weights);
    FOR_EACH_OWN_PART(rows * n_x * plan.a.depth, rows, 1, p, {
        real *framed = plan.images + (size_t)omp_get_thread_num() * layout_count(plan.y);
        frame_image(&plan, y + p.first * n_y, framed);
        data_image(&plan, framed, x + p.first * n_x, new_ahead(x, p.first, rows, n_x, tiles));
    });
}

/* ---------------------------------------------------------------- what it is for */

size_t strided_workspace(const recipe *r, convolution_direction direction, size_t rows)
{
    memory m = {NULL, 0};
    if (direction == CONVOLUTION_FORWARD)
        forward_plan_new(r, &m);
    else if (direction == CONVOLUTION_BACKWARD_DATA)
        data_plan_new(r, &m);
    else
        gradient_plan_new(r, rows, &m);
    return m.used;
}

/* Whether the patches of y cover x, and cells divide both. */
static bool has_whole_cells(const convolution_shape *s)
{
    return s->size % s->stride == 0 && (s->out.height - 1) * s->stride + s->size == s->in.height &&
           (s->out.width - 1) * s->stride + s->size == s->in.width;
}

bool strided_fits(const recipe *r, convolution_direction direction)
{
    const convolution_shape *s = &r->inner;
    if (s->groups > 1 || s->stride == 1 || s->pad > 0 || layout_count(recipe_x(r)) > UINT32_MAX || r->y_block % LANES != 0)
        return false;
    return direction != CONVOLUTION_BACKWARD_DATA || (has_whole_cells(s) && (r->x_block == 1 || r->x_block % LANES == 0));
}
