#include "backend/ref/ref.h"

/* One product of an unshared convolution: weight w between element x of an input image and element y of an output image. */
typedef struct product {
    size_t w, x, y;
} product;

/* The product of output pixel p, filter f, channel c and kernel element k; false: it reads outside of the image. */
static bool product_at(const convolution_shape *s, int p, int f, int c, int k, product *at)
{
    const int row = p / s->out.width * s->stride + k / s->size - s->pad, column = p % s->out.width * s->stride + k % s->size - s->pad;
    const size_t pixels = (size_t)(s->out.height * s->out.width), filters = (size_t)s->out.channels, channels = (size_t)s->in.channels;
    if (row < 0 || row >= s->in.height || column < 0 || column >= s->in.width)
        return false;
    *at = (product){
        .w = (((size_t)p * filters + (size_t)f) * channels + (size_t)c) * (size_t)(s->size * s->size) + (size_t)k,
        .x = (size_t)((c * s->in.height + row) * s->in.width + column),
        .y = (size_t)f * pixels + (size_t)p,
    };
    return true;
}

#define FOR_EACH_OUTPUT(s, p, f)                               \
    for (int p = 0; p < (s)->out.height * (s)->out.width; p++) \
        for (int f = 0; f < (s)->out.channels; f++)

#define FOR_EACH_PRODUCT(s, p, f, at)                      \
    for (int c_ = 0; c_ < (s)->in.channels; c_++)          \
        for (int k_ = 0; k_ < (s)->size * (s)->size; k_++) \
            if (product_at(s, p, f, c_, k_, &at))

void ref_local_forward(const convolution_shape *shape, size_t rows, const real *weights, const real *x, real *y)
{
    const size_t pixels = (size_t)(shape->out.height * shape->out.width);
    product at;
    for (size_t r = 0; r < rows; r++)
        FOR_EACH_OUTPUT(shape, p, f)
        {
            double sum = 0;
            FOR_EACH_PRODUCT(shape, p, f, at)
            sum += (double)weights[at.w] * x[r * shape_count(shape->in) + at.x];
            y[r * shape_count(shape->out) + (size_t)f * pixels + (size_t)p] = (real)sum;
        }
}

/* The sum over everything that one input element goes into. */
static double adjoint_of_input(const convolution_shape *s, const real *weights, const real *adj_y, int c, int row, int column)
{
    double sum = 0;
    product at;
    for (int k = 0; k < s->size * s->size; k++) {
        const int i = row + s->pad - k / s->size, j = column + s->pad - k % s->size;
        if (i < 0 || i % s->stride || i / s->stride >= s->out.height || j < 0 || j % s->stride || j / s->stride >= s->out.width)
            continue;
        for (int f = 0; f < s->out.channels; f++)
            if (product_at(s, i / s->stride * s->out.width + j / s->stride, f, c, k, &at))
                sum += (double)weights[at.w] * adj_y[at.y];
    }
    return sum;
}

void ref_local_backward_data(const convolution_shape *shape, size_t rows, const real *weights, const real *adj_y, real *adj_x, bool accumulate)
{
    const tensor_shape in = shape->in;
    const size_t n_x = shape_count(in), n_y = shape_count(shape->out);
    for (size_t r = 0; r < rows; r++)
        for (int c = 0; c < in.channels; c++)
            for (int p = 0; p < in.height * in.width; p++)
                ref_put(&adj_x[r * n_x + (size_t)(c * in.height * in.width + p)],
                        adjoint_of_input(shape, weights, adj_y + r * n_y, c, p / in.width, p % in.width), accumulate);
}

void ref_local_backward_weights(const convolution_shape *shape, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    product at;
    FOR_EACH_OUTPUT(shape, p, f)
    FOR_EACH_PRODUCT(shape, p, f, at)
    {
        double sum = 0;
        for (size_t r = 0; r < rows; r++)
            sum += (double)adj_y[r * shape_count(shape->out) + at.y] * x[r * shape_count(shape->in) + at.x];
        gradient[at.w] = (real)(gradient[at.w] + sum);
    }
}
