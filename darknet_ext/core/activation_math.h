/* Activations: f, f', f'', f''' in one place, and the rule by which they act on jets.
 *
 * The first fourteen are Darknet's, with Darknet's constants and its choice of the slope at a kink; softplus, swish and
 * sin are additions. This header is compiled by every backend (C, and later CUDA C), so that they cannot drift apart.
 *
 * For a jet (chain rule of Faa di Bruno):
 *     y_0  = f(x_0)        y_1 = f' x_1        y_2 = f' x_2        y_12 = f'' x_1 x_2 + f' x_12
 * and its adjoint, from the derivatives of <ybar, y> with respect to each component of x:
 *     xbar_12 = f' ybar_12
 *     xbar_2  = f' ybar_2 + f'' x_1 ybar_12
 *     xbar_1  = f' ybar_1 + f'' x_2 ybar_12
 *     xbar_0  = f' ybar_0 + f'' (x_1 ybar_1 + x_2 ybar_2) + (f''' x_1 x_2 + f'' x_12) ybar_12
 * where the terms of components 1, 2 and 12 are summed over the directions. Derivatives are taken at x_0. */
#ifndef DNX_CORE_ACTIVATION_MATH_H
#define DNX_CORE_ACTIVATION_MATH_H

#include <math.h>
#include <stdbool.h>

#include "core/real.h"

#ifdef __CUDACC__
#define DNX_INLINE static __host__ __device__ inline
#else
#define DNX_INLINE static inline
#endif

/* X(enumerator, name in cfg, piecewise linear, known to stock Darknet) */
#define ACTIVATION_TABLE(X)                                                                                            \
    X(ACTIVATION_LOGISTIC, "logistic", false, true)                                                                    \
    X(ACTIVATION_RELU, "relu", true, true)                                                                             \
    X(ACTIVATION_RELIE, "relie", true, true)                                                                           \
    X(ACTIVATION_LINEAR, "linear", true, true)                                                                         \
    X(ACTIVATION_RAMP, "ramp", true, true)                                                                             \
    X(ACTIVATION_TANH, "tanh", false, true)                                                                            \
    X(ACTIVATION_PLSE, "plse", true, true)                                                                             \
    X(ACTIVATION_LEAKY, "leaky", true, true)                                                                           \
    X(ACTIVATION_ELU, "elu", false, true)                                                                              \
    X(ACTIVATION_LOGGY, "loggy", false, true)                                                                          \
    X(ACTIVATION_STAIR, "stair", true, true)                                                                           \
    X(ACTIVATION_HARDTAN, "hardtan", true, true)                                                                       \
    X(ACTIVATION_LHTAN, "lhtan", true, true)                                                                           \
    X(ACTIVATION_SELU, "selu", false, true)                                                                            \
    X(ACTIVATION_SOFTPLUS, "softplus", false, false)                                                                   \
    X(ACTIVATION_SWISH, "swish", false, false)                                                                         \
    X(ACTIVATION_SIN, "sin", false, false)

typedef enum activation {
#define ACTIVATION_ENUMERATOR(e, name, piecewise, stock) e,
    ACTIVATION_TABLE(ACTIVATION_ENUMERATOR)
#undef ACTIVATION_ENUMERATOR
        ACTIVATION_COUNT
} activation;

typedef struct activation_info {
    const char *name;
    bool piecewise_linear; /* f'' = f''' = 0 wherever they exist */
    bool stock;
} activation_info;

extern const activation_info activation_table[ACTIVATION_COUNT];
/* The names in enumerator order, NULL-terminated: the choices of an `activation=` key. */
extern const char *const activation_names[ACTIVATION_COUNT + 1];

/* Values of f and its first three derivatives at one point. */
typedef struct activation_values {
    real f, f1, f2, f3;
} activation_values;

#ifdef DNX_DOUBLE
#define real_exp exp
#define real_log1p log1p
#define real_tanh tanh
#define real_floor floor
#define real_sin sin
#define real_cos cos
#define real_fabs fabs
#define real_sqrt sqrt
#else
#define real_exp expf
#define real_log1p log1pf
#define real_tanh tanhf
#define real_floor floorf
#define real_sin sinf
#define real_cos cosf
#define real_fabs fabsf
#define real_sqrt sqrtf
#endif

DNX_INLINE activation_values activation_slope(real f, real slope)
{
    return (activation_values){f, slope, 0, 0};
}

/* The exponential without overflow for either sign: 1 / (1 + exp(-x)). */
DNX_INLINE real sigmoid(real x)
{
    return 1 / (1 + real_exp(-x));
}

/* f(x), f'(x), f''(x), f'''(x). At a kink the slope is Darknet's. */
/* Whether f(x) > 0 exactly where x > 0, f being linear on either side: then f' at f(x) is f' at x, and x need not be kept. Such f are also
 * homogeneous: f(x) = f'(x) x. */
DNX_INLINE bool activation_keeps_sign(activation kind)
{
    return kind == ACTIVATION_LINEAR || kind == ACTIVATION_RELU || kind == ACTIVATION_RELIE || kind == ACTIVATION_RAMP || kind == ACTIVATION_LEAKY;
}

