/* target=flip (Zagoruyko and Komodakis 2017): the second half of a batch holds the mirror images of the first, and the derivatives at an image
 * shall be the mirror images of those at its partner,
 *
 *     sum over all samples b of loss_1(g_b, M g_partner(b))       M mirrors every row of pixels
 *
 * so that both sides of a pair are differentiated. The last sample of an odd batch has no partner and counts nothing. */
#ifndef DNX_ENGINE_MIRROR_H
#define DNX_ENGINE_MIRROR_H

#include <stddef.h>

#include "core/real.h"
#include "core/shape.h"

/* y = M x, one image. */
void mirror_image(tensor_shape shape, const real *x, real *y);

/* Partners get the same directions: those of the first half. v: [n][batch][count]. */
void mirror_directions(size_t n, size_t batch, size_t count, real *v);

/* t = M g of the partner; of one without, g itself. [n][batch][shape] each. */
void mirror_targets(size_t n, size_t batch, tensor_shape shape, const real *g, real *t);

/* r holds the derivative of each loss by its own g; it becomes that of their sum. */
void mirror_gradients(size_t n, size_t batch, tensor_shape shape, real *r);

#endif
