#include "core/hot.h"
#include "backend/onednn/onednn.h"

#include <string.h>

/* y = value, or += */
DNX_ALWAYS_INLINE void put(real *y, real value, bool accumulate)
{
    *y = accumulate ? *y + value : value;
}

/* -- columns -- */

DNX_HOT static void add_line(size_t count, const real *restrict x, real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] += x[i];
}

/* Part k of the rows, each of which has parts_per_row. */
static void copy_part(size_t k, size_t parts_per_row, size_t count, const real *x, size_t x_step, real *y, size_t y_step, bool accumulate)
{
    const part p = part_at(count, PART_ELEMENTS, (long)(k % parts_per_row));
    const real *from = x + k / parts_per_row * x_step + p.first;
    real *to = y + k / parts_per_row * y_step + p.first;
    if (accumulate)
        add_line(p.size, from, to);
    else
        memcpy(to, from, p.size * sizeof *to);
}

void onednn_copy_columns(size_t rows, size_t count, const real *x, size_t x_step, real *y, size_t y_step, bool accumulate)
{
    const size_t parts_per_row = (size_t)part_count(count, PART_ELEMENTS);
    FOR_EACH_PART(rows * count, rows * parts_per_row, 1, k, copy_part(k.first, parts_per_row, count, x, x_step, y, y_step, accumulate));
}

/* -- repeated pixels: a plane is one block of channels of one image -- */

typedef struct repetition {
    size_t block, stride, height, width; /* of the small image */
    real scale;
    bool accumulate;
} repetition;

static repetition repetition_of(tensor_layout small, int stride, real scale, bool accumulate)
{
    return (repetition){(size_t)small.block, (size_t)stride, (size_t)small.shape.height, (size_t)small.shape.width, scale, accumulate};
}

/* `block` and `stride` are constants to the compiler in the usual cases. */
DNX_ALWAYS_INLINE void repeat_loop(const repetition *p, size_t block, size_t stride, bool accumulate, const real *restrict x, real *restrict y)
{
    for (size_t i = 0; i < p->height * stride; i++)
        for (size_t j = 0; j < p->width; j++)
            for (size_t o = 0; o < stride; o++)
                for (size_t l = 0; l < block; l++)
                    put(&y[((i * p->width + j) * stride + o) * block + l], p->scale * x[(i / stride * p->width + j) * block + l], accumulate);
}

/* The first row of a window begins the sum, the others are added to it. */
DNX_ALWAYS_INLINE void sum_loop(const repetition *p, size_t block, size_t stride, bool accumulate, const real *restrict y, real *restrict x)
{
    for (size_t i = 0; i < p->height * stride; i++)
        for (size_t j = 0; j < p->width; j++)
            for (size_t l = 0; l < block; l++) {
                real sum = 0;
                for (size_t o = 0; o < stride; o++)
                    sum += y[((i * p->width + j) * stride + o) * block + l];
                put(&x[(i / stride * p->width + j) * block + l], p->scale * sum, accumulate || i % stride > 0);
            }
}

#define USUAL_CASES(p, loop, from, to)                                \
    do {                                                              \
        if ((p)->block == 16 && (p)->stride == 2 && !(p)->accumulate) \
            loop(p, 16, 2, false, from, to);                          \
        else if ((p)->block == 16)                                    \
            loop(p, 16, (p)->stride, (p)->accumulate, from, to);      \
        else if ((p)->block == 1 && (p)->stride == 2)                 \
            loop(p, 1, 2, (p)->accumulate, from, to);                 \
        else                                                          \
            loop(p, (p)->block, (p)->stride, (p)->accumulate, from, to); \
    } while (0)

DNX_HOT static void repeat_plane(const repetition *p, const real *x, real *y)
{
    USUAL_CASES(p, repeat_loop, x, y);
}

DNX_HOT static void sum_plane(const repetition *p, const real *y, real *x)
{
    USUAL_CASES(p, sum_loop, y, x);
}

