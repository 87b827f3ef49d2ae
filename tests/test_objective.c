/* What can be asked of the Sobolev loss besides its orders: weights of outputs and inputs, directions that labels bring along, labels
 * that are not given, weights that change. Each is compared with another way to say the same, value and parameter gradients alike. */
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

enum { BATCH = 5, INPUTS = 3, OUTPUTS = 2, MOST_LABELS = 200 };

#ifdef DNX_DOUBLE
static const double tolerance = 1e-12;
#else
static const double tolerance = 3e-5;
#endif

#include "outcome_fixture.h"

/* A smooth network with two outputs; `keys` stand in [sobolev]. */
static void open_network(trial *t, const backend *be, const char *keys)
{
    char cfg[1024];
    snprintf(cfg, sizeof cfg,
             "[net]\ninputs=%d\nbatch=%d\n[connected]\noutput=7\nactivation=tanh\n[connected]\noutput=%d\nactivation=linear\n[sobolev]\n%s", INPUTS, BATCH,
             OUTPUTS, keys);
    trial_open(t, be, cfg);
    graph_initialise(&t->graph, be, 3);
    be->normal((random_stream){9, RANDOM_CHECK, 0}, 0, BATCH * INPUTS, t->x);
}

/* The derivatives that labels are made of, in double. */
static double label_value(int b, int k)
{
    return sin(1. + 3 * b + k);
}

static double label_jacobian(int b, int k, int j)
{
    return cos(2. + 5 * b + 3 * k + j);
}

static double label_hessian(int b, int k, int i, int j)
{
    return sin(3. + b + 2 * k + (i + 1) * (j + 1));
}

/* J v and H v for the unit vector r. */
static void put_unit_direction(real *to, int b, int r, int order)
{
    for (int j = 0; j < INPUTS; ++j)
        *to++ = j == r;
    *to++ = 1;
    for (int k = 0; k < OUTPUTS; ++k)
        *to++ = (real)label_jacobian(b, k, r);
    for (int k = 0; k < OUTPUTS && order > 1; ++k)
        for (int i = 0; i < INPUTS; ++i)
            *to++ = (real)label_hessian(b, k, i, r);
}

/* Labels of the layout; `jacobian` 0: not given. */
static void fill_labels(trial *t, bool jacobian)
{
    const label_layout *l = objective_labels(t->objective);
    for (int b = 0; b < BATCH; ++b) {
        real *sample = t->labels + (size_t)b * labels_count(l), *to = sample;
        for (int k = 0; k < OUTPUTS; ++k)
            *to++ = (real)label_value(b, k);
        for (int k = 0; k < OUTPUTS && l->order > 0; ++k)
            for (int j = 0; j < INPUTS; ++j)
                *to++ = jacobian ? (real)label_jacobian(b, k, j) : (real)NAN;
        for (int k = 0; k < OUTPUTS && l->order > 1 && l->directions == 0; ++k)
            for (int i = 0; i < INPUTS; ++i)
                for (int j = 0; j < INPUTS; ++j)
                    *to++ = (real)label_hessian(b, k, i, j);
        for (int r = 0; r < l->directions; ++r)
            put_unit_direction(sample + labels_direction(l, r), b, r, l->order);
    }
}

static outcome run_keys(const backend *be, const char *keys, bool jacobian)
{
    trial t;
    open_network(&t, be, keys);
    fill_labels(&t, jacobian);
    outcome o = run(&t, BATCH, 1);
    trial_close(&t);
    return o;
}

/* ---------------------------------------------------------------- directions of the labels */

/* Along all unit vectors, J v is the Jacobian and H v the Hessian. */
static void test_unit_directions(void **state)
{
    static const char *const keys[][2] = {
        {"order=1\nlabel_directions=3\n", "order=1\n"},
        {"order=1\nloss_1=l1\nlabel_directions=3\n", "order=1\nloss_1=l1\n"},
        {"order=1\nprojections_2=2\nlabel_directions=3\n", "order=1\n"}, /* for an order that there is not */
        {"order=1\nloss_1=huber\nhuber_delta=.3\nprojections=2\nlabel_directions=3\n", "order=1\nloss_1=huber\nhuber_delta=.3\nprojections=2\n"},
        {"order=2\nloss_2=norm\nlabel_directions=3\n", "order=2\nloss_2=norm\n"},
        {"order=2\nlabel_directions=3\nprojections=2\n", "order=2\nprojections=2\n"},
    };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        outcome along = run_keys(*state, keys[i][0], false), full = run_keys(*state, keys[i][1], true);
        expect_multiple(&along, &full, 1);
    }
}

