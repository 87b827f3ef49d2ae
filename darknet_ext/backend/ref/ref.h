/* The ref backend: plain loops on one thread with sums in double. The truth that the other backends are tested against.
 * What each function does stands in backend/backend.h. */
#ifndef DNX_BACKEND_REF_REF_H
#define DNX_BACKEND_REF_REF_H

#include "backend/backend.h"

extern const backend ref_backend;

real *ref_allocate(size_t count);
void ref_release(real *buffer);
void ref_fill(size_t count, real value, real *y);
void ref_copy(size_t count, const real *x, real *y);
void ref_axpby(size_t count, real alpha, const real *x, real beta, real *y);
void ref_multiply(size_t count, const real *x, const real *m, real *y, bool accumulate);
void ref_replace(size_t count, const real *x, real marker, const real *other, real *y);

void ref_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb,
              real beta, real *c, int ldc);

void ref_affine_forward(activation f, const jet *x, const real *weights, const real *biases, jet *y, component_range range);
void ref_affine_pair_gradients(const affine_pair *p);

void ref_scale_rows_add(size_t rows, size_t count, const real *scale, const real *x, const real *z, real *y);
void ref_add_bias(size_t rows, size_t count, const real *bias, real *y);
void ref_activation_forward(activation kind, const jet *x, jet *y, component_range range);
void ref_activation_backward(activation kind, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate);

void ref_sum_rows(size_t rows, size_t count, const real *x, real *sums);
double ref_dot(size_t count, const real *x, const real *y);
double ref_loss(loss_function loss, size_t rows, size_t count, const real *prediction, const real *target, real scale,
                real *gradient);

void ref_convolution_blocks(const convolution_shape *shape, int *x_block, int *y_block);
convolution *ref_convolution_create(const convolution_shape *shape, int x_block, int y_block, size_t rows);
void ref_convolution_free(convolution *c);
void ref_convolution_load(convolution *c, const real *weights);
void ref_convolution_forward(convolution *c, size_t rows, const real *x, const real *bias, activation f, real *y);
void ref_convolution_forward_slopes(convolution *c, size_t rows, const real *x, activation f, size_t value_rows, const real *value, real *y);
void ref_convolution_forward_add(convolution *c, size_t rows, const real *x, real *y);
void ref_convolution_backward_data(convolution *c, size_t rows, const real *adj_y, real *adj_x, bool accumulate);
void ref_convolution_backward_weights(convolution *c, size_t rows, const real *adj_y, const real *x, real *gradient);
const char *ref_convolution_report(const convolution *c, convolution_direction direction);

void ref_reorder(size_t rows, tensor_layout from, const real *x, int to_block, real *y, bool accumulate);
void ref_add_channel_bias(size_t rows, tensor_layout l, const real *bias, real *y);
void ref_sum_channels(size_t rows, tensor_layout l, const real *x, real *sums);

void ref_batchnorm_forward(const batchnorm *n, const jet *x, jet *y, component_range range);
void ref_batchnorm_backward(const batchnorm *n, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate,
                            real *adj_scales, real *adj_biases);
void ref_batchnorm_fold(const batchnorm *n, size_t row, const real *weights, real *folded, real *folded_biases);

void ref_softmax_forward(int groups, real temperature, const jet *x, jet *y, component_range range);
void ref_softmax_backward(int groups, real temperature, const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range,
                          bool accumulate);
void ref_log_softmax_forward(const jet *x, real *p, jet *y, component_range range);
void ref_log_softmax_backward(const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range, bool accumulate);
double ref_cross_entropy(bool binary, size_t count, const real *p, const real *truth, real *gradient);

void ref_squared_error_forward(const jet *x, const real *truth, jet *y, component_range range);
void ref_squared_error_backward(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                bool accumulate);
void ref_truth_product_forward(real alpha, const jet *x, const real *truth, jet *y, component_range range);
void ref_truth_product_backward(real alpha, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                bool accumulate);

