#include "backend/onednn/hot.h"
#include "backend/onednn/onednn.h"

#include <string.h>

/* Each output pixel has its own matrix [filters, patch], which is read from memory once for ROW_LANES images: a tile of images is packed with one
 * image per lane. The patch is taken in pieces of at most DEPTH numbers. */

enum { ROW_LANES = 16, DEPTH = 256, FILTERS = 256, FILTER_STEP = 4, WEIGHT_ROWS = 64 };

typedef real row_vector __attribute__((vector_size(ROW_LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

/* Numbers first .. first + n - 1 of the patch of an output pixel. */
typedef struct piece {
    int pixel;
    size_t first, n;
} piece;

static size_t patch_of(const convolution_shape *s)
{
    return (size_t)s->in.channels * (size_t)s->size * (size_t)s->size;
}

static size_t pixels_of(const convolution_shape *s)
{
    return (size_t)s->out.height * (size_t)s->out.width;
}

/* Where number k of a pixel's patch lies in an image; false: outside. */
static bool patch_at(const convolution_shape *s, int pixel, size_t k, size_t *at)
{
    const size_t area = (size_t)s->size * (size_t)s->size, channel = k / area, place = k % area;
    const int row = pixel / s->out.width * s->stride - s->pad + (int)(place / (size_t)s->size);
    const int column = pixel % s->out.width * s->stride - s->pad + (int)(place % (size_t)s->size);
    if (row < 0 || row >= s->in.height || column < 0 || column >= s->in.width)
        return false;
    *at = (channel * (size_t)s->in.height + (size_t)row) * (size_t)s->in.width + (size_t)column;
    return true;
}

/* Calls the statement for each piece `k` of a patch, or of a part of one. */
#define FOR_EACH_PIECE(pixel_, begin, end, k, statement)                                                      \
    for (size_t first_ = (begin); first_ < (end); first_ += DEPTH) {                                          \
        const piece k = {pixel_, first_, (end) - first_ < DEPTH ? (end) - first_ : DEPTH};                    \
        statement;                                                                                            \
    }

/* -- forward: lanes are images -- */

static void pack_images(const convolution_shape *s, piece k, size_t rows, const real *x, row_vector *packed)
{
    const size_t n_x = shape_count(s->in);
    size_t at;
    memset(packed, 0, k.n * sizeof *packed);
    for (size_t i = 0; i < k.n; i++)
        if (patch_at(s, k.pixel, k.first + i, &at))
            for (size_t r = 0; r < rows; r++)
                packed[i][r] = x[r * n_x + at];
}

/* sums[f] += weights of f times the packed piece, for n filters */
DNX_HOT static void multiply_piece(size_t n, size_t patch, const real *weights, piece k, const row_vector *packed, row_vector *sums)
{
    size_t f = 0;
    for (; f + FILTER_STEP <= n; f += FILTER_STEP) {
        const real *w = weights + f * patch + k.first;
        row_vector sum[FILTER_STEP] = {{0}};
        for (size_t i = 0; i < k.n; i++)
            for (size_t o = 0; o < FILTER_STEP; o++)
                sum[o] += w[o * patch + i] * packed[i];
        for (size_t o = 0; o < FILTER_STEP; o++)
            sums[f + o] += sum[o];
    }
    for (; f < n; f++) {
        row_vector sum = {0};
        for (size_t i = 0; i < k.n; i++)
            sum += weights[f * patch + k.first + i] * packed[i];
        sums[f] += sum;
    }
}

static void forward_tile(const convolution_shape *s, int pixel, size_t rows, const real *weights, const real *x, real *y)
{
    const size_t patch = patch_of(s), filters = (size_t)s->out.channels, n_y = shape_count(s->out);
    row_vector packed[DEPTH], sums[FILTERS];
    for (size_t first = 0; first < filters; first += FILTERS) {
        const size_t n = filters - first < FILTERS ? filters - first : FILTERS;
        memset(sums, 0, n * sizeof *sums);
        FOR_EACH_PIECE(pixel, (size_t)0, patch, k, {
            pack_images(s, k, rows, x, packed);
            multiply_piece(n, patch, weights + first * patch, k, packed, sums);
        })
        for (size_t f = 0; f < n; f++)
            for (size_t r = 0; r < rows; r++)
                y[r * n_y + (first + f) * pixels_of(s) + (size_t)pixel] = sums[f][r];
    }
}

static void forward_pixel(const convolution_shape *s, int pixel, size_t rows, const real *weights, const real *x, real *y)
{
    const real *own = weights + (size_t)pixel * patch_of(s) * (size_t)s->out.channels;
    for (size_t r = 0; r < rows; r += ROW_LANES)
        forward_tile(s, pixel, rows - r < ROW_LANES ? rows - r : ROW_LANES, own, x + r * shape_count(s->in), y + r * shape_count(s->out));
}

void onednn_local_forward(const convolution_shape *shape, size_t rows, const real *weights, const real *x, real *y)
{
    const size_t pixels = pixels_of(shape);
    FOR_EACH_PART(rows * shape_count(shape->out) * patch_of(shape), pixels, 1, p, forward_pixel(shape, (int)p.first, rows, weights, x, y));
}

/* -- backward to the images: lanes are images; each part has its own images and channels -- */

static size_t channels_per_piece(const convolution_shape *s)
{
    const size_t area = (size_t)s->size * (size_t)s->size;
    return area < DEPTH ? DEPTH / area : 1;
}

/* sums[i] += sum over n filters of weights times packed adjoints */
DNX_HOT static void multiply_piece_adjoint(size_t n, size_t patch, const real *weights, piece k, const row_vector *packed, row_vector *sums)
{
    size_t f = 0;
    for (; f + FILTER_STEP <= n; f += FILTER_STEP)
        for (size_t i = 0; i < k.n; i++) {
            const real *w = weights + f * patch + k.first + i;
            row_vector sum = {0};
            for (size_t o = 0; o < FILTER_STEP; o++)
                sum += w[o * patch] * packed[f + o];
            sums[i] += sum;
        }
    for (; f < n; f++)
        for (size_t i = 0; i < k.n; i++)
            sums[i] += weights[f * patch + k.first + i] * packed[f];
}

static void backward_piece(const convolution_shape *s, piece k, size_t rows, const real *weights, const real *adj_y, real *adj_x)
{
    const size_t patch = patch_of(s), filters = (size_t)s->out.channels, n_x = shape_count(s->in), n_y = shape_count(s->out);
    row_vector packed[FILTERS], sums[DEPTH];
    size_t at;
    memset(sums, 0, k.n * sizeof *sums);
    for (size_t first = 0; first < filters; first += FILTERS) {
        const size_t n = filters - first < FILTERS ? filters - first : FILTERS;
        memset(packed, 0, n * sizeof *packed);
        for (size_t f = 0; f < n; f++)
            for (size_t r = 0; r < rows; r++)
                packed[f][r] = adj_y[r * n_y + (first + f) * pixels_of(s) + (size_t)k.pixel];
        multiply_piece_adjoint(n, patch, weights + first * patch, k, packed, sums);
    }
    for (size_t i = 0; i < k.n; i++)
        if (patch_at(s, k.pixel, k.first + i, &at))
            for (size_t r = 0; r < rows; r++)
                adj_x[r * n_x + at] += sums[i][r];
}

/* Part `index` of the work: a tile of images, and as many channels as make a piece. */
static void backward_part(const convolution_shape *s, size_t index, size_t rows, const real *weights, const real *adj_y, real *adj_x, bool accumulate)
{
    const size_t channels = (size_t)s->in.channels, width = channels_per_piece(s), groups = (channels + width - 1) / width;
    const size_t c = index % groups * width, n = channels - c < width ? channels - c : width;
    const size_t r = index / groups * ROW_LANES, n_rows = rows - r < ROW_LANES ? rows - r : ROW_LANES;
    const size_t area = (size_t)s->size * (size_t)s->size, image = (size_t)s->in.height * (size_t)s->in.width;
    real *images = adj_x + r * shape_count(s->in);
    for (size_t k = 0; k < n_rows && !accumulate; k++)
        memset(images + k * shape_count(s->in) + c * image, 0, n * image * sizeof *images);
    for (int pixel = 0; pixel < (int)pixels_of(s); pixel++) {
        const real *own = weights + (size_t)pixel * patch_of(s) * (size_t)s->out.channels;
        FOR_EACH_PIECE(pixel, c * area, (c + n) * area, k, backward_piece(s, k, n_rows, own, adj_y + r * shape_count(s->out), images))
    }
}

void onednn_local_backward_data(const convolution_shape *shape, size_t rows, const real *weights, const real *adj_y, real *adj_x, bool accumulate)
{
    const size_t width = channels_per_piece(shape), groups = ((size_t)shape->in.channels + width - 1) / width;
    const size_t tiles = (rows + ROW_LANES - 1) / ROW_LANES;
    FOR_EACH_PART(rows * shape_count(shape->out) * patch_of(shape), groups * tiles, 1, p,
                  backward_part(shape, p.first, rows, weights, adj_y, adj_x, accumulate));
}

/* -- the weights: lanes are numbers of the patch -- */

typedef struct packed_rows {
    real x[WEIGHT_ROWS][DEPTH];
} packed_rows;

static void pack_rows(const convolution_shape *s, piece k, size_t rows, const real *x, packed_rows *packed)
{
    const size_t n_x = shape_count(s->in);
    size_t at;
    for (size_t i = 0; i < DEPTH; i++) {
        const bool inside = i < k.n && patch_at(s, k.pixel, k.first + i, &at);
        for (size_t r = 0; r < rows; r++)
            packed->x[r][i] = inside ? x[r * n_x + at] : 0;
    }
}

/* gradient[0 .. n-1] += sum over rows of adjoint times the packed row */
DNX_HOT static void add_outer_product(size_t rows, size_t n, const real *adjoint, const packed_rows *packed, real *gradient)
{
    for (size_t first = 0; first < n; first += 2 * ROW_LANES) {
        row_vector low = {0}, high = {0};
        for (size_t r = 0; r < rows; r++) {
            low += adjoint[r] * *(const row_vector *)&packed->x[r][first];
            high += adjoint[r] * *(const row_vector *)&packed->x[r][first + ROW_LANES];
        }
        for (size_t l = 0; l < ROW_LANES && first + l < n; l++)
            gradient[first + l] += low[l];
        for (size_t l = 0; l < ROW_LANES && first + ROW_LANES + l < n; l++)
            gradient[first + ROW_LANES + l] += high[l];
    }
}

static void weights_piece(const convolution_shape *s, piece k, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    const size_t n_y = shape_count(s->out);
    packed_rows packed;
    real adjoint[WEIGHT_ROWS];
    pack_rows(s, k, rows, x, &packed);
    for (size_t f = 0; f < (size_t)s->out.channels; f++) {
        for (size_t r = 0; r < rows; r++)
            adjoint[r] = adj_y[r * n_y + f * pixels_of(s) + (size_t)k.pixel];
        add_outer_product(rows, k.n, adjoint, &packed, gradient + f * patch_of(s) + k.first);
    }
}

static void weights_pixel(const convolution_shape *s, int pixel, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    real *own = gradient + (size_t)pixel * patch_of(s) * (size_t)s->out.channels;
    for (size_t r = 0; r < rows; r += WEIGHT_ROWS) {
        const size_t n = rows - r < WEIGHT_ROWS ? rows - r : WEIGHT_ROWS;
        FOR_EACH_PIECE(pixel, (size_t)0, patch_of(s), k, weights_piece(s, k, n, adj_y + r * shape_count(s->out), x + r * shape_count(s->in), own))
    }
}

void onednn_local_backward_weights(const convolution_shape *shape, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    const size_t pixels = pixels_of(shape);
    FOR_EACH_PART(rows * shape_count(shape->out) * patch_of(shape), pixels, 1, p,
                  weights_pixel(shape, (int)p.first, rows, adj_y, x, gradient));
}
