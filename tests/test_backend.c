/* Every function of the backend table that is not about jets, on every backend, against loops in double.
 * Rows and sums: test_reduce.c. Jets: test_activation.c and test_head.c. Repeatability: test_repeatable.c. */
#include "backend_fixture.h"

static const double rounding = 8 * REAL_EPSILON; /* of a result that is rounded to real */

/* -- memory.c -- */

static void test_allocate(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    {
        real *x = be->allocate(n);
        assert_non_null(x);
        assert_int_equal((uintptr_t)x % 64, 0);
        for (size_t i = 0; i < n; i++) {
            assert_true(x[i] == 0);
            x[i] = 1; /* for the next allocation to find */
        }
        be->release(x);
    }
    be->release(NULL);
}

static void check_not_allocated(const backend *be, size_t count)
{
    status_fail(STATUS_OK, "%s", "");
    assert_null(be->allocate(count));
    assert_non_null(strstr(status_text(), "memory"));
}

static void test_allocate_too_much(void **state)
{
    check_not_allocated(*state, SIZE_MAX);
    check_not_allocated(*state, SIZE_MAX / sizeof(real));
    check_not_allocated(*state, SIZE_MAX / sizeof(real) + 2);
#ifndef DNX_SANITIZED /* the sanitizer ends the program when malloc cannot give so much */
    check_not_allocated(*state, SIZE_MAX / 8 / sizeof(real));
#endif
}

static void test_fill(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    {
        guarded y = guarded_noise(n, shift, 1);
        be->fill(n, (real)-2.5, y.data);
        for (size_t i = 0; i < n; i++)
            check_near("fill", i, y.data[i], -2.5, 0, 0);
        guarded_free(y);
    }
}

static void test_copy(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    {
        guarded x = guarded_noise(n, 1 - shift, 1), y = guarded_noise(n, shift, 2);
        be->copy(n, x.data, y.data);
        check_same_bits("copy", y.data, x.data, n);
        guarded_free(x);
        guarded_free(y);
    }
}

static void check_axpby(const backend *be, size_t n, int shift, double alpha, double beta)
{
    guarded x = guarded_noise(n, 1 - shift, 1), y = guarded_noise(n, shift, 2), before = guarded_copy(y, 0);
    for (size_t i = 0; beta == 0 && i < n; i++)
        y.data[i] = (real)NAN;
    be->axpby(n, (real)alpha, x.data, (real)beta, y.data);
    for (size_t i = 0; i < n; i++)
        check_near("axpby", i, y.data[i], alpha * x.data[i] + beta * before.data[i], rounding, 2);
    guarded_free(x);
    guarded_free(y);
    guarded_free(before);
}

static void test_axpby(void **state)
{
    FOR_SIZES(n, shift)
    {
        check_axpby(*state, n, shift, 1, 1);
        check_axpby(*state, n, shift, -.75, .5);
        check_axpby(*state, n, shift, .25, 0);
        check_axpby(*state, n, shift, 0, -1);
    }
}

static void test_axpby_onto_itself(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    {
        guarded x = guarded_noise(n, shift, 1), before = guarded_copy(x, 0);
        be->axpby(n, 3, x.data, (real)-.5, x.data);
        for (size_t i = 0; i < n; i++)
            check_near("axpby", i, x.data[i], 2.5 * before.data[i], rounding, 3.5);
        guarded_free(x);
        guarded_free(before);
    }
}

static void test_multiply(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        guarded x = guarded_noise(n, 1 - shift, 1), m = guarded_noise(n, shift, 2), y = guarded_noise(n, shift, 3);
        guarded before = guarded_copy(y, 0);
        be->multiply(n, x.data, m.data, y.data, accumulate);
        for (size_t i = 0; i < n; i++)
            check_near("multiply", i, y.data[i], (double)x.data[i] * m.data[i] + accumulate * before.data[i], rounding, 2);
        guarded_free(x);
        guarded_free(m);
        guarded_free(y);
        guarded_free(before);
    }
}

