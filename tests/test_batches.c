/* What a training is given: the set, normalised and weighed; its minibatches, every sample once in an epoch, every label where
 * engine/labels.h says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plugin_fixture.h"
#include "data/file.h"
#include "train/training_set.h"

enum { N = 5, M = 3, R = 2, POINTS = 7, BATCH = 3, EPOCHS = 3 };

static plugin_network *open_network(int seed, const char *keys)
{
    char cfg[512];
    snprintf(cfg, sizeof cfg, "[net]\nseed=%d\ninputs=%d\nbatch=%d\n[connected]\noutput=%d\nactivation=linear\n[sobolev]\n%s", seed, N, BATCH, M, keys);
    return plugin_from_text(NULL, cfg);
}

/* Every number another one, small integers: float holds them. */
static dataset make_set(unsigned parts)
{
    dataset d = {.points = POINTS, .inputs = N, .outputs = M, .directions = R};
    double next = 0;
    assert_int_equal(dataset_allocate(&d, parts | PART_X_BIT), STATUS_OK);
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        for (size_t i = 0; d.parts[part] && i < POINTS * dataset_part_size(&d, part); ++i)
            d.parts[part][i] = ++next;
    return d;
}

/* The sample with that x. */
static size_t sample_of(const dataset *d, const float *x)
{
    for (size_t s = 0; s < POINTS; ++s)
        if (dataset_at(d, PART_X, s)[0] == (double)x[0] && dataset_at(d, PART_X, s)[1] == (double)x[1])
            return s;
    fail_msg("no sample has x = %g", (double)x[0]);
    return 0;
}

/* ---------------------------------------------------------------- labels */

/* Numbers of a part from `first` on, or `absent`. */
static void expect_numbers(const float *got, const dataset *d, dataset_part part, size_t sample, size_t first, size_t count, double absent)
{
    for (size_t i = 0; i < count; ++i) {
        double want = d->parts[part] ? dataset_at(d, part, sample)[first + i] : absent;
        if (isnan(want) ? !isnan(got[i]) : (double)got[i] != want)
            fail_msg("%s, number %zu: %g instead of %g", dataset_part_names[part], first + i, (double)got[i], want);
    }
}

static void expect_labels(const float *truth, const dataset *d, const label_layout *l, size_t s)
{
    expect_numbers(truth, d, PART_Y, s, 0, M, NAN);
    if (l->order > 0)
        expect_numbers(truth + labels_jacobian(l), d, PART_JACOBIAN, s, 0, M * N, NAN);
    if (l->order > 1 && l->directions == 0)
        expect_numbers(truth + labels_after_jacobian(l), d, PART_HESSIAN, s, 0, M * N * N, NAN);
    for (int r = 0; r < l->directions; ++r) {
        const float *along = truth + labels_direction(l, r);
        size_t at = (size_t)r;
        expect_numbers(along, d, PART_V, s, at * N, N, 0);
        expect_numbers(along + labels_weight(l), d, PART_V_WEIGHT, s, at, 1, 1);
        if (l->order > 0)
            expect_numbers(along + labels_jvp(l), d, PART_JVP, s, at * M, M, NAN);
        if (l->order > 1)
            expect_numbers(along + labels_hvp(l), d, PART_HVP, s, at * M * N, M * N, NAN);
    }
}

#define BIT(part) (1u << (part))

