/* Training through bridge/: Adam as the paper has it, repeatability, and [sobolev] beside layers the engine does not run. */
#include "stock_fixture.h"

static int failures;

static void assert_no_failures(void)
{
    int count = failures;
    failures = 0;
    assert_int_equal(count, 0);
}

static size_t input_count(const plugin_network *p)
{
    return (size_t)p->host->batch * (size_t)p->host->inputs;
}

static void draw_minibatch(generator *g, plugin_network *p)
{
    draw_array(g, -1, 1, plugin_input(p), input_count(p));
    draw_array(g, -1, 1, plugin_truth(p), (size_t)plugin_minibatch(p) * plugin_truth_count(p));
}

/* ---------------------------------------------------------------- Adam */

/* Kingma and Ba 2015, algorithm 1, in double, on a network of one hidden tanh layer and the mean over the batch of
 * sum e^2 / 2, plus decay |W|^2 / 2 of the weights. */
enum { ADAM_IN = 4, ADAM_HIDDEN = 6, ADAM_OUT = 2, ADAM_BATCH = 6, ADAM_UPDATES = 50 };
enum {
    AT_W1 = 0,
    AT_B1 = AT_W1 + ADAM_HIDDEN * ADAM_IN,
    AT_W2 = AT_B1 + ADAM_HIDDEN,
    AT_B2 = AT_W2 + ADAM_OUT * ADAM_HIDDEN,
    ADAM_COUNT = AT_B2 + ADAM_OUT
};

typedef struct adam_case {
    double rate, B1, B2, eps, decay;
    int subdivisions;
} adam_case;

typedef struct adam_reference {
    const adam_case *c;
    double theta[ADAM_COUNT], g[ADAM_COUNT], m[ADAM_COUNT], v[ADAM_COUNT];
    int t;
} adam_reference;

static double affine(const double *row, double bias, const double *x, int n)
{
    double sum = bias;
    for (int i = 0; i < n; ++i)
        sum += row[i] * x[i];
    return sum;
}

/* Adds one sample's gradient, divided by the batch. */
static void adam_add_gradient(adam_reference *r, const float *x, const float *y)
{
    double in[ADAM_IN], h[ADAM_HIDDEN], dh[ADAM_HIDDEN] = {0};
    for (int i = 0; i < ADAM_IN; ++i)
        in[i] = x[i];
    for (int j = 0; j < ADAM_HIDDEN; ++j)
        h[j] = tanh(affine(r->theta + AT_W1 + j * ADAM_IN, r->theta[AT_B1 + j], in, ADAM_IN));
    for (int k = 0; k < ADAM_OUT; ++k) {
        double e = (affine(r->theta + AT_W2 + k * ADAM_HIDDEN, r->theta[AT_B2 + k], h, ADAM_HIDDEN) - y[k]) / ADAM_BATCH;
        r->g[AT_B2 + k] += e;
        for (int j = 0; j < ADAM_HIDDEN; ++j) {
            r->g[AT_W2 + k * ADAM_HIDDEN + j] += e * h[j];
            dh[j] += e * r->theta[AT_W2 + k * ADAM_HIDDEN + j];
        }
    }
    for (int j = 0; j < ADAM_HIDDEN; ++j) {
        double dz = dh[j] * (1 - h[j] * h[j]);
        r->g[AT_B1 + j] += dz;
        for (int i = 0; i < ADAM_IN; ++i)
            r->g[AT_W1 + j * ADAM_IN + i] += dz * in[i];
    }
}

static bool adam_decays(int i)
{
    return i < AT_B1 || (i >= AT_W2 && i < AT_B2);
}

static void adam_step_reference(adam_reference *r)
{
    const adam_case *c = r->c;
    ++r->t;
    for (int i = 0; i < ADAM_COUNT; ++i) {
        double g = r->g[i] + (adam_decays(i) ? c->decay * r->theta[i] : 0);
        r->m[i] = c->B1 * r->m[i] + (1 - c->B1) * g;
        r->v[i] = c->B2 * r->v[i] + (1 - c->B2) * g * g;
        double m_hat = r->m[i] / (1 - pow(c->B1, r->t)), v_hat = r->v[i] / (1 - pow(c->B2, r->t));
        r->theta[i] -= c->rate * m_hat / (sqrt(v_hat) + c->eps);
        r->g[i] = 0;
    }
}

static plugin_network *adam_network(const adam_case *c, const char *be)
{
    char net[256];
    snprintf(net, sizeof net, "inputs=%d batch=%d subdivisions=%d adam=1 learning_rate=%g B1=%g B2=%g eps=%g decay=%g", ADAM_IN,
             ADAM_BATCH, c->subdivisions, c->rate, c->B1, c->B2, c->eps, c->decay);
    return plugin_new(net, "connected output=6 activation=tanh | connected output=2 activation=linear | cost",
                      (plugin_settings){.backend = be, .has_seed = true, .seed = 3});
}

