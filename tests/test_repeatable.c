/* The same bits every time, and on any number of threads: every kind of function of the backend table, on every backend. */
#include "backend_fixture.h"

static const random_stream stream = {0x123456789abcdef, RANDOM_CHECK, 7};

enum { WORK = 200011 };

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

/* A few columns: the onednn backend's own loops. */
static void run_thin_gemm(const backend *be, workspace *w)
{
    be->gemm(true, false, 255, 3, 70, 1, w->x, 256, w->y, 5, 1, w->m, 4);
    be->gemm(false, false, 70, 2, 255, 1, w->x, 256, w->y, 5, 1, w->v, 3);
}

static void run_add_bias(const backend *be, workspace *w)
{
    be->add_bias(WORK / 17, 17, w->x, w->y);
}

static void run_scale_rows_add(const backend *be, workspace *w)
{
    be->scale_rows_add(WORK / 17, 17, w->v, w->x, w->m, w->y);
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
    w->value = be->loss((loss_function){.kind = LOSS_NORM}, WORK / 7, 7, w->x, w->y, (real).1, w->m);
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
    be->log_softmax_forward(&x, w->v + WORK / 2, &y, jet_all(2));
    be->log_softmax_backward(&x, w->v + WORK / 2, &adj, &out, jet_all(2), false);
}

static void run_softmax(const backend *be, workspace *w)
{
    const jet x = {w->x, 60, 82, 1, 2}, adj = {w->m, 60, 82, 1, 2};
    jet y = {w->y, 60, 82, 1, 2}, out = {w->v, 60, 82, 1, 2};
    be->softmax_forward(3, (real).7, &x, &y, jet_all(2));
    be->softmax_backward(3, (real).7, &x, y.data, &adj, &out, jet_all(2), false);
}

static void run_cross_entropy(const backend *be, workspace *w)
{
    w->value = be->cross_entropy(true, WORK, w->v, w->v, w->y);
}

static void run_normalise_channels(const backend *be, workspace *w)
{
    static const normalise_rule rule = {2, .1, .75, 1, 2, 2};
    static const tensor_shape shape = {10, 2, 33};
    const size_t count = shape_count(shape), half = 4 * 31 * count; /* numbers of a jet */
    const jet x = {w->x, count, 31, 1, 2}, adj = {w->m, count, 31, 1, 2};
    jet s = {w->v, count, 31, 1, 2}, adj_s = {w->v + half, count, 31, 1, 2}, y = {w->y, count, 31, 1, 2}, out = {w->y + half, count, 31, 1, 2};
    be->normalise_channels_forward(&rule, shape, &x, &s, &y, jet_all(2));
    be->normalise_channels_backward(&rule, shape, &x, &s, &adj, &adj_s, &out, jet_all(2), true);
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
    {"thin gemm", run_thin_gemm, false},
    {"add_bias", run_add_bias, false},
    {"scale_rows_add", run_scale_rows_add, false},
    {"sum_rows", run_sum_rows, false},
    {"dot", run_dot, false},
    {"loss", run_loss, false},
    {"sgd_update", run_sgd, false},
    {"adam_update", run_adam, false},
    {"normal", run_normal, false},
    {"activation", run_activation, false},
    {"log_softmax", run_log_softmax, false},
    {"softmax", run_softmax, false},
    {"cross_entropy", run_cross_entropy, false},
    {"normalise_channels", run_normalise_channels, false},
    {"squared_error", run_squared_error, false},
    {"truth_product", run_truth_product, false},
};

static void test_same_bits_every_time(void **state)
{
    const backend *be = *state;
    workspace *first = malloc(sizeof *first), *again = malloc(sizeof *again);
    assert_true(first && again);
    for (size_t k = 0; k < COUNT_OF(repeat_cases); k++)
        for (int threads = 1; threads <= 2; threads++) {
            be->set_threads(threads);
            workspace_fill(again);
            repeat_cases[k].run(be, again);
            const bool compare = threads > 1 && !repeat_cases[k].depends_on_threads;
            if (compare && memcmp(first, again, sizeof *first) != 0)
                fail_msg("%s: %d threads give other bits than one does", repeat_cases[k].name, threads);
            workspace_fill(first);
            repeat_cases[k].run(be, first);
            if (memcmp(first, again, sizeof *first) != 0)
                fail_msg("%s: two runs on %d threads give different bits", repeat_cases[k].name, threads);
        }
    be->set_threads(2);
    free(first);
    free(again);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bits_every_time)};
    return run_on_every_backend("repeatable", tests, COUNT_OF(tests), argc, argv);
}
