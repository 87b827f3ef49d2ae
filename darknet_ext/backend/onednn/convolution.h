/* How this backend computes a convolution, each direction on its own.
 *
 *     convolution.c            the interface of backend.h: runs of rows in chunks, images brought into other layouts and back
 *     convolution_choice.c     which ways there are, what each costs, and the report
 *     convolution_primitive.c  oneDNN's convolutions, prepared once per direction, rows and threads
 *     convolution_weights.c    the weights as the inner convolution reads them
 *     convolution_patches.c    matrix products of patches, for what oneDNN does slowly
 *     convolution_depthwise.c  loops over blocks of channels, for kernels that oneDNN has no depthwise code for
 *     convolution_strided.c    matrix products of patches that are read in place, for few filters and a stride
 *     convolution_winograd.c   Winograd's minimal filtering, where oneDNN has none
 *     space_to_depth.c         squares of pixels as channels
 *
 * A direction is computed as an INNER convolution between images of its own layouts. It may have more channels (whole blocks),
 * fewer groups (several groups as one, with zeros between them), or channels instead of squares of pixels and no stride. */
#ifndef DNX_BACKEND_ONEDNN_CONVOLUTION_H
#define DNX_BACKEND_ONEDNN_CONVOLUTION_H

#include "backend/onednn/onednn.h"

#include <oneapi/dnnl/dnnl.h>

typedef enum method { METHOD_DIRECT, METHOD_WINOGRAD, METHOD_DEPTHWISE, METHOD_PATCHES, METHOD_STRIDED, METHOD_OWN_WINOGRAD } method;

enum { MAX_RECIPES = 8, MAX_KERNELS = 24, MAX_WEIGHT_COPIES = 8, REPORT_LENGTH = 320 };

/* One way to compute a direction. */
typedef struct recipe {
    method method;
    int merged;              /* so many groups are one group of `inner` */
    int cell;                /* side of the squares of pixels that became channels; 1: none */
    convolution_shape inner; /* channels with padding */
    int x_block, y_block;    /* of the inner images */
    double row_cost, call_cost; /* time per image and per call, in multiplications of a direct convolution */
    char implementation[40];
} recipe;

/* A reorder of weights between the plain order of the inner convolution and a format of oneDNN; primitive == NULL: they are the same. */
typedef struct weights_reorder {
    dnnl_primitive_t primitive;
    dnnl_memory_t from, to;
} weights_reorder;

/* Weights in the format of a kernel, as they were at load number `loaded`. */
typedef struct weights_copy {
    const recipe *recipe;
    dnnl_memory_desc_t format;
    weights_reorder reorder;
    real *data;
    unsigned long loaded, used;
} weights_copy;

/* A direction made ready for a number of rows. */
typedef struct kernel {
    convolution_direction direction;
    const recipe *recipe;
    size_t rows;
    bool bias;
    activation f;
    int threads;

    dnnl_primitive_t primitive; /* NULL: the loops of this backend */
    dnnl_memory_t x, y, weights, bias_memory, scratchpad;
    dnnl_memory_desc_t weights_format;
    weights_reorder gradient_reorder; /* backward weights: adds to the plain gradient of the inner convolution */
    size_t workspace_bytes;
    bool adds_bias, activates; /* else who calls does */
    unsigned long used;
} kernel;

struct convolution {
    convolution_shape shape;
    tensor_layout x, y; /* as agreed with the caller */
    size_t rows;        /* what calls will most often have */
    const real *weights;
    unsigned long loads, clock;
    bool fast; /* DARKNET_EXT_FAST_PATHS */
    recipe recipes[CONVOLUTION_DIRECTIONS][MAX_RECIPES];
    int n_recipes[CONVOLUTION_DIRECTIONS]; /* 0: not looked for yet */
    kernel kernels[MAX_KERNELS];
    int n_kernels;
    weights_copy copies[MAX_WEIGHT_COPIES];
    int n_copies;
    char reports[CONVOLUTION_DIRECTIONS][REPORT_LENGTH];
};

/* What follows a forward product: y = f(y), or y = f'(value) y with the values of value_rows images for all rows in turn. */
typedef struct finish {
    activation f;
    const real *value; /* NULL: y is the value itself */
    size_t value_rows;
    size_t first; /* row of the call that is row 0 here */
} finish;

/* Elements of image `row` of y, which has `count`, on the calling thread. */
static inline void finish_image(const finish *after, size_t count, size_t row, part elements, real *y)
{
    const real *value = after->value ? after->value + (after->first + row) % after->value_rows * count + elements.first : NULL;
    if (after->f != ACTIVATION_LINEAR)
        onednn_piecewise(after->f, elements.size, value, y + row * count + elements.first);
}

static inline tensor_layout recipe_x(const recipe *r)
{
    return (tensor_layout){r->inner.in, r->x_block};
}

static inline tensor_layout recipe_y(const recipe *r)
{
    return (tensor_layout){r->inner.out, r->y_block};
}

static inline size_t weights_count(const convolution_shape *s)
{
    return (size_t)s->out.channels * (size_t)(s->in.channels / s->groups) * (size_t)(s->size * s->size);
}

/* Whether the loops that compute a weight gradient add it to the caller's themselves. */
static inline bool adds_to_gradient(const recipe *r)
{
    return r->method == METHOD_PATCHES || r->method == METHOD_STRIDED || r->method == METHOD_OWN_WINOGRAD;
}

/* Whether the inner weights are the weights. */
static inline bool is_identity(const convolution *c, const recipe *r)
{
    return r->merged == 1 && r->cell == 1 && r->inner.in.channels == c->shape.in.channels && r->inner.out.channels == c->shape.out.channels;
}

