/* Jets, Sobolev losses and their parameter gradients against an independent autodiff: golden/make_golden.py describes the
 * cases and their file format. And engine/targets.c: a network that is its own target has no loss.
 *     test_golden 'ref heads cross_entropy_zero_order2_full'        one case; wildcards work */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/environment.h"
#include "golden_file.h"
#include "objective_fixture.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#ifdef DNX_DOUBLE
static const double direction_tolerance = 1e-14; /* the files have 15 digits */
#else
static const double direction_tolerance = 4 * FLT_EPSILON; /* drawn in double, rounded twice */
#endif

/* ---------------------------------------------------------------- golden cases */

static const char *const golden_files[] = {"activations", "losses", "heads", "segments", "weights", "projections", "scalar_path",
                                           "probabilities", "channels", "convolutions", "residual", "batchnorm", "choices"};

/* ---------------------------------------------------------------- golden test */

/* The labels of a sample follow each other: value, Jacobian, Hessian. */
static void fill_labels(trial *t, const golden_case *c)
{
    size_t stride = objective_truth_count(t->objective), at = 0;
    for (int order = 0; at < stride; order++) {
        char name[32];
        snprintf(name, sizeof name, "labels_%d", order);
        const array *a = get_array(c, name);
        size_t count = a->count / (size_t)t->batch;
        for (size_t b = 0; b < (size_t)t->batch; b++)
            for (size_t i = 0; i < count; i++)
                t->labels[b * stride + at + i] = (real)a->values[b * count + i];
        at += count;
    }
    assert_int_equal(at, stride);
}

static void fill_parameters(trial *t, const golden_case *c)
{
    GRAPH_ARRAYS(&t->graph, p) fill(p->value, parameter_array(c, "", &t->graph.nodes[node_], p), p->count);
}

/* got: n blocks of numbers, each `repeats` times in a row; in the file once. */
static void expect_blocks(const golden_case *c, const char *name, const real *got, int n, int repeats, size_t block,
                          double relative)
{
    const array *want = get_array(c, name);
    assert_int_equal(want->count, (size_t)n * block);
    for (size_t i = 0; i < (size_t)(n * repeats); i++)
        expect_array(name, got + i * block, want->values + i / (size_t)repeats * block, block, relative);
}

/* With order 2 each v1 stands beside each of its v2, and so does g. */
static void expect_jets(const trial *t, const golden_case *c)
{
    int last = jet_components(t->order) - 1;
    size_t batch = (size_t)t->batch, block = batch * t->segment->count;
    expect_blocks(c, "outputs", tape_jet(t->tape, t->graph.output_node)->data, 1, 1, batch * t->outputs, tolerance);
    if (t->order == 0)
        return;
    expect_blocks(c, "directions_1", jet_component(t->adj_top, last), t->n_1, t->n_2, batch * t->adj_top->count,
                  direction_tolerance);
    expect_blocks(c, "gradient", jet_component(t->adj_segment, last), t->n_1, t->n_2, block, tolerance);
    if (t->order == 1)
        return;
    expect_blocks(c, "directions_2", jet_component(t->segment, 1), t->n_1 * t->n_2, 1, block, direction_tolerance);
    expect_blocks(c, "hessian", jet_component(t->adj_segment, 2), t->n_1 * t->n_2, 1, block, tolerance);
}

/* The file has the losses of each sample. */
static void expect_losses(const trial *t, const golden_case *c, int batch, objective_losses got)
{
    static const char *const names[] = {"loss", "loss of order 1", "loss of order 2"};
    const array *losses = get_array(c, "losses");
    int n_orders = t->order + 1;
    double total = 0;
    assert_int_equal(losses->count, t->batch * n_orders);
    for (int order = 0; order <= JET_MAX_ORDER; order++) {
        double sum = 0;
        for (int b = 0; order < n_orders && b < batch; b++)
            sum += losses->values[b * n_orders + order];
        expect_number(names[order], got.order[order], sum);
        total += sum;
    }
    expect_number("total loss", got.total, total);
}

static void expect_parameter_gradients(const trial *t, const golden_case *c)
{
    GRAPH_PARAMETERS(&t->graph, p)
    {
        const array *want = parameter_array(c, "gradient_", &t->graph.nodes[node_], p);
        expect_array(want->name, p->gradient, want->values, p->count, tolerance);
    }
}

