/* What test_functions.c knows about the built-in functions: where they are smooth, published values, singular points. */
#ifndef FUNCTION_CASES_H
#define FUNCTION_CASES_H

#include <math.h>
#include <stddef.h>

#define COUNT_OF(array) (sizeof(array) / sizeof(array)[0])

enum { MAX_N = 10 };

static double norm(const double *x, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sqrt(sum);
}

static double smallest_coordinate(const double *x, int n)
{
    double result = fabs(x[0]);
    for (int i = 1; i < n; i++)
        result = fmin(result, fabs(x[i]));
    return result;
}

static double bukin_valley(const double *x, int n)
{
    return fmin(fabs(x[1] - .01 * x[0] * x[0]), fabs(x[0] + 10));
}

/* The length over which a function varies (1 if not listed) and how far a point is from where it is not smooth. */
static const struct smoothness {
    const char *name;
    double length;
    double (*kink_distance)(const double *x, int n); /* NULL: smooth everywhere */
} smoothness_list[] = {
    {"ackley", .2, norm},
    {"ackley_nd", .2, norm},
    {"salomon", .2, norm},
    {"bukin", 1, bukin_valley},
    {"schwefel", 1, smallest_coordinate},
    {"rastrigin", .2, NULL},
    {"wavy", .1, NULL},
    {"michalewicz", .02, NULL},
};

static const double any = HUGE_VAL; /* the gradient there is not a round number */

/* Minima and other points with published or obvious values. `slope` is the largest gradient entry there. */
static const struct known_point {
    const char *name;
    int n;
    double x[MAX_N], value, slope, tolerance;
} known_points[] = {
    {"ackley", 2, {0, 0}, 0, 0, 1e-14},
    {"beale", 2, {3, .5}, 0, 0, 0},
    {"beale", 2, {0, 0}, 14.203125, 12.75, 0},
    {"booth", 2, {1, 3}, 0, 0, 0},
    {"booth", 2, {0, 0}, 74, 38, 0},
    {"bukin", 2, {-10, 1}, 0, 0, 0},
    {"bukin", 2, {-15, -1.75}, 200.05, any, 1e-12},
    {"mccormick", 2, {.5 - M_PI / 3, -.5 - M_PI / 3}, -1.9132229549810367, 0, 1e-14},
    {"mccormick", 2, {0, 0}, 1, 3.5, 0},
    {"rosenbrock", 2, {1, 1}, 0, 0, 0},
    {"rosenbrock", 2, {0, 0}, 1, 2, 0},
    {"styblinski_tang", 2, {-2.9035340277711770, -2.9035340277711770}, -78.33233140754282, 0, 1e-12},
    {"sphere", 3, {0, 0, 0}, 0, 0, 0},
    {"sphere", 3, {1, 2, 3}, 14, 6, 0},
    {"sum_squares", 3, {0, 0, 0}, 0, 0, 0},
    {"sum_squares", 3, {1, 1, 1}, 6, 6, 0},
    {"quartic", 3, {0, 0, 0}, 0, 0, 0},
    {"quartic", 3, {1, 1, 1}, 6, 12, 0},
    {"qing", 3, {1, -M_SQRT2, 1.7320508075688772}, 0, 0, 1e-14},
    {"rastrigin", 3, {0, 0, 0}, 0, 0, 0},
    {"rastrigin", 3, {1, 0, -2}, 5, 4, 1e-12},
    {"styblinski_tang_nd", 3, {-2.903534027771177, -2.903534027771177, -2.903534027771177}, -117.49849711131424, 0, 1e-12},
    {"levy", 4, {1, 1, 1, 1}, 0, 0, 1e-14},
    {"michalewicz", 2, {2.20290552, 1.57079633}, -1.8013034, 0, 1e-6},
    {"michalewicz", 5, {2.202906, 1.570796, 1.284992, 1.923058, 1.720470}, -4.687658, 0, 1e-4},
    {"schwefel", 3, {420.968746, 420.968746, 420.968746}, 0, 0, 1e-4},
    {"wavy", 3, {0, 0, 0}, 0, 0, 1e-15},
    {"ackley_nd", 5, {0, 0, 0, 0, 0}, 0, 0, 1e-14},
    {"chung_reynolds", 3, {0, 0, 0}, 0, 0, 0},
    {"chung_reynolds", 3, {1, 1, 1}, 9, 12, 1e-14},
    {"exponential", 3, {0, 0, 0}, -1, 0, 0},
    {"salomon", 3, {0, 0, 0}, 0, 0, 0},
    {"salomon", 2, {3, 4}, .5, .08, 1e-12},
    {"griewank", 4, {0, 0, 0, 0}, 0, 0, 0},
    {"zakharov", 3, {0, 0, 0}, 0, 0, 0},
    {"zakharov", 2, {1, .5}, 3.25, 7, 0},
    {"dixon_price", 3, {1, M_SQRT1_2, .5946035575013605}, 0, 0, 1e-14},
    {"dixon_price", 3, {0, 0, 0}, 1, 2, 0},
    {"rosenbrock_nd", 4, {1, 1, 1, 1}, 0, 0, 0},
    {"rosenbrock_nd", 4, {0, 0, 0, 0}, 3, 2, 0},
    {"schwefel_double_sum", 3, {0, 0, 0}, 0, 0, 0},
    {"schwefel_double_sum", 3, {1, 1, 1}, 14, 12, 0},
};

/* What the comments beside the formulas promise; the Hessian there is `curvature` times the unit matrix. */
static const struct singular_point {
    const char *name;
    int n;
    double x[3], value, gradient[3], curvature;
} singular_points[] = {
    {"ackley", 2, {0, 0}, 0, {0, 0}, 2 * M_PI * M_PI * M_E},
    {"ackley_nd", 3, {0, 0, 0}, 0, {0, 0, 0}, 4 * M_PI * M_PI * M_E / 3},
    {"salomon", 3, {0, 0, 0}, 0, {0, 0, 0}, 4 * M_PI * M_PI},
    {"bukin", 2, {-10, 1}, 0, {0, 0}, 0},
    {"bukin", 2, {-8, .64}, .02, {.01, 0}, 0},
    {"bukin", 2, {-12, 1.44}, .02, {-.01, 0}, 0},
    {"schwefel", 3, {0, 0, 0}, 3 * 418.9829, {0, 0, 0}, 0},
};

/* The paper's domains. */
static const struct paper_domain {
    const char *name;
    double low[2], high[2];
} paper_domains[] = {
    {"ackley", {-5, -5}, {5, 5}},
    {"beale", {-4.5, -4.5}, {4.5, 4.5}},
    {"booth", {-10, -10}, {10, 10}},
    {"bukin", {-15, -3}, {-5, 3}},
    {"mccormick", {-1.5, -3}, {4, 4}},
    {"rosenbrock", {-2, -2}, {2, 2}},
    {"styblinski_tang", {-5, -5}, {5, 5}},
};

/* Coordinates at which things go wrong: zeros, numbers whose squares vanish, zeros of sine and cosine, kinks. */
static const double special_coordinates[] = {0,     -0.,   5e-324, -1e-310, 1e-170, -1e-162, 2e-162,    1e-154,
                                             1e-30, 1,     -10,    M_PI_2,  M_PI,   420.968746};

#endif