static void adam_train_both(plugin_network *p, adam_reference *r)
{
    generator g = {{4, 5, 6}};
    for (int update = 0; update < ADAM_UPDATES; ++update) {
        for (int s = 0; s < plugin_subdivisions(p); ++s) {
            draw_minibatch(&g, p);
            for (int b = 0; b < plugin_minibatch(p); ++b)
                adam_add_gradient(r, plugin_input(p) + b * ADAM_IN, plugin_truth(p) + b * ADAM_OUT);
            plugin_train_minibatch(p);
        }
        adam_step_reference(r);
    }
    assert_int_equal(plugin_updates(p), ADAM_UPDATES);
    assert_int_equal(*plugin_adam_steps(p), ADAM_UPDATES);
}

/* Of the largest change of a parameter. */
static double adam_error(const adam_case *c, const char *be)
{
    adam_reference r = {.c = c};
    plugin_network *p = adam_network(c, be);
    array_list arrays = arrays_of(p->host);
    assert_int_equal(arrays_total(&arrays), ADAM_COUNT);
    float *first = arrays_copy(&arrays);
    for (int i = 0; i < ADAM_COUNT; ++i)
        r.theta[i] = first[i];
    adam_train_both(p, &r);
    float *last = arrays_copy(&arrays);
    double difference = 0, change = 0;
    for (int i = 0; i < ADAM_COUNT; ++i) {
        difference = larger(difference, fabs(last[i] - r.theta[i]));
        change = larger(change, fabs(r.theta[i] - first[i]));
    }
    free(first);
    free(last);
    plugin_free(p);
    return difference / change;
}

static void test_adam_is_the_papers(void **state)
{
    static const adam_case cases[] = {
        {.01, .9, .999, 1e-8, 0, 1},
        {.01, .9, .999, 1e-8, .05, 1},
        {.003, .8, .95, 1e-3, .01, 3},
        {.003, 0, .5, 1e-2, 0, 2},
    };
    for (size_t b = 0; b < COUNT_OF(backend_names); ++b)
        for (size_t i = 0; backend_is_built(backend_names[b]) && i < COUNT_OF(cases); ++i) {
            double e = adam_error(&cases[i], backend_names[b]);
            if (!(e <= 1e-5)) {
                ++failures;
                print_error("case %zu on %s: Adam differs by %.2g\n", i, backend_names[b], e);
            }
        }
    assert_no_failures();
}

/* ---------------------------------------------------------------- the same again */

typedef struct repeat_case {
    const char *layers;
    bool draws; /* random numbers in training, besides the first weights */
} repeat_case;

#define REPEAT_NET "inputs=7 batch=24 learning_rate=1e-3"
#define WIDE_1 "connected output=133 activation=tanh"
#define WIDE_2 "connected output=61 activation=tanh | connected output=3 activation=linear"
#define WIDE WIDE_1 " | " WIDE_2
#define DROPOUT WIDE_1 " | dropout probability=.3 | " WIDE_2

static const repeat_case repeat_cases[] = {
    {WIDE " | cost", false},
    {DROPOUT " | cost", true},
    {WIDE " | sobolev order=0", false},
    {DROPOUT " | sobolev order=0", true},
    {WIDE " | sobolev order=1", false},
    {DROPOUT " | sobolev order=1", true},
    {WIDE " | sobolev order=1 projections=2", true},
    {WIDE " | sobolev order=1 projections=1 resample=0", true},
    {WIDE " | sobolev order=2", false},
    {WIDE " | sobolev order=2 projections_2=2", true},
    {DROPOUT " | sobolev order=2 projections=1 projections_2=1 projection=rademacher", true},
};

/* Weights after training; with `first`, from these. The caller frees them. */
static float *trained_weights(const char *layers, const char *be, uint64_t seed, const float *first, size_t *count)
{
    enum { MINIBATCHES = 12 };
    const plugin_settings settings = {.backend = be, .has_seed = true, .seed = seed, .threads = 2};
    plugin_network *p = plugin_new(REPEAT_NET, layers, settings);
    array_list arrays = arrays_of(p->host);
    generator g = {{7, 8, 9}};
    if (first)
        arrays_set(&arrays, first);
    for (int i = 0; i < MINIBATCHES; ++i) {
        draw_minibatch(&g, p);
        plugin_train_minibatch(p);
    }
    float *result = arrays_copy(&arrays);
    *count = arrays_total(&arrays);
    plugin_free(p);
    return result;
}

