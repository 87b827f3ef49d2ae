/* Every layer at every order: against central differences (double), by identities (float, every backend), accumulation and
 * repeatability (both). The table is layer_cases.c. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"
#include "check/gradient_check.h"
#include "layer_cases.h"
#include "layers/sobolev.h"

enum { BATCH = 3, SEEDS = 2 };

typedef struct built {
    config *config;
    graph graph;
    const backend *be;
    const section *sobolev;
    objective_options options;
} built;

static void print_line(void *context, const char *line)
{
    (void)context;
    print_message("%s\n", line);
}

static built build(const layer_case *c, const backend *be, uint64_t seed)
{
    built b = {.be = be};
    char text[4096];
    snprintf(text, sizeof text, "[net]\n%sbatch=%d\n%s[sobolev]\n%s", c->input, BATCH, c->sections, c->objective);
    assert_int_equal(config_parse(c->name, text, strlen(text), NULL, 0, print_line, NULL, &b.config), STATUS_OK);
    if (graph_build(&b.graph, b.config, be, NULL, NULL) != STATUS_OK)
        fail_msg("%s", status_text());
    graph_initialise(&b.graph, be, seed);
    GRAPH_ARRAYS(&b.graph, p)
    {
        if (p->initial_range == 0 && p->initial_deviation == 0) /* biases too, or their influence is not seen */
            be->uniform((random_stream){seed, RANDOM_CHECK, 77}, 0, p->count, p->initial_value - .5, p->initial_value + .5, p->value);
    }
    b.sobolev = config_section(b.config, "sobolev");
    b.options = sobolev_read_options(b.sobolev);
    return b;
}

static void release(built *b)
{
    graph_free(&b->graph, b->be);
    config_free(b->config);
}

static void print_failure(void *context, const check_row *row)
{
    const layer_case *c = context;
    if (!row->passed)
        print_error("[%s] %s: %s, %s: error %g, at most %g\n", c->layer, c->name, row->name, row->where, row->error, row->tolerance);
}

static void check_case(const layer_case *c, const backend *be, uint64_t seed)
{
    built b = build(c, be, seed);
    assert_true(gradient_check_order(&b.graph) >= c->order);
    assert_true((c->order < JET_MAX_ORDER) == (c->no_order_2 != NULL));
    check_settings settings = {.batch = BATCH, .seed = seed, .differences = sizeof(real) == sizeof(double)};
    status s = gradient_check_run(&b.graph, be, &b.options, b.sobolev, c->name, &settings, print_failure, (void *)(uintptr_t)c);
    if (s != STATUS_OK)
        fail_msg("[%s] %s on %s: %s", c->layer, c->name, be->name, status_text());
    release(&b);
}

static void derivatives_are_right(void **state)
{
    (void)state;
    for (int i = 0; i < layer_case_count; ++i)
        for (const backend *const *be = backend_list; *be; ++be)
            for (uint64_t seed = 1; seed <= SEEDS; ++seed)
                check_case(&layer_cases[i], *be, seed);
}

/* One training step without the update; returns the loss. */
static double accumulate(built *b, objective *o, const real *x, const real *truth)
{
    tape *t = objective_tape(o);
    b->be->copy((size_t)BATCH * shape_count(b->graph.input), x, t->x.data);
    objective_begin(o, truth, true, 5, 9);
    sweep_values(t, 0, b->graph.n_nodes - 1);
    double loss = objective_forward(o).total;
    objective_backward(o);
    sweep_adjoints(t, b->graph.n_nodes - 1, 0, true);
    return loss;
}

static real *gradients(const graph *g, size_t count)
{
    real *all = calloc(count, sizeof *all), *at = all;
    GRAPH_PARAMETERS(g, p)
    {
        memcpy(at, p->gradient, p->count * sizeof *at);
        at += p->count;
    }
    return all;
}