static inline bool is_depthwise(const convolution_shape *s)
{
    return s->groups > 1 && s->groups == s->in.channels && s->groups == s->out.channels;
}

/* -- convolution_choice.c -- */

/* The fastest way for that many rows. */
const recipe *recipe_choose(convolution *c, convolution_direction direction, size_t rows);
/* The way that always works. */
const recipe *recipe_fallback(const convolution *c, convolution_direction direction);
/* Written into c. */
const char *recipe_report(convolution *c, convolution_direction direction, size_t rows);
void convolution_choose_blocks(const convolution_shape *shape, int *x_block, int *y_block);

/* -- convolution_primitive.c -- */

/* oneDNN's block of channels on this processor: 16, 8, or 1 when it likes plain images best. */
int primitive_block(void);
/* Writes the name of oneDNN's implementation; false: there is none but the reference. */
bool primitive_exists(const recipe *r, convolution_direction direction, size_t rows, char *name, size_t capacity);

/* The plain order of the inner weights: groups, filters, channels, kernel. */
dnnl_memory_desc_t primitive_plain_weights(const recipe *r);
/* add: to += from in the other order. */
weights_reorder primitive_weights_reorder(const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to, bool add);
void weights_reorder_run(const weights_reorder *w, const real *from, real *to);
void weights_reorder_free(weights_reorder *w);

/* From the cache, or made now; NULL: oneDNN has no implementation for this number of rows. */
kernel *kernel_get(convolution *c, convolution_direction direction, const recipe *r, size_t rows, bool bias, activation f);
void kernels_free(convolution *c);
/* Inner images and weights; `bias` has the inner channels and is read where the kernel adds it. Backward weights overwrites `weights`, but
 * where adds_to_gradient() it adds to them. `after` is for METHOD_STRIDED and METHOD_OWN_WINOGRAD. */
void kernel_run(const kernel *k, real *x, real *y, real *weights, const real *bias, const finish *after, void *workspace);

/* -- convolution_weights.c -- */

/* The weights of the last load in the format of the kernel; `workspace` has room for weights_workspace(). */
const real *weights_get(convolution *c, const kernel *k, void *workspace);
void weights_free(convolution *c);
/* gradient += the inner gradient in the format of the kernel. */
void weights_add_gradient(const convolution *c, const kernel *k, const real *inner, real *gradient, void *workspace);
size_t weights_workspace(const convolution *c, const recipe *r);

/* -- convolution_patches.c, convolution_depthwise.c: plain and blocked images -- */

size_t patches_workspace(const convolution_shape *s, convolution_direction direction, size_t rows);
void patches_forward(const convolution_shape *s, size_t rows, const real *x, const real *weights, real *y, void *workspace);
void patches_backward_data(const convolution_shape *s, size_t rows, const real *y, const real *weights, real *x, void *workspace);
void patches_backward_weights(const convolution_shape *s, size_t rows, const real *y, const real *x, real *gradient, void *workspace);

void depthwise_forward(const recipe *r, size_t rows, const real *x, const real *weights, real *y);
void depthwise_backward_data(const recipe *r, size_t rows, const real *y, const real *weights, real *x);
void depthwise_backward_weights(const recipe *r, size_t rows, const real *y, const real *x, real *gradient, void *workspace);
size_t depthwise_workspace(const recipe *r, size_t rows);

/* -- convolution_strided.c -- */

bool strided_fits(const recipe *r, convolution_direction direction);
size_t strided_workspace(const recipe *r, convolution_direction direction, size_t rows);
/* bias NULL: none. */
void strided_forward(const recipe *r, size_t rows, const real *x, const real *weights, const real *bias, const finish *after, real *y, void *workspace);
void strided_backward_data(const recipe *r, size_t rows, const real *y, const real *weights, real *x, void *workspace);
void strided_backward_weights(const recipe *r, size_t rows, const real *y, const real *x, real *gradient, void *workspace);

/* -- convolution_winograd.c: images in blocks of 8 -- */

bool winograd_fits(const convolution_shape *s);
/* Elements of what a direction reads instead of the weights; backward weights reads nothing. */
size_t winograd_weights_count(const recipe *r);
void winograd_load_weights(const recipe *r, convolution_direction direction, const real *weights, real *transformed);
size_t winograd_workspace(const recipe *r, convolution_direction direction, size_t rows);
/* Backward data: x is adj_y, and y adj_x. bias NULL: none. `after` is a slope below 0 and one above. */
void winograd_forward(const recipe *r, convolution_direction direction, size_t rows, const real *x, const real *transformed, const real *bias,
                      const finish *after, real *y, void *workspace);
void winograd_backward_weights(const recipe *r, size_t rows, const real *x, const real *adj_y, real *gradient, void *workspace);

/* -- space_to_depth.c -- */

/* Channels that a row of a square takes: so many that it lies within one block. */
static inline int space_to_depth_run(int cell)
{
    int run = 1;
    while (run < cell)
        run *= 2;
    return run;
}

/* Channel (c cell + i) run + j of inner pixel (a, b) is channel c of pixel (a cell + i - pad, b cell + j - pad), 0 outside. */
void space_to_depth(size_t rows, tensor_layout from, const real *x, int cell, int pad, tensor_layout to, real *inner);
/* The adjoint; pixels that no inner pixel holds become 0 (accumulate: stay). */
void depth_to_space(size_t rows, tensor_layout from, const real *inner, int cell, int pad, tensor_layout to, real *x, bool accumulate);

#endif
