/* Images of blocked channels. The loops run over the pixels of neighbouring channels that lie in one block, with those as a vector; parts do
 * not depend on the number of threads, and sums add them in order. */
#include "core/hot.h"
#include "backend/onednn/onednn.h"

#include <string.h>

/* A vector of pixels or of channels: the block of the processors with the widest vectors. */
enum { TILE = 16 };

typedef real tile_vector __attribute__((vector_size(TILE * sizeof(real)), aligned(sizeof(real)), may_alias));

/* Channels first .. first + count - 1 lie in one block: channel c of pixel p is at start + (c - first) * channel_step + p * pixel_step. */
typedef struct slice {
    size_t first, count, start, channel_step, pixel_step;
} slice;

static slice slice_at(tensor_layout l, size_t first, size_t count)
{
    return (slice){first, count, layout_at(l, first, 0), l.block == 1 ? layout_pixels(l) : 1, (size_t)l.block};
}

/* Channels that one part works on. */
static size_t slice_width(int block)
{
    return block <= TILE ? (size_t)block : 1;
}

static size_t slice_count(tensor_layout l, size_t width)
{
    return ((size_t)l.shape.channels + width - 1) / width;
}

/* The index-th slice of that width; the last one has the channels that are left. */
static slice slice_of(tensor_layout l, size_t width, size_t index)
{
    const size_t first = index * width, rest = (size_t)l.shape.channels - first;
    return slice_at(l, first, rest < width ? rest : width);
}

/* ---------------------------------------------------------------- reorder */

/* Exchanges bit 3, 2, 1 or 0 of the number of a row with that of a lane: four such steps transpose. */
#define EXCHANGE(a, b, low, high)                                  \
    do {                                                           \
        const tile_vector x_ = a, y_ = b;                          \
        a = __builtin_shufflevector(x_, y_, low);                  \
        b = __builtin_shufflevector(x_, y_, high);                 \
    } while (0)
