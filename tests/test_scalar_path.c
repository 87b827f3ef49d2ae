/* The scalar path in float (engine/tape.h) against a step of the same network in double, whose formulas stand here: how far each parameter's gradient
 * is from it at the start, and after 3000 steps of training, where gradients are small sums of large numbers. Beside it the general way.
 *
 *     test_scalar_path    prints the errors */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "objective_fixture.h"

#ifdef __SANITIZE_ADDRESS__ /* twenty times slower, and the numbers are those of the other build */
enum { STEPS = 200 };
#else
enum { STEPS = 3000 };
#endif
enum { INPUTS = 2, WIDTH = 256, BATCH = 100, LAYERS = 3 };

static const double start_tolerance = 1e-6, end_tolerance = 1e-5;

/* One layer: Wbar and bbar in double, weights and biases as they are. */
typedef struct layer_numbers {
    size_t inputs, outputs;
    const parameter *weights, *biases;
    double *weights_gradient, *biases_gradient;
} layer_numbers;

static const parameter *parameter_named(const graph_node *node, const char *name)
{
    for (int i = 0; i < node->n_parameters; ++i)
        if (strcmp(node->parameters[i].name, name) == 0)
            return &node->parameters[i];
    return NULL;
}

static void layers_open(const trial *t, layer_numbers layers[LAYERS])
{
    for (int k = 0; k < LAYERS; ++k) {
        const graph_node *node = &t->graph.nodes[k];
        layer_numbers *l = &layers[k];
        *l = (layer_numbers){shape_count(node->in), shape_count(node->out), parameter_named(node, "weights"), parameter_named(node, "biases"), NULL, NULL};
        l->weights_gradient = calloc(l->inputs * l->outputs, sizeof(double));
        l->biases_gradient = calloc(l->outputs, sizeof(double));
        assert_true(l->weights && l->biases && l->weights_gradient && l->biases_gradient);
    }
}

static void layers_close(layer_numbers layers[LAYERS])
{
    for (int k = 0; k < LAYERS; ++k) {
        free(layers[k].weights_gradient);
        free(layers[k].biases_gradient);
    }
}

/* ---------------------------------------------------------------- the step in double */

static void multiply(const layer_numbers *l, const double *x, bool biased, double *y)
{
    for (size_t j = 0; j < l->outputs; ++j) {
        y[j] = biased ? (double)l->biases->value[j] : 0;
        for (size_t i = 0; i < l->inputs; ++i)
            y[j] += (double)l->weights->value[j * l->inputs + i] * x[i];
    }
}

static void multiply_transposed(const layer_numbers *l, const double *y, double *x)
{
    for (size_t i = 0; i < l->inputs; ++i) {
        x[i] = 0;
        for (size_t j = 0; j < l->outputs; ++j)
            x[i] += (double)l->weights->value[j * l->inputs + i] * y[j];
    }
}

/* y = mask(z) y */
static void mask(const double *z, double *y)
{
    for (size_t j = 0; j < WIDTH; ++j)
        y[j] = z[j] > 0 ? y[j] : 0;
}

/* Of a sample: activations, tangents, and the derivatives of the output by the preactivations. */
typedef struct sample {
    double a[LAYERS + 1][WIDTH], tangent[LAYERS + 1][WIDTH], delta[LAYERS][WIDTH], g[INPUTS];
} sample;

static void run_sample(const layer_numbers layers[LAYERS], const real *x, const real *label, sample *s)
{
    for (int j = 0; j < INPUTS; ++j)
        s->a[0][j] = (double)x[j];
    for (int k = 0; k < LAYERS; ++k) {
        multiply(&layers[k], s->a[k], true, s->a[k + 1]);
        if (k + 1 < LAYERS)
            mask(s->a[k + 1], s->a[k + 1]);
    }
    s->delta[LAYERS - 1][0] = 1;
    for (int k = LAYERS - 1; k > 0; --k) {
        multiply_transposed(&layers[k], s->delta[k], s->delta[k - 1]);
        mask(s->a[k], s->delta[k - 1]);
    }
    multiply_transposed(&layers[0], s->delta[0], s->g);
    for (int j = 0; j < INPUTS; ++j)
        s->tangent[0][j] = 2 * (s->g[j] - (double)label[1 + j]);
    for (int k = 0; k + 1 < LAYERS; ++k) {
        multiply(&layers[k], s->tangent[k], false, s->tangent[k + 1]);
        mask(s->a[k + 1], s->tangent[k + 1]);
    }
}

