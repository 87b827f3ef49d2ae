/* OpenCV's reader of Darknet's files, for tests. */
#ifndef DNX_TESTS_OPENCV_READER_H
#define DNX_TESTS_OPENCV_READER_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The network's output at one input [channels, height, width]: up to `capacity` numbers go to y. Returns how many there are, or -1 with OpenCV's
 * reason in `error`. */
long opencv_predict(const char *cfg, const char *weights, int channels, int height, int width, const float *x, float *y, size_t capacity, char *error,
                    size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