static void test_multiply_in_place(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    {
        guarded x = guarded_noise(n, shift, 1), before = guarded_copy(x, 0), m = guarded_noise(n, 1 - shift, 2);
        be->multiply(n, x.data, m.data, x.data, false);
        for (size_t i = 0; i < n; i++)
            check_near("multiply", i, x.data[i], (double)before.data[i] * m.data[i], rounding, 1);
        guarded_free(x);
        guarded_free(before);
        guarded_free(m);
    }
}

static void test_replace(void **state)
{
    const backend *be = *state;
    const real marker = (real)1e20;
    FOR_SIZES(n, shift)
    {
        guarded x = guarded_noise(n, shift, 1), other = guarded_noise(n, 1 - shift, 2), y = guarded_noise(n, shift, 3);
        for (size_t i = 0; i < n; i += 3)
            x.data[i] = marker;
        be->replace(n, x.data, marker, other.data, y.data);
        for (size_t i = 0; i < n; i++)
            check_near("replace", i, y.data[i], i % 3 ? x.data[i] : other.data[i], 0, 0);
        guarded_free(x);
        guarded_free(other);
        guarded_free(y);
    }
}

/* -- blas.c -- */

typedef struct gemm_case {
    int m, n, k;
    double alpha, beta;
} gemm_case;

static const gemm_case gemm_cases[] = {
    {1, 1, 1, 1, 0},      {2, 3, 1, 1, 1},      {3, 2, 17, -.5, 0},      {17, 1, 255, 1, .5}, {1, 17, 255, 2, 1},
    {255, 2, 17, 1, 0},   {2, 255, 31, 1, 1},   {17, 31, 1031, 1, -1.5}, {31, 255, 17, 1, 0}, {255, 17, 31, 1, 1},
    {20, 256, 256, 1, 0}, {256, 256, 20, 1, 1}, {256, 2, 20, 1, 1},      {64, 2, 256, 1, 0},  {300, 3, 70, .5, 0},
    {1031, 4, 66, -1, 1}, {70, 5, 1031, 1, 1},  {257, 7, 33, 1, 0},      {5, 8, 2100, 1, .5}, {40, 6, 1, 1, 0},
    {3, 5, 0, 1, 0},      {3, 5, 0, 1, .5},     {3, 12, 0, 1, 0},        {3, 12, 0, 1, .5},   {0, 5, 3, 1, 0},
    {5, 0, 3, 1, 0},      {3, 5, 7, 0, .5},     {128, 130, 129, 1, .25},
};

/* A matrix with `pad` more numbers per row than it uses. */
static guarded matrix_new(bool transpose, int rows, int columns, int pad, int shift, uint64_t seed, int *stride)
{
    *stride = (transpose ? rows : columns) + pad;
    *stride = *stride > 0 ? *stride : 1;
    return guarded_noise((size_t)(transpose ? columns : rows) * (size_t)*stride, shift, seed);
}

static double matrix_at(guarded a, bool transpose, int stride, int i, int j)
{
    return a.data[transpose ? j * stride + i : i * stride + j];
}

static void check_gemm_element(guarded a, guarded b, const gemm_case *g, bool ta, bool tb, int lda, int ldb, int i, int j,
                               double before, double got)
{
    double sum = 0, scale = 0;
    for (int l = 0; l < g->k; l++) {
        const double term = matrix_at(a, ta, lda, i, l) * matrix_at(b, tb, ldb, l, j);
        sum += term;
        scale += fabs(term);
    }
    char what[96];
    snprintf(what, sizeof what, "gemm %c%c m=%d n=%d k=%d row %d column", ta ? 'T' : 'N', tb ? 'T' : 'N', g->m, g->n, g->k, i);
    check_near(what, (size_t)j, got, g->alpha * sum + (g->beta == 0 ? 0 : g->beta * before), rounding,
               fabs(g->alpha) * scale + fabs(g->beta * before));
}

