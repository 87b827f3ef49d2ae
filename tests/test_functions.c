/* data/functions.c: every built-in function against literature, golden numbers of a symbolic system, central differences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/functions.h"
#include "function_cases.h"

enum { POINTS = 200 };

/* ---- what is compared, and the message that says where ---- */

typedef struct place {
    const target_function *f;
    int n, point;
} place;

static int failures;

/* NaN fails. */
static void expect_near(place at, const char *what, int i, double got, double want, double tolerance)
{
    if (fabs(got - want) <= tolerance) return;
    failures++;
    print_error("%s n=%d point %d: %s[%d] is %.17g, should be %.17g +- %.2g\n", at.f->name, at.n, at.point, what, i, got, want,
                tolerance);
}

static void expect(place at, bool holds, const char *what)
{
    if (holds) return;
    failures++;
    print_error("%s n=%d point %d: %s\n", at.f->name, at.n, at.point, what);
}

static void assert_no_failures(void)
{
    int count = failures;
    failures = 0;
    assert_int_equal(count, 0);
}

static double largest(const double *a, int count)
{
    double result = 0;
    for (int i = 0; i < count; i++)
        result = fmax(result, fabs(a[i]));
    return result;
}

/* ---- dimensions and points ---- */

typedef void (*place_check)(place at, unsigned short random[3]);

/* Runs the check at `points` points in each dimension that the function is tested in. */
static void for_each_place(int points, place_check check)
{
    static const int more[] = {2, 3, 5, 10};
    unsigned short random[3] = {20, 17, 6};
    for (int k = 0; k < function_count; k++) {
        const target_function *f = &function_list[k];
        for (int point = 0; point < points; point++)
            check((place){f, f->minimum_dimension, point}, random);
        for (size_t d = 0; f->dimension == 0 && d < COUNT_OF(more); d++)
            for (int point = 0; more[d] > f->minimum_dimension && point < points; point++)
                check((place){f, more[d], point}, random);
    }
    assert_no_failures();
}

static const struct smoothness *smoothness_of(const char *name)
{
    static const struct smoothness plain = {"", 1, NULL};
    for (size_t i = 0; i < COUNT_OF(smoothness_list); i++)
        if (strcmp(smoothness_list[i].name, name) == 0) return &smoothness_list[i];
    return &plain;
}

/* A random point of the domain that keeps away from kinks; returns the step for differences. */
static double draw_point(place at, unsigned short random[3], double *x)
{
    const struct smoothness *smooth = smoothness_of(at.f->name);
    double distance;
    do {
        for (int i = 0; i < at.n; i++)
            x[i] = function_low(at.f, i) + (function_high(at.f, i) - function_low(at.f, i)) * erand48(random);
        distance = smooth->kink_distance ? smooth->kink_distance(x, at.n) : HUGE_VAL;
    } while (distance < .01);
    return 1e-3 * fmin(smooth->length, distance);
}

/* ---- central differences that know their own error ---- */

typedef double (*scalar_of_point)(place at, const double *x, int component);

typedef struct difference {
    double value, error;
} difference;

/* Four-point formula of order h^4. Its error is below the change from step 2h to step h (truncation, 16 to 1 between them)
 * plus rounding, over h, of the values and of the arguments, which `slope` (the largest in any direction) multiplies. */
static difference central_difference(place at, const double *x, int i, double h, double slope, scalar_of_point f, int component)
{
    double y[MAX_N], size = 1, d[2];
    memcpy(y, x, sizeof(double) * (size_t)at.n);
    for (int k = 0; k < 2; k++) {
        double step = h * (2 - k), values[4];
        for (int j = 0; j < 4; j++) {
            y[i] = x[i] + (double[]){-2, -1, 1, 2}[j] * step;
            values[j] = f(at, y, component);
        }
        d[k] = (8 * (values[2] - values[1]) - (values[3] - values[0])) / (12 * step);
        size = fmax(size, largest(values, 4));
    }
    return (difference){d[1], fabs(d[1] - d[0]) + 10 * DBL_EPSILON * (size + norm(x, at.n) * slope) / h};
}

