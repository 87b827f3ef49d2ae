/* What a backend offers: the primitives that layers and the engine are written over, named by mathematics.
 *
 * One rule for all buffers: inputs are const; an output is overwritten unless its description says that it accumulates
 * or there is an explicit beta/accumulate argument; nothing is allocated here after setup. All matrices are row-major.
 * Sizes are elements, never bytes. Results do not depend on anything but the arguments and the number of threads. */
#ifndef DNX_BACKEND_BACKEND_H
#define DNX_BACKEND_BACKEND_H

#include <stdbool.h>
#include <stddef.h>

#include "core/activation_math.h"
#include "core/jet.h"
#include "core/loss_math.h"
#include "core/normalise_math.h"
#include "core/optimizer_math.h"
#include "core/random.h"
#include "core/shape.h"
#include "core/status.h"

/* A convolution (cross-correlation, as in Darknet) of images: y[f] = sum over the channels of f's group, and the kernel, of w x.
 * Weights: [filters, channels / groups, size, size]. */
typedef struct convolution_shape {
    tensor_shape in, out; /* out.channels: filters */
    int size, stride, pad, groups;
} convolution_shape;

/* What a backend keeps for one convolution of one tape: vendor descriptors, weights in the backend's own format, workspace. */
typedef struct convolution convolution;

/* Batch normalisation of every channel (core/batchnorm_math.h): y = f(scale xhat + bias). */
typedef struct batchnorm {
    tensor_layout layout;
    const real *scales, *biases; /* [channels]; biases NULL: 0 */
    activation f;                /* one that keeps the sign (activation_keeps_sign) */
    bool of_batch;               /* mean and variance are those of this batch, jets; else constants, of order 0 */
    bool darknet_adjoint;        /* of_batch, order 0: Darknet's own adjoint instead of the derivative */
    jet mean, variance;          /* count = channels, batch = 1 */
} batchnorm;

typedef enum convolution_direction { CONVOLUTION_FORWARD, CONVOLUTION_BACKWARD_DATA, CONVOLUTION_BACKWARD_WEIGHTS, CONVOLUTION_DIRECTIONS } convolution_direction;

/* Two layers y = f(W x + b) and m = <w, y> + c, f keeping the sign of its argument, and the function
 *     phi = sum over rows r of delta_r <w, f'(y_r) (W u_r + s_r b)>
 * of their parameters, f' held fixed: what the scalar path adds to the loss (engine/tape.h). */
typedef struct affine_pair {
    activation f;
    size_t rows, inputs, outputs;       /* W is [outputs, inputs] */
    const real *u, *y;                  /* [rows, inputs], [rows, outputs] */
    const real *delta, *s;              /* [rows] */
    const real *weights, *biases, *above;                      /* W, b, w */
    real *weights_gradient, *biases_gradient, *above_gradient; /* accumulated */
} affine_pair;

/* Windows of size x size pixels over an image, `stride` apart; the corner of the first stands `pad` pixels above and left of the image. What lies
 * outside of the image does not count; no window lies outside as a whole. */
typedef struct window_shape {
    tensor_shape in, out; /* as many channels */
    int size, stride, pad;
} window_shape;

/* Where in its window a number stands: row * size + column. */
typedef uint16_t window_place;
enum { WINDOW_MAX_SIZE = 256 };

/* The part of an image whose corner is pixel (top, left), all channels; `flip`: mirrored, so that `left` is its distance to the right edge. */
typedef struct image_cut {
    tensor_shape in, out;
    int top, left;
    bool flip;
} image_cut;

/* Pixels of two images, in the same block: pixel (i, j) of channel c of one, (i * step, j * step) of the other, or both with steps. */
typedef struct image_grid {
    tensor_layout from, to;
    int channels, height, width; /* of the pixels that are paired */
    int from_step, to_step;
} image_grid;

