/* augment=inception of [data]. */
#ifndef DNX_DATA_AUGMENT_INCEPTION_H
#define DNX_DATA_AUGMENT_INCEPTION_H

#include "data/augment.h"
#include "data/image_files.h"

/* x [shape], 0..1, of a part of a picture (Szegedy et al. 2015; torchvision's RandomResizedCrop): its area is uniform in min_area .. max_area of
 * the picture's, the logarithm of width / height uniform in +-log(aspect), its place anywhere. Ten sizes are tried; when none fits, it is the
 * largest part in the middle whose shape is allowed. It is scaled to the input and mirrored when that is drawn; then colours are changed
 * (data/colour.h): brightness is uniform in +-brightness, factors in 1 +- contrast and 1 +- saturation, hue in +-hue. Fails as picture_scale(). */
picture_part augment_part(const augmentation *a, uint64_t position, int height, int width);
status augment_inception(const augmentation *a, uint64_t position, const picture_tools *tools, const picture *p, tensor_shape shape, float *x);

#endif