static void check_gemm(const backend *be, const gemm_case *g, bool ta, bool tb, int pad)
{
    int lda, ldb, ldc;
    guarded a = matrix_new(ta, g->m, g->k, pad, pad, 1, &lda), b = matrix_new(tb, g->k, g->n, pad, 1 - pad, 2, &ldb);
    guarded c = matrix_new(false, g->m, g->n, pad, pad, 3, &ldc), before = guarded_copy(c, 0);
    for (int i = 0; g->beta == 0 && i < g->m; i++)
        for (int j = 0; j < g->n; j++)
            c.data[i * ldc + j] = (real)NAN;
    be->gemm(ta, tb, g->m, g->n, g->k, (real)g->alpha, a.data, lda, b.data, ldb, (real)g->beta, c.data, ldc);
    for (int i = 0; i < g->m; i++) {
        for (int j = 0; j < g->n; j++)
            check_gemm_element(a, b, g, ta, tb, lda, ldb, i, j, before.data[i * ldc + j], c.data[i * ldc + j]);
        check_same_bits("gemm: between the rows of C", &c.data[i * ldc + g->n], &before.data[i * ldc + g->n],
                        (size_t)(ldc - g->n));
    }
    guarded_free(a);
    guarded_free(b);
    guarded_free(c);
    guarded_free(before);
}

static void test_gemm(void **state)
{
    for (size_t k = 0; k < COUNT_OF(gemm_cases); k++)
        for (int form = 0; form < 8; form++)
            check_gemm(*state, &gemm_cases[k], form & 1, form & 2, form / 4);
}

/* -- update.c -- */

static void test_sgd_update(void **state)
{
    const backend *be = *state;
    const double rate = .25, momentum = .875, decay = .0625, batch = 4;
    FOR_SIZES(n, shift)
    {
        guarded w = guarded_noise(n, shift, 1), g = guarded_noise(n, 1 - shift, 2), w0 = guarded_copy(w, 0),
                g0 = guarded_copy(g, 0);
        be->sgd_update((sgd_rule){(real)rate, (real)momentum, (real)decay, (real)batch}, n, w.data, g.data);
        for (size_t i = 0; i < n; i++) {
            const double sum = g0.data[i] + decay * batch * w0.data[i];
            check_near("w", i, w.data[i], w0.data[i] - rate / batch * sum, rounding, 2);
            check_near("g", i, g.data[i], momentum * sum, rounding, 2);
        }
        guarded_free(w);
        guarded_free(g);
        guarded_free(w0);
        guarded_free(g0);
    }
}

static void test_adam_update(void **state)
{
    const backend *be = *state;
    const double rate = .125, B1 = .875, B2 = .9375, eps = 1. / 64, decay = .0625, batch = 4;
    const adam_rule rule = adam_rule_at(rate, B1, B2, eps, decay, batch, 3);
    FOR_SIZES(n, shift)
    {
        guarded w = guarded_noise(n, shift, 1), g = guarded_noise(n, 1 - shift, 2), m = guarded_noise(n, shift, 3);
        guarded v = guarded_noise(n, 1 - shift, 4);
        for (size_t i = 0; i < n; i++)
            v.data[i] *= v.data[i];
        guarded w0 = guarded_copy(w, 0), g0 = guarded_copy(g, 0), m0 = guarded_copy(m, 0), v0 = guarded_copy(v, 0);
        be->adam_update(rule, n, w.data, g.data, m.data, v.data);
        for (size_t i = 0; i < n; i++) {
            const double d = g0.data[i] / batch + decay * w0.data[i];
            const double m1 = B1 * m0.data[i] + (1 - B1) * d, v1 = B2 * v0.data[i] + (1 - B2) * d * d;
            const double step = rate * m1 / (1 - B1 * B1 * B1) / (sqrt(v1 / (1 - B2 * B2 * B2)) + eps);
            check_near("w", i, w.data[i], w0.data[i] - step, rounding, 1 + fabs(step) + rate / eps);
            check_near("g", i, g.data[i], 0, 0, 0);
            check_near("m", i, m.data[i], m1, rounding, 1);
            check_near("v", i, v.data[i], v1, rounding, 1);
        }
        const guarded all[] = {w, g, m, v, w0, g0, m0, v0};
        for (size_t i = 0; i < COUNT_OF(all); i++)
            guarded_free(all[i]);
    }
}

