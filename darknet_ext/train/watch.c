#include "train/watch.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- the weights of the orders */

/* The factors of balancer and guard on the weights of the orders. */
static void apply_factors(watch *w)
{
    double factors[JET_MAX_ORDER + 1];
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        factors[k] = w->balancer.factors[k] * (k > 0 ? w->trust : 1);
    plugin_scale_weights(w->net, factors);
}

static status rebalance(watch *w)
{
    double norms[JET_MAX_ORDER + 1] = {0};
    if (w->balancer.kind == BALANCE_GRADNORM) {
        status s = gradient_probe_norms(&w->probe, norms);
        if (s != STATUS_OK)
            return s;
        for (int k = 1; k <= JET_MAX_ORDER && w->trust > 0; ++k)
            norms[k] /= w->trust; /* the balance does not undo a rollback */
    }
    balancer_change(&w->balancer, norms);
    apply_factors(w);
    return STATUS_OK;
}

void watch_losses(watch *w, const objective_losses *l, int samples)
{
    const double *weights = plugin_weights(w->net);
    double bare[JET_MAX_ORDER + 1] = {l->order[0], NAN, NAN}; /* [cost] has no weight */
    for (int k = 0; k <= JET_MAX_ORDER && plugin_objective(w->net); ++k)
        bare[k] = weights[k] > 0 ? l->order[k] / weights[k] : NAN;
    if (!isnan(bare[0])) {
        w->value_loss += bare[0];
        w->samples += (uint64_t)samples;
    }
    balancer_observe(&w->balancer, bare, samples);
}

status watch_update(watch *w, long update)
{
    bool due = w->balancer.kind != BALANCE_NONE && update % plugin_objective(w->net)->balance_every == 0;
    return due ? rebalance(w) : STATUS_OK;
}

status watch_compare_gradients(watch *w)
{
    return w->probes ? gradient_probe_cosine(&w->probe, &w->cosine) : STATUS_OK;
}

/* ---------------------------------------------------------------- a snapshot of the best network */

static float *snapshot_copy(float *kept, float *array, size_t count, bool restore)
{
    if (array)
        memcpy(restore ? array : kept, restore ? kept : array, count * sizeof *kept);
    return kept + count;
}

/* Between parameters and snapshot. */
static void snapshot_exchange(watch *w, bool restore)
{
    float *kept = w->snapshot;
    GRAPH_ARRAYS(plugin_graph(w->net), p)
    {
        kept = snapshot_copy(kept, p->value, p->count, restore);
        kept = snapshot_copy(kept, p->gradient, p->count, restore);
        kept = snapshot_copy(kept, p->moment_1, p->count, restore);
        kept = snapshot_copy(kept, p->moment_2, p->count, restore);
    }
}

/* ---------------------------------------------------------------- the guard (train/guard.h) */

static const double distrust = .1, caution = .3;
enum { MOST_ROLLBACKS = 3 };

/* Back to the best weights; what led away from them is made smaller: the derivatives that oppose the values, or the steps. */
static void roll_back(watch *w, guard_verdict verdict, const watch_errors *e)
{
    FILE *out = w->log;
    fprintf(out, "rollback: on from the weights of update %ld, ", e->best_step);
    snapshot_exchange(w, true);
    if (verdict == GUARD_UNSTABLE) {
        w->rate_factor *= caution;
        plugin_scale_rate(w->net, caution);
        fprintf(out, "the learning rate times %.3g\n", w->rate_factor);
        return;
    }
    w->trust = ++w->rollbacks < MOST_ROLLBACKS ? w->trust * distrust : 0;
    apply_factors(w);
    fprintf(out, w->trust > 0 ? "derivatives count %g of their weight\n" : "on values alone\n", w->trust);
}

/* The guard may remember a better error than this run has seen: from the run whose state it goes on from. */
static void warn_of_collapse(const watch *w, long step, guard_verdict verdict, const watch_errors *e)
{
    bool warn = plugin_objective(w->net)->on_collapse == COLLAPSE_WARN;
    fprintf(w->log, "warning: update %ld: the values have become worse: test error %.4g, at its best ", step, e->latest);
    if (w->guard.best_test < e->best)
        fprintf(w->log, "%.4g (before this run); ", w->guard.best_test);
    else
        fprintf(w->log, "%.4g (update %ld); ", e->best, e->best_step);
    if (verdict == GUARD_OPPOSED)
        fprintf(w->log, "the losses on derivatives oppose the loss on values (mean cosine of their gradients %.2f)%s\n", w->guard.cosine,
                warn ? ": a smaller weight_1, or on_collapse=rollback, may help" : "");
    else
        fprintf(w->log, "the losses on derivatives suffer too (mean cosine of the gradients %.2f)%s\n", w->guard.cosine,
                warn ? ": a smaller learning_rate, or on_collapse=rollback, may help" : "");
}

/* A run that goes on from worse weights than its predecessor had has nothing to go back to. */
static bool can_roll_back(const watch *w, const watch_errors *e)
{
    if (w->has_snapshot && e->best <= 2 * w->guard.best_test)
        return true;
    fprintf(w->log, "no rollback: the best weights are those of an earlier run\n");
    return false;
}

