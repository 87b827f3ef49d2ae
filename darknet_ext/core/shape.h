/* The shape of one sample: Darknet's c x h x w, a vector is count x 1 x 1. */
#ifndef DNX_CORE_SHAPE_H
#define DNX_CORE_SHAPE_H

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

#endif
