#include "backend/ref/ref.h"

#include <stdlib.h>

struct convolution {
    convolution_shape shape;
    tensor_layout x, y;
    const real *weights; /* the caller's: they do not change until the last call that uses them */
};

void ref_convolution_blocks(const convolution_shape *shape, int *x_block, int *y_block)
{
    *x_block = *y_block = 1;
}

convolution *ref_convolution_create(const convolution_shape *shape, int x_block, int y_block, size_t rows)
{
    convolution *c = allocate_zeroed(1, sizeof *c);
    if (c)
        *c = (convolution){*shape, {shape->in, x_block}, {shape->out, y_block}, NULL};
    return c;
}

void ref_convolution_free(convolution *c)
{
    free(c);
}

void ref_convolution_load(convolution *c, const real *weights)
{
    c->weights = weights;
}

/* One product of a convolution: weight w between element x of an input image and element y of an output image. */
typedef struct product {
    size_t w, x, y;
} product;

typedef void product_function(void *context, product p);

/* Visits every product of one image, those of an output element one after the other. */
static void for_each_product(const convolution *c, product_function *visit, void *context)
{
    const convolution_shape *s = &c->shape;
    const int group_channels = s->in.channels / s->groups, group_filters = s->out.channels / s->groups;
    for (int f = 0; f < s->out.channels; f++)
        for (int i = 0; i < s->out.height * s->out.width; i++)
            for (int k = 0; k < group_channels; k++)
                for (int q = 0; q < s->size * s->size; q++) {
                    const int row = i / s->out.width * s->stride + q / s->size - s->pad;
                    const int column = i % s->out.width * s->stride + q % s->size - s->pad;
                    if (row < 0 || row >= s->in.height || column < 0 || column >= s->in.width)
                        continue;
                    const size_t channel = (size_t)(f / group_filters * group_channels + k);
                    visit(context, (product){
                        .w = ((size_t)f * (size_t)group_channels + (size_t)k) * (size_t)(s->size * s->size) + (size_t)q,
                        .x = layout_at(c->x, channel, (size_t)row * (size_t)s->in.width + (size_t)column),
                        .y = layout_at(c->y, (size_t)f, (size_t)i),
                    });
                }
}

typedef struct image_sums {
    const real *weights, *x, *y;
    double *sums; /* of the elements that are wanted */
} image_sums;

static void add_forward(void *context, product p)
{
    image_sums *s = context;
    s->sums[p.y] += (double)s->weights[p.w] * s->x[p.x];
}

static void add_backward_data(void *context, product p)
{
    image_sums *s = context;
    s->sums[p.x] += (double)s->weights[p.w] * s->y[p.y];
}

static void add_backward_weights(void *context, product p)
{
    image_sums *s = context;
    s->sums[p.w] += (double)s->y[p.y] * s->x[p.x];
}

/* The reference is not made for speed: sums live for one call. */
static double *new_sums(size_t count)
{
    double *sums = calloc(count, sizeof *sums);
    if (!sums)
        abort();
    return sums;
}

void ref_convolution_forward(convolution *c, size_t rows, const real *x, const real *bias, activation f, real *y)
{
    const size_t n_x = layout_count(c->x), n_y = layout_count(c->y);
    for (size_t r = 0; r < rows; r++) {
        double *sums = new_sums(n_y);
        for_each_product(c, add_forward, &(image_sums){c->weights, x + r * n_x, NULL, sums});
        for (size_t k = 0; bias && k < (size_t)c->shape.out.channels; k++)
            for (size_t i = 0; i < layout_pixels(c->y); i++)
                sums[layout_at(c->y, k, i)] += bias[k];
        for (size_t i = 0; i < n_y; i++)
            y[r * n_y + i] = (real)activation_at(f, sums[i]).f;
        free(sums);
    }
}

void ref_convolution_forward_add(convolution *c, size_t rows, const real *x, real *y)
{
    const size_t n_x = layout_count(c->x), n_y = layout_count(c->y);
    for (size_t r = 0; r < rows; r++) {
        double *sums = new_sums(n_y);
        for_each_product(c, add_forward, &(image_sums){c->weights, x + r * n_x, NULL, sums});
        for (size_t i = 0; i < n_y; i++)
            ref_put(&y[r * n_y + i], sums[i], true);
        free(sums);
    }
}

void ref_convolution_backward_data(convolution *c, size_t rows, const real *adj_y, real *adj_x, bool accumulate)
{
    const size_t n_x = layout_count(c->x), n_y = layout_count(c->y);
    for (size_t r = 0; r < rows; r++) {
        double *sums = new_sums(n_x);
        for_each_product(c, add_backward_data, &(image_sums){c->weights, NULL, adj_y + r * n_y, sums});
        for (size_t i = 0; i < n_x; i++)
            ref_put(&adj_x[r * n_x + i], sums[i], accumulate);
        free(sums);
    }
}

void ref_convolution_backward_weights(convolution *c, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    const convolution_shape *s = &c->shape;
    const size_t count = (size_t)s->out.channels * (size_t)(s->in.channels / s->groups) * (size_t)(s->size * s->size);
    double *sums = new_sums(count);
    for (size_t r = 0; r < rows; r++)
        for_each_product(c, add_backward_weights, &(image_sums){NULL, x + r * layout_count(c->x), adj_y + r * layout_count(c->y), sums});
    for (size_t i = 0; i < count; i++)
        gradient[i] = (real)(gradient[i] + sums[i]);
    free(sums);
}

const char *ref_convolution_report(const convolution *c, convolution_direction direction)
{
    return "plain loops";
}
