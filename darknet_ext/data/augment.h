/* `augment=` of [data]: training pictures that are never twice the same.
 *
 * What is drawn is a function of the seed and of the sample's position in the sequence of epochs (train/epochs.h), and of nothing else: the same for
 * any number of threads, and after a resume. */
#ifndef DNX_DATA_AUGMENT_H
#define DNX_DATA_AUGMENT_H

#include <stdbool.h>
#include <stdint.h>

#include "core/options.h"
#include "core/shape.h"

typedef enum augment_kind {
    AUGMENT_NONE,
    AUGMENT_PAD_CROP, /* the picture with zeros around it, and of that a part as large as the picture */
    AUGMENT_INCEPTION /* a part of any size and shape, scaled, in other colours */
} augment_kind;

/* All zero: nothing is changed. */
typedef struct augmentation {
    augment_kind kind;
    uint64_t seed;
    bool flip;   /* half of the pictures are mirrored */
    int padding; /* AUGMENT_PAD_CROP: zeros on each side, pixels */
    double min_area, max_area; /* AUGMENT_INCEPTION: of the part, as parts of the picture's */
    double aspect;             /* the largest width / height of the part; the smallest is 1 / aspect */
    double brightness, contrast, saturation, hue; /* how far the factors of data/colour.h go */
} augmentation;

/* What the section says, absent keys as documented. STATUS_BAD_CONFIG at the place of a key that does not fit pictures of this shape. */
status augment_read(augmentation *a, const section *data, const char *path, tensor_shape shape, uint64_t seed);

/* AUGMENT_PAD_CROP, of the picture at that position: y(c, i, j) = x(c, i + d_i, j + d_j), 0 where x has no such pixel, each d drawn from -padding ..
 * padding; mirrored then, when that is drawn. x and y [shape], not the same. */
void augment_pad_crop(const augmentation *a, uint64_t position, tensor_shape shape, const float *x, float *y);

#endif
