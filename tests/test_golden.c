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

#include "config/reader.h"
#include "layers/sobolev.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#ifdef DNX_DOUBLE
static const char other_build[] = "float";
static const double tolerance = 1e-10;
#else
static const char other_build[] = "double";
static const double tolerance = 2e-5;
#endif
static const double direction_tolerance = 8 * REAL_EPSILON; /* drawn in double, rounded once or twice */

/* ---------------------------------------------------------------- golden cases */

static const char *const golden_files[] = {"activations", "losses", "heads", "segments", "weights", "projections"};

enum { MAX_ARRAYS = 40, MAX_CASES = 400, MAX_CFG = 1024 };

typedef struct array {
    char name[32];
    size_t count;
    double *values;
} array;

typedef struct golden_case {
    const char *file;
    char name[64], build[8], cfg[MAX_CFG];
    unsigned long seed, step;
    array arrays[MAX_ARRAYS];
    int n_arrays;
} golden_case;

static golden_case cases[MAX_CASES];
static int n_cases;

static void require(bool holds, const char *file, const char *name, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "golden/sobolev_%s.txt, case %s: %s\n", file, name, what);
    exit(1);
}

static void read_cfg(FILE *in, golden_case *c)
{
    char line[128];
    while (fgets(line, sizeof line, in) && strcmp(line, ".\n") != 0) {
        require(strlen(c->cfg) + strlen(line) < sizeof c->cfg, c->file, c->name, "cfg is too long");
        strcat(c->cfg, line);
    }
}

static void read_array(FILE *in, golden_case *c, const char *name)
{
    require(c->n_arrays < MAX_ARRAYS, c->file, c->name, "too many arrays");
    array *a = &c->arrays[c->n_arrays++];
    snprintf(a->name, sizeof a->name, "%s", name);
    require(fscanf(in, "%zu", &a->count) == 1, c->file, c->name, "count of an array");
    a->values = calloc(a->count + 1, sizeof *a->values);
    require(a->values != NULL, c->file, c->name, "memory");
    for (size_t i = 0; i < a->count; i++)
        require(fscanf(in, "%lf", &a->values[i]) == 1, c->file, c->name, name);
}

/* False at the end of the file. */
static bool read_case(FILE *in, const char *file, golden_case *c)
{
    char word[32];
    *c = (golden_case){.file = file};
    if (fscanf(in, " case %63s", c->name) != 1)
        return false;
    require(fscanf(in, " build %7s random %lu %lu cfg ", c->build, &c->seed, &c->step) == 3, file, c->name, "head");
    read_cfg(in, c);
    while (fscanf(in, "%31s", word) == 1 && strcmp(word, "end") != 0)
        read_array(in, c, word);
    require(!feof(in), file, c->name, "has no end");
    return true;
}

static void free_case(golden_case *c)
{
    for (int i = 0; i < c->n_arrays; i++)
        free(c->arrays[i].values);
}

static void read_golden_file(const char *file)
{
    char path[512];
    snprintf(path, sizeof path, TEST_DIR "/golden/sobolev_%s.txt", file);
    FILE *in = fopen(path, "r");
    require(in && fscanf(in, "#%*[^\n]") == 0, file, "", "cannot be read");
    int before = n_cases;
    while (n_cases < MAX_CASES && read_case(in, file, &cases[n_cases])) {
        if (strcmp(cases[n_cases].build, other_build) == 0)
            free_case(&cases[n_cases]);
        else
            n_cases++;
    }
    require(feof(in) && n_cases > before, file, "", "is not a list of cases, or too long a one");
    fclose(in);
}

/* NULL when the case has none. */
static const array *find_array(const golden_case *c, const char *name)
{
    for (int i = 0; i < c->n_arrays; i++)
        if (strcmp(c->arrays[i].name, name) == 0)
            return &c->arrays[i];
    return NULL;
}