static double value_at(place at, const double *x, int component)
{
    return at.f->evaluate(x, at.n, NULL, NULL);
}

static double gradient_at(place at, const double *x, int component)
{
    double gradient[MAX_N];
    at.f->evaluate(x, at.n, gradient, NULL);
    return gradient[component];
}

/* `scale`: largest derivative at the point; the differences must be sharp against it, else the comparison means nothing. */
static void expect_difference(place at, const char *what, int entry, double got, difference want, double scale)
{
    expect_near(at, what, entry, got, want.value, want.error);
    expect(at, want.error <= 1e-6 * (1 + scale), "the differences are too coarse to compare with");
}

static void check_gradient(place at, unsigned short random[3])
{
    double x[MAX_N], gradient[MAX_N];
    double h = draw_point(at, random, x);
    at.f->evaluate(x, at.n, gradient, NULL);
    double scale = largest(gradient, at.n);
    for (int i = 0; i < at.n; i++)
        expect_difference(at, "gradient", i, gradient[i], central_difference(at, x, i, h, scale, value_at, 0), scale);
}

static void check_hessian(place at, unsigned short random[3])
{
    double x[MAX_N], hessian[MAX_N * MAX_N];
    double h = draw_point(at, random, x);
    at.f->evaluate(x, at.n, NULL, hessian);
    double scale = largest(hessian, at.n * at.n);
    for (int i = 0; i < at.n; i++)
        for (int j = 0; j < at.n; j++) {
            int entry = i * at.n + j;
            difference want = central_difference(at, x, j, h, scale, gradient_at, i);
            expect_difference(at, "hessian", entry, hessian[entry], want, scale);
            expect(at, hessian[entry] == hessian[j * at.n + i], "the Hessian is not symmetric");
        }
}

static void gradient_is_the_slope_of_the_value(void **state)
{
    for_each_place(POINTS, check_gradient);
}

static void hessian_is_the_slope_of_the_gradient(void **state)
{
    for_each_place(POINTS, check_hessian);
}

/* ---- which outputs are written ---- */

enum { GUARD = 8 };
static const double untouched = -7.25e77;

typedef struct guarded {
    double cells[GUARD + MAX_N * MAX_N + GUARD];
    int count;
} guarded;

static double *guarded_start(guarded *g, int count)
{
    g->count = count;
    for (size_t i = 0; i < sizeof g->cells / sizeof g->cells[0]; i++)
        g->cells[i] = untouched;
    return g->cells + GUARD;
}

static bool guards_hold(const guarded *g)
{
    for (int i = 0; i < GUARD + MAX_N * MAX_N + GUARD; i++)
        if ((i < GUARD || i >= GUARD + g->count) && g->cells[i] != untouched) return false;
    return true;
}

static void check_outputs(place at, unsigned short random[3])
{
    double x[MAX_N], copy[MAX_N];
    guarded gradient, hessian, gradient_alone, hessian_alone;
    int n = at.n, nn = at.n * at.n;
    draw_point(at, random, x);
    memcpy(copy, x, sizeof x);
    double f = at.f->evaluate(x, n, guarded_start(&gradient, n), guarded_start(&hessian, nn));

    expect(at, at.f->evaluate(x, n, NULL, NULL) == f, "the value depends on the outputs asked for");
    expect(at, at.f->evaluate(x, n, guarded_start(&gradient_alone, n), NULL) == f, "the value depends on the gradient");
    expect(at, at.f->evaluate(x, n, NULL, guarded_start(&hessian_alone, nn)) == f, "the value depends on the Hessian");
    expect(at, memcmp(gradient.cells, gradient_alone.cells, sizeof gradient.cells) == 0, "the gradient depends on the Hessian");
    expect(at, memcmp(hessian.cells, hessian_alone.cells, sizeof hessian.cells) == 0, "the Hessian depends on the gradient");
    expect(at, guards_hold(&gradient), "written outside gradient[n]");
    expect(at, guards_hold(&hessian), "written outside hessian[n*n]");
    for (int i = 0; i < n; i++)
        expect(at, gradient.cells[GUARD + i] != untouched, "a gradient entry is not written");
    for (int i = 0; i < nn; i++)
        expect(at, hessian.cells[GUARD + i] != untouched, "a Hessian entry is not written");
    expect(at, memcmp(copy, x, sizeof(double) * (size_t)n) == 0, "the point is changed");
}

