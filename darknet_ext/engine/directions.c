#define XXH_INLINE_ALL
#include "engine/directions.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

static void normalise(size_t count, real *v)
{
    double sum = 0;
    for (size_t k = 0; k < count; ++k)
        sum += (double)v[k] * (double)v[k];
    if (sum == 0) { /* so improbable that any unit vector will do */
        v[0] = 1;
        return;
    }
    double scale = 1 / sqrt(sum);
    for (size_t k = 0; k < count; ++k)
        v[k] = (real)((double)v[k] * scale);
}

/* One random vector at the given position of the stream. */
static void draw(projection_kind kind, random_stream stream, uint64_t position, size_t count, real *v)
{
    switch (kind) {
    case PROJECTION_SPHERE:
        random_normal(stream, position, count, v);
        normalise(count, v);
        return;
    case PROJECTION_GAUSSIAN:
        random_normal(stream, position, count, v);
        return;
    case PROJECTION_RADEMACHER:
        for (size_t k = 0; k < count; ++k)
            v[k] = random_one(stream, position + k) < .5 ? -1 : 1;
        return;
    case PROJECTION_CLASS: /* directions_of_class() */
        return;
    case PROJECTION_COORDINATE: {
        size_t chosen = (size_t)(random_one(stream, position) * (double)count);
        memset(v, 0, count * sizeof *v);
        v[chosen < count ? chosen : count - 1] = 1;
        return;
    }
    }
}

/* Direction i of sample b: its stream, and its position there. Two words make a normal number. */
static void draw_for_sample(const direction_source *source, random_purpose purpose, int n, int i, int b, size_t count, real *v)
{
    random_stream stream = {source->seed, purpose, 0};
    uint64_t slot = ((source->step * (uint64_t)n + (uint64_t)i) * (uint64_t)source->capacity) + (uint64_t)b;
    if (source->samples) {
        const real *sample = source->samples->data + (size_t)b * source->samples->count;
        stream.seed = XXH3_64bits_withSeed(sample, source->samples->count * sizeof *sample, source->seed);
        slot = (uint64_t)i;
    }
    draw(source->kind, stream, slot * 2 * count, count, v);
}

void directions_fill(const direction_source *source, random_purpose purpose, bool unit_vectors, int n, int repeats, int batch,
                     size_t count, real *out)
{
    size_t block = (size_t)batch * count;
    for (int i = 0; i < n; ++i) {
        real *first = out + (size_t)i * (size_t)repeats * block;
        for (int b = 0; b < batch; ++b) {
            real *v = first + (size_t)b * count;
            if (unit_vectors) {
                memset(v, 0, count * sizeof *v);
                v[i] = 1;
            } else {
                draw_for_sample(source, purpose, n, i, b, count, v);
            }
        }
        directions_repeat(1, repeats, batch, count, first);
    }
}

void directions_repeat(int n, int copies, int batch, size_t count, real *out)
{
    size_t block = (size_t)n * (size_t)batch * count;
    for (int c = 1; c < copies; ++c)
        memcpy(out + (size_t)c * block, out, block * sizeof *out);
}

/* Of the largest number that is given; all 0 when none is. */
static void unit_of_largest(size_t count, const real *values, real *v)
{
    size_t largest = count;
    for (size_t k = 0; k < count; ++k)
        if (!isnan(values[k]) && (largest == count || values[k] > values[largest]))
            largest = k;
    memset(v, 0, count * sizeof *v);
    if (largest < count)
        v[largest] = 1;
}

void directions_of_class(const real *values, int repeats, int batch, size_t count, real *out)
{
    for (size_t b = 0; b < (size_t)batch; ++b)
        unit_of_largest(count, values + b * count, out + b * count);
    directions_repeat(1, repeats, batch, count, out);
}
