/* Normalised samples are those of the normalised function; normalisation folds into weights without a trace. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "data/eigen.h"
#include "data/normalise.h"
#include "model/predictor.h"
#include "plugin_fixture.h"
#include "train/fold.h"

enum { N = 4, M = 2, R = 3, POINTS = 60 };

/* ---------------------------------------------------------------- a function whose derivatives are known */

/* f_k = scale_k (sin(<a_k, x>) + <b_k, x>^2 / 2) + offset_k, far from normalised. */
static const double a[M][N] = {{.3, -.02, .5, .1}, {-.2, .01, .4, .3}}, b[M][N] = {{.1, .03, -.2, .2}, {.4, -.01, .1, .1}};
static const double f_scale[M] = {40, .02}, f_offset[M] = {300, -1};

static double inner(const double *u, const double *v)
{
    double sum = 0;
    for (int j = 0; j < N; ++j)
        sum += u[j] * v[j];
    return sum;
}

static double value(const double *x, int k)
{
    double p = inner(b[k], x);
    return f_scale[k] * (sin(inner(a[k], x)) + p * p / 2) + f_offset[k];
}

static double gradient(const double *x, int k, int j)
{
    return f_scale[k] * (cos(inner(a[k], x)) * a[k][j] + inner(b[k], x) * b[k][j]);
}

static double hessian(const double *x, int k, int i, int j)
{
    return f_scale[k] * (-sin(inner(a[k], x)) * a[k][i] * a[k][j] + b[k][i] * b[k][j]);
}

static double noise(int i)
{
    return random_one((random_stream){5, RANDOM_CHECK, 0}, (uint64_t)i) - .5;
}

static void fill_sample(dataset *d, size_t s)
{
    const double *x = dataset_at(d, PART_X, s);
    for (int k = 0; k < M; ++k) {
        dataset_at(d, PART_Y, s)[k] = value(x, k);
        for (int i = 0; i < N; ++i) {
            dataset_at(d, PART_JACOBIAN, s)[k * N + i] = gradient(x, k, i);
            for (int j = 0; j < N && d->parts[PART_HESSIAN]; ++j)
                dataset_at(d, PART_HESSIAN, s)[(k * N + i) * N + j] = hessian(x, k, i, j);
        }
        for (int r = 0; r < d->directions; ++r) {
            const double *v = dataset_at(d, PART_V, s) + r * N;
            double *hv = dataset_at(d, PART_HVP, s) + (r * M + k) * N;
            dataset_at(d, PART_JVP, s)[r * M + k] = 0;
            for (int i = 0; i < N; ++i) {
                dataset_at(d, PART_JVP, s)[r * M + k] += gradient(x, k, i) * v[i];
                hv[i] = 0;
                for (int j = 0; j < N; ++j)
                    hv[i] += hessian(x, k, i, j) * v[j];
            }
        }
    }
}

/* Correlated inputs of very different sizes. */
static dataset make_set(bool directions)
{
    dataset d = {.points = POINTS, .inputs = N, .outputs = M, .directions = directions ? R : 0};
    assert_int_equal(dataset_allocate(&d, directions ? ALL_PARTS : parts_to_order(2)), STATUS_OK);
    for (int s = 0; s < POINTS; ++s) {
        double *x = dataset_at(&d, PART_X, (size_t)s), common = noise(10 * s);
        for (int j = 0; j < N; ++j)
            x[j] = (j == 1 ? 70 : 2) * (noise(10 * s + 1 + j) + common) + 3 * j;
        for (int i = 0; i < R * N && directions; ++i)
            dataset_at(&d, PART_V, (size_t)s)[i] = noise(10000 + R * N * s + i);
        fill_sample(&d, (size_t)s);
    }
    return d;
}

static void expect_near(const char *what, double got, double want, double size, double tolerance)
{
    if (!(fabs(got - want) <= tolerance * size))
        fail_msg("%s is %.17g, should be %.17g", what, got, want);
}

/* ---------------------------------------------------------------- samples */

/* Of A or B. */
static double element(const normaliser *n, const double *matrix, int i, int j)
{
    return !n->diagonal ? matrix[i * N + j] : i == j ? matrix[i] : 0;
}

