/* backend/<name>/normalise_channels.c: images divided by powers of sums of squares over channels, on jets, on every backend. */
#include "jet_check.h"

typedef struct channels_case {
    tensor_shape shape;
    normalise_rule rule;
} channels_case;

enum { WIDE = 1 << 20 };

static const channels_case cases[] = {
    {{5, 1, 1}, {1, .1, .75, 1, 1, -1}},     {{7, 2, 3}, {2, .03, .75, 2, 2, 2}},    {{9, 1, 3}, {1, .02, .5, 1, 2, 2}},
    {{4, 3, 3}, {1, .05, 1.3, 0, 0, -1}},    {{6, 2, 2}, {0, 1, .5, WIDE, WIDE, -1}}, {{2, 5, 2}, {1, .1, .75, 2, 2, 2}},
    {{3, 1, 67}, {3, .04, .75, 0, 1, 1}},    {{1, 2, 2}, {1.5, .1, .6, 2, 2, -1}},   {{6, 1, 1}, {60, .5, .75, 0, 0, 0}},
    {{5, 1, 2}, {60, .5, .75, 1, 0, 3}},     {{6, 1, 2}, {9, .3, .75, WIDE, WIDE, 2}},
};

/* w(c, j), written anew: what Darknet's running sums amount to. */
static double weight(const normalise_rule *r, int c, int j)
{
    const bool inside = c - j <= r->before && j - c <= r->after;
    return j == r->skipped ? (inside ? 0 : -1) : inside;
}

static void reference(const jet_function *f, size_t count, const hyperdual *x, const double *truth, hyperdual *y)
{
    const channels_case *k = &cases[f->kind];
    const size_t pixels = count / (size_t)k->shape.channels;
    for (size_t i = 0; i < count; i++) {
        hyperdual s = {k->rule.kappa, 0, 0, 0};
        for (int j = 0; j < k->shape.channels; j++) {
            const hyperdual other = x[(size_t)j * pixels + i % pixels];
            s = hd_add(s, hd_line(k->rule.alpha * weight(&k->rule, (int)(i / pixels), j), hd_multiply(other, other), 0));
        }
        y[i] = hd_multiply(x[i], hd_exp(hd_line(-k->rule.beta, hd_log(s), 0)));
    }
}

/* -- the backend's, with the sums that an earlier call would have made: guarded, of the form of x -- */

typedef struct sums {
    guarded data;
    jet j;
} sums;

static sums sums_new(const jet *x)
{
    sums s = {guarded_new(jet_elements(x->count, x->batch, x->directions, x->order), 1), *x};
    s.j.data = s.data.data;
    return s;
}

static void forward(const jet_function *f, const backend *be, const jet *x, const real *truth, jet *y, component_range range)
{
    const channels_case *k = &cases[f->kind];
    sums s = sums_new(x), below = sums_new(x);
    if (range.first > 0)
        be->normalise_channels_forward(&k->rule, k->shape, x, &s.j, &below.j, (component_range){0, range.first});
    be->normalise_channels_forward(&k->rule, k->shape, x, &s.j, y, range);
    guarded_free(s.data);
    guarded_free(below.data);
}

static void backward(const jet_function *f, const backend *be, const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                     bool accumulate)
{
    const channels_case *k = &cases[f->kind];
    sums s = sums_new(x), y = sums_new(x), adj_s = sums_new(x), above = sums_new(x);
    be->normalise_channels_forward(&k->rule, k->shape, x, &s.j, &y.j, jet_all(x->order));
    if (range.last < jet_components(x->order))
        be->normalise_channels_backward(&k->rule, k->shape, x, &s.j, adj_y, &adj_s.j, &above.j,
                                        (component_range){range.last, jet_components(x->order)}, false);
    be->normalise_channels_backward(&k->rule, k->shape, x, &s.j, adj_y, &adj_s.j, adj_x, range, accumulate);
    guarded_free(s.data);
    guarded_free(y.data);
    guarded_free(adj_s.data);
    guarded_free(above.data);
}

static jet_function function_of(size_t kind)
{
    return (jet_function){.name = "normalise_channels", .kind = (int)kind, .reference = reference, .forward = forward, .backward = backward};
}

static void test_normalise_channels(void **state)
{
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        const jet_function f = function_of(k);
        const size_t count = shape_count(cases[k].shape);
        const jet_shape shapes[] = {{2, count, 0, 0}, {3, count, 2, 1}, {2, count, 1, 2}, {1, count, 3, 2}};
        for (size_t i = 0; i < COUNT_OF(shapes); i++)
            check_jet_function(&f, *state, shapes[i], (int)(k % 2));
    }
}

/* Enough numbers for several threads. */
static void test_a_large_batch(void **state)
{
    const jet_function f = function_of(1);
    check_jet_function(&f, *state, (jet_shape){151, shape_count(cases[1].shape), 3, 2}, 0);
}

/* A pixel of nothing but zeros: no quotient, no derivative, and its neighbours do not feel it. */
static void test_zero_pixels(void **state)
{
    const backend *be = *state;
    const normalise_rule rule = {0, 1, .5, WIDE, WIDE, -1};
    const tensor_shape shape = {3, 1, 5};
    guarded data = guarded_noise(jet_elements(15, 1, 1, 2), 0, 3), adj_data = guarded_noise(data.count, 1, 4), out = guarded_new(data.count, 1);
    const jet x = {data.data, 15, 1, 1, 2}, adj_y = {adj_data.data, 15, 1, 1, 2};
    for (int c = 0; c < 3; c++)
        data.data[5 * c + 2] = 0;
    sums s = sums_new(&x), y = sums_new(&x), adj_s = sums_new(&x);
    jet adj_x = x;
    adj_x.data = out.data;
    be->normalise_channels_forward(&rule, shape, &x, &s.j, &y.j, jet_all(2));
    be->normalise_channels_backward(&rule, shape, &x, &s.j, &adj_y, &adj_s.j, &adj_x, jet_all(2), false);
    for (size_t i = 0; i < data.count; i++) {
        const bool zero = i % 5 == 2;
        if (zero ? y.data.data[i] != 0 || out.data[i] != 0 : !isfinite((double)out.data[i]) || y.data.data[i] == 0)
            fail_msg("element %zu: %g, adjoint %g", i, (double)y.data.data[i], (double)out.data[i]);
    }
    guarded_free(data);
    guarded_free(adj_data);
    guarded_free(out);
    guarded_free(s.data);
    guarded_free(y.data);
    guarded_free(adj_s.data);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normalise_channels),
        cmocka_unit_test(test_a_large_batch),
        cmocka_unit_test(test_zero_pixels),
    };
    return run_on_every_backend("normalise_channels", tests, COUNT_OF(tests), argc, argv);
}
