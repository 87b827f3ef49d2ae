#include "core/random.h"

#include <math.h>
#include <Random123/philox.h>

enum { BLOCK_WORDS = 4 };

/* Words 4 block .. 4 block + 3 of the stream. */
static philox4x32_ctr_t stream_block(random_stream stream, uint64_t block)
{
    const philox4x32_key_t key = {{(uint32_t)stream.seed, (uint32_t)(stream.seed >> 32)}};
    const philox4x32_ctr_t counter = {{(uint32_t)block, (uint32_t)(block >> 32), stream.purpose, stream.index}};
    return philox4x32(counter, key);
}

static uint32_t stream_word(random_stream stream, uint64_t position)
{
    return stream_block(stream, position / BLOCK_WORDS).v[position % BLOCK_WORDS];
}

/* The middle of the word's interval of (0,1): never 0, never 1. */
static double unit(uint32_t word)
{
    return (word + .5) * 0x1p-32;
}

/* The next number of type real. */
static real real_next(real x, real towards)
{
#ifdef DNX_DOUBLE
    return nextafter(x, towards);
#else
    return nextafterf(x, towards);
#endif
}

static real least_above(double low)
{
    const real nearest = (real)low;
    return (double)nearest > low ? nearest : real_next(nearest, (real)INFINITY);
}

static real greatest_below(double high)
{
    const real nearest = (real)high;
    return (double)nearest < high ? nearest : real_next(nearest, (real)-INFINITY);
}

void random_uniform(random_stream stream, uint64_t first, size_t n, double low, double high, real *out)
{
    /* Rounding to real can reach a bound although unit() cannot. */
    const real least = least_above(low), greatest = greatest_below(high);
    for (size_t i = 0; i < n;) {
        const philox4x32_ctr_t block = stream_block(stream, (first + i) / BLOCK_WORDS);
        for (size_t word = (first + i) % BLOCK_WORDS; word < BLOCK_WORDS && i < n; word++, i++) {
            const real x = (real)(low + (high - low) * unit(block.v[word]));
            out[i] = x < least ? least : x > greatest ? greatest : x;
        }
    }
}

/* Box-Muller: words 2j and 2j+1 give the numbers at positions 2j and 2j+1. */
static void block_normals(philox4x32_ctr_t block, double normals[BLOCK_WORDS])
{
    for (int i = 0; i < BLOCK_WORDS; i += 2) {
        const double radius = sqrt(-2 * log(unit(block.v[i]))), angle = 2 * M_PI * unit(block.v[i + 1]);
        normals[i] = radius * cos(angle);
        normals[i + 1] = radius * sin(angle);
    }
}

void random_normal(random_stream stream, uint64_t first, size_t n, real *out)
{
    for (size_t i = 0; i < n;) {
        double normals[BLOCK_WORDS];
        block_normals(stream_block(stream, (first + i) / BLOCK_WORDS), normals);
        for (size_t word = (first + i) % BLOCK_WORDS; word < BLOCK_WORDS && i < n; word++, i++)
            out[i] = (real)normals[word];
    }
}

double random_one(random_stream stream, uint64_t position)
{
    return unit(stream_word(stream, position));
}

/* An unbiased number below `bound` (Lemire 2019, "Fast random integer generation in an interval"): a word whose product
 * falls into the incomplete part of the range is drawn again. */
static uint32_t bounded(random_stream stream, uint64_t *position, uint32_t bound)
{
    const uint32_t incomplete = -bound % bound;
    uint64_t product;
    do
        product = (uint64_t)stream_word(stream, (*position)++) * bound;
    while ((uint32_t)product < incomplete);
    return (uint32_t)(product >> 32);
}

void random_permutation(random_stream stream, uint32_t n, uint32_t *out)
{
    for (uint32_t i = 0; i < n; i++)
        out[i] = i;
    uint64_t position = 0;
    for (uint32_t i = n; i > 1; i--) {
        const uint32_t j = bounded(stream, &position, i), last = out[i - 1];
        out[i - 1] = out[j];
        out[j] = last;
    }
}