static void expect(bool holds, const repeat_case *c, const char *be, const char *what)
{
    if (holds)
        return;
    ++failures;
    print_error("%s on %s: %s\n", c->layers, be, what);
}

static void repeat(const repeat_case *c, const char *be)
{
    size_t count;
    float *one = trained_weights(c->layers, be, 1, NULL, &count);
    float *again = trained_weights(c->layers, be, 1, NULL, &count);
    float *two = trained_weights(c->layers, be, 2, NULL, &count);
    float *one_from_two = trained_weights(c->layers, be, 1, two, &count);
    float *two_from_two = trained_weights(c->layers, be, 2, two, &count);
    size_t bytes = count * sizeof *one;
    for (size_t i = 0; i < count && failures == 0; ++i)
        expect(isfinite(one[i]), c, be, "a weight is not finite");
    expect(memcmp(one, again, bytes) == 0, c, be, "two runs of one seed differ");
    expect(memcmp(one, two, bytes) != 0, c, be, "two seeds give the same weights");
    expect((memcmp(one_from_two, two_from_two, bytes) != 0) == c->draws, c, be,
           c->draws ? "two seeds train alike" : "the seed has a part in training without random numbers");
    free(one);
    free(again);
    free(two);
    free(one_from_two);
    free(two_from_two);
}

static void test_runs_repeat_bit_by_bit(void **state)
{
    for (size_t b = 0; b < COUNT_OF(backend_names); ++b)
        for (size_t i = 0; backend_is_built(backend_names[b]) && i < COUNT_OF(repeat_cases); ++i)
            repeat(&repeat_cases[i], backend_names[b]);
    assert_no_failures();
}

/* ---------------------------------------------------------------- [sobolev] beside foreign layers */

typedef struct descent_case {
    const char *net, *layers;
} descent_case;

#define DESCENT_VECTOR "inputs=5 batch=4 momentum=0 decay=0 learning_rate="
#define DESCENT_IMAGE "height=5 width=5 channels=2 batch=4 momentum=0 decay=0 learning_rate="
#define CONV "convolutional filters=3 size=3 activation=tanh"
#define CONV_1x1 "convolutional filters=6 size=1 activation=tanh"
/* For a shortcut around it: with size=1 Darknet overwrites the delta below, to which the shortcut has added. */
#define CONV_SAME "convolutional filters=6 size=3 pad=1 activation=tanh"
#define TANH_6 "connected output=6 activation=tanh"
#define TO_ZERO "target=zero weight_1=9 weight_2=5"
#define HEAD TANH_6 " | connected output=2 activation=linear"

static const descent_case descent_cases[] = {
    {DESCENT_VECTOR "1e-3", HEAD " | sobolev order=0"},
    {DESCENT_VECTOR "1e-3", HEAD " | sobolev order=1"},
    {DESCENT_VECTOR "1e-4", HEAD " | sobolev order=2"},
    {DESCENT_IMAGE "1e-3", CONV " | " HEAD " | sobolev order=0"},
    {DESCENT_IMAGE "3e-4", CONV " | " HEAD " | sobolev order=1 wrt=0 " TO_ZERO},
    {DESCENT_IMAGE "3e-4", CONV " | " HEAD " | sobolev order=1 wrt=0 projections=1 resample=0 " TO_ZERO},
    {DESCENT_IMAGE "3e-6", CONV " | " HEAD " | sobolev order=2 wrt=0 " TO_ZERO},
    {DESCENT_VECTOR "1e-3", TANH_6 " | " CONV_1x1 " | " HEAD " | sobolev order=1 wrt=1 " TO_ZERO},
    {DESCENT_VECTOR "1e-3", TANH_6 " | " CONV_1x1 " | " TANH_6 " | " HEAD " | sobolev order=1 wrt=2 " TO_ZERO},
    {DESCENT_VECTOR "1e-3", TANH_6 " | " CONV_SAME " | shortcut from=0 | " HEAD " | sobolev order=1 wrt=2 " TO_ZERO},
    {DESCENT_VECTOR "1e-4", TANH_6 " | " TANH_6 " | route layers=0,1 | " HEAD " | sobolev order=2 wrt=2 " TO_ZERO},
};

static double dot(const float *a0, const float *a1, const float *b0, const float *b1, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
        sum += ((double)a1[i] - a0[i]) * ((double)b1[i] - b0[i]);
    return sum;
}

/* Gradient descent on one batch: with w_i the weights, d_i = w_{i+1} - w_i = - rate / batch * gradient, the loss changes by
 * (gradient_0 + gradient_1) / 2 . d_0, up to third order. The relative error of that. */
