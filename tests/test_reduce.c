/* The functions of the backend table that act on rows or sum, on every backend, against sums in double. */
#include "backend_fixture.h"

#include "core/logit_loss_math.h"

static const double rounding = 8 * REAL_EPSILON; /* of a result that is rounded to real */
static const double wide = 1e-12;                /* of sums in double, in any order */

typedef struct row_case {
    size_t rows, count;
} row_case;

static const row_case row_cases[] = {
    {0, 3},    {1, 1},    {1, 17},   {2, 3},     {3, 2},     {17, 1},    {33, 5},
    {255, 17}, {3, 1031}, {1031, 1}, {1031, 64}, {100, 255}, {100011, 2}, {1, 200011},
};

static void test_add_bias(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(row_cases); k++)
        for (int shift = 0; shift < 2; shift++) {
            const row_case r = row_cases[k];
            guarded bias = guarded_noise(r.count, 1 - shift, 1), y = guarded_noise(r.rows * r.count, shift, 2),
                    before = guarded_copy(y, 0);
            be->add_bias(r.rows, r.count, bias.data, y.data);
            for (size_t i = 0; i < r.rows * r.count; i++)
                check_near("add_bias", i, y.data[i], (double)before.data[i] + bias.data[i % r.count], rounding, 2);
            guarded_free(bias);
            guarded_free(y);
            guarded_free(before);
        }
}

static void test_scale_rows_add(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(row_cases); k++)
        for (int shift = 0; shift < 2; shift++) {
            const row_case r = row_cases[k];
            const size_t n = r.rows * r.count;
            guarded scale = guarded_noise(r.rows, shift, 1), x = guarded_noise(n, 1 - shift, 2), z = guarded_noise(n, shift, 3);
            guarded y = guarded_new(n, shift);
            be->scale_rows_add(r.rows, r.count, scale.data, x.data, z.data, y.data);
            for (size_t i = 0; i < n; i++)
                check_near("scale_rows_add", i, y.data[i], (double)scale.data[i / r.count] * x.data[i] + z.data[i], rounding, 2);
            guarded_free(scale);
            guarded_free(x);
            guarded_free(z);
            guarded_free(y);
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
    const real small = (real)(FLT_EPSILON * .33);
    const double want = 1 + (ROWS - 1) * (double)small;
    guarded x = guarded_new(ROWS * COLUMNS, 1), ones = guarded_new(ROWS, 0);
    for (size_t i = 0; i < ROWS * COLUMNS; i++)
        x.data[i] = i < COLUMNS ? 1 : small;
    for (size_t i = 0; i < ROWS; i++)
        ones.data[i] = 1;
    real sums[COLUMNS] = {0};
    be->sum_rows(ROWS, COLUMNS, x.data, sums);
    for (size_t i = 0; i < COLUMNS; i++)
        check_near("sum_rows", i, sums[i], want, 16 * FLT_EPSILON, 1);
    x.data[1] = x.data[2] = x.data[3];
    check_near("dot", 0, be->dot(ROWS, x.data, ones.data), want, wide, 1);
    guarded_free(x);
    guarded_free(ones);
}

static void test_dot(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    {
        guarded x = guarded_noise(n, shift, 1), y = guarded_noise(n, 1 - shift, 2);
        double want = 0, scale = 0;
        for (size_t i = 0; i < n; i++) {
            want += (double)x.data[i] * y.data[i];
            scale += fabs((double)x.data[i] * y.data[i]);
        }
        check_near("dot", n, be->dot(n, x.data, y.data), want, wide, scale);
        guarded_free(x);
        guarded_free(y);
    }
}

/* The losses as core/loss_math.h describes them: the value, and the gradient of element i into *slope. */
static double reference_loss(loss_function f, size_t count, const real *p, const real *t, size_t i, double *slope)
{
    double l2 = 0, l1 = 0, huber = 0, size = 0;
    for (size_t j = 0; j < count; j++) {
        if (t && isnan(t[j]))
            continue;
        const double target = t ? t[j] : 0, e = fabs(p[j] - target), w = f.weights ? f.weights[j] : 1;
        l2 += w * e * e;
        l1 += w * e;
        huber += w * (e <= f.parameter ? e * e / 2 : f.parameter * e - f.parameter * f.parameter / 2);
        size += w * target * target;
    }
    const bool given = !t || !isnan(t[i]);
    const double e = given ? p[i] - (t ? (double)t[i] : 0) : 0, sign = (e > 0) - (e < 0), w = f.weights ? f.weights[i] : 1;
    switch (f.kind) {
    case LOSS_L2:
        *slope = w * 2 * e;
        return l2;
    case LOSS_NORM:
        *slope = l2 > 0 ? w * e / sqrt(l2) : 0;
        return sqrt(l2);
    case LOSS_L1:
        *slope = w * sign;
        return l1;
    case LOSS_HUBER:
        *slope = w * (fabs(e) <= f.parameter ? e : sign * f.parameter);
        return huber;
    case LOSS_PENALTY:
        *slope = l2 > 0 ? w * 2 * (sqrt(l2) - f.parameter) * e / sqrt(l2) : 0;
        return pow(sqrt(l2) - f.parameter, 2);
    default:
        *slope = w * 2 * e / (size + f.parameter);
        return l2 / (size + f.parameter);
    }
}

