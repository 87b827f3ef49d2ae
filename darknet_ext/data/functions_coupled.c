/* Benchmarks of any dimension whose coordinates act on each other: functions of |x|, a product, and sums of
 * combinations. i counts from 1 in the formulas, from 0 in the code. */
#include <math.h>

#include "data/function_parts.h"

/* (sum x_i^2)^2 = R^4 */
double chung_reynolds_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double radius = euclidean_norm(x, n), square = radius * radius;
    partials_add_radial(partials_begin(n, gradient, hessian), x, radius, 4 * square, 12 * square);
    return square * square;
}

/* -exp(-0.5 sum x_i^2) = -exp(-R^2 / 2) */
double exponential_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double radius = euclidean_norm(x, n), e = exp(-.5 * radius * radius);
    partials_add_radial(partials_begin(n, gradient, hessian), x, radius, e, (1 - radius * radius) * e);
    return -e;
}

/* 1 - cos(2 pi R) + 0.1 R.
 * The last term is a cone at the origin: its derivatives are given as 0 there, so that the gradient is the mean of the
 * one-sided ones and the Hessian that of the cosine, 4 pi^2 times the unit matrix. */
double salomon_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double radius = euclidean_norm(x, n), angle = 2 * M_PI * radius, limit = 4 * M_PI * M_PI;
    double slope_by_radius = radius > 0 ? (2 * M_PI * sin(angle) + .1) / radius : limit;
    partials_add_radial(partials_begin(n, gradient, hessian), x, radius, slope_by_radius, limit * cos(angle));
    return 1 - cos(angle) + .1 * radius;
}

/* Factor i of Griewank's product, cos(x_i / sqrt(i)). */
static curve griewank_factor(const double *x, int i)
{
    double rate = 1 / sqrt(i + 1), c = cos(rate * x[i]);
    return (curve){c, -rate * sin(rate * x[i]), -rate * rate * c};
}

/* slopes[j] = d/dx_j of the product of all factors but `skip` (-1: none), which is returned; slopes[skip] = 0. Made of the
 * products before and after j: no division, so that factors may vanish. */
static double griewank_product(const double *x, int n, int skip, double *slopes)
{
    double before = 1, after = 1;
    for (int j = 0; j < n; j++) {
        curve c = griewank_factor(x, j);
        slopes[j] = j == skip ? 0 : before * c.f1;
        before *= j == skip ? 1 : c.f;
    }
    for (int j = n - 1; j >= 0; j--) {
        slopes[j] *= after;
        after *= j == skip ? 1 : griewank_factor(x, j).f;
    }
    return before;
}

/* Row i is the slope of factor i times the slopes of the other factors' product. */
static void griewank_hessian(const double *x, int n, double *hessian)
{
    for (int i = 0; i < n; i++) {
        double *row = hessian + (size_t)i * (size_t)n;
        curve c = griewank_factor(x, i);
        double others = griewank_product(x, n, i, row);
        for (int j = i + 1; j < n; j++)
            row[j] *= -c.f1;
        row[i] = 1 / 2000. - c.f2 * others;
        for (int j = 0; j < i; j++)
            row[j] = hessian[(size_t)j * (size_t)n + (size_t)i]; /* bitwise symmetric */
    }
}

/* sum x_i^2 / 4000 - prod cos(x_i / sqrt(i)) + 1 */
double griewank_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double sum = 0, product = 1;
    for (int i = 0; i < n; i++) {
        sum += x[i] * x[i] / 4000;
        product *= griewank_factor(x, i).f;
    }
    if (gradient) {
        griewank_product(x, n, -1, gradient);
        for (int i = 0; i < n; i++)
            gradient[i] = x[i] / 2000 - gradient[i];
    }
    if (hessian) griewank_hessian(x, n, hessian);
    return sum - product + 1;
}

/* sum x_i^2 + u^2 + u^4, u = sum 0.5 i x_i */
double zakharov_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double squares = 0, u = 0;
    for (int i = 0; i < n; i++) {
        squares += x[i] * x[i];
        u += .5 * (i + 1) * x[i];
    }
    double f1 = 2 * u + 4 * u * u * u, f2 = 2 + 12 * u * u;
    partials p = partials_begin(n, gradient, hessian);
    for (int i = 0; i < n; i++) {
        partials_add_first(p, i, 2 * x[i] + f1 * .5 * (i + 1));
        partials_add_second(p, i, i, 2);
        for (int j = 0; j <= i; j++)
            partials_add_second(p, i, j, f2 * .25 * (i + 1) * (j + 1));
    }
    return squares + u * u + u * u * u * u;
}

/* (x_1 - 1)^2 + sum_{i>1} i (2 x_i^2 - x_{i-1})^2 */
double dixon_price_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    partials p = partials_begin(n, gradient, hessian);
    double start = x[0] - 1, sum = start * start;
    partials_add_first(p, 0, 2 * start);
    partials_add_second(p, 0, 0, 2);
    for (int i = 1; i < n; i++) {
        double weight = i + 1, t = 2 * x[i] * x[i] - x[i - 1];
        sum += weight * t * t;
        partials_add_first(p, i, 8 * weight * t * x[i]);
        partials_add_first(p, i - 1, -2 * weight * t);
        partials_add_second(p, i, i, 8 * weight * (t + 4 * x[i] * x[i]));
        partials_add_second(p, i, i - 1, -8 * weight * x[i]);
        partials_add_second(p, i - 1, i - 1, 2 * weight);
    }
    return sum;
}

/* sum_i s_i^2, s_i = x_1 + ... + x_i (Schwefel's problem 1.2): s_k depends on x_i for k >= i. */
double schwefel_double_sum_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    partials p = partials_begin(n, gradient, hessian);
    double sum = 0, partial = 0;
    for (int k = 0; k < n; k++) {
        partial += x[k];
        sum += partial * partial;
        for (int i = 0; i <= k; i++) {
            partials_add_first(p, i, 2 * partial);
            partials_add_second(p, k, i, 2. * (n - k));
        }
    }
    return sum;
}
