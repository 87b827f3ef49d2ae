/* What watches a training: the collapse guard, the balance of the orders, and what they do to a network. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "plugin_fixture.h"
#include "train/watch.h"

/* ---------------------------------------------------------------- guard */

typedef struct guard_case {
    const char *name;
    guard_reading readings[8];
    int collapse; /* after so many readings; 0: none */
    guard_verdict verdict;
} guard_case;

/* The labels' variance is 10. */
static const guard_case guard_cases[] = {
    {"learning", {{9, 9, -.1}, {5, 5, -.1}, {3, 3, -.1}, {2, 2, -.1}, {1, 1, -.1}, {.5, .5, -.1}, {.4, .4, -.1}, {.3, .3, -.1}}, 0, GUARD_GOOD},
    {"values rise, gradients oppose", {{9, 9, .5}, {1, 1, .2}, {3, 3, -.5}, {4, 4, -.5}, {5, 5, -.6}, {6, 6, -.6}}, 5, GUARD_OPPOSED},
    {"values rise, gradients agree", {{9, 9, .5}, {1, 1, .2}, {3, 3, .5}, {4, 4, .5}, {5, 5, .6}, {6, 6, .6}}, 5, GUARD_UNSTABLE},
    {"only the average tells", {{9, 9, .5}, {1, 1, -.9}, {3, 3, .3}, {4, 4, -.9}, {5, 5, .3}, {6, 6, .6}}, 5, GUARD_OPPOSED},
    {"cosines of good readings do not count", {{9, 9, -.9}, {1, 1, -.9}, {3, 3, .1}, {4, 4, .1}, {5, 5, -.1}, {6, 6, .6}}, 5, GUARD_UNSTABLE},
    {"overfitting", {{9, 9, -.5}, {1, 1, -.2}, {3, .9, -.5}, {4, .8, -.5}, {5, .7, -.6}, {6, .6, -.6}}, 0, GUARD_GOOD},
    {"the noise of a good model", {{9, 9, -.5}, {.001, .001, -.2}, {.009, .009, -.5}, {.009, .009, -.5}, {.009, .009, -.6}, {.009, .009, -.6}}, 0, GUARD_GOOD},
    {"training alone becomes worse", {{9, 9, -.5}, {1, 1, -.2}, {1, 3, -.5}, {1, 4, -.5}, {1, 5, -.6}, {1, 6, -.6}}, 0, GUARD_GOOD},
    {"a little worse", {{9, 9, -.5}, {1, 1, -.2}, {1.9, 1.9, -.5}, {1.9, 1.9, -.5}, {1.9, 1.9, -.6}, {1.9, 1.9, -.6}}, 0, GUARD_GOOD},
    {"not for long", {{9, 9, -.5}, {1, 1, -.2}, {3, 3, -.5}, {3, 3, -.5}, {1.5, 1.5, -.6}, {3, 3, -.6}, {3, 3, -.5}, {1, 1, -.5}}, 0, GUARD_GOOD},
    {"no better than the mean", {{9, 9, .5}, {8, 8, .2}, {11, 8, -.5}, {12, 8, -.5}, {11, 8, -.6}, {11, 8, -.6}}, 5, GUARD_OPPOSED},
    {"exactly the mean", {{9, 9, .5}, {8, 8, .2}, {10, 8, -.5}, {10, 8, -.5}, {10, 8, -.6}}, 5, GUARD_OPPOSED},
    {"worse from the start", {{12, 1, -.5}, {25, 3, -.5}, {25, 3, -.5}, {25, 3, -.5}}, 4, GUARD_OPPOSED},
    {"never better than the mean", {{12, 9, .5}, {11, 8, .2}, {13, 8, -.5}, {12, 8, -.5}, {11.5, 8, -.6}, {12, 8, -.6}}, 0, GUARD_GOOD},
    {"the best is remembered without a cosine", {{9, 9, NAN}, {1, 1, NAN}, {3, 3, -.5}, {4, 4, -.5}, {5, 5, -.6}}, 5, GUARD_OPPOSED},
    {"cosine not known", {{9, 9, NAN}, {1, 1, NAN}, {3, 3, NAN}, {4, 4, NAN}, {5, 5, NAN}, {6, 6, NAN}}, 0, GUARD_GOOD},
    {"learnt before derivatives had a weight", {{9, NAN, NAN}, {1, 1, NAN}, {6, 6, -.5}, {6, 6, -.5}, {6, 6, -.5}}, 5, GUARD_OPPOSED},
    {"not judged in between", {{9, 9, .5}, {1, 1, .2}, {3, 3, -.5}, {4, 4, -.5}, {5, 5, NAN}, {6, 6, -.6}}, 6, GUARD_OPPOSED},
    {"no loss yet", {{9, NAN, -.5}, {1, NAN, -.5}, {3, NAN, -.5}, {4, NAN, -.5}, {5, NAN, -.5}, {6, NAN, -.5}}, 0, GUARD_GOOD},
    {"no loss, no better than the mean", {{9, NAN, -.5}, {1, NAN, -.5}, {11, NAN, -.5}, {11, NAN, -.5}, {11, NAN, -.5}}, 0, GUARD_GOOD},
};

