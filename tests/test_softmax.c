/* backend/<name>/softmax.c: softmax and log_softmax of jets, and the losses of probabilities, on every backend. */
#include "jet_check.h"

typedef struct softmax_form {
    int groups;
    double temperature;
} softmax_form;

static const softmax_form forms[] = {{1, 1}, {3, .5}, {1, 2.5}, {17, 4}};

/* -- the definitions on hyper-dual numbers -- */

static void softmax_reference(const jet_function *f, size_t count, const hyperdual *x, const double *truth, hyperdual *y)
{
    const softmax_form form = forms[f->kind];
    const size_t n = count / (size_t)form.groups;
    for (size_t first = 0; first < count; first += n) {
        hyperdual sum = {0, 0, 0, 0};
        for (size_t i = first; i < first + n; i++) {
            y[i] = hd_exp(hd_line(1 / form.temperature, x[i], 0));
            sum = hd_add(sum, y[i]);
        }
        for (size_t i = first; i < first + n; i++)
            y[i] = hd_multiply(y[i], hd_inverse(sum));
    }
}

static void log_softmax_reference(const jet_function *f, size_t count, const hyperdual *x, const double *truth, hyperdual *y)
{
    hyperdual sum = {0, 0, 0, 0};
    for (size_t i = 0; i < count; i++)
        sum = hd_add(sum, hd_exp(x[i]));
    const hyperdual lse = hd_log(sum);
    for (size_t i = 0; i < count; i++)
        y[i] = hd_add(x[i], hd_line(-1, lse, 0));
}

/* -- the same from the backend; the probabilities come from an earlier call when the range does not make them -- */

static const component_range value = {0, 1};

typedef struct probabilities {
    guarded data;
    jet y; /* of the form of x, with the probabilities as its value */
} probabilities;

static probabilities probabilities_new(const jet *x)
{
    probabilities p = {guarded_new(jet_elements(x->count, x->batch, x->directions, x->order), 1), *x};
    p.y.data = p.data.data;
    return p;
}

static void softmax_forward(const jet_function *f, const backend *be, const jet *x, const real *truth, jet *y, component_range range)
{
    const softmax_form form = forms[f->kind];
    probabilities p = probabilities_new(x);
    if (!range_has(range, 0))
        be->softmax_forward(form.groups, (real)form.temperature, x, &p.y, value);
    be->softmax_forward(form.groups, (real)form.temperature, x, &p.y, range);
    memcpy(jet_component(y, range.first), jet_component(&p.y, range.first), jet_range_rows(y, range) * y->count * sizeof(real));
    guarded_free(p.data);
}

static void softmax_backward(const jet_function *f, const backend *be, const jet *x, const real *truth, const jet *adj_y, jet *adj_x,
                             component_range range, bool accumulate)
{
    const softmax_form form = forms[f->kind];
    probabilities p = probabilities_new(x);
    be->softmax_forward(form.groups, (real)form.temperature, x, &p.y, value);
    be->softmax_backward(form.groups, (real)form.temperature, x, p.y.data, adj_y, adj_x, range, accumulate);
    guarded_free(p.data);
}

static void log_softmax_forward(const jet_function *f, const backend *be, const jet *x, const real *truth, jet *y, component_range range)
{
    probabilities log_p = probabilities_new(x);
    guarded p = guarded_new((size_t)x->batch * x->count, 0);
    if (!range_has(range, 0))
        be->log_softmax_forward(x, p.data, &log_p.y, value);
    be->log_softmax_forward(x, p.data, y, range);
    guarded_free(p);
    guarded_free(log_p.data);
}

static void log_softmax_backward(const jet_function *f, const backend *be, const jet *x, const real *truth, const jet *adj_y, jet *adj_x,
                                 component_range range, bool accumulate)
{
    probabilities log_p = probabilities_new(x);
    guarded p = guarded_new((size_t)x->batch * x->count, 0);
    be->log_softmax_forward(x, p.data, &log_p.y, value);
    be->log_softmax_backward(x, p.data, adj_y, adj_x, range, accumulate);
    guarded_free(p);
    guarded_free(log_p.data);
}

