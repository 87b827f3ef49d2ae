/* Channels of a pixel, each divided by a power of a sum of squares over a window of them:
 *
 *     y_c = x_c p_c        p_c = s_c^-beta        s_c = kappa + alpha sum_j w(c, j) x_j^2
 *
 * with w(c, j) = 1 when c - before <= j <= c + after, else 0; the channel `skipped` (Darknet's [normalization] has one) has 1 less
 * everywhere. Where s_c is not positive, p_c and its derivatives are 0.
 *
 * On jets these are products, a linear map and a power. With q = x x and f = s^-beta:
 *     q_S = (x x)_S        s_S = alpha sum_j w(c, j) q_S (and kappa in s_0)        p = f(s) by the chain rule        y_S = (x p)_S
 *     (u v)_0 = u_0 v_0    (u v)_1 = u_1 v_0 + u_0 v_1    (u v)_12 = u_12 v_0 + u_1 v_2 + u_2 v_1 + u_0 v_12
 * Adjoint of u in a product with adjoint a:
 *     ubar_12 = v_0 a_12     ubar_1 = v_0 a_1 + v_2 a_12     ubar_2 = v_0 a_2 + v_1 a_12
 *     ubar_0 = v_0 a_0 + sum over directions v_1 a_1 + v_2 a_2 + v_12 a_12
 * so pbar comes from x and ybar, sbar from pbar and f (core/activation_math.h), qbar_S = alpha sum_c w(c, j) sbar_S of the channels c,
 * and xbar is the adjoint of x in x p plus twice that of x in x x. */
#ifndef DNX_CORE_NORMALISE_MATH_H
#define DNX_CORE_NORMALISE_MATH_H

#include "core/activation_math.h"
#include "core/jet.h"

typedef struct normalise_rule {
    double kappa, alpha, beta;
    int before, after;
    int skipped; /* -1: none */
} normalise_rule;

#ifdef DNX_DOUBLE
#define real_pow pow
#else
#define real_pow powf
#endif

/* f = s^-beta and its derivatives. */
DNX_INLINE activation_values normalise_power(real beta, real s)
{
    const real power = real_pow(s > 0 ? s : 1, -beta), f = s > 0 ? power : 0, inverse = 1 / (s > 0 ? s : 1);
    const real f1 = -beta * f * inverse, f2 = -(beta + 1) * f1 * inverse;
    return (activation_values){f, f1, f2, -(beta + 2) * f2 * inverse};
}

/* (u v)_S */
DNX_INLINE real product_jet(int component, jet_element u, jet_element v)
{
    switch (component) {
    case 0:
        return u.x0 * v.x0;
    case 1:
        return u.x1 * v.x0 + u.x0 * v.x1;
    case 2:
        return u.x2 * v.x0 + u.x0 * v.x2;
    default:
        return u.x12 * v.x0 + u.x1 * v.x2 + u.x2 * v.x1 + u.x0 * v.x12;
    }
}

/* ubar_S for S = 1..3, one direction. */
DNX_INLINE real product_adjoint(int component, jet_element v, jet_element adj)
{
    switch (component) {
    case 1:
        return v.x0 * adj.x1 + v.x2 * adj.x12;
    case 2:
        return v.x0 * adj.x2 + v.x1 * adj.x12;
    default:
        return v.x0 * adj.x12;
    }
}

/* What one direction adds to ubar_0. */
DNX_INLINE real product_adjoint_value(jet_element v, jet_element adj)
{
    return v.x1 * adj.x1 + v.x2 * adj.x2 + v.x12 * adj.x12;
}

/* p */
DNX_INLINE jet_element normalise_factor(activation_values f, jet_element s)
{
    return (jet_element){f.f, activation_jet(1, f, s.x1, s.x2, s.x12), activation_jet(2, f, s.x1, s.x2, s.x12),
                         activation_jet(3, f, s.x1, s.x2, s.x12)};
}

/* sbar_S for S = 1..3, one direction. */
DNX_INLINE real normalise_sum_adjoint(int component, activation_values f, jet_element x, jet_element s, jet_element adj_y)
{
    return activation_adjoint(component, f, s.x1, s.x2, product_adjoint(1, x, adj_y), product_adjoint(2, x, adj_y), product_adjoint(3, x, adj_y));
}

/* What one direction adds to sbar_0 = f' x_0 ybar_0. */
DNX_INLINE real normalise_sum_adjoint_value(activation_values f, jet_element x, jet_element s, jet_element adj_y)
{
    return f.f1 * product_adjoint_value(x, adj_y) + activation_adjoint_curvature(f, s.x1, s.x2, s.x12, product_adjoint(1, x, adj_y),
                                                                                 product_adjoint(2, x, adj_y), product_adjoint(3, x, adj_y));
}

#endif
