#include "train/guard.h"

#include <math.h>
#include <stdbool.h>

static const double worse = 2;         /* times the best */
static const double negligible = 1e-3; /* of the labels' variance: the noise of a converged training */

guard guard_start(double mean_error)
{
    return (guard){.mean_error = mean_error, .best_test = -1, .best_training = -1, .first_collapse = -1};
}

static bool has_risen(double error, double best, double times)
{
    return best >= 0 && error > times * best;
}

static bool is_bad(const guard *g, const guard_reading *r)
{
    bool matters = r->test_error > negligible * g->mean_error;
    bool risen = matters && has_risen(r->test_error, g->best_test, worse) && has_risen(r->training_error, g->best_training, worse);
    bool useless = r->test_error >= g->mean_error && has_risen(r->test_error, g->best_test, 1) && g->best_test < g->mean_error;
    return risen || useless;
}

/* What is not known is no best. */
static double least(double best, double value)
{
    return isfinite(value) && (best < 0 || value < best) ? value : best;
}

guard_verdict guard_judge(guard *g, const guard_reading *r, long step)
{
    bool known = isfinite(r->cosine) && isfinite(r->training_error), bad = known && is_bad(g, r);
    g->best_test = least(g->best_test, r->test_error);
    g->best_training = least(g->best_training, r->training_error);
    if (!known)
        return GUARD_GOOD;
    g->bad = bad ? g->bad + 1 : 0;
    g->cosines = bad ? g->cosines + r->cosine : 0;
    if (g->bad < GUARD_PATIENCE)
        return GUARD_GOOD;
    g->cosine = g->cosines / g->bad;
    guard_verdict verdict = g->cosine < 0 ? GUARD_OPPOSED : GUARD_UNSTABLE;
    g->bad = 0;
    g->cosines = 0;
    if (g->collapses++ == 0)
        g->first_collapse = step;
    return verdict;
}