static void test_guard(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof guard_cases / sizeof *guard_cases; ++i) {
        const guard_case *c = &guard_cases[i];
        guard g = guard_start(10);
        int collapse = 0;
        guard_verdict first = GUARD_GOOD;
        for (int k = 0; k < 8 && c->readings[k].test_error > 0; ++k) {
            guard_verdict verdict = guard_judge(&g, &c->readings[k], 100 * (k + 1));
            if (verdict == GUARD_GOOD || collapse > 0)
                continue;
            collapse = k + 1;
            first = verdict;
        }
        if (collapse != c->collapse || first != c->verdict)
            fail_msg("%s: verdict %d at reading %d instead of %d at %d", c->name, first, collapse, c->verdict, c->collapse);
        assert_int_equal(g.collapses, collapse > 0);
        assert_int_equal(g.first_collapse, collapse > 0 ? 100 * collapse : -1);
    }
}

/* After a collapse three more bad readings are needed for the next, which is judged by their cosines. */
static void test_guard_counts(void **state)
{
    (void)state;
    guard g = guard_start(10);
    int found[16] = {0}, n = 0;
    guard_verdict verdicts[16], verdict;
    guard_judge(&g, &(guard_reading){1, 1, -.5}, 0);
    for (int k = 1; k <= 7; ++k)
        if ((verdict = guard_judge(&g, &(guard_reading){5, 5, k <= GUARD_PATIENCE ? -.5 : .4}, k)) != GUARD_GOOD) {
            verdicts[n] = verdict;
            found[n++] = k;
        }
    assert_int_equal(n, 2);
    assert_true(found[0] == GUARD_PATIENCE && verdicts[0] == GUARD_OPPOSED);
    assert_true(found[1] == 2 * GUARD_PATIENCE && verdicts[1] == GUARD_UNSTABLE);
    assert_int_equal(g.collapses, 2);
    assert_int_equal(g.first_collapse, GUARD_PATIENCE);
}

/* ---------------------------------------------------------------- balance */

static void observe(balancer *b, double value, double gradient)
{
    balancer_observe(b, (const double[JET_MAX_ORDER + 1]){value, gradient, NAN}, 1);
}

static void expect_near(double got, double want)
{
    if (!(fabs(got - want) <= 1e-12 * fabs(want)))
        fail_msg("%.17g, should be %.17g", got, want);
}

/* The formula of its head comment, by hand. */
static void test_softadapt(void **state)
{
    (void)state;
    objective_options o = {.order = 1, .balance = BALANCE_SOFTADAPT, .balance_strength = .1};
    const double none[JET_MAX_ORDER + 1] = {0};
    balancer b = balancer_start(&o);
    observe(&b, 8, 4);
    observe(&b, 12, 4); /* mean 10 and 4 */
    balancer_change(&b, none);
    assert_true(b.factors[0] == 1 && b.factors[1] == 1); /* there is no last value yet */
    observe(&b, 7, 5); /* slopes -3 and +1 */
    balancer_change(&b, none);
    double e0 = exp(.1 * -.75), e1 = exp(.1 * .25);
    expect_near(b.factors[0], 2 * e0 / (e0 + e1));
    expect_near(b.factors[1], 2 * e1 / (e0 + e1));
    assert_true(b.factors[1] > b.factors[0]); /* the loss that falls less gets more */
}

