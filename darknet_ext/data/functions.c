/* The list of built-in functions. The formulas stand in functions_paper.c, functions_separable.c and
 * functions_coupled.c; a new one is a function there, its declaration in function_parts.h, and a line here. */
#include "data/functions.h"

#include <math.h>
#include <string.h>

#include "data/function_parts.h"

#define PAPER "Czarnecki et al. 2017, supplement, section 2"
#define LIBRARY "Surjanovic and Bingham, Virtual Library of Simulation Experiments"
#define SURVEY "Jamil and Yang 2013, A literature survey of benchmark functions"

/* name, title, source, dimension, minimum dimension, low, high */
const target_function function_list[] = {
    {"ackley", "Ackley", PAPER, 2, 2, {-5, -5}, {5, 5}, ackley_evaluate},
    {"beale", "Beale", PAPER, 2, 2, {-4.5, -4.5}, {4.5, 4.5}, beale_evaluate},
    {"booth", "Booth", PAPER, 2, 2, {-10, -10}, {10, 10}, booth_evaluate},
    {"bukin", "Bukin", PAPER, 2, 2, {-15, -3}, {-5, 3}, bukin_evaluate},
    {"mccormick", "McCormick", PAPER, 2, 2, {-1.5, -3}, {4, 4}, mccormick_evaluate},
    {"rosenbrock", "Rosenbrock", PAPER, 2, 2, {-2, -2}, {2, 2}, rosenbrock_evaluate},
    {"styblinski_tang", "Styblinski-Tang", PAPER, 2, 2, {-5, -5}, {5, 5}, styblinski_tang_evaluate},

    {"sphere", "Sphere", LIBRARY, 0, 1, {-5.12, -5.12}, {5.12, 5.12}, sphere_evaluate},
    {"sum_squares", "Sum squares", LIBRARY, 0, 1, {-10, -10}, {10, 10}, sum_squares_evaluate},
    {"quartic", "Quartic without noise", SURVEY, 0, 1, {-1.28, -1.28}, {1.28, 1.28}, quartic_evaluate},
    {"qing", "Qing", SURVEY, 0, 1, {-500, -500}, {500, 500}, qing_evaluate},
    {"rastrigin", "Rastrigin", LIBRARY, 0, 1, {-5.12, -5.12}, {5.12, 5.12}, rastrigin_evaluate},
    {"styblinski_tang_nd", "Styblinski-Tang, n-dimensional", LIBRARY, 0, 1, {-5, -5}, {5, 5}, styblinski_tang_evaluate},
    {"levy", "Levy", LIBRARY, 0, 1, {-10, -10}, {10, 10}, levy_evaluate},
    {"michalewicz", "Michalewicz, m = 10", LIBRARY, 0, 1, {0, 0}, {M_PI, M_PI}, michalewicz_evaluate},
    {"schwefel", "Schwefel", LIBRARY, 0, 1, {-500, -500}, {500, 500}, schwefel_evaluate},
    {"wavy", "W / Wavy, k = 10", SURVEY, 0, 1, {-M_PI, -M_PI}, {M_PI, M_PI}, wavy_evaluate},

    {"ackley_nd", "Ackley, n-dimensional", LIBRARY, 0, 1, {-32.768, -32.768}, {32.768, 32.768}, ackley_evaluate},
    {"chung_reynolds", "Chung Reynolds", SURVEY, 0, 1, {-100, -100}, {100, 100}, chung_reynolds_evaluate},
    {"exponential", "Exponential", SURVEY, 0, 1, {-1, -1}, {1, 1}, exponential_evaluate},
    {"salomon", "Salomon", SURVEY, 0, 1, {-100, -100}, {100, 100}, salomon_evaluate},
    {"griewank", "Griewank", LIBRARY, 0, 1, {-600, -600}, {600, 600}, griewank_evaluate},
    {"zakharov", "Zakharov", LIBRARY, 0, 1, {-5, -5}, {10, 10}, zakharov_evaluate},
    {"dixon_price", "Dixon-Price", LIBRARY, 0, 1, {-10, -10}, {10, 10}, dixon_price_evaluate},
    {"rosenbrock_nd", "Rosenbrock, n-dimensional", LIBRARY, 0, 2, {-5, -5}, {10, 10}, rosenbrock_evaluate},
    {"schwefel_double_sum", "Schwefel 1.2 (double sum)", SURVEY, 0, 1, {-100, -100}, {100, 100}, schwefel_double_sum_evaluate},
};
const int function_count = sizeof function_list / sizeof function_list[0];

const target_function *function_find(const char *name)
{
    for (int i = 0; i < function_count; i++)
        if (strcmp(function_list[i].name, name) == 0) return &function_list[i];
    return NULL;
}