void ref_normalise_channels_forward(const normalise_rule *rule, tensor_shape shape, const jet *x, jet *s, jet *y, component_range range);
void ref_normalise_channels_backward(const normalise_rule *rule, tensor_shape shape, const jet *x, const jet *s, const jet *adj_y, jet *adj_s,
                                     jet *adj_x, component_range range, bool accumulate);

void ref_sgd_update(sgd_rule rule, size_t count, real *w, real *g);
void ref_adam_update(adam_rule rule, size_t count, real *w, real *g, real *m, real *v);

void ref_dropout_mask(random_stream stream, uint64_t first, size_t count, double p, real *out);

void ref_max_pool(const window_shape *w, int block, size_t rows, const real *x, window_place *places, real *y);
void ref_pool_gather(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *x, real *y);
void ref_pool_scatter(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *y,
                      real *x, bool accumulate);
void ref_mean_pixels(size_t rows, tensor_layout l, const real *x, real *means);
void ref_spread_pixels(size_t rows, tensor_layout l, const real *means, real *x, bool accumulate);

void ref_copy_columns(size_t rows, size_t count, const real *x, size_t x_step, real *y, size_t y_step, bool accumulate);
void ref_repeat_pixels(size_t rows, tensor_layout small, int stride, real scale, const real *x, real *y, bool accumulate);
void ref_sum_pixels(size_t rows, tensor_layout small, int stride, real scale, const real *y, real *x, bool accumulate);
void ref_pixels_to_channels(size_t rows, tensor_shape large, int stride, const real *x, real *y, bool accumulate);
void ref_channels_to_pixels(size_t rows, tensor_shape large, int stride, const real *y, real *x, bool accumulate);
void ref_transpose(size_t rows, size_t m, size_t n, const real *x, real *y, bool accumulate);
void ref_cut(const image_cut *cut, size_t rows, real scale, real shift, const real *x, real *y);
void ref_cut_adjoint(const image_cut *cut, size_t rows, real scale, const real *y, real *x, bool accumulate);
void ref_axpby_grid(const image_grid *grid, size_t rows, real alpha, const real *x, real beta, real *y);
void ref_blend(activation f, size_t count, real alpha, const real *x, real beta, const real *z, real *y);
void ref_blend_slope(activation f, size_t blocks, size_t count, const real *v, real alpha, const real *x, real beta, const real *z,
                     real *y);
void ref_blend_adjoint(activation f, size_t blocks, size_t count, const real *v, const real *y, real alpha, real *x, bool accumulate_x,
                       real beta, real *z, bool accumulate_z);

void ref_local_forward(const convolution_shape *shape, size_t rows, const real *weights, const real *x, real *y);
void ref_local_backward_data(const convolution_shape *shape, size_t rows, const real *weights, const real *adj_y, real *adj_x,
                             bool accumulate);
void ref_local_backward_weights(const convolution_shape *shape, size_t rows, const real *adj_y, const real *x, real *gradient);

static inline void ref_put(real *y, double value, bool accumulate)
{
    *y = (real)(accumulate ? *y + value : value);
}

/* Row of sample b in component S and direction d; component 0 has no directions: d is 0. */
static inline real *ref_row(const jet *j, int component, int d, int b)
{
    return jet_component(j, component) + ((size_t)d * (size_t)j->batch + (size_t)b) * j->count;
}

/* Element i of the whole batch, and what belongs to it in component S and direction d. */
static inline real *ref_component_at(const jet *j, int component, size_t i, int d)
{
    return jet_component(j, component) + (size_t)d * (size_t)j->batch * j->count + i;
}

static inline jet_element ref_element(const jet *j, size_t i, int d)
{
    return (jet_element){*ref_component_at(j, 0, i, 0), j->order > 0 ? *ref_component_at(j, 1, i, d) : 0,
                         j->order > 1 ? *ref_component_at(j, 2, i, d) : 0, j->order > 1 ? *ref_component_at(j, 3, i, d) : 0};
}

#endif