/* Repeated, it reaches equal gradients for losses that fall alike. */
static void test_gradnorm(void **state)
{
    (void)state;
    objective_options o = {.order = 1, .balance = BALANCE_GRADNORM, .balance_strength = .12};
    balancer b = balancer_start(&o);
    observe(&b, 5, 100);
    balancer_change(&b, (const double[JET_MAX_ORDER + 1]){1, 30});
    expect_near(b.factors[0] / b.factors[1], pow(30, .1)); /* slowly */
    b = balancer_start(&o);
    for (int i = 0; i < 500; ++i) {
        double fall = exp(-.01 * i);
        observe(&b, 5 * fall, 100 * fall);
        balancer_change(&b, (const double[JET_MAX_ORDER + 1]){1 * b.factors[0], 30 * b.factors[1]});
    }
    assert_true(fabs(b.factors[0] / b.factors[1] / 30 - 1) < 1e-3);
    expect_near(b.factors[0] + b.factors[1], 2);
}

/* The one that falls slower ends with the larger gradient: G_0 / G_1 = (r_0 / r_1)^alpha. */
static void test_gradnorm_rates(void **state)
{
    (void)state;
    objective_options o = {.order = 1, .balance = BALANCE_GRADNORM, .balance_strength = .5};
    balancer b = balancer_start(&o);
    for (int i = 0; i < 500; ++i) {
        observe(&b, i ? 4 : 8, i ? 1 : 8); /* relative losses 1/2 and 1/8 */
        balancer_change(&b, (const double[JET_MAX_ORDER + 1]){b.factors[0], b.factors[1]});
    }
    assert_true(fabs(b.factors[0] / b.factors[1] / 2 - 1) < 1e-3);
}

/* An order that gets its weight later takes part from then on. */
static void test_balance_of_a_late_order(void **state)
{
    (void)state;
    objective_options o = {.order = 1, .balance = BALANCE_GRADNORM, .balance_strength = .5};
    balancer b = balancer_start(&o);
    observe(&b, 4, NAN);
    balancer_change(&b, (const double[JET_MAX_ORDER + 1]){3, 0});
    assert_true(b.factors[0] == 1 && b.factors[1] == 1);
    observe(&b, 4, NAN);
    observe(&b, 4, 6);
    balancer_change(&b, (const double[JET_MAX_ORDER + 1]){3, 1});
    assert_true(b.first[1] == 6);
    assert_true(b.factors[1] > 1 && b.factors[0] < 1);
}

/* Orders without loss or gradient stay out of it. */
static void test_balance_of_one(void **state)
{
    (void)state;
    objective_options o = {.order = 1, .balance = BALANCE_GRADNORM, .balance_strength = .5};
    balancer b = balancer_start(&o);
    for (int i = 0; i < 5; ++i) {
        observe(&b, 4, 0);
        balancer_change(&b, (const double[JET_MAX_ORDER + 1]){3, 0});
    }
    assert_true(b.factors[0] == 1 && b.factors[1] == 1);
    balancer_change(&b, (const double[JET_MAX_ORDER + 1]){3, 1}); /* an empty interval */
    assert_true(b.factors[0] == 1 && b.factors[1] == 1);
    b = balancer_start(NULL);
    assert_true(b.kind == BALANCE_NONE && b.factors[0] == 1);
}