/* -- random.c -- */

static const random_stream stream = {0x123456789abcdef, RANDOM_CHECK, 7};

static void test_random_numbers_are_those_of_core(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    {
        const uint64_t first = 4097 + (uint64_t)shift;
        guarded got = guarded_new(n, shift), want = guarded_new(n, 0);
        be->uniform(stream, first, n, -2, 3, got.data);
        random_uniform(stream, first, n, -2, 3, want.data);
        check_same_bits("uniform", got.data, want.data, n);
        be->normal(stream, first, n, got.data);
        random_normal(stream, first, n, want.data);
        check_same_bits("normal", got.data, want.data, n);
        guarded_free(got);
        guarded_free(want);
    }
}

static void check_dropout(const backend *be, double p, size_t n, int shift)
{
    guarded mask = guarded_new(n, shift), later = guarded_new(n, 0);
    be->dropout_mask(stream, 10, n, p, mask.data);
    size_t dropped = 0;
    for (size_t i = 0; i < n; i++) {
        dropped += mask.data[i] == 0;
        if (mask.data[i] != 0)
            check_near("kept", i, mask.data[i], 1 / (1 - p), REAL_EPSILON, 1 / (1 - p));
        /* uniform numbers of type real: within its rounding of p either side is right */
        const double u = random_one(stream, 10 + i);
        if (fabs(u - p) > REAL_EPSILON)
            assert_int_equal(mask.data[i] == 0, u < p);
    }
    check_near("dropped", n, (double)dropped, p * (double)n, 5, sqrt((double)n * p * (1 - p)));
    be->dropout_mask(stream, 13, n - 3, p, later.data);
    check_same_bits("dropout_mask from a later position", later.data, mask.data + 3, n - 3);
    guarded_free(mask);
    guarded_free(later);
}

static void test_dropout_mask(void **state)
{
    const double probabilities[] = {0, .1, .5, .9, 1};
    for (size_t k = 0; k < COUNT_OF(probabilities); k++)
        for (int shift = 0; shift < 2; shift++) {
            check_dropout(*state, probabilities[k], 1031, shift);
            check_dropout(*state, probabilities[k], 200011, shift);
        }
}

/* -- backend.c -- */

static void test_open_by_name(void **state)
{
    const backend *be = *state;
    assert_ptr_equal(backend_open(be->name), be);
    assert_ptr_equal(backend_open(NULL), backend_list[0]);
    assert_ptr_equal(backend_open(""), backend_list[0]);
}

static void test_open_unknown_name(void **state)
{
    const backend *be = *state;
    assert_null(backend_open("quantum-annealer"));
    assert_non_null(strstr(status_text(), "'quantum-annealer'"));
    assert_non_null(strstr(status_text(), be->name));
    assert_null(strstr(status_text(), "did you mean"));

    char misspelt[32], suggestion[64];
    snprintf(misspelt, sizeof misspelt, "%sx", be->name);
    snprintf(suggestion, sizeof suggestion, "did you mean '%s'", be->name);
    assert_null(backend_open(misspelt));
    assert_non_null(strstr(status_text(), suggestion));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allocate),
        cmocka_unit_test(test_allocate_too_much),
        cmocka_unit_test(test_fill),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_axpby),
        cmocka_unit_test(test_axpby_onto_itself),
        cmocka_unit_test(test_multiply),
        cmocka_unit_test(test_multiply_in_place),
        cmocka_unit_test(test_replace),
        cmocka_unit_test(test_gemm),
        cmocka_unit_test(test_sgd_update),
        cmocka_unit_test(test_adam_update),
        cmocka_unit_test(test_random_numbers_are_those_of_core),
        cmocka_unit_test(test_dropout_mask),
        cmocka_unit_test(test_open_by_name),
        cmocka_unit_test(test_open_unknown_name),
    };
    return run_on_every_backend("backend", tests, COUNT_OF(tests), argc, argv);
}
