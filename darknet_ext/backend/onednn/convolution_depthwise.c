/* Depthwise convolutions on blocks of channels: a vector is one block of a pixel, and each channel meets its own weight. For kernels that
 * oneDNN has no depthwise code for: weights of 5x5 and more, wide paddings. Weights: [block of channels][kernel][channel of the block]. */
#include "backend/onednn/convolution.h"
#include "core/hot.h"

#include <string.h>

enum { MOST_BLOCK = 16 };

/* One block of channels of one image. */
typedef struct plane {
    const convolution_shape *s;
    int block;
} plane;

typedef enum plane_direction { PLANE_FORWARD, PLANE_BACKWARD_DATA, PLANE_BACKWARD_WEIGHTS } plane_direction;

DNX_ALWAYS_INLINE void multiply_add(int block, const real *restrict a, const real *restrict b, real *restrict sum)
{
    for (int l = 0; l < block; l++)
        sum[l] += a[l] * b[l];
}

/* The columns of the output whose pixel under column `offset` of the kernel lies inside. */
static void inside_columns(const convolution_shape *s, int offset, int *first, int *last)
{
    *first = offset < 0 ? (-offset + s->stride - 1) / s->stride : 0;
    *last = offset < s->in.width ? (s->in.width - 1 - offset) / s->stride + 1 : 0;
    *last = *last > s->out.width ? s->out.width : *last;
}

typedef real block_vector __attribute__((vector_size(MOST_BLOCK * sizeof(real)), aligned(sizeof(real)), may_alias));

/* w += sum over columns of pixel * output, in chains that do not wait for each other. */
DNX_ALWAYS_INLINE void widest_row_gradient(int columns, const real *pixel, size_t pixel_step, const real *output, real *w)
{
    enum { CHAINS = 4 };
    block_vector sums[CHAINS] = {{0}};
    int j = 0;
    for (; j + CHAINS <= columns; j += CHAINS, pixel += CHAINS * pixel_step, output += CHAINS * MOST_BLOCK)
        for (int k = 0; k < CHAINS; k++)
            sums[k] += *(const block_vector *)(pixel + (size_t)k * pixel_step) * *(const block_vector *)(output + k * MOST_BLOCK);
    for (; j < columns; j++, pixel += pixel_step, output += MOST_BLOCK)
        sums[0] += *(const block_vector *)pixel * *(const block_vector *)output;
    *(block_vector *)w += (sums[0] + sums[1]) + (sums[2] + sums[3]);
}

DNX_ALWAYS_INLINE void row_gradient(int block, int columns, const real *pixel, size_t pixel_step, const real *output, real *w)
{
    if (block == MOST_BLOCK)
        widest_row_gradient(columns, pixel, pixel_step, output, w);
    else
        for (int j = 0; j < columns; j++, pixel += pixel_step, output += block)
            multiply_add(block, pixel, output, w);
}

/* The products of kernel element q in one row of the output. */
DNX_ALWAYS_INLINE void row_products(const plane *p, int block, plane_direction direction, int i, int q, real *x, real *w, real *y)
{
    const convolution_shape *s = p->s;
    const int row = i * s->stride + q / s->size - s->pad, offset = q % s->size - s->pad;
    if (row < 0 || row >= s->in.height)
        return;
    int first, last;
    inside_columns(s, offset, &first, &last);
    if (first >= last)
        return;
    const size_t step = (size_t)(s->stride * block);
    real *pixel = x + (size_t)(row * s->in.width + first * s->stride + offset) * (size_t)block;
    real *output = y + (size_t)(i * s->out.width + first) * (size_t)block;
    if (direction == PLANE_BACKWARD_WEIGHTS)
        row_gradient(block, last - first, pixel, step, output, w);
    else
        for (int j = first; j < last; j++, pixel += step, output += block)
            multiply_add(block, w, direction == PLANE_FORWARD ? pixel : output, direction == PLANE_FORWARD ? output : pixel);
}

DNX_ALWAYS_INLINE void plane_loop(const plane *p, int block, plane_direction direction, real *x, real *weights, real *y)
{
    for (int i = 0; i < p->s->out.height; i++)
        for (int q = 0; q < p->s->size * p->s->size; q++)
            row_products(p, block, direction, i, q, x, weights + (size_t)q * (size_t)block, y);
}

