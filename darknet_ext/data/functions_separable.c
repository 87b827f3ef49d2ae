/* Benchmarks of any dimension that are sums of functions of one coordinate: their Hessians are diagonal.
 * Each has its formula, then term i of the sum with its two derivatives; i counts from 0 in the code. */
#include <math.h>

#include "data/function_parts.h"

/* sum x_i^2 */
static curve sphere_term(double x, int i, int n)
{
    return (curve){x * x, 2 * x, 2};
}

double sphere_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, sphere_term);
}

/* sum i x_i^2 */
static curve sum_squares_term(double x, int i, int n)
{
    double weight = i + 1;
    return (curve){weight * x * x, 2 * weight * x, 2 * weight};
}

double sum_squares_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, sum_squares_term);
}

/* sum i x_i^4, without the noise that the original adds */
static curve quartic_term(double x, int i, int n)
{
    double weight = i + 1, square = x * x;
    return (curve){weight * square * square, 4 * weight * x * square, 12 * weight * square};
}

double quartic_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, quartic_term);
}

/* sum (x_i^2 - i)^2 */
static curve qing_term(double x, int i, int n)
{
    double t = x * x - (i + 1);
    return (curve){t * t, 4 * x * t, 4 * t + 8 * x * x};
}

double qing_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, qing_term);
}

/* 10 n + sum x_i^2 - 10 cos(2 pi x_i) */
static curve rastrigin_term(double x, int i, int n)
{
    double angle = 2 * M_PI * x, c = cos(angle);
    return (curve){10 + x * x - 10 * c, 2 * x + 20 * M_PI * sin(angle), 2 + 40 * M_PI * M_PI * c};
}

double rastrigin_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, rastrigin_term);
}

/* amplitude * sin^2(rate * w + phase), derivatives with respect to w */
static curve sine_squared(double amplitude, double rate, double phase, double w)
{
    double angle = rate * w + phase, s = sin(angle);
    return (curve){amplitude * s * s, amplitude * rate * sin(2 * angle), 2 * amplitude * rate * rate * cos(2 * angle)};
}

/* sin^2(pi w_1) + sum_{i<n} (w_i - 1)^2 (1 + 10 sin^2(pi w_i + 1)) + (w_n - 1)^2 (1 + sin^2(2 pi w_n)),
 * w_i = 1 + (x_i - 1)/4 */
static curve levy_term(double x, int i, int n)
{
    double v = (x - 1) / 4, w = 1 + v;
    curve a = i == n - 1 ? sine_squared(1, 2 * M_PI, 0, w) : sine_squared(10, M_PI, 1, w);
    curve first = i == 0 ? sine_squared(1, M_PI, 0, w) : (curve){0, 0, 0};
    double f = first.f + v * v * (1 + a.f);
    double f1 = first.f1 + 2 * v * (1 + a.f) + v * v * a.f1;
    double f2 = first.f2 + 2 * (1 + a.f) + 4 * v * a.f1 + v * v * a.f2;
    return (curve){f, f1 / 4, f2 / 16};
}

double levy_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, levy_term);
}

/* -sum sin(x_i) sin^{2m}(i x_i^2 / pi), m = 10 */
static curve michalewicz_term(double x, int i, int n)
{
    const double power = 20;
    double rate = 2 * (i + 1) / M_PI, angle = .5 * rate * x * x, angle_1 = rate * x;
    double s = sin(angle), c = cos(angle), s18 = pow(s, power - 2);
    curve p = {s18 * s * s, power * s18 * s * c * angle_1,
               power * s18 * (((power - 1) * c * c - s * s) * angle_1 * angle_1 + s * c * rate)};
    double sin_x = sin(x), cos_x = cos(x);
    return (curve){-sin_x * p.f, -(cos_x * p.f + sin_x * p.f1), -(2 * cos_x * p.f1 + sin_x * (p.f2 - p.f))};
}

double michalewicz_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, michalewicz_term);
}

/* 418.9829 n - sum x_i sin(sqrt(|x_i|)); the minimum is 0 only to the digits of that constant.
 * At x_i = 0 the second derivative is infinite with opposite signs on the two sides: given as 0. */
static curve schwefel_term(double x, int i, int n)
{
    double root = sqrt(fabs(x)), s = sin(root), c = cos(root);
    double f2 = x == 0 ? 0 : copysign(1, x) * (.5 * root * s - 1.5 * c) / (2 * root);
    return (curve){418.9829 - x * s, -s - .5 * root * c, f2};
}

double schwefel_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, schwefel_term);
}

/* 1 - 1/n sum cos(10 x_i) exp(-x_i^2 / 2) */
static curve wavy_term(double x, int i, int n)
{
    double e = exp(-.5 * x * x) / n, s = sin(10 * x), c = cos(10 * x);
    return (curve){1. / n - e * c, e * (10 * s + x * c), e * ((101 - x * x) * c - 20 * x * s)};
}

double wavy_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, wavy_term);
}
