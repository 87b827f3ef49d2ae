#include "core/hot.h"
#include "backend/onednn/onednn.h"

#include <string.h>

/* Each output pixel has its own matrix [filters, patch], which should come from memory once for ROWS images. The patch is taken in pieces of at most
 * DEPTH numbers; vectors run along it, so that few images waste nothing. */

enum { LANES = 16, DEPTH = 256, ROWS = 32, FILTERS = 256, STEP = 4 };

typedef real lanes __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

/* Numbers first .. first + n - 1 of the patch of an output pixel; of images, padded with zeros to whole vectors. */
typedef struct piece {
    int pixel;
    size_t first, n;
    real rows[ROWS][DEPTH];
} piece;

static size_t patch_of(const convolution_shape *s)
{
    return (size_t)s->in.channels * (size_t)s->size * (size_t)s->size;
}

static size_t pixels_of(const convolution_shape *s)
{
    return (size_t)s->out.height * (size_t)s->out.width;
}

static size_t at_most(size_t n, size_t most)
{
    return n < most ? n : most;
}

static size_t whole_vectors(size_t n)
{
    return (n + LANES - 1) / LANES * LANES;
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

static void pack_piece(const convolution_shape *s, piece *k, size_t rows, const real *x)
{
    for (size_t i = 0; i < whole_vectors(k->n); i++) {
        size_t at = 0;
        const bool inside = i < k->n && patch_at(s, k->pixel, k->first + i, &at);
        for (size_t r = 0; r < rows; r++)
            k->rows[r][i] = inside ? x[r * shape_count(s->in) + at] : 0;
    }
}

/* Numbers of y, or of its adjoint, at one pixel: [row][filter]. */
typedef struct pixel_values {
    real rows[ROWS][FILTERS];
} pixel_values;

static void pack_pixel(const convolution_shape *s, int pixel, size_t first, size_t n, size_t rows, const real *y, pixel_values *packed)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t f = 0; f < n; f++)
            packed->rows[r][f] = y[r * shape_count(s->out) + (first + f) * pixels_of(s) + (size_t)pixel];
}

/* Up to LANES weights, the rest 0: what follows the last of them may not be ours. */
DNX_ALWAYS_INLINE void load_weights(const real *w, size_t rest, lanes *v)
{
    if (rest >= LANES) {
        *v = *(const lanes *)w;
    } else {
        *v = (lanes){0};
        memcpy(v, w, rest * sizeof *w);
    }
}

DNX_ALWAYS_INLINE void store_weights(const lanes *v, size_t rest, real *w)
{
    if (rest >= LANES)
        *(lanes *)w = *v;
    else
        memcpy(w, v, rest * sizeof *w);
}

/* In the loops below, n_f filters and n_r rows at once: constants to the compiler. */

typedef real half __attribute__((vector_size(LANES / 2 * sizeof(real))));
typedef real quarter __attribute__((vector_size(LANES / 4 * sizeof(real))));

DNX_ALWAYS_INLINE real sum_of_lanes(const lanes *v)
{
    const lanes x = *v;
    const half h = __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7) + __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
    const quarter q = __builtin_shufflevector(h, h, 0, 1, 2, 3) + __builtin_shufflevector(h, h, 4, 5, 6, 7);
    return (q[0] + q[2]) + (q[1] + q[3]);
}

/* -- forward -- */

DNX_ALWAYS_INLINE void dot_products(size_t n_f, size_t n_r, size_t patch, const real *w, const piece *k, size_t r, size_t f, pixel_values *y)
{
    lanes sums[STEP * STEP] = {{0}};
    for (size_t i = 0; i < k->n; i += LANES)
        for (size_t a = 0; a < n_f; a++) {
            lanes weights;
            load_weights(w + a * patch + i, k->n - i, &weights);
            for (size_t b = 0; b < n_r; b++)
                sums[a * STEP + b] += weights * *(const lanes *)&k->rows[r + b][i];
        }
    for (size_t a = 0; a < n_f; a++)
        for (size_t b = 0; b < n_r; b++)
            y->rows[r + b][f + a] += sum_of_lanes(&sums[a * STEP + b]);
}

