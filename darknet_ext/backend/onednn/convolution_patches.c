/* Matrix products of patches: the pixels under the kernel are the columns of a matrix, made for a few rows of the output at a time so that
 * it stays in the cache. Plain images. Tasks run side by side: images, groups, and parts of an image. */
#include "backend/onednn/convolution.h"
#include "core/hot.h"
#include "backend/onednn/scratch.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMN_BYTES = 256 * 1024, GRADIENT_PARTS = 8 };

/* One group: its patches are `patch` x `pixels`, cut into tiles of whole rows of the output. */
typedef struct tiling {
    const convolution_shape *s;
    int filters, channels, patch, pixels;
    int tile_rows, tiles;
} tiling;

static tiling tiling_of(const convolution_shape *s)
{
    const int channels = s->in.channels / s->groups, patch = channels * s->size * s->size;
    const double rows = COLUMN_BYTES / sizeof(real) / ((double)patch * s->out.width);
    const int tile_rows = rows < 1 ? 1 : rows > s->out.height ? s->out.height : (int)rows;
    const int tiles = (s->out.height + tile_rows - 1) / tile_rows;
    return (tiling){s, s->out.channels / s->groups, channels, patch, s->out.height * s->out.width, tile_rows, tiles};
}

static int tile_rows_of(const tiling *t, int tile)
{
    const int rest = t->s->out.height - tile * t->tile_rows;
    return rest < t->tile_rows ? rest : t->tile_rows;
}

/* Output columns first..last-1 of a row read pixels inside the image: 0 <= column stride + offset < width. */
static void inside_columns(const convolution_shape *s, int offset, int *first, int *last)
{
    *first = offset < 0 ? (-offset + s->stride - 1) / s->stride : 0;
    *last = offset < s->in.width ? (s->in.width - 1 - offset) / s->stride + 1 : 0;
    *first = *first > s->out.width ? s->out.width : *first;
    *last = *last > s->out.width ? s->out.width : *last < *first ? *first : *last;
}

DNX_HOT static void take_row(size_t count, const real *restrict image, size_t step, real *restrict columns)
{
    if (step == 1)
        memcpy(columns, image, count * sizeof *columns);
    else
        for (size_t i = 0; i < count; i++)
            columns[i] = image[i * step];
}

DNX_HOT static void add_row(size_t count, const real *restrict columns, real *restrict image, size_t step)
{
    if (step == 1)
        for (size_t i = 0; i < count; i++)
            image[i] += columns[i];
    else
        for (size_t i = 0; i < count; i++)
            image[i * step] += columns[i];
}

/* One row of the output under kernel element q of one channel. */
static void move_row(const convolution_shape *s, real *image, int output_row, int q, real *columns, bool back)
{
    const int row = output_row * s->stride + q / s->size - s->pad, offset = q % s->size - s->pad;
    int first = 0, last = 0;
    if (row >= 0 && row < s->in.height)
        inside_columns(s, offset, &first, &last);
    real *pixel = first < last ? image + (size_t)row * (size_t)s->in.width + (size_t)(first * s->stride + offset) : NULL;
    if (back) {
        if (pixel)
            add_row((size_t)(last - first), columns + first, pixel, (size_t)s->stride);
        return;
    }
    memset(columns, 0, (size_t)first * sizeof *columns);
    if (pixel)
        take_row((size_t)(last - first), pixel, (size_t)s->stride, columns + first);
    memset(columns + last, 0, (size_t)(s->out.width - last) * sizeof *columns);
}

/* The patches of a tile of one group's image: [patch, rows of the tile * width]; `back`: adds them to the image. */
static void move_tile(const tiling *t, real *image, int tile, real *columns, bool back)
{
    const convolution_shape *s = t->s;
    const int rows = tile_rows_of(t, tile), elements = s->size * s->size;
    for (int k = 0; k < t->patch; k++)
        for (int i = 0; i < rows; i++, columns += s->out.width)
            move_row(s, image + (size_t)(k / elements) * (size_t)(s->in.height * s->in.width), tile * t->tile_rows + i, k % elements, columns, back);
}

/* C = op(A) op(B) + beta C, by one thread inside of a parallel region. */
static void product(bool transpose_a, bool transpose_b, int m, int n, int k, const real *a, int lda, const real *b, int ldb, real beta, real *c,
                    int ldc)
{
    const dnnl_status_t result = dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, 1, a, lda, b, ldb, beta, c, ldc);
    if (result != dnnl_success) {
        fprintf(stderr, "onednn: sgemm of %d x %d x %d failed (status %d)\n", m, n, k, (int)result);
        abort();
    }
}

static size_t column_count(const tiling *t)
{
    return scratch_round((size_t)t->patch * (size_t)(t->tile_rows * t->s->out.width) * sizeof(real)) / sizeof(real);
}

static size_t gradient_parts(size_t rows)
{
    return rows < GRADIENT_PARTS ? rows : GRADIENT_PARTS;
}

