/* The shape of one sample: Darknet's c x h x w, a vector is count x 1 x 1. */
#ifndef DNX_CORE_SHAPE_H
#define DNX_CORE_SHAPE_H

#include <limits.h>
#include <stddef.h>

typedef struct tensor_shape {
    int channels, height, width;
} tensor_shape;

static inline size_t shape_count(tensor_shape s)
{
    return (size_t)s.channels * (size_t)s.height * (size_t)s.width;
}

static inline tensor_shape shape_vector(int count)
{
    return (tensor_shape){count, 1, 1};
}

/* A size that may be beyond int: then the largest int, which no shape may have. */
static inline int shape_size(size_t n)
{
    return n < INT_MAX ? (int)n : INT_MAX;
}

/* How one sample lies in memory: `block` channels of a pixel next to each other, then the pixels, then the next block of channels; the
 * last block is padded. Block 1 is Darknet's c x h x w, block 16 oneDNN's nChw16c. Padding holds finite numbers that no result uses. */
typedef struct tensor_layout {
    tensor_shape shape;
    int block;
} tensor_layout;

/* Channels with padding. */
static inline size_t layout_channels(tensor_layout l)
{
    return ((size_t)l.shape.channels + (size_t)l.block - 1) / (size_t)l.block * (size_t)l.block;
}

static inline size_t layout_pixels(tensor_layout l)
{
    return (size_t)l.shape.height * (size_t)l.shape.width;
}

/* Elements of one sample, padding included. */
static inline size_t layout_count(tensor_layout l)
{
    return layout_channels(l) * layout_pixels(l);
}

/* Where channel c of pixel p lies. */
static inline size_t layout_at(tensor_layout l, size_t c, size_t p)
{
    const size_t block = (size_t)l.block;
    return c / block * block * layout_pixels(l) + p * block + c % block;
}

#endif
