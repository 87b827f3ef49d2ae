/* What a trained network says: the predictor and the C interface on top of it, against a formula. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <sys/stat.h>

#include "analytic_network.h"
#include "darknet_ext.h"
#include "model/predictor.h"
#include "plugin_fixture.h"

enum { N = ANALYTIC_INPUTS, M = ANALYTIC_OUTPUTS, THREADS = 4, ROUNDS = 5, LOADS = 100 };

static const double tolerance = 2e-6; /* of float; the numbers are at most 2 */

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

/* Numbers in (-1, 1) that look irregular; owned by the caller. */
static double *numbers_from(size_t count, double start)
{
    double *numbers = calloc(count, sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i < count; ++i)
        numbers[i] = sin(start + 1.7 * (double)i);
    return numbers;
}

static double *not_yet(size_t count)
{
    double *numbers = malloc(count * sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i < count; ++i)
        numbers[i] = NAN;
    return numbers;
}

/* An assertion of cmocka may only fail in the main thread: comparisons return what the worst difference is. NaN stays. */
static double worse(double worst, double found, double expected)
{
    double difference = fabs(found - expected);
    return difference <= worst ? worst : difference;
}

typedef struct question {
    const analytic_network *net;
    int points, directions;
    double *x, *v;
} question;

static question ask(const analytic_network *net, int points, int directions)
{
    return (question){net, points, directions, numbers_from((size_t)points * N, .3), numbers_from((size_t)points * (size_t)directions * N, .9)};
}

static void question_free(question *q)
{
    free(q->x);
    free(q->v);
}

static double error_of_values(const question *q, const double *y)
{
    double worst = 0;
    for (int p = 0; p < q->points; ++p)
        for (int k = 0; k < M; ++k)
            worst = worse(worst, y[p * M + k], analytic_value(q->net, q->x + p * N, k));
    return worst;
}

static double error_of_jacobian(const question *q, const double *jacobian)
{
    double worst = 0;
    for (int p = 0; p < q->points; ++p)
        for (int k = 0; k < M; ++k)
            for (int i = 0; i < N; ++i)
                worst = worse(worst, jacobian[(p * M + k) * N + i], analytic_gradient(q->net, q->x + p * N, k, i));
    return worst;
}

static double error_of_hessian(const question *q, const double *hessian)
{
    double worst = 0;
    for (int p = 0; p < q->points; ++p)
        for (int k = 0; k < M; ++k)
            for (int i = 0; i < N * N; ++i)
                worst = worse(worst, hessian[(p * M + k) * N * N + i], analytic_hessian(q->net, q->x + p * N, k, i / N, i % N));
    return worst;
}

static double error_of_jvp(const question *q, const double *jvp)
{
    double worst = 0;
    for (int row = 0; row < q->points * q->directions; ++row)
        for (int k = 0; k < M; ++k)
            worst = worse(worst, jvp[row * M + k], analytic_jvp(q->net, q->x + row / q->directions * N, q->v + row * N, k));
    return worst;
}

static double error_of_hvp(const question *q, const double *hvp)
{
    double worst = 0;
    for (int row = 0; row < q->points * q->directions; ++row)
        for (int k = 0; k < M; ++k)
            for (int i = 0; i < N; ++i)
                worst = worse(worst, hvp[(row * M + k) * N + i], analytic_hvp(q->net, q->x + row / q->directions * N, q->v + row * N, k, i));
    return worst;
}

static void assert_small(const char *what, double error)
{
    if (!(error <= tolerance))
        fail_msg("%s: off by %g", what, error);
}

/* ---------------------------------------------------------------- the predictor */

static plugin_network *analytic_plugin(const char *backend_name, const analytic_network *net)
{
    plugin_network *p = plugin_from_text(backend_name, ANALYTIC_CFG);
    analytic_write(net, "analytic.weights");
    assert_int_equal(plugin_load_weights(p, "analytic.weights"), STATUS_OK);
    return p;
}