void onednn_repeat_pixels(size_t rows, tensor_layout small, int stride, real scale, const real *x, real *y, bool accumulate)
{
    const repetition p = repetition_of(small, stride, scale, accumulate);
    const size_t planes = rows * layout_channels(small) / p.block, n_x = p.height * p.width * p.block, n_y = n_x * p.stride * p.stride;
    FOR_EACH_PART(planes * n_y, planes, 1, k, repeat_plane(&p, x + k.first * n_x, y + k.first * n_y));
}

void onednn_sum_pixels(size_t rows, tensor_layout small, int stride, real scale, const real *y, real *x, bool accumulate)
{
    const repetition p = repetition_of(small, stride, scale, accumulate);
    const size_t planes = rows * layout_channels(small) / p.block, n_x = p.height * p.width * p.block, n_y = n_x * p.stride * p.stride;
    FOR_EACH_PART(planes * n_y, planes, 1, k, sum_plane(&p, y + k.first * n_y, x + k.first * n_x));
}

/* -- pixels and channels -- */

/* One row of one channel of the image of many channels: `width` numbers that are `stride` apart in the large one. */
typedef struct pixel_row {
    size_t large, width;
} pixel_row;

static pixel_row pixel_row_at(tensor_shape large, size_t stride, size_t k)
{
    const size_t height = (size_t)large.height / stride, width = (size_t)large.width / stride, channels = (size_t)large.channels;
    const size_t i = k % height, o = k / height / channels, c = k / height % channels;
    return (pixel_row){(c * (size_t)large.height + i * stride + o / stride) * (size_t)large.width + o % stride, width};
}

DNX_HOT static void to_channels(tensor_shape large, size_t stride, const real *restrict x, real *restrict y, bool accumulate)
{
    const size_t rows = shape_count(large) / ((size_t)large.width / stride);
    for (size_t k = 0; k < rows; k++) {
        const pixel_row row = pixel_row_at(large, stride, k);
        for (size_t j = 0; j < row.width; j++)
            put(&y[k * row.width + j], x[row.large + j * stride], accumulate);
    }
}

DNX_HOT static void to_pixels(tensor_shape large, size_t stride, const real *restrict y, real *restrict x, bool accumulate)
{
    const size_t rows = shape_count(large) / ((size_t)large.width / stride);
    for (size_t k = 0; k < rows; k++) {
        const pixel_row row = pixel_row_at(large, stride, k);
        for (size_t j = 0; j < row.width; j++)
            put(&x[row.large + j * stride], y[k * row.width + j], accumulate);
    }
}

void onednn_pixels_to_channels(size_t rows, tensor_shape large, int stride, const real *x, real *y, bool accumulate)
{
    const size_t count = shape_count(large);
    FOR_EACH_PART(rows * count, rows, 1, r, to_channels(large, (size_t)stride, x + r.first * count, y + r.first * count, accumulate));
}

void onednn_channels_to_pixels(size_t rows, tensor_shape large, int stride, const real *y, real *x, bool accumulate)
{
    const size_t count = shape_count(large);
    FOR_EACH_PART(rows * count, rows, 1, r, to_pixels(large, (size_t)stride, y + r.first * count, x + r.first * count, accumulate));
}

enum { TILE = 16 };

/* By tiles, so that the cache lines of both sides are used as a whole. */
DNX_HOT static void transpose_row(size_t m, size_t n, const real *restrict x, real *restrict y, bool accumulate)
{
    for (size_t first_i = 0; first_i < m; first_i += TILE)
        for (size_t first_j = 0; first_j < n; first_j += TILE)
            for (size_t j = first_j; j < n && j < first_j + TILE; j++)
                for (size_t i = first_i; i < m && i < first_i + TILE; i++)
                    put(&y[j * m + i], x[i * n + j], accumulate);
}