typedef struct golden_test {
    const backend *be;
    const golden_case *c;
    char name[160];
} golden_test;

/* First with another batch size and step, so that whatever an earlier step leaves behind would show. Returns whether the
 * scalar path was taken. */
static bool expect_case(const backend *be, const golden_case *c)
{
    trial t;
    trial_open(&t, be, c->cfg);
    fill(t.x, get_array(c, "inputs"), (size_t)t.batch * t.inputs);
    fill_labels(&t, c);
    fill_parameters(&t, c);
    if (t.batch > 1) {
        objective_losses fewer = trial_forward(&t, t.batch - 1, c->seed, c->step);
        bool coupled = graph_has_statistics(&t.graph) || objective_get_options(t.objective)->target == TARGET_FLIP;
        if (!coupled) /* else the samples depend on each other */
            expect_losses(&t, c, t.batch - 1, fewer);
        trial_backward(&t);
    }
    trial_forward(&t, t.batch, c->seed + 1, c->step + 1);
    trial_backward(&t);
    objective_losses losses = trial_forward(&t, t.batch, c->seed, c->step);
    expect_jets(&t, c);
    expect_losses(&t, c, t.batch, losses);
    trial_backward(&t);
    expect_parameter_gradients(&t, c);
    bool scalar_path = objective_takes_scalar_path(t.objective);
    trial_close(&t);
    return scalar_path;
}

static void golden_case_agrees(void **state)
{
    const golden_test *test = *state;
    bool scalar_path = expect_case(test->be, test->c);
    if (strcmp(test->c->file, "scalar_path") == 0) {
        assert_true(scalar_path);
        setenv(ENVIRONMENT_FAST_PATHS, "0", 1);
        assert_false(expect_case(test->be, test->c));
        unsetenv(ENVIRONMENT_FAST_PATHS);
    }
    assert_no_failures();
}

/* ---------------------------------------------------------------- a network is its own target */

#ifdef DNX_DOUBLE

enum {
    OWN_BATCH = 3,
    OWN_INPUTS = 3,
    OWN_OUTPUTS = 4,
    OWN_JACOBIAN = OWN_OUTPUTS, /* where it begins among the labels of a sample */
    OWN_HESSIAN = OWN_JACOBIAN + OWN_OUTPUTS * OWN_INPUTS,
    OWN_LABELS = OWN_HESSIAN + OWN_OUTPUTS * OWN_INPUTS * OWN_INPUTS
};

typedef real own_labels[OWN_BATCH][OWN_LABELS];

static void own_open(trial *t, const backend *be, const char *keys)
{
    char cfg[1024];
    snprintf(cfg, sizeof cfg,
             "[net]\ninputs=3\nbatch=3\n[connected]\noutput=6\nactivation=tanh\n[connected]\noutput=5\nactivation=swish\n"
             "[connected]\noutput=4\nactivation=linear\n[sobolev]\n%s", keys);
    trial_open(t, be, cfg);
    graph_initialise(&t->graph, be, 11);
    random_normal((random_stream){12, RANDOM_CHECK, 0}, 0, OWN_BATCH * OWN_INPUTS, t->x);
}

/* The network's outputs, Jacobian and Hessians from the tape. */
static void own_measure(const backend *be, own_labels labels)
{
    trial t;
    own_open(&t, be, "order=2\n");
    trial_forward(&t, OWN_BATCH, 0, 0);
    const real *m = tape_jet(t.tape, t.graph.output_node)->data;
    const real *g = jet_component(t.adj_segment, 3), *q = jet_component(t.adj_segment, 2);
    for (int b = 0; b < OWN_BATCH; b++)
        for (int k = 0; k < OWN_OUTPUTS; k++) {
            labels[b][k] = m[b * OWN_OUTPUTS + k];
            for (int i = 0; i < OWN_INPUTS; i++) { /* v1 is unit vector k, v2 unit vector i: row i of the Hessian of output k */
                const int entry = k * OWN_INPUTS + i, row = (entry * OWN_BATCH + b) * OWN_INPUTS;
                labels[b][OWN_JACOBIAN + entry] = g[row + i];
                be->copy(OWN_INPUTS, q + row, &labels[b][OWN_HESSIAN + entry * OWN_INPUTS]);
            }
        }
    trial_close(&t);
}