/* The numbers of log softmax(x / temperature), each in its own way: no maximum is taken out, since the test's numbers are small. */
static double log_probability(const real *x, size_t count, double temperature, size_t k)
{
    double sum = 0;
    for (size_t j = 0; j < count; j++)
        sum += exp((x ? (double)x[j] : 0) / temperature);
    return (x ? (double)x[k] : 0) / temperature - log(sum);
}

/* The losses as core/logit_loss_math.h describes them. */
static double logit_loss(loss_function f, size_t count, const real *p, const real *t)
{
    double sum = 0;
    for (size_t k = 0; k < count; k++) {
        if (t && isnan(t[k]))
            return 0;
        const double a = log_probability(p, count, f.parameter, k), w = f.weights ? f.weights[k] : 1;
        const double b = f.kind == LOSS_CROSS_ENTROPY ? 0 : log_probability(t, count, f.parameter, k);
        sum += w * (f.kind == LOSS_KL ? exp(a) * (a - b) : (f.kind == LOSS_CROSS_ENTROPY ? (t ? (double)t[k] : 0) : exp(b)) * (b - a));
    }
    return f.parameter * f.parameter * sum;
}

/* Its derivative by p_j, through the Jacobian of the logarithm of the softmax: d a_k / d z_j = (k == j) - P_j. */
static double logit_slope(loss_function f, size_t count, const real *p, const real *t, size_t j)
{
    double sum = 0;
    const double probability = exp(log_probability(p, count, f.parameter, j));
    for (size_t k = 0; k < count; k++) {
        if (t && isnan(t[k]))
            return 0;
        const double a = log_probability(p, count, f.parameter, k), w = f.weights ? f.weights[k] : 1;
        double by_a = f.kind == LOSS_CROSS_ENTROPY ? -w * (t ? (double)t[k] : 0) : -w * exp(log_probability(t, count, f.parameter, k));
        if (f.kind == LOSS_KL)
            by_a = w * exp(a) * (a - log_probability(t, count, f.parameter, k) + 1);
        sum += by_a * ((k == j) - probability);
    }
    return f.parameter * sum;
}

/* The row's loss; checks the row's gradient when there is one. */
static double check_loss_row(loss_function f, size_t count, const real *p, const real *t, double scale, const real *gradient)
{
    double value = 0, slope;
    for (size_t i = 0; i < count; i++) {
        const bool of_logits = loss_is_of_logits(f.kind);
        value = of_logits ? logit_loss(f, count, p, t) : reference_loss(f, count, p, t, i, &slope);
        if (of_logits && gradient)
            check_near(loss_names[f.kind], i, gradient[i], scale * logit_slope(f, count, p, t, i), rounding, fabs(scale) * f.parameter);
        else if (gradient)
            check_near(loss_names[f.kind], i, gradient[i], scale * slope, rounding, fabs(scale * slope) + (f.kind == LOSS_PENALTY ? fabs(scale) : 1e-30));
        else
            break;
    }
    return value;
}

/* What a call of the loss is given besides the prediction. */
typedef struct loss_form {
    bool target, gradient, weights, row_weights, missing;
    int shift;
} loss_form;

static void check_loss(const backend *be, loss_function f, row_case r, loss_form form)
{
    const double scale = .375;
    const size_t n = r.rows * r.count;
    const int shift = form.shift;
    guarded p = guarded_noise(n, shift, 1), t = guarded_noise(n, 1 - shift, 2), gradient = guarded_noise(n, shift, 3);
    guarded weights = guarded_noise(r.count, shift, 4), row_weights = guarded_noise(r.rows, shift, 5);
    for (size_t i = 0; i < n; i += 5)
        t.data[i] = p.data[i]; /* zero errors */
    for (size_t i = 0; i < n && form.missing; i += 3)
        t.data[i] = (real)NAN;
    for (size_t i = 0; i < r.count; i++)
        weights.data[i] = i % 4 == 1 ? 0 : (real)fabs((double)weights.data[i]);
    const real *target = form.target ? t.data : NULL;
    f.weights = form.weights ? weights.data : NULL;
    f.row_weights = form.row_weights ? row_weights.data : NULL;
    const double got = be->loss(f, r.rows, r.count, p.data, target, (real)scale, form.gradient ? gradient.data : NULL);
    double want = 0, size = 1e-30;
    for (size_t row = 0; row < r.rows; row++) {
        const size_t at = row * r.count;
        const double weight = f.row_weights ? f.row_weights[row] : 1;
        const double one = weight * check_loss_row(f, r.count, p.data + at, target ? target + at : NULL, weight * scale,
                                                   form.gradient ? gradient.data + at : NULL);
        want += one;
        size += fabs(scale * one) + (loss_is_of_logits(f.kind) ? fabs(scale * weight) * f.parameter * f.parameter : 0);
    }
    check_near(loss_names[f.kind], n, got, scale * want, wide, size);
    guarded_free(p);
    guarded_free(t);
    guarded_free(gradient);
    guarded_free(weights);
    guarded_free(row_weights);
}