/* y[row][f] += weights of f times the row, for n filters */
DNX_HOT static void multiply_piece(size_t n, size_t rows, size_t patch, const real *weights, const piece *k, pixel_values *y)
{
    size_t f = 0;
    for (size_t r; f + STEP <= n; f += STEP) {
        for (r = 0; r + STEP <= rows; r += STEP)
            dot_products(STEP, STEP, patch, weights + f * patch, k, r, f, y);
        for (; r < rows; r++)
            dot_products(STEP, 1, patch, weights + f * patch, k, r, f, y);
    }
    for (; f < n; f++)
        for (size_t r = 0; r < rows; r++)
            dot_products(1, 1, patch, weights + f * patch, k, r, f, y);
}

static void forward_tile(const convolution_shape *s, int pixel, size_t rows, const real *weights, const real *x, real *y)
{
    const size_t patch = patch_of(s), filters = (size_t)s->out.channels;
    piece k = {.pixel = pixel};
    pixel_values sums;
    for (size_t first = 0; first < filters; first += FILTERS) {
        const size_t n = at_most(filters - first, FILTERS);
        memset(&sums, 0, sizeof sums);
        for (k.first = 0; k.first < patch; k.first += DEPTH) {
            k.n = at_most(patch - k.first, DEPTH);
            pack_piece(s, &k, rows, x);
            multiply_piece(n, rows, patch, weights + first * patch + k.first, &k, &sums);
        }
        for (size_t r = 0; r < rows; r++)
            for (size_t f = 0; f < n; f++)
                y[r * shape_count(s->out) + (first + f) * pixels_of(s) + (size_t)pixel] = sums.rows[r][f];
    }
}

static void forward_pixel(const convolution_shape *s, int pixel, size_t rows, const real *weights, const real *x, real *y)
{
    const real *own = weights + (size_t)pixel * patch_of(s) * (size_t)s->out.channels;
    for (size_t r = 0; r < rows; r += ROWS)
        forward_tile(s, pixel, at_most(rows - r, ROWS), own, x + r * shape_count(s->in), y + r * shape_count(s->out));
}

void onednn_local_forward(const convolution_shape *shape, size_t rows, const real *weights, const real *x, real *y)
{
    const size_t pixels = pixels_of(shape);
    FOR_EACH_PART(rows * shape_count(shape->out) * patch_of(shape), pixels, 1, p, forward_pixel(shape, (int)p.first, rows, weights, x, y));
}

/* -- backward to the images: each part of the work has its own images and channels -- */

/* The row of the piece += sum over n_f filters of adjoint times weights */
DNX_ALWAYS_INLINE void add_filters(size_t n_f, size_t rows, size_t patch, const real *w, const pixel_values *adj_y, size_t f, piece *k)
{
    for (size_t i = 0; i < k->n; i += LANES) {
        lanes weights[STEP];
        for (size_t a = 0; a < n_f; a++)
            load_weights(w + a * patch + i, k->n - i, &weights[a]);
        for (size_t r = 0; r < rows; r++) {
            lanes sum = weights[0] * adj_y->rows[r][f];
            for (size_t a = 1; a < n_f; a++)
                sum += weights[a] * adj_y->rows[r][f + a];
            *(lanes *)&k->rows[r][i] += sum;
        }
    }
}

DNX_HOT static void multiply_piece_adjoint(size_t n, size_t rows, size_t patch, const real *weights, const pixel_values *adj_y, piece *k)
{
    size_t f = 0;
    for (; f + STEP <= n; f += STEP)
        add_filters(STEP, rows, patch, weights + f * patch, adj_y, f, k);
    for (; f < n; f++)
        add_filters(1, rows, patch, weights + f * patch, adj_y, f, k);
}

static void backward_piece(const convolution_shape *s, piece *k, size_t rows, const real *weights, const real *adj_y, real *adj_x)
{
    const size_t patch = patch_of(s), filters = (size_t)s->out.channels;
    pixel_values packed;
    size_t at;
    for (size_t r = 0; r < rows; r++)
        memset(k->rows[r], 0, whole_vectors(k->n) * sizeof(real));
    for (size_t first = 0; first < filters; first += FILTERS) {
        const size_t n = at_most(filters - first, FILTERS);
        pack_pixel(s, k->pixel, first, n, rows, adj_y, &packed);
        multiply_piece_adjoint(n, rows, patch, weights + first * patch + k->first, &packed, k);
    }
    for (size_t i = 0; i < k->n; i++)
        if (patch_at(s, k->pixel, k->first + i, &at))
            for (size_t r = 0; r < rows; r++)
                adj_x[r * shape_count(s->in) + at] += k->rows[r][i];
}

static size_t channels_per_piece(const convolution_shape *s)
{
    const size_t area = (size_t)s->size * (size_t)s->size;
    return area < DEPTH ? DEPTH / area : 1;
}