static const jet_function log_softmax = {
    .name = "log_softmax",
    .reference = log_softmax_reference,
    .forward = log_softmax_forward,
    .backward = log_softmax_backward,
};

static jet_function softmax_of(size_t form)
{
    return (jet_function){
        .name = "softmax",
        .kind = (int)form,
        .reference = softmax_reference,
        .forward = softmax_forward,
        .backward = softmax_backward,
    };
}

/* Groups longer than one part of the onednn backend, and enough rows for several threads. */
static const jet_shape shapes[] = {
    {1, 1, 0, 0}, {2, 2, 0, 0}, {3, 17, 0, 0}, {2, 255, 0, 0}, {1, 1031, 0, 0}, {101, 170, 0, 0}, {7, 51, 0, 0},
    {1, 1, 1, 1}, {2, 3, 1, 1}, {3, 17, 3, 1}, {2, 255, 1, 1}, {1, 1031, 1, 1}, {101, 51, 5, 1},
    {1, 1, 1, 2}, {3, 2, 1, 2}, {2, 17, 3, 2}, {2, 255, 1, 2}, {1, 1031, 1, 2}, {101, 51, 3, 2},
};

static void test_log_softmax(void **state)
{
    for (size_t k = 0; k < COUNT_OF(shapes); k++)
        check_jet_function(&log_softmax, *state, shapes[k], (int)(k % 2));
}

static void test_softmax(void **state)
{
    for (size_t form = 0; form < COUNT_OF(forms); form++)
        for (size_t k = 0; k < COUNT_OF(shapes); k++) {
            const jet_function f = softmax_of(form);
            if (shapes[k].count % (size_t)forms[form].groups == 0 && (form == 0 || shapes[k].count < 1000))
                check_jet_function(&f, *state, shapes[k], (int)(k % 2));
        }
}

/* The logarithm of softmax, by hyper-dual arithmetic, is log_softmax. */
static void test_logarithm_of_softmax(void **state)
{
    const backend *be = *state;
    const size_t count = 19;
    guarded data = guarded_noise(jet_elements(count, 2, 3, 2), 0, 1), p = guarded_new(2 * count, 0);
    guarded y_data = guarded_new(data.count, 1), log_data = guarded_new(data.count, 0);
    const jet x = {data.data, count, 2, 3, 2};
    jet y = x, log_y = x;
    y.data = y_data.data;
    log_y.data = log_data.data;
    be->softmax_forward(1, 1, &x, &y, jet_all(2));
    be->log_softmax_forward(&x, p.data, &log_y, jet_all(2));
    check_same_bits("probabilities", p.data, y.data, 2 * count);
    for (size_t d = 0; d < 3; d++)
        for (size_t i = 0; i < 2 * count; i++) {
            const size_t at = d * 2 * count + i;
            const hyperdual h = {y.data[i], jet_component(&y, 1)[at], jet_component(&y, 2)[at], jet_component(&y, 3)[at]};
            for (int s = 0; s < 4; s++)
                check_near("component", (size_t)s, jet_component(&log_y, s)[s == 0 ? i : at], hd_component(hd_log(h), s), jet_tolerance, 10);
        }
    guarded_free(data);
    guarded_free(p);
    guarded_free(y_data);
    guarded_free(log_data);
}

/* Logits far apart and far from 0: the exponentials of the definitions overflow, the results do not. */
static void check_extreme_logits(const jet_function *f, const backend *be, const real logits[3], bool logarithms)
{
    guarded x = guarded_noise(jet_elements(3, 1, 1, 2), 0, 1), y = guarded_new(x.count, 1), adj_y = guarded_noise(x.count, 0, 2);
    guarded adj_x = guarded_new(x.count, 1);
    memcpy(x.data, logits, 3 * sizeof *logits);
    const jet in = {x.data, 3, 1, 1, 2}, adj = {adj_y.data, 3, 1, 1, 2};
    jet out = {y.data, 3, 1, 1, 2}, adj_in = {adj_x.data, 3, 1, 1, 2};
    f->forward(f, be, &in, NULL, &out, jet_all(2));
    f->backward(f, be, &in, NULL, &adj, &adj_in, jet_all(2), false);
    double total = 0;
    for (size_t i = 0; i < 3; i++)
        total += logarithms ? exp((double)y.data[i]) : (double)y.data[i];
    check_near("sum of the probabilities", 0, total, 1, 1e-4, 1);
    for (size_t i = 0; i < x.count; i++)
        if (!isfinite((double)y.data[i]) || !isfinite((double)adj_x.data[i]))
            fail_msg("%s of %g, %g, %g, element %zu: %g, adjoint %g", f->name, (double)logits[0], (double)logits[1], (double)logits[2], i,
                     (double)y.data[i], (double)adj_x.data[i]);
    guarded_free(x);
    guarded_free(y);
    guarded_free(adj_y);
    guarded_free(adj_x);
}

