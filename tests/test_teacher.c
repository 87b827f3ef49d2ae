/* A teacher in place of labels: what it teaches is what labels with its derivatives would teach, a student that equals it has nothing to learn, and
 * the gradients of the loss are those of differences, hints and labels beside it included. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "check/gradient_check.h"
#include "objective_fixture.h"

enum { BATCH = 5, INPUTS = 3, OUTPUTS = 4, MASTER_SEED = 11 };

#ifdef DNX_DOUBLE
static const double tolerance = 1e-11;
#else
static const double tolerance = 1e-4;
#endif

#include "outcome_fixture.h"

/* Three layers; layer 0 has 6 numbers, layer 1 `middle`. */
#define NETWORK_OF(input, middle)                                                                                      \
    "[net]\n" input "batch=5\n[connected]\noutput=6\nactivation=tanh\n[connected]\noutput=" middle                      \
    "\nactivation=swish\n[connected]\noutput=4\nactivation=linear\n"
#define NETWORK(middle) NETWORK_OF("inputs=3\n", middle)
/* The same of an image, for tangents. */
#define NETWORK_FOR(keys, middle) (strstr(keys, "tangents") ? NETWORK_OF("channels=1\nheight=1\nwidth=3\n", middle) : NETWORK(middle))

static const char master_cfg[] = NETWORK("7");

static const char images_cfg[] = "[net]\nheight=8\nwidth=8\nchannels=16\nbatch=4\n"
                                 "[convolutional]\nfilters=16\nsize=3\nstride=1\npad=1\nactivation=tanh\n"
                                 "[convolutional]\nfilters=16\nsize=3\nstride=2\npad=1\nactivation=tanh\n[connected]\noutput=3\nactivation=linear\n";

typedef struct pupil {
    trial t;
    config *master_config;
    graph master;
    teacher_options options;
} pupil;

static void build_master(const backend *be, const char *cfg, config **c, graph *g)
{
    assert_int_equal(config_parse("master", cfg, strlen(cfg), NULL, 0, print_line, NULL, c), STATUS_OK);
    assert_int_equal(graph_build(g, *c, be, NULL, NULL), STATUS_OK);
    graph_initialise(g, be, MASTER_SEED);
}

/* `keys` stand in [sobolev], `more` in [teacher]. */
static void open_pupil(pupil *p, const backend *be, const char *network, const char *master, const char *keys, const char *more, uint64_t seed)
{
    char cfg[2048];
    *p = (pupil){.master_config = NULL};
    build_master(be, master, &p->master_config, &p->master);
    snprintf(cfg, sizeof cfg, "%s[teacher]\ncfg=master.cfg\n%s[sobolev]\n%s", network, more, keys);
    trial_open_with(&p->t, be, cfg, &p->master, &p->options);
    graph_initialise(&p->t.graph, be, seed);
    be->normal((random_stream){9, RANDOM_CHECK, 0}, 0, (size_t)p->t.batch * p->t.inputs, p->t.x);
    for (size_t i = 0; i < (size_t)p->t.batch * p->t.outputs; ++i)
        p->t.labels[i] = (real)(i % p->t.outputs == i / p->t.outputs % p->t.outputs);
    p->t.labels[1] = (real)NAN; /* one that is not given */
}

static void close_pupil(pupil *p)
{
    const backend *be = p->t.be;
    trial_close(&p->t);
    graph_free(&p->master, be);
    config_free(p->master_config);
}

static void expect_same(const outcome *got, const outcome *want)
{
    double size = 0;
    for (size_t i = 0; i < want->count; ++i)
        size = fmax(size, fabs(want->gradient[i]));
    assert_true(size > 0 && got->count == want->count);
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        expect_near("loss", got->losses.order[k], want->losses.order[k], want->losses.total);
    for (size_t i = 0; i < want->count; ++i)
        expect_near("gradient", got->gradient[i], want->gradient[i], size);
}