/* Everything that `order` allows, at once or one array at a time. */
static void assert_predictions(plugin_network *p, int order, const question *q, bool together)
{
    size_t points = (size_t)q->points, rows = points * (size_t)q->directions;
    double *y = not_yet(points * M), *jacobian = not_yet(points * M * N), *hessian = not_yet(points * M * N * N);
    double *jvp = not_yet(rows * M), *hvp = not_yet(rows * M * N);
    predictor *m;
    assert_int_equal(predictor_create(&m, p, order), STATUS_OK);
    assert_int_equal(predictor_order(m), order);
    prediction all = {
        .directions = q->directions,
        .v = q->v,
        .y = y,
        .jacobian = order > 0 ? jacobian : NULL,
        .hessian = order > 1 ? hessian : NULL,
        .jvp = order > 0 ? jvp : NULL,
        .hvp = order > 1 ? hvp : NULL,
    };
    if (together)
        predictor_run(m, q->x, q->points, &all);
    for (int part = 0; part < 5 && !together; ++part) {
        prediction one = {.directions = q->directions, .v = q->v};
        double *const *from[] = {&all.y, &all.jacobian, &all.hessian, &all.jvp, &all.hvp};
        double **to[] = {&one.y, &one.jacobian, &one.hessian, &one.jvp, &one.hvp};
        *to[part] = *from[part];
        predictor_run(m, q->x, q->points, &one);
    }
    assert_small("values", error_of_values(q, y));
    if (order > 0) {
        assert_small("Jacobian", error_of_jacobian(q, jacobian));
        assert_small("J v", error_of_jvp(q, jvp));
    }
    if (order > 1) {
        assert_small("Hessian", error_of_hessian(q, hessian));
        assert_small("H v", error_of_hvp(q, hvp));
    }
    predictor_free(m);
    free(y);
    free(jacobian);
    free(hessian);
    free(jvp);
    free(hvp);
}

/* Sizes around those of a pass: 512 points, 16 directions. */
static void predictions_follow_the_formula(void **state)
{
    static const int sizes[][2] = {{1, 1}, {3, 0}, {512, 1}, {700, 3}, {33, 16}, {40, 17}, {2, 40}};
    analytic_network net = analytic_make(0);
    for (const backend *const *be = backend_list; *be; ++be) {
        plugin_network *p = analytic_plugin((*be)->name, &net);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; ++s)
            for (int order = 0; order <= 2; ++order) {
                question q = ask(&net, sizes[s][0], sizes[s][1]);
                assert_predictions(p, order, &q, true);
                assert_predictions(p, order, &q, false);
                question_free(&q);
            }
        plugin_free(p);
    }
}

typedef struct results {
    double *y, *jacobian, *hessian, *jvp, *hvp;
} results;

static results results_for(int points, int directions, int outputs, int inputs)
{
    size_t values = (size_t)points * (size_t)outputs, rows = (size_t)directions * values, n = (size_t)inputs;
    return (results){not_yet(values), not_yet(values * n), not_yet(values * n * n), not_yet(rows), not_yet(rows * n)};
}

static void results_free(results *r)
{
    free(r->y);
    free(r->jacobian);
    free(r->hessian);
    free(r->jvp);
    free(r->hvp);
}

static results results_of(plugin_network *p, int order, int output, const question *q, int outputs, int inputs)
{
    results r = results_for(q->points, q->directions, outputs, inputs);
    predictor *m;
    assert_int_equal(predictor_create(&m, p, order), STATUS_OK);
    predictor_run(m, q->x, q->points, &(prediction){
        .output = output,
        .directions = q->directions,
        .v = q->v,
        .y = r.y,
        .jacobian = order > 0 ? r.jacobian : NULL,
        .hessian = order > 1 ? r.hessian : NULL,
        .jvp = order > 0 ? r.jvp : NULL,
        .hvp = order > 1 ? r.hvp : NULL,
    });
    predictor_free(m);
    return r;
}

/* Numbers of one output among those of all: rows of `count` for each point and direction. */
static double error_of_slice(const double *one, const double *all, size_t rows, size_t count, int output)
{
    double worst = 0;
    for (size_t row = 0; row < rows; ++row)
        for (size_t i = 0; i < count; ++i)
            worst = worse(worst, one[row * count + i], all[(row * M + (size_t)output - 1) * count + i]);
    return worst;
}

static void one_output_is_a_part_of_all(void **state)
{
    enum { POINTS = 37, DIRECTIONS = 3 };
    analytic_network net = analytic_make(0);
    plugin_network *p = analytic_plugin(NULL, &net);
    question q = ask(&net, POINTS, DIRECTIONS);
    for (int order = 0; order <= 2; ++order)
        for (int output = 1; output <= M; ++output) {
            results all = results_of(p, order, 0, &q, M, N), one = results_of(p, order, output, &q, 1, N);
            assert_small("values", error_of_slice(one.y, all.y, POINTS, 1, output));
            if (order > 0) {
                assert_small("Jacobian", error_of_slice(one.jacobian, all.jacobian, POINTS, N, output));
                assert_small("J v", error_of_slice(one.jvp, all.jvp, POINTS * DIRECTIONS, 1, output));
            }
            if (order > 1) {
                assert_small("Hessian", error_of_slice(one.hessian, all.hessian, POINTS, N * N, output));
                assert_small("H v", error_of_slice(one.hvp, all.hvp, POINTS * DIRECTIONS, N, output));
            }
            results_free(&all);
            results_free(&one);
        }
    question_free(&q);
    plugin_free(p);
}

