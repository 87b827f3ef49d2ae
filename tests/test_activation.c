/* core/activation_math.h against the definitions, and activations of jets on every backend. */
#include "jet_check.h"

/* 1 / (1 + exp(-x)) */
static hyperdual hd_logistic(hyperdual x)
{
    return hd_inverse(hd_line(1, hd_exp(hd_line(-1, x, 0)), 1));
}

/* The definitions, written anew. */
static hyperdual definition(activation kind, hyperdual x)
{
    const double v = x.v;
    const hyperdual zero = {0, 0, 0, 0};
    switch (kind) {
    case ACTIVATION_LOGISTIC:
        return hd_logistic(x);
    case ACTIVATION_RELU:
        return v > 0 ? x : zero;
    case ACTIVATION_RELIE:
        return v > 0 ? x : hd_line(.01, x, 0);
    case ACTIVATION_LINEAR:
        return x;
    case ACTIVATION_RAMP:
        return hd_line(v > 0 ? 1.1 : .1, x, 0);
    case ACTIVATION_TANH:
        return hd_line(2, hd_logistic(hd_line(2, x, 0)), -1);
    case ACTIVATION_PLSE:
        return v < -4 ? hd_line(.01, x, .04) : v > 4 ? hd_line(.01, x, .96) : hd_line(.125, x, .5);
    case ACTIVATION_LEAKY:
        return v > 0 ? x : hd_line(.1, x, 0);
    case ACTIVATION_ELU:
        return v >= 0 ? x : hd_line(1, hd_exp(x), -1);
    case ACTIVATION_LOGGY:
        return hd_line(2, hd_logistic(x), -1);
    case ACTIVATION_STAIR:
        return hd_line((long)floor(v) % 2 == 0 ? 0 : 1, x, floor(v / 2) - ((long)floor(v) % 2 == 0 ? 0 : floor(v)));
    case ACTIVATION_HARDTAN:
        return v < -1 ? hd_line(0, x, -1) : v > 1 ? hd_line(0, x, 1) : x;
    case ACTIVATION_LHTAN:
        return v < 0 ? hd_line(.001, x, 0) : v > 1 ? hd_line(.001, x, .999) : x;
    case ACTIVATION_SELU:
        return v >= 0 ? hd_line(1.0507, x, 0) : hd_line(1.0507 * 1.6732, hd_exp(x), -1.0507 * 1.6732);
    case ACTIVATION_SOFTPLUS:
        return hd_log(hd_line(1, hd_exp(x), 1));
    case ACTIVATION_SWISH:
        return hd_multiply(x, hd_logistic(x));
    case ACTIVATION_SIN:
        return hd_apply(x, sin(v), cos(v), -sin(v));
    default:
        fail_msg("no definition of activation %d", (int)kind);
        return zero;
    }
}

/* Where a kind has no derivative, and the slope it takes there (Darknet's). */
typedef struct kink {
    activation kind;
    double x, slope;
} kink;

static const kink kinks[] = {
    {ACTIVATION_RELU, 0, 0},     {ACTIVATION_RELIE, 0, .01}, {ACTIVATION_RAMP, 0, .1},    {ACTIVATION_LEAKY, 0, .1},
    {ACTIVATION_PLSE, -4, .125}, {ACTIVATION_PLSE, 4, .125}, {ACTIVATION_ELU, 0, 1},      {ACTIVATION_SELU, 0, 1.0507},
    {ACTIVATION_HARDTAN, -1, 0}, {ACTIVATION_HARDTAN, 1, 0}, {ACTIVATION_LHTAN, 0, .001}, {ACTIVATION_LHTAN, 1, .001},
    {ACTIVATION_STAIR, -6, 0},   {ACTIVATION_STAIR, -5, 0},  {ACTIVATION_STAIR, -4, 0},   {ACTIVATION_STAIR, -3, 0},
    {ACTIVATION_STAIR, -2, 0},   {ACTIVATION_STAIR, -1, 0},  {ACTIVATION_STAIR, 0, 0},    {ACTIVATION_STAIR, 1, 0},
    {ACTIVATION_STAIR, 2, 0},    {ACTIVATION_STAIR, 3, 0},   {ACTIVATION_STAIR, 4, 0},    {ACTIVATION_STAIR, 5, 0},
    {ACTIVATION_STAIR, 6, 0},
};

static double avoid_kinks(activation kind, double x)
{
    const double distance = .03;
    for (size_t k = 0; k < COUNT_OF(kinks); k++)
        if (kinks[k].kind == kind && fabs(x - kinks[k].x) < distance)
            return kinks[k].x + (x < kinks[k].x ? -distance : distance);
    return x;
}