bool watch_judge(watch *w, long step, const watch_errors *e)
{
    const objective_options *o = plugin_objective(w->net);
    guard_reading reading = {e->latest, w->samples ? w->value_loss / (double)w->samples : NAN, w->cosine};
    w->value_loss = 0;
    w->samples = 0;
    if (e->best_step == step && w->snapshot) {
        snapshot_exchange(w, false);
        w->has_snapshot = true;
    }
    bool told = w->guard.collapses > 0 && o && o->on_collapse == COLLAPSE_WARN;
    if (!w->probes || told || o->on_collapse == COLLAPSE_IGNORE)
        return false;
    guard_verdict verdict = guard_judge(&w->guard, &reading, step);
    if (verdict == GUARD_GOOD)
        return false;
    warn_of_collapse(w, step, verdict, e);
    if (o->on_collapse != COLLAPSE_ROLLBACK || !can_roll_back(w, e))
        return false;
    roll_back(w, verdict, e);
    return true;
}

/* ---------------------------------------------------------------- from one run to the next */

void watch_remember(const watch *w, training_memory *m)
{
    m->balance = w->balancer.kind;
    m->orders = w->balancer.orders;
    for (int k = 0; k <= JET_MAX_ORDER; ++k) {
        m->factors[k] = w->balancer.factors[k];
        m->first[k] = w->balancer.first[k];
        m->last[k] = w->balancer.last[k];
        m->sums[k] = w->balancer.sums[k];
        m->samples[k] = w->balancer.samples[k];
    }
    m->best_test = w->guard.best_test;
    m->best_training = w->guard.best_training;
    m->bad = w->guard.bad;
    m->cosines = w->guard.cosines;
    m->collapses = w->guard.collapses;
    m->first_collapse = w->guard.first_collapse;
    m->trust = w->trust;
    m->rate_factor = w->rate_factor;
    m->rollbacks = w->rollbacks;
}

static void recall_balance(watch *w, const training_memory *m)
{
    if (m->balance != (int64_t)w->balancer.kind || m->orders != w->balancer.orders)
        return;
    for (int k = 0; k <= JET_MAX_ORDER; ++k) {
        w->balancer.factors[k] = m->factors[k];
        w->balancer.first[k] = m->first[k];
        w->balancer.last[k] = m->last[k];
        w->balancer.sums[k] = m->sums[k];
        w->balancer.samples[k] = (long)m->samples[k];
    }
}

void watch_recall(watch *w, const training_memory *m)
{
    recall_balance(w, m);
    w->guard.best_test = m->best_test;
    w->guard.best_training = m->best_training;
    w->guard.bad = (int)m->bad;
    w->guard.cosines = m->cosines;
    w->guard.collapses = (int)m->collapses;
    w->guard.first_collapse = (long)m->first_collapse;
    w->trust = m->trust;
    w->rate_factor = m->rate_factor;
    w->rollbacks = (int)m->rollbacks;
    plugin_scale_rate(w->net, w->rate_factor);
    apply_factors(w);
    if (w->trust != 1 || w->rate_factor != 1)
        fprintf(w->log, "note: rollbacks of the earlier run still count: derivatives %g of their weight, the learning rate times %.3g\n", w->trust,
                w->rate_factor);
}

/* ---------------------------------------------------------------- beginning and end */

status watch_check(plugin_network *net)
{
    static const char needs[] = "compares gradients: it needs a network without layers that only Darknet can run, and values and derivatives in its loss";
    const objective_options *o = plugin_objective(net);
    char text[256];
    if (!o || o->order == 0 || gradient_probe_applies(net) || (o->balance != BALANCE_GRADNORM && o->on_collapse != COLLAPSE_ROLLBACK))
        return STATUS_OK;
    bool balance = o->balance == BALANCE_GRADNORM;
    snprintf(text, sizeof text, "%s %s", balance ? "balance=gradnorm" : "on_collapse=rollback", needs);
    return option_fail(o->where, plugin_config(net)->path, balance ? "balance" : "on_collapse", text);
}

status watch_start(watch *w, plugin_network *net, double mean_error, FILE *log)
{
    const objective_options *o = plugin_objective(net);
    *w = (watch){.net = net, .log = log, .trust = 1, .rate_factor = 1, .cosine = NAN};
    w->guard = guard_start(mean_error);
    w->balancer = balancer_start(o);
    w->probes = gradient_probe_applies(net);
    apply_factors(w);
    if (o && o->order == 0) {
        w->balancer.kind = BALANCE_NONE;
        if (o->on_collapse == COLLAPSE_ROLLBACK)
            fprintf(log, "note: on_collapse=rollback has nothing to watch: derivatives have no weight\n");
    }
    if (!w->probes && o && o->order > 0 && !plugin_has_loss_gradient(net))
        fprintf(log, "note: the collapse guard does not watch networks with layers that only Darknet can run\n");
    if (!w->probes)
        return STATUS_OK;
    if (o->on_collapse == COLLAPSE_ROLLBACK) {
        w->snapshot = allocate_zeroed(4 * graph_array_count(plugin_graph(net)), sizeof *w->snapshot);
        if (!w->snapshot)
            return STATUS_NO_MEMORY;
    }
    return gradient_probe_create(&w->probe, net);
}

void watch_free(watch *w)
{
    gradient_probe_free(&w->probe);
    free(w->snapshot);
    w->snapshot = NULL;
}