/* Behind a head second derivatives need the whole Jacobian as well as H v; of J v what is not given comes from the Jacobian, and the other way
 * round. */
static void test_directions_of_head(void **state)
{
    static const char common[] = "order=2\nweight=0\nweight_1=0\ndifferentiate=log_probabilities\n", along[] = "label_directions=3\n";
    char keys[128];
    snprintf(keys, sizeof keys, "%s%s", common, along);
    for (int from_jacobian = 0; from_jacobian < 2; ++from_jacobian) {
        trial some, full;
        open_network(&some, *state, keys);
        open_network(&full, *state, common);
        fill_labels(&some, true);
        fill_labels(&full, true);
        const label_layout *l = objective_labels(some.objective), *f = objective_labels(full.objective);
        for (int b = 0; b < BATCH; ++b)
            for (int k = 0; k < OUTPUTS; ++k) {
                real *sample = some.labels + (size_t)b * labels_count(l);
                for (int r = 0; r < 3 && from_jacobian; ++r)
                    sample[labels_direction(l, r) + labels_jvp(l) + (size_t)k] = (real)NAN;
                if (from_jacobian)
                    continue;
                sample[labels_jacobian(l) + (size_t)(k * INPUTS + 1)] = (real)NAN;
                for (int j = 0; j < INPUTS; ++j) /* the row of that input is lost */
                    full.labels[(size_t)b * labels_count(f) + labels_after_jacobian(f) + (size_t)((k * INPUTS + 1) * INPUTS + j)] = (real)NAN;
            }
        outcome got = run(&some, BATCH, 1), want = run(&full, BATCH, 1);
        expect_multiple(&got, &want, 1);
        trial_close(&some);
        trial_close(&full);
    }
}

/* The relative loss of a product: weights of 1 / (target^2 + epsilon) in the squared loss say the same. */
static void test_relative_directions(void **state)
{
    trial t;
    open_network(&t, *state, "order=1\nweight=0\noutput_weights=1,0\nlabel_directions=3\n");
    fill_labels(&t, false);
    const label_layout *l = objective_labels(t.objective);
    for (int b = 0; b < BATCH; ++b)
        for (int r = 0; r < 3; ++r) {
            double target = (double)(real)label_jacobian(b, 0, r);
            t.labels[(size_t)b * labels_count(l) + labels_direction(l, r) + labels_weight(l)] = (real)(1 / (target * target + .5));
        }
    outcome weighted = run(&t, BATCH, 1);
    outcome relative = run_keys(*state, "order=1\nweight=0\noutput_weights=1,0\nlabel_directions=3\nloss_1=relative\nrelative_epsilon=.5\n", false);
    expect_multiple(&relative, &weighted, 1);
    trial_close(&t);
}

/* A direction of weight 0 is one that the labels do not have. */
static void test_fewer_directions(void **state)
{
    static const char *const keys[][2] = {{"order=1\nlabel_directions=3\n", "order=1\nlabel_directions=2\n"},
                                          {"order=2\nlabel_directions=3\n", "order=2\nlabel_directions=2\n"},
                                          {"order=2\nlabel_directions=3\nprojections=2\n", "order=2\nlabel_directions=2\nprojections=2\n"}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        trial t;
        open_network(&t, *state, keys[i][0]);
        fill_labels(&t, false);
        const label_layout *l = objective_labels(t.objective);
        for (int b = 0; b < BATCH; ++b)
            t.labels[(size_t)b * labels_count(l) + labels_direction(l, 2) + labels_weight(l)] = 0;
        outcome three = run(&t, BATCH, 1), two = run_keys(*state, keys[i][1], false);
        expect_multiple(&three, &two, 1);
        trial_close(&t);
    }
}

/* With the Jacobian given too, first derivatives count twice. */
static void test_both_kinds(void **state)
{
    outcome both = run_keys(*state, "order=1\nweight=0\nlabel_directions=3\n", true), full = run_keys(*state, "order=1\nweight=0\n", true);
    expect_multiple(&both, &full, 2);
}

/* weight(v) multiplies the terms of both orders. */
static void test_direction_weights(void **state)
{
    trial t;
    open_network(&t, *state, "order=2\nweight=0\nlabel_directions=3\n");
    fill_labels(&t, false);
    outcome once = run(&t, BATCH, 1);
    const label_layout *l = objective_labels(t.objective);
    for (int b = 0; b < BATCH; ++b)
        for (int r = 0; r < 3; ++r)
            t.labels[(size_t)b * labels_count(l) + labels_direction(l, r) + labels_weight(l)] = 2.5;
    outcome weighted = run(&t, BATCH, 1);
    expect_multiple(&weighted, &once, 2.5);
    trial_close(&t);
}