/* -- scalars -- */

static void check_scalar(activation kind, double x)
{
    const double h = 1e-4, tolerance = sizeof(real) == 8 ? 1e-7 : 1e-6, scale = 8;
    const hyperdual at = definition(kind, (hyperdual){(real)x, 1, 1, 0});
    const double above = definition(kind, (hyperdual){(real)x + h, 1, 1, 0}).d12;
    const double below = definition(kind, (hyperdual){(real)x - h, 1, 1, 0}).d12;
    const activation_values a = activation_at(kind, (real)x);
    const double got[] = {a.f, a.f1, a.f2, a.f3}, want[] = {at.v, at.d1, at.d12, (above - below) / (2 * h)};
    for (size_t i = 0; i < COUNT_OF(got); i++) {
        char what[64];
        snprintf(what, sizeof what, "%s at %g, derivative", activation_table[kind].name, x);
        check_near(what, i, got[i], want[i], tolerance, scale);
    }
}

static void test_derivatives(void **state)
{
    for (int kind = 0; kind < ACTIVATION_COUNT; kind++)
        for (int i = -600; i <= 600; i++)
            check_scalar((activation)kind, avoid_kinks((activation)kind, i * .00997));
}

static void test_slope_at_kinks(void **state)
{
    for (size_t k = 0; k < COUNT_OF(kinks); k++)
        check_near(activation_names[kinks[k].kind], k, activation_at(kinks[k].kind, (real)kinks[k].x).f1, kinks[k].slope,
                   REAL_EPSILON, 1);
}

static void test_curvature_of_piecewise_linear_kinds_is_zero(void **state)
{
    for (int kind = 0; kind < ACTIVATION_COUNT; kind++) {
        bool flat = true;
        for (int i = -600; i <= 600; i++) {
            const activation_values a = activation_at((activation)kind, (real)(i * .00997));
            flat = flat && a.f2 == 0 && a.f3 == 0;
        }
        assert_int_equal(flat, activation_table[kind].piecewise_linear);
    }
}

static const double extremes[] = {0,    -0., 1e-30, -1e-30, 15,  -15, 50,   -50,  87,    -87,   88.8, -88.8,
                                  -104, 100, -100,  300,    700, 720, -720, 1000, -1000, -1003, 1e5,  -1e5};

static void test_extreme_arguments(void **state)
{
    for (int kind = 0; kind < ACTIVATION_COUNT; kind++)
        for (size_t i = 0; i < COUNT_OF(extremes); i++) {
            const activation_values a = activation_at((activation)kind, (real)extremes[i]);
            if (!isfinite((double)a.f) || !isfinite((double)a.f1) || !isfinite((double)a.f2) || !isfinite((double)a.f3))
                fail_msg("%s at %g: %g %g %g %g", activation_names[kind], extremes[i], (double)a.f, (double)a.f1, (double)a.f2,
                         (double)a.f3);
        }
}

static void test_names(void **state)
{
    for (int kind = 0; kind < ACTIVATION_COUNT; kind++)
        assert_string_equal(activation_names[kind], activation_table[kind].name);
    assert_null(activation_names[ACTIVATION_COUNT]);
    assert_string_equal(activation_names[ACTIVATION_LHTAN], "lhtan");
}

/* -- jets -- */

static void activation_reference(const jet_function *f, size_t count, const hyperdual *x, const double *truth, hyperdual *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = definition((activation)f->kind, x[i]);
}

static void activation_forward(const jet_function *f, const backend *be, const jet *x, const real *truth, jet *y,
                               component_range range)
{
    be->activation_forward((activation)f->kind, x, y, range);
}

static void activation_backward(const jet_function *f, const backend *be, const jet *x, const real *truth, const jet *adj_y,
                                jet *adj_x, component_range range, bool accumulate)
{
    be->activation_backward((activation)f->kind, x, adj_y, adj_x, range, accumulate);
}

static double activation_avoid(const jet_function *f, double x)
{
    return avoid_kinks((activation)f->kind, x);
}

static jet_function activation_function(int kind)
{
    return (jet_function){.name = activation_names[kind],
                          .kind = kind,
                          .elementwise = true,
                          .reference = activation_reference,
                          .forward = activation_forward,
                          .backward = activation_backward,
                          .avoid = activation_avoid};
}

