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
    .scale_rows_add = onednn_scale_rows_add,
    .add_bias = onednn_add_bias,
    .activation_forward = onednn_activation_forward,
    .activation_backward = onednn_activation_backward,
    .sum_rows = onednn_sum_rows,
    .dot = onednn_dot,
    .loss = onednn_loss,
    .log_softmax_forward = onednn_log_softmax_forward,
    .log_softmax_backward = onednn_log_softmax_backward,
    .squared_error_forward = onednn_squared_error_forward,
    .squared_error_backward = onednn_squared_error_backward,
    .truth_product_forward = onednn_truth_product_forward,
    .truth_product_backward = onednn_truth_product_backward,
    .sgd_update = onednn_sgd_update,
    .adam_update = onednn_adam_update,
    .uniform = onednn_uniform,
    .normal = onednn_normal,
    .dropout_mask = onednn_dropout_mask,
    .set_threads = set_threads,
};