/* f'_k(x') = (f_k(mean + B x') - mean_k) / scale_k */
static double normal_value(const normaliser *n, const double *x, int k)
{
    double raw[N];
    for (int i = 0; i < N; ++i) {
        raw[i] = n->mean_x[i];
        for (int j = 0; j < N; ++j)
            raw[i] += element(n, n->inverse, i, j) * x[j];
    }
    return (value(raw, k) - n->mean_y[k]) / n->scale_y[k];
}

/* Central differences of f' of order 1 (i < 0) and 2. */
static double difference(const normaliser *n, const double *x, int k, int i, int j)
{
    const double h = 1e-3;
    double sum = 0, moved[N];
    for (int side = 0; side < (i < 0 ? 2 : 4); ++side) {
        memcpy(moved, x, sizeof moved);
        moved[j] += side & 1 ? -h : h;
        if (i >= 0)
            moved[i] += side & 2 ? -h : h;
        sum += (side == 0 || side == 3 ? 1 : -1) * normal_value(n, moved, k);
    }
    return i < 0 ? sum / (2 * h) : sum / (4 * h * h);
}

static void expect_sample(const normaliser *n, const dataset *d, size_t s)
{
    const double *x = dataset_at(d, PART_X, s);
    for (int k = 0; k < M; ++k) {
        expect_near("y", dataset_at(d, PART_Y, s)[k], normal_value(n, x, k), 1, 1e-9);
        for (int i = 0; i < N; ++i) {
            expect_near("dydx", dataset_at(d, PART_JACOBIAN, s)[k * N + i], difference(n, x, k, -1, i), 1, 1e-5);
            for (int j = 0; j < N && d->parts[PART_HESSIAN]; ++j)
                expect_near("d2ydx2", dataset_at(d, PART_HESSIAN, s)[(k * N + i) * N + j], difference(n, x, k, i, j), 1, 1e-4);
        }
        for (int r = 0; r < d->directions; ++r) {
            const double *v = dataset_at(d, PART_V, s) + r * N, *j = dataset_at(d, PART_JACOBIAN, s) + k * N;
            expect_near("jvp", dataset_at(d, PART_JVP, s)[r * M + k], inner(j, v), 1, 1e-9);
            for (int i = 0; i < N; ++i)
                expect_near("hvp", dataset_at(d, PART_HVP, s)[(r * M + k) * N + i], inner(dataset_at(d, PART_HESSIAN, s) + (k * N + i) * N, v), 1, 1e-9);
        }
    }
}

static void test_samples(void **state)
{
    static const struct {
        normalise_kind kind;
        double dropped;
        bool directions;
    } cases[] = {{NORMALISE_INPUTS, 0, true}, {NORMALISE_ALL, 0, true}, {NORMALISE_ALL, 0, false}, {NORMALISE_INPUTS, 1e-30, false}, {NORMALISE_ALL, 1e-30, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        dataset d = make_set(cases[i].directions);
        normaliser n;
        assert_int_equal(normaliser_create(&n, &d, cases[i].kind, cases[i].dropped), STATUS_OK);
        assert_int_equal(n.kept, N);
        assert_int_equal(normalise_dataset(&n, &d), STATUS_OK);
        for (size_t s = 0; s < POINTS; ++s)
            expect_sample(&n, &d, s);
        for (int j = 0; j < N; ++j) {
            double mean, deviation;
            dataset_component(&d, PART_X, j, &mean, &deviation);
            expect_near("mean of x", mean, 0, 1, 1e-9);
            expect_near("deviation of x", deviation, 1, 1, 1e-9);
        }
        for (int k = 0; k < M && cases[i].kind == NORMALISE_ALL; ++k) {
            double mean, deviation;
            dataset_component(&d, PART_Y, k, &mean, &deviation);
            expect_near("mean of y", mean, 0, 1, 1e-9);
            expect_near("deviation of y", deviation, 1, 1, 1e-9);
        }
        for (int k = 0; k < M && cases[i].kind == NORMALISE_INPUTS; ++k)
            assert_true(n.mean_y[k] == 0 && n.scale_y[k] == 1);
        normaliser_free(&n);
        dataset_free(&d);
    }
}

/* Statistics and the samples themselves do not mind labels that are not given. */
static void test_missing(void **state)
{
    (void)state;
    dataset d = make_set(false), whole = make_set(false);
    normaliser n;
    for (size_t s = 0; s < POINTS; s += 3) {
        dataset_at(&d, PART_Y, s)[1] = NAN;
        dataset_at(&d, PART_JACOBIAN, s)[2] = NAN;
        dataset_at(&d, PART_HESSIAN, s)[5] = NAN;
    }
    assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, 0), STATUS_OK);
    assert_int_equal(normalise_dataset(&n, &d), STATUS_OK);
    assert_int_equal(normalise_dataset(&n, &whole), STATUS_OK);
    for (dataset_part part = PART_X; part <= PART_HESSIAN; ++part)
        for (size_t i = 0; i < POINTS * dataset_part_size(&d, part); ++i) {
            size_t size = dataset_part_size(&d, part), entry = i % size;
            bool away = i / size % 3 == 0 && ((part == PART_Y && entry == 1) || (part == PART_JACOBIAN && entry == 2) || (part == PART_HESSIAN && entry == 5));
            assert_int_equal(isnan(d.parts[part][i]) != 0, away);
            assert_true(away || d.parts[part][i] == whole.parts[part][i]);
        }
    normaliser_free(&n);
    dataset_free(&d);
    dataset_free(&whole);
}