/* So many numbers between its layers that a pass takes fewer points than 512, and with order 2 fewer directions than 16. */
static void wide_networks_are_computed_in_smaller_pieces(void **state)
{
    enum { POINTS = 5, DIRECTIONS = 5 };
    analytic_network net = analytic_make(0);
    plugin_network *p = plugin_from_text(NULL, "[net]\ninputs=19\nbatch=1\n[connected]\noutput=2\nactivation=tanh\n[connected]\noutput=1700001\nactivation=tanh\n"
                                               "[connected]\noutput=1\nactivation=linear\n");
    question q = ask(&net, POINTS, DIRECTIONS);
    results all = results_of(p, 2, 0, &q, 1, N);
    for (int i = 0; i < POINTS; i += POINTS - 1) {
        question single = {&net, 1, DIRECTIONS, q.x + i * N, q.v + i * DIRECTIONS * N};
        results one = results_of(p, 2, 0, &single, 1, N);
        double size = fabs(one.y[0]) + 1;
        assert_small("a value", worse(0, all.y[i] / size, one.y[0] / size));
        for (int k = 0; k < DIRECTIONS; ++k)
            assert_small("J v", worse(0, all.jvp[i * DIRECTIONS + k] / size, one.jvp[k] / size));
        for (int k = 0; k < DIRECTIONS * N; ++k)
            assert_small("H v", worse(0, all.hvp[i * DIRECTIONS * N + k] / size, one.hvp[k] / size));
        results_free(&one);
    }
    results_free(&all);
    question_free(&q);
    plugin_free(p);
}

/* ---------------------------------------------------------------- the C interface */

static dnx_model *analytic_model(const analytic_network *net)
{
    dnx_model *m;
    write_text("analytic.cfg", ANALYTIC_CFG);
    analytic_write(net, "analytic.weights");
    if (dnx_model_load("analytic.cfg", "analytic.weights", &m) != DNX_OK)
        fail_msg("%s", dnx_error_text());
    return m;
}

/* The worst error of all results, NaN or infinite when a call fails. */
static double error_of_model(dnx_model *m, const question *q)
{
    size_t points = (size_t)q->points, rows = points * (size_t)q->directions;
    double *y = not_yet(points * M), *jacobian = not_yet(points * M * N), *jvp = not_yet(rows * M), *hvp = not_yet(rows * M * N);
    bool good = dnx_model_gradient(m, q->points, q->x, y, jacobian) == DNX_OK &&
                dnx_model_products(m, q->points, q->x, q->directions, q->v, jvp, hvp) == DNX_OK;
    double errors[] = {error_of_values(q, y), error_of_jacobian(q, jacobian), error_of_jvp(q, jvp), error_of_hvp(q, hvp)};
    double worst = good ? 0 : INFINITY;
    for (size_t i = 0; i < sizeof errors / sizeof *errors; ++i)
        worst = worse(worst, errors[i], 0);
    free(y);
    free(jacobian);
    free(jvp);
    free(hvp);
    return worst;
}

static void a_model_follows_the_formula(void **state)
{
    analytic_network net = analytic_make(1);
    dnx_model *m = analytic_model(&net);
    assert_int_equal(dnx_model_inputs(m), N);
    assert_int_equal(dnx_model_outputs(m), M);
    assert_int_equal(dnx_model_order(m), 2);
    question q = ask(&net, 530, 2);
    assert_small("model", error_of_model(m, &q));
    double *y = not_yet(530 * M), *jvp = not_yet(530 * 2 * M);
    assert_int_equal(dnx_model_predict(m, 530, q.x, y), DNX_OK);
    assert_int_equal(dnx_model_products(m, 530, q.x, 2, q.v, jvp, NULL), DNX_OK);
    assert_small("values alone", error_of_values(&q, y));
    assert_small("J v alone", error_of_jvp(&q, jvp));
    free(y);
    free(jvp);
    question_free(&q);
    dnx_model_free(m);
}

static void assert_refused(dnx_status expected, dnx_status found, const char *text)
{
    if (found != expected || !strstr(dnx_error_text(), text))
        fail_msg("expected status %d with '%s', got %d with '%s'", expected, text, found, dnx_error_text());
}