/* Each direction of each sample has its own: the loss is the sum of those with one weight each. */
static void test_each_direction_weight(void **state)
{
    trial t;
    open_network(&t, *state, "order=2\nweight=0\nlabel_directions=3\n");
    fill_labels(&t, false);
    const label_layout *l = objective_labels(t.objective);
    outcome sum = {.losses.total = 0}, all = sum;
    for (int one = 0; one <= BATCH * 3; ++one) { /* at last all of them */
        for (int i = 0; i < BATCH * 3; ++i) {
            bool counts = one == i || one == BATCH * 3;
            t.labels[(size_t)(i / 3) * labels_count(l) + labels_direction(l, i % 3) + labels_weight(l)] = counts ? (real)(1 + i) : 0;
        }
        all = run(&t, BATCH, 1);
        if (one == BATCH * 3)
            break;
        assert_true(all.losses.order[1] > 0 && all.losses.order[2] > 0);
        sum.count = all.count;
        sum.losses.total += all.losses.total;
        for (size_t k = 0; k < all.count; ++k)
            sum.gradient[k] += all.gradient[k];
    }
    expect_multiple(&all, &sum, 1);
    trial_close(&t);
}

/* ---------------------------------------------------------------- weights of outputs and inputs */

/* Weights say how much each part of the loss counts: their sum over parts is the sum of runs with one weight each. */
static void expect_sum(const backend *be, const char *common, const char *whole, const char *const *parts, int n, const double *factors)
{
    char keys[256];
    snprintf(keys, sizeof keys, "%s%s", common, whole);
    outcome got = run_keys(be, keys, true), sum = {.losses.total = 0};
    for (int i = 0; i < n; ++i) {
        snprintf(keys, sizeof keys, "%s%s", common, parts[i]);
        outcome part = run_keys(be, keys, true);
        sum.count = part.count;
        sum.losses.total += factors[i] * part.losses.total;
        for (size_t k = 0; k < part.count; ++k)
            sum.gradient[k] += factors[i] * part.gradient[k];
    }
    expect_multiple(&got, &sum, 1);
}

static void test_output_weights(void **state)
{
    static const char *const parts[] = {"output_weights=1,0\n", "output_weights=0,1\n"};
    const double factors[] = {3, .5};
    expect_sum(*state, "order=2\nloss_2=l1\n", "output_weights=3,.5\n", parts, 2, factors);
    expect_sum(*state, "order=1\nloss_1=huber\nloss=l1\n", "output_weights=3,.5\n", parts, 2, factors);
    expect_sum(*state, "order=1\nlabel_directions=3\n", "output_weights=3,.5\n", parts, 2, factors);
}

/* Every label of the second output away: a weight of 0 for it. */
static void test_output_without_labels(void **state)
{
    static const char *const keys[] = {"order=2\nloss_2=l1\n", "order=1\nlabel_directions=3\n", "order=2\nlabel_directions=3\n"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        trial t;
        char weighted[128];
        open_network(&t, *state, keys[i]);
        fill_labels(&t, true);
        const label_layout *l = objective_labels(t.objective);
        for (int b = 0; b < BATCH; ++b) {
            real *sample = t.labels + (size_t)b * labels_count(l);
            sample[1] = (real)NAN;
            for (int j = 0; j < INPUTS; ++j)
                sample[OUTPUTS + INPUTS + j] = (real)NAN;
            for (int j = 0; j < INPUTS * INPUTS && l->order > 1 && l->directions == 0; ++j)
                sample[labels_after_jacobian(l) + INPUTS * INPUTS + (size_t)j] = (real)NAN;
            for (int r = 0; r < l->directions; ++r) {
                sample[labels_direction(l, r) + labels_jvp(l) + 1] = (real)NAN;
                for (int j = 0; j < INPUTS && l->order > 1; ++j)
                    sample[labels_direction(l, r) + labels_hvp(l) + INPUTS + (size_t)j] = (real)NAN;
            }
        }
        snprintf(weighted, sizeof weighted, "%soutput_weights=1,0\n", keys[i]);
        outcome masked = run(&t, BATCH, 1), first = run_keys(*state, weighted, true);
        expect_multiple(&masked, &first, 1);
        trial_close(&t);
    }
}

