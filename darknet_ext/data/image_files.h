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

/* A part of a picture, pixels. */
typedef struct picture_part {
    int top, left, height, width;
} picture_part;

/* That part (within the picture, not empty) in another size: averaged where it shrinks (OpenCV's INTER_AREA), else bilinear. STATUS_FAILED. */
status picture_scale(const picture *p, picture_part part, int height, int width, picture *scaled);

/* What the program offers to the plugin, which is not linked with OpenCV. */
typedef struct picture_tools {
    status (*read)(const char *path, int channels, picture *p);
    status (*scale)(const picture *p, picture_part part, int height, int width, picture *scaled);
} picture_tools;
extern const picture_tools picture_tools_of_opencv;

status picture_allocate(picture *p, int channels, int height, int width);
void picture_free(picture *p);

/* What `darknet classifier predict` gives to a network for pictures of this shape: numbers in 0..1, [channels, height, width], the picture scaled
 * until it fits (bilinear) and put in the middle, 0.5 around it. */
status picture_letterbox(const picture *p, tensor_shape shape, double *x);

#ifdef __cplusplus
}
#endif

#endif
