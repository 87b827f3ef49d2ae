/* The onednn backend: matrix products by oneDNN, everything else by own loops over OpenMP threads. Float only.
 * What each function does stands in backend/backend.h. */
#ifndef DNX_BACKEND_ONEDNN_ONEDNN_H
#define DNX_BACKEND_ONEDNN_ONEDNN_H

#include "backend/backend.h"

extern const backend onednn_backend;

/* Work is cut into parts whose size does not depend on the number of threads, and sums add the parts in order: the same
 * result on any number of threads. Below PARALLEL_ELEMENTS waking a thread costs more than it brings. */
enum { PART_ELEMENTS = 1024, PARALLEL_ELEMENTS = 65536, SUM_PARTS = 64 };

/* Elements first .. first+size-1; the index-th part. */
typedef struct part {
    size_t first, size;
    long index;
} part;

static inline long part_count(size_t count, size_t part_size)
{
    return (long)((count + part_size - 1) / part_size);
}

static inline part part_at(size_t count, size_t part_size, long index)
{
    const size_t first = (size_t)index * part_size, rest = count - first;
    return (part){first, rest < part_size ? rest : part_size, index};
}

/* Runs the statement for each part p of 0..count-1, on several threads when `work` elements are enough for that. Always in a parallel region, be
 * it of one thread: for statements that find memory of their own by omp_get_thread_num(), since the number of a host's own thread could be any. */
#define FOR_EACH_OWN_PART(work, count, part_size, p, statement) PARTS_BY_(static, work, count, part_size, p, statement)

/* The same for few large parts: a thread that is done takes the next one, for processors are not always equally fast. */
#define FOR_EACH_LARGE_PART(work, count, part_size, p, statement) PARTS_BY_(dynamic, work, count, part_size, p, statement)

#define PRAGMA_(text) _Pragma(#text)
#define PARTS_BY_(order, work, count, part_size, p, statement)                                                \
    do {                                                                                                     \
        const long n_parts_ = part_count(count, part_size);                                                  \
        const bool parallel_ = (work) >= PARALLEL_ELEMENTS;                                                  \
        PRAGMA_(omp parallel for schedule(order) if (parallel_)) for (long i_ = 0; i_ < n_parts_; i_++)       \
        {                                                                                                    \
            const part p = part_at(count, part_size, i_);                                                    \
            statement;                                                                                       \
        }                                                                                                    \
    } while (0)

/* FOR_EACH_OWN_PART without a region for little work, which costs less. */
#define FOR_EACH_PART(work, count, part_size, p, statement)            \
    do {                                                               \
        if ((work) >= PARALLEL_ELEMENTS) {                             \
            FOR_EACH_OWN_PART(work, count, part_size, p, statement);   \
            break;                                                     \
        }                                                              \
        const long all_parts_ = part_count(count, part_size);          \
        for (long i_ = 0; i_ < all_parts_; i_++) {                     \
            const part p = part_at(count, part_size, i_);              \
            statement;                                                 \
        }                                                              \
    } while (0)

/* The size that makes at most SUM_PARTS parts of at least `smallest` elements. */
static inline size_t sum_part_size(size_t count, size_t smallest)
{
    const size_t size = (count + SUM_PARTS - 1) / SUM_PARTS;
    return size < smallest ? smallest : size;
}

/* Row of sample b in component S and direction d; component 0 has no directions: d is 0. */
static inline real *onednn_row(const jet *j, int component, int d, int b)
{
    return jet_component(j, component) + ((size_t)d * (size_t)j->batch + (size_t)b) * j->count;
}

static inline size_t onednn_all_elements(const jet *j)
{
    return jet_range_rows(j, jet_all(j->order)) * j->count;
}

real *onednn_allocate(size_t count);
void onednn_release(real *buffer);
void onednn_fill(size_t count, real value, real *y);
void onednn_copy(size_t count, const real *x, real *y);
void onednn_axpby(size_t count, real alpha, const real *x, real beta, real *y);
void onednn_multiply(size_t count, const real *x, const real *m, real *y, bool accumulate);
void onednn_replace(size_t count, const real *x, real marker, const real *other, real *y);

void onednn_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, real alpha, const real *a, int lda, const real *b,
                 int ldb, real beta, real *c, int ldc);

/* C[m,n] = A[m,k] B[n,k]^T, when that is faster than onednn_gemm's own way; else nothing, and false. */
bool onednn_transposed_product(size_t m, size_t n, size_t k, const real *a, size_t lda, const real *b, size_t ldb, real *c, size_t ldc);
void onednn_affine_forward(activation f, const jet *x, const real *weights, const real *biases, jet *y, component_range range);
void onednn_affine_pair_gradients(const affine_pair *p);

void onednn_scale_rows_add(size_t rows, size_t count, const real *scale, const real *x, const real *z, real *y);
void onednn_add_bias(size_t rows, size_t count, const real *bias, real *y);
void onednn_activation_forward(activation kind, const jet *x, jet *y, component_range range);
void onednn_activation_backward(activation kind, const jet *x, const jet *adj_y, jet *adj_x, component_range range,
                                bool accumulate);

/* On the calling thread, f piecewise linear: y = f(y), or y = f'(value) y where `value` is not NULL. */
void onednn_piecewise(activation f, size_t count, const real *value, real *y);

void onednn_sum_rows(size_t rows, size_t count, const real *x, real *sums);
double onednn_dot(size_t count, const real *x, const real *y);
double onednn_loss(loss_function loss, size_t rows, size_t count, const real *prediction, const real *target, real scale,
                   real *gradient);