static const char *const objectives[] = {
    "order=0\n",
    "order=1\n",
    "order=2\n",
    "order=1\nprojections=3\n",
    "order=2\nprojections=2\nprojections_2=3\n",
    "order=2\nprojections=2\n",
    "order=1\ndifferentiate=log_probabilities\n",
    "order=2\ndifferentiate=log_probabilities\nprojections=1\nprojections_2=1\n",
    "order=1\nloss=kl\nprojections=1\nprojection=class\n",
    "order=1\nloss=kl_reverse\ntemperature=2\ntangents=translate_x,scale\nprojections=2\n",
    "order=1\ndifferentiate=loss\n",
    "order=2\ndifferentiate=loss\nobjective_loss=cross_entropy\n",
};
enum { OBJECTIVES = sizeof objectives / sizeof *objectives };

/* ---------------------------------------------------------------- a student that equals its teacher */

static void expect_nothing_to_learn(const backend *be, const char *network, const char *keys)
{
    pupil p;
    open_pupil(&p, be, network, network, keys, "hint=0:0,1:1\n", MASTER_SEED);
    objective_losses l = trial_forward(&p.t, p.t.batch, 5, 1);
    trial_backward(&p.t);
    expect_near("loss", l.total, 0, 1);
    GRAPH_PARAMETERS(&p.t.graph, q)
    for (size_t i = 0; i < q->count; ++i)
        expect_near("gradient", (double)q->gradient[i], 0, 1);
    close_pupil(&p);
}

/* Vectors, and images that lie in blocks of channels. */
static void test_equal_networks(void **state)
{
    (void)state;
    for (const backend *const *be = backend_list; *be; ++be) {
        for (int i = 0; i < OBJECTIVES; ++i)
            expect_nothing_to_learn(*be, NETWORK_FOR(objectives[i], "7"), objectives[i]);
        expect_nothing_to_learn(*be, images_cfg, "order=1\nprojections=2\ndifferentiate=log_probabilities\n");
        expect_nothing_to_learn(*be, images_cfg, "order=1\nwrt=0\n");
        expect_nothing_to_learn(*be, images_cfg, "order=2\nwrt=1\nprojections=1\nprojections_2=2\n");
    }
}

/* ---------------------------------------------------------------- against labels */

/* Row b of the labels: the teacher's values, Jacobian and Hessians, by unit vectors through a tape of its own. */
static void label_by_master(graph *g, const backend *be, trial *t)
{
    const label_layout *l = objective_labels(t->objective);
    size_t row = labels_count(l), n = l->inputs;
    tape own;
    assert_int_equal(tape_create(&own, g, be, t->batch, 2, 1, -1), STATUS_OK);
    for (size_t j = 0; j < n; ++j)
        for (size_t k = 0; k < l->outputs; ++k) {
            size_t rows = (size_t)t->batch;
            jet *top = tape_adjoint(&own, g->output_node);
            own.derivatives = true;
            tape_clear_adjoints(&own);
            be->copy(rows * n, t->x, own.x.data);
            be->fill(rows * n, 0, jet_component(&own.x, 1));
            be->fill(2 * rows * l->outputs, 0, jet_component(top, 2));
            for (size_t b = 0; b < rows; ++b) {
                jet_component(&own.x, 1)[b * n + j] = 1;
                jet_component(top, 3)[b * l->outputs + k] = 1;
            }
            sweep_values(&own, 0, g->output_node);
            tape_seed_adjoint(&own, g->output_node, HALF_UPPER);
            sweep_seeds(&own);
            for (size_t b = 0; b < rows; ++b) {
                real *sample = t->labels + b * row;
                sample[k] = tape_jet(&own, g->output_node)->data[b * l->outputs + k];
                be->copy(n, jet_component(&own.adj_x, 3) + b * n, sample + labels_jacobian(l) + k * n);
                for (size_t i = 0; l->order > 1 && i < n; ++i)
                    sample[labels_after_jacobian(l) + (k * n + i) * n + j] = jet_component(&own.adj_x, 2)[b * n + i];
            }
        }
    tape_free(&own);
}