/* Root mean squares of the numbers of a part that are given. */
static void expect_sizes(const dataset *d, int order, dataset_part part)
{
    double sizes[N], sum[N] = {0};
    int given[N] = {0};
    for (size_t i = 0; i < POINTS * dataset_part_size(d, part); ++i) {
        double entry = d->parts[part][i];
        sum[i % N] += isnan(entry) ? 0 : entry * entry;
        given[i % N] += !isnan(entry);
    }
    derivative_sizes(d, order, sizes);
    for (int j = 0; j < N; ++j)
        expect_near("size", sizes[j], sqrt(sum[j] / given[j]), sizes[j], 1e-12);
}

static void test_sizes(void **state)
{
    (void)state;
    dataset d = make_set(true);
    double sizes[N];
    d.parts[PART_JACOBIAN][5] = d.parts[PART_HESSIAN][7] = NAN;
    expect_sizes(&d, 1, PART_JACOBIAN);
    expect_sizes(&d, 2, PART_HESSIAN);
    free(d.parts[PART_HESSIAN]);
    d.parts[PART_HESSIAN] = NULL;
    expect_sizes(&d, 2, PART_HVP);
    dataset_free(&d);
    d = (dataset){.points = 2, .inputs = N, .outputs = 1};
    assert_int_equal(dataset_allocate(&d, parts_to_order(1)), STATUS_OK);
    for (int i = 0; i < 2 * N; ++i)
        d.parts[PART_JACOBIAN][i] = NAN;
    derivative_sizes(&d, 1, sizes);
    assert_true(isnan(sizes[0]));
    dataset_free(&d);
}

/* ---------------------------------------------------------------- differential PCA */

static void test_eigenvectors(void **state)
{
    (void)state;
    double m[] = {2, 1, 0, 1, 2, 0, 0, 0, 5}, values[3];
    const double root = sqrt(.5), want[] = {0, 0, 1, root, root, 0, root, -root, 0}, want_values[] = {5, 3, 1};
    assert_int_equal(symmetric_eigen(3, m, values), STATUS_OK);
    for (int i = 0; i < 9; ++i)
        expect_near("eigenvector", m[i], want[i], 1, 1e-12);
    for (int i = 0; i < 3; ++i)
        expect_near("eigenvalue", values[i], want_values[i], 1, 1e-12);
}

/* What is kept does not depend on the units of the inputs. */
static void test_units(void **state)
{
    (void)state;
    dataset d = make_set(false);
    normaliser n;
    for (size_t s = 0; s < POINTS; ++s) {
        dataset_at(&d, PART_X, s)[0] *= 1e9;
        for (int k = 0; k < M; ++k)
            dataset_at(&d, PART_JACOBIAN, s)[k * N] /= 1e9;
    }
    assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, 1e-30), STATUS_OK);
    assert_int_equal(n.kept, N);
    normaliser_free(&n);
    dataset_free(&d);
}

