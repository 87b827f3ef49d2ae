/* What the built-in functions are made of; private to data/functions*.c.
 *
 * In all of them n is the number of inputs and x holds n numbers. The formulas in the comments count from i = 1, the
 * code from 0. */
#ifndef DNX_DATA_FUNCTION_PARTS_H
#define DNX_DATA_FUNCTION_PARTS_H

#include <stddef.h>

/* Where the derivatives of one point are collected: gradient[n] and hessian[n*n], either may be NULL (not wanted). */
typedef struct partials {
    int n;
    double *gradient, *hessian;
} partials;

/* Sets what is wanted to zero; everything after that adds. */
partials partials_begin(int n, double *gradient, double *hessian);

static inline void partials_add_first(partials p, int i, double value)
{
    if (p.gradient) p.gradient[i] += value;
}

/* d2f / dx_i dx_j, to both places of the symmetric matrix. */
static inline void partials_add_second(partials p, int i, int j, double value)
{
    if (!p.hessian) return;
    p.hessian[(size_t)i * (size_t)p.n + (size_t)j] += value;
    if (i != j) p.hessian[(size_t)j * (size_t)p.n + (size_t)i] += value;
}

/* A function of one variable and its derivatives at one point. */
typedef struct curve {
    double f, f1, f2;
} curve;

/* f(x) = sum_i term_i(x_i). */
typedef curve (*separable_term)(double x, int i, int n);
double separable_sum(const double *x, int n, double *gradient, double *hessian, separable_term term);

double euclidean_norm(const double *x, int n);

/* Derivatives of psi(R), R = |x|, given psi'(R)/R and psi''(R); with u = x/R
 *     d psi / dx_i = psi'/R x_i        d2 psi / dx_i dx_j = psi'/R delta_ij + (psi'' - psi'/R) u_i u_j
 * At R = 0 u is taken as 0: pass the limit of psi'/R there, or 0 if psi has a cone. */
void partials_add_radial(partials p, const double *x, double radius, double slope_by_radius, double curvature);

#define DECLARE_FUNCTION(name) double name##_evaluate(const double *x, int n, double *gradient, double *hessian)
/* functions_paper.c */
DECLARE_FUNCTION(ackley);
DECLARE_FUNCTION(beale);
DECLARE_FUNCTION(booth);
DECLARE_FUNCTION(bukin);
DECLARE_FUNCTION(mccormick);
DECLARE_FUNCTION(rosenbrock);
DECLARE_FUNCTION(styblinski_tang);
/* functions_separable.c */
DECLARE_FUNCTION(sphere);
DECLARE_FUNCTION(sum_squares);
DECLARE_FUNCTION(quartic);
DECLARE_FUNCTION(qing);
DECLARE_FUNCTION(rastrigin);
DECLARE_FUNCTION(levy);
DECLARE_FUNCTION(michalewicz);
DECLARE_FUNCTION(schwefel);
DECLARE_FUNCTION(wavy);
/* functions_coupled.c */
DECLARE_FUNCTION(chung_reynolds);
DECLARE_FUNCTION(exponential);
DECLARE_FUNCTION(salomon);
DECLARE_FUNCTION(griewank);
DECLARE_FUNCTION(zakharov);
DECLARE_FUNCTION(dixon_price);
DECLARE_FUNCTION(schwefel_double_sum);
#undef DECLARE_FUNCTION

#endif
