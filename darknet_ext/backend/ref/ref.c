#include "backend/ref/ref.h"

/* One thread is at most any number of threads. */
static void set_threads(int threads)
{
}

const backend ref_backend = {
    .name = "ref",
    .description = "plain loops on one thread, sums in double: slow, the truth for tests",
    .allocate = ref_allocate,
    .release = ref_release,
    .fill = ref_fill,
    .copy = ref_copy,
    .axpby = ref_axpby,
    .multiply = ref_multiply,
    .replace = ref_replace,
    .gemm = ref_gemm,
    .scale_rows_add = ref_scale_rows_add,
    .add_bias = ref_add_bias,
    .activation_forward = ref_activation_forward,
    .activation_backward = ref_activation_backward,
    .convolution_blocks = ref_convolution_blocks,
    .convolution_create = ref_convolution_create,
    .convolution_free = ref_convolution_free,
    .convolution_load = ref_convolution_load,
    .convolution_forward = ref_convolution_forward,
    .convolution_backward_data = ref_convolution_backward_data,
    .convolution_backward_weights = ref_convolution_backward_weights,
    .convolution_report = ref_convolution_report,
    .reorder = ref_reorder,
    .add_channel_bias = ref_add_channel_bias,
    .sum_channels = ref_sum_channels,
    .sum_rows = ref_sum_rows,
    .dot = ref_dot,
    .loss = ref_loss,
    .log_softmax_forward = ref_log_softmax_forward,
    .log_softmax_backward = ref_log_softmax_backward,
    .squared_error_forward = ref_squared_error_forward,
    .squared_error_backward = ref_squared_error_backward,
    .truth_product_forward = ref_truth_product_forward,
    .truth_product_backward = ref_truth_product_backward,
    .sgd_update = ref_sgd_update,
    .adam_update = ref_adam_update,
    .uniform = random_uniform,
    .normal = random_normal,
    .dropout_mask = ref_dropout_mask,
    .set_threads = set_threads,
};
