/* `view=` of [data]: which part of a picture a network sees, where nothing is drawn. */
#ifndef DNX_DATA_PICTURE_VIEW_H
#define DNX_DATA_PICTURE_VIEW_H

#include <stdbool.h>

#include "core/options.h"
#include "core/shape.h"

struct picture;
struct picture_tools;

typedef struct picture_view {
    bool centred; /* the middle of the picture, scaled until it covers the input / `part`; else picture_letterbox() */
    double part;  /* of the scaled picture's shorter side that is seen: .875 for 224 of 256 */
} picture_view;

/* Crop 0 is the middle; 1..4 are the corners (top left, top right, bottom left, bottom right) and 5..9 the mirror images of 0..4. */
enum { PICTURE_CROPS = 10 };

/* view= and centre=; without view= pictures are centred when training augments them as Inception's. */
picture_view picture_view_read(const section *data);

/* x [shape], 0..1, of one crop; of a view that is not centred there is crop 0 alone. STATUS_FAILED with a sentence when the picture is too long to be
 * scaled, or has other channels. */
status picture_see(const picture_view *v, const struct picture_tools *tools, const struct picture *p, int crop, tensor_shape shape, float *x);

/* The window of a picture that begins at (top, left), as numbers 0..1 of x [shape]; its rows backwards when mirrored. */
void picture_window(const struct picture *p, int top, int left, bool mirrored, tensor_shape shape, float *x);

#endif
