#include "core/hot.h"

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

/* The images of one group, their patches laid out: element [i, q] (pixel i of the output, row after row; q = channel, row and column of the
 * kernel) is what weight q of every filter meets there, and 0 outside of the image. Sums over it are plain loops; they run along the
 * numbers that lie next to each other, q. */
typedef struct patches {
    const convolution *c;
    int group;
    size_t rows, count; /* output pixels of all rows; numbers of a patch */
    double *values;     /* [rows, count] */
} patches;

static double *new_numbers(size_t count)
{
    double *numbers = calloc(count ? count : 1, sizeof *numbers);
    if (!numbers)
        abort();
    return numbers;
}

static int group_channels(const convolution *c)
{
    return c->shape.in.channels / c->shape.groups;
}

static int group_filters(const convolution *c)
{
    return c->shape.out.channels / c->shape.groups;
}

static patches patches_new(const convolution *c, int group, size_t images)
{
    patches p = {c, group, images * layout_pixels(c->y), (size_t)group_channels(c) * (size_t)(c->shape.size * c->shape.size), NULL};
    p.values = new_numbers(p.rows * p.count);
    return p;
}

/* Where element [pixel, q] of one image comes from; false: from outside. */
static bool source_of(const patches *p, size_t pixel, size_t q, size_t *at)
{
    const convolution_shape *s = &p->c->shape;
    const int area = s->size * s->size, k = (int)q / area, in_kernel = (int)q % area;
    const int row = (int)pixel / s->out.width * s->stride + in_kernel / s->size - s->pad;
    const int column = (int)pixel % s->out.width * s->stride + in_kernel % s->size - s->pad;
    if (row < 0 || row >= s->in.height || column < 0 || column >= s->in.width)
        return false;
    *at = layout_at(p->c->x, (size_t)(p->group * group_channels(p->c) + k), (size_t)row * (size_t)s->in.width + (size_t)column);
    return true;
}

static void patches_fill(const patches *p, const real *x)
{
    const size_t pixels = layout_pixels(p->c->y), n_x = layout_count(p->c->x);
    size_t at;
    for (size_t pixel = 0; pixel < pixels; pixel++)
        for (size_t q = 0; q < p->count; q++) {
            const bool inside = source_of(p, pixel, q, &at);
            for (size_t i = pixel; i < p->rows; i += pixels)
                p->values[i * p->count + q] = inside ? x[i / pixels * n_x + at] : 0;
        }
}

/* The other way round: sums[x] += every element that came from x. */
static void patches_add(const patches *p, double *sums)
{
    const size_t pixels = layout_pixels(p->c->y), n_x = layout_count(p->c->x);
    size_t at;
    for (size_t pixel = 0; pixel < pixels; pixel++)
        for (size_t q = 0; q < p->count; q++)
            for (size_t i = pixel; i < p->rows && source_of(p, pixel, q, &at); i += pixels)
                sums[i / pixels * n_x + at] += p->values[i * p->count + q];
}

static const real *filter_of(const patches *p, const real *weights, int f)
{
    return weights + (size_t)(p->group * group_filters(p->c) + f) * p->count;
}

/* Where output f of the group lies for row i of the patches. */
static size_t output_at(const patches *p, int f, size_t i)
{
    const size_t pixels = layout_pixels(p->c->y);
    return i / pixels * layout_count(p->c->y) + layout_at(p->c->y, (size_t)(p->group * group_filters(p->c) + f), i % pixels);
}

/* Images at once: their patches are copies, and should stay small. */
static size_t images_at_once(const convolution *c, size_t images)
{
    const size_t one = layout_pixels(c->y) * (size_t)group_channels(c) * (size_t)(c->shape.size * c->shape.size), most = (1 << 20) / one + 1;
    return images < most ? images : most;
}

/* The filters of the group as [count, filters]. */
static double *weights_by_patch(const patches *p, const real *weights)
{
    const size_t filters = (size_t)group_filters(p->c);
    double *transposed = new_numbers(p->count * filters);
    for (size_t k = 0; k < filters; k++)
        for (size_t q = 0; q < p->count; q++)
            transposed[q * filters + k] = filter_of(p, weights, (int)k)[q];
    return transposed;
}

/* Rows of the patches that share a pass through the weights. It changes the order in which sums take turns, not the order within a sum. */
enum { ROWS_AT_ONCE = 8 };

static size_t rows_from(const patches *p, size_t first)
{
    return p->rows - first < ROWS_AT_ONCE ? p->rows - first : ROWS_AT_ONCE;
}

/* The filters' sums for n rows of the patches: [n, filters]. */
DNX_HOT static void forward_rows(const patches *p, const double *weights, const real *bias, size_t first, size_t n, double *sums)
{
    const size_t filters = (size_t)group_filters(p->c);
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k < filters; k++)
            sums[i * filters + k] = bias ? (double)bias[(size_t)p->group * filters + k] : 0;
    for (size_t q = 0; q < p->count; q++)
        for (size_t i = 0; i < n; i++) {
            const double value = p->values[(first + i) * p->count + q];
            for (size_t k = 0; k < filters; k++)
                sums[i * filters + k] += value * weights[q * filters + k];
        }
}

