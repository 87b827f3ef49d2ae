/* The seven functions of the paper's artificial data sets (supplement, section 2), as printed there.
 *
 * All seven agree with the usual definitions of these benchmarks; only two domains are narrower than the usual ones:
 * Ackley's ([-32.768, 32.768]) and Rosenbrock's ([-5, 10]). Three of them exist for any dimension and are written so;
 * at n = 2 they are the paper's formulas. */
#include <math.h>

#include "data/function_parts.h"

static double sign(double x)
{
    return (x > 0) - (x < 0);
}

/* -20 exp(-0.2 sqrt(1/n sum x_i^2)) - exp(1/n sum cos(2 pi x_i)) + e + 20; the paper's 0.5 is 1/n.
 * The first term is a cone at the origin: its derivatives are given as 0 there, so that the gradient is the mean of the
 * one-sided ones and the Hessian that of the second term. */
double ackley_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double radius = euclidean_norm(x, n), rate = .2 / sqrt(n), cone = -20 * exp(-rate * radius);
    double mean = 0;
    for (int i = 0; i < n; i++)
        mean += cos(2 * M_PI * x[i]) / n;
    double waves = -exp(mean), step = 2 * M_PI / n;

    partials p = partials_begin(n, gradient, hessian);
    partials_add_radial(p, x, radius, radius > 0 ? -rate * cone / radius : 0, rate * rate * cone);
    for (int i = 0; i < n; i++) {
        double mean_i = -step * sin(2 * M_PI * x[i]);
        partials_add_first(p, i, waves * mean_i);
        partials_add_second(p, i, i, -waves * 2 * M_PI * step * cos(2 * M_PI * x[i]));
        for (int j = 0; hessian && j <= i; j++)
            partials_add_second(p, i, j, waves * mean_i * -step * sin(2 * M_PI * x[j]));
    }
    return (cone + 20) + (waves + M_E);
}

/* (1.5 - x + xy)^2 + (2.25 - x + xy^2)^2 + (2.625 - x + xy^3)^2 */
double beale_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    static const double constant[] = {1.5, 2.25, 2.625};
    partials p = partials_begin(n, gradient, hessian);
    double sum = 0, power = 1, power_below = 0; /* y^(k-1) and y^(k-2), the latter unused at k = 1 */
    for (int k = 1; k <= 3; k++) {
        double t = constant[k - 1] - x[0] + x[0] * power * x[1];
        double tx = power * x[1] - 1, ty = k * x[0] * power, txy = k * power, tyy = k * (k - 1) * x[0] * power_below;
        sum += t * t;
        partials_add_first(p, 0, 2 * t * tx);
        partials_add_first(p, 1, 2 * t * ty);
        partials_add_second(p, 0, 0, 2 * tx * tx);
        partials_add_second(p, 0, 1, 2 * (tx * ty + t * txy));
        partials_add_second(p, 1, 1, 2 * (ty * ty + t * tyy));
        power_below = power;
        power *= x[1];
    }
    return sum;
}

/* (x + 2y - 7)^2 + (2x + y - 5)^2 */
double booth_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double a = x[0] + 2 * x[1] - 7, b = 2 * x[0] + x[1] - 5;
    partials p = partials_begin(n, gradient, hessian);
    partials_add_first(p, 0, 2 * a + 4 * b);
    partials_add_first(p, 1, 4 * a + 2 * b);
    partials_add_second(p, 0, 0, 10);
    partials_add_second(p, 0, 1, 8);
    partials_add_second(p, 1, 1, 10);
    return a * a + b * b;
}

/* 100 sqrt(|u|) + 0.01 |x + 10|, u = y - 0.01 x^2.
 * Kinks: on u = 0 the root's slopes are infinite with opposite signs on the two sides, on x = -10 the second term's are
 * -0.01 and 0.01. There the derivatives of the term concerned are given as 0. */
double bukin_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double u = x[1] - .01 * x[0] * x[0], root = sqrt(fabs(u));
    double f1 = u == 0 ? 0 : 50 * sign(u) / root, f2 = u == 0 ? 0 : -25 / (root * fabs(u));
    double ux = -.02 * x[0], uxx = -.02;
    partials p = partials_begin(n, gradient, hessian);
    partials_add_first(p, 0, f1 * ux + .01 * sign(x[0] + 10));
    partials_add_first(p, 1, f1);
    partials_add_second(p, 0, 0, f2 * ux * ux + f1 * uxx);
    partials_add_second(p, 0, 1, f2 * ux);
    partials_add_second(p, 1, 1, f2);
    return 100 * root + .01 * fabs(x[0] + 10);
}

/* sin(x + y) + (x - y)^2 - 1.5x + 2.5y + 1 */
double mccormick_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    double s = sin(x[0] + x[1]), c = cos(x[0] + x[1]), difference = x[0] - x[1];
    partials p = partials_begin(n, gradient, hessian);
    partials_add_first(p, 0, c + 2 * difference - 1.5);
    partials_add_first(p, 1, c - 2 * difference + 2.5);
    partials_add_second(p, 0, 0, 2 - s);
    partials_add_second(p, 0, 1, -2 - s);
    partials_add_second(p, 1, 1, 2 - s);
    return s + difference * difference - 1.5 * x[0] + 2.5 * x[1] + 1;
}

/* sum_{i<n} 100 (x_{i+1} - x_i^2)^2 + (x_i - 1)^2 */
double rosenbrock_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    partials p = partials_begin(n, gradient, hessian);
    double sum = 0;
    for (int i = 0; i + 1 < n; i++) {
        double t = x[i + 1] - x[i] * x[i], s = x[i] - 1;
        sum += 100 * t * t + s * s;
        partials_add_first(p, i, -400 * x[i] * t + 2 * s);
        partials_add_first(p, i + 1, 200 * t);
        partials_add_second(p, i, i, 800 * x[i] * x[i] - 400 * t + 2);
        partials_add_second(p, i, i + 1, -400 * x[i]);
        partials_add_second(p, i + 1, i + 1, 200);
    }
    return sum;
}

/* 0.5 sum x_i^4 - 16 x_i^2 + 5 x_i */
static curve styblinski_tang_term(double x, int i, int n)
{
    double square = x * x;
    return (curve){.5 * (square * square - 16 * square + 5 * x), 2 * x * square - 16 * x + 2.5, 6 * square - 16};
}

double styblinski_tang_evaluate(const double *x, int n, double *gradient, double *hessian)
{
    return separable_sum(x, n, gradient, hessian, styblinski_tang_term);
}
