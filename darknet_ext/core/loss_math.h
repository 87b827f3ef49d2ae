/* Losses between a prediction vector p and a target vector t of one sample (or of one sample and direction), with
 * e = p - t over `count` elements:
 *
 *     l2        sum e^2                         the squared norm of the paper's section 4.1
 *     norm      sqrt(sum e^2)                   unsquared, as in the distillation objective of section 4.2
 *     l1        sum |e|                         as in the synthetic gradients of section 4.3
 *     huber     sum h(e), h = e^2/2 inside |e| <= delta, delta (|e| - delta/2) outside
 *     relative  sum e^2 / (sum t^2 + epsilon)
 *     penalty   (sqrt(sum e^2) - norm)^2        with t = 0: the gradient penalty
 *
 * and those of core/logit_loss_math.h, which take p for logits.
 *
 * Every sum runs over the elements whose target is given (not NaN), each times its weight, so that d loss / d p_i is the weight times
 * the formula without weights. A loss has two steps: a reduction over the vector, then the gradient of each element given the sums.
 * Where a derivative does not exist (e = 0 in norm, l1 and penalty) the gradient is 0. */
#ifndef DNX_CORE_LOSS_MATH_H
#define DNX_CORE_LOSS_MATH_H

#include <stddef.h>

#include "core/activation_math.h"

#define VECTOR_LOSS_TABLE(X)                                                                                           \
    X(LOSS_L2, "l2")                                                                                                   \
    X(LOSS_NORM, "norm")                                                                                               \
    X(LOSS_L1, "l1")                                                                                                   \
    X(LOSS_HUBER, "huber")                                                                                             \
    X(LOSS_RELATIVE, "relative")

#define LOGIT_LOSS_TABLE(X)                                                                                            \
    X(LOSS_KL, "kl")                                                                                                   \
    X(LOSS_KL_REVERSE, "kl_reverse")                                                                                   \
    X(LOSS_CROSS_ENTROPY, "cross_entropy")

#define PENALTY_LOSS_TABLE(X) X(LOSS_PENALTY, "penalty")

typedef enum loss_kind {
#define LOSS_ENUMERATOR(e, name) e,
    VECTOR_LOSS_TABLE(LOSS_ENUMERATOR) LOGIT_LOSS_TABLE(LOSS_ENUMERATOR) PENALTY_LOSS_TABLE(LOSS_ENUMERATOR)
#undef LOSS_ENUMERATOR
        LOSS_COUNT
} loss_kind;

extern const char *const loss_names[LOSS_COUNT + 1];

/* What a cfg may choose from: between vectors, between values, which may be logits, and of first derivatives. A place in the first two
 * is a loss_kind. */
extern const char *const vector_loss_names[], *const value_loss_names[], *const gradient_loss_names[];

/* Of a place in gradient_loss_names. */
loss_kind gradient_loss_kind(int place);

/* `parameter` is delta of huber, epsilon of relative, the norm of penalty, the temperature of losses of logits; the others do not use it. */
typedef struct loss_function {
    loss_kind kind;
    double parameter;
    const real *weights;     /* [count] of the elements of every vector; NULL: all 1 */
    const real *row_weights; /* [rows] of the losses of several vectors; NULL: all 1 */
} loss_function;

/* With the parameter that [sobolev] gives it by default, and no weights. */
loss_function loss_of_kind(loss_kind kind);

/* Sums over a vector that a loss needs. */
typedef struct loss_sums {
    double error;  /* the sum that the kind is built on: of w e^2, w |e| or w h(e) */
    double target; /* sum w t^2 */
} loss_sums;

/* What an element counts for: 0 when its target is not given. */
DNX_INLINE double loss_weight(const real *weights, size_t i, double target)
{
    return target != target ? 0 : weights ? (double)weights[i] : 1;
}

/* e of an element; of one without a target it only matters that it is finite when p is. */
DNX_INLINE double loss_error(double prediction, double target)
{
    return target != target ? prediction : prediction - target;
}

/* One element's share of `error`. */
DNX_INLINE double loss_term(loss_function loss, double e)
{
    double size = e < 0 ? -e : e;
    switch (loss.kind) {
    case LOSS_L1:
        return size;
    case LOSS_HUBER:
        return size <= loss.parameter ? .5 * e * e : loss.parameter * (size - .5 * loss.parameter);
    default:
        return e * e;
    }
}

/* The loss of the vector. */
DNX_INLINE double loss_value(loss_function loss, loss_sums sums)
{
    switch (loss.kind) {
    case LOSS_NORM:
        return sqrt(sums.error);
    case LOSS_PENALTY:
        return (sqrt(sums.error) - loss.parameter) * (sqrt(sums.error) - loss.parameter);
    case LOSS_RELATIVE:
        return sums.error / (sums.target + loss.parameter);
    default:
        return sums.error;
    }
}

/* d loss / d p of one element with error e, before its weight. */
DNX_INLINE double loss_gradient(loss_function loss, loss_sums sums, double e)
{
    switch (loss.kind) {
    case LOSS_NORM:
        return sums.error > 0 ? e * (1 / sqrt(sums.error)) : 0; /* a loop over elements divides once */
    case LOSS_PENALTY:
        return sums.error > 0 ? 2 * e * (1 - loss.parameter / sqrt(sums.error)) : 0;
    case LOSS_L1:
        return e > 0 ? 1 : e < 0 ? -1 : 0;
    case LOSS_HUBER:
        return e > loss.parameter ? loss.parameter : e < -loss.parameter ? -loss.parameter : e;
    case LOSS_RELATIVE:
        return 2 * e / (sums.target + loss.parameter);
    default:
        return 2 * e;
    }
}

/* Darknet's losses of probabilities p against labels t: -log p where t is not 0, whatever else t is; `binary`: -t log p - (1-t) log(1-p),
 * without the term that counts nothing. A label that is not given costs nothing. */
DNX_INLINE double cross_entropy_term(bool binary, double p, double t)
{
    if (t != t)
        return 0;
    if (!binary)
        return t != 0 ? -log(p) : 0;
    return (t != 0 ? -t * log(p) : 0) - (t != 1 ? (1 - t) * log(1 - p) : 0);
}

/* What Darknet takes for the derivative of either by the argument of the softmax or logistic function. */
DNX_INLINE double cross_entropy_gradient(double p, double t)
{
    return t != t ? 0 : p - t;
}

#endif