static const row_case loss_cases[] = {{0, 2}, {1, 1}, {20, 1}, {7, 2}, {3, 17}, {2, 255}, {101, 31}, {200011, 1}, {64, 300}};

static void test_loss(void **state)
{
    for (int kind = 0; kind < LOSS_COUNT; kind++)
        for (size_t k = 0; k < COUNT_OF(loss_cases); k++)
            for (int bits = 0; bits < 64; bits++) {
                loss_form form = {bits & 1, bits & 2, bits & 4, bits & 8, bits & 16, bits >> 5};
                const bool is_large = loss_cases[k].rows > 1000, is_new = form.weights || form.row_weights || form.missing;
                if (loss_is_of_logits((loss_kind)kind) && loss_cases[k].count > 64)
                    continue; /* the reference takes the cube of it */
                if (form.target ? !is_large || !is_new || bits == 31 : !form.missing && !is_large)
                    check_loss(*state, (loss_function){.kind = (loss_kind)kind, .parameter = .5}, loss_cases[k], form);
            }
}

static void test_loss_of_equal_vectors(void **state)
{
    const backend *be = *state;
    for (int kind = 0; kind < LOSS_COUNT; kind++) {
        if (kind == LOSS_CROSS_ENTROPY || kind == LOSS_PENALTY)
            continue; /* they have their least value elsewhere */
        guarded p = guarded_noise(51, 1, 1), gradient = guarded_noise(51, 0, 2);
        assert_true(be->loss((loss_function){.kind = (loss_kind)kind, .parameter = .5}, 3, 17, p.data, p.data, 2, gradient.data) == 0);
        for (size_t i = 0; i < 51; i++)
            check_near(loss_names[kind], i, gradient.data[i], 0, 0, 0);
        guarded_free(p);
        guarded_free(gradient);
    }
}

/* Exponents of any size, and logits of probabilities that are 0. */
static void test_extreme_logits(void **state)
{
    const backend *be = *state;
    static const real p[2][3] = {{30000, -30000, 29999}, {-30000, -30000, -30001}};
    const real t[2][3] = {{30000, (real)-INFINITY, 30000}, {5, 5, 5}}, hot[2][3] = {{1, 0, 0}, {0, 0, 1}};
    const double near[3] = {1 / (1 + exp(-1.)), 0, exp(-1.) / (1 + exp(-1.))};
    real gradient[2][3];
    double got = be->loss((loss_function){.kind = LOSS_KL_REVERSE, .parameter = 1}, 1, 3, p[0], t[0], 1, gradient[0]);
    check_near("kl_reverse", 0, got, log(.5) - .5 * (log(near[0]) + log(near[2])), wide, 1);
    for (size_t k = 0; k < 3; k++)
        check_near("kl_reverse", k, gradient[0][k], near[k] - (k == 1 ? 0 : .5), rounding, 1);
    got = be->loss((loss_function){.kind = LOSS_KL, .parameter = 1}, 1, 3, p[0], t[0], 1, gradient[0]);
    check_near("kl", 0, got, near[0] * log(2 * near[0]) + near[2] * log(2 * near[2]), wide, 1);
    got = be->loss((loss_function){.kind = LOSS_CROSS_ENTROPY, .parameter = 1}, 2, 3, p[0], hot[0], 1, gradient[0]);
    check_near("cross_entropy", 0, got, -log(near[0]) + 1 + log(2 + exp(-1.)), wide, 1);
    got = be->loss((loss_function){.kind = LOSS_KL, .parameter = 1e-3}, 2, 3, p[0], p[0], 1, gradient[0]);
    assert_true(got == 0);
    for (size_t k = 0; k < 6; k++)
        assert_true(gradient[k / 3][k % 3] == 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_add_bias),
        cmocka_unit_test(test_scale_rows_add),
        cmocka_unit_test(test_sum_rows),
        cmocka_unit_test(test_sums_are_wide),
        cmocka_unit_test(test_dot),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_loss_of_equal_vectors),
        cmocka_unit_test(test_extreme_logits),
    };
    return run_on_every_backend("reduce", tests, COUNT_OF(tests), argc, argv);
}