static void wrong_arguments_are_refused(void **state)
{
    analytic_network net = analytic_make(0);
    dnx_model *m = analytic_model(&net), *none = m;
    double x[2 * N] = {0}, v[2 * N] = {0}, y[2 * M] = {7, 7, 7, 7}, jvp[2 * M];
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_load("analytic.cfg", "analytic.weights", NULL), "place");
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_load(NULL, "analytic.weights", &none), "names");
    assert_null(none);
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_load("analytic.cfg", NULL, &none), "names");
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_predict(NULL, 1, x, y), "no model");
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_predict(m, -1, x, y), "negative");
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_predict(m, 1, NULL, y), "no points");
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_products(m, 1, x, 1, NULL, jvp, NULL), "no directions");
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_products(m, 1, x, -1, v, jvp, NULL), "negative");
    x[N + 3] = NAN;
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_predict(m, 2, x, y), "x: error: number 3 of point 1");
    x[N + 3] = 1e39; /* finite, but not as float */
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_predict(m, 2, x, y), "x: error: number 3 of point 1");
    v[1] = -INFINITY;
    assert_refused(DNX_BAD_ARGUMENT, dnx_model_products(m, 1, x, 1, v, jvp, NULL), "v: error: number 1 of point 0");
    assert_true(y[0] == 7);
    assert_int_equal(dnx_model_predict(m, 0, NULL, NULL), DNX_OK);
    assert_int_equal(dnx_model_gradient(m, 1, x, NULL, NULL), DNX_OK);
    assert_int_equal(dnx_model_products(m, 1, x, 0, NULL, NULL, NULL), DNX_OK);
    dnx_model_free(m);
    dnx_model_free(NULL);
    assert_int_equal(dnx_model_inputs(NULL) + dnx_model_outputs(NULL) + dnx_model_order(NULL), 0);
}

static void wrong_files_are_refused(void **state)
{
    dnx_model *m;
    analytic_network net = analytic_make(0);
    write_text("analytic.cfg", ANALYTIC_CFG);
    analytic_write(&net, "analytic.weights");
    write_text("short.weights", "short");
    write_text("wrong.cfg", "[net]\ninputs=x\nseen=1\n[connected]\noutput=y\nactivation=nonsense\n");
    assert_refused(DNX_BAD_FILE, dnx_model_load("analytic.cfg", "nowhere.weights", &m), "nowhere.weights: error: ");
    assert_null(m);
    assert_refused(DNX_BAD_FILE, dnx_model_load("analytic.cfg", "short.weights", &m), "short.weights: error: ");
    assert_refused(DNX_BAD_FILE, dnx_model_load("nowhere.cfg", "analytic.weights", &m), "nowhere.cfg");
    assert_refused(DNX_BAD_CONFIG, dnx_model_load("wrong.cfg", "analytic.weights", &m), "wrong.cfg:2:");
    assert_non_null(strstr(dnx_error_text(), "wrong.cfg:2:"));
    assert_non_null(strstr(dnx_error_text(), "wrong.cfg:6:"));
    assert_true(strstr(dnx_error_text(), " found 'x'\n") && strstr(dnx_error_text(), " found 'y'\n")); /* whole lines */
    assert_null(strstr(dnx_error_text(), "wrong.cfg:3:")); /* a warning */
    assert_null(m);
}

/* A layer that only Darknet has, and no [sobolev]: values, three whole minibatches and a part of one. */
static void layers_of_darknet_give_values_only(void **state)
{
    enum { POINTS = 11 };
    dnx_model *m;
    const char *cfg = "[net]\nheight=1\nwidth=1\nchannels=2\nbatch=3\n[convolutional]\nfilters=6\nsize=1\nactivation=linear\n"
                      "[yolo]\nclasses=1\n";
    const float numbers[18] = {[2] = .5f, [3] = -1, [10] = 1, [11] = 2, [12] = 3, [13] = 4}; /* 6 biases, 6 x 2 weights */
    const int header[5] = {0, 2, 0, 0, 0};
    FILE *f = fopen("host.weights", "wb");
    assert_non_null(f);
    fwrite(header, sizeof header, 1, f);
    fwrite(numbers, sizeof numbers, 1, f);
    fclose(f);
    write_text("host.cfg", cfg);
    if (dnx_model_load("host.cfg", "host.weights", &m) != DNX_OK)
        fail_msg("%s", dnx_error_text());
    assert_int_equal(dnx_model_order(m), 0);
    double *x = numbers_from(2 * POINTS, 0), y[6 * POINTS + 1], jacobian[12 * POINTS];
    y[6 * POINTS] = 7;
    assert_int_equal(dnx_model_predict(m, POINTS, x, y), DNX_OK);
    for (int p = 0; p < POINTS; ++p) { /* [yolo] leaves width and height, outputs 2 and 3, as they are; the others become logistic */
        assert_true(fabs(y[6 * p + 2] - (.5 + x[2 * p] + 2 * x[2 * p + 1])) <= tolerance);
        assert_true(fabs(y[6 * p + 3] - (-1 + 3 * x[2 * p] + 4 * x[2 * p + 1])) <= tolerance);
        assert_true(fabs(y[6 * p] - .5) <= tolerance);
    }
    assert_true(y[6 * POINTS] == 7);
    assert_refused(DNX_NO_DERIVATIVE, dnx_model_gradient(m, POINTS, x, y, jacobian),
                   "host.cfg:10:1: error: [yolo] has no derivatives of order 1");
    assert_refused(DNX_NO_DERIVATIVE, dnx_model_products(m, POINTS, x, 1, x, NULL, jacobian), "order 2");
    free(x);
    dnx_model_free(m);
}