size_t patches_workspace(const convolution_shape *s, convolution_direction direction, size_t rows)
{
    const tiling t = tiling_of(s);
    size_t count = column_count(&t) * (size_t)omp_get_max_threads();
    if (direction == CONVOLUTION_BACKWARD_WEIGHTS)
        count += gradient_parts(rows) * weights_count(s);
    return count * sizeof(real);
}

/* Parallel over the statement's tasks; a single task leaves the threads to its product. */
#define FOR_EACH_TASK(n, task, statement)                                             \
    do {                                                                              \
        const long n_tasks_ = (long)(n);                                              \
        _Pragma("omp parallel for schedule(dynamic) if (n_tasks_ > 1)")               \
        for (long task = 0; task < n_tasks_; task++)                                  \
            statement;                                                                \
    } while (0)

static void forward_task(const tiling *t, long task, const real *x, const real *weights, real *y, real *columns)
{
    const convolution_shape *s = t->s;
    const int tile = (int)(task % t->tiles), group = (int)(task / t->tiles % s->groups), first = tile * t->tile_rows * s->out.width;
    const int width = tile_rows_of(t, tile) * s->out.width;
    const size_t image = (size_t)(task / t->tiles); /* of one group */
    move_tile(t, (real *)x + image * (size_t)(t->channels * s->in.height * s->in.width), tile, columns, false);
    product(false, false, t->filters, width, t->patch, weights + (size_t)group * (size_t)(t->filters * t->patch), t->patch, columns, width, 0,
            y + image * (size_t)(t->filters * t->pixels) + first, t->pixels);
}

void patches_forward(const convolution_shape *s, size_t rows, const real *x, const real *weights, real *y, void *workspace)
{
    const tiling t = tiling_of(s);
    FOR_EACH_TASK(rows * (size_t)(s->groups * t.tiles), task,
                  forward_task(&t, task, x, weights, y, (real *)workspace + (size_t)omp_get_thread_num() * column_count(&t)));
}

/* Patches of one image overlap: a task is an image of one group. */
static void backward_data_task(const tiling *t, long task, const real *y, const real *weights, real *x, real *columns)
{
    const convolution_shape *s = t->s;
    const size_t n_x = (size_t)(t->channels * s->in.height * s->in.width);
    x += (size_t)task * n_x;
    memset(x, 0, n_x * sizeof *x);
    for (int tile = 0; tile < t->tiles; tile++) {
        const int width = tile_rows_of(t, tile) * s->out.width;
        product(true, false, t->patch, width, t->filters, weights + (size_t)(task % s->groups) * (size_t)(t->filters * t->patch), t->patch,
                y + (size_t)task * (size_t)(t->filters * t->pixels) + tile * t->tile_rows * s->out.width, t->pixels, 0, columns, width);
        move_tile(t, x, tile, columns, true);
    }
}

void patches_backward_data(const convolution_shape *s, size_t rows, const real *y, const real *weights, real *x, void *workspace)
{
    const tiling t = tiling_of(s);
    FOR_EACH_TASK(rows * (size_t)s->groups, task,
                  backward_data_task(&t, task, y, weights, x, (real *)workspace + (size_t)omp_get_thread_num() * column_count(&t)));
}

/* One group of one part of the images, into that part's gradient. */
static void backward_weights_task(const tiling *t, long task, size_t rows, const real *y, const real *x, real *gradient, real *columns)
{
    const convolution_shape *s = t->s;
    const size_t parts = gradient_parts(rows), group = (size_t)task % (size_t)s->groups, index = (size_t)(task / s->groups);
    const size_t first = index * rows / parts, last = (index + 1) * rows / parts;
    gradient += index * weights_count(s) + group * (size_t)(t->filters * t->patch);
    for (size_t r = first; r < last; r++)
        for (int tile = 0; tile < t->tiles; tile++) {
            const size_t image = r * (size_t)s->groups + group;
            const int width = tile_rows_of(t, tile) * s->out.width;
            move_tile(t, (real *)x + image * (size_t)(t->channels * s->in.height * s->in.width), tile, columns, false);
            const real *tile_y = y + image * (size_t)(t->filters * t->pixels) + tile * t->tile_rows * s->out.width;
            product(false, true, t->filters, t->patch, width, tile_y, t->pixels, columns, width, r > first || tile > 0, gradient, t->patch);
        }
}

void patches_backward_weights(const convolution_shape *s, size_t rows, const real *y, const real *x, real *gradient, void *workspace)
{
    const tiling t = tiling_of(s);
    const size_t parts = gradient_parts(rows), count = weights_count(s);
    real *partial = (real *)workspace + column_count(&t) * (size_t)omp_get_max_threads();
    FOR_EACH_TASK(parts * (size_t)s->groups, task,
                  backward_weights_task(&t, task, rows, y, x, partial, (real *)workspace + (size_t)omp_get_thread_num() * column_count(&t)));
    for (size_t i = 0; i < parts; i++)
        onednn_axpby(count, 1, partial + i * count, 1, gradient);
}
