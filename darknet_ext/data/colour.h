/* Photometric changes of pictures, numbers in 0..1.
 *
 * All four are affine in a pixel's red, green and blue: with m the mean of the picture and 1 = (1, 1, 1),
 *
 *     y = contrast (C x - C m) + C m + brightness 1        clipped to 0..1 at the end
 *
 * where C keeps the luma Y of YIQ, multiplies its chroma (I, Q) by `saturation` and turns it by `hue`. Without clipping in between the four commute:
 * the order of Inception's, which is drawn, has nothing to say. Inception turns the hue of HSV; the same in YIQ is a matrix. */
#ifndef DNX_DATA_COLOUR_H
#define DNX_DATA_COLOUR_H

#include "core/shape.h"

typedef struct colour_change {
    double brightness; /* added */
    double contrast, saturation; /* factors */
    double hue;        /* turns */
} colour_change;

/* x [shape] in place; 3 channels: red, green, blue; of others saturation and hue leave every channel alone. */
void colour_apply(const colour_change *c, tensor_shape shape, float *x);

#endif