/* The same step twice: the same loss to the bit, and gradients that add up. */
static void check_repeat(const layer_case *c, const backend *be)
{
    built b = build(c, be, 3);
    objective *o;
    assert_int_equal(objective_create(&o, &b.graph, be, b.sobolev, c->name, &b.options, BATCH), STATUS_OK);
    size_t inputs = (size_t)BATCH * shape_count(b.graph.input), labels = (size_t)BATCH * objective_truth_count(o);
    size_t count = graph_parameter_count(&b.graph);
    real *x = be->allocate(inputs), *truth = be->allocate(labels);
    be->normal((random_stream){1, RANDOM_CHECK, 1}, 0, inputs, x);
    be->normal((random_stream){1, RANDOM_CHECK, 2}, 0, labels, truth);
    double first = accumulate(&b, o, x, truth);
    real *once = gradients(&b.graph, count);
    double second = accumulate(&b, o, x, truth);
    real *twice = gradients(&b.graph, count);
    assert_memory_equal(&first, &second, sizeof first);
    double scale = 0;
    for (size_t i = 0; i < count; ++i)
        scale += fabs((double)once[i]) / (double)count;
    assert_true(scale > 0);
    for (size_t i = 0; i < count; ++i)
        if (!(fabs((double)twice[i] - 2 * (double)once[i]) <= 64 * REAL_EPSILON * (fabs((double)once[i]) + scale)))
            fail_msg("[%s] %s on %s: parameter %zu: %g after one step, %g after two", c->layer, c->name, be->name, i, (double)once[i], (double)twice[i]);
    graph_clear_gradients(&b.graph, be);
    accumulate(&b, o, x, truth);
    real *again = gradients(&b.graph, count);
    assert_memory_equal(once, again, count * sizeof *once);
    free(once);
    free(twice);
    free(again);
    be->release(x);
    be->release(truth);
    objective_free(o);
    release(&b);
}

static void gradients_accumulate_and_repeat(void **state)
{
    (void)state;
    for (int i = 0; i < layer_case_count; ++i)
        for (const backend *const *be = backend_list; *be; ++be)
            check_repeat(&layer_cases[i], *be);
}

/* The scalar path gives the gradients of the general way. */
static void scalar_path_is_the_general_way(void **state)
{
    (void)state;
    int compared = 0;
    for (int i = 0; i < layer_case_count; ++i)
        for (const backend *const *be = backend_list; *be; ++be) {
            real *result[2] = {NULL, NULL};
            bool scalar[2];
            size_t count = 0;
            for (int fast = 0; fast < 2; ++fast) {
                setenv("DARKNET_EXT_FAST_PATHS", fast ? "1" : "0", 1);
                built b = build(&layer_cases[i], *be, 3);
                objective *o;
                assert_int_equal(objective_create(&o, &b.graph, *be, b.sobolev, "case", &b.options, BATCH), STATUS_OK);
                scalar[fast] = objective_takes_scalar_path(o);
                size_t inputs = (size_t)BATCH * shape_count(b.graph.input), labels = (size_t)BATCH * objective_truth_count(o);
                real *x = (*be)->allocate(inputs), *truth = (*be)->allocate(labels);
                (*be)->normal((random_stream){1, RANDOM_CHECK, 1}, 0, inputs, x);
                (*be)->normal((random_stream){1, RANDOM_CHECK, 2}, 0, labels, truth);
                accumulate(&b, o, x, truth);
                count = graph_parameter_count(&b.graph);
                result[fast] = gradients(&b.graph, count);
                (*be)->release(x);
                (*be)->release(truth);
                objective_free(o);
                release(&b);
            }
            double largest = 0;
            for (size_t k = 0; k < count; ++k)
                largest = fmax(largest, fabs((double)result[0][k]));
            for (size_t k = 0; k < count; ++k)
                assert_true(fabs((double)result[1][k] - (double)result[0][k]) <= 32 * REAL_EPSILON * largest);
            assert_false(scalar[0]);
            assert_int_equal(scalar[1], strstr(layer_cases[i].name, "scalar path") != NULL);
            compared += scalar[1];
            free(result[0]);
            free(result[1]);
        }
    assert_true(compared > 0);
    unsetenv("DARKNET_EXT_FAST_PATHS");
}

static int chosen_block;

static void choose_block(const convolution_shape *shape, int *x_block, int *y_block)
{
    *x_block = *y_block = chosen_block;
}

/* The backend with the convolutions of ref, which take any block. */
static backend backend_of_blocks(const backend *of, int block)
{
    const backend *ref = backend_open("ref");
    backend be = *of;
    be.convolution_blocks = choose_block;
    be.convolution_create = ref->convolution_create;
    be.convolution_free = ref->convolution_free;
    be.convolution_load = ref->convolution_load;
    be.convolution_forward = ref->convolution_forward;
    be.convolution_forward_slopes = ref->convolution_forward_slopes;
    be.convolution_forward_add = ref->convolution_forward_add;
    be.convolution_backward_data = ref->convolution_backward_data;
    be.convolution_backward_weights = ref->convolution_backward_weights;
    chosen_block = block;
    return be;
}