/* Wbar += delta (s a + tangent), bbar += s delta. */
static void add_sample(layer_numbers layers[LAYERS], const real *label, const sample *s)
{
    const double slope = 2 * (s->a[LAYERS][0] - (double)label[0]);
    for (int k = 0; k < LAYERS; ++k)
        for (size_t j = 0; j < layers[k].outputs; ++j) {
            layers[k].biases_gradient[j] += slope * s->delta[k][j];
            for (size_t i = 0; i < layers[k].inputs; ++i)
                layers[k].weights_gradient[j * layers[k].inputs + i] += s->delta[k][j] * (slope * s->a[k][i] + s->tangent[k][i]);
        }
}

/* ---------------------------------------------------------------- errors */

/* |got - want| / |want|, Euclidean norms. */
static double relative_error(const parameter *got, const double *want)
{
    double errors = 0, squares = 0;
    for (size_t i = 0; i < got->count; ++i) {
        const double e = (double)got->gradient[i] - want[i];
        errors += e * e;
        squares += want[i] * want[i];
    }
    return sqrt(errors / squares);
}

/* The largest error of a parameter's gradient in the last step of `t`. */
static double worst_error(const trial *t)
{
    layer_numbers layers[LAYERS];
    static sample s;
    double worst = 0;
    layers_open(t, layers);
    for (size_t b = 0; b < BATCH; ++b) {
        const real *label = t->labels + b * (1 + INPUTS);
        run_sample(layers, t->x + b * INPUTS, label, &s);
        add_sample(layers, label, &s);
    }
    for (int k = 0; k < LAYERS; ++k) {
        const double errors[] = {relative_error(layers[k].weights, layers[k].weights_gradient), relative_error(layers[k].biases, layers[k].biases_gradient)};
        for (int i = 0; i < 2; ++i)
            worst = errors[i] <= worst ? worst : errors[i];
    }
    layers_close(layers);
    return worst;
}

/* ---------------------------------------------------------------- training */

static void open_network(trial *t, const backend *be)
{
    char cfg[512];
    snprintf(cfg, sizeof cfg,
             "[net]\ninputs=%d\nbatch=%d\n[connected]\noutput=%d\nactivation=relu\n[connected]\noutput=%d\nactivation=relu\n[connected]\noutput=1\n"
             "activation=linear\n[sobolev]\norder=1\n",
             INPUTS, BATCH, WIDTH, WIDTH);
    trial_open(t, be, cfg);
    graph_initialise(&t->graph, be, 3);
    assert_int_equal(graph_allocate_moments(&t->graph, be), STATUS_OK);
}

/* Points of a square, the function of Styblinski and Tang there, over 100, and its derivatives. */
static void draw_batch(trial *t, uint64_t step)
{
    t->be->uniform((random_stream){9, RANDOM_CHECK, 0}, step * BATCH * INPUTS, BATCH * INPUTS, -1, 1, t->x);
    for (size_t b = 0; b < BATCH; ++b) {
        real *label = t->labels + b * (1 + INPUTS);
        label[0] = 0;
        for (size_t j = 0; j < INPUTS; ++j) {
            const double z = 5 * (double)t->x[b * INPUTS + j];
            label[0] += (real)(.005 * z * (z * z * z - 16 * z + 5));
            label[1 + j] = (real)(.025 * (4 * z * z * z - 32 * z + 5));
        }
    }
}

static void step(trial *t, uint64_t number)
{
    draw_batch(t, number);
    trial_forward(t, BATCH, 5, number);
    trial_backward(t);
}

static void update(trial *t, long number)
{
    GRAPH_PARAMETERS(&t->graph, p)
    t->be->adam_update(adam_rule_at(1e-3, .9, .999, 1e-8, 0, BATCH, number), p->count, p->value, p->gradient, p->moment_1, p->moment_2);
}

static void check_errors(const backend *be, bool fast)
{
    trial t;
    setenv("DARKNET_EXT_FAST_PATHS", fast ? "1" : "0", 1);
    open_network(&t, be);
    assert_int_equal(objective_takes_scalar_path(t.objective), fast);
    step(&t, 0);
    const double start = worst_error(&t);
    for (uint64_t k = 1; k <= STEPS; ++k) {
        update(&t, (long)k);
        step(&t, k);
    }
    const double end = worst_error(&t);
    printf("%s, %s: error of a gradient %.1e at the start, %.1e after %d steps\n", be->name, fast ? "scalar path" : "general way", start, end, STEPS);
    assert_true(start <= start_tolerance);
    assert_true(end <= end_tolerance);
    trial_close(&t);
    unsetenv("DARKNET_EXT_FAST_PATHS");
}

static void test_scalar_path(void **state)
{
    check_errors(*state, true);
}

static void test_general_way(void **state)
{
    check_errors(*state, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        {"scalar_path", test_scalar_path, NULL, NULL, (void *)backend_list[0]},
        {"general_way", test_general_way, NULL, NULL, (void *)backend_list[0]},
    };
    return cmocka_run_group_tests_name("scalar_path", tests, NULL, NULL);
}
