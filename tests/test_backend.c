/* Every function of the backend table that is not about jets, on every backend, against loops in double.
 * Jets: test_activation.c and test_head.c. */
#include "backend_fixture.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

/* The last one is large enough for several threads. */
static const size_t sizes[] = {0, 1, 2, 3, 17, 255, 1031, 20011};

static const double rounding = 8 * REAL_EPSILON;

#define FOR_SIZES(n, shift)                                                                                            \
    for (size_t k_ = 0, n = sizes[0]; k_ < COUNT_OF(sizes); k_++, n = sizes[k_ < COUNT_OF(sizes) ? k_ : 0])            \
        for (int shift = 0; shift < 2; shift++)

/* -- memory.c -- */

static void test_allocate(void **state)
{
    const backend *be = *state;
    FOR_SIZES (n, shift) {
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

static void test_allocate_too_much(void **state)
{
    const backend *be = *state;
    const size_t counts[] = {SIZE_MAX, SIZE_MAX / sizeof(real), SIZE_MAX / sizeof(real) + 2, SIZE_MAX / 8 / sizeof(real)};
    for (size_t k = 0; k < COUNT_OF(counts); k++) {
        status_fail(STATUS_OK, "%s", "");
        assert_null(be->allocate(counts[k]));
        assert_non_null(strstr(status_text(), "memory"));
    }
}

static void test_fill(void **state)
{
    const backend *be = *state;
    FOR_SIZES (n, shift) {
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
    FOR_SIZES (n, shift) {
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
    FOR_SIZES (n, shift) {
        check_axpby(*state, n, shift, 1, 1);
        check_axpby(*state, n, shift, -.75, .5);
        check_axpby(*state, n, shift, .25, 0);
        check_axpby(*state, n, shift, 0, -1);
    }
}

static void test_axpby_onto_itself(void **state)
{
    const backend *be = *state;
    FOR_SIZES (n, shift) {
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
    FOR_SIZES (n, shift)
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
    FOR_SIZES (n, shift) {
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
    FOR_SIZES (n, shift) {
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
    {1, 1, 1, 1, 0},         {2, 3, 1, 1, 1},        {3, 2, 17, -.5, 0},      {17, 1, 255, 1, .5}, {1, 17, 255, 2, 1},
    {255, 2, 17, 1, 0},      {2, 255, 31, 1, 1},     {17, 31, 1031, 1, -1.5}, {31, 255, 17, 1, 0}, {255, 17, 31, 1, 1},
    {20, 256, 256, 1, 0},    {256, 256, 20, 1, 1},   {256, 2, 20, 1, 1},      {64, 2, 256, 1, 0},  {300, 3, 70, .5, 0},
    {1031, 4, 66, -1, 1},    {70, 5, 1031, 1, 1},    {257, 7, 33, 1, 0},      {5, 8, 2100, 1, .5}, {40, 6, 1, 1, 0},
    {3, 5, 0, 1, 0},         {3, 5, 0, 1, .5},       {0, 5, 3, 1, 0},         {5, 0, 3, 1, 0},     {3, 5, 7, 0, .5},
    {128, 130, 129, 1, .25},
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

static void check_gemm_element(guarded a, guarded b, const gemm_case *g, bool ta, bool tb, int lda, int ldb, int i, int j, double before,
                               double got)
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
        check_same_bits("gemm: between the rows of C", &c.data[i * ldc + g->n], &before.data[i * ldc + g->n], (size_t)(ldc - g->n));
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

/* -- pointwise.c, reduce.c: rows x count -- */

typedef struct row_case {
    size_t rows, count;
} row_case;

static const row_case row_cases[] = {
    {0, 3}, {1, 1}, {1, 17}, {2, 3}, {3, 2}, {17, 1}, {33, 5}, {255, 17}, {3, 1031}, {1031, 1}, {1031, 64}, {100, 255}, {20011, 2}, {1, 20011},
};

static void test_add_bias(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(row_cases); k++)
        for (int shift = 0; shift < 2; shift++) {
            const row_case r = row_cases[k];
            guarded bias = guarded_noise(r.count, 1 - shift, 1), y = guarded_noise(r.rows * r.count, shift, 2), before = guarded_copy(y, 0);
            be->add_bias(r.rows, r.count, bias.data, y.data);
            for (size_t i = 0; i < r.rows * r.count; i++)
                check_near("add_bias", i, y.data[i], (double)before.data[i] + bias.data[i % r.count], rounding, 2);
            guarded_free(bias);
            guarded_free(y);
            guarded_free(before);
        }
}

static void test_sum_rows(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(row_cases); k++)
        for (int shift = 0; shift < 2; shift++) {
            const row_case r = row_cases[k];
            guarded x = guarded_noise(r.rows * r.count, 1 - shift, 1), sums = guarded_noise(r.count, shift, 2);
            guarded before = guarded_copy(sums, 0);
            be->sum_rows(r.rows, r.count, x.data, sums.data);
            for (size_t i = 0; i < r.count; i++) {
                double want = before.data[i], scale = fabs(want);
                for (size_t row = 0; row < r.rows; row++) {
                    want += x.data[row * r.count + i];
                    scale += fabs((double)x.data[row * r.count + i]);
                }
                check_near("sum_rows", i, sums.data[i], want, rounding, scale);
            }
            guarded_free(x);
            guarded_free(sums);
            guarded_free(before);
        }
}

/* One large number and many small ones in every column: a sum that is not wide enough loses the small ones. */
static void test_sums_are_wide(void **state)
{
    const backend *be = *state;
    enum { ROWS = 20000, COLUMNS = 3 };
    const double want = 1 + (ROWS - 1) * (double)FLT_EPSILON / 4;
    guarded x = guarded_new(ROWS * COLUMNS, 1), ones = guarded_new(ROWS, 0);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        x.data[i] = i < COLUMNS ? 1 : (real)(FLT_EPSILON / 4);
    for (size_t i = 0; i < ROWS; i++)
        ones.data[i] = 1;
    real sums[COLUMNS] = {0};
    be->sum_rows(ROWS, COLUMNS, x.data, sums);
    for (size_t i = 0; i < COLUMNS; i++)
        check_near("sum_rows", i, sums[i], want, 16 * FLT_EPSILON, 1);
    x.data[1] = x.data[2] = x.data[3];
    check_near("dot", 0, be->dot(ROWS, x.data, ones.data), want, 1e-12, 1);
    guarded_free(x);
    guarded_free(ones);
}

static void test_dot(void **state)
{
    const backend *be = *state;
    FOR_SIZES (n, shift) {
        guarded x = guarded_noise(n, shift, 1), y = guarded_noise(n, 1 - shift, 2);
        double want = 0, scale = 0;
        for (size_t i = 0; i < n; i++) {
            want += (double)x.data[i] * y.data[i];
            scale += fabs((double)x.data[i] * y.data[i]);
        }
        check_near("dot", n, be->dot(n, x.data, y.data), want, 64 * DBL_EPSILON, scale);
        guarded_free(x);
        guarded_free(y);
    }
}

/* The losses as core/loss_math.h describes them: the value, and the gradient of element i into *slope. */
static double reference_loss(loss_function f, size_t count, const real *p, const real *t, size_t i, double *slope)
{
    double l2 = 0, l1 = 0, huber = 0, size = 0;
    for (size_t j = 0; j < count; j++) {
        const double target = t ? t[j] : 0, e = fabs(p[j] - target);
        l2 += e * e;
        l1 += e;
        huber += e <= f.parameter ? e * e / 2 : f.parameter * e - f.parameter * f.parameter / 2;
        size += target * target;
    }
    const double e = p[i] - (t ? (double)t[i] : 0), sign = (e > 0) - (e < 0);
    switch (f.kind) {
    case LOSS_L2:
        *slope = 2 * e;
        return l2;
    case LOSS_NORM:
        *slope = l2 > 0 ? e / sqrt(l2) : 0;
        return sqrt(l2);
    case LOSS_L1:
        *slope = sign;
        return l1;
    case LOSS_HUBER:
        *slope = fabs(e) <= f.parameter ? e : sign * f.parameter;
        return huber;
    default:
        *slope = 2 * e / (size + f.parameter);
        return l2 / (size + f.parameter);
    }
}

/* The row's loss; checks the row's gradient when there is one. */
static double check_loss_row(loss_function f, size_t count, const real *p, const real *t, double scale, const real *gradient)
{
    double value = 0, slope;
    for (size_t i = 0; i < count; i++) {
        value = reference_loss(f, count, p, t, i, &slope);
        if (gradient)
            check_near(loss_names[f.kind], i, gradient[i], scale * slope, rounding, fabs(scale * slope) + 1e-30);
        else
            break;
    }
    return value;
}

static void check_loss(const backend *be, loss_function f, row_case r, bool with_target, bool with_gradient, int shift)
{
    const double scale = .375;
    const size_t n = r.rows * r.count;
    guarded p = guarded_noise(n, shift, 1), t = guarded_noise(n, 1 - shift, 2), gradient = guarded_noise(n, shift, 3);
    for (size_t i = 0; i < n; i += 5)
        t.data[i] = p.data[i]; /* zero errors */
    const real *target = with_target ? t.data : NULL;
    const double got = be->loss(f, r.rows, r.count, p.data, target, (real)scale, with_gradient ? gradient.data : NULL);
    double want = 0;
    for (size_t row = 0; row < r.rows; row++) {
        const size_t at = row * r.count;
        want += check_loss_row(f, r.count, p.data + at, target ? target + at : NULL, scale, with_gradient ? gradient.data + at : NULL);
    }
    check_near(loss_names[f.kind], n, got, scale * want, 64 * DBL_EPSILON, scale * want + 1e-30);
    guarded_free(p);
    guarded_free(t);
    guarded_free(gradient);
}

static const row_case loss_cases[] = {{0, 2}, {1, 1}, {20, 1}, {7, 2}, {3, 17}, {2, 255}, {101, 31}, {20011, 1}, {64, 300}};

static void test_loss(void **state)
{
    for (int kind = 0; kind < LOSS_COUNT; kind++)
        for (size_t k = 0; k < COUNT_OF(loss_cases); k++)
            for (int form = 0; form < 8; form++)
                check_loss(*state, (loss_function){(loss_kind)kind, .5}, loss_cases[k], form & 1, form & 2, form / 4);
}

static void test_loss_of_equal_vectors(void **state)
{
    const backend *be = *state;
    for (int kind = 0; kind < LOSS_COUNT; kind++) {
        guarded p = guarded_noise(51, 1, 1), gradient = guarded_noise(51, 0, 2);
        assert_true(be->loss((loss_function){(loss_kind)kind, .5}, 3, 17, p.data, p.data, 2, gradient.data) == 0);
        for (size_t i = 0; i < 51; i++)
            check_near(loss_names[kind], i, gradient.data[i], 0, 0, 0);
        guarded_free(p);
        guarded_free(gradient);
    }
}

/* -- update.c -- */

static void test_sgd_update(void **state)
{
    const backend *be = *state;
    const double rate = .25, momentum = .875, decay = .0625, batch = 4;
    FOR_SIZES (n, shift) {
        guarded w = guarded_noise(n, shift, 1), g = guarded_noise(n, 1 - shift, 2), w0 = guarded_copy(w, 0), g0 = guarded_copy(g, 0);
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
    FOR_SIZES (n, shift) {
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
    FOR_SIZES (n, shift) {
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
            check_dropout(*state, probabilities[k], 20011, shift);
        }
}

/* -- the same bits every time, and on any number of threads -- */

enum { WORK = 20011 };

typedef struct workspace {
    real x[WORK], y[WORK], m[WORK], v[WORK];
    double value;
} workspace;

static void workspace_fill(workspace *w)
{
    uint64_t seed = 5;
    memset(w, 0, sizeof *w); /* the padding too: workspaces are compared as bytes */
    for (size_t i = 0; i < WORK; i++) {
        w->x[i] = (real)noise(&seed);
        w->y[i] = (real)noise(&seed);
        w->m[i] = (real)noise(&seed);
        w->v[i] = (real)fabs(noise(&seed));
    }
}

static void run_fill(const backend *be, workspace *w)
{
    be->fill(WORK, 3, w->y);
}

static void run_axpby(const backend *be, workspace *w)
{
    be->axpby(WORK, (real).3, w->x, (real).7, w->y);
}

static void run_multiply(const backend *be, workspace *w)
{
    be->multiply(WORK, w->x, w->m, w->y, true);
}

static void run_gemm(const backend *be, workspace *w)
{
    be->gemm(true, false, 100, 101, 120, 1, w->x, 101, w->y, 103, 1, w->m, 102);
}

static void run_add_bias(const backend *be, workspace *w)
{
    be->add_bias(WORK / 17, 17, w->x, w->y);
}

static void run_sum_rows(const backend *be, workspace *w)
{
    be->sum_rows(WORK / 170, 170, w->x, w->y);
}

static void run_dot(const backend *be, workspace *w)
{
    w->value = be->dot(WORK, w->x, w->y);
}

static void run_loss(const backend *be, workspace *w)
{
    w->value = be->loss((loss_function){LOSS_NORM, 0}, WORK / 7, 7, w->x, w->y, (real).1, w->m);
}

static void run_sgd(const backend *be, workspace *w)
{
    be->sgd_update((sgd_rule){(real).1, (real).9, (real).01, 3}, WORK, w->x, w->y);
}

static void run_adam(const backend *be, workspace *w)
{
    be->adam_update(adam_rule_at(.1, .9, .99, 1e-3, .01, 3, 2), WORK, w->x, w->y, w->m, w->v);
}

static void run_normal(const backend *be, workspace *w)
{
    be->normal(stream, 3, WORK, w->x);
}

static void run_activation(const backend *be, workspace *w)
{
    const jet x = {w->x, 61, 82, 1, 2}, y = {w->y, 61, 82, 1, 2}, adj = {w->m, 61, 82, 1, 2}; /* 20008 numbers each */
    jet out = y;
    be->activation_forward(ACTIVATION_TANH, &x, &out, jet_all(2));
    out.data = w->v;
    be->activation_backward(ACTIVATION_TANH, &x, &adj, &out, jet_all(2), true);
}

static void run_log_softmax(const backend *be, workspace *w)
{
    const jet x = {w->x, 61, 82, 1, 2}, adj = {w->m, 61, 82, 1, 2};
    jet y = {w->y, 61, 82, 1, 2}, out = {w->v, 61, 82, 1, 2};
    be->log_softmax_forward(&x, &y, jet_all(2));
    be->log_softmax_backward(&x, &adj, &out, jet_all(2), false);
}

static void run_squared_error(const backend *be, workspace *w)
{
    const jet x = {w->x, 61, 82, 1, 2}, adj = {w->m, 1, 82, 1, 2};
    jet y = {w->v, 1, 82, 1, 2}, out = {w->y, 61, 82, 1, 2};
    be->squared_error_forward(&x, w->m, &y, jet_all(2));
    be->squared_error_backward(&x, w->m, &adj, &out, jet_all(2), false);
}

static void run_truth_product(const backend *be, workspace *w)
{
    const jet x = {w->x, 61, 82, 1, 2}, adj = {w->m, 1, 82, 1, 2};
    jet y = {w->v, 1, 82, 1, 2}, out = {w->y, 61, 82, 1, 2};
    be->truth_product_forward(3, &x, w->m, &y, jet_all(2));
    be->truth_product_backward(3, w->m, &adj, &out, jet_all(2), false);
}

static const struct repeat_case {
    const char *name;
    void (*run)(const backend *be, workspace *w);
    bool depends_on_threads; /* oneDNN may split the sums of a product among threads */
} repeat_cases[] = {
    {"fill", run_fill, false},
    {"axpby", run_axpby, false},
    {"multiply", run_multiply, false},
    {"gemm", run_gemm, true},
    {"add_bias", run_add_bias, false},
    {"sum_rows", run_sum_rows, false},
    {"dot", run_dot, false},
    {"loss", run_loss, false},
    {"sgd_update", run_sgd, false},
    {"adam_update", run_adam, false},
    {"normal", run_normal, false},
    {"activation", run_activation, false},
    {"log_softmax", run_log_softmax, false},
    {"squared_error", run_squared_error, false},
    {"truth_product", run_truth_product, false},
};

static void test_same_bits_every_time(void **state)
{
    const backend *be = *state;
    workspace *first = malloc(sizeof *first), *again = malloc(sizeof *again);
    assert_true(first && again);
    for (size_t k = 0; k < COUNT_OF(repeat_cases); k++)
        for (int threads = 1; threads <= 3; threads++) {
            be->set_threads(threads);
            workspace_fill(again);
            repeat_cases[k].run(be, again);
            const bool compare = threads > 1 && !repeat_cases[k].depends_on_threads;
            if (compare && memcmp(first, again, sizeof *first) != 0)
                fail_msg("%s: %d threads give other bits than one", repeat_cases[k].name, threads);
            workspace_fill(first);
            repeat_cases[k].run(be, first);
            if (memcmp(first, again, sizeof *first) != 0)
                fail_msg("%s: two runs on %d threads give different bits", repeat_cases[k].name, threads);
        }
    be->set_threads(2);
    free(first);
    free(again);
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
        cmocka_unit_test(test_add_bias),
        cmocka_unit_test(test_sum_rows),
        cmocka_unit_test(test_sums_are_wide),
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_loss_of_equal_vectors),
        cmocka_unit_test(test_sgd_update),
        cmocka_unit_test(test_adam_update),
        cmocka_unit_test(test_random_numbers_are_those_of_core),
        cmocka_unit_test(test_dropout_mask),
        cmocka_unit_test(test_same_bits_every_time),
        cmocka_unit_test(test_open_by_name),
        cmocka_unit_test(test_open_unknown_name),
    };
    return run_on_every_backend("backend", tests, COUNT_OF(tests), argc, argv);
}
