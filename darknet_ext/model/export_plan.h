/* A network as it will be written for other readers: its layers with their weights, to be changed before they are written.
 *
 * The arrays are the network's own where nothing had to be made for them: what is folded changes the network. */
#ifndef DNX_MODEL_EXPORT_PLAN_H
#define DNX_MODEL_EXPORT_PLAN_H

#include "bridge/plugin.h"

/* Of [convolutional] and [maxpool]; of a convolution the padding of one side, of [maxpool] of both sides together. */
typedef struct plan_window {
    int size, stride, padding;
} plan_window;

typedef struct plan_layer {
    const section *where;    /* in the cfg */
    const char *type;        /* the section it is written as */
    int index;               /* in the network */
    bool adopted;            /* the engine runs it, not Darknet */
    int *inputs, n_inputs;   /* layers of the plan; -1: the network's input */
    tensor_shape in, out;
    bool shapeless;          /* in stock Darknet the output is a count of numbers, without channels, height and width */
    bool dropped;            /* passes its input on: readers read that */
    const char *activation;  /* NULL: it has none */
    plan_window window;
    double temperature;      /* [softmax] */
    layer_arrays arrays;
    bool made;               /* a convolution in the place of another layer */
    float *made_weights, *made_biases; /* arrays that are not the network's */
} plan_layer;

typedef struct plan {
    const config *config;
    plan_layer *layers;
    int n;
    int output; /* the layer whose output is the network's */
    tensor_shape input;
} plan;

/* One sentence about a layer that some reader cannot run. */
typedef void (*plan_complaint)(void *context, const plan_layer *l, const char *text);

status plan_create(plan *p, plugin_network *network);
void plan_free(plan *p);

bool plan_is(const plan_layer *l, const char *type);

/* How many layers that stay read this one. */
int plan_readers(const plan *p, int layer);

/* The one layer below when nobody else reads it; NULL otherwise. */
plan_layer *plan_own_input(const plan *p, const plan_layer *l);

/* Takes a layer away whose output is its first input. One that reads the network's input stays, as a convolution that changes nothing,
 * when a layer refers to it by number, or there is no other. */
status plan_drop(plan *p, plan_layer *l);

/* Puts y_c = f(factor_c x_c + shift_c) for every channel c in the place of a layer, as a convolution with one filter per channel; f NULL: linear.
 * factors NULL: 1, shifts NULL: 0. */
status plan_make_convolution(plan_layer *l, const double *factors, const double *shifts, const char *f);

/* Stock Darknet takes a kernel of one number over the image as it lies, whatever stride and padding say: the same as a kernel of 3 x 3. */
status plan_widen_kernel(plan_layer *l);

#endif
