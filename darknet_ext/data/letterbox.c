/* Darknet's own scaling: first along rows, then along columns; the first and the last pixel stay the first and the last. */
#include <stdbool.h>
#include <stdlib.h>

#include "data/image_files.h"

status picture_allocate(picture *p, int channels, int height, int width)
{
    *p = (picture){channels, height, width, allocate_zeroed((unsigned long)height * (unsigned long)width, (unsigned long)channels)};
    return p->pixels ? STATUS_OK : STATUS_NO_MEMORY;
}

void picture_free(picture *p)
{
    free(p->pixels);
    *p = (picture){0};
}

/* Where number i of `count` lies among `from_count`: part 1 - fraction of `first`, part fraction of the one after it. */
typedef struct position {
    int first;
    float fraction;
} position;

static position position_of(int i, int count, int from_count)
{
    if (i == count - 1 || from_count == 1)
        return (position){from_count - 1, 0};
    float at = (float)i * ((float)(from_count - 1) / (float)(count - 1));
    return (position){(int)at, at - (float)(int)at};
}

static float pixel(const picture *p, int row, int column, int channel)
{
    return (float)p->pixels[((size_t)row * (size_t)p->width + (size_t)column) * (size_t)p->channels + (size_t)channel] / 255.f;
}

static float between(float a, float b, float fraction)
{
    return (1 - fraction) * a + fraction * b;
}

static float pixel_along_row(const picture *p, int row, position column, int channel)
{
    float here = pixel(p, row, column.first, channel);
    return column.fraction > 0 ? between(here, pixel(p, row, column.first + 1, channel), column.fraction) : here;
}

static float scaled_pixel(const picture *p, position row, position column, int channel)
{
    float here = pixel_along_row(p, row.first, column, channel);
    return row.fraction > 0 ? between(here, pixel_along_row(p, row.first + 1, column, channel), row.fraction) : here;
}

static int at_least_1(int side)
{
    return side > 0 ? side : 1;
}

/* Height and width of the scaled picture. */
static void fit(const picture *p, tensor_shape shape, int *height, int *width)
{
    *height = shape.height;
    *width = shape.width;
    if ((float)shape.width / (float)p->width < (float)shape.height / (float)p->height)
        *height = at_least_1((int)((long)p->height * shape.width / p->width));
    else
        *width = at_least_1((int)((long)p->width * shape.height / p->height));
}

status picture_letterbox(const picture *p, tensor_shape shape, double *x)
{
    int height, width;
    if (p->channels != shape.channels)
        return status_fail(STATUS_FAILED, "a picture of %d channels for a network that takes %d", p->channels, shape.channels);
    fit(p, shape, &height, &width);
    int top = (shape.height - height) / 2, left = (shape.width - width) / 2;
    for (int c = 0; c < shape.channels; ++c)
        for (int row = 0; row < shape.height; ++row)
            for (int column = 0; column < shape.width; ++column) {
                int i = row - top, j = column - left;
                bool inside = i >= 0 && i < height && j >= 0 && j < width;
                *x++ = inside ? (double)scaled_pixel(p, position_of(i, height, p->height), position_of(j, width, p->width), c) : .5;
            }
    return STATUS_OK;
}