void onednn_transpose(size_t rows, size_t m, size_t n, const real *x, real *y, bool accumulate)
{
    FOR_EACH_PART(rows * m * n, rows, 1, r, transpose_row(m, n, x + r.first * m * n, y + r.first * m * n, accumulate));
}

/* -- cuts -- */

/* Where row k of the cut, counted over its channels, begins in the whole image: its last pixel when flipped. */
static size_t cut_row(const image_cut *cut, size_t k)
{
    const size_t height = (size_t)cut->out.height, row = k / height * (size_t)cut->in.height + (size_t)cut->top + k % height;
    const int column = cut->flip ? cut->in.width - cut->left - cut->out.width : cut->left;
    return row * (size_t)cut->in.width + (size_t)column;
}

DNX_HOT static void cut_image(const image_cut *cut, real scale, real shift, const real *restrict x, real *restrict y)
{
    const size_t width = (size_t)cut->out.width;
    for (size_t k = 0; k < (size_t)cut->out.channels * (size_t)cut->out.height; k++) {
        const real *from = x + cut_row(cut, k);
        real *to = y + k * width;
        for (size_t j = 0; j < width && !cut->flip; j++)
            to[j] = scale * from[j] + shift;
        for (size_t j = 0; j < width && cut->flip; j++)
            to[j] = scale * from[width - 1 - j] + shift;
    }
}

DNX_HOT static void cut_image_adjoint(const image_cut *cut, real scale, const real *restrict y, real *restrict x)
{
    const size_t width = (size_t)cut->out.width;
    for (size_t k = 0; k < (size_t)cut->out.channels * (size_t)cut->out.height; k++) {
        const real *from = y + k * width;
        real *to = x + cut_row(cut, k);
        for (size_t j = 0; j < width && !cut->flip; j++)
            to[j] += scale * from[j];
        for (size_t j = 0; j < width && cut->flip; j++)
            to[j] += scale * from[width - 1 - j];
    }
}

void onednn_cut(const image_cut *cut, size_t rows, real scale, real shift, const real *x, real *y)
{
    const size_t n_x = shape_count(cut->in), n_y = shape_count(cut->out);
    FOR_EACH_PART(rows * n_y, rows, 1, r, cut_image(cut, scale, shift, x + r.first * n_x, y + r.first * n_y));
}

void onednn_cut_adjoint(const image_cut *cut, size_t rows, real scale, const real *y, real *x, bool accumulate)
{
    const size_t n_x = shape_count(cut->in), n_y = shape_count(cut->out);
    FOR_EACH_PART(rows * n_x, rows, 1, r, {
        if (!accumulate)
            memset(x + r.first * n_x, 0, n_x * sizeof *x);
        cut_image_adjoint(cut, scale, y + r.first * n_y, x + r.first * n_x);
    });
}

/* -- sums of two -- */

DNX_HOT static void axpby_grid_image(const image_grid *grid, real alpha, const real *x, real beta, real *y)
{
    const size_t block = (size_t)grid->from.block;
    for (size_t first = 0; first < (size_t)grid->channels; first += block) {
        const size_t channels = (size_t)grid->channels - first < block ? (size_t)grid->channels - first : block;
        for (int i = 0; i < grid->height; i++)
            for (int j = 0; j < grid->width; j++) {
                const int from = i * grid->from_step * grid->from.shape.width + j * grid->from_step;
                const int to = i * grid->to_step * grid->to.shape.width + j * grid->to_step;
                const real *source = x + layout_at(grid->from, first, (size_t)from);
                real *target = y + layout_at(grid->to, first, (size_t)to);
#pragma GCC ivdep
                for (size_t l = 0; l < channels; l++)
                    target[l] = alpha * source[l] + beta * target[l];
            }
    }
}

void onednn_axpby_grid(const image_grid *grid, size_t rows, real alpha, const real *x, real beta, real *y)
{
    const size_t n_x = layout_count(grid->from), n_y = layout_count(grid->to);
    const size_t work = rows * (size_t)grid->channels * (size_t)grid->height * (size_t)grid->width;
    FOR_EACH_PART(work, rows, 1, r, axpby_grid_image(grid, alpha, x + r.first * n_x, beta, y + r.first * n_y));
}