/* Loss and gradient of the second order in three intervals: wherever one of them is 0, it stays out. */
static void test_balance_without_partner(void **state)
{
    static const double losses[][3] = {{4, 4, 4}, {4, 0, 0}, {0, 4, 4}}, norms[][3] = {{0, 0, 0}, {0, 1, 1}, {0, 1, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof losses / sizeof *losses; ++i) {
        objective_options o = {.order = 1, .balance = BALANCE_GRADNORM, .balance_strength = .5};
        balancer b = balancer_start(&o);
        b.factors[0] = .5;
        b.factors[1] = 1.5;
        for (int k = 0; k < 3; ++k) {
            observe(&b, 3, losses[i][k]);
            balancer_change(&b, (const double[JET_MAX_ORDER + 1]){1, norms[i][k]});
        }
        assert_true(b.factors[0] == .5 && b.factors[1] == 1.5);
    }
}

/* Two of three orders: their factors add up to 2, and stay when one of them is left. */
static void test_balance_of_two(void **state)
{
    (void)state;
    objective_options o = {.order = 2, .balance = BALANCE_SOFTADAPT, .balance_strength = 1};
    const double none[JET_MAX_ORDER + 1] = {0};
    balancer b = balancer_start(&o);
    balancer_change(&b, none); /* an empty interval is not the first */
    for (int k = 0; k < 2; ++k) {
        balancer_observe(&b, (const double[JET_MAX_ORDER + 1]){8 - 4 * k, 0, 5}, 1);
        balancer_change(&b, none);
    }
    assert_true(b.first[0] == 8 && b.first[2] == 5);
    expect_near(b.factors[0], 2 * exp(-1) / (exp(-1) + 1));
    expect_near(b.factors[2], 2 / (exp(-1) + 1));
    assert_true(b.factors[1] == 1);
    balancer before = b;
    balancer_observe(&b, (const double[JET_MAX_ORDER + 1]){2, 0, 0}, 1);
    balancer_change(&b, none);
    assert_memory_equal(b.factors, before.factors, sizeof b.factors);
}

/* ---------------------------------------------------------------- a network that is watched */

enum { INPUTS = 2, BATCH = 3, PARAMETERS = 17 };

/* Two inputs, one output; `net` and `sobolev` are keys of these sections. */
static plugin_network *open_network(const char *net, const char *sobolev)
{
    char cfg[512];
    snprintf(cfg, sizeof cfg,
             "[net]\ninputs=2\nbatch=3\nmax_batches=100\nlearning_rate=.01\n%s[connected]\noutput=4\nactivation=tanh\n[connected]\noutput=1\n"
             "activation=linear\n[sobolev]\n%s", net, sobolev);
    return plugin_from_text(NULL, cfg);
}

typedef struct watched {
    plugin_network *net;
    watch watch;
    FILE *log;
    char *text;
    size_t length;
} watched;

static void open_watched(watched *t, const char *net, const char *sobolev)
{
    t->net = open_network(net, sobolev);
    t->log = open_memstream(&t->text, &t->length);
    assert_int_equal(watch_start(&t->watch, t->net, 10, t->log), STATUS_OK);
}

static void close_watched(watched *t)
{
    watch_free(&t->watch);
    plugin_free(t->net);
    fclose(t->log);
    free(t->text);
}

/* One update with labels that change. */
static objective_losses train(watched *t, int i)
{
    for (int k = 0; k < BATCH * INPUTS; ++k)
        plugin_input(t->net)[k] = (float)sin(1 + i + 3 * k);
    for (size_t k = 0; k < BATCH * plugin_truth_count(t->net); ++k)
        plugin_truth(t->net)[k] = (float)cos(2. * i + 5 * (double)k);
    objective_losses l = plugin_train_minibatch(t->net);
    watch_losses(&t->watch, &l, plugin_minibatch(t->watch.net));
    return l;
}

/* The guard reads the training's error out of the watch's sums. */
static void judge(watched *t, long step, double error, double cosine, long best_step)
{
    train(t, (int)step);
    t->watch.value_loss = 2 * error;
    t->watch.samples = 2;
    t->watch.cosine = cosine;
    watch_judge(&t->watch, step, &(watch_errors){error, 1, best_step});
}

/* Everything that an update changes: [4][parameters]; 0 where the optimiser has no such array. */
static void take_arrays(plugin_network *p, float arrays[4 * PARAMETERS])
{
    float *to = arrays;
    memset(arrays, 0, 4 * PARAMETERS * sizeof *arrays);
    GRAPH_PARAMETERS(plugin_graph(p), q)
    {
        const float *from[] = {q->value, q->gradient, q->moment_1, q->moment_2};
        for (int k = 0; k < 4; ++k, to += q->count)
            if (from[k])
                memcpy(to, from[k], q->count * sizeof *to);
    }
    assert_int_equal(to - arrays, 4 * PARAMETERS);
}

static void expect_text(watched *t, const char *text)
{
    fflush(t->log);
    if (!strstr(t->text, text))
        fail_msg("the log should hold: %s\nit is: %s", text, t->text);
}

/* Bad readings until the guard has had enough. */
static void collapse(watched *t, long step, double cosine)
{
    for (long k = step; k < step + GUARD_PATIENCE; ++k)
        judge(t, k, 5, cosine, 1);
}

static void test_losses(void **state)
{
    watched t;
    (void)state;
    open_watched(&t, "", "order=1\nweight=2\nweight_1=.5\n");
    objective_losses first = train(&t, 1), second = train(&t, 2);
    expect_near(t.watch.value_loss, (first.order[0] + second.order[0]) / 2);
    assert_int_equal(t.watch.samples, 2 * BATCH);
    expect_near(t.watch.balancer.sums[0], (first.order[0] + second.order[0]) / 2);
    expect_near(t.watch.balancer.sums[1], (first.order[1] + second.order[1]) / .5);
    assert_int_equal(t.watch.balancer.samples[0], 2 * BATCH);
    assert_int_equal(t.watch.balancer.samples[1], 2 * BATCH);
    close_watched(&t);
    open_watched(&t, "", "order=1\nweight_1=0\nweight_1_end=1\nweight_schedule=swap\nswap_at=50\n");
    watch_judge(&t.watch, 0, &(watch_errors){4, 4, 0});
    assert_true(t.watch.guard.best_test == 4 && t.watch.guard.best_training < 0); /* not trained yet */
    first = train(&t, 1);
    assert_true(t.watch.balancer.sums[1] == 0 && t.watch.balancer.samples[1] == 0); /* no weight, no loss */
    watch_judge(&t.watch, 1, &(watch_errors){3, 3, 1});
    expect_near(t.watch.guard.best_training, first.order[0] / BATCH);
    close_watched(&t);
}

/* [cost]: its cost is the loss on values. */
static void test_losses_of_cost(void **state)
{
    (void)state;
    watched t = {.net = plugin_from_text(NULL, "[net]\ninputs=2\nbatch=3\n[connected]\noutput=1\nactivation=linear\n[cost]\n")};
    t.log = open_memstream(&t.text, &t.length);
    assert_int_equal(watch_start(&t.watch, t.net, 10, t.log), STATUS_OK);
    objective_losses l = train(&t, 1);
    assert_true(l.order[0] > 0 && t.watch.value_loss == l.order[0]);
    watch_judge(&t.watch, 1, &(watch_errors){9, 1, 0}); /* nothing to say about derivatives */
    assert_true(t.watch.samples == 0 && t.watch.guard.collapses == 0);
    close_watched(&t);
}

/* Back to where the test error was least, the optimiser's memory included; derivatives count less each time, at last nothing. */
static void expect_rollbacks(const char *optimiser)
{
    static const char *const words[] = {"derivatives count 0.1 of their weight\n", "derivatives count 0.01 of their weight\n", "on values alone\n"};
    static const double trust[] = {.1, .01, 0};
    float best[4 * PARAMETERS], now[4 * PARAMETERS];
    watched t;
    open_watched(&t, optimiser, "order=1\nweight_1=2\non_collapse=rollback\n");
    judge(&t, 0, 2, -.5, 0);
    judge(&t, 1, 1, -.5, 1);
    take_arrays(t.net, best);
    for (int i = 0; i < 3; ++i) {
        judge(&t, 2, 1.5, -.5, 1); /* neither good nor bad: no snapshot */
        take_arrays(t.net, now);
        assert_memory_not_equal(now, best, sizeof best);
        collapse(&t, 3, -.5);
        take_arrays(t.net, now);
        assert_memory_equal(now, best, sizeof best);
        expect_near(t.watch.trust, trust[i]);
        expect_text(&t, "the losses on derivatives oppose the loss on values (mean cosine of their gradients -0.50)\n");
        expect_text(&t, "rollback: on from the weights of update 1, ");
        expect_text(&t, words[i]);
        train(&t, 9);
        assert_true(plugin_weights(t.net)[0] == 1);
        expect_near(plugin_weights(t.net)[1], 2 * trust[i]);
        expect_near(plugin_rate(t.net), (double).01f);
    }
    close_watched(&t);
}

static void test_rollback_of_opposed(void **state)
{
    (void)state;
    expect_rollbacks("adam=1\n");
    expect_rollbacks("momentum=.9\n");
}

static void test_rollback_of_unstable(void **state)
{
    watched t;
    (void)state;
    open_watched(&t, "adam=1\n", "order=1\nweight_1=2\non_collapse=rollback\n");
    judge(&t, 1, 1, .5, 1);
    collapse(&t, 2, .5);
    expect_text(&t, "the losses on derivatives suffer too (mean cosine of the gradients 0.50)\n");
    expect_text(&t, "the learning rate times 0.3\n");
    assert_true(fabs(plugin_rate(t.net) - .003) < 1e-8);
    collapse(&t, 6, .5);
    expect_text(&t, "the learning rate times 0.09\n");
    assert_true(fabs(plugin_rate(t.net) - .0009) < 1e-8);
    expect_near(t.watch.rate_factor, .09);
    assert_true(t.watch.trust == 1 && t.watch.rollbacks == 0);
    close_watched(&t);
}

/* Rolling means and variances go back with the weights. */
static void test_rollback_of_statistics(void **state)
{
    (void)state;
    watched t = {.net = plugin_from_text(NULL, "[net]\ninputs=2\nbatch=3\nmax_batches=100\nlearning_rate=.01\n[connected]\noutput=4\nactivation=tanh\n"
                                               "batch_normalize=1\n[connected]\noutput=1\nactivation=linear\n[sobolev]\norder=1\non_collapse=rollback\n")};
    float best[64], *to = best;
    t.log = open_memstream(&t.text, &t.length);
    assert_int_equal(watch_start(&t.watch, t.net, 10, t.log), STATUS_OK);
    judge(&t, 1, 1, .5, 1);
    GRAPH_ARRAYS(plugin_graph(t.net), p)
    {
        memcpy(to, p->value, p->count * sizeof *to);
        to += p->count;
    }
    train(&t, 2);
    to = best;
    GRAPH_ARRAYS(plugin_graph(t.net), p)
    {
        assert_memory_not_equal(p->value, to, p->count * sizeof *to);
        to += p->count;
    }
    collapse(&t, 3, .5);
    to = best;
    GRAPH_ARRAYS(plugin_graph(t.net), p)
    {
        assert_memory_equal(p->value, to, p->count * sizeof *to);
        to += p->count;
    }
    assert_int_equal(to - best, 4 + 8 + 3 * 4 + 1 + 4);
    close_watched(&t);
}

/* Said once; nothing is done. */
static void test_warning(void **state)
{
    static const char *const keys[] = {"order=1\n", "order=1\non_collapse=ignore\n"};
    (void)state;
    for (int ignore = 0; ignore < 2; ++ignore) {
        watched t;
        open_watched(&t, "", keys[ignore]);
        judge(&t, 1, 1, -.5, 1);
        collapse(&t, 2, -.5);
        assert_int_equal(t.watch.guard.collapses, !ignore);
        size_t length = (fflush(t.log), t.length);
        assert_int_equal(length > 0, !ignore);
        collapse(&t, 6, -.5);
        fflush(t.log);
        assert_int_equal(t.length, length);
        if (!ignore)
            expect_text(&t, ": a smaller weight_1, or on_collapse=rollback, may help\n");
        assert_true(t.watch.trust == 1 && !t.watch.snapshot);
        close_watched(&t);
    }
}

/* A schedule, and factors from outside, reach the loss itself: of the first update of 100, and whatever is predicted in between. */
static void test_scheduled_losses(void **state)
{
    watched constant, linear;
    (void)state;
    open_watched(&constant, "", "order=1\nweight_1=2\n");
    open_watched(&linear, "", "order=1\nweight_1=2\nweight_1_end=0\nweight_schedule=linear\n");
    double first = plugin_weights(linear.net)[1];
    plugin_predict(linear.net, plugin_input(linear.net));
    expect_near(plugin_weights(linear.net)[1], first);
    objective_losses want = train(&constant, 1), got = train(&linear, 1);
    assert_true(got.order[0] == want.order[0] && fabs(got.order[1] / want.order[1] / .99 - 1) < 1e-6);
    expect_near(plugin_weights(linear.net)[1], 2 * .99);
    close_watched(&linear);
    open_watched(&linear, "", "order=1\nweight_1=2\n");
    plugin_scale_weights(linear.net, (const double[JET_MAX_ORDER + 1]){1, .25});
    got = train(&linear, 1);
    assert_true(got.order[0] == want.order[0] && fabs(got.order[1] / want.order[1] / .25 - 1) < 1e-6);
    close_watched(&linear);
    close_watched(&constant);
}

/* Only where balance_every says. */
static void test_balance_of_network(void **state)
{
    watched t;
    (void)state;
    open_watched(&t, "", "order=1\nweight_1=2\nbalance=softadapt\nbalance_every=3\n");
    t.watch.trust = .5;
    for (int i = 1; i <= 6; ++i) {
        train(&t, i);
        assert_int_equal(watch_update(&t.watch, i), STATUS_OK);
        assert_int_equal(t.watch.balancer.samples[0], i % 3 * BATCH);
    }
    train(&t, 7);
    assert_true(t.watch.balancer.factors[0] != 1);
    expect_near(plugin_weights(t.net)[0], t.watch.balancer.factors[0]);
    expect_near(plugin_weights(t.net)[1], .5 * 2 * t.watch.balancer.factors[1]);
    close_watched(&t);
}

/* What one run remembers, another one knows. */
static void test_memory(void **state)
{
    watched t, other;
    (void)state;
    open_watched(&t, "", "order=2\nbalance=softadapt\n");
    open_watched(&other, "", "order=2\nbalance=softadapt\n");
    watch *w = &t.watch;
    for (int k = 0; k <= JET_MAX_ORDER; ++k) {
        w->balancer.factors[k] = 2 + k;
        w->balancer.first[k] = 10 + k;
        w->balancer.last[k] = 20 + k;
        w->balancer.sums[k] = 30 + k;
        w->balancer.samples[k] = 41 + k;
    }
    w->guard = (guard){.mean_error = 10, .best_test = 42, .best_training = 43, .bad = 44, .cosines = 45, .collapses = 46, .first_collapse = 47};
    w->trust = .5;
    w->rate_factor = .25;
    w->rollbacks = 48;
    training_memory memory;
    watch_remember(w, &memory);
    watch_recall(&other.watch, &memory);
    for (int k = 0; k <= JET_MAX_ORDER; ++k) {
        assert_true(other.watch.balancer.factors[k] == 2 + k && other.watch.balancer.first[k] == 10 + k);
        assert_true(other.watch.balancer.last[k] == 20 + k && other.watch.balancer.sums[k] == 30 + k);
        assert_int_equal(other.watch.balancer.samples[k], 41 + k);
    }
    const guard *g = &other.watch.guard;
    assert_true(g->best_test == 42 && g->best_training == 43 && g->bad == 44 && g->cosines == 45 && g->collapses == 46 && g->first_collapse == 47);
    assert_true(other.watch.trust == .5 && other.watch.rate_factor == .25 && other.watch.rollbacks == 48);
    assert_true(fabs(plugin_rate(other.net) - .0025) < 1e-8);
    train(&other, 1);
    const double *weights = plugin_weights(other.net);
    assert_true(weights[0] == 2 && weights[1] == 1.5 && weights[2] == 2);
    close_watched(&t);
    close_watched(&other);
}

static void test_state_path(void **state)
{
    static const char *const names[][2] = {{"a.weights", "a.state"},
                                           {"run/net_final.weights", "run/net_last.state"},
                                           {"run/net_best.weights", "run/net_best.state"},
                                           {"other", "other.state"},
                                           {".weights", ".weights.state"}};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        char path[64];
        state_path(names[i][0], path, sizeof path);
        assert_string_equal(path, names[i][1]);
    }
}