/* Part `index`: a tile of images, and as many channels as make a piece. */
static void backward_part(const convolution_shape *s, size_t index, size_t rows, const real *weights, const real *adj_y, real *adj_x, bool accumulate)
{
    const size_t width = channels_per_piece(s), groups = ((size_t)s->in.channels + width - 1) / width;
    const size_t c = index % groups * width, n = at_most((size_t)s->in.channels - c, width);
    const size_t r = index / groups * ROWS, n_rows = at_most(rows - r, ROWS);
    const size_t area = (size_t)s->size * (size_t)s->size, image = (size_t)s->in.height * (size_t)s->in.width;
    real *images = adj_x + r * shape_count(s->in);
    piece k;
    for (size_t i = 0; i < n_rows && !accumulate; i++)
        memset(images + i * shape_count(s->in) + c * image, 0, n * image * sizeof *images);
    for (k.pixel = 0; k.pixel < (int)pixels_of(s); k.pixel++)
        for (k.first = c * area; k.first < (c + n) * area; k.first += DEPTH) {
            k.n = at_most((c + n) * area - k.first, DEPTH);
            backward_piece(s, &k, n_rows, weights + (size_t)k.pixel * patch_of(s) * (size_t)s->out.channels, adj_y + r * shape_count(s->out), images);
        }
}

void onednn_local_backward_data(const convolution_shape *shape, size_t rows, const real *weights, const real *adj_y, real *adj_x, bool accumulate)
{
    const size_t width = channels_per_piece(shape), groups = ((size_t)shape->in.channels + width - 1) / width;
    FOR_EACH_PART(rows * shape_count(shape->out) * patch_of(shape), groups * ((rows + ROWS - 1) / ROWS), 1, p,
                  backward_part(shape, p.first, rows, weights, adj_y, adj_x, accumulate));
}

/* -- the weights -- */

/* gradients of n_f filters += sum over the rows of adjoint times the row */
DNX_ALWAYS_INLINE void add_outer_products(size_t n_f, size_t rows, size_t patch, const pixel_values *adj_y, size_t f, const piece *k, real *gradient)
{
    for (size_t i = 0; i < k->n; i += LANES) {
        lanes sums[STEP] = {{0}}, before;
        for (size_t r = 0; r < rows; r++)
            for (size_t a = 0; a < n_f; a++)
                sums[a] += adj_y->rows[r][f + a] * *(const lanes *)&k->rows[r][i];
        for (size_t a = 0; a < n_f; a++) {
            load_weights(gradient + a * patch + i, k->n - i, &before);
            sums[a] += before;
            store_weights(&sums[a], k->n - i, gradient + a * patch + i);
        }
    }
}

DNX_HOT static void add_piece(size_t n, size_t rows, size_t patch, const pixel_values *adj_y, const piece *k, real *gradient)
{
    size_t f = 0;
    for (; f + STEP <= n; f += STEP)
        add_outer_products(STEP, rows, patch, adj_y, f, k, gradient + f * patch);
    for (; f < n; f++)
        add_outer_products(1, rows, patch, adj_y, f, k, gradient + f * patch);
}

static void weights_tile(const convolution_shape *s, int pixel, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    const size_t patch = patch_of(s), filters = (size_t)s->out.channels;
    piece k = {.pixel = pixel};
    pixel_values packed;
    for (size_t first = 0; first < filters; first += FILTERS) {
        const size_t n = at_most(filters - first, FILTERS);
        pack_pixel(s, pixel, first, n, rows, adj_y, &packed);
        for (k.first = 0; k.first < patch; k.first += DEPTH) {
            k.n = at_most(patch - k.first, DEPTH);
            pack_piece(s, &k, rows, x);
            add_piece(n, rows, patch, &packed, &k, gradient + first * patch + k.first);
        }
    }
}

static void weights_pixel(const convolution_shape *s, int pixel, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    real *own = gradient + (size_t)pixel * patch_of(s) * (size_t)s->out.channels;
    for (size_t r = 0; r < rows; r += ROWS)
        weights_tile(s, pixel, at_most(rows - r, ROWS), adj_y + r * shape_count(s->out), x + r * shape_count(s->in), own);
}

void onednn_local_backward_weights(const convolution_shape *shape, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    const size_t pixels = pixels_of(shape);
    FOR_EACH_PART(rows * shape_count(shape->out) * patch_of(shape), pixels, 1, p,
                  weights_pixel(shape, (int)p.first, rows, adj_y, x, gradient));
}