/* With the teacher's derivatives as labels the loss, and every gradient, is the same; but for differentiate=loss, whose labels are its own values
 * there and those of the data here. */
static void test_labels_of_the_teacher(void **state)
{
    (void)state;
    for (const backend *const *be = backend_list; *be; ++be)
        for (int i = 1; i < OBJECTIVES && !strstr(objectives[i], "=loss"); ++i) {
            pupil p;
            trial labelled;
            char cfg[1024];
            open_pupil(&p, *be, NETWORK_FOR(objectives[i], "5"), master_cfg, objectives[i], "", 3);
            snprintf(cfg, sizeof cfg, "%s[sobolev]\n%s", NETWORK_FOR(objectives[i], "5"), objectives[i]);
            outcome taught = run(&p.t, p.t.batch, 1);
            trial_open(&labelled, *be, cfg);
            graph_initialise(&labelled.graph, *be, 3);
            (*be)->copy((size_t)p.t.batch * p.t.inputs, p.t.x, labelled.x);
            graph_drop_heads(&p.master);
            label_by_master(&p.master, *be, &labelled);
            outcome told = run(&labelled, labelled.batch, 1);
            expect_same(&taught, &told);
            trial_close(&labelled);
            close_pupil(&p);
        }
}

/* Attention transfer (supplement, equation 3): both losses compare with the labels of the data, so that of a squared error g = 2 J^T (m - y). */
static void test_attention_transfer(void **state)
{
    (void)state;
    for (const backend *const *be = backend_list; *be; ++be) {
        pupil p;
        trial both[2]; /* labels: values and Jacobians of student and teacher */
        open_pupil(&p, *be, NETWORK("5"), master_cfg, "order=1\ndifferentiate=loss\nweight=0\n", "", 3);
        for (int i = 0; i < 2; ++i) {
            trial_open(&both[i], *be, NETWORK("5") "[sobolev]\norder=1\n");
            (*be)->copy((size_t)p.t.batch * p.t.inputs, p.t.x, both[i].x);
        }
        double loss = trial_forward(&p.t, p.t.batch, 5, 1).total, wanted = 0;
        graph_drop_heads(&p.master);
        graph_drop_heads(&p.t.graph);
        label_by_master(&p.t.graph, *be, &both[0]);
        label_by_master(&p.master, *be, &both[1]);
        const label_layout *l = objective_labels(both[0].objective);
        for (size_t b = 0; b < BATCH; ++b)
            for (size_t j = 0; j < INPUTS; ++j) {
                double difference = 0;
                for (size_t k = 0; k < OUTPUTS; ++k)
                    for (int i = 0; i < 2; ++i) {
                        const real *sample = both[i].labels + b * labels_count(l);
                        double label = b == 0 && k == 1 ? (double)sample[k] : k == b % OUTPUTS; /* the one that is not given */
                        difference += (i ? -2 : 2) * ((double)sample[k] - label) * (double)sample[labels_jacobian(l) + k * INPUTS + j];
                    }
                wanted += difference * difference;
            }
        expect_near("loss", loss, wanted, wanted);
        for (int i = 0; i < 2; ++i)
            trial_close(&both[i]);
        close_pupil(&p);
    }
}

/* ---------------------------------------------------------------- against differences */

#ifdef DNX_DOUBLE
static void expect_row(void *context, const check_row *row)
{
    (void)context;
    if (!row->passed)
        print_error("%s, %s: error %g\n", row->name, row->where, row->error);
}

