/* Tangents of image transformations (Simard, Victorri, LeCun, Denker 1991): v = d/d eps of the image that is transformed by eps, at eps = 0.
 *
 * With a and b the derivatives of the image by column and row, central differences of its pixels (beyond an edge its pixel repeats), and
 * u and w the distances of a pixel from the centre, to the right and down:
 *
 *     translate_x    - a                     to the right
 *     translate_y    - b                     down
 *     rotate         (w a - u b) / R         clockwise, about the centre
 *     scale          - (u a + w b) / R       larger, from the centre
 *
 * R is half the longer side, so that all four move pixels by about eps, these two at the edge of the image. v is linear in the image; of an
 * image that is a polynomial of the second degree it is exact but at the edges. Channels are transformed alike. */
#ifndef DNX_ENGINE_TRANSFORMATIONS_H
#define DNX_ENGINE_TRANSFORMATIONS_H

#include "core/real.h"
#include "core/shape.h"
#include "layers/sobolev.h"

/* v [shape] of the plain image x [shape]. */
void transformation_tangent(transformation_kind kind, tensor_shape shape, const real *x, real *v);

#endif
