#include "train/guard.h"

#include <math.h>

static const double worse = 2; /* times the best */

guard guard_start(double mean_error)
{
    return (guard){.mean_error = mean_error, .best_test = -1, .best_training = -1, .first_collapse = -1};
}

/* Worse than it has been. */
static bool has_risen(double error, double best)
{
    return best >= 0 && error > worse * best;
}

static bool is_bad(const guard *g, const guard_reading *r)
{
    bool risen = has_risen(r->test_error, g->best_test) && has_risen(r->training_error, g->best_training);
    bool useless = g->best_test >= 0 && r->test_error >= g->mean_error && has_risen(r->test_error, g->best_test * .5);
    return r->cosine < 0 && (risen || useless);
}

static double least(double best, double value)
{
    return best < 0 || value < best ? value : best;
}

bool guard_judge(guard *g, const guard_reading *r, long step)
{
    if (!isfinite(r->cosine) || !isfinite(r->training_error))
        return false;
    g->bad = is_bad(g, r) ? g->bad + 1 : 0;
    g->best_test = least(g->best_test, r->test_error);
    g->best_training = least(g->best_training, r->training_error);
    if (g->bad < GUARD_PATIENCE)
        return false;
    g->bad = 0;
    if (g->collapses++ == 0)
        g->first_collapse = step;
    return true;
}
