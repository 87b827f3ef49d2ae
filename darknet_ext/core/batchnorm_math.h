/* Batch normalisation of one channel, as a function on jets: the formulas that every backend shares, in double.
 *
 * The N elements z of a channel (samples times pixels), eps = 1e-6 and kappa = 1 / (N - 1) as in Darknet:
 *     m = mean z        c = z - m        V = kappa <c, c>        r = 1 / (sqrt V + eps)        xhat = r c        u = scale xhat + bias
 *
 * While training, m and V are those of the batch: the samples of a batch are one function, and each component of a jet has statistics of
 * its own, for every direction. All is linear, a product, or h(V) = 1 / (sqrt V + eps), so that on jets, T running over the subsets of S:
 *     m_S = mean z_S        c_S = z_S - m_S        V_S = kappa sum_T <c_T, c_(S\T)>        r = h(V) by the chain rule
 *     xhat_S = sum_T r_(S\T) c_T        u_S = scale xhat_S (bias only in u_0)
 * Adjoint, step by step backwards, T running over the sets that contain S, and x = scale ubar the adjoint of xhat:
 *     rbar_S = sum_T <c_(T\S), x_T>                  Vbar from rbar as for every function h (core/activation_math.h)
 *     cbar_S = sum_T r_(T\S) x_T + 2 kappa sum_T Vbar_T c_(T\S)
 *     zbar_S = cbar_S - mean cbar_S                  (the elements of c add up to 0: only the means of x_T count)
 *     scalebar = sum_S <ubar_S, xhat_S> = sum_S r_S rbar_S / scale        biasbar = sum ubar_0
 * where rbar_0, Vbar_0 and zbar_0 add up what all directions give. For zbar_S only those T count that contain S, and of z and V the components
 * that such a T leaves beside S: the upper half of zbar needs the upper half of ubar, and the low half of z.
 *
 * Otherwise (prediction) m and V are constants: xhat_0 = r (z_0 - m), xhat_S = r z_S, zbar_S = r x_S.
 *
 * A channel whose elements are all equal has V = 0, where the root has no derivative; xhat is then c / eps, and the derivatives of h count as 0. */
#ifndef DNX_CORE_BATCHNORM_MATH_H
#define DNX_CORE_BATCHNORM_MATH_H

#include "core/activation_math.h"
#include "core/jet.h"

#define BATCHNORM_EPSILON 1e-6
#define BATCHNORM_DARKNET_EPSILON 1e-5 /* under the roots of Darknet's own adjoint */

/* h and its first three derivatives at V. */
typedef struct batchnorm_root {
    double h, h1, h2, h3;
} batchnorm_root;

DNX_INLINE batchnorm_root batchnorm_root_at(double variance)
{
    const double sigma = sqrt(variance), h = 1 / (sigma + BATCHNORM_EPSILON), q = h / sigma;
    if (sigma == 0)
        return (batchnorm_root){h, 0, 0, 0};
    return (batchnorm_root){
        .h = h,
        .h1 = -q * h / 2,
        .h2 = q * q * (h / 2 + 1 / (4 * sigma)),
        .h3 = -q * q / sigma * (3 * h * h / 4 + 3 * h / (4 * sigma) + 3 / (8 * variance)),
    };
}

/* r from V, one direction; components that the jet does not have are 0. */
DNX_INLINE void batchnorm_inverse_deviation(batchnorm_root a, const double v[JET_MAX_COMPONENTS], double r[JET_MAX_COMPONENTS])
{
    r[0] = a.h;
    r[1] = a.h1 * v[1];
    r[2] = a.h1 * v[2];
    r[3] = a.h2 * v[1] * v[2] + a.h1 * v[3];
}

/* Vbar from rbar, one direction. Vbar_0 is linear in rbar: the directions add up. */
DNX_INLINE void batchnorm_variance_adjoint(batchnorm_root a, const double v[JET_MAX_COMPONENTS], const double r_bar[JET_MAX_COMPONENTS],
                                           double v_bar[JET_MAX_COMPONENTS])
{
    v_bar[3] = a.h1 * r_bar[3];
    v_bar[2] = a.h1 * r_bar[2] + a.h2 * v[1] * r_bar[3];
    v_bar[1] = a.h1 * r_bar[1] + a.h2 * v[2] * r_bar[3];
    v_bar[0] = a.h1 * r_bar[0] + a.h2 * (v[1] * r_bar[1] + v[2] * r_bar[2]) + (a.h3 * v[1] * v[2] + a.h2 * v[3]) * r_bar[3];
}

/* The adjoint of Darknet's own training, of values alone: zbar = a (x - mean x) + b <c, x> c. It takes the variance over N where it was taken
 * over N - 1, and another eps, in another place. */
typedef struct batchnorm_darknet_adjoint {
    double a, b;
} batchnorm_darknet_adjoint;

DNX_INLINE batchnorm_darknet_adjoint batchnorm_darknet_adjoint_at(double variance, double count)
{
    const double a = 1 / sqrt(variance + BATCHNORM_DARKNET_EPSILON);
    return (batchnorm_darknet_adjoint){a, -a * a * a / count};
}

#endif
