#include "backend/onednn/onednn.h"

#include <omp.h>

/* oneDNN and the loops share OpenMP's threads. */
static void set_threads(int threads)
{
    omp_set_num_threads(threads);
}

const backend onednn_backend = {
    .name = "onednn",
    .description = "CPU: oneDNN matrix products, OpenMP loops, float",
    .allocate = onednn_allocate,
    .release = onednn_release,
    .fill = onednn_fill,
    .copy = onednn_copy,
    .axpby = onednn_axpby,
    .multiply = onednn_multiply,
    .replace = onednn_replace,
    .gemm = onednn_gemm,
    .affine_forward = onednn_affine_forward,
    .affine_pair_gradients = onednn_affine_pair_gradients,
    .scale_rows_add = onednn_scale_rows_add,
    .add_bias = onednn_add_bias,
    .activation_forward = onednn_activation_forward,
    .activation_backward = onednn_activation_backward,
    .convolution_blocks = onednn_convolution_blocks,
    .convolution_create = onednn_convolution_create,
    .convolution_free = onednn_convolution_free,
    .convolution_load = onednn_convolution_load,
    .convolution_forward = onednn_convolution_forward,
    .convolution_backward_data = onednn_convolution_backward_data,
    .convolution_backward_weights = onednn_convolution_backward_weights,
    .convolution_report = onednn_convolution_report,
    .reorder = onednn_reorder,
    .add_channel_bias = onednn_add_channel_bias,
    .sum_channels = onednn_sum_channels,
    .sum_rows = onednn_sum_rows,
    .dot = onednn_dot,
    .loss = onednn_loss,
    .softmax_forward = onednn_softmax_forward,
    .softmax_backward = onednn_softmax_backward,
    .log_softmax_forward = onednn_log_softmax_forward,
    .log_softmax_backward = onednn_log_softmax_backward,
    .cross_entropy = onednn_cross_entropy,
    .squared_error_forward = onednn_squared_error_forward,
    .squared_error_backward = onednn_squared_error_backward,
    .truth_product_forward = onednn_truth_product_forward,
    .truth_product_backward = onednn_truth_product_backward,
    .normalise_channels_forward = onednn_normalise_channels_forward,
    .normalise_channels_backward = onednn_normalise_channels_backward,
    .sgd_update = onednn_sgd_update,
    .adam_update = onednn_adam_update,
    .uniform = onednn_uniform,
    .normal = onednn_normal,
    .dropout_mask = onednn_dropout_mask,
    .set_threads = set_threads,
};
