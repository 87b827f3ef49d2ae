#include "backend/onednn/onednn.h"

#include <stdlib.h>
#include <string.h>

/* By matrix products: the patches under the kernel are the columns of a matrix. One image at a time. */
struct convolution {
    convolution_shape shape;
    const real *weights;
    real *columns; /* of one group: [channels / groups * size * size, output pixels] */
};

static size_t patch_count(const convolution_shape *s)
{
    return (size_t)(s->in.channels / s->groups) * (size_t)(s->size * s->size);
}

static size_t output_pixels(const convolution_shape *s)
{
    return (size_t)s->out.height * (size_t)s->out.width;
}

void onednn_convolution_blocks(const convolution_shape *shape, int *x_block, int *y_block)
{
    *x_block = *y_block = 1;
}

convolution *onednn_convolution_create(const convolution_shape *shape, int x_block, int y_block, size_t rows)
{
    convolution *c = allocate_zeroed(1, sizeof *c);
    if (!c)
        return NULL;
    c->shape = *shape;
    c->columns = onednn_allocate(patch_count(shape) * output_pixels(shape));
    if (c->columns)
        return c;
    free(c);
    return NULL;
}

void onednn_convolution_free(convolution *c)
{
    if (c)
        onednn_release(c->columns);
    free(c);
}

void onednn_convolution_load(convolution *c, const real *weights)
{
    c->weights = weights;
}

/* From an image to its patches, or (adding) back. */
static void move_patches(const convolution_shape *s, real *image, real *columns, bool back)
{
    for (int k = 0; k < s->in.channels / s->groups; k++)
        for (int q = 0; q < s->size * s->size; q++, columns += output_pixels(s))
            for (int i = 0; i < s->out.height * s->out.width; i++) {
                const int row = i / s->out.width * s->stride + q / s->size - s->pad, column = i % s->out.width * s->stride + q % s->size - s->pad;
                const bool inside = row >= 0 && row < s->in.height && column >= 0 && column < s->in.width;
                real *pixel = image + ((size_t)k * (size_t)s->in.height + (size_t)row) * (size_t)s->in.width + (size_t)column;
                if (back && inside)
                    *pixel += columns[i];
                else if (!back)
                    columns[i] = inside ? *pixel : 0;
            }
}

/* Calls the product of each group of each image. */
typedef void group_function(const convolution *c, int filters, int patch, int pixels, const real *weights, real *x, real *y, real *gradient);

static void for_each_group(convolution *c, size_t rows, const real *weights, real *x, real *y, real *gradient, group_function *call)
{
    const convolution_shape *s = &c->shape;
    const size_t patch = patch_count(s), group_filters = (size_t)(s->out.channels / s->groups);
    const size_t n_x = shape_count(s->in) / (size_t)s->groups, n_y = shape_count(s->out) / (size_t)s->groups;
    for (size_t i = 0; i < rows * (size_t)s->groups; i++) {
        const size_t first_weight = i % (size_t)s->groups * group_filters * patch;
        call(c, (int)group_filters, (int)patch, (int)output_pixels(s), weights ? weights + first_weight : NULL, x + i * n_x, y + i * n_y,
             gradient ? gradient + first_weight : NULL);
    }
}

static void group_forward(const convolution *c, int filters, int patch, int pixels, const real *weights, real *x, real *y, real *gradient)
{
    move_patches(&c->shape, x, c->columns, false);
    onednn_gemm(false, false, filters, pixels, patch, 1, weights, patch, c->columns, pixels, 0, y, pixels);
}

static void group_backward_data(const convolution *c, int filters, int patch, int pixels, const real *weights, real *x, real *y, real *gradient)
{
    onednn_gemm(true, false, patch, pixels, filters, 1, weights, patch, y, pixels, 0, c->columns, pixels);
    move_patches(&c->shape, x, c->columns, true);
}

static void group_backward_weights(const convolution *c, int filters, int patch, int pixels, const real *weights, real *x, real *y, real *gradient)
{
    move_patches(&c->shape, x, c->columns, false);
    onednn_gemm(false, true, filters, patch, pixels, 1, y, pixels, c->columns, pixels, 1, gradient, patch);
}

void onednn_convolution_forward(convolution *c, size_t rows, const real *x, const real *bias, activation f, real *y)
{
    for_each_group(c, rows, c->weights, (real *)x, y, NULL, group_forward);
    if (bias)
        onednn_add_channel_bias(rows, (tensor_layout){c->shape.out, 1}, bias, y);
    jet view = {.data = y, .count = shape_count(c->shape.out), .batch = (int)rows};
    if (f != ACTIVATION_LINEAR)
        onednn_activation_forward(f, &view, &view, (component_range){0, 1});
}

void onednn_convolution_backward_data(convolution *c, size_t rows, const real *adj_y, real *adj_x, bool accumulate)
{
    if (!accumulate)
        onednn_fill(rows * shape_count(c->shape.in), 0, adj_x);
    for_each_group(c, rows, c->weights, adj_x, (real *)adj_y, NULL, group_backward_data);
}

void onednn_convolution_backward_weights(convolution *c, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    for_each_group(c, rows, NULL, (real *)x, (real *)adj_y, gradient, group_backward_weights);
}

const char *onednn_convolution_report(const convolution *c, convolution_direction direction)
{
    return "matrix products of patches";
}