/* Inner layers on both sides, hints, labels beside the teacher, every order: the gradient of the whole loss. */
static void test_differences(void **state)
{
    static const char scalar[] = "[net]\ninputs=3\nbatch=5\n[connected]\noutput=9\nactivation=leaky\n[connected]\noutput=5\nactivation=relu\n"
                                 "[connected]\noutput=1\nactivation=linear\n"; /* where the scalar path of engine/tape.h is taken */
    static const struct {
        const char *keys, *more, *network;
    } cases[] = {
        {"order=0\n", "hint=0:0,1:1\nhint_weight=.7\nhint_loss=huber\nhard_weight=.5\n", NULL},
        {"order=1\nweight=0\n", "hard_weight=2\nhard_loss=huber\n", NULL},
        {"order=1\nloss=kl_reverse\ntemperature=3\nlabel_directions=2\n", "hard_weight=.5\nhard_loss=cross_entropy\n", NULL},
        {"order=2\nlabel_directions=2\nprojections=1\nprojection=class\n", "", NULL},
        {"order=1\nprojections=2\n", "hint=0:0,1:1,2:2\nhard_weight=.5\nhint_loss=l2\n", NULL},
        {"order=2\n", "hint=1:1\n", NULL},
        {"order=2\nwrt=0\nprojections=1\nprojections_2=2\n", "hint=0:0,1:1\n", NULL},
        {"order=1\nwrt=1\nloss_1=norm\n", "wrt=1\nhint=1:1,0:0\n", NULL},
        {"order=2\nwrt=0\n", "wrt=0\n", NULL},
        {"order=2\ndifferentiate=log_probabilities\nprojections=1\nprojections_2=1\n", "hint=0:0\n", NULL},
        {"order=1\nwrt=1\ndifferentiate=loss\nobjective_loss=cross_entropy\nweight=0\n", "hard_weight=1\n", NULL},
        {"order=1\ntarget=zero\n", "hint=0:0\n", NULL},
        {"order=1\n", "hard_weight=.5\n", scalar},
        {"order=1\n", "hint=1:1\n", scalar},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        pupil p;
        const char *network = cases[i].network ? cases[i].network : master_cfg;
        open_pupil(&p, backend_list[0], network, network, cases[i].keys, cases[i].more, 3);
        objective_options o = *objective_get_options(p.t.objective);
        const section *where = config_section(p.t.config, "sobolev");
        check_settings settings = {.batch = 3, .seed = 4, .differences = true};
        /* A graph has the heads of one objective at a time. */
        graph_drop_heads(&p.t.graph);
        graph_drop_heads(&p.master);
        if (gradient_check_run(&p.t.graph, p.t.be, &o, where, "golden", &settings, expect_row, NULL) != STATUS_OK)
            fail_msg("case %zu: %s", i, status_text());
        close_pupil(&p);
    }
}
#endif

/* ---------------------------------------------------------------- directions */

/* The mean over random directions on the sphere tends to the loss of the full Jacobian over the number of outputs (E v v^T = I / m). */
static void test_expectation(void **state)
{
    (void)state;
    const backend *be = backend_list[0];
    pupil full, drawn;
    open_pupil(&full, be, NETWORK("5"), master_cfg, "order=1\n", "", 3);
    open_pupil(&drawn, be, NETWORK("5"), master_cfg, "order=1\nprojections=200\n", "", 3);
    double whole = run(&full.t, full.t.batch, 1).losses.order[1] / OUTPUTS, sum = 0, squares = 0;
    enum { STEPS = 60 };
    for (int i = 0; i < STEPS; ++i) {
        double one = run(&drawn.t, drawn.t.batch, (uint64_t)i).losses.order[1];
        sum += one / STEPS;
        squares += one * one / STEPS;
    }
    double error = sqrt((squares - sum * sum) / STEPS);
    assert_true(error < .02 * whole);
    if (!(fabs(sum - whole) < 4 * error))
        fail_msg("mean over v %g, whole Jacobian / m %g, standard error %g", sum, whole, error);
    close_pupil(&full);
    close_pupil(&drawn);
}

/* ---------------------------------------------------------------- the teacher stays what it is */