static void test_labels(void **state)
{
    static const struct {
        const char *keys;
        unsigned parts;
    } cases[] = {
        {"order=0\n", ALL_PARTS},
        {"order=1\n", ALL_PARTS},
        {"order=2\n", ALL_PARTS},
        {"order=2\n", BIT(PART_HESSIAN)},
        {"order=2\n", BIT(PART_Y)},
        {"order=1\nlabel_directions=2\n", ALL_PARTS},
        {"order=2\nlabel_directions=2\n", ALL_PARTS},
        {"order=2\nlabel_directions=2\n", BIT(PART_Y) | BIT(PART_V)},
        {"order=1\ntarget=zero\n", ALL_PARTS},
        {"order=1\ntarget=zero\nlabel_directions=2\n", ALL_PARTS},
        {"order=2\ntarget=zero\nlabel_directions=2\n", BIT(PART_Y) | BIT(PART_V)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        plugin_network *p = open_network(1, cases[i].keys);
        dataset d = make_set(cases[i].parts);
        batches b;
        assert_int_equal(batches_create(&b, p, &d), STATUS_OK);
        for (size_t k = 0; k < BATCH * plugin_truth_count(p); ++k)
            plugin_truth(p)[k] = -1;
        assert_int_equal(batches_fill(&b), STATUS_OK);
        for (size_t k = 0; k < BATCH; ++k)
            expect_labels(plugin_truth(p) + k * plugin_truth_count(p), &d, plugin_labels(p), sample_of(&d, plugin_input(p) + k * N));
        batches_free(&b);
        dataset_free(&d);
        plugin_free(p);
    }
}

/* mirror=1: images of one row, whose mirror images stand behind them with the same labels. */
static void test_mirror(void **state)
{
    (void)state;
    plugin_network *p = plugin_from_text(NULL, "[net]\nseed=1\nchannels=1\nheight=1\nwidth=5\nbatch=4\n[data]\nfile=none.h5\nmirror=1\n"
                                               "[connected]\noutput=3\nactivation=linear\n[sobolev]\norder=1\ntarget=flip\n");
    dataset d = make_set(BIT(PART_Y));
    batches b;
    assert_int_equal(batches_create(&b, p, &d), STATUS_OK);
    batches_fill(&b);
    const float *x = plugin_input(p), *y = plugin_truth(p);
    for (size_t k = 0; k < 2; ++k) {
        size_t s = sample_of(&d, x + k * N);
        expect_numbers(y + k * M, &d, PART_Y, s, 0, M, NAN);
        expect_numbers(y + (k + 2) * M, &d, PART_Y, s, 0, M, NAN);
        for (size_t j = 0; j < N; ++j)
            assert_true(x[(k + 2) * N + j] == x[k * N + N - 1 - j]);
    }
    batches_free(&b);
    dataset_free(&d);
    plugin_free(p);
}

/* ---------------------------------------------------------------- order */

/* The samples of the first epochs, one minibatch after the other. */
static void take_epochs(int seed, size_t samples[EPOCHS * POINTS])
{
    plugin_network *p = open_network(seed, "order=0\n");
    dataset d = make_set(BIT(PART_Y));
    batches b;
    assert_int_equal(batches_create(&b, p, &d), STATUS_OK);
    for (size_t i = 0; i < EPOCHS * POINTS; i += BATCH) {
        assert_int_equal(batches_fill(&b), STATUS_OK);
        for (size_t k = 0; k < BATCH; ++k)
            samples[i + k] = sample_of(&d, plugin_input(p) + k * N);
        plugin_train_minibatch(p);
    }
    batches_free(&b);
    dataset_free(&d);
    plugin_free(p);
}

static void test_epochs(void **state)
{
    size_t samples[EPOCHS * POINTS], again[EPOCHS * POINTS], reseeded[EPOCHS * POINTS];
    (void)state;
    take_epochs(1, samples);
    take_epochs(1, again);
    take_epochs(2, reseeded);
    for (size_t epoch = 0; epoch < EPOCHS; ++epoch) {
        int seen[POINTS] = {0};
        for (size_t i = 0; i < POINTS; ++i)
            ++seen[samples[epoch * POINTS + i]];
        for (size_t i = 0; i < POINTS; ++i)
            assert_int_equal(seen[i], 1);
        for (size_t other = 0; other < epoch; ++other)
            assert_memory_not_equal(samples + epoch * POINTS, samples + other * POINTS, POINTS * sizeof *samples);
    }
    assert_memory_equal(again, samples, sizeof samples);
    assert_memory_not_equal(reseeded, samples, POINTS * sizeof *samples);
}

/* mirror=1: pairs of an image and its mirror image with the same labels; every sample once in an epoch of pairs. */
static void test_mirrored_epochs(void **state)
{
    (void)state;
    enum { HEIGHT = 2, WIDTH = 3, PIXELS = HEIGHT * WIDTH, PAIRS = 2, SAMPLES = 6 };
    plugin_network *p = plugin_from_text(NULL, "[net]\nheight=2\nwidth=3\nchannels=1\nbatch=4\n[data]\nfunction=sphere\nmirror=1\n"
                                               "[connected]\noutput=1\nactivation=linear\n[sobolev]\norder=0\n");
    dataset d = {.points = SAMPLES, .inputs = PIXELS, .outputs = 1};
    batches b;
    assert_int_equal(dataset_allocate(&d, BIT(PART_X) | BIT(PART_Y)), STATUS_OK);
    for (int i = 0; i < SAMPLES * PIXELS; ++i)
        d.parts[PART_X][i] = .01 * i;
    for (int s = 0; s < SAMPLES; ++s)
        d.parts[PART_Y][s] = s;
    assert_int_equal(batches_create(&b, p, &d), STATUS_OK);
    for (int epoch = 0; epoch < 3; ++epoch) {
        int seen[SAMPLES] = {0};
        for (int batch = 0; batch < SAMPLES / PAIRS; ++batch) {
            assert_int_equal(batches_fill(&b), STATUS_OK);
            for (int i = 0; i < PAIRS; ++i) {
                const float *x = plugin_input(p) + i * PIXELS, *mirrored = x + PAIRS * PIXELS, *y = plugin_truth(p);
                ++seen[(int)y[i]];
                assert_true(y[i] == y[PAIRS + i] && x[0] == (float)d.parts[PART_X][(int)y[i] * PIXELS]);
                for (int k = 0; k < PIXELS; ++k)
                    assert_true(mirrored[k] == x[k / WIDTH * WIDTH + WIDTH - 1 - k % WIDTH]);
            }
            plugin_train_minibatch(p);
        }
        for (int s = 0; s < SAMPLES; ++s)
            assert_int_equal(seen[s], 1);
    }
    batches_free(&b);
    dataset_free(&d);
    plugin_free(p);
}

/* ---------------------------------------------------------------- the set */

/* Two inputs and outputs; derivatives by the first input are +-10, by the second 0; second derivatives +-2. `size` is that of the first output. */
static void write_set(const char *path, double size, double step)
{
    dataset d = {.points = 8, .inputs = 2, .outputs = 2};
    assert_int_equal(dataset_allocate(&d, parts_to_order(2)), STATUS_OK);
    for (size_t s = 0; s < 8; ++s) {
        double sign = s % 2 ? 1 : -1;
        dataset_at(&d, PART_X, s)[0] = step * sign;
        dataset_at(&d, PART_X, s)[1] = step * (double)s;
        for (size_t k = 0; k < 2; ++k) {
            dataset_at(&d, PART_Y, s)[k] = sign * (k ? 4 : size);
            dataset_at(&d, PART_JACOBIAN, s)[2 * k] = 10 * sign;
            for (size_t i = 0; i < 4; ++i)
                dataset_at(&d, PART_HESSIAN, s)[4 * k + i] = 2 * sign;
        }
    }
    assert_int_equal(dataset_write(path, &d), STATUS_OK);
    dataset_free(&d);
}

typedef struct made {
    plugin_network *net;
    training_set set;
    char *log;
} made;

static status make(made *m, const char *data, const char *last, const char *loss)
{
    char cfg[512];
    size_t length;
    snprintf(cfg, sizeof cfg,
             "[net]\nseed=3\ninputs=2\nbatch=8\n[data]\nfile=set.h5\ntest_file=test.h5\n%s[connected]\noutput=5\nactivation=tanh\n[connected]\noutput=2\n"
             "activation=%s\n%s", data, last, loss);
    *m = (made){.net = plugin_from_text(NULL, cfg)};
    FILE *log = open_memstream(&m->log, &length);
    status s = training_set_check(&m->set, m->net);
    if (s == STATUS_OK)
        s = training_set_make(&m->set, m->net, log);
    fclose(log);
    return s;
}

static void close_made(made *m)
{
    training_set_free(&m->set);
    plugin_free(m->net);
    free(m->log);
}

static double loss_of(const char *keys, int order)
{
    made m;
    char loss[256];
    snprintf(loss, sizeof loss, "[sobolev]\n%s", keys);
    if (make(&m, "", "linear", loss) != STATUS_OK)
        fail_msg("%s", status_text());
    assert_int_equal(batches_fill(&m.set.batches), STATUS_OK);
    double result = plugin_train_minibatch(m.net).order[order];
    assert_true(result > 0);
    close_made(&m);
    return result;
}

/* component_weights=rms: 1 / mean square, of each order for itself; a component that is 0 keeps its weight. */
static void test_component_weights(void **state)
{
    (void)state;
    write_set("set.h5", 2, 1);
    write_set("test.h5", 2, 1);
    double rms = loss_of("order=1\ncomponent_weights=rms\n", 1), given = loss_of("order=1\ninput_weights=.01,1\n", 1);
    assert_true(fabs(rms / given - 1) < 1e-5);
    rms = loss_of("order=2\ncomponent_weights=rms\n", 1);
    assert_true(fabs(rms / given - 1) < 1e-5);
    rms = loss_of("order=2\ncomponent_weights=rms\n", 2);
    assert_true(fabs(4 * rms / loss_of("order=2\n", 2) - 1) < 1e-5);
    unlink("set.h5");
    unlink("test.h5");
}

/* Of the test set, over all outputs. */
static void test_mean_error(void **state)
{
    (void)state;
    made m;
    write_set("set.h5", 30, 1);
    write_set("test.h5", 2, 1);
    assert_int_equal(make(&m, "normalise=all\n", "linear", "[sobolev]\norder=1\n"), STATUS_OK);
    assert_true(fabs(training_set_mean_error(&m.set) - (4 + 16) / 2.) < 1e-12);
    assert_string_equal(m.log, "");
    close_made(&m);
    assert_int_equal(make(&m, "normalise=inputs\n", "tanh", "[cost]\n"), STATUS_OK); /* outputs stay as they are */
    close_made(&m);
    unlink("set.h5");
    unlink("test.h5");
}

static void test_reduction(void **state)
{
    (void)state;
    made m;
    write_set("set.h5", 2, 1);
    write_set("test.h5", 2, 1);
    assert_int_equal(make(&m, "normalise=all\ndifferential_pca=.1\n", "linear", "[sobolev]\norder=1\n"), STATUS_OK);
    assert_string_equal(m.log, "differential PCA: 1 of 2 directions kept\n");
    close_made(&m);
    write_set("set.h5", 2, 0);
    assert_int_equal(make(&m, "normalise=all\ndifferential_pca=.1\n", "linear", "[sobolev]\norder=1\n"), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), ":9:18: error: differential_pca: the inputs of the training samples do not vary"));
    close_made(&m);
    unlink("set.h5");
    unlink("test.h5");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),     cmocka_unit_test(test_epochs),    cmocka_unit_test(test_component_weights),
        cmocka_unit_test(test_mirror),     cmocka_unit_test(test_mirrored_epochs),
        cmocka_unit_test(test_mean_error), cmocka_unit_test(test_reduction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