DNX_ALWAYS_INLINE void plane_blocks(const plane *p, plane_direction direction, real *x, real *weights, real *y)
{
    if (p->block == 16)
        plane_loop(p, 16, direction, x, weights, y);
    else if (p->block == 8)
        plane_loop(p, 8, direction, x, weights, y);
    else
        plane_loop(p, p->block, direction, x, weights, y);
}

DNX_HOT static void plane_forward(const plane *p, const real *x, const real *weights, real *y)
{
    memset(y, 0, (size_t)(p->s->out.height * p->s->out.width * p->block) * sizeof *y);
    plane_blocks(p, PLANE_FORWARD, (real *)x, (real *)weights, y);
}

DNX_HOT static void plane_backward_data(const plane *p, const real *y, const real *weights, real *x)
{
    memset(x, 0, (size_t)(p->s->in.height * p->s->in.width * p->block) * sizeof *x);
    plane_blocks(p, PLANE_BACKWARD_DATA, x, (real *)weights, (real *)y);
}

DNX_HOT static void plane_backward_weights(const plane *p, const real *y, const real *x, real *gradient)
{
    plane_blocks(p, PLANE_BACKWARD_WEIGHTS, (real *)x, gradient, (real *)y);
}

static size_t plane_count(const recipe *r, tensor_shape s)
{
    return (size_t)(s.height * s.width * r->x_block);
}

static size_t plane_weights(const recipe *r)
{
    return (size_t)(r->inner.size * r->inner.size * r->x_block);
}

static size_t blocks_of(const recipe *r)
{
    return (size_t)(r->inner.in.channels / r->x_block);
}

void depthwise_forward(const recipe *r, size_t rows, const real *x, const real *weights, real *y)
{
    const plane one = {&r->inner, r->x_block};
    const size_t n_x = plane_count(r, r->inner.in), n_y = plane_count(r, r->inner.out), blocks = blocks_of(r);
    FOR_EACH_PART(rows * blocks * n_y * plane_weights(r), rows * blocks, 1, p,
                  plane_forward(&one, x + p.first * n_x, weights + p.first % blocks * plane_weights(r), y + p.first * n_y));
}

void depthwise_backward_data(const recipe *r, size_t rows, const real *y, const real *weights, real *x)
{
    const plane one = {&r->inner, r->x_block};
    const size_t n_x = plane_count(r, r->inner.in), n_y = plane_count(r, r->inner.out), blocks = blocks_of(r);
    FOR_EACH_PART(rows * blocks * n_y * plane_weights(r), rows * blocks, 1, p,
                  plane_backward_data(&one, y + p.first * n_y, weights + p.first % blocks * plane_weights(r), x + p.first * n_x));
}

/* Images are summed in at most SUM_PARTS parts. */
size_t depthwise_workspace(const recipe *r, size_t rows)
{
    return (size_t)part_count(rows, sum_part_size(rows, 1)) * blocks_of(r) * plane_weights(r) * sizeof(real);
}

void depthwise_backward_weights(const recipe *r, size_t rows, const real *y, const real *x, real *gradient, void *workspace)
{
    const plane one = {&r->inner, r->x_block};
    const size_t n_x = plane_count(r, r->inner.in), n_y = plane_count(r, r->inner.out), n_w = plane_weights(r), blocks = blocks_of(r);
    const size_t size = sum_part_size(rows, 1), parts = (size_t)part_count(rows, size);
    real *partial = workspace;
    onednn_fill(parts * blocks * n_w, 0, partial);
    FOR_EACH_PART(rows * blocks * n_y * n_w, parts * blocks, 1, p, {
        const part images = part_at(rows, size, (long)(p.first / blocks));
        for (size_t i = images.first * blocks + p.first % blocks; i < (images.first + images.size) * blocks; i += blocks)
            plane_backward_weights(&one, y + i * n_y, x + i * n_x, partial + p.first * n_w);
    });
    onednn_fill(blocks * n_w, 0, gradient);
    for (size_t i = 0; i < parts; i++)
        onednn_axpby(blocks * n_w, 1, partial + i * blocks * n_w, 1, gradient);
}