/* A student with the teacher's weights differs from it while it is trained, and is the same when it predicts. */
static void expect_predictions(const char *network)
{
    for (const backend *const *be = backend_list; *be; ++be) {
        pupil p;
        open_pupil(&p, *be, network, network, "order=0\n", "", MASTER_SEED);
        p.t.tape->move_statistics = false;
        assert_true(trial_forward(&p.t, p.t.batch, 5, 1).total > .1);
        objective_begin(p.t.objective, p.t.labels, false, 5, 1);
        sweep_values(p.t.tape, 0, p.t.graph.n_nodes - 1);
        assert_true(objective_forward(p.t.objective).total == 0);
        close_pupil(&p);
    }
}

/* Batch normalisation and dropout as in prediction, parameters and statistics untouched, gradients never written. */
static void test_inference(void **state)
{
    static const char master[] = "[net]\nheight=6\nwidth=6\nchannels=2\nbatch=4\n"
                                 "[convolutional]\nbatch_normalize=1\nfilters=3\nsize=3\nstride=1\npad=1\nactivation=tanh\n"
                                 "[dropout]\nprobability=.5\n[connected]\noutput=3\nactivation=linear\n";
    (void)state;
    for (const backend *const *be = backend_list; *be; ++be) {
        pupil p;
        open_pupil(&p, *be, master, master, "order=1\nprojections=1\n", "hint=0:0\n", 3);
        size_t n = graph_array_count(&p.master), at = 0;
        real *before = malloc(n * sizeof *before);
        GRAPH_ARRAYS(&p.master, q)
        {
            memcpy(before + at, q->value, q->count * sizeof *before);
            at += q->count;
        }
        outcome first = run(&p.t, p.t.batch, 1), other = run(&p.t, p.t.batch, 2);
        assert_true(first.losses.total > 0 && other.losses.total != first.losses.total);
        at = 0;
        GRAPH_ARRAYS(&p.master, q)
        {
            assert_memory_equal(before + at, q->value, q->count * sizeof *before);
            at += q->count;
            for (size_t i = 0; q->gradient && i < q->count; ++i)
                assert_true(q->gradient[i] == 0);
        }
        free(before);
        close_pupil(&p);
    }
    expect_predictions(master);
}

/* Of images that lie in blocks of channels the hints see the same numbers. */
static void test_hints_of_images(void **state)
{
    (void)state;
    double losses[8];
    int n = 0;
    for (const backend *const *be = backend_list; *be && n < 8; ++be) {
        pupil p;
        open_pupil(&p, *be, images_cfg, images_cfg, "order=0\nweight=0\n", "hint=0:0,1:1\n", 3);
        trial_forward(&p.t, p.t.batch, 5, 1);
        objective_losses l = trial_forward(&p.t, p.t.batch, 5, 1);
        losses[n++] = l.total;
        close_pupil(&p);
    }
    for (int i = 1; i < n; ++i)
        assert_true(losses[0] > 0 && fabs(losses[i] - losses[0]) < 1e-4 * losses[0]);
}

/* ---------------------------------------------------------------- what does not fit */

static void expect_refused(const char *network, const char *master, const char *keys, const char *more, const char *message)
{
    const backend *be = backend_list[0];
    config *c, *m;
    graph g, taught_by;
    teacher_options o;
    objective *none;
    char cfg[2048];
    build_master(be, master, &m, &taught_by);
    snprintf(cfg, sizeof cfg, "%s[teacher]\ncfg=master.cfg\n%s[sobolev]\n%s", network, more, keys);
    assert_int_equal(config_parse("student", cfg, strlen(cfg), NULL, 0, print_line, NULL, &c), STATUS_OK);
    assert_int_equal(graph_build(&g, c, be, NULL, NULL), STATUS_OK);
    const section *where = config_section(c, "sobolev");
    objective_options options = sobolev_read_options(where);
    status s = teacher_read_options(config_section(c, "teacher"), "student", &o);
    o.graph = &taught_by;
    o.path = "master";
    teacher_join(&options, &o);
    if (s == STATUS_OK)
        s = objective_create(&none, &g, be, where, "student", &options, BATCH);
    assert_int_equal(s, STATUS_BAD_CONFIG);
    assert_string_equal(status_text(), message);
    graph_free(&g, be);
    graph_free(&taught_by, be);
    config_free(c);
    config_free(m);
}

