#include "model/saliency.h"

#include <math.h>
#include <stdlib.h>

static const double shown = .99; /* the part of the pixels that the scale holds */

static int compare_numbers(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* 1 / the number that is white, or fully coloured: a high quantile of the sizes, or the largest where that is 0. `scratch` [count]. */
static double scale_of(const double *values, size_t count, double *scratch)
{
    for (size_t i = 0; i < count; ++i)
        scratch[i] = fabs(values[i]);
    qsort(scratch, count, sizeof *scratch, compare_numbers);
    double top = scratch[(size_t)(shown * (double)(count - 1))];
    if (top <= 0)
        top = scratch[count - 1];
    return top > 0 ? 1 / top : 0;
}

static double sum_of_pixel(tensor_shape shape, const double *gradient, size_t pixel)
{
    size_t pixels = (size_t)shape.height * (size_t)shape.width;
    double sum = 0;
    for (size_t c = 0; c < (size_t)shape.channels; ++c)
        sum += gradient[c * pixels + pixel];
    return sum;
}

static double length_of_pixel(tensor_shape shape, const double *gradient, size_t pixel)
{
    size_t pixels = (size_t)shape.height * (size_t)shape.width;
    double sum = 0;
    for (size_t c = 0; c < (size_t)shape.channels; ++c)
        sum += gradient[c * pixels + pixel] * gradient[c * pixels + pixel];
    return sqrt(sum);
}

static unsigned char level(double part)
{
    return (unsigned char)lround(255 * fmin(fmax(part, 0), 1));
}

static void paint_signed(double value, unsigned char *pixel)
{
    unsigned char rest = level(1 - fabs(value));
    pixel[0] = value >= 0 ? 255 : rest;
    pixel[1] = rest;
    pixel[2] = value <= 0 ? 255 : rest;
}

static void paint_magnitude(double value, unsigned char *pixel)
{
    *pixel = level(value);
}

static status paint(tensor_shape shape, const double *gradient, double (*value)(tensor_shape, const double *, size_t), int channels,
                    void (*colour)(double, unsigned char *), picture *p)
{
    size_t pixels = (size_t)shape.height * (size_t)shape.width;
    double *values = allocate_zeroed(2 * pixels, sizeof *values);
    *p = (picture){0};
    status s = values ? picture_allocate(p, channels, shape.height, shape.width) : STATUS_NO_MEMORY;
    for (size_t i = 0; s == STATUS_OK && i < pixels; ++i)
        values[i] = value(shape, gradient, i);
    double scale = s == STATUS_OK ? scale_of(values, pixels, values + pixels) : 0;
    for (size_t i = 0; s == STATUS_OK && i < pixels; ++i)
        colour(scale * values[i], p->pixels + i * (size_t)channels);
    free(values);
    return s;
}

status saliency_signed(tensor_shape shape, const double *gradient, picture *p)
{
    return paint(shape, gradient, sum_of_pixel, 3, paint_signed, p);
}

status saliency_magnitude(tensor_shape shape, const double *gradient, picture *p)
{
    return paint(shape, gradient, length_of_pixel, 1, paint_magnitude, p);
}