static double descent_error(const descent_case *c, const char *be)
{
    generator g = {{1, 2, 3}};
    plugin_network *p = plugin_new(c->net, c->layers, (plugin_settings){.backend = be, .has_seed = true, .seed = 5});
    array_list arrays = arrays_of(p->host);
    float *w[3];
    double losses[2];
    draw_minibatch(&g, p);
    for (int i = 0; i < arrays.n; ++i) /* of the convolutional layers too, which draw theirs from rand() */
        draw_array(&g, -.7, .7, arrays.items[i].values, arrays.items[i].count);
    for (int i = 0; i < 3; ++i) {
        w[i] = arrays_copy(&arrays);
        double loss = plugin_train_minibatch(p).total;
        if (i < 2)
            losses[i] = loss;
    }
    size_t count = arrays_total(&arrays);
    double factor = p->host->batch / plugin_rate(p);
    double expected = -factor * (dot(w[0], w[1], w[0], w[1], count) + dot(w[1], w[2], w[0], w[1], count)) / 2;
    for (int i = 0; i < 3; ++i)
        free(w[i]);
    plugin_free(p);
    return fabs((losses[1] - losses[0]) / expected - 1);
}

static void test_losses_fall_as_the_gradient_says(void **state)
{
    for (size_t b = 0; b < COUNT_OF(backend_names); ++b)
        for (size_t i = 0; backend_is_built(backend_names[b]) && i < COUNT_OF(descent_cases); ++i) {
            double e = descent_error(&descent_cases[i], backend_names[b]);
            if (!(e <= 1e-3)) {
                ++failures;
                print_error("%s on %s: the loss changes by another amount, relative error %.2g\n", descent_cases[i].layers,
                            backend_names[b], e);
            }
        }
    assert_no_failures();
}

/* resample=0: v is a function of the sample, also when the first layer is not the engine's. */
static void test_fixed_directions_follow_the_sample(void **state)
{
    static const char *const fronts[] = {"", CONV " | "};
    for (size_t i = 0; i < COUNT_OF(fronts); ++i) {
        int wrt = *fronts[i] ? 0 : -1;
        char layers[256];
        snprintf(layers, sizeof layers, "%s" HEAD " | sobolev order=1 projections=1 resample=0 target=zero wrt=%d", fronts[i],
                 wrt);
        plugin_network *p = plugin_new(DESCENT_IMAGE "1e-3", layers, (plugin_settings){.backend = "ref"});
        size_t inputs = (size_t)p->host->inputs;
        generator g = {{1, 2, 3}};
        draw_minibatch(&g, p);
        memcpy(plugin_input(p) + 2 * inputs, plugin_input(p), inputs * sizeof(float)); /* sample 2 is sample 0 */
        plugin_train_minibatch(p);
        const jet *seed = tape_adjoint(p->tape, graph_top(&p->graph));
        const float *v = jet_component(seed, 1);
        size_t bytes = seed->count * sizeof *v;
        float first[8];
        memcpy(first, v, bytes);
        assert_memory_equal(v + 2 * seed->count, first, bytes);
        assert_memory_not_equal(v + seed->count, first, bytes);
        plugin_train_minibatch(p);
        assert_memory_equal(v, first, bytes);
        plugin_free(p);
    }
}

/* ---------------------------------------------------------------- weights */

static void test_a_bad_weights_file_changes_nothing(void **state)
{
    plugin_network *p = plugin_new(DESCENT_VECTOR "1e-3", HEAD " | cost", (plugin_settings){.backend = "ref"});
    array_list arrays = arrays_of(p->host);
    size_t size = 20 + arrays_total(&arrays) * sizeof(float);
    char path[256];
    *p->host->seen = 77;
    snprintf(path, sizeof path, "bridge_%d.weights", getpid());
    assert_int_equal(plugin_save_weights(p, path), STATUS_OK);
    assert_int_equal(truncate(path, (off_t)size - 1), 0);

    *p->host->seen = 88;
    arrays.items[0].values[0] += 1;
    float *before = arrays_copy(&arrays);
    assert_int_equal(plugin_load_weights(p, path), STATUS_BAD_FILE);
    float *after = arrays_copy(&arrays);
    assert_memory_equal(after, before, size - 20);
    assert_int_equal(plugin_seen(p), 88);
    unlink(path);
    free(before);
    free(after);
    plugin_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_adam_is_the_papers),
        cmocka_unit_test(test_runs_repeat_bit_by_bit),
        cmocka_unit_test(test_losses_fall_as_the_gradient_says),
        cmocka_unit_test(test_fixed_directions_follow_the_sample),
        cmocka_unit_test(test_a_bad_weights_file_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