/* Random projections carry the roots of the weights: exactly so along unit vectors. */
static void test_output_weights_of_projections(void **state)
{
    static const char *const parts[] = {"output_weights=1,0\n", "output_weights=0,1\n"};
    const double factors[] = {3, .5};
    expect_sum(*state, "order=1\nprojections=2\nprojection=coordinate\n", "output_weights=3,.5\n", parts, 2, factors);
    /* A weight of 0 leaves that output out of it, and no other. */
    outcome second = run_keys(*state, "order=1\nweight=0\nprojections=2\noutput_weights=0,1\n", true);
    double sizes[OUTPUTS] = {0};
    assert_true(second.losses.order[1] > 0);
    for (size_t i = second.count - OUTPUTS * 7; i < second.count; ++i) /* the last parameters: weights of the outputs */
        sizes[(i - (second.count - OUTPUTS * 7)) / 7] += fabs(second.gradient[i]);
    assert_true(sizes[0] == 0 && sizes[1] > 0);
    outcome four = run_keys(*state, "order=2\nprojections=2\nprojections_2=2\noutput_weights=4,4\n", true),
            one = run_keys(*state, "order=2\nprojections=2\nprojections_2=2\n", true);
    expect_multiple(&four, &one, 4);
}

static void test_input_weights(void **state)
{
    static const char *const parts[] = {"input_weights=1,0,0\n", "input_weights=0,1,0\n", "input_weights=0,0,1\n"};
    const double factors[] = {3, .5, 2};
    expect_sum(*state, "order=1\nweight=0\nloss_1=l1\n", "input_weights=3,.5,2\n", parts, 3, factors);
    /* A second derivative has the weights of both its inputs. */
    outcome three = run_keys(*state, "order=2\nweight=0\nweight_1=0\ninput_weights=3,3,3\n", true),
            one = run_keys(*state, "order=2\nweight=0\nweight_1=0\n", true),
            random_three = run_keys(*state, "order=2\nweight=0\nweight_1=0\nprojections_2=2\ninput_weights=3,3,3\n", true),
            random_one = run_keys(*state, "order=2\nweight=0\nweight_1=0\nprojections_2=2\n", true);
    expect_multiple(&three, &one, 9);
    expect_multiple(&random_three, &random_one, 9);
}

static void test_scaled_components(void **state)
{
    const double factors[] = {2, 0, 5};
    trial t;
    open_network(&t, *state, "order=1\nweight=0\ncomponent_weights=rms\n");
    fill_labels(&t, true);
    objective_scale_components(t.objective, 1, factors);
    outcome scaled = run(&t, BATCH, 1), given = run_keys(*state, "order=1\nweight=0\ninput_weights=2,0,5\n", true);
    expect_multiple(&scaled, &given, 1);
    trial_close(&t);
    open_network(&t, *state, "order=1\nweight=0\ncomponent_weights=rms\ninput_weights=3,1,.5\n"); /* both count */
    fill_labels(&t, true);
    objective_scale_components(t.objective, 1, factors);
    scaled = run(&t, BATCH, 1);
    given = run_keys(*state, "order=1\nweight=0\ninput_weights=6,0,2.5\n", true);
    expect_multiple(&scaled, &given, 1);
    trial_close(&t);
}

/* Each order has its own. */
static void test_scaled_components_of_order_2(void **state)
{
    const double threes[] = {3, 3, 3}, nothing[] = {0, 0, 0};
    trial t;
    open_network(&t, *state, "order=2\nweight=0\nweight_1=0\ncomponent_weights=rms\n");
    fill_labels(&t, true);
    outcome once = run(&t, BATCH, 1);
    objective_scale_components(t.objective, 1, nothing);
    objective_scale_components(t.objective, 2, threes);
    outcome scaled = run(&t, BATCH, 1);
    expect_multiple(&scaled, &once, 3);
    trial_close(&t);
}

/* ---------------------------------------------------------------- labels that are not given */

/* A sample without labels is a sample left out. */
static void test_missing_samples(void **state)
{
    static const char *const keys[] = {"order=0\n", "order=1\n", "order=2\nloss=norm\nloss_2=relative\n", "order=1\nprojections=3\nloss_1=norm\n",
                                       "order=2\nlabel_directions=3\n", "order=1\ndifferentiate=log_probabilities\n",
                                       "order=1\ndifferentiate=loss\ntarget=zero\n", "order=2\ndifferentiate=loss\nobjective_loss=cross_entropy\ntarget=zero\n"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        trial t;
        open_network(&t, *state, keys[i]);
        fill_labels(&t, true);
        outcome fewer = run(&t, BATCH - 2, 1);
        const label_layout *l = objective_labels(t.objective);
        for (int b = BATCH - 2; b < BATCH; ++b)
            for (size_t k = 0; k < labels_count(l); ++k) {
                bool is_label = l->directions == 0 || k < labels_direction(l, 0) ||
                                (k - labels_direction(l, 0)) % labels_direction_count(l) > labels_weight(l);
                if (is_label)
                    t.labels[(size_t)b * labels_count(l) + k] = (real)NAN;
            }
        outcome masked = run(&t, BATCH, 1);
        expect_multiple(&masked, &fewer, 1);
        trial_close(&t);
    }
}