/* ---------------------------------------------------------------- gradients of the orders */

static double dot(const float *a, const float *b)
{
    double sum = 0;
    for (int i = 0; i < PARAMETERS; ++i)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

static void test_gradients(void **state)
{
    float g[4][PARAMETERS], derivatives[PARAMETERS];
    double cosine, norms[JET_MAX_ORDER + 1];
    watched t;
    (void)state;
    open_watched(&t, "", "order=2\nweight=3\nweight_1=2\nweight_2=.5\n");
    train(&t, 1);
    for (int k = 0; k <= 2; ++k) {
        double weights[JET_MAX_ORDER + 1] = {0};
        weights[k] = plugin_weights(t.net)[k];
        assert_int_equal(plugin_loss_gradient(t.net, weights, g[k]), STATUS_OK);
    }
    for (int i = 0; i < PARAMETERS; ++i)
        derivatives[i] = g[1][i] + g[2][i];
    assert_int_equal(gradient_probe_norms(&t.watch.probe, norms), STATUS_OK);
    for (int k = 0; k <= 2; ++k)
        assert_true(norms[k] > 0 && fabs(norms[k] / sqrt(dot(g[k], g[k])) - 1) < 1e-5);
    assert_int_equal(gradient_probe_cosine(&t.watch.probe, &cosine), STATUS_OK);
    assert_true(fabs(cosine - dot(g[0], derivatives) / sqrt(dot(g[0], g[0]) * dot(derivatives, derivatives))) < 1e-5);
    close_watched(&t);
    open_watched(&t, "", "order=1\nweight_1=0\nweight_1_end=1\nweight_schedule=swap\nswap_at=50\n");
    train(&t, 1);
    assert_int_equal(watch_compare_gradients(&t.watch), STATUS_OK);
    assert_true(isnan(t.watch.cosine)); /* there is nothing to compare with */
    close_watched(&t);
}

static void test_what_can_be_compared(void **state)
{
    static const struct {
        const char *keys;
        bool applies;
    } cases[] = {{"order=1\n", true}, {"order=0\n", false}, {"order=1\nweight=0\n", false},
                 {"order=1\nweight=0\nweight_end=1\nweight_schedule=linear\n", true}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        plugin_network *p = open_network("", cases[i].keys);
        assert_int_equal(gradient_probe_applies(p), cases[i].applies);
        plugin_free(p);
    }
    plugin_network *p = plugin_from_text(NULL, "[net]\nheight=1\nwidth=1\nchannels=2\n[convolutional]\nfilters=2\nsize=1\nbinary=1\n[connected]\noutput=4\n"
                                               "activation=tanh\n[connected]\noutput=1\n[sobolev]\norder=1\ntarget=zero\nwrt=1\n");
    assert_false(gradient_probe_applies(p)); /* a layer that only Darknet runs */
    plugin_free(p);
    p = open_network("", "order=1\nweight=0\nbalance=gradnorm\n");
    assert_int_equal(watch_check(p), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), "error: balance=gradnorm compares gradients: "));
    plugin_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard),          cmocka_unit_test(test_guard_counts),   cmocka_unit_test(test_softadapt),
        cmocka_unit_test(test_gradnorm),       cmocka_unit_test(test_gradnorm_rates), cmocka_unit_test(test_balance_of_a_late_order),
        cmocka_unit_test(test_balance_of_one),
        cmocka_unit_test(test_balance_without_partner), cmocka_unit_test(test_balance_of_two),
        cmocka_unit_test(test_losses),         cmocka_unit_test(test_losses_of_cost), cmocka_unit_test(test_rollback_of_opposed),
        cmocka_unit_test(test_rollback_of_unstable), cmocka_unit_test(test_rollback_of_statistics), cmocka_unit_test(test_warning),  cmocka_unit_test(test_balance_of_network),
        cmocka_unit_test(test_memory),         cmocka_unit_test(test_gradients),      cmocka_unit_test(test_what_can_be_compared),
        cmocka_unit_test(test_state_path),     cmocka_unit_test(test_scheduled_losses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