/* On the calling thread: sum x and sum x y. */
double onednn_row_sum(size_t count, const real *x);
double onednn_row_dot(size_t count, const real *x, const real *y);

void onednn_convolution_blocks(const convolution_shape *shape, int *x_block, int *y_block);
convolution *onednn_convolution_create(const convolution_shape *shape, int x_block, int y_block, size_t rows);
void onednn_convolution_free(convolution *c);
void onednn_convolution_load(convolution *c, const real *weights);
void onednn_convolution_forward(convolution *c, size_t rows, const real *x, const real *bias, activation f, real *y);
void onednn_convolution_forward_slopes(convolution *c, size_t rows, const real *x, activation f, size_t value_rows, const real *value, real *y);
void onednn_convolution_forward_add(convolution *c, size_t rows, const real *x, real *y);
void onednn_convolution_backward_data(convolution *c, size_t rows, const real *adj_y, real *adj_x, bool accumulate);
void onednn_convolution_backward_weights(convolution *c, size_t rows, const real *adj_y, const real *x, real *gradient);
const char *onednn_convolution_report(const convolution *c, convolution_direction direction);

void onednn_reorder(size_t rows, tensor_layout from, const real *x, int to_block, real *y, bool accumulate);
void onednn_add_channel_bias(size_t rows, tensor_layout l, const real *bias, real *y);
void onednn_sum_channels(size_t rows, tensor_layout l, const real *x, real *sums);

void onednn_batchnorm_forward(const batchnorm *n, const jet *x, jet *y, component_range range);
void onednn_batchnorm_backward(const batchnorm *n, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate,
                            real *adj_scales, real *adj_biases);
void onednn_batchnorm_fold(const batchnorm *n, size_t row, const real *weights, real *folded, real *folded_biases);

void onednn_softmax_forward(int groups, real temperature, const jet *x, jet *y, component_range range);
void onednn_softmax_backward(int groups, real temperature, const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range,
                             bool accumulate);
void onednn_log_softmax_forward(const jet *x, real *p, jet *y, component_range range);
void onednn_log_softmax_backward(const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range, bool accumulate);
double onednn_cross_entropy(bool binary, size_t count, const real *p, const real *truth, real *gradient);

void onednn_squared_error_forward(const jet *x, const real *truth, jet *y, component_range range);
void onednn_squared_error_backward(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                   bool accumulate);
void onednn_truth_product_forward(real alpha, const jet *x, const real *truth, jet *y, component_range range);
void onednn_truth_product_backward(real alpha, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                   bool accumulate);

void onednn_normalise_channels_forward(const normalise_rule *rule, tensor_shape shape, const jet *x, jet *s, jet *y, component_range range);
void onednn_normalise_channels_backward(const normalise_rule *rule, tensor_shape shape, const jet *x, const jet *s, const jet *adj_y, jet *adj_s,
                                        jet *adj_x, component_range range, bool accumulate);

void onednn_sgd_update(sgd_rule rule, size_t count, real *w, real *g);
void onednn_adam_update(adam_rule rule, size_t count, real *w, real *g, real *m, real *v);

void onednn_uniform(random_stream stream, uint64_t first, size_t count, double low, double high, real *out);
void onednn_normal(random_stream stream, uint64_t first, size_t count, real *out);
void onednn_dropout_mask(random_stream stream, uint64_t first, size_t count, double p, real *out);

void onednn_max_pool(const window_shape *w, int block, size_t rows, const real *x, window_place *places, real *y);
void onednn_pool_gather(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *x,
                        real *y);
void onednn_pool_scatter(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *y,
                         real *x, bool accumulate);
void onednn_mean_pixels(size_t rows, tensor_layout l, const real *x, real *means);
void onednn_spread_pixels(size_t rows, tensor_layout l, const real *means, real *x, bool accumulate);

void onednn_copy_columns(size_t rows, size_t count, const real *x, size_t x_step, real *y, size_t y_step, bool accumulate);
void onednn_repeat_pixels(size_t rows, tensor_layout small, int stride, real scale, const real *x, real *y, bool accumulate);
void onednn_sum_pixels(size_t rows, tensor_layout small, int stride, real scale, const real *y, real *x, bool accumulate);
void onednn_pixels_to_channels(size_t rows, tensor_shape large, int stride, const real *x, real *y, bool accumulate);
void onednn_channels_to_pixels(size_t rows, tensor_shape large, int stride, const real *y, real *x, bool accumulate);
void onednn_transpose(size_t rows, size_t m, size_t n, const real *x, real *y, bool accumulate);
void onednn_cut(const image_cut *cut, size_t rows, real scale, real shift, const real *x, real *y);
void onednn_cut_adjoint(const image_cut *cut, size_t rows, real scale, const real *y, real *x, bool accumulate);
void onednn_axpby_grid(const image_grid *grid, size_t rows, real alpha, const real *x, real beta, real *y);
void onednn_blend(activation f, size_t count, real alpha, const real *x, real beta, const real *z, real *y);
void onednn_blend_slope(activation f, size_t blocks, size_t count, const real *v, real alpha, const real *x, real beta, const real *z,
                        real *y);
void onednn_blend_adjoint(activation f, size_t blocks, size_t count, const real *v, const real *y, real alpha, real *x,
                          bool accumulate_x, real beta, real *z, bool accumulate_z);

void onednn_local_forward(const convolution_shape *shape, size_t rows, const real *weights, const real *x, real *y);
void onednn_local_backward_data(const convolution_shape *shape, size_t rows, const real *weights, const real *adj_y, real *adj_x,
                                bool accumulate);
void onednn_local_backward_weights(const convolution_shape *shape, size_t rows, const real *adj_y, const real *x, real *gradient);

#endif