static real *gradients_in_blocks(const layer_case *c, const backend *of, int block, size_t *count)
{
    backend be = backend_of_blocks(of, block);
    built b = build(c, &be, 3);
    objective *o;
    assert_int_equal(objective_create(&o, &b.graph, &be, b.sobolev, c->name, &b.options, BATCH), STATUS_OK);
    size_t inputs = (size_t)BATCH * shape_count(b.graph.input), labels = (size_t)BATCH * objective_truth_count(o);
    real *x = be.allocate(inputs), *truth = be.allocate(labels);
    be.normal((random_stream){1, RANDOM_CHECK, 1}, 0, inputs, x);
    be.normal((random_stream){1, RANDOM_CHECK, 2}, 0, labels, truth);
    accumulate(&b, o, x, truth);
    *count = graph_parameter_count(&b.graph);
    real *result = gradients(&b.graph, *count);
    be.release(x);
    be.release(truth);
    objective_free(o);
    release(&b);
    return result;
}

/* Images in blocks of channels give the gradients of plain ones. A dropout mask is drawn in the order of memory: another one. */
static void blocks_change_nothing(void **state)
{
    static const int blocks[] = {2, 3, 8, 16};
    for (int i = 0; i < layer_case_count; ++i)
        for (const backend *const *be = backend_list; *be && !strstr(layer_cases[i].sections, "dropout"); ++be) {
            size_t count;
            real *plain = gradients_in_blocks(&layer_cases[i], *be, 1, &count);
            for (size_t k = 0; k < sizeof blocks / sizeof *blocks; ++k) {
                real *result = gradients_in_blocks(&layer_cases[i], *be, blocks[k], &count);
                double largest = 0;
                for (size_t n = 0; n < count; ++n)
                    largest = fmax(largest, fabs((double)plain[n]));
                for (size_t n = 0; n < count; ++n)
                    if (!(fabs((double)result[n] - (double)plain[n]) <= 32 * REAL_EPSILON * largest))
                        fail_msg("[%s] %s on %s: parameter %zu: %g in blocks of %d, %g plain", layer_cases[i].layer, layer_cases[i].name, (*be)->name, n,
                                 (double)result[n], blocks[k], (double)plain[n]);
                free(result);
            }
            free(plain);
        }
}

/* A smaller batch than the tape's is computed as if the tape had been made for it. */
static void smaller_batches_are_the_same(void **state)
{
    (void)state;
    const layer_case *c = &layer_cases[0];
    for (const backend *const *be = backend_list; *be; ++be) {
        built b = build(c, *be, 3);
        objective *o;
        b.options.order = 2;
        assert_int_equal(objective_create(&o, &b.graph, *be, b.sobolev, c->name, &b.options, 5 * BATCH), STATUS_OK);
        size_t inputs = (size_t)5 * BATCH * shape_count(b.graph.input), labels = (size_t)5 * BATCH * objective_truth_count(o);
        real *x = (*be)->allocate(inputs), *truth = (*be)->allocate(labels);
        (*be)->normal((random_stream){1, RANDOM_CHECK, 1}, 0, inputs, x);
        (*be)->normal((random_stream){1, RANDOM_CHECK, 2}, 0, labels, truth);
        tape_set_batch(objective_tape(o), BATCH);
        double small = accumulate(&b, o, x, truth);
        objective *fitting;
        built b2 = build(c, *be, 3);
        assert_int_equal(objective_create(&fitting, &b2.graph, *be, b2.sobolev, c->name, &b2.options, BATCH), STATUS_OK);
        double expected = accumulate(&b2, fitting, x, truth);
        assert_memory_equal(&small, &expected, sizeof small);
        (*be)->release(x);
        (*be)->release(truth);
        objective_free(o);
        objective_free(fitting);
        release(&b);
        release(&b2);
    }
}

