#include "data/function_parts.h"

#include <math.h>
#include <string.h>

partials partials_begin(int n, double *gradient, double *hessian)
{
    if (gradient) memset(gradient, 0, (size_t)n * sizeof *gradient);
    if (hessian) memset(hessian, 0, (size_t)n * (size_t)n * sizeof *hessian);
    return (partials){n, gradient, hessian};
}

double separable_sum(const double *x, int n, double *gradient, double *hessian, separable_term term)
{
    partials p = partials_begin(n, gradient, hessian);
    double sum = 0;
    for (int i = 0; i < n; i++) {
        curve c = term(x[i], i, n);
        sum += c.f;
        partials_add_first(p, i, c.f1);
        partials_add_second(p, i, i, c.f2);
    }
    return sum;
}

double euclidean_norm(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

void partials_add_radial(partials p, const double *x, double radius, double slope_by_radius, double curvature)
{
    double inverse = radius > 0 ? 1 / radius : 0;
    for (int i = 0; i < p.n; i++) {
        partials_add_first(p, i, slope_by_radius * x[i]);
        partials_add_second(p, i, i, slope_by_radius);
        for (int j = 0; j <= i; j++)
            partials_add_second(p, i, j, (curvature - slope_by_radius) * (x[i] * inverse) * (x[j] * inverse));
    }
}