static void outputs_are_optional_and_bounded(void **state)
{
    for_each_place(20, check_outputs);
}

/* ---- literature ---- */

static void known_points_have_their_values(void **state)
{
    for (size_t k = 0; k < COUNT_OF(known_points); k++) {
        const struct known_point *known = &known_points[k];
        const target_function *f = function_find(known->name);
        assert_non_null(f);
        double gradient[MAX_N], value = f->evaluate(known->x, known->n, gradient, NULL);
        place at = {f, known->n, (int)k};
        expect_near(at, "value", 0, value, known->value, known->tolerance);
        if (known->slope == any) continue;
        expect_near(at, "largest slope", 0, largest(gradient, known->n), known->slope, 1e3 * known->tolerance);
    }
    assert_no_failures();
}

/* ---- golden numbers ---- */

static void read_numbers(FILE *in, double *out, int count)
{
    for (int i = 0; i < count; i++)
        assert_int_equal(fscanf(in, "%lf", &out[i]), 1);
}

/* Entries of one array share a scale: its largest entry. */
static void expect_array_near(place at, const char *what, const double *got, const double *want, int count)
{
    double tolerance = 1e-12 * (largest(want, count) + DBL_MIN);
    for (int i = 0; i < count; i++)
        expect_near(at, what, i, got[i], want[i], tolerance);
}

static void check_golden_point(FILE *in, place at)
{
    double x[MAX_N], value, gradient[MAX_N], hessian[MAX_N * MAX_N], got_gradient[MAX_N], got_hessian[MAX_N * MAX_N];
    read_numbers(in, x, at.n);
    read_numbers(in, &value, 1);
    read_numbers(in, gradient, at.n);
    read_numbers(in, hessian, at.n * at.n);
    double got = at.f->evaluate(x, at.n, got_gradient, got_hessian);
    expect_array_near(at, "value", &got, &value, 1);
    expect_array_near(at, "gradient", got_gradient, gradient, at.n);
    expect_array_near(at, "hessian", got_hessian, hessian, at.n * at.n);
}

static void golden_points_agree(void **state)
{
    FILE *in = fopen(TEST_DIR "/golden/functions.txt", "r");
    assert_non_null(in);
    int counts[64] = {0}, n;
    char name[64];
    assert_int_equal(fscanf(in, "#%*[^\n]"), 0);
    while (fscanf(in, "%63s %d", name, &n) == 2) {
        const target_function *f = function_find(name);
        assert_non_null(f);
        assert_in_range(n, f->minimum_dimension, MAX_N);
        check_golden_point(in, (place){f, n, counts[f - function_list]++});
    }
    assert_true(feof(in));
    fclose(in);
    for (int k = 0; k < function_count; k++)
        expect((place){&function_list[k], 0, 0}, counts[k] >= 5, "fewer than five golden points");
    assert_no_failures();
}

/* ---- where derivatives do not exist ---- */

static void singular_points_are_as_documented(void **state)
{
    for (size_t k = 0; k < COUNT_OF(singular_points); k++) {
        const struct singular_point *point = &singular_points[k];
        const target_function *f = function_find(point->name);
        assert_non_null(f);
        double gradient[3], hessian[9];
        place at = {f, point->n, (int)k};
        expect_near(at, "value", 0, f->evaluate(point->x, point->n, gradient, hessian), point->value, 1e-12);
        for (int i = 0; i < point->n; i++) {
            expect_near(at, "gradient", i, gradient[i], point->gradient[i], 1e-12);
            for (int j = 0; j < point->n; j++)
                expect_near(at, "hessian", i * point->n + j, hessian[i * point->n + j], i == j ? point->curvature : 0, 1e-12);
        }
    }
    assert_no_failures();
}

