/* What is measured of a network: labels that are off by a known amount, or not given; error and kl of classifiers from samples in pieces. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "analytic_network.h"
#include "data/stream_split.h"
#include "folder_fixture.h"
#include "make_samples.h"
#include "plugin_fixture.h"
#include "train/evaluate.h"

enum { N = ANALYTIC_INPUTS, M = ANALYTIC_OUTPUTS, POINTS = 530, DIRECTIONS = 18 };

/* How far the labels are off, in units small against the derivatives; every third entry of a part is not given. */
static const double unit = .01;

static const double offsets[PART_COUNT] = {[PART_Y] = 1, [PART_JACOBIAN] = 2, [PART_HESSIAN] = 3, [PART_JVP] = 4, [PART_HVP] = 5};

static double exact(const analytic_network *net, const dataset *d, dataset_part part, size_t point, int entry)
{
    const double *x = dataset_at(d, PART_X, point), *v = d->parts[PART_V] ? dataset_at(d, PART_V, point) : NULL;
    switch (part) {
    case PART_Y:
        return analytic_value(net, x, entry);
    case PART_JACOBIAN:
        return analytic_gradient(net, x, entry / N, entry % N);
    case PART_HESSIAN:
        return analytic_hessian(net, x, entry / (N * N), entry / N % N, entry % N);
    case PART_JVP:
        return analytic_jvp(net, x, v + entry / M * N, entry % M);
    default:
        return analytic_hvp(net, x, v + entry / (M * N) * N, entry / N % M, entry % N);
    }
}

static dataset make_set(const analytic_network *net, unsigned parts)
{
    dataset d = {.points = POINTS, .inputs = N, .outputs = M, .directions = DIRECTIONS};
    assert_int_equal(dataset_allocate(&d, parts | PART_X_BIT), STATUS_OK);
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        size_t size = dataset_part_size(&d, part);
        for (size_t i = 0; i < (size_t)POINTS * size && d.parts[part]; ++i) {
            bool label = part != PART_X && part != PART_V && part != PART_V_WEIGHT;
            double known = label ? exact(net, &d, part, i / size, (int)(i % size)) + unit * offsets[part] : sin(part + 1.3 * (double)i);
            d.parts[part][i] = label && i % 3 == 2 ? NAN : known;
        }
    }
    return d;
}

static evaluation measure(const analytic_network *net, int order, const dataset *d)
{
    plugin_network *p = plugin_from_text(NULL, ANALYTIC_CFG);
    evaluator *e;
    analytic_write(net, "evaluate.weights");
    assert_int_equal(plugin_load_weights(p, "evaluate.weights"), STATUS_OK);
    unlink("evaluate.weights");
    assert_int_equal(evaluator_create(&e, p, order), STATUS_OK);
    evaluation result = evaluator_run(e, d);
    evaluator_free(e);
    plugin_free(p);
    return result;
}

/* `expected` in squared units; 0: not measured. */
static void assert_measure(size_t number, const char *name, double found, double expected)
{
    if (expected == 0 ? !isnan(found) : !(fabs(found / (unit * unit) - expected) <= 1e-3 * expected))
        fail_msg("case %zu, %s: %g instead of %g", number, name, found, unit * unit * expected);
}

#define BIT(part) (1u << (part))

static void given_entries_are_measured(void **state)
{
    static const struct {
        int order;
        unsigned parts;
        double value, gradient, hessian, directional;
    } cases[] = {
        {2, ALL_PARTS, 1, 4, 9, 16},
        {1, ALL_PARTS, 1, 4, 0, 16},
        {0, ALL_PARTS, 1, 0, 0, 0},
        {2, BIT(PART_Y) | BIT(PART_V) | BIT(PART_HVP), 1, 0, 25, 0},
        {2, BIT(PART_JACOBIAN) | BIT(PART_V) | BIT(PART_JVP) | BIT(PART_HVP), 0, 4, 25, 16},
        {2, BIT(PART_Y) | BIT(PART_HESSIAN), 1, 0, 9, 0},
        {1, BIT(PART_V) | BIT(PART_JVP), 0, 0, 0, 16},
        {2, BIT(PART_Y) | BIT(PART_JACOBIAN), 1, 4, 0, 0},
    };
    analytic_network net = analytic_make(2);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        dataset d = make_set(&net, cases[i].parts);
        evaluation found = measure(&net, cases[i].order, &d);
        assert_measure(i, "value_mse", found.value_mse, cases[i].value);
        assert_measure(i, "gradient_mse", found.gradient_mse, cases[i].gradient);
        assert_measure(i, "hessian_mse", found.hessian_mse, cases[i].hessian);
        assert_measure(i, "directional_mse", found.directional_mse, cases[i].directional);
        dataset_free(&d);
    }
}