/* One number that is not given is its term left out: the same as a weight of 0. */
static void test_missing_component(void **state)
{
    trial t;
    open_network(&t, *state, "order=2\nloss_1=huber\n");
    fill_labels(&t, true);
    for (int b = 0; b < BATCH; ++b) {
        real *sample = t.labels + (size_t)b * objective_truth_count(t.objective);
        for (int k = 0; k < OUTPUTS; ++k) {
            sample[OUTPUTS + k * INPUTS + 1] = (real)NAN;
            for (int j = 0; j < INPUTS; ++j) {
                sample[OUTPUTS + OUTPUTS * INPUTS + (k * INPUTS + 1) * INPUTS + j] = (real)NAN;
                sample[OUTPUTS + OUTPUTS * INPUTS + (k * INPUTS + j) * INPUTS + 1] = (real)NAN;
            }
        }
    }
    outcome masked = run(&t, BATCH, 1), weighted = run_keys(*state, "order=2\nloss_1=huber\ninput_weights=1,0,1\n", true);
    expect_multiple(&masked, &weighted, 1);
    trial_close(&t);
}

/* ---------------------------------------------------------------- weights that change */

/* After steps with other weights a step is what it would have been without them. */
static void test_changed_weights(void **state)
{
    static const double steps[][3] = {{1, 1, 1}, {0, 1, 0}, {1, 0, 1}, {1, 0, 0}, {0, 0, 2}};
    trial t;
    open_network(&t, *state, "order=2\n");
    fill_labels(&t, true);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; ++i) {
        char keys[128];
        objective_set_weights(t.objective, steps[i]);
        outcome changed = run(&t, BATCH, 1);
        snprintf(keys, sizeof keys, "order=2\nweight=%g\nweight_1=%g\nweight_2=%g\n", steps[i][0], steps[i][1], steps[i][2]);
        outcome fixed = run_keys(*state, keys, true);
        expect_multiple(&changed, &fixed, 1);
    }
    trial_close(&t);
}

/* Values of a network in use need no derivatives. */
static void test_without_training(void **state)
{
    trial t;
    open_network(&t, *state, "order=2\n");
    fill_labels(&t, true);
    outcome trained = run(&t, BATCH, 1);
    objective_begin(t.objective, t.labels, false, 5, 1);
    sweep_values(t.tape, 0, t.graph.n_nodes - 1);
    objective_losses used = objective_forward(t.objective);
    assert_true(used.order[0] == trained.losses.order[0] && used.order[1] == 0 && used.order[2] == 0);
    trial_close(&t);
}

/* One output: its weight multiplies the losses, whatever the directions; the short cuts for one output end with the derivatives. */
static void open_one_output(trial *t, const backend *be, const char *hidden, const char *keys)
{
    char cfg[512];
    snprintf(cfg, sizeof cfg,
             "[net]\ninputs=3\nbatch=%d\n[connected]\noutput=7\nactivation=%s\n[connected]\noutput=1\nactivation=linear\n[sobolev]\n%s", BATCH, hidden, keys);
    trial_open(t, be, cfg);
    graph_initialise(&t->graph, be, 3);
    be->normal((random_stream){9, RANDOM_CHECK, 0}, 0, BATCH * INPUTS, t->x);
    be->normal((random_stream){8, RANDOM_CHECK, 0}, 0, BATCH * objective_truth_count(t->objective), t->labels);
}

static outcome run_one_output(const backend *be, const char *keys, const double *weights)
{
    trial t;
    open_one_output(&t, be, "tanh", keys);
    outcome o = run(&t, BATCH, 1);
    if (weights) {
        objective_set_weights(t.objective, weights);
        o = run(&t, BATCH, 1);
    }
    trial_close(&t);
    return o;
}