/* f depends on two directions of four: they are kept, and everything about f with them. */
static void test_reduction(void **state)
{
    (void)state;
    dataset d = {.points = POINTS, .inputs = N, .outputs = M}, raw;
    uint32_t all[POINTS];
    assert_int_equal(dataset_allocate(&d, parts_to_order(2)), STATUS_OK);
    for (int s = 0; s < POINTS; ++s) {
        double *x = dataset_at(&d, PART_X, (size_t)s);
        all[s] = (uint32_t)s;
        for (int j = 0; j < N; ++j)
            x[j] = 3 * noise(7 * s + j) + j + (j == 2 ? x[0] : 0);
        double p = x[0] + 2 * x[1] - x[3], q = x[1] + x[2];
        for (int k = 0; k < M; ++k) {
            dataset_at(&d, PART_Y, (size_t)s)[k] = k ? sin(p) : p * q;
            for (int j = 0; j < N; ++j) {
                double dp = (const double[]){1, 2, 0, -1}[j], dq = (const double[]){0, 1, 1, 0}[j];
                dataset_at(&d, PART_JACOBIAN, (size_t)s)[k * N + j] = k ? cos(p) * dp : dp * q + p * dq;
                for (int i = 0; i < N; ++i) {
                    double dpi = (const double[]){1, 2, 0, -1}[i], dqi = (const double[]){0, 1, 1, 0}[i];
                    dataset_at(&d, PART_HESSIAN, (size_t)s)[(k * N + i) * N + j] = k ? -sin(p) * dp * dpi : dp * dqi + dpi * dq;
                }
            }
        }
    }
    assert_int_equal(dataset_select(&d, all, POINTS, &raw), STATUS_OK);
    normaliser n;
    assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, 1e-9), STATUS_OK);
    assert_int_equal(n.kept, 2);
    for (int r = n.kept; r < N; ++r)
        for (int j = 0; j < N; ++j)
            assert_true(n.forward[r * N + j] == 0 && n.inverse[j * N + r] == 0);
    assert_int_equal(normalise_dataset(&n, &d), STATUS_OK);
    for (size_t s = 0; s < POINTS; ++s) {
        assert_true(dataset_at(&d, PART_X, s)[2] == 0 && dataset_at(&d, PART_X, s)[3] == 0);
        for (int k = 0; k < M; ++k) {
            const double *g = dataset_at(&d, PART_JACOBIAN, s) + k * N, *h = dataset_at(&d, PART_HESSIAN, s) + k * N * N;
            assert_true(isnan(g[2]) && isnan(g[3]));
            for (int i = 0; i < N * N; ++i)
                assert_int_equal(isnan(h[i]) != 0, i / N >= 2 || i % N >= 2);
            for (int i = 0; i < N * N; ++i) { /* H = scale A^T H' A */
                double back = 0;
                for (int r = 0; r < 4; ++r)
                    back += n.scale_y[k] * n.forward[r / 2 * N + i / N] * h[r / 2 * N + r % 2] * n.forward[r % 2 * N + i % N];
                expect_near("Hessian", back, dataset_at(&raw, PART_HESSIAN, s)[k * N * N + i], 10, 1e-9);
            }
            for (int j = 0; j < N; ++j) { /* J = scale J' A */
                double back = n.scale_y[k] * (g[0] * n.forward[j] + g[1] * n.forward[N + j]);
                expect_near("gradient", back, dataset_at(&raw, PART_JACOBIAN, s)[k * N + j], 10, 1e-9);
            }
        }
    }
    normaliser_free(&n);
    dataset_free(&d);
    dataset_free(&raw);
}