static void test_extreme_logits(void **state)
{
    static const real logits[][3] = {{1000, -1000, 0}, {1000, 1000, 1000}, {-1000, -1000, -1001}, {100, -100, 99}};
    const jet_function softmax = softmax_of(0);
    for (size_t k = 0; k < COUNT_OF(logits); k++) {
        check_extreme_logits(&softmax, *state, logits[k], false);
        check_extreme_logits(&log_softmax, *state, logits[k], true);
    }
}

/* p, t, and what the losses and their gradient are there. */
static void test_cross_entropy_of_one(void **state)
{
    const backend *be = *state;
    static const struct {
        double p, t, several, binary, gradient;
    } table[] = {
        {.25, 1, 1.3862943611198906, 1.3862943611198906, -.75},
        {.25, 0, 0, .2876820724517809, .25},
        {.25, .5, 1.3862943611198906, .8369882167858358, -.25},
        {.25, -1234, 1.3862943611198906, -1234 * 1.3862943611198906 + 1235 * .2876820724517809, 1234.25},
        {1, 1, 0, 0, 0},
        {0, 0, 0, 0, 0},
        {.5, NAN, 0, 0, 0},
        {0, NAN, 0, 0, 0},
    };
    for (size_t k = 0; k < COUNT_OF(table); k++) {
        const real p = (real)table[k].p, t = (real)table[k].t;
        real gradient = 7;
        const double size = 1 + fabs(table[k].binary);
        check_near("cross-entropy", k, be->cross_entropy(false, 1, &p, &t, &gradient), table[k].several, 1e-12, size);
        check_near("gradient", k, gradient, table[k].gradient, 0, 1);
        gradient = 7;
        check_near("binary cross-entropy", k, be->cross_entropy(true, 1, &p, &t, &gradient), table[k].binary, 1e-12, size);
        check_near("gradient", k, gradient, table[k].gradient, 0, 1);
    }
}

static void test_cross_entropy_of_many(void **state)
{
    const backend *be = *state;
    FOR_SIZES(n, shift)
    {
        guarded p = guarded_noise(n, shift, 1), t = guarded_noise(n, 1 - shift, 2), gradient = guarded_new(n, shift);
        for (size_t i = 0; i < n; i++) {
            p.data[i] = (real)(.5 + .4 * p.data[i]);
            t.data[i] = i % 3 ? 0 : t.data[i];
        }
        for (int binary = 0; binary < 2; binary++) {
            double sum = 0, size = 1;
            for (size_t i = 0; i < n; i++) {
                const double a = p.data[i], b = t.data[i], term = binary ? -b * log(a) - (1 - b) * log(1 - a) : b != 0 ? -log(a) : 0;
                sum += term;
                size += fabs(term);
            }
            check_near("sum", n, be->cross_entropy(binary, n, p.data, t.data, gradient.data), sum, 1e-12, size);
            for (size_t i = 0; i < n; i++)
                check_near("gradient", i, gradient.data[i], (real)((double)p.data[i] - (double)t.data[i]), 0, 1);
        }
        guarded_free(p);
        guarded_free(t);
        guarded_free(gradient);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_softmax),
        cmocka_unit_test(test_log_softmax),
        cmocka_unit_test(test_logarithm_of_softmax),
        cmocka_unit_test(test_extreme_logits),
        cmocka_unit_test(test_cross_entropy_of_one),
        cmocka_unit_test(test_cross_entropy_of_many),
    };
    return run_on_every_backend("softmax", tests, COUNT_OF(tests), argc, argv);
}