static void forward_group(const convolution *c, int group, size_t images, const real *x, const real *bias, activation f, real *y, bool accumulate)
{
    patches p = patches_new(c, group, images);
    patches_fill(&p, x);
    const size_t filters = (size_t)group_filters(c);
    double *weights = weights_by_patch(&p, c->weights), *sums = new_numbers(ROWS_AT_ONCE * filters);
    for (size_t first = 0; first < p.rows; first += ROWS_AT_ONCE) {
        const size_t n = rows_from(&p, first);
        forward_rows(&p, weights, bias, first, n, sums);
        for (size_t i = 0; i < n; i++)
            for (size_t k = 0; k < filters; k++)
                ref_put(&y[output_at(&p, (int)k, first + i)], activation_at(f, sums[i * filters + k]).f, accumulate);
    }
    free(p.values);
    free(weights);
    free(sums);
}

void ref_convolution_forward(convolution *c, size_t rows, const real *x, const real *bias, activation f, real *y)
{
    const size_t n_x = layout_count(c->x), n_y = layout_count(c->y);
    for (size_t i = 0; i < rows * n_y && layout_channels(c->y) > (size_t)c->shape.out.channels; i++)
        y[i] = 0; /* padding */
    for (size_t r = 0, n; r < rows; r += n) {
        n = images_at_once(c, rows - r);
        for (int group = 0; group < c->shape.groups; group++)
            forward_group(c, group, n, x + r * n_x, bias, f, y + r * n_y, false);
    }
}

void ref_convolution_forward_slopes(convolution *c, size_t rows, const real *x, activation f, size_t value_rows, const real *value, real *y)
{
    const size_t n_y = layout_count(c->y);
    ref_convolution_forward(c, rows, x, NULL, ACTIVATION_LINEAR, y);
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < n_y; i++)
            y[r * n_y + i] *= activation_at(f, value[r % value_rows * n_y + i]).f1;
}

void ref_convolution_forward_add(convolution *c, size_t rows, const real *x, real *y)
{
    for (size_t r = 0, n; r < rows; r += n) {
        n = images_at_once(c, rows - r);
        for (int group = 0; group < c->shape.groups; group++)
            forward_group(c, group, n, x + r * layout_count(c->x), NULL, ACTIVATION_LINEAR, y + r * layout_count(c->y), true);
    }
}

/* Some rows of the patches += their adj_y of a filter times its weights. */
DNX_HOT static void add_filter(const patches *p, int filter, const real *adj_y, size_t first)
{
    const real *w = filter_of(p, p->c->weights, filter);
    for (size_t i = first; i < first + rows_from(p, first); i++) {
        const double delta = adj_y[output_at(p, filter, i)];
        for (size_t q = 0; q < p->count; q++)
            p->values[i * p->count + q] += delta * w[q];
    }
}

static void backward_data_group(const convolution *c, int group, size_t images, const real *adj_y, double *sums)
{
    patches p = patches_new(c, group, images);
    for (size_t first = 0; first < p.rows; first += ROWS_AT_ONCE)
        for (int k = 0; k < group_filters(c); k++)
            add_filter(&p, k, adj_y, first);
    patches_add(&p, sums);
    free(p.values);
}

void ref_convolution_backward_data(convolution *c, size_t rows, const real *adj_y, real *adj_x, bool accumulate)
{
    const size_t n_x = layout_count(c->x), n_y = layout_count(c->y);
    for (size_t r = 0, n; r < rows; r += n) {
        n = images_at_once(c, rows - r);
        double *sums = new_numbers(n * n_x);
        for (int group = 0; group < c->shape.groups; group++)
            backward_data_group(c, group, n, adj_y + r * n_y, sums);
        for (size_t i = 0; i < n * n_x; i++)
            ref_put(&adj_x[r * n_x + i], sums[i], accumulate);
        free(sums);
    }
}

/* sum += some rows of the patches, each times its adj_y of the filter. */
DNX_HOT static void add_rows(const patches *p, int filter, const real *adj_y, size_t first, double *sum)
{
    for (size_t i = first; i < first + rows_from(p, first); i++) {
        const double delta = adj_y[output_at(p, filter, i)];
        for (size_t q = 0; q < p->count; q++)
            sum[q] += delta * p->values[i * p->count + q];
    }
}

static void backward_weights_group(const convolution *c, int group, size_t images, const real *adj_y, const real *x, double *sums)
{
    patches p = patches_new(c, group, images);
    patches_fill(&p, x);
    for (size_t first = 0; first < p.rows; first += ROWS_AT_ONCE)
        for (int k = 0; k < group_filters(c); k++)
            add_rows(&p, k, adj_y, first, sums + (size_t)(group * group_filters(c) + k) * p.count);
    free(p.values);
}

void ref_convolution_backward_weights(convolution *c, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    const size_t count = (size_t)c->shape.out.channels * (size_t)group_channels(c) * (size_t)(c->shape.size * c->shape.size);
    double *sums = new_numbers(count);
    for (size_t r = 0, n; r < rows; r += n) {
        n = images_at_once(c, rows - r);
        for (int group = 0; group < c->shape.groups; group++)
            backward_weights_group(c, group, n, adj_y + r * layout_count(c->y), x + r * layout_count(c->x), sums);
    }
    for (size_t i = 0; i < count; i++)
        gradient[i] = (real)(gradient[i] + sums[i]);
    free(sums);
}

const char *ref_convolution_report(const convolution *c, convolution_direction direction)
{
    return "plain loops";
}
