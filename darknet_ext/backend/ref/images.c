#include "backend/ref/ref.h"

#include <string.h>

static void clear_unless(bool accumulate, size_t count, real *y)
{
    if (!accumulate)
        memset(y, 0, count * sizeof *y);
}

void ref_copy_columns(size_t rows, size_t count, const real *x, size_t x_step, real *y, size_t y_step, bool accumulate)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < count; i++)
            ref_put(&y[r * y_step + i], x[r * x_step + i], accumulate);
}

static tensor_layout enlarged(tensor_layout small, int stride)
{
    return (tensor_layout){{small.shape.channels, small.shape.height * stride, small.shape.width * stride}, small.block};
}

/* The pixel of the small image that pixel p of the large one belongs to. */
static size_t small_pixel(tensor_layout small, int stride, size_t p)
{
    const size_t width = (size_t)(small.shape.width * stride);
    return p / width / (size_t)stride * (size_t)small.shape.width + p % width / (size_t)stride;
}

void ref_repeat_pixels(size_t rows, tensor_layout small, int stride, real scale, const real *x, real *y, bool accumulate)
{
    const tensor_layout large = enlarged(small, stride);
    clear_unless(accumulate, rows * layout_count(large), y);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < (size_t)small.shape.channels; c++)
            for (size_t p = 0; p < layout_pixels(large); p++)
                y[r * layout_count(large) + layout_at(large, c, p)] +=
                    scale * x[r * layout_count(small) + layout_at(small, c, small_pixel(small, stride, p))];
}

static double window_sum(tensor_layout large, int stride, const real *y, size_t c, size_t i, size_t j)
{
    double sum = 0;
    for (size_t o = 0; o < (size_t)(stride * stride); o++) {
        const size_t row = i * (size_t)stride + o / (size_t)stride, column = j * (size_t)stride + o % (size_t)stride;
        sum += y[layout_at(large, c, row * (size_t)large.shape.width + column)];
    }
    return sum;
}

void ref_sum_pixels(size_t rows, tensor_layout small, int stride, real scale, const real *y, real *x, bool accumulate)
{
    const tensor_layout large = enlarged(small, stride);
    const size_t width = (size_t)small.shape.width;
    clear_unless(accumulate, rows * layout_count(small), x);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < (size_t)small.shape.channels; c++)
            for (size_t p = 0; p < layout_pixels(small); p++) {
                real *sum = &x[r * layout_count(small) + layout_at(small, c, p)];
                *sum = (real)(*sum + scale * window_sum(large, stride, y + r * layout_count(large), c, p / width, p % width));
            }
}

/* Where element k of the image of many channels lies in the large one. */
static size_t large_element(tensor_shape large, int stride, size_t k)
{
    const size_t s = (size_t)stride, height = (size_t)large.height / s, width = (size_t)large.width / s;
    const size_t channel = k / (height * width), i = k / width % height, j = k % width;
    const size_t o = channel / (size_t)large.channels, c = channel % (size_t)large.channels;
    return (c * (size_t)large.height + i * s + o / s) * (size_t)large.width + j * s + o % s;
}

void ref_pixels_to_channels(size_t rows, tensor_shape large, int stride, const real *x, real *y, bool accumulate)
{
    const size_t count = shape_count(large);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < count; k++)
            ref_put(&y[r * count + k], x[r * count + large_element(large, stride, k)], accumulate);
}

void ref_channels_to_pixels(size_t rows, tensor_shape large, int stride, const real *y, real *x, bool accumulate)
{
    const size_t count = shape_count(large);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < count; k++)
            ref_put(&x[r * count + large_element(large, stride, k)], y[r * count + k], accumulate);
}

void ref_transpose(size_t rows, size_t m, size_t n, const real *x, real *y, bool accumulate)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++)
                ref_put(&y[(r * n + j) * m + i], x[(r * m + i) * n + j], accumulate);
}

/* Where element k of the cut lies in the whole image. */
static size_t whole_element(const image_cut *cut, size_t k)
{
    const size_t width = (size_t)cut->out.width, height = (size_t)cut->out.height;
    const size_t j = k % width + (size_t)cut->left, i = k / width % height + (size_t)cut->top, c = k / width / height;
    return (c * (size_t)cut->in.height + i) * (size_t)cut->in.width + (cut->flip ? (size_t)cut->in.width - 1 - j : j);
}

void ref_cut(const image_cut *cut, size_t rows, real scale, real shift, const real *x, real *y)
{
    const size_t n_x = shape_count(cut->in), n_y = shape_count(cut->out);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n_y; k++)
            y[r * n_y + k] = scale * x[r * n_x + whole_element(cut, k)] + shift;
}

void ref_cut_adjoint(const image_cut *cut, size_t rows, real scale, const real *y, real *x, bool accumulate)
{
    const size_t n_x = shape_count(cut->in), n_y = shape_count(cut->out);
    clear_unless(accumulate, rows * n_x, x);
    for (size_t r = 0; r < rows; r++)
        for (size_t k = 0; k < n_y; k++)
            x[r * n_x + whole_element(cut, k)] += scale * y[r * n_y + k];
}

void ref_axpby_grid(const image_grid *grid, size_t rows, real alpha, const real *x, real beta, real *y)
{
    for (size_t r = 0; r < rows; r++)
        for (int c = 0; c < grid->channels; c++)
            for (int i = 0; i < grid->height; i++)
                for (int j = 0; j < grid->width; j++) {
                    const int from = i * grid->from_step * grid->from.shape.width + j * grid->from_step;
                    const int to = i * grid->to_step * grid->to.shape.width + j * grid->to_step;
                    real *target = &y[r * layout_count(grid->to) + layout_at(grid->to, (size_t)c, (size_t)to)];
                    *target = alpha * x[r * layout_count(grid->from) + layout_at(grid->from, (size_t)c, (size_t)from)] + beta * *target;
                }
}

void ref_blend(activation f, size_t count, real alpha, const real *x, real beta, const real *z, real *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = activation_at(f, alpha * x[i] + beta * z[i]).f;
}

void ref_blend_slope(activation f, size_t blocks, size_t count, const real *v, real alpha, const real *x, real beta, const real *z, real *y)
{
    for (size_t i = 0; i < blocks * count; i++)
        y[i] = activation_at(f, v[i % count]).f1 * (alpha * x[i] + beta * z[i]);
}

void ref_blend_adjoint(activation f, size_t blocks, size_t count, const real *v, const real *y, real alpha, real *x, bool accumulate_x, real beta,
                       real *z, bool accumulate_z)
{
    for (size_t i = 0; i < blocks * count; i++) {
        const real adjoint = activation_at(f, v[i % count]).f1 * y[i];
        if (x)
            ref_put(&x[i], alpha * adjoint, accumulate_x);
        if (z)
            ref_put(&z[i], beta * adjoint, accumulate_z);
    }
}