static void expect_finite(place at, const double *x)
{
    double gradient[MAX_N], hessian[MAX_N * MAX_N];
    double f = at.f->evaluate(x, at.n, gradient, hessian);
    bool finite = isfinite(f);
    for (int i = 0; i < at.n; i++)
        finite = finite && isfinite(gradient[i]);
    for (int i = 0; i < at.n * at.n; i++)
        finite = finite && isfinite(hessian[i]);
    expect(at, finite, "not finite");
}

/* A lattice over the domain: the special coordinates that lie in it, then even steps from border to border. */
enum { EVEN_STEPS = 21, LATTICE = COUNT_OF(special_coordinates) + EVEN_STEPS };

static double lattice_value(const target_function *f, int i, int step)
{
    double low = function_low(f, i), high = function_high(f, i);
    if (step < EVEN_STEPS) return low + (high - low) * step / (EVEN_STEPS - 1);
    return fmin(fmax(special_coordinates[step - EVEN_STEPS], low), high);
}

static void check_lattice(place at, unsigned short random[3])
{
    double x[MAX_N];
    for (int first = 0; first < LATTICE; first++)
        for (int others = 0; others < LATTICE; others++) {
            for (int i = 0; i < at.n; i++)
                x[i] = lattice_value(at.f, i, i == 0 ? first : others);
            expect_finite(at, x);
        }
}

/* Along Bukin's valley the distance to the kink is a few roundings, or none. */
static void check_bukin_valley(place at)
{
    for (int k = 0; k <= 1000; k++) {
        double x = -15 + k / 100., y = .01 * x * x;
        expect_finite(at, (double[]){x, y});
        expect_finite(at, (double[]){x, nextafter(y, 9)});
    }
}

static void never_nan_inside_the_domain(void **state)
{
    check_bukin_valley((place){function_find("bukin"), 2, 0});
    for_each_place(1, check_lattice);
}

/* ---- the list ---- */

static void every_name_is_found(void **state)
{
    for (int k = 0; k < function_count; k++)
        assert_ptr_equal(function_find(function_list[k].name), &function_list[k]); /* so names are unique, too */
    static const char *const unknown[] = {"", "Ackley", "ackle", "ackley ", "ackley_n", "rosenbrock_", "none"};
    for (size_t i = 0; i < COUNT_OF(unknown); i++)
        assert_null(function_find(unknown[i]));
}

static void rows_are_sound(void **state)
{
    int any_dimension = 0;
    for (int k = 0; k < function_count; k++) {
        const target_function *f = &function_list[k];
        place at = {f, f->dimension, 0};
        expect(at, strspn(f->name, "abcdefghijklmnopqrstuvwxyz_0123456789") == strlen(f->name), "name is not lower case");
        expect(at, f->title && *f->title && f->source && *f->source, "title or source is missing");
        expect(at, f->minimum_dimension >= 1, "minimum dimension");
        expect(at, f->dimension == 0 || f->dimension == f->minimum_dimension, "dimension");
        expect(at, f->low[0] < f->high[0] && f->low[1] < f->high[1], "domain");
        any_dimension += f->dimension == 0;
    }
    assert_true(any_dimension >= 12);
    assert_no_failures();
}

static void the_papers_domains(void **state)
{
    for (size_t k = 0; k < COUNT_OF(paper_domains); k++) {
        const target_function *f = function_find(paper_domains[k].name);
        assert_non_null(f);
        assert_int_equal(f->dimension, 2);
        for (int i = 0; i < 2; i++) {
            expect_near((place){f, 2, 0}, "low", i, function_low(f, i), paper_domains[k].low[i], 0);
            expect_near((place){f, 2, 0}, "high", i, function_high(f, i), paper_domains[k].high[i], 0);
        }
    }
    assert_no_failures();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_name_is_found),
        cmocka_unit_test(rows_are_sound),
        cmocka_unit_test(the_papers_domains),
        cmocka_unit_test(known_points_have_their_values),
        cmocka_unit_test(golden_points_agree),
        cmocka_unit_test(gradient_is_the_slope_of_the_value),
        cmocka_unit_test(hessian_is_the_slope_of_the_gradient),
        cmocka_unit_test(outputs_are_optional_and_bounded),
        cmocka_unit_test(singular_points_are_as_documented),
        cmocka_unit_test(never_nan_inside_the_domain),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
