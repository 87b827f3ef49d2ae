/* The gradient of one output by the pixels of a picture, as pictures. */
#ifndef DNX_MODEL_SALIENCY_H
#define DNX_MODEL_SALIENCY_H

#include "core/shape.h"
#include "data/image_files.h"

/* gradient [channels, height, width]. Both are of the shape's height and width, scaled so that only one pixel in a hundred is larger than the
 * brightest colour shows:
 *     signed     the sum over channels: red where the output rises with the pixel's brightness, blue where it falls, white for 0
 *     magnitude  the length over channels: black for 0, white for the largest */
status saliency_signed(tensor_shape shape, const double *gradient, picture *p);
status saliency_magnitude(tensor_shape shape, const double *gradient, picture *p);

#endif
