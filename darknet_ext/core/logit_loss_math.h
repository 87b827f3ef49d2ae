/* Losses between logits p and a target t of one sample, T = the temperature (`parameter`), w = the weights of the elements:
 *
 *     a = log softmax(p / T), P = exp(a)          the student
 *     b = log softmax(t / T), Q = exp(b)          the target, logits as well (log-probabilities are logits)
 *
 *     kl             T^2 sum w P (a - b)          KL(student || target)
 *     kl_reverse     T^2 sum w Q (b - a)          KL(target || student), Hinton's distillation but for a constant
 *     cross_entropy  - T^2 sum w t a              t: probabilities or one-hot, as they stand
 *
 * T^2 keeps the size of the gradient when T changes (Hinton, Vinyals, Dean 2015). The derivatives by p, with z = p / T:
 *
 *     kl             T P_j (w_j (a_j - b_j + 1) - sum w P (a - b + 1))
 *     the others     T (P_j sum w q - w_j q_j)    q = Q or t
 *
 * A sample with an element that is not given (NaN) counts nothing: a softmax needs them all. Sums and exponentials are in double, and
 * exponents are never positive, so that logits of any size are possible. */
#ifndef DNX_CORE_LOGIT_LOSS_MATH_H
#define DNX_CORE_LOGIT_LOSS_MATH_H

#include "core/loss_math.h"

DNX_INLINE bool loss_is_of_logits(loss_kind kind)
{
    return kind == LOSS_KL || kind == LOSS_KL_REVERSE || kind == LOSS_CROSS_ENTROPY;
}

/* log softmax(x / temperature) = (x - largest) / temperature - log_sum: no digits are lost in large logits. */
typedef struct logit_scale {
    double largest, log_sum;
} logit_scale;

DNX_INLINE logit_scale logit_scale_of(size_t count, const real *x, double temperature)
{
    double largest = x[0], sum = 0;
    for (size_t k = 1; k < count; ++k)
        largest = x[k] > largest ? x[k] : largest;
    for (size_t k = 0; k < count; ++k)
        sum += exp((x[k] - largest) / temperature);
    return (logit_scale){largest, log(sum)};
}

/* One row, and what its elements need. */
typedef struct logit_row {
    loss_function loss;
    const real *p, *t;  /* t NULL: zeros */
    logit_scale p_scale, t_scale;
    double value, mass; /* sums of w P (a - b) and w P, or of w q (b - a) and w q; b = 0 for cross_entropy */
} logit_row;

DNX_INLINE double logit_weight(const logit_row *r, size_t k)
{
    return r->loss.weights ? (double)r->loss.weights[k] : 1;
}

DNX_INLINE double logit_student(const logit_row *r, size_t k)
{
    return ((double)r->p[k] - r->p_scale.largest) / r->loss.parameter - r->p_scale.log_sum;
}

DNX_INLINE double logit_target(const logit_row *r, size_t k)
{
    return ((r->t ? (double)r->t[k] : 0) - r->t_scale.largest) / r->loss.parameter - r->t_scale.log_sum;
}

/* q of an element. */
DNX_INLINE double logit_share(const logit_row *r, size_t k)
{
    if (r->loss.kind == LOSS_CROSS_ENTROPY)
        return r->t ? (double)r->t[k] : 0;
    return exp(logit_target(r, k));
}

DNX_INLINE void logit_add(logit_row *r, size_t k)
{
    double a = logit_student(r, k), w = logit_weight(r, k);
    double share = w * (r->loss.kind == LOSS_KL ? exp(a) : logit_share(r, k));
    if (share == 0) /* also where b is -infinity */
        return;
    r->mass += share;
    if (r->loss.kind == LOSS_KL)
        r->value += share * (a - logit_target(r, k));
    else
        r->value += share * ((r->loss.kind == LOSS_KL_REVERSE ? logit_target(r, k) : 0) - a);
}

/* Its sums; false when an element is not given. `loss.parameter` is the temperature. */
DNX_INLINE bool logit_row_begin(logit_row *r, loss_function loss, size_t count, const real *p, const real *t)
{
    *r = (logit_row){.loss = loss, .p = p, .t = t};
    for (size_t k = 0; t && k < count; ++k)
        if (t[k] != t[k])
            return false;
    r->p_scale = logit_scale_of(count, p, loss.parameter);
    if (loss.kind != LOSS_CROSS_ENTROPY)
        r->t_scale = t ? logit_scale_of(count, t, loss.parameter) : (logit_scale){0, log((double)count)};
    for (size_t k = 0; k < count; ++k)
        logit_add(r, k);
    return true;
}

/* d loss / d p_k. Without weights the shares sum to 1, which is exact here: equal logits have the gradient 0. */
DNX_INLINE double logit_gradient(const logit_row *r, size_t k)
{
    double a = logit_student(r, k), w = logit_weight(r, k), probability = exp(a);
    bool sums_to_one = !r->loss.weights && r->loss.kind != LOSS_CROSS_ENTROPY;
    double mass = sums_to_one ? 1 : r->mass;
    if (r->loss.kind != LOSS_KL)
        return r->loss.parameter * (probability * mass - w * logit_share(r, k));
    if (probability == 0)
        return 0;
    return r->loss.parameter * probability * (w * (a - logit_target(r, k)) - r->value + (w - mass));
}

/* The loss of a row of `count` logits; gradient (NULL: not wanted) = scale * its derivative by p. */
DNX_INLINE double logit_loss_row(loss_function loss, size_t count, const real *p, const real *t, double scale, real *gradient)
{
    logit_row r;
    bool given = logit_row_begin(&r, loss, count, p, t);
    for (size_t k = 0; gradient && k < count; ++k)
        gradient[k] = given ? (real)(scale * logit_gradient(&r, k)) : 0;
    return given ? loss.parameter * loss.parameter * r.value : 0;
}

#endif