static void test_one_output(void **state)
{
    static const char *const keys[] = {"order=1\nloss_1=l1\n", "order=1\nloss_1=l1\nprojections=2\nprojection=gaussian\n",
                                       "order=2\nloss_2=huber\nprojections=1\nprojections_2=2\n"};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        char weighted[128];
        snprintf(weighted, sizeof weighted, "%soutput_weights=3\n", keys[i]);
        outcome three = run_one_output(*state, weighted, NULL), one = run_one_output(*state, keys[i], NULL);
        expect_multiple(&three, &one, 3);
    }
    outcome changed = run_one_output(*state, "order=1\n", (const double[]){1, 0, 0}),
            values = run_one_output(*state, "order=1\nweight_1=0\nweight_1_end=1\nweight_schedule=linear\n", NULL);
    expect_multiple(&changed, &values, 1);
    trial t; /* the gradient by the input is wanted now and then */
    open_one_output(&t, *state, "leaky", "order=1\nprojections=1\nprojection=rademacher\n");
    assert_true(objective_takes_scalar_path(t.objective));
    outcome without = run(&t, BATCH, 1);
    t.tape->input_adjoint = true;
    outcome with = run(&t, BATCH, 1);
    expect_multiple(&with, &without, 1);
    trial_close(&t);
}

/* objective_gradient is a step whose gradient goes elsewhere, and changes nothing: not the gradients that are there, nor what follows. */
static void test_gradient_elsewhere(void **state)
{
    const backend *be = *state;
    trial t;
    open_network(&t, be, "order=2\n");
    fill_labels(&t, true);
    outcome step = run(&t, BATCH, 1);
    real *gradient = be->allocate(step.count);
    run(&t, BATCH - 2, 1);
    be->fill((size_t)BATCH * INPUTS, 0, t.tape->x.data);
    be->fill(step.count, 9, gradient);
    GRAPH_PARAMETERS(&t.graph, p) be->fill(p->count, 7, p->gradient);
    assert_int_equal(objective_gradient(t.objective, t.x, BATCH, t.labels, 5, 1, gradient), STATUS_OK);
    for (size_t i = 0; i < step.count; ++i)
        assert_true((double)gradient[i] == step.gradient[i]);
    GRAPH_PARAMETERS(&t.graph, p)
    for (size_t i = 0; i < p->count; ++i)
        assert_true(p->gradient[i] == 7);
    be->release(gradient);
    trial_close(&t);
}

/* ---------------------------------------------------------------- statistics */

static void open_normalised(trial *t, const backend *be, const char *keys)
{
    char cfg[1024];
    snprintf(cfg, sizeof cfg,
             "[net]\ninputs=%d\nbatch=%d\n[connected]\noutput=4\nactivation=tanh\nbatch_normalize=1\n[connected]\noutput=%d\nactivation=linear\n[sobolev]\n%s",
             INPUTS, BATCH, OUTPUTS, keys);
    trial_open(t, be, cfg);
    graph_initialise(&t->graph, be, 3);
    be->normal((random_stream){9, RANDOM_CHECK, 0}, 0, BATCH * INPUTS, t->x);
    fill_labels(t, true);
}

static const real *array_of_first(const trial *t, const char *name)
{
    const graph_node *node = &t->graph.nodes[0];
    for (int i = 0; i < node->n_parameters; ++i)
        if (strcmp(node->parameters[i].name, name) == 0)
            return node->parameters[i].value;
    fail_msg("there is no %s", name);
    return NULL;
}

/* From mean 0 and variance 1: .99 of them, and .01 of those of W x. */
static void expect_moved_once(const trial *t)
{
    const real *weights = array_of_first(t, "weights");
    for (int k = 0; k < 4; ++k) {
        double z[BATCH] = {0}, mean = 0, variance = 0;
        for (int b = 0; b < BATCH; ++b) {
            for (int j = 0; j < INPUTS; ++j)
                z[b] += (double)weights[k * INPUTS + j] * (double)t->x[b * INPUTS + j];
            mean += z[b] / BATCH;
        }
        for (int b = 0; b < BATCH; ++b)
            variance += (z[b] - mean) * (z[b] - mean) / (BATCH - 1);
        expect_near("rolling mean", (double)array_of_first(t, "rolling_mean")[k], .01 * mean, 1);
        expect_near("rolling variance", (double)array_of_first(t, "rolling_variance")[k], .99 + .01 * variance, 1);
    }
}

/* Training moves rolling means and variances, once each step whatever the order. Nothing else does. */
static void test_statistics_move(void **state)
{
    static const char *const keys[] = {"order=0\n", "order=1\n", "order=2\n", "order=2\nprojections=1\nprojections_2=2\n"};
    const backend *be = *state;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i) {
        trial t;
        open_normalised(&t, be, keys[i]);
        real *gradient = be->allocate(graph_parameter_count(&t.graph));
        assert_int_equal(objective_gradient(t.objective, t.x, BATCH, t.labels, 5, 1, gradient), STATUS_OK);
        be->copy((size_t)BATCH * INPUTS, t.x, t.tape->x.data);
        objective_begin(t.objective, t.labels, false, 5, 1);
        sweep_values(t.tape, 0, t.graph.n_nodes - 1);
        for (int k = 0; k < 4; ++k)
            assert_true(array_of_first(&t, "rolling_mean")[k] == 0 && array_of_first(&t, "rolling_variance")[k] == 1);
        run(&t, BATCH, 1);
        expect_moved_once(&t);
        be->release(gradient);
        trial_close(&t);
    }
}