DNX_INLINE activation_values activation_at(activation kind, real x)
{
    switch (kind) {
    case ACTIVATION_LINEAR:
        return activation_slope(x, 1);
    case ACTIVATION_RELU:
        return activation_slope(x > 0 ? x : 0, x > 0 ? 1 : 0);
    case ACTIVATION_RELIE:
        return activation_slope(x > 0 ? x : (real).01 * x, x > 0 ? 1 : (real).01);
    case ACTIVATION_LEAKY:
        return activation_slope(x > 0 ? x : (real).1 * x, x > 0 ? 1 : (real).1);
    case ACTIVATION_RAMP:
        return activation_slope((x > 0 ? x : 0) + (real).1 * x, (x > 0 ? 1 : 0) + (real).1);
    case ACTIVATION_HARDTAN:
        return activation_slope(x < -1 ? -1 : x > 1 ? 1 : x, x > -1 && x < 1 ? 1 : 0);
    case ACTIVATION_LHTAN:
        return activation_slope(x < 0 ? (real).001 * x : x > 1 ? (real).001 * (x - 1) + 1 : x, x > 0 && x < 1 ? 1 : (real).001);
    case ACTIVATION_PLSE:
        return activation_slope(x < -4  ? (real).01 * (x + 4)
                                : x > 4 ? (real).01 * (x - 4) + 1
                                        : (real).125 * x + (real).5,
                                x < -4 || x > 4 ? (real).01 : (real).125);
    case ACTIVATION_STAIR: {
        real n = real_floor(x), half = real_floor(x / 2);
        bool odd = n != 2 * half;
        return activation_slope(odd ? x - n + half : half, odd && x != n ? 1 : 0);
    }
    case ACTIVATION_LOGISTIC: {
        real s = sigmoid(x), d = s * (1 - s);
        return (activation_values){s, d, d * (1 - 2 * s), d * (1 - 6 * d)};
    }
    case ACTIVATION_LOGGY: {
        real s = sigmoid(x), d = s * (1 - s);
        return (activation_values){2 * s - 1, 2 * d, 2 * d * (1 - 2 * s), 2 * d * (1 - 6 * d)};
    }
    case ACTIVATION_TANH: {
        real t = real_tanh(x), d = 1 - t * t;
        return (activation_values){t, d, -2 * t * d, d * (6 * t * t - 2)};
    }
    case ACTIVATION_ELU: {
        real e = x < 0 ? real_exp(x) : 1;
        return x < 0 ? (activation_values){e - 1, e, e, e} : activation_slope(x, 1);
    }
    case ACTIVATION_SELU: {
        const real scale = (real)1.0507, alpha = (real)(1.0507 * 1.6732);
        real e = x < 0 ? alpha * real_exp(x) : 0;
        return x < 0 ? (activation_values){e - alpha, e, e, e} : activation_slope(scale * x, scale);
    }
    case ACTIVATION_SOFTPLUS: {
        real s = sigmoid(x), d = s * (1 - s);
        return (activation_values){(x > 0 ? x : 0) + real_log1p(real_exp(-real_fabs(x))), s, d, d * (1 - 2 * s)};
    }
    case ACTIVATION_SWISH: { /* x s(x); derivatives by Leibniz' rule */
        real s = sigmoid(x), d1 = s * (1 - s), d2 = d1 * (1 - 2 * s), d3 = d1 * (1 - 6 * d1);
        return (activation_values){x * s, s + x * d1, 2 * d1 + x * d2, 3 * d2 + x * d3};
    }
    case ACTIVATION_SIN: {
        real s = real_sin(x), c = real_cos(x);
        return (activation_values){s, c, -s, -c};
    }
    default:
        return activation_slope(0, 0);
    }
}

/* y_S for S = 0..3; components a jet of lower order does not have are passed as 0. */
DNX_INLINE real activation_jet(int component, activation_values a, real x1, real x2, real x12)
{
    switch (component) {
    case 0:
        return a.f;
    case 1:
        return a.f1 * x1;
    case 2:
        return a.f1 * x2;
    default:
        return a.f2 * x1 * x2 + a.f1 * x12;
    }
}

/* xbar_S for S = 1..3, one direction. */
DNX_INLINE real activation_adjoint(int component, activation_values a, real x1, real x2, real adj1, real adj2, real adj12)
{
    switch (component) {
    case 1:
        return a.f1 * adj1 + a.f2 * x2 * adj12;
    case 2:
        return a.f1 * adj2 + a.f2 * x1 * adj12;
    default:
        return a.f1 * adj12;
    }
}

/* What one direction adds to xbar_0 through the curvature of f. */
DNX_INLINE real activation_adjoint_curvature(activation_values a, real x1, real x2, real x12, real adj1, real adj2, real adj12)
{
    return a.f2 * (x1 * adj1 + x2 * adj2) + (a.f3 * x1 * x2 + a.f2 * x12) * adj12;
}

#endif
