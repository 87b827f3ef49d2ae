/* Random networks around one layer type: adding a layer means adding a function here (layers/README.md). */
#ifndef DNX_TESTS_LAYER_SHAPES_H
#define DNX_TESTS_LAYER_SHAPES_H

#include <stdint.h>
#include <stdio.h>

typedef struct shape_source {
    uint64_t state;
} shape_source;

/* A whole number of low..high. */
int draw_int(shape_source *source, int low, int high);
/* One of n names. */
const char *draw_name(shape_source *source, const char *const *names, int n);

typedef struct layer_shape {
    const char *layer;
    /* Writes the input's keys of [net], then the sections: at most a dozen inputs and outputs, for the checks take long. */
    void (*draw)(shape_source *source, FILE *out);
    int highest_order; /* checked with order 1 .. this */
} layer_shape;

extern const layer_shape layer_shapes[];
extern const int layer_shape_count;

#endif