static const jet_shape shapes[] = {
    {1, 1, 0, 0}, {3, 1, 0, 0},  {2, 17, 0, 0},   {5, 51, 0, 0},   {1, 1031, 0, 0}, {79, 255, 0, 0},
    {1, 1, 1, 1}, {2, 3, 1, 1},  {3, 17, 3, 1},   {1, 1031, 2, 1}, {17, 255, 4, 1}, {1, 1, 1, 2},
    {3, 2, 1, 2}, {3, 17, 3, 2}, {1, 1031, 2, 2}, {17, 255, 3, 2},
};

static void test_jets(void **state)
{
    for (int kind = 0; kind < ACTIVATION_COUNT; kind++) {
        const jet_function f = activation_function(kind);
        for (size_t k = 0; k < COUNT_OF(shapes); k++)
            check_jet_function(&f, *state, shapes[k], (int)(k % 2));
    }
}

/* y may be x. */
static void test_jets_in_place(void **state)
{
    const backend *be = *state;
    for (int kind = 0; kind < ACTIVATION_COUNT; kind++)
        for (int order = 0; order <= JET_MAX_ORDER; order++) {
            const size_t n = jet_elements(1031, 2, order ? 3 : 0, order);
            guarded before = guarded_noise(n, 0, 1), after = guarded_new(n, 0), both = guarded_copy(before, 0);
            const jet x = {before.data, 1031, 2, order ? 3 : 0, order};
            jet y = x, xy = x;
            y.data = after.data;
            xy.data = both.data;
            be->activation_forward((activation)kind, &x, &y, jet_all(order));
            be->activation_forward((activation)kind, &xy, &xy, jet_all(order));
            check_same_bits(activation_names[kind], both.data, after.data, n);
            guarded_free(before);
            guarded_free(after);
            guarded_free(both);
        }
}

/* A sample's numbers do not depend on where in the batch it stands, nor on how many follow. */
static void test_samples_are_independent(void **state)
{
    const backend *be = *state;
    enum { N = 1200 };
    for (int kind = 0; kind < ACTIVATION_COUNT; kind++) {
        guarded x = guarded_noise(N, 0, 1), y = guarded_new(N, 0);
        jet whole = {x.data, N, 1, 0, 0}, out = {y.data, N, 1, 0, 0};
        be->activation_forward((activation)kind, &whole, &out, jet_all(0));
        for (size_t i = 0; i < N; i += 13) {
            real one;
            jet single = {x.data + i, 1, 1, 0, 0}, single_out = {&one, 1, 1, 0, 0};
            be->activation_forward((activation)kind, &single, &single_out, jet_all(0));
            check_same_bits(activation_names[kind], &one, &y.data[i], 1);
        }
        guarded_free(x);
        guarded_free(y);
    }
}

static void check_finite(const char *what, const real *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite((double)x[i]))
            fail_msg("%s: element %zu is %g", what, i, (double)x[i]);
}

static void test_jets_of_extreme_arguments(void **state)
{
    const backend *be = *state;
    const size_t count = COUNT_OF(extremes), n = jet_elements(count, 1, 2, 2);
    for (int kind = 0; kind < ACTIVATION_COUNT; kind++) {
        guarded x = guarded_noise(n, 1, 1), y = guarded_new(n, 0), adj_y = guarded_noise(n, 0, 2), adj_x = guarded_new(n, 1);
        for (size_t i = 0; i < count; i++)
            x.data[i] = (real)extremes[i];
        const jet in = {x.data, count, 1, 2, 2}, adj = {adj_y.data, count, 1, 2, 2};
        jet out = {y.data, count, 1, 2, 2}, adj_in = {adj_x.data, count, 1, 2, 2};
        be->activation_forward((activation)kind, &in, &out, jet_all(2));
        be->activation_backward((activation)kind, &in, &adj, &adj_in, jet_all(2), false);
        check_finite(activation_names[kind], y.data, n);
        check_finite(activation_names[kind], adj_x.data, n);
        guarded_free(x);
        guarded_free(y);
        guarded_free(adj_y);
        guarded_free(adj_x);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest scalars[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_derivatives),
        cmocka_unit_test(test_slope_at_kinks),
        cmocka_unit_test(test_curvature_of_piecewise_linear_kinds_is_zero),
        cmocka_unit_test(test_extreme_arguments),
    };
    const struct CMUnitTest jets[] = {
        cmocka_unit_test(test_jets),
        cmocka_unit_test(test_jets_in_place),
        cmocka_unit_test(test_samples_are_independent),
        cmocka_unit_test(test_jets_of_extreme_arguments),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    const int failed = cmocka_run_group_tests_name("activation", scalars, NULL, NULL);
    return failed + run_on_every_backend("activation of jets", jets, COUNT_OF(jets), argc, argv);
}