static void test_refusals(void **state)
{
    static const char other_outputs[] = "[net]\ninputs=3\nbatch=5\n[connected]\noutput=2\nactivation=linear\n";
    static const char other_inputs[] = "[net]\ninputs=4\nbatch=5\n[connected]\noutput=4\nactivation=linear\n";
    static const char relu[] = "[net]\ninputs=3\nbatch=5\n[connected]\noutput=6\nactivation=relu\n[connected]\noutput=4\nactivation=linear\n";
    (void)state;
    expect_refused(NETWORK("5"), other_outputs, "order=1\n", "",
                   "student:10:1: error: layer 2 ([connected], line 10) has 4 numbers, but the teacher's layer 0 ([connected], master:4) has 2 numbers");
    expect_refused(NETWORK("5"), other_inputs, "order=1\n", "",
                   "student:1:1: error: input ([net], line 1) has 3 numbers, but the teacher's input ([net], master:1) has 4 numbers");
    expect_refused(NETWORK("5"), master_cfg, "order=1\nwrt=1\n", "",
                   "student:17:5: error: layer 1 ([connected], line 7) has 5 numbers, but the teacher's layer 1 ([connected], master:7) has 7 numbers");
    expect_refused(NETWORK("5"), master_cfg, "order=1\nwrt=0\n", "wrt=1\n",
                   "student:15:5: error: layer 0 ([connected], line 4) has 6 numbers, but the teacher's layer 1 ([connected], master:7) has 7 numbers");
    expect_refused(NETWORK("5"), master_cfg, "order=1\n", "hint=0:0,1:1\n",
                   "student:15:6: error: layer 1 ([connected], line 7) has 5 numbers, but the teacher's layer 1 ([connected], master:7) has 7 numbers");
    expect_refused(NETWORK("5"), master_cfg, "order=1\n", "wrt=2\n",
                   "student:15:5: error: wrt=2 must name a layer below the teacher's output, which is layer 2: master");
    expect_refused(NETWORK("5"), master_cfg, "order=1\n", "hint=0:9\n",
                   "student:15:6: error: hint: 9 names no layer of the teacher, whose output is layer 2: master");
    expect_refused(NETWORK("5"), master_cfg, "order=1\n", "hint=7:1\n", "student:15:6: error: hint: 7 names no layer of the student, whose output is layer 2");
    expect_refused(NETWORK("5"), master_cfg, "order=1\n", "hint=0-0\n",
                   "student:15:6: error: hint: expected at most 16 pairs student:teacher of layer numbers (from 0), separated by commas: 3:5,6:9");
    expect_refused(NETWORK("5"), master_cfg, "order=1\n", "hint_weight=2\n", "student:15:13: error: hint_weight means nothing without hint=");
    expect_refused(NETWORK("5"), relu, "order=2\n", "",
                   "master:4:1: error: this activation is piecewise linear: its second derivative is zero wherever it exists, so order=2 at student:15 has nothing to "
                   "learn (use a smooth activation, or set allow_zero_curvature=1 in [sobolev])");
    expect_refused(NETWORK("5"), master_cfg, "order=1\ntarget=data\n", "",
                   "student:17:8: error: target=data cannot stand beside [teacher] with cfg=: derivatives are the teacher's, or target=zero");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equal_networks),
        cmocka_unit_test(test_labels_of_the_teacher),
        cmocka_unit_test(test_attention_transfer),
#ifdef DNX_DOUBLE
        cmocka_unit_test(test_differences),
#endif
        cmocka_unit_test(test_expectation),
        cmocka_unit_test(test_inference),
        cmocka_unit_test(test_hints_of_images),
        cmocka_unit_test(test_refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