static void without_any_entry_there_is_no_measure(void **state)
{
    analytic_network net = analytic_make(0);
    dataset d = make_set(&net, BIT(PART_Y) | BIT(PART_JACOBIAN));
    for (size_t i = 0; i < (size_t)POINTS * M * N; ++i)
        d.parts[PART_JACOBIAN][i] = NAN;
    evaluation found = measure(&net, 2, &d);
    assert_measure(0, "value_mse", found.value_mse, 1);
    assert_measure(0, "gradient_mse", found.gradient_mse, 0);
    dataset_free(&d);
}

/* A network that is 0 everywhere says that all classes are equally likely. */
static void classes_are_measured_in_pieces(void **state)
{
    (void)state;
    enum { SAMPLES = 4, CLASSES = 3 };
    const float y[SAMPLES][CLASSES] = {{.5f, 0, 1}, {2, -1, 0}, {0, 3, 0}, {1, .5f, .25f}};
    const float x[SAMPLES][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}};
    const int label[SAMPLES] = {0, 1, 2, 0};
    plugin_network *p = plugin_from_text(NULL, "[net]\ninputs=2\nbatch=1\n[connected]\noutput=3\nactivation=linear\n[sobolev]\norder=0\n");
    GRAPH_ARRAYS(plugin_graph(p), a)
    memset(a->value, 0, a->count * sizeof *a->value);
    hid_t file = samples_create("classes.h5");
    assert_int_equal(samples_put_floats(file, "x", 2, (const hsize_t[]){SAMPLES, 2}, *x), 0);
    assert_int_equal(samples_put_floats(file, "y", 2, (const hsize_t[]){SAMPLES, CLASSES}, *y), 0);
    assert_int_equal(samples_put_integers(file, "label", SAMPLES, label), 0);
    H5Fclose(file);
    double kl = 0;
    for (int i = 0; i < SAMPLES; ++i) {
        double sum = 0;
        for (int k = 0; k < CLASSES; ++k)
            sum += exp((double)y[i][k]);
        for (int k = 0; k < CLASSES; ++k)
            kl += 1. / CLASSES * (log(1. / CLASSES) - ((double)y[i][k] - log(sum))) / SAMPLES;
    }
    for (label_kind kind = LABELS_LOGITS; kind <= LABELS_CLASSES; kind += 2) {
        stream_request r = {
            .path = "classes.h5", .inputs = 2, .outputs = CLASSES, .labels = kind, .labels_given = true, .needs_labels = true, .cache = 1 << 20};
        sample_stream *s;
        sample_set set;
        evaluator *e;
        evaluation found;
        assert_int_equal(stream_hdf5_open(&s, &r), STATUS_OK);
        assert_int_equal(stream_prepare(s), STATUS_OK);
        assert_int_equal(split_all(s, &set), STATUS_OK);
        assert_int_equal(evaluator_create(&e, p, 0), STATUS_OK);
        evaluator_compare_classes(e, kind == LABELS_CLASSES, 2);
        assert_int_equal(evaluator_run_streamed(e, &set, &found), STATUS_OK);
        assert_true(fabs(found.error - .5) < 1e-12); /* the first of equal outputs; it is right for two samples of each */
        assert_true(fabs(found.top_error - .25) < 1e-12); /* of equal outputs the first two: the third is the label of one sample */
        double want = kind == LABELS_CLASSES ? log(CLASSES) : kl;
        if (!(fabs(found.kl - want) < 1e-6))
            fail_msg("kl %.9g instead of %.9g", found.kl, want);
        evaluator_free(e);
        free(set.samples);
        stream_free(s);
    }
    plugin_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(given_entries_are_measured),
        cmocka_unit_test(without_any_entry_there_is_no_measure),
        cmocka_unit_test_setup_teardown(classes_are_measured_in_pieces, folder_enter, folder_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
