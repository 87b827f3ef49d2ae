/* Normalisation (data/normalise.h) in the weights: a network that was trained on normalised numbers becomes one that takes and
 * gives raw ones, of the same form.
 *
 *     first layer   W = W' A             b = b' - W mean_x
 *     last layer    W = scale_y W'       b = scale_y b' + mean_y
 *
 * With batch_normalize=1 the bias stands behind the normalisation: then in the first layer the rolling mean takes the shift, with the other
 * sign, and in the last one the scales take the place of W. */
#ifndef DNX_TRAIN_FOLD_H
#define DNX_TRAIN_FOLD_H

#include "bridge/plugin.h"
#include "data/normalise.h"

/* STATUS_BAD_CONFIG, naming the line, when first or last layer, the teacher's included, cannot take a normalisation of that kind. */
status fold_check(plugin_network *p, normalise_kind kind);

typedef struct fold {
    graph *graph;
    const normaliser *normaliser; /* NULL: nothing is folded */
    float *kept;                  /* the arrays of a network in training, while it is folded */
    double *rows;                 /* two rows of the first layer's weights, before and after */
} fold;

status fold_create(fold *f, graph *g, const normaliser *n);
void fold_free(fold *f);

/* Turns the network in training into the raw one, and back: the parameters are then exactly what they were. */
void fold_in(fold *f);
void fold_out(fold *f);

/* Turns raw parameters that were loaded, or a teacher's, into those of a network that takes normalised numbers. */
void fold_inverse(fold *f);

#endif