#define LOW_8 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23
#define HIGH_8 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31
#define LOW_4 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27
#define HIGH_4 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31
#define LOW_2 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29
#define HIGH_2 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31
#define LOW_1 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30
#define HIGH_1 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31
#define EXCHANGE_ROWS(rows, step)                                                   \
    for (int r_ = 0; r_ < TILE; r_++)                                               \
        if (!(r_ & (step)))                                                         \
            EXCHANGE(rows[r_], rows[r_ + (step)], LOW_##step, HIGH_##step)

/* y[l * y_step + r] = x[r * x_step + l] of TILE rows of TILE lanes. */
DNX_ALWAYS_INLINE void transpose_tile(const real *x, size_t x_step, real *y, size_t y_step, bool accumulate)
{
    tile_vector rows[TILE];
    for (int r = 0; r < TILE; r++)
        rows[r] = *(const tile_vector *)(x + (size_t)r * x_step);
    EXCHANGE_ROWS(rows, 8);
    EXCHANGE_ROWS(rows, 4);
    EXCHANGE_ROWS(rows, 2);
    EXCHANGE_ROWS(rows, 1);
    for (int r = 0; r < TILE; r++) {
        tile_vector *target = (tile_vector *)(y + (size_t)r * y_step);
        if (accumulate)
            *target += rows[r];
        else
            *target = rows[r];
    }
}

DNX_ALWAYS_INLINE void move_flat(size_t count, const real *restrict x, real *restrict y, bool accumulate)
{
    if (accumulate)
        for (size_t i = 0; i < count; i++)
            y[i] += x[i];
    else
        memcpy(y, x, count * sizeof *y);
}

DNX_ALWAYS_INLINE void move_pixels(slice from, slice to, size_t first, size_t last, const real *restrict x, real *restrict y, bool accumulate)
{
    for (size_t p = first; p < last; p++)
        for (size_t c = 0; c < from.count; c++) {
            real *target = y + c * to.channel_step + p * to.pixel_step;
            const real source = x[c * from.channel_step + p * from.pixel_step];
            *target = accumulate ? *target + source : source;
        }
}

DNX_ALWAYS_INLINE void move_slice_kind(slice from, slice to, size_t pixels, const real *x, real *y, bool accumulate)
{
    x += from.start;
    y += to.start;
    if (from.pixel_step == from.count && to.pixel_step == to.count) {
        move_flat(pixels * from.count, x, y, accumulate);
        return;
    }
    size_t p = 0;
    if (from.count == TILE && from.pixel_step == 1 && to.pixel_step == TILE)
        for (; p + TILE <= pixels; p += TILE)
            transpose_tile(x + p, from.channel_step, y + p * TILE, TILE, accumulate);
    else if (from.count == TILE && from.pixel_step == TILE && to.pixel_step == 1)
        for (; p + TILE <= pixels; p += TILE)
            transpose_tile(x + p * TILE, TILE, y + p, to.channel_step, accumulate);
    move_pixels(from, to, p, pixels, x, y, accumulate);
}

DNX_HOT static void move_slice(slice from, slice to, size_t pixels, const real *x, real *y, bool accumulate)
{
    if (accumulate)
        move_slice_kind(from, to, pixels, x, y, true);
    else
        move_slice_kind(from, to, pixels, x, y, false);
}

/* Zeros in the channels that do not exist. */
static void clear_padding(tensor_layout l, real *image)
{
    const size_t channels = (size_t)l.shape.channels, padding = layout_channels(l) - channels;
    for (size_t p = 0; padding && p < layout_pixels(l); p++)
        memset(image + layout_at(l, channels, p), 0, padding * sizeof *image);
}

/* As many channels as lie in one block on both sides. */
static size_t common_width(int a, int b)
{
    if (a == 1 || b == 1)
        return slice_width(a > b ? a : b);
    const int smaller = a < b ? a : b;
    return a % smaller == 0 && b % smaller == 0 ? slice_width(smaller) : 1;
}

static void reorder_slice(tensor_layout from, const real *x, tensor_layout to, real *y, size_t width, size_t index, bool accumulate)
{
    move_slice(slice_of(from, width, index), slice_of(to, width, index), layout_pixels(from), x, y, accumulate);
    if (index == slice_count(from, width) - 1 && !accumulate)
        clear_padding(to, y);
}

void onednn_reorder(size_t rows, tensor_layout from, const real *x, int to_block, real *y, bool accumulate)
{
    const tensor_layout to = {from.shape, to_block};
    const size_t n_x = layout_count(from), n_y = layout_count(to), width = common_width(from.block, to_block), slices = slice_count(from, width);
    FOR_EACH_PART(rows * n_x, rows * slices, 1, p,
                  reorder_slice(from, x + p.first / slices * n_x, to, y + p.first / slices * n_y, width, p.first % slices, accumulate));
}

/* ---------------------------------------------------------------- sums over pixels */

DNX_ALWAYS_INLINE void add_bias_width(slice s, size_t width, size_t pixels, const real *restrict bias, real *restrict y)
{
    for (size_t p = 0; p < pixels; p++)
        for (size_t c = 0; c < width; c++)
            y[p * s.pixel_step + c] += bias[c];
}

DNX_HOT static void add_bias_slice(slice s, size_t pixels, const real *bias, real *y)
{
    if (s.count == TILE)
        add_bias_width(s, TILE, pixels, bias + s.first, y + s.start);
    else if (s.count == 1 && s.pixel_step == 1)
        add_bias_width((slice){.pixel_step = 1}, 1, pixels, bias + s.first, y + s.start);
    else
        add_bias_width(s, s.count, pixels, bias + s.first, y + s.start);
}

void onednn_add_channel_bias(size_t rows, tensor_layout l, const real *bias, real *y)
{
    const size_t count = layout_count(l), width = slice_width(l.block), slices = slice_count(l, width);
    FOR_EACH_PART(rows * count, rows * slices, 1, p,
                  add_bias_slice(slice_of(l, width, p.first % slices), layout_pixels(l), bias, y + p.first / slices * count));
}

enum { SHORT_SUM = 32 }; /* pixels that are added in real, their sums in double */

DNX_ALWAYS_INLINE void sum_pixels_width(slice s, size_t width, size_t pixels, const real *restrict x, double *restrict sums)
{
    for (size_t first = 0; first < pixels; first += SHORT_SUM) {
        const size_t last = first + SHORT_SUM < pixels ? first + SHORT_SUM : pixels;
        real few[TILE] = {0};
        for (size_t p = first; p < last; p++)
            for (size_t c = 0; c < width; c++)
                few[c] += x[p * s.pixel_step + c];
        for (size_t c = 0; c < width; c++)
            sums[c] += few[c];
    }
}

/* sums[c] += over the pixels of one image */
DNX_HOT static void sum_slice(slice s, size_t pixels, const real *x, double *sums)
{
    if (s.count == TILE)
        sum_pixels_width(s, TILE, pixels, x + s.start, sums);
    else if (s.count == 1 && s.pixel_step == 1)
        sums[0] += onednn_row_sum(pixels, x + s.start);
    else
        sum_pixels_width(s, s.count, pixels, x + s.start, sums);
}

static void sum_images(slice s, tensor_layout l, size_t rows, const real *x, double *sums)
{
    for (size_t r = 0; r < rows; r++)
        sum_slice(s, layout_pixels(l), x + r * layout_count(l), sums);
}

static void put_sums(slice s, const double *add, real *sums)
{
    for (size_t c = 0; c < s.count; c++)
        sums[s.first + c] = (real)((double)sums[s.first + c] + add[c]);
}

static void sum_and_put(slice s, tensor_layout l, size_t rows, const real *x, real *sums)
{
    double added[TILE] = {0};
    sum_images(s, l, rows, x, added);
    put_sums(s, added, sums);
}

/* Few channels: the images are cut as well, into at most SUM_PARTS parts with the slices. */
static void sum_by_images(size_t rows, tensor_layout l, const real *x, real *sums)
{
    const size_t width = slice_width(l.block), slices = slice_count(l, width), cuts = SUM_PARTS / slices, count = layout_count(l);
    const size_t size = (rows + cuts - 1) / cuts, n = (size_t)part_count(rows, size);
    double parts[SUM_PARTS][TILE] = {{0}};
    FOR_EACH_PART(rows * count, slices * n, 1, p,
                  sum_images(slice_of(l, width, p.first / n), l, part_at(rows, size, (long)(p.first % n)).size,
                             x + p.first % n * size * count, parts[p.first]));
    for (size_t i = 0; i < slices; i++) {
        double total[TILE] = {0};
        for (size_t k = 0; k < n; k++)
            for (size_t c = 0; c < TILE; c++)
                total[c] += parts[i * n + k][c];
        put_sums(slice_of(l, width, i), total, sums);
    }
}

void onednn_sum_channels(size_t rows, tensor_layout l, const real *x, real *sums)
{
    const size_t width = slice_width(l.block), slices = slice_count(l, width);
    if (rows == 0)
        return;
    if (2 * slices <= SUM_PARTS)
        sum_by_images(rows, l, x, sums);
    else
        FOR_EACH_PART(rows * layout_count(l), slices, 1, p, sum_and_put(slice_of(l, width, p.first), l, rows, x, sums));
}