/* [cost]: the printed cost and the gradient are the ones its head comment promises. */
static void cost_is_darknets(void **state)
{
    (void)state;
    static const double e[] = {.25, -.5, 3, -2, 0}; /* output minus label; the last label is masked in one case */
    static const struct {
        const char *keys;
        double cost, gradient[5];
    } cases[] = {
        {"type=sse\n", .0625 + .25 + 9 + 4, {.25, -.5, 3, -2, 0}},
        {"type=seg\nscale=2\n", .0625 + .25 + 9 + 4, {.5, -1, 6, -4, 0}},
        {"type=L1\n", .25 + .5 + 3 + 2, {1, -1, 1, -1, 0}},
        {"type=smooth\n", .0625 + .25 + 5 + 3, {.25, -.5, 1, -1, 0}},
        {"type=masked\nscale=.5\n", .0625 + .25 + 9 + 4, {.125, -.25, 1.5, -1, 0}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        for (const backend *const *be = backend_list; *be; ++be) {
            char text[512];
            config *c;
            graph g;
            tape t;
            snprintf(text, sizeof text, "[net]\ninputs=5\n[activation]\nactivation=linear\n[cost]\n%s", cases[i].keys);
            assert_int_equal(config_parse("cost", text, strlen(text), NULL, 0, print_line, NULL, &c), STATUS_OK);
            assert_int_equal(graph_build(&g, c, *be, NULL, NULL), STATUS_OK);
            assert_int_equal(tape_create(&t, &g, *be, 1, 0, 0, -1), STATUS_OK);
            real truth[5];
            for (int k = 0; k < 5; ++k) {
                t.x.data[k] = (real)(k + 1);
                truth[k] = (real)(k + 1 - e[k]);
            }
            if (strstr(cases[i].keys, "masked"))
                truth[4] = -1234;
            t.truth = truth;
            t.training = true;
            sweep_values(&t, 0, 1);
            assert_true(fabs(t.cost - cases[i].cost) <= 1e-5);
            sweep_adjoints(&t, 1, 1, true);
            for (int k = 0; k < 5; ++k)
                assert_true(fabs((double)tape_adjoint(&t, 0)->data[k] - cases[i].gradient[k]) <= 1e-5);
            tape_free(&t);
            graph_free(&g, *be);
            config_free(c);
        }
}

/* ---------------------------------------------------------------- layers with batch normalisation */

enum { NORMALISED_OUTPUTS = 2 * 4 * 4 };

static real *array_of(const graph *g, const char *name)
{
    GRAPH_ARRAYS(g, p)
    if (strcmp(p->name, name) == 0)
        return p->value;
    return NULL;
}

/* What the sections predict for an image of 3 x 2 x 2 numbers. The first array of each name holds numbers of its own; further weights are 1, and of
 * biases only the last are not 0. */
static void predict_normalised(const backend *be, const char *sections, real y[NORMALISED_OUTPUTS])
{
    static const char *const names[] = {"weights", "scales", "rolling_mean", "rolling_variance"};
    char text[512];
    config *c;
    graph g;
    tape t;
    snprintf(text, sizeof text, "[net]\nchannels=3\nheight=2\nwidth=2\n%s", sections);
    assert_int_equal(config_parse("normalised", text, strlen(text), NULL, 0, print_line, NULL, &c), STATUS_OK);
    assert_int_equal(graph_build(&g, c, be, NULL, NULL), STATUS_OK);
    GRAPH_ARRAYS(&g, p)
    if (strcmp(p->name, "biases") == 0 || strcmp(p->name, "weights") == 0)
        be->fill(p->count, p->name[0] == 'w', p->value);
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i)
        be->uniform((random_stream){1, RANDOM_CHECK, (uint32_t)i}, 0, i == 0 ? 24 : 2, i == 3 ? .5 : -1, i == 3 ? 2 : 1, array_of(&g, names[i]));
    real *biases = NULL;
    GRAPH_ARRAYS(&g, p)
    biases = strcmp(p->name, "biases") == 0 ? p->value : biases;
    biases[0] = (real).75;
    biases[1] = (real)-.5;
    assert_int_equal(tape_create(&t, &g, be, 1, 0, 0, -1), STATUS_OK);
    be->uniform((random_stream){2, RANDOM_CHECK, 0}, 0, 12, -1, 1, t.x.data);
    sweep_values(&t, 0, g.n_nodes - 1);
    const jet *out = tape_jet(&t, g.output_node);
    be->reorder(1, node_out_layout(&g.nodes[g.output_node]), out->data, 1, y, false);
    tape_free(&t);
    graph_free(&g, be);
    config_free(c);
}

/* In a prediction batch_normalize=1 is a [batchnorm] behind the layer, and what adds the biases behind that. */
static void batch_normalize_is_batchnorm(void **state)
{
    (void)state;
    static const char *const layers[] = {"[convolutional]\nfilters=2\nsize=2\npad=1\n", "[deconvolutional]\nfilters=2\nsize=2\nstride=2\n"};
    for (size_t i = 0; i < sizeof layers / sizeof *layers; ++i)
        for (const backend *const *be = backend_list; *be; ++be) {
            char in_one[256], apart[256];
            real got[NORMALISED_OUTPUTS] = {0}, want[NORMALISED_OUTPUTS] = {0};
            snprintf(in_one, sizeof in_one, "%sbatch_normalize=1\nactivation=tanh\n", layers[i]);
            snprintf(apart, sizeof apart, "%sactivation=linear\n[batchnorm]\n[convolutional]\nfilters=2\ngroups=2\nactivation=tanh\n", layers[i]);
            predict_normalised(*be, in_one, got);
            predict_normalised(*be, apart, want);
            assert_true(want[0] != 0);
            for (int k = 0; k < NORMALISED_OUTPUTS; ++k)
                if (!(fabs((double)(got[k] - want[k])) <= 1e-5))
                    fail_msg("%s on %s: output %d is %g, should be %g", layers[i], (*be)->name, k, (double)got[k], (double)want[k]);
        }
}

/* ---------------------------------------------------------------- what layers say about themselves */

/* Two operations for each product of the convolution, in whichever direction the layer uses it; one sample of one pixel has no variance; behind
 * relu there is no curvature. */
static void convolutions_know_themselves(void **state)
{
    (void)state;
    static const struct {
        const char *section;
        double cost;
        int least_batch;
        double deviation;
        bool zero_curvature;
    } cases[] = {
        {"[convolutional]\nfilters=4\nsize=2\nstride=1\nactivation=relu\n", 2. * (4 * 3 * 2 * 2) * (1 * 2), 1, .408248290463863, true},
        {"[convolutional]\nfilters=4\nsize=2\nstride=2\nbatch_normalize=1\n", 2. * (4 * 3 * 2 * 2) * (1 * 1), 2, .408248290463863, false},
        {"[deconvolutional]\nfilters=4\nsize=2\nstride=2\nactivation=relu\n", 2. * (3 * 4 * 2 * 2) * (2 * 3), 1, .08, true},
        {"[deconvolutional]\nfilters=4\nsize=1\nstride=3\nbatch_normalize=1\n", 2. * (3 * 4) * (2 * 3), 1, .02 * 28 / 6, false},
        {"[maxpool]\nsize=3\nstride=3\n[deconvolutional]\nfilters=4\nbatch_normalize=1\n", 2. * (3 * 4), 2, .02, false},
    };
    const backend *be = backend_list[0];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char text[256];
        config *c;
        graph g;
        snprintf(text, sizeof text, "[net]\nchannels=3\nheight=2\nwidth=3\n%s", cases[i].section);
        assert_int_equal(config_parse("cost", text, strlen(text), NULL, 0, print_line, NULL, &c), STATUS_OK);
        assert_int_equal(graph_build(&g, c, be, NULL, NULL), STATUS_OK);
        const graph_node *node = &g.nodes[g.n_nodes - 1];
        assert_true(node->type->row_cost(node) == cases[i].cost);
        assert_int_equal(node->type->least_batch(node), cases[i].least_batch);
        assert_int_equal(node->type->zero_curvature(node), cases[i].zero_curvature);
        assert_true(fabs(node->parameters[node->n_parameters - 1].initial_deviation - cases[i].deviation) <= 1e-12);
        graph_free(&g, be);
        config_free(c);
    }
}

