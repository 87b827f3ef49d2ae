/* Training on numbers of mean 0 and deviation 1, values and derivatives consistent with each other (Huge and Savine,
 * Differential Machine Learning, 2020, section 3), and differential PCA (their appendix 2).
 *
 *     x' = A (x - mean_x)        x = mean_x + B x' for the x that x' keeps        y'_k = (y_k - mean_k) / scale_k
 *     J' = J B / scale_k         H'_k = B^T H_k B / scale_k                       v' = A v
 *
 * `inputs`, `all`: A = diag(1 / deviation), B its inverse; an input that does not vary keeps its scale.
 * Differential PCA: x is whitened (eigenvectors of its correlations, so that units do not matter; directions without variance are dropped),
 * then rotated to the eigenvectors of the mean of g g^T, g the gradients of y' in the white coordinates, by falling eigenvalue; the last ones, which
 * together hold less than the given part of the trace, are dropped. The network keeps its number of inputs: x' is 0 where a direction was
 * dropped, and derivatives along it are not given. */
#ifndef DNX_DATA_NORMALISE_H
#define DNX_DATA_NORMALISE_H

#include <stdbool.h>

#include "data/dataset.h"

typedef enum normalise_kind { NORMALISE_NONE, NORMALISE_INPUTS, NORMALISE_ALL } normalise_kind;

typedef struct normaliser {
    int inputs, outputs;
    int kept;               /* components of x' that are used; the others are 0 */
    bool diagonal;          /* A and B are: only their diagonals [inputs] are kept */
    bool scales_outputs;    /* else mean_y is 0 and scale_y 1 */
    double *mean_x;         /* [inputs] */
    double *forward;        /* A [inputs, inputs], or its diagonal; rows from `kept` on are 0 */
    double *inverse;        /* B [inputs, inputs], columns likewise */
    double *mean_y, *scale_y; /* [outputs] */
} normaliser;

/* From the training set. `dropped` > 0: differential PCA, which needs the Jacobian. STATUS_BAD_CONFIG with a sentence when that is not possible. */
status normaliser_create(normaliser *n, const dataset *training, normalise_kind kind, double dropped);
void normaliser_free(normaliser *n);

/* Rewrites a sample; `scratch`: normalise_scratch() numbers. */
void normalise_sample(const normaliser *n, dataset *d, size_t sample, double *scratch);

static inline size_t normalise_scratch(const normaliser *n)
{
    return 2 * (size_t)n->inputs;
}

/* Rewrites the samples of a set. */
status normalise_dataset(const normaliser *n, dataset *d);

/* Root mean squares of the components of first (order 1) or second (order 2) derivatives over a set, [inputs]; NaN where nothing is given. */
void derivative_sizes(const dataset *d, int order, double *sizes);

#endif