static const array *get_array(const golden_case *c, const char *name)
{
    const array *a = find_array(c, name);
    require(a != NULL, c->file, c->name, name);
    return a;
}

/* The array that belongs to a parameter: "weights_2", "gradient_biases_0". */
static const array *parameter_array(const golden_case *c, const char *prefix, const graph_node *node, const parameter *p)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s_%d", prefix, p->name, node->index);
    const array *a = get_array(c, name);
    assert_int_equal(a->count, p->count);
    return a;
}

/* ---------------------------------------------------------------- comparing */

static int failures;

static void assert_no_failures(void)
{
    int count = failures;
    failures = 0;
    assert_int_equal(count, 0);
}

/* Entries of one array share a scale, the largest; NaN fails. */
static void expect_array(const char *what, const real *got, const double *want, size_t count, double relative)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - want[i]);
        if (error <= relative * largest)
            continue;
        failures++;
        print_error("%s[%zu] is %.17g, should be %.17g: off by %.2g of the largest entry\n", what, i, (double)got[i], want[i], error / largest);
        return;
    }
}

static void expect_number(const char *what, double got, double want)
{
    if (fabs(got - want) <= tolerance * fabs(want))
        return;
    failures++;
    print_error("%s is %.17g, should be %.17g: off by %.2g\n", what, got, want, fabs(got - want) / fabs(want));
}

/* ---------------------------------------------------------------- a network with its objective */

typedef struct trial {
    const backend *be;
    config *config;
    graph graph;
    objective *objective;
    tape *tape;
    int order, top, batch; /* top: node that is differentiated */
    size_t inputs, outputs;
    int n_1, n_2;          /* directions v1, and v2 of each */
    real *x, *labels;
} trial;

static void print_message(void *context, const char *line)
{
    print_error("%s\n", line);
}

static trial trial_open(const backend *be, const char *cfg)
{
    trial t = {.be = be};
    assert_int_equal(config_parse("golden", cfg, strlen(cfg), NULL, 0, print_message, NULL, &t.config), STATUS_OK);
    assert_int_equal(graph_build(&t.graph, t.config, be, NULL, NULL), STATUS_OK);
    const section *where = config_section(t.config, "sobolev");
    objective_options options = sobolev_read_options(where);
    t.batch = (int)option_integer(&t.config->sections[0], "batch");
    if (objective_create(&t.objective, &t.graph, be, where, "golden", &options, t.batch) != STATUS_OK)
        fail_msg("%s", status_text());
    t.tape = objective_tape(t.objective);
    t.order = options.order;
    t.top = graph_top(&t.graph);
    t.inputs = shape_count(t.graph.input);
    t.outputs = shape_count(t.graph.nodes[t.graph.output_node].out);
    size_t top_count = tape_adjoint(t.tape, t.top)->count, segment_inputs = tape_jet(t.tape, options.wrt)->count;
    t.n_1 = options.projections > 0 ? options.projections : (int)top_count;
    t.n_2 = options.order < 2 ? 1 : options.projections_2 > 0 ? options.projections_2 : (int)segment_inputs;
    t.x = be->allocate((size_t)t.batch * t.inputs);
    t.labels = be->allocate((size_t)t.batch * objective_truth_count(t.objective));
    assert_non_null(t.x);
    assert_non_null(t.labels);
    return t;
}

static void trial_close(trial *t)
{
    t->be->release(t->x);
    t->be->release(t->labels);
    objective_free(t->objective);
    graph_free(&t->graph, t->be);
    config_free(t->config);
}

/* One step on the first `batch` samples up to the losses. */
static objective_losses trial_forward(trial *t, int batch, uint64_t seed, uint64_t step)
{
    tape_set_batch(t->tape, batch);
    t->be->copy((size_t)batch * t->inputs, t->x, t->tape->x.data);
    objective_begin(t->objective, t->labels, true, seed, step);
    sweep_values(t->tape, 0, t->graph.n_nodes - 1);
    return objective_forward(t->objective);
}