/* White inputs, and output k looks at input k alone, with slope 10, 3, 1: of the trace of g g^T they hold 100, 9 and 1 parts of 110. */
static dataset make_slopes(const double slopes[3])
{
    dataset d = {.points = 16, .inputs = 3, .outputs = 3};
    assert_int_equal(dataset_allocate(&d, parts_to_order(1)), STATUS_OK);
    for (int s = 0; s < 16; ++s)
        for (int j = 0; j < 3; ++j) {
            double x = s >> j & 1 ? 1 : -1;
            dataset_at(&d, PART_X, (size_t)s)[j] = x;
            dataset_at(&d, PART_Y, (size_t)s)[j] = slopes[j] * x;
            dataset_at(&d, PART_JACOBIAN, (size_t)s)[4 * j] = slopes[j];
        }
    return d;
}

static void test_kept_directions(void **state)
{
    static const struct {
        double slopes[3];
        normalise_kind kind;
        double dropped;
        int kept;
    } cases[] = {
        {{10, 3, 1}, NORMALISE_INPUTS, .008, 3}, {{10, 3, 1}, NORMALISE_INPUTS, .01, 2}, {{10, 3, 1}, NORMALISE_INPUTS, .085, 2},
        {{10, 3, 1}, NORMALISE_INPUTS, .1, 1},   {{10, 3, 1}, NORMALISE_ALL, .3, 3},     {{10, 3, 1}, NORMALISE_ALL, .4, 2},
        {{0, 0, 0}, NORMALISE_INPUTS, .1, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        dataset d = make_slopes(cases[i].slopes);
        normaliser n;
        assert_int_equal(normaliser_create(&n, &d, cases[i].kind, cases[i].dropped), STATUS_OK);
        if (n.kept != cases[i].kept)
            fail_msg("case %zu: %d directions kept instead of %d", i, n.kept, cases[i].kept);
        normaliser_free(&n);
        dataset_free(&d);
    }
}

/* An input that does not vary is dropped, whatever the derivatives by it are; they need not be given. */
static void test_input_that_does_not_vary(void **state)
{
    static const double derivatives[] = {0, 100, NAN};
    (void)state;
    for (size_t i = 0; i < sizeof derivatives / sizeof *derivatives; ++i) {
        dataset d = make_slopes((const double[]){10, 3, 1});
        normaliser n;
        for (size_t s = 0; s < 16; ++s) {
            dataset_at(&d, PART_X, s)[1] = 5;
            for (int k = 0; k < 3; ++k)
                dataset_at(&d, PART_JACOBIAN, s)[3 * k + 1] = derivatives[i];
        }
        assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, 1e-9), STATUS_OK);
        assert_int_equal(n.kept, 2);
        assert_int_equal(normalise_dataset(&n, &d), STATUS_OK);
        for (size_t s = 0; s < 16; ++s) {
            assert_true(dataset_at(&d, PART_X, s)[2] == 0);
            for (int k = 0; k < 3; k += 2) { /* y' is x' along one direction */
                const double *g = dataset_at(&d, PART_JACOBIAN, s) + 3 * k;
                expect_near("dydx", hypot(g[0], g[1]), 1, 1, 1e-12);
                assert_true(isnan(g[2]));
            }
        }
        normaliser_free(&n);
        dataset_free(&d);
    }
}

static void test_refusals(void **state)
{
    (void)state;
    normaliser n;
    dataset d = make_set(true);
    assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, .1), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), "cannot be used with v:"));
    dataset_free(&d);
    d = make_set(false);
    for (size_t i = 0; i < POINTS * M * N; ++i)
        d.parts[PART_JACOBIAN][i] = NAN;
    assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, .1), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), "no sample has all of it"));
    for (size_t i = 0; i < POINTS * N; ++i)
        d.parts[PART_X][i] = 1;
    assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, .1), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), "do not vary"));
    free(d.parts[PART_JACOBIAN]);
    d.parts[PART_JACOBIAN] = NULL;
    assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, .1), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), "first derivatives"));
    assert_int_equal(normaliser_create(&n, &d, NORMALISE_ALL, 0), STATUS_OK); /* an input that does not vary keeps its scale */
    assert_true(n.forward[0] == 1);
    normaliser_free(&n);
    dataset_free(&d);
}

/* ---------------------------------------------------------------- weights */

#define NORMALISED "batch_normalize=1\n"