enum { LABELS = 3 };

/* The section behind three inputs 1, 2, 3: its cost and what comes back to the inputs, ybar given from above. */
static double own_loss(const backend *be, const char *layer, const real *truth, const real *adj_y, real adj_x[LABELS])
{
    char text[256];
    config *c;
    graph g;
    tape t;
    snprintf(text, sizeof text, "[net]\ninputs=3\n[activation]\nactivation=linear\n%s", layer);
    assert_int_equal(config_parse("loss", text, strlen(text), NULL, 0, print_line, NULL, &c), STATUS_OK);
    assert_int_equal(graph_build(&g, c, be, NULL, NULL), STATUS_OK);
    assert_int_equal(tape_create(&t, &g, be, 1, 0, 0, -1), STATUS_OK);
    for (int k = 0; k < LABELS; ++k)
        t.x.data[k] = (real)(k + 1);
    t.truth = truth;
    t.training = true;
    sweep_values(&t, 0, 1);
    if (adj_y) {
        be->copy(LABELS, adj_y, tape_adjoint(&t, 1)->data);
        tape_seed_adjoint(&t, 1, HALF_LOW);
    }
    sweep_adjoints(&t, 1, 1, true);
    be->copy(LABELS, tape_adjoint(&t, 0)->data, adj_x);
    double cost = t.cost;
    tape_free(&t);
    graph_free(&g, be);
    config_free(c);
    return cost;
}

