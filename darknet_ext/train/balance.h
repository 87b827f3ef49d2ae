/* Factors on the weights of the orders that follow the training itself. With L_k the loss of order k without any weight, averaged over
 * the samples since the last change (those for which it has a weight), w_k its weight, n the number of orders in the loss:
 *
 *     SoftAdapt (Heydari, Thompson, Mehmood 2019, normalised): s_k = (L_k - its last value), s~_k = s_k / sum |s|,
 *         factor_k = n exp(beta s~_k) / sum_l exp(beta s~_l)
 *     GradNorm (Chen et al. 2018): G_k = |gradient of w_k factor_k L_k by the parameters|, r_k = (L_k / L_k at the start) / their mean;
 *         factor_k moves towards its fixed point G_k = mean(G) r_k^alpha by the tenth root of the ratio, then all are scaled to a sum of n.
 *
 * GradNorm's own gradient descent on the factors is replaced by this step towards where it ends. */
#ifndef DNX_TRAIN_BALANCE_H
#define DNX_TRAIN_BALANCE_H

#include <stdbool.h>

#include "layers/sobolev.h"

typedef struct balancer {
    balance_kind kind;
    double strength;
    int orders;                             /* 0..order take part, those without a weight aside */
    double factors[JET_MAX_ORDER + 1];
    double first[JET_MAX_ORDER + 1];        /* L_k of the first interval; negative: none yet */
    double last[JET_MAX_ORDER + 1];         /* of the last one */
    double sums[JET_MAX_ORDER + 1];         /* of the interval that runs */
    long samples[JET_MAX_ORDER + 1];
} balancer;

/* o == NULL: a network without [sobolev], nothing to balance. */
balancer balancer_start(const objective_options *o);

/* Losses of a minibatch without their weights, sums over its samples; NaN: an order that has no weight now. */
void balancer_observe(balancer *b, const double losses[JET_MAX_ORDER + 1], int samples);

/* Ends the interval and changes the factors. `norms`: G_k (GradNorm only). */
void balancer_change(balancer *b, const double norms[JET_MAX_ORDER + 1]);

#endif
