/* What watches a training: the collapse guard, and the balance of the orders. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "train/balance.h"
#include "train/guard.h"

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
    {"a little worse", {{9, 9, -.5}, {1, 1, -.2}, {1.9, 1.9, -.5}, {1.9, 1.9, -.5}, {1.9, 1.9, -.6}, {1.9, 1.9, -.6}}, 0, GUARD_GOOD},
    {"not for long", {{9, 9, -.5}, {1, 1, -.2}, {3, 3, -.5}, {3, 3, -.5}, {1.5, 1.5, -.6}, {3, 3, -.6}, {3, 3, -.5}, {1, 1, -.5}}, 0, GUARD_GOOD},
    {"no better than the mean", {{9, 9, .5}, {8, 8, .2}, {11, 8, -.5}, {12, 8, -.5}, {11, 8, -.6}, {11, 8, -.6}}, 5, GUARD_OPPOSED},
    {"never better than the mean", {{12, 9, .5}, {11, 8, .2}, {13, 8, -.5}, {12, 8, -.5}, {11.5, 8, -.6}, {12, 8, -.6}}, 0, GUARD_GOOD},
    {"the best is remembered without a cosine", {{9, 9, NAN}, {1, 1, NAN}, {3, 3, -.5}, {4, 4, -.5}, {5, 5, -.6}}, 5, GUARD_OPPOSED},
    {"cosine not known", {{9, 9, NAN}, {1, 1, NAN}, {3, 3, NAN}, {4, 4, NAN}, {5, 5, NAN}, {6, 6, NAN}}, 0, GUARD_GOOD},
    {"learnt before derivatives had a weight", {{9, NAN, NAN}, {1, 1, NAN}, {6, 6, -.5}, {6, 6, -.5}, {6, 6, -.5}}, 5, GUARD_OPPOSED},
    {"not judged in between", {{9, 9, .5}, {1, 1, .2}, {3, 3, -.5}, {4, 4, -.5}, {5, 5, NAN}, {6, 6, -.6}}, 6, GUARD_OPPOSED},
    {"no loss yet", {{9, NAN, -.5}, {1, NAN, -.5}, {3, NAN, -.5}, {4, NAN, -.5}, {5, NAN, -.5}, {6, NAN, -.5}}, 0, GUARD_GOOD},
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

/* After a collapse three more bad readings are needed for the next. */
static void test_guard_counts(void **state)
{
    (void)state;
    guard g = guard_start(10);
    int found[16] = {0}, n = 0;
    guard_judge(&g, &(guard_reading){1, 1, -.5}, 0);
    for (int k = 1; k <= 7; ++k)
        if (guard_judge(&g, &(guard_reading){5, 5, -.5}, k))
            found[n++] = k;
    assert_int_equal(n, 2);
    assert_int_equal(found[0], GUARD_PATIENCE);
    assert_int_equal(found[1], 2 * GUARD_PATIENCE);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_guard),          cmocka_unit_test(test_guard_counts),   cmocka_unit_test(test_softadapt),
        cmocka_unit_test(test_gradnorm),       cmocka_unit_test(test_gradnorm_rates), cmocka_unit_test(test_balance_of_a_late_order), cmocka_unit_test(test_balance_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
