/* Batch normalisation behind the linear map of a layer with batch_normalize=1 (formulas on jets, and their adjoint: core/batchnorm_math.h):
 *
 *     z = W x        u = scale xhat(z) + bias        y = f(u)
 *
 * The layer computes z from x, and gets back zbar; what lies between z and y is here, the bias too. saved:
 *     z
 *     zbar: between the seed sweep and the adjoint sweep its upper half waits there, while ybar is still needed (order 0: ybar's own place)
 *     u and ubar likewise, unless f keeps the sign and is computed in the same pass
 *     means and variances of the batch */
#ifndef DNX_LAYERS_BATCH_NORMALIZE_H
#define DNX_LAYERS_BATCH_NORMALIZE_H

#include "layers/layer.h"

#define BATCH_NORMALIZE_OPTION {"batch_normalize", OPTION_BOOLEAN, "0", 0, 1, NULL, "1: normalise over the batch before the activation"}

/* Part of a layer's options. */
typedef struct batch_normalize {
    bool on;
    bool darknet_adjoint; /* [net] batchnorm_gradient=darknet */
    int scales;           /* where among the parameters; the statistics follow */
    int biases;           /* -1: none */
} batch_normalize;

/* Appends scales, rolling_mean and rolling_variance to the node's parameters, in the order of a weights file. */
batch_normalize batch_normalize_add(graph_node *node, int biases, size_t channels);

/* Samples that training needs: one number has no variance. */
int batch_normalize_least_batch(tensor_shape shape);

/* Elements of `saved`: of the means and variances alone, and of all. */
size_t batch_normalize_statistics_count(const graph_node *node, int batch, int directions, int order);
size_t batch_normalize_saved_count(const graph_node *node, activation f, int batch, int directions, int order);

/* Where the layer puts z, and finds zbar. */
jet batch_normalize_z(const layer_pass *p, activation f);
jet batch_normalize_adj_z(const layer_pass *p, activation f);

/* From z to y, and from ybar to zbar, for the pass's range; with the gradients of scales and biases when the pass wants them. */
void batch_normalize_forward(const layer_pass *p, const batch_normalize *b, activation f);
void batch_normalize_backward(const layer_pass *p, const batch_normalize *b, activation f);

/* Without training everything up to u is one linear map: its weights [channels, row] and biases. */
void batch_normalize_fold(const layer_pass *p, const batch_normalize *b, size_t row, const real *weights, real *folded, real *folded_biases);

/* The argument of the backend's primitives, when means and variances are all that is saved, and what training does with them afterwards. */
batchnorm batch_normalize_argument(const layer_pass *p, const batch_normalize *b, tensor_layout layout, activation f, real *statistics);
void batch_normalize_move_statistics(const layer_pass *p, const batch_normalize *b, const batchnorm *n);

#endif