/* With labels, [softmax] and [logistic] are losses, and what comes from above is added as it is; without, they are functions. */
static void softmax_and_logistic_are_losses_too(void **state)
{
    (void)state;
    static const double softmax[] = {.09003057317038046, .24472847105479764, .6652409557748219};
    static const double logistic[] = {.7310585786300049, .8807970779778823, .9525741268224334};
    static const struct {
        const char *section;
        bool labels, from_above;
        double cost;
    } cases[] = {
        {"[softmax]\n", true, false, 1.4076059644443804 + .4076059644443804},
        {"[softmax]\n", true, true, 1.4076059644443804 + .4076059644443804},
        {"[softmax]\n", false, true, 0},
        {"[softmax]\nnoloss=1\n", true, true, 0},
        {"[logistic]\n", true, false, .5 * .3132616875182228 + .5 * 1.3132616875182228 + .1269280110429726 + .25 * .04858735157374206 + .75 * 3.048587351573742},
        {"[logistic]\n", true, true, .5 * .3132616875182228 + .5 * 1.3132616875182228 + .1269280110429726 + .25 * .04858735157374206 + .75 * 3.048587351573742},
        {"[logistic]\n", false, true, 0},
    };
    static const real truth_of_softmax[] = {0, 1, .25}, truth_of_logistic[] = {.5, 1, .25}, above[] = {.5, -1, 2};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i)
        for (const backend *const *be = backend_list; *be; ++be) {
            const bool is_softmax = strncmp(cases[i].section, "[softmax]", 9) == 0, loss = cases[i].labels && !strstr(cases[i].section, "noloss");
            const double *p = is_softmax ? softmax : logistic;
            const real *truth = is_softmax ? truth_of_softmax : truth_of_logistic;
            real adj[LABELS];
            double cost = own_loss(*be, cases[i].section, cases[i].labels ? truth : NULL, cases[i].from_above ? above : NULL, adj);
            assert_true(fabs(cost - cases[i].cost) <= 1e-5);
            double mean = 0;
            for (int k = 0; k < LABELS; ++k)
                mean += p[k] * (double)above[k];
            for (int k = 0; k < LABELS; ++k) {
                const double passed = cases[i].from_above ? (double)above[k] : 0;
                const double slope = is_softmax ? p[k] * ((double)above[k] - mean) : p[k] * (1 - p[k]) * (double)above[k];
                assert_true(fabs((double)adj[k] - (loss ? p[k] - (double)truth[k] + passed : slope)) <= 1e-5);
            }
        }
}

static void every_layer_has_a_case(void **state)
{
    (void)state;
    for (const layer_type *const *type = layer_list; *type; ++type) {
        int best = -1;
        for (int i = 0; i < layer_case_count; ++i)
            if (strcmp(layer_cases[i].layer, (*type)->spec->name) == 0 && layer_cases[i].order > best)
                best = layer_cases[i].order;
        if (best < (*type)->max_order)
            fail_msg("layer_cases.c has no case of [%s] at order %d", (*type)->spec->name, (*type)->max_order);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_has_a_case),
        cmocka_unit_test(derivatives_are_right),
        cmocka_unit_test(gradients_accumulate_and_repeat),
        cmocka_unit_test(scalar_path_is_the_general_way),
        cmocka_unit_test(blocks_change_nothing),
        cmocka_unit_test(smaller_batches_are_the_same),
        cmocka_unit_test(cost_is_darknets),
        cmocka_unit_test(batch_normalize_is_batchnorm),
        cmocka_unit_test(convolutions_know_themselves),
        cmocka_unit_test(softmax_and_logistic_are_losses_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
