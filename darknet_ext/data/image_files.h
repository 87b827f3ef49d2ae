/* Pictures in files, through OpenCV (image_files.cpp, the only C++ of the plugin), and as inputs of a network. */
#ifndef DNX_DATA_IMAGE_FILES_H
#define DNX_DATA_IMAGE_FILES_H

#include "core/shape.h"
#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct picture {
    int channels, height, width; /* channels: 1 (grey) or 3 (red, green, blue) */
    unsigned char *pixels;       /* [height, width, channels], owned */
} picture;

/* Any format that OpenCV knows, turned as its EXIF data say, grey or coloured as `channels` says. STATUS_BAD_FILE with one sentence. */
status picture_read(const char *path, int channels, picture *p);

/* As PNG; the file appears whole or not at all. */
status picture_write(const char *path, const picture *p);

status picture_allocate(picture *p, int channels, int height, int width);
void picture_free(picture *p);

/* What `darknet classifier predict` gives to a network for pictures of this shape: numbers in 0..1, [channels, height, width], the picture scaled until
 * it fits (bilinear) and put in the middle, 0.5 around it. */
status picture_letterbox(const picture *p, tensor_shape shape, double *x);

#ifdef __cplusplus
}
#endif

#endif