/* In the loops below the output may be one of the inputs: ivdep promises only that iterations are independent. */

DNX_ALWAYS_INLINE void blend_loop(activation f, size_t count, real alpha, const real *x, real beta, const real *z, real *y)
{
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        y[i] = activation_at(f, alpha * x[i] + beta * z[i]).f;
}

DNX_ALWAYS_INLINE void blend_slope_loop(activation f, size_t count, const real *v, real alpha, const real *x, real beta, const real *z, real *y)
{
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        y[i] = activation_at(f, v[i]).f1 * (alpha * x[i] + beta * z[i]);
}

DNX_ALWAYS_INLINE void scaled_slope_loop(activation f, size_t count, const real *v, real scale, const real *y, real *x, bool accumulate)
{
    if (accumulate) {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            x[i] += scale * (activation_at(f, v[i]).f1 * y[i]);
    } else {
#pragma GCC ivdep
        for (size_t i = 0; i < count; i++)
            x[i] = scale * (activation_at(f, v[i]).f1 * y[i]);
    }
}

DNX_HOT static void blend_part(activation f, size_t count, real alpha, const real *x, real beta, const real *z, real *y)
{
    switch (f) {
#define CASE(e, name, piecewise, stock)                    \
    case e:                                                \
        if (piecewise)                                     \
            blend_loop(e, count, alpha, x, beta, z, y);    \
        break;
        ACTIVATION_TABLE(CASE)
#undef CASE
    default:
        break;
    }
}

DNX_HOT static void blend_slope_part(activation f, size_t count, const real *v, real alpha, const real *x, real beta, const real *z, real *y)
{
    switch (f) {
#define CASE(e, name, piecewise, stock)                          \
    case e:                                                      \
        if (piecewise)                                           \
            blend_slope_loop(e, count, v, alpha, x, beta, z, y); \
        break;
        ACTIVATION_TABLE(CASE)
#undef CASE
    default:
        break;
    }
}

DNX_HOT static void scaled_slope_part(activation f, size_t count, const real *v, real scale, const real *y, real *x, bool accumulate)
{
    switch (f) {
#define CASE(e, name, piecewise, stock)                              \
    case e:                                                          \
        if (piecewise)                                               \
            scaled_slope_loop(e, count, v, scale, y, x, accumulate); \
        break;
        ACTIVATION_TABLE(CASE)
#undef CASE
    default:
        break;
    }
}

void onednn_blend(activation f, size_t count, real alpha, const real *x, real beta, const real *z, real *y)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, blend_part(f, p.size, alpha, x + p.first, beta, z + p.first, y + p.first));
}

void onednn_blend_slope(activation f, size_t blocks, size_t count, const real *v, real alpha, const real *x, real beta, const real *z, real *y)
{
    FOR_EACH_PART(blocks * count, count, PART_ELEMENTS, p, {
        for (size_t i = p.first; i < blocks * count; i += count)
            blend_slope_part(f, p.size, v + p.first, alpha, x + i, beta, z + i, y + i);
    });
}

/* Part by part, so that v and y come from the cache for the second of x and z. */
void onednn_blend_adjoint(activation f, size_t blocks, size_t count, const real *v, const real *y, real alpha, real *x, bool accumulate_x, real beta,
                          real *z, bool accumulate_z)
{
    FOR_EACH_PART(blocks * count, count, PART_ELEMENTS, p, {
        for (size_t i = p.first; i < blocks * count; i += count) {
            if (x)
                scaled_slope_part(f, p.size, v + p.first, alpha, y + i, x + i, accumulate_x);
            if (z)
                scaled_slope_part(f, p.size, v + p.first, beta, y + i, z + i, accumulate_z);
        }
    });
}