/* ---------------------------------------------------------------- threads */

typedef struct worker {
    int kind;
    double error;
} worker;

static void *load_and_predict(void *context)
{
    worker *self = context;
    char weights[64];
    analytic_network net = analytic_make(self->kind);
    question q = ask(&net, 70, 2);
    snprintf(weights, sizeof weights, "thread%d.weights", self->kind);
    for (int round = 0; round < ROUNDS; ++round) {
        dnx_model *m;
        self->error = dnx_model_load("analytic.cfg", weights, &m) == DNX_OK ? worse(self->error, error_of_model(m, &q), 0) : INFINITY;
        dnx_model_free(m);
    }
    question_free(&q);
    return NULL;
}

static void *load_only(void *context)
{
    worker *self = context;
    for (int i = 0; i < LOADS; ++i) {
        dnx_model *m;
        if (dnx_model_load("analytic.cfg", "analytic.weights", &m) != DNX_OK)
            self->error = INFINITY;
        dnx_model_free(m);
    }
    return NULL;
}

static void run_threads(void *(*work)(void *))
{
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; ++i) {
        workers[i] = (worker){i, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (int i = 0; i < THREADS; ++i)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < THREADS; ++i)
        assert_small("a thread", workers[i].error);
}

static void models_work_in_several_threads(void **state)
{
    write_text("analytic.cfg", ANALYTIC_CFG);
    for (int i = 0; i < THREADS; ++i) {
        char weights[64];
        analytic_network net = analytic_make(i);
        snprintf(weights, sizeof weights, "thread%d.weights", i);
        analytic_write(&net, weights);
    }
    run_threads(load_and_predict);
}

/* It is captured while a network is built. */
static void threads_give_standard_error_back(void **state)
{
    struct stat before, after;
    analytic_network net = analytic_make(0);
    write_text("analytic.cfg", ANALYTIC_CFG);
    analytic_write(&net, "analytic.weights");
    assert_int_equal(fstat(STDERR_FILENO, &before), 0);
    run_threads(load_only);
    assert_int_equal(fstat(STDERR_FILENO, &after), 0);
    assert_true(before.st_dev == after.st_dev && before.st_ino == after.st_ino);
}

/* Each run of this program has a folder of its own. */
static int enter_folder(void **state)
{
    static char folder[] = "/tmp/test_model-XXXXXX";
    *state = folder;
    return mkdtemp(folder) ? chdir(folder) : -1;
}

static int leave_folder(void **state)
{
    static const char *const names[] = {"analytic.cfg", "analytic.weights", "short.weights", "wrong.cfg", "host.cfg", "host.weights",
                                        "thread0.weights", "thread1.weights", "thread2.weights", "thread3.weights"};
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        unlink(names[i]);
    return chdir("/") || rmdir(*state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(predictions_follow_the_formula),
        cmocka_unit_test(one_output_is_a_part_of_all),
        cmocka_unit_test(wide_networks_are_computed_in_smaller_pieces),
        cmocka_unit_test(a_model_follows_the_formula),
        cmocka_unit_test(wrong_arguments_are_refused),
        cmocka_unit_test(wrong_files_are_refused),
        cmocka_unit_test(layers_of_darknet_give_values_only),
        cmocka_unit_test(models_work_in_several_threads),
        cmocka_unit_test(threads_give_standard_error_back),
    };
    return cmocka_run_group_tests(tests, enter_folder, leave_folder);
}
