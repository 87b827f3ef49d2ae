/* Closed forms of darknet_ext/examples/black_scholes.c: gradient and Hessian by (spot S, time to maturity T, volatility s). With the normal density
 * n and distribution N, d1 and d2 as there, L = log(S / K):
 *
 *     d1_T = -L / (2 s T^1.5) + (r + s^2 / 2) / (2 s sqrt(T))      d2_T = d1_T - s / (2 sqrt(T))
 *     delta  C_S  = N(d1)                                          gamma  C_SS = n(d1) / (S s sqrt(T))
 *     vega   C_s  = S n(d1) sqrt(T)                                volga  C_ss = vega d1 d2 / s
 *     -theta C_T  = S n(d1) s / (2 sqrt(T)) + r K e^-rT N(d2)      vanna  C_Ss = -n(d1) d2 / s
 *     charm  C_ST = n(d1) d1_T                                     veta   C_Ts = S n(d1) (1 / (2 sqrt(T)) - sqrt(T) d1 d1_T)
 *     C_TT = S n(d1) s / 2 (-1 / (2 T^1.5) - d1 d1_T / sqrt(T)) + r K e^-rT (n(d2) d2_T - r N(d2)) */
#ifndef TESTS_BLACK_SCHOLES_GREEKS_H
#define TESTS_BLACK_SCHOLES_GREEKS_H

#include <math.h>

static double normal_density(double d)
{
    return exp(-d * d / 2) / sqrt(2 * M_PI);
}

static double normal_distribution(double d)
{
    return erfc(-d / sqrt(2)) / 2;
}

static double black_scholes_greeks(const double *x, double gradient[3], double hessian[9])
{
    const double K = 100, r = .03, S = x[0], T = x[1], s = x[2], root = sqrt(T), L = log(S / K), bond = K * exp(-r * T);
    const double d1 = (L + (r + s * s / 2) * T) / (s * root), d2 = d1 - s * root, n1 = normal_density(d1), N1 = normal_distribution(d1);
    const double n2 = normal_density(d2), N2 = normal_distribution(d2);
    const double d1_T = -L / (2 * s * T * root) + (r + s * s / 2) / (2 * s * root), d2_T = d1_T - s / (2 * root), vega = S * n1 * root;
    gradient[0] = N1;
    gradient[1] = S * n1 * s / (2 * root) + r * bond * N2;
    gradient[2] = vega;
    hessian[0] = n1 / (S * s * root);
    hessian[1] = hessian[3] = n1 * d1_T;
    hessian[2] = hessian[6] = -n1 * d2 / s;
    hessian[4] = S * n1 * s / 2 * (-1 / (2 * T * root) - d1 * d1_T / root) + r * bond * (n2 * d2_T - r * N2);
    hessian[5] = hessian[7] = S * n1 * (1 / (2 * root) - root * d1 * d1_T);
    hessian[8] = vega * d1 * d2 / s;
    return S * N1 - bond * N2;
}

#endif
