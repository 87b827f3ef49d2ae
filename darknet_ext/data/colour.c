#include "data/colour.h"

#include <math.h>
#include <stdbool.h>

/* Rows Y, I, Q of the FCC's matrix, and the columns of its inverse that belong to I and Q; that of Y is 1. */
static const double to_yiq[3][3] = {{.299, .587, .114}, {.596, -.274, -.322}, {.211, -.523, .312}};
static const double from_i[3] = {.956170685404, -.272688602330, -1.103744082176}, from_q[3] = {.621432566347, -.646813237020, 1.700623094677};

/* C: back from (Y, saturation times (I, Q) turned by hue). */
static void chroma_matrix(const colour_change *c, double matrix[3][3])
{
    double cosine = c->saturation * cos(2 * M_PI * c->hue), sine = c->saturation * sin(2 * M_PI * c->hue);
    for (int row = 0; row < 3; ++row)
        for (int k = 0; k < 3; ++k) {
            double i = to_yiq[1][k], q = to_yiq[2][k];
            matrix[row][k] = to_yiq[0][k] + from_i[row] * (cosine * i - sine * q) + from_q[row] * (sine * i + cosine * q);
        }
}

static double mean_of(const float *x, size_t pixels)
{
    double sum = 0;
    for (size_t i = 0; i < pixels; ++i)
        sum += (double)x[i];
    return sum / (double)pixels;
}

static float clip(float x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

/* x = clip(scale x + offset) of one channel. */
static void apply_plane(float scale, float offset, size_t pixels, float *x)
{
    for (size_t i = 0; i < pixels; ++i)
        x[i] = clip(scale * x[i] + offset);
}

/* x = clip(m x + offset) of pixels whose channels lie one after the other. */
static void apply_matrix(const float m[3][3], const float offset[3], size_t pixels, float *x)
{
    float *restrict red = x, *restrict green = x + pixels, *restrict blue = x + 2 * pixels;
    for (size_t i = 0; i < pixels; ++i) {
        float r = red[i], g = green[i], b = blue[i];
        red[i] = clip(m[0][0] * r + m[0][1] * g + m[0][2] * b + offset[0]);
        green[i] = clip(m[1][0] * r + m[1][1] * g + m[1][2] * b + offset[1]);
        blue[i] = clip(m[2][0] * r + m[2][1] * g + m[2][2] * b + offset[2]);
    }
}

static void apply_to_colours(const colour_change *c, size_t pixels, float *x)
{
    double matrix[3][3], mean[3];
    float scaled[3][3], offset[3];
    chroma_matrix(c, matrix);
    for (int k = 0; k < 3; ++k)
        mean[k] = mean_of(x + (size_t)k * pixels, pixels);
    for (int row = 0; row < 3; ++row) {
        double changed_mean = 0;
        for (int k = 0; k < 3; ++k) {
            changed_mean += matrix[row][k] * mean[k];
            scaled[row][k] = (float)(c->contrast * matrix[row][k]);
        }
        offset[row] = (float)((1 - c->contrast) * changed_mean + c->brightness);
    }
    apply_matrix(scaled, offset, pixels, x);
}

void colour_apply(const colour_change *c, tensor_shape shape, float *x)
{
    size_t pixels = (size_t)shape.height * (size_t)shape.width;
    if (shape.channels == 3) {
        apply_to_colours(c, pixels, x);
        return;
    }
    for (int k = 0; k < shape.channels; ++k, x += pixels)
        apply_plane((float)c->contrast, (float)((1 - c->contrast) * mean_of(x, pixels) + c->brightness), pixels, x);
}
