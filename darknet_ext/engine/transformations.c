#include "engine/transformations.h"

/* One channel, and a pixel of it. */
typedef struct pixel_place {
    const real *image;
    int height, width, i, j;
} pixel_place;

static int within(int k, int size)
{
    return k < 0 ? 0 : k < size ? k : size - 1;
}

static double pixel(const pixel_place *p, int down, int right)
{
    return (double)p->image[within(p->i + down, p->height) * p->width + within(p->j + right, p->width)];
}

static double tangent_at(transformation_kind kind, const pixel_place *p)
{
    double by_column = (pixel(p, 0, 1) - pixel(p, 0, -1)) / 2, by_row = (pixel(p, 1, 0) - pixel(p, -1, 0)) / 2;
    double right = p->j - (p->width - 1) / 2., down = p->i - (p->height - 1) / 2.;
    double reach = (p->width > p->height ? p->width : p->height) / 2.;
    switch (kind) {
    case TRANSLATE_X:
        return -by_column;
    case TRANSLATE_Y:
        return -by_row;
    case ROTATE:
        return (down * by_column - right * by_row) / reach;
    default:
        return -(right * by_column + down * by_row) / reach;
    }
}

void transformation_tangent(transformation_kind kind, tensor_shape shape, const real *x, real *v)
{
    size_t plane = (size_t)shape.height * (size_t)shape.width;
    for (int c = 0; c < shape.channels; ++c) {
        pixel_place p = {.image = x + (size_t)c * plane, .height = shape.height, .width = shape.width};
        for (p.i = 0; p.i < p.height; ++p.i)
            for (p.j = 0; p.j < p.width; ++p.j)
                *v++ = (real)tangent_at(kind, &p);
    }
}
