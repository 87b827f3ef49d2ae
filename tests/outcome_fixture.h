/* What a step of an objective comes to, and comparing two of them. Include after objective_fixture.h; `tolerance` is the test's own. */
#ifndef DNX_TESTS_OUTCOME_FIXTURE_H
#define DNX_TESTS_OUTCOME_FIXTURE_H

#include <math.h>

#include "objective_fixture.h"

enum { MOST_PARAMETERS = 600 };

typedef struct outcome {
    objective_losses losses;
    double gradient[MOST_PARAMETERS]; /* by every parameter, in network order */
    size_t count;
} outcome;

/* One step on the first `batch` samples. */
static inline outcome run(trial *t, int batch, uint64_t step)
{
    outcome o = {.losses = trial_forward(t, batch, 5, step)};
    trial_backward(t);
    GRAPH_PARAMETERS(&t->graph, p)
    for (size_t i = 0; i < p->count; ++i) {
        assert_true(o.count < MOST_PARAMETERS);
        o.gradient[o.count++] = (double)p->gradient[i];
    }
    return o;
}

static inline void expect_near(const char *what, double got, double want, double size)
{
    if (!(fabs(got - want) <= tolerance * size))
        fail_msg("%s is %.17g, should be %.17g", what, got, want);
}

/* got = factor * want */
static inline void expect_multiple(const outcome *got, const outcome *want, double factor)
{
    double size = 0;
    for (size_t i = 0; i < want->count; ++i)
        size = fmax(size, fabs(want->gradient[i]));
    assert_true(size > 0);
    expect_near("loss", got->losses.total, factor * want->losses.total, fabs(factor * want->losses.total));
    for (size_t i = 0; i < want->count; ++i)
        expect_near("gradient", got->gradient[i], factor * want->gradient[i], fabs(factor) * size);
}

#endif