/* The losses when each label is off by another multiple of `shift`. */
static objective_losses own_losses(const backend *be, const char *keys, own_labels labels, real shift)
{
    trial t;
    own_open(&t, be, keys);
    size_t stride = objective_truth_count(t.objective);
    for (size_t b = 0; b < OWN_BATCH; b++)
        for (size_t i = 0; i < stride; i++)
            t.labels[b * stride + i] = labels[b][i] + shift * (real)(i % 5);
    objective_losses losses = trial_forward(&t, OWN_BATCH, 3, 5);
    trial_close(&t);
    return losses;
}

/* The loss l1 forgives an error the least. The shifted labels show that there is something to lose. */
static void own_expect(const backend *be, int order, const char *keys, own_labels labels)
{
    const objective_losses zero = own_losses(be, keys, labels, 0), shifted = own_losses(be, keys, labels, 1e-3);
    for (int k = 0; k <= order; k++) {
        if (zero.order[k] <= 1e-11 && shifted.order[k] >= 1e-4)
            continue;
        failures++;
        print_error("%s: loss of order %d is %.3g with own labels, %.3g with shifted ones\n%s", be->name, k, zero.order[k],
                    shifted.order[k], keys);
    }
}

static const char *const own_heads[] = {"output", "log_probabilities", "loss\nobjective_loss=squared_error",
                                        "loss\nobjective_loss=cross_entropy"};
static const char *const own_kinds[] = {"sphere", "rademacher", "gaussian", "coordinate"};
static const int own_projections[][2] = {{0, 0}, {2, 0}, {0, 2}, {3, 2}};

static void own_head_expect(const backend *be, const char *head, const char *kind, own_labels labels)
{
    for (int order = 1; order <= 2; order++)
        for (size_t i = 0; i < COUNT_OF(own_projections); i++) {
            char keys[256];
            snprintf(keys, sizeof keys, "order=%d\n%sdifferentiate=%s\nprojection=%s\nprojections=%d\nprojections_2=%d\n", order,
                     "loss=l1\nloss_1=l1\nloss_2=l1\n", head, kind, own_projections[i][0], own_projections[i][1]);
            own_expect(be, order, keys, labels);
        }
}

static void a_network_is_its_own_target(void **state)
{
    own_labels labels;
    for (const backend *const *be = backend_list; *be; be++) {
        own_measure(*be, labels);
        for (size_t head = 0; head < COUNT_OF(own_heads); head++)
            for (size_t kind = 0; kind < COUNT_OF(own_kinds); kind++)
                own_head_expect(*be, own_heads[head], own_kinds[kind], labels);
    }
    assert_no_failures();
}

#endif

/* ---------------------------------------------------------------- all of it */

/* Every case on every backend, then what else there is. */
static int run_all(void)
{
    size_t n_backends = 0, n = 0;
    while (backend_list[n_backends])
        n_backends++;
    golden_test golden[n_backends * (size_t)n_cases];
    struct CMUnitTest tests[n_backends * (size_t)n_cases + 1];
    for (size_t i = 0; i < n_backends * (size_t)n_cases; i++) {
        const golden_case *c = &cases[i % (size_t)n_cases];
        if (strcmp(c->build, other_build) == 0)
            continue;
        golden_test *test = &golden[n];
        *test = (golden_test){.be = backend_list[i / (size_t)n_cases], .c = c};
        snprintf(test->name, sizeof test->name, "%s %s %s", test->be->name, c->file, c->name);
        tests[n++] = (struct CMUnitTest){.name = test->name, .test_func = golden_case_agrees, .initial_state = test};
    }
#ifdef DNX_DOUBLE
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_network_is_its_own_target);
#endif
    return _cmocka_run_group_tests("golden", tests, n, NULL, NULL);
}

int main(int argc, char **argv)
{
    for (size_t i = 0; i < COUNT_OF(golden_files); i++)
        read_golden_file(golden_files[i]);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return run_all() > 0; /* an exit status of 256 failures would be 0 */
}
