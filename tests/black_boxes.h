/* Constants that black_boxes.c and its test share. */
#ifndef TESTS_BLACK_BOXES_H
#define TESTS_BLACK_BOXES_H

/* smooth: y_k = sin(<waves[k], x> + k); the functions that go wrong do so where x0 is above this. */
static const double waves[2][3] = {{1, -.5, 2}, {.25, 1.5, -1}};
static const double goes_wrong_above = 10;
static const double noise_size = 1e-6;

#endif
