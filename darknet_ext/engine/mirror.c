#include "engine/mirror.h"

#include <string.h>

void mirror_image(tensor_shape shape, const real *x, real *y)
{
    size_t width = (size_t)shape.width, rows = shape_count(shape) / width;
    for (size_t i = 0; i < rows; ++i)
        for (size_t j = 0; j < width; ++j)
            y[i * width + j] = x[i * width + width - 1 - j];
}

void mirror_directions(size_t n, size_t batch, size_t count, real *v)
{
    size_t half = batch / 2 * count;
    for (size_t i = 0; i < n; ++i)
        memcpy(v + i * batch * count + half, v + i * batch * count, half * sizeof *v);
}

void mirror_targets(size_t n, size_t batch, tensor_shape shape, const real *g, real *t)
{
    size_t half = batch / 2, count = shape_count(shape);
    for (size_t i = 0; i < n; ++i, g += batch * count, t += batch * count) {
        for (size_t b = 0; b < 2 * half; ++b)
            mirror_image(shape, g + (b < half ? b + half : b - half) * count, t + b * count);
        memcpy(t + 2 * half * count, g + 2 * half * count, (batch - 2 * half) * count * sizeof *t);
    }
}

/* e_b = g_b - M g_p and e_p = g_p - M g_b: g_b is in both. */
void mirror_gradients(size_t n, size_t batch, tensor_shape shape, real *r)
{
    size_t half = batch / 2, count = shape_count(shape), width = (size_t)shape.width;
    for (size_t i = 0; i < n; ++i, r += batch * count)
        for (size_t k = 0; k < half * count; ++k) {
            real *own = r + k, *other = r + half * count + k - k % width + width - 1 - k % width, kept = *own;
            *own -= *other;
            *other -= kept;
        }
}