typedef struct backend {
    const char *name;
    const char *description;

    /* Buffers are zeroed, aligned to 64 bytes; NULL and a status text when memory is short. */
    real *(*allocate)(size_t count);
    void (*release)(real *buffer); /* NULL is allowed */

    /* -- memory.c -- */
    void (*fill)(size_t count, real value, real *y);                       /* y = value */
    void (*copy)(size_t count, const real *x, real *y);                    /* y = x */
    void (*axpby)(size_t count, real alpha, const real *x, real beta, real *y); /* y = alpha x + beta y; y is not read if beta == 0 */
    void (*multiply)(size_t count, const real *x, const real *m, real *y, bool accumulate); /* y = x m, or y += x m */
    void (*replace)(size_t count, const real *x, real marker, const real *other, real *y); /* y = x == marker ? other : x */

    /* -- blas.c -- C[m,n] = alpha op(A)[m,k] op(B)[k,n] + beta C; C is not read if beta == 0 */
    void (*gemm)(bool transpose_a, bool transpose_b, int m, int n, int k, real alpha, const real *a, int lda, const real *b,
                 int ldb, real beta, real *c, int ldc);

    /* -- affine.c -- f keeps the sign of its argument (core/activation_math.h), so that f' is known from y */
    /* The components of `range` of y = f(W x + b), W [outputs, inputs]: y_0 = f(x_0 W^T + b), y_S = f'(y_0) x_S W^T. */
    void (*affine_forward)(activation f, const jet *x, const real *weights, const real *biases, jet *y, component_range range);
    /* The derivatives of phi by W, b and w. With M = sum_r delta_r f'(y_r) u_r^T and c = sum_r delta_r s_r f'(y_r) they are diag(w) M, w c and
     * the numbers <W_j, M_j> + b_j c_j. */
    void (*affine_pair_gradients)(const affine_pair *p);

    /* -- pointwise.c -- */
    /* y[r,:] = scale[r] x[r,:] + z[r,:] */
    void (*scale_rows_add)(size_t rows, size_t count, const real *scale, const real *x, const real *z, real *y);
    void (*add_bias)(size_t rows, size_t count, const real *bias, real *y); /* y[r,:] += bias */
    /* The components of `range` of y = f(x), x and y of the same form; x may be y only when y's value is not needed later. */
    void (*activation_forward)(activation kind, const jet *x, jet *y, component_range range);
    /* The components of `range` of the adjoint of x (core/activation_math.h); overwrites, or adds when `accumulate`. */
    void (*activation_backward)(activation kind, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate);

    /* -- convolution.c -- images in the layouts that were agreed on at creation; rows are images */
    /* The blocks this backend likes best for images x and y of a convolution. */
    void (*convolution_blocks)(const convolution_shape *shape, int *x_block, int *y_block);
    /* Any pair of blocks is possible. `rows`: the count that calls will most often have. Other counts, and directions, are prepared by
     * their first call. NULL and a status text when memory is short. */
    convolution *(*convolution_create)(const convolution_shape *shape, int x_block, int y_block, size_t rows);
    void (*convolution_free)(convolution *c); /* NULL is allowed */
    /* Takes over the weights as they are now; they must not change until the last call that uses them. */
    void (*convolution_load)(convolution *c, const real *weights);
    /* y = f(W x + bias), overwritten; bias NULL: none. f must be piecewise linear or linear. */
    void (*convolution_forward)(convolution *c, size_t rows, const real *x, const real *bias, activation f, real *y);
    /* y = f'(value) W x: the slope at `value`, whose value_rows images serve all rows in turn. f as above. */
    void (*convolution_forward_slopes)(convolution *c, size_t rows, const real *x, activation f, size_t value_rows, const real *value, real *y);
    void (*convolution_forward_add)(convolution *c, size_t rows, const real *x, real *y); /* y += W x */
    /* adj_x = W^T adj_y, or += when `accumulate`. */
    void (*convolution_backward_data)(convolution *c, size_t rows, const real *adj_y, real *adj_x, bool accumulate);
    /* gradient += sum over rows of adj_y (x) x, in the order of the weights. */
    void (*convolution_backward_weights)(convolution *c, size_t rows, const real *adj_y, const real *x, real *gradient);
    /* Which implementation computes a direction, and why not a faster one; for people. */
    const char *(*convolution_report)(const convolution *c, convolution_direction direction);

    /* -- layout.c -- images of blocked channels (core/shape.h) */
    /* y = x in another layout, or += when `accumulate`; padding of y is zeroed (accumulate: left). */
    void (*reorder)(size_t rows, tensor_layout from, const real *x, int to_block, real *y, bool accumulate);
    void (*add_channel_bias)(size_t rows, tensor_layout l, const real *bias, real *y);       /* y[r, c, :] += bias[c] */
    void (*sum_channels)(size_t rows, tensor_layout l, const real *x, real *sums);           /* sums[c] += sum over r and pixels of x[r, c, :] */

    /* -- batchnorm.c -- padding of y and adj_x becomes 0 (accumulate: is left) */
    /* The components of `range` of y; of_batch: also those of the jets mean and variance, where the lower ones must be already. */
    void (*batchnorm_forward)(const batchnorm *n, const jet *x, jet *y, component_range range);
    /* The components of `range` of adj_x; data == NULL: not wanted; adj_x may be adj_y when the order is 0. With component 0 in the range, and unless
     * NULL: adj_scales += and adj_biases += those of the whole jet. */
    void (*batchnorm_backward)(const batchnorm *n, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate, real *adj_scales,
                               real *adj_biases);

    /* Of a batchnorm with constants, behind a linear map with `row` weights for each channel: folded = scale r weights, folded_biases = bias -
     * scale r mean. */
    void (*batchnorm_fold)(const batchnorm *n, size_t row, const real *weights, real *folded, real *folded_biases);

    /* -- reduce.c -- */
    void (*sum_rows)(size_t rows, size_t count, const real *x, real *sums); /* sums[j] += sum_r x[r,j] */
    double (*dot)(size_t count, const real *x, const real *y);
    /* Sum over rows of scale * row_weights[row] * loss(prediction row, target row); `gradient` (NULL: not wanted) = its derivative by
     * the prediction. target == NULL stands for zeros; elements whose target is NaN are left out (core/loss_math.h). */
    double (*loss)(loss_function loss, size_t rows, size_t count, const real *prediction, const real *target, real scale, real *gradient);

    /* -- softmax.c -- on jets like a layer; p holds the probabilities of every sample: made with the value component, read by all others */
    /* y = softmax(x / temperature) of each of `groups` equal parts of a row; p is y's value. */
    void (*softmax_forward)(int groups, real temperature, const jet *x, jet *y, component_range range);
    void (*softmax_backward)(int groups, real temperature, const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range,
                             bool accumulate);
    /* y = x - log sum exp x over a row. */
    void (*log_softmax_forward)(const jet *x, real *p, jet *y, component_range range);
    void (*log_softmax_backward)(const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range, bool accumulate);
    /* The sum of cross_entropy_term over `count` probabilities and labels, and each cross_entropy_gradient (core/loss_math.h). */
    double (*cross_entropy)(bool binary, size_t count, const real *p, const real *truth, real *gradient);

    /* -- normalise_channels.c -- plain images on jets like a layer (core/normalise_math.h); s and adj_s have the form of x */
    /* Makes the components of `range` of s, the sums, too: later calls read them. */
    void (*normalise_channels_forward)(const normalise_rule *rule, tensor_shape shape, const jet *x, jet *s, jet *y, component_range range);
    /* Makes the components of `range` of adj_s too; it reads those above, which an earlier call has made. */
    void (*normalise_channels_backward)(const normalise_rule *rule, tensor_shape shape, const jet *x, const jet *s, const jet *adj_y, jet *adj_s,
                                        jet *adj_x, component_range range, bool accumulate);

    /* -- head.c -- losses that can stand between the network's output and the derivative (layers/loss_head.c).
     * Each acts on jets like a layer; `truth` has the rows of x's value. */
    /* y (one element) = sum (x - truth)^2. */
    void (*squared_error_forward)(const jet *x, const real *truth, jet *y, component_range range);
    void (*squared_error_backward)(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range, bool accumulate);
    /* y (one element) = alpha sum x truth. */
    void (*truth_product_forward)(real alpha, const jet *x, const real *truth, jet *y, component_range range);
    void (*truth_product_backward)(real alpha, const real *truth, const jet *adj_y, jet *adj_x, component_range range, bool accumulate);

    /* -- update.c -- one pass over a parameter of `count` elements (core/optimizer_math.h) */
    void (*sgd_update)(sgd_rule rule, size_t count, real *w, real *g);
    void (*adam_update)(adam_rule rule, size_t count, real *w, real *g, real *m, real *v);

    /* -- random.c -- the numbers of core/random.h */
    void (*uniform)(random_stream stream, uint64_t first, size_t count, double low, double high, real *out);
    void (*normal)(random_stream stream, uint64_t first, size_t count, real *out);
    /* Inverted dropout: 0 with probability p, else 1/(1-p). */
    void (*dropout_mask)(random_stream stream, uint64_t first, size_t count, double p, real *out);

    /* -- pool.c -- images whose channels lie in blocks of `block` */
    /* y = the largest number of each window, `places` = where it stands: the first of several. NaN is smaller than any number; a window of nothing
     * else gives -infinity. */
    void (*max_pool)(const window_shape *w, int block, size_t rows, const real *x, window_place *places, real *y);
    /* Row r has the places of row r % place_rows. y = x at the places; */
    void (*pool_gather)(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *x, real *y);
    /* the adjoint: x = sum of the y of the windows whose place it is, or += when `accumulate`. */
    void (*pool_scatter)(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *y, real *x,
                         bool accumulate);
    void (*mean_pixels)(size_t rows, tensor_layout l, const real *x, real *means); /* means[r, c] = mean over the pixels of x[r, c, :] */
    /* The adjoint: x[r, c, :] = means[r, c] / pixels, or +=. */
    void (*spread_pixels)(size_t rows, tensor_layout l, const real *means, real *x, bool accumulate);

    /* -- images.c -- pixels and channels in other places; with `accumulate` the result is added */
    /* Rows of `count` numbers of matrices whose rows begin x_step and y_step apart: y = x. */
    void (*copy_columns)(size_t rows, size_t count, const real *x, size_t x_step, real *y, size_t y_step, bool accumulate);
    /* y = scale x, each pixel of the `small` image repeated stride x stride times; */
    void (*repeat_pixels)(size_t rows, tensor_layout small, int stride, real scale, const real *x, real *y, bool accumulate);
    /* the adjoint: x = scale times the sum of stride x stride pixels of y. */
    void (*sum_pixels)(size_t rows, tensor_layout small, int stride, real scale, const real *y, real *x, bool accumulate);
    /* Plain images: pixel (i, j) of y's channel o * C + c = pixel (i * stride + o / stride, j * stride + o % stride) of channel c of x, an image
     * `large` of C channels, its sides multiples of stride; */
    void (*pixels_to_channels)(size_t rows, tensor_shape large, int stride, const real *x, real *y, bool accumulate);
    /* the inverse, which is the adjoint. */
    void (*channels_to_pixels)(size_t rows, tensor_shape large, int stride, const real *y, real *x, bool accumulate);
    void (*transpose)(size_t rows, size_t m, size_t n, const real *x, real *y, bool accumulate); /* y[r, j, i] = x[r, i, j], i < m, j < n */
    /* Plain images: y = scale x + shift on the cut; */
    void (*cut)(const image_cut *cut, size_t rows, real scale, real shift, const real *x, real *y);
    /* the adjoint: x = scale y on the cut, 0 elsewhere. */
    void (*cut_adjoint)(const image_cut *cut, size_t rows, real scale, const real *y, real *x, bool accumulate);
    /* y = alpha x + beta y on the grid; y may be x when the grid's sides are the same. */
    void (*axpby_grid)(const image_grid *grid, size_t rows, real alpha, const real *x, real beta, real *y);
    /* Sums of two, f linear or piecewise linear; y may be x or z. */
    void (*blend)(activation f, size_t count, real alpha, const real *x, real beta, const real *z, real *y); /* y = f(alpha x + beta z) */
    /* y = f'(v) (alpha x + beta z); `blocks` of `count` numbers, all with the same v; */
    void (*blend_slope)(activation f, size_t blocks, size_t count, const real *v, real alpha, const real *x, real beta, const real *z, real *y);
    /* the adjoint: x = alpha f'(v) y and z = beta f'(v) y, or +=; NULL: not wanted. x is not z. */
    void (*blend_adjoint)(activation f, size_t blocks, size_t count, const real *v, const real *y, real alpha, real *x, bool accumulate_x, real beta,
                          real *z, bool accumulate_z);

    /* -- local.c -- unshared convolution of plain images, groups 1: as a convolution, with weights of its own for each output pixel:
     * [pixels of out, filters, channels, size, size]; what lies outside of the image is 0, and windows may do so on any side */
    void (*local_forward)(const convolution_shape *shape, size_t rows, const real *weights, const real *x, real *y); /* y = W x */
    void (*local_backward_data)(const convolution_shape *shape, size_t rows, const real *weights, const real *adj_y, real *adj_x, bool accumulate);
    void (*local_backward_weights)(const convolution_shape *shape, size_t rows, const real *adj_y, const real *x, real *gradient); /* += */

    void (*set_threads)(int threads); /* 1 or more; the backend uses at most that many */
} backend;

/* The backends of this build, in order of preference (fastest first), NULL-terminated. */
extern const backend *const backend_list[];

/* The backend of that name; "" or NULL: the first of the list. NULL and a status text with the known names if unknown. */
const backend *backend_open(const char *name);

#endif