static void trial_backward(trial *t)
{
    graph_clear_gradients(&t->graph, t->be);
    objective_backward(t->objective);
    sweep_adjoints(t->tape, t->graph.n_nodes - 1, 0, true);
}

/* What the upper half of the segment input's adjoint holds after the forward step: g and q, [n_1 * n_2][batch][inputs]. */
static const real *trial_gradient(trial *t)
{
    return jet_component(tape_adjoint(t->tape, objective_get_options(t->objective)->wrt), jet_components(t->order) - 1);
}

static const real *trial_hessian(trial *t)
{
    return jet_component(tape_adjoint(t->tape, objective_get_options(t->objective)->wrt), 2);
}

/* ---------------------------------------------------------------- golden test */

static void fill(real *out, const array *from, size_t count)
{
    assert_int_equal(from->count, count);
    for (size_t i = 0; i < count; i++)
        out[i] = (real)from->values[i];
}

/* The labels of a sample follow each other: value, Jacobian, Hessian. */
static void fill_labels(trial *t, const golden_case *c)
{
    size_t stride = objective_truth_count(t->objective), at = 0;
    for (int order = 0; at < stride; order++) {
        char name[16];
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
    for (int i = 0; i < t->graph.n_nodes; i++)
        for (int k = 0; k < t->graph.nodes[i].n_parameters; k++) {
            parameter *p = &t->graph.nodes[i].parameters[k];
            fill(p->value, parameter_array(c, "", &t->graph.nodes[i], p), p->count);
        }
}

/* got: [n_1 * n_2][batch][count], where each v1 stands n_2 times; want: [n_1][batch][count]. */
static void expect_repeated(const trial *t, const golden_case *c, const char *name, const real *got, size_t count, double relative)
{
    const array *want = get_array(c, name);
    size_t block = (size_t)t->batch * count;
    assert_int_equal(want->count, (size_t)t->n_1 * block);
    for (size_t i = 0; i < (size_t)(t->n_1 * t->n_2); i++)
        expect_array(name, got + i * block, want->values + i / (size_t)t->n_2 * block, block, relative);
}

static void expect_directions(trial *t, const golden_case *c)
{
    if (t->order == 0)
        return;
    const jet *seed = tape_adjoint(t->tape, t->top), *x = tape_jet(t->tape, objective_get_options(t->objective)->wrt);
    expect_repeated(t, c, "directions_1", jet_component(seed, jet_components(t->order) - 1), seed->count, direction_tolerance);
    if (t->order < 2)
        return;
    const array *v2 = get_array(c, "directions_2");
    assert_int_equal(v2->count, jet_rows(x, 1) * x->count);
    expect_array("directions_2", jet_component(x, 1), v2->values, v2->count, direction_tolerance);
}

static void expect_jets(trial *t, const golden_case *c)
{
    const array *outputs = get_array(c, "outputs");
    assert_int_equal(outputs->count, (size_t)t->batch * t->outputs);
    expect_array("outputs", tape_jet(t->tape, t->graph.output_node)->data, outputs->values, outputs->count, tolerance);
    if (t->order == 0)
        return;
    const jet *x = tape_jet(t->tape, objective_get_options(t->objective)->wrt);
    expect_repeated(t, c, "gradient", trial_gradient(t), x->count, tolerance);
    if (t->order < 2)
        return;
    const array *hessian = get_array(c, "hessian");
    assert_int_equal(hessian->count, jet_rows(x, 2) * x->count);
    expect_array("hessian", trial_hessian(t), hessian->values, hessian->count, tolerance);
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
    for (int i = 0; i < t->graph.n_nodes; i++)
        for (int k = 0; k < t->graph.nodes[i].n_parameters; k++) {
            const parameter *p = &t->graph.nodes[i].parameters[k];
            const array *want = parameter_array(c, "gradient_", &t->graph.nodes[i], p);
            expect_array(want->name, p->gradient, want->values, p->count, tolerance);
        }
}

typedef struct golden_test {
    const backend *be;
    const golden_case *c;
    char name[160];
} golden_test;

/* First with another batch size and step, so that whatever an earlier step leaves behind would show. */
static void golden_case_agrees(void **state)
{
    const golden_test *test = *state;
    const golden_case *c = test->c;
    trial t = trial_open(test->be, c->cfg);
    fill(t.x, get_array(c, "inputs"), (size_t)t.batch * t.inputs);
    fill_labels(&t, c);
    fill_parameters(&t, c);
    if (t.batch > 1) {
        expect_losses(&t, c, t.batch - 1, trial_forward(&t, t.batch - 1, c->seed, c->step));
        trial_backward(&t);
    }
    trial_forward(&t, t.batch, c->seed + 1, c->step + 1);
    trial_backward(&t);
    objective_losses losses = trial_forward(&t, t.batch, c->seed, c->step);
    expect_directions(&t, c);
    expect_jets(&t, c);
    expect_losses(&t, c, t.batch, losses);
    trial_backward(&t);
    expect_parameter_gradients(&t, c);
    trial_close(&t);
    assert_no_failures();
}

/* ---------------------------------------------------------------- a network is its own target */

#ifdef DNX_DOUBLE

enum { OWN_BATCH = 3, OWN_INPUTS = 3, OWN_OUTPUTS = 4 };
static const char own_network[] = "[net]\ninputs=3\nbatch=3\n"
                                  "[connected]\noutput=6\nactivation=tanh\n[connected]\noutput=5\nactivation=swish\n"
                                  "[connected]\noutput=4\nactivation=linear\n[sobolev]\n%s";

static const char *const own_heads[] = {
    "differentiate=output\n",
    "differentiate=log_probabilities\n",
    "differentiate=loss\nobjective_loss=squared_error\n",
    "differentiate=loss\nobjective_loss=cross_entropy\n",
};

static const char *const own_projections[] = {
    "",
    "projections=2\nprojection=sphere\n",
    "projections=2\nprojection=rademacher\n",
    "projections=2\nprojection=gaussian\n",
    "projections=2\nprojection=coordinate\n",
    "projections_2=2\nprojection=sphere\n",
    "projections_2=2\nprojection=rademacher\n",
    "projections_2=2\nprojection=gaussian\n",
    "projections_2=2\nprojection=coordinate\n",
    "projections=3\nprojections_2=2\nprojection=sphere\n",
    "projections=3\nprojections_2=2\nprojection=rademacher\n",
    "projections=3\nprojections_2=2\nprojection=gaussian\n",
    "projections=3\nprojections_2=2\nprojection=coordinate\n",
};

static trial own_open(const backend *be, const char *keys)
{
    char cfg[1024];
    snprintf(cfg, sizeof cfg, own_network, keys);
    trial t = trial_open(be, cfg);
    graph_initialise(&t.graph, be, 11);
    random_normal((random_stream){12, RANDOM_CHECK, 0}, 0, OWN_BATCH * OWN_INPUTS, t.x);
    for (int i = 0; i < 3; i++)
        random_normal((random_stream){13, RANDOM_CHECK, (uint32_t)i}, 0, t.graph.nodes[i].out.channels, t.graph.nodes[i].parameters[0].value);
    return t;
}

enum {
    OWN_JACOBIAN = OWN_OUTPUTS,
    OWN_HESSIAN = OWN_JACOBIAN + OWN_OUTPUTS * OWN_INPUTS,
    OWN_LABELS = OWN_HESSIAN + OWN_OUTPUTS * OWN_INPUTS * OWN_INPUTS
};

/* The network's outputs, Jacobian and Hessians from the tape, in the order of labels. */
static void own_labels(const backend *be, real labels[OWN_BATCH][OWN_LABELS])
{
    trial t = own_open(be, "order=2\n");
    trial_forward(&t, OWN_BATCH, 0, 0);
    const real *m = tape_jet(t.tape, t.graph.output_node)->data, *g = trial_gradient(&t), *q = trial_hessian(&t);
    for (int b = 0; b < OWN_BATCH; b++)
        for (int k = 0; k < OWN_OUTPUTS; k++) {
            labels[b][k] = m[b * OWN_OUTPUTS + k];
            for (int i = 0; i < OWN_INPUTS; i++) { /* v2 = unit vector i, v1 = unit vector k: row i of the Hessian of output k */
                const size_t row = (size_t)((k * OWN_INPUTS + i) * OWN_BATCH + b) * OWN_INPUTS;
                labels[b][OWN_JACOBIAN + k * OWN_INPUTS + i] = g[row + (size_t)i];
                be->copy(OWN_INPUTS, q + row, &labels[b][OWN_HESSIAN + (k * OWN_INPUTS + i) * OWN_INPUTS]);
            }
        }
    trial_close(&t);
}

/* The losses when all labels are off by `shift`. */
static objective_losses own_losses(const backend *be, const char *keys, real labels[OWN_BATCH][OWN_LABELS], real shift)
{
    trial t = own_open(be, keys);
    size_t stride = objective_truth_count(t.objective);
    for (size_t b = 0; b < OWN_BATCH; b++)
        for (size_t i = 0; i < stride; i++)
            t.labels[b * stride + i] = labels[b][i] + shift;
    objective_losses losses = trial_forward(&t, OWN_BATCH, 3, 5);
    trial_close(&t);
    return losses;
}

/* l1 is the loss that forgives an error the least. The shifted labels show that there is something to lose. */
static void own_expect(const backend *be, int order, const char *head, const char *projection, real labels[OWN_BATCH][OWN_LABELS])
{
    char keys[512];
    snprintf(keys, sizeof keys, "order=%d\nloss=l1\nloss_1=l1\n%s%s%s", order, order > 1 ? "loss_2=l1\n" : "", head, projection);
    const objective_losses zero = own_losses(be, keys, labels, 0), shifted = own_losses(be, keys, labels, (real)1e-3);
    for (int k = 0; k <= order; k++)
        if (!(zero.order[k] <= 1e-11) || !(shifted.order[k] >= 1e-4)) {
            failures++;
            print_error("%s: loss of order %d is %.3g with its own labels, %.3g with shifted ones\n[sobolev]\n%s", be->name, k, zero.order[k],
                        shifted.order[k], keys);
        }
}

static void a_network_is_its_own_target(void **state)
{
    real labels[OWN_BATCH][OWN_LABELS];
    for (const backend *const *be = backend_list; *be; be++) {
        own_labels(*be, labels);
        for (size_t head = 0; head < COUNT_OF(own_heads); head++)
            for (size_t i = 0; i < COUNT_OF(own_projections); i++)
                for (int order = strstr(own_projections[i], "projections_2") ? 2 : 1; order <= 2; order++)
                    own_expect(*be, order, own_heads[head], own_projections[i], labels);
    }
    assert_no_failures();
}

#endif

/* ---------------------------------------------------------------- all of it */

static int run_tests(void)
{
    size_t n_backends = 0, n = 0;
    while (backend_list[n_backends])
        n_backends++;
    golden_test golden[n_backends * (size_t)n_cases];
    struct CMUnitTest tests[n_backends * (size_t)n_cases + 1];
    for (size_t i = 0; i < n_backends; i++)
        for (int k = 0; k < n_cases; k++, n++) {
            golden[n] = (golden_test){.be = backend_list[i], .c = &cases[k]};
            snprintf(golden[n].name, sizeof golden[n].name, "%s %s %s", backend_list[i]->name, cases[k].file, cases[k].name);
            tests[n] = (struct CMUnitTest){.name = golden[n].name, .test_func = golden_case_agrees, .initial_state = &golden[n]};
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
    int result = run_tests();
    for (int i = 0; i < n_cases; i++)
        free_case(&cases[i]);
    return result;
}