static const char *const networks[] = {
    "[net]\ninputs=4\nbatch=4\n[connected]\noutput=6\nactivation=tanh\n[connected]\noutput=2\nactivation=linear\n[sobolev]\norder=1\n",
    "[net]\ninputs=4\nbatch=4\n[connected]\noutput=2\nactivation=linear\n[sobolev]\norder=1\n",
    "[net]\ninputs=4\nbatch=4\n[connected]\noutput=6\nactivation=tanh\n" NORMALISED "[connected]\noutput=2\nactivation=linear\n" NORMALISED "[sobolev]\norder=1\n",
    "[net]\ninputs=4\nbatch=4\n[connected]\noutput=2\nactivation=linear\n" NORMALISED "[sobolev]\norder=1\n",
};

static void expect_folded(const char *cfg, normalise_kind kind, double dropped)
{
    plugin_network *p = plugin_from_text(NULL, cfg);
    graph *g = plugin_graph(p);
    dataset raw = make_set(false), normal = make_set(false);
    normaliser n;
    fold f;
    predictor *m;
    double y[2][POINTS * M], jacobian[2][POINTS * M * N];
    float before[200];
    size_t count = graph_array_count(g), at = 0;
    assert_int_equal(normaliser_create(&n, &raw, kind, dropped), STATUS_OK);
    assert_int_equal(normalise_dataset(&n, &normal), STATUS_OK);
    assert_int_equal(fold_create(&f, g, &n), STATUS_OK);
    assert_int_equal(predictor_create(&m, p, 1), STATUS_OK);
    GRAPH_ARRAYS(g, q)
    {
        for (size_t i = 0; i < q->count; ++i) /* also biases; variances become positive */
            q->value[i] += (float)(.3 * noise((int)(at + i)) + (strcmp(q->name, "rolling_variance") == 0));
        memcpy(before + at, q->value, q->count * sizeof *before);
        at += q->count;
    }
    predictor_run(m, normal.parts[PART_X], POINTS, &(prediction){.y = y[0], .jacobian = jacobian[0]});
    fold_in(&f);
    predictor_run(m, raw.parts[PART_X], POINTS, &(prediction){.y = y[1], .jacobian = jacobian[1]});
    for (int i = 0; i < POINTS * M; ++i) {
        int k = i % M;
        expect_near("y", y[1][i], n.scale_y[k] * y[0][i] + n.mean_y[k], n.scale_y[k], 2e-5);
        for (int j = 0; j < N; ++j) {
            double want = 0, size = 0;
            for (int r = 0; r < n.kept; ++r) {
                want += n.scale_y[k] * jacobian[0][i * N + r] * element(&n, n.forward, r, j);
                size += fabs(n.scale_y[k] * element(&n, n.forward, r, j));
            }
            expect_near("dydx", jacobian[1][i * N + j], want, size, 2e-5);
        }
    }
    fold_out(&f);
    at = 0;
    GRAPH_ARRAYS(g, q)
    {
        assert_memory_equal(q->value, before + at, q->count * sizeof *before);
        at += q->count;
    }
    assert_int_equal(at, count);
    fold_in(&f); /* raw weights as a file would give them */
    fold_inverse(&f);
    predictor_run(m, normal.parts[PART_X], POINTS, &(prediction){.y = y[1]});
    for (int i = 0; i < POINTS * M; ++i)
        expect_near("y again", y[1][i], y[0][i], 1, 1e-4);
    predictor_free(m);
    fold_free(&f);
    normaliser_free(&n);
    dataset_free(&raw);
    dataset_free(&normal);
    plugin_free(p);
}

static void test_folding(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; ++i) {
        expect_folded(networks[i], NORMALISE_ALL, 0);
        expect_folded(networks[i], NORMALISE_INPUTS, 0);
        expect_folded(networks[i], NORMALISE_ALL, 1e-30);
        expect_folded(networks[i], NORMALISE_ALL, .2); /* with directions dropped */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),      cmocka_unit_test(test_missing),   cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_eigenvectors), cmocka_unit_test(test_units),     cmocka_unit_test(test_reduction), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_kept_directions), cmocka_unit_test(test_input_that_does_not_vary), cmocka_unit_test(test_folding),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