/* As it predicts, the network does not depend on the other samples of a batch; as it is trained, it does. */
static void test_samples_are_coupled(void **state)
{
    trial t;
    open_normalised(&t, *state, "order=0\n");
    real y[2][2 * OUTPUTS];
    for (int training = 0; training < 2; ++training) {
        for (int batch = 2; batch <= BATCH; batch += BATCH - 2) {
            tape_set_batch(t.tape, batch);
            t.be->copy((size_t)batch * INPUTS, t.x, t.tape->x.data);
            objective_begin(t.objective, t.labels, training, 5, 1);
            sweep_values(t.tape, 0, t.graph.n_nodes - 1);
            t.be->copy(2 * OUTPUTS, tape_jet(t.tape, t.graph.output_node)->data, y[batch == BATCH]);
        }
        assert_int_equal(memcmp(y[0], y[1], sizeof y[0]) == 0, !training);
    }
    trial_close(&t);
}

static objective_options read_keys(const char *keys, config **c)
{
    char cfg[512];
    snprintf(cfg, sizeof cfg, "[net]\ninputs=1\n[connected]\noutput=1\n[sobolev]\n%s", keys);
    assert_int_equal(config_parse("t.cfg", cfg, strlen(cfg), NULL, 0, print_line, NULL, c), STATUS_OK);
    return sobolev_read_options(config_section(*c, "sobolev"));
}

static void expect_weights(const char *keys, int order, const double start[3], const double end[3])
{
    config *c;
    objective_options o = read_keys(keys, &c);
    if (o.order != order || memcmp(o.weight, start, sizeof o.weight) != 0 || memcmp(o.end_weight, end, sizeof o.end_weight) != 0)
        fail_msg("%s: order %d, weights %g %g %g to %g %g %g", keys, o.order, o.weight[0], o.weight[1], o.weight[2], o.end_weight[0], o.end_weight[1],
                 o.end_weight[2]);
    config_free(c);
}

/* Where weights begin and end; the order is the highest that has one. */
static void test_read_weights(void **state)
{
    static const char schedule[] = "weight_schedule=linear\n";
    char keys[256];
    (void)state;
    expect_weights("order=2\nweight=2\nweight_1=3\nweight_2=4\n", 2, (double[]){2, 3, 4}, (double[]){2, 3, 4});
    snprintf(keys, sizeof keys, "order=2\nweight=2\nweight_1=3\nweight_2=4\nweight_end=5\nweight_1_end=6\nweight_2_end=7\n%s", schedule);
    expect_weights(keys, 2, (double[]){2, 3, 4}, (double[]){5, 6, 7});
    snprintf(keys, sizeof keys, "order=2\nweight=2\nweight_2=0\nweight_2_end=7\n%s", schedule);
    expect_weights(keys, 2, (double[]){2, 1, 0}, (double[]){2, 1, 7});
    snprintf(keys, sizeof keys, "order=2\nweight_2=7\nweight_2_end=0\n%s", schedule);
    expect_weights(keys, 2, (double[]){1, 1, 7}, (double[]){1, 1, 0});
    expect_weights("order=2\nweight_2=0\nweight_2_end=7\n", 1, (double[]){1, 1, 0}, (double[]){1, 1, 0}); /* no schedule, no end */
    expect_weights("order=2\nweight_1=0\nweight_2=0\n", 0, (double[]){1, 0, 0}, (double[]){1, 0, 0});
}

/* Near to what is refused. */
static void test_accepted(void **state)
{
    static const char *const cases[][2] = {{"relu", "order=2\nallow_zero_curvature=1\n"},
                                           {"tanh", "order=0\nweight=0\nweight_end=1\nweight_schedule=linear\n"},
                                           {"tanh", "order=1\ndifferentiate=loss\nobjective_loss=cross_entropy\n"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        char cfg[512];
        trial t;
        snprintf(cfg, sizeof cfg,
                 "[net]\ninputs=3\nbatch=2\n[connected]\noutput=4\nactivation=%s\n[connected]\noutput=2\nactivation=linear\n[sobolev]\n%s",
                 cases[i][0], cases[i][1]);
        trial_open(&t, *state, cfg); /* fails where it is refused */
        trial_close(&t);
    }
}

static void test_read_options(void **state)
{
    config *c;
    (void)state;
    objective_options o = read_keys("order=2\nloss=l1\nloss_1=huber\nhuber_delta=3\nloss_2=relative\nrelative_epsilon=5\nbalance=softadapt\n"
                                    "balance_every=7\non_collapse=rollback\ncomponent_weights=rms\nprojections=3\nprojections_2=4\n", &c);
    assert_true(o.loss[0].kind == LOSS_L1 && o.loss[1].kind == LOSS_HUBER && o.loss[1].parameter == 3);
    assert_true(o.loss[2].kind == LOSS_RELATIVE && o.loss[2].parameter == 5);
    assert_true(o.balance == BALANCE_SOFTADAPT && o.balance_every == 7 && o.balance_strength == .1);
    assert_true(o.on_collapse == COLLAPSE_ROLLBACK && o.rms_components && o.projections == 3 && o.projections_2 == 4);
    config_free(c);
    o = read_keys("balance=gradnorm\n", &c);
    assert_true(o.balance == BALANCE_GRADNORM && o.balance_every == 100 && o.balance_strength == .12);
    assert_true(o.on_collapse == COLLAPSE_WARN && !o.rms_components);
    config_free(c);
    o = read_keys("balance=gradnorm\nbalance_strength=2\non_collapse=ignore\n", &c);
    assert_true(o.balance_strength == 2 && o.on_collapse == COLLAPSE_IGNORE);
    config_free(c);
}

static void test_schedules(void **state)
{
    (void)state;
    double w[3];
    objective_options o = {.weight = {1, 2, 3}, .end_weight = {0, 4, 3}, .swap_at = 10};
    sobolev_weights(&o, 50, 100, .25, w);
    assert_true(w[0] == 1 && w[1] == 2 && w[2] == 3);
    o.schedule = SCHEDULE_LINEAR;
    sobolev_weights(&o, 25, 100, .25, w);
    assert_true(w[0] == .75 && w[1] == 2.5 && w[2] == 3);
    sobolev_weights(&o, 200, 100, .25, w);
    assert_true(w[0] == 0 && w[1] == 4);
    sobolev_weights(&o, 200, 0, .25, w); /* no end of training is known */
    assert_true(w[0] == 1 && w[1] == 2);
    o.schedule = SCHEDULE_RATE;
    sobolev_weights(&o, 25, 100, 2, w); /* a rate above the first */
    assert_true(w[0] == 1 && w[1] == 2);
    sobolev_weights(&o, 25, 100, .25, w);
    assert_true(w[0] == .25 && w[1] == 3.5);
    o.schedule = SCHEDULE_SWAP;
    sobolev_weights(&o, 9, 100, .25, w);
    assert_true(w[0] == 1 && w[1] == 2);
    sobolev_weights(&o, 10, 100, .25, w);
    assert_true(w[0] == 0 && w[1] == 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unit_directions),   cmocka_unit_test(test_both_kinds),
        cmocka_unit_test(test_relative_directions), cmocka_unit_test(test_fewer_directions),
        cmocka_unit_test(test_direction_weights), cmocka_unit_test(test_output_weights),
        cmocka_unit_test(test_output_weights_of_projections), cmocka_unit_test(test_input_weights),
        cmocka_unit_test(test_scaled_components), cmocka_unit_test(test_missing_samples),
        cmocka_unit_test(test_output_without_labels), cmocka_unit_test(test_missing_component), cmocka_unit_test(test_changed_weights),
        cmocka_unit_test(test_statistics_move), cmocka_unit_test(test_samples_are_coupled),
        cmocka_unit_test(test_gradient_elsewhere), cmocka_unit_test(test_schedules), cmocka_unit_test(test_directions_of_head),
        cmocka_unit_test(test_each_direction_weight), cmocka_unit_test(test_scaled_components_of_order_2), cmocka_unit_test(test_without_training),
        cmocka_unit_test(test_one_output), cmocka_unit_test(test_read_weights), cmocka_unit_test(test_read_options), cmocka_unit_test(test_accepted),
    };
    int failed = 0;
    for (const backend *const *be = backend_list; *be; ++be) {
        struct CMUnitTest named[sizeof tests / sizeof *tests];
        memcpy(named, tests, sizeof tests);
        for (size_t i = 0; i < sizeof tests / sizeof *tests; ++i)
            named[i].initial_state = (void *)*be;
        print_message("backend %s\n", (*be)->name);
        failed += cmocka_run_group_tests_name((*be)->name, named, NULL, NULL);
    }
    return failed;
}
