#include "train/trainer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "train/balance.h"
#include "train/batches.h"
#include "train/evaluate.h"
#include "train/fold.h"
#include "train/gradients.h"
#include "train/guard.h"
#include "train/plot.h"
#include "train/point_sets.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/state.h"
#include "train/summary.h"
#include "train/training_check.h"

enum { DEFAULT_EVALUATIONS = 100 };

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

/* What a rollback goes back to: parameters and optimiser, as they were when the test error was least. */
typedef struct snapshot {
    float *values; /* [4][parameters]: values, gradient accumulators, moments 1 and 2 */
    bool taken;
} snapshot;

typedef struct trainer {
    const train_request *request;
    plugin_network *net;
    data_source data;
    dataset training, test;  /* test: raw numbers; training: as the network sees them */
    normaliser normaliser;
    bool normalised;
    fold fold;
    batches batches;
    evaluator *evaluator;
    run_folder folder;
    double started;
    objective_losses since;  /* sums since the last row of metrics.csv */
    double values_since;     /* the loss on values likewise, without its weight */
    uint64_t samples_since;
    evaluation latest, best;
    long best_step, evaluated_step;
    bool probes;             /* gradients of the orders can be compared */
    gradient_probe probe;
    double cosine;           /* at the last evaluation */
    guard guard;
    double trust, rate_factor; /* of the guard, on the weights of derivatives and on the learning rate */
    int rollbacks;           /* that made derivatives count less */
    balancer balancer;
    snapshot snapshot;
    const char *reason;      /* why it stopped */
} trainer;

/* ---------------------------------------------------------------- one update */

/* The factors of balancer and guard on the weights of the orders. */
static void apply_factors(trainer *t)
{
    double factors[JET_MAX_ORDER + 1];
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        factors[k] = t->balancer.factors[k] * (k > 0 ? t->trust : 1);
    plugin_scale_weights(t->net, factors);
}

static void add_losses(trainer *t, const objective_losses *l)
{
    const double *weights = plugin_weights(t->net);
    double bare[JET_MAX_ORDER + 1] = {l->order[0]}; /* [cost] has no weight */
    for (int k = 0; k <= JET_MAX_ORDER; ++k) {
        t->since.order[k] += l->order[k];
        if (plugin_objective(t->net))
            bare[k] = weights[k] > 0 ? l->order[k] / weights[k] : 0;
    }
    t->since.total += l->total;
    t->values_since += bare[0];
    t->samples_since += (uint64_t)plugin_minibatch(t->net);
    balancer_observe(&t->balancer, bare, plugin_minibatch(t->net));
}

/* The loss per sample of one update. */
static double train_update(trainer *t)
{
    double sum = 0;
    int parts = plugin_subdivisions(t->net);
    for (int i = 0; i < parts; ++i) {
        batches_fill(&t->batches);
        objective_losses l = plugin_train_minibatch(t->net);
        add_losses(t, &l);
        sum += l.total;
    }
    return sum / ((double)parts * (double)plugin_minibatch(t->net));
}

static status rebalance(trainer *t)
{
    double norms[JET_MAX_ORDER + 1] = {0};
    if (t->balancer.kind == BALANCE_GRADNORM) {
        status s = gradient_probe_norms(&t->probe, norms);
        if (s != STATUS_OK)
            return s;
    }
    balancer_change(&t->balancer, norms);
    apply_factors(t);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- evaluation */

static void put_number(FILE *f, double value)
{
    if (isfinite(value))
        fprintf(f, ",%.9g", value);
    else
        fputc(',', f);
}

static status write_row(trainer *t, long step)
{
    FILE *f = t->folder.metrics;
    double samples = t->samples_since ? (double)t->samples_since : NAN;
    const objective_options *o = plugin_objective(t->net);
    fprintf(f, "%ld,%" PRIu64 ",%.3f,%.9g", step, plugin_seen(t->net), seconds_now() - t->started, plugin_rate(t->net));
    put_number(f, t->since.total / samples);
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        put_number(f, k == 0 || (o && k <= o->order) ? t->since.order[k] / samples : NAN);
    put_number(f, t->latest.value_mse);
    put_number(f, t->latest.gradient_mse);
    put_number(f, t->latest.hessian_mse);
    put_number(f, t->latest.directional_mse);
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        put_number(f, o && k <= o->order ? plugin_weights(t->net)[k] : NAN);
    put_number(f, t->cosine);
    if (fputc('\n', f) == EOF || fflush(f) != 0)
        return status_fail(STATUS_BAD_FILE, "%s/metrics.csv: error: cannot be written: %s", t->folder.path, strerror(errno));
    return STATUS_OK;
}

/* What `best` is chosen by: values, unless the training does not look at them or the data have none. */
static double score(const trainer *t, const evaluation *e)
{
    const objective_options *o = plugin_objective(t->net);
    bool values = t->test.parts[PART_Y] && (!o || o->weight[0] > 0 || o->end_weight[0] > 0);
    return values ? e->value_mse : isfinite(e->gradient_mse) ? e->gradient_mse : isfinite(e->directional_mse) ? e->directional_mse : e->value_mse;
}

static status save_weights(trainer *t, const char *which)
{
    char what[64], path[4096];
    snprintf(what, sizeof what, "%s.weights", which);
    return plugin_save_weights(t->net, run_folder_named(&t->folder, what, path));
}

static training_memory remember(const trainer *t)
{
    training_memory m = {
        .samples = t->balancer.samples,
        .best_test = t->guard.best_test,
        .best_training = t->guard.best_training,
        .bad = t->guard.bad,
        .collapses = t->guard.collapses,
        .cosines = t->guard.cosines,
        .first_collapse = t->guard.first_collapse,
        .trust = t->trust,
        .rate_factor = t->rate_factor,
        .rollbacks = t->rollbacks,
    };
    memcpy(m.factors, t->balancer.factors, sizeof m.factors);
    memcpy(m.first, t->balancer.first, sizeof m.first);
    memcpy(m.last, t->balancer.last, sizeof m.last);
    memcpy(m.sums, t->balancer.sums, sizeof m.sums);
    return m;
}

static void recall(trainer *t, const training_memory *m)
{
    memcpy(t->balancer.factors, m->factors, sizeof m->factors);
    memcpy(t->balancer.first, m->first, sizeof m->first);
    memcpy(t->balancer.last, m->last, sizeof m->last);
    memcpy(t->balancer.sums, m->sums, sizeof m->sums);
    t->balancer.samples = (long)m->samples;
    t->guard.best_test = m->best_test;
    t->guard.best_training = m->best_training;
    t->guard.bad = (int)m->bad;
    t->guard.collapses = (int)m->collapses;
    t->guard.first_collapse = (long)m->first_collapse;
    t->guard.cosines = m->cosines;
    t->trust = m->trust;
    t->rate_factor = m->rate_factor;
    t->rollbacks = (int)m->rollbacks;
    plugin_scale_rate(t->net, t->rate_factor);
}

/* With the raw network in place: its weights; the state keeps those in training. */
static status save_last(trainer *t)
{
    char path[4096];
    training_memory memory = remember(t);
    status s = save_weights(t, "last");
    return s == STATUS_OK ? state_save(t->net, t->fold.kept, &memory, run_folder_named(&t->folder, "last.state", path)) : s;
}

static status diverged(const trainer *t, long step, const char *what)
{
    return status_fail(STATUS_FAILED, "%s is not a finite number after update %ld: training diverged (smaller learning_rate?)%s%s", what, step,
                       t->best_step < 0 ? "" : "; the best weights before it are in ", t->best_step < 0 ? "" : t->folder.path);
}

/* Activations such as relu turn a weight that is not a number into a finite output. */
static bool weights_are_finite(const graph *g)
{
    GRAPH_PARAMETERS(g, p)
    for (size_t j = 0; j < p->count; ++j)
        if (!isfinite(p->value[j]))
            return false;
    return true;
}

/* ---- a snapshot of the best network */

static float *snapshot_copy(float *kept, float *array, size_t count, bool restore)
{
    if (array)
        memcpy(restore ? array : kept, restore ? kept : array, count * sizeof *kept);
    return kept + count;
}

/* Between parameters and snapshot. */
static void snapshot_exchange(trainer *t, bool restore)
{
    float *kept = t->snapshot.values;
    if (!kept)
        return;
    GRAPH_PARAMETERS(plugin_graph(t->net), p)
    {
        kept = snapshot_copy(kept, p->value, p->count, restore);
        kept = snapshot_copy(kept, p->gradient, p->count, restore);
        kept = snapshot_copy(kept, p->moment_1, p->count, restore);
        kept = snapshot_copy(kept, p->moment_2, p->count, restore);
    }
    t->snapshot.taken = true;
}

/* ---- what an evaluation does with the network as it stands: raw */

static status judge(trainer *t, long step)
{
    status s = write_row(t, step);
    if (s == STATUS_OK && !isfinite(score(t, &t->latest)))
        s = diverged(t, step, "the test error");
    if (s == STATUS_OK && !weights_are_finite(plugin_graph(t->net)))
        s = diverged(t, step, "a weight");
    if (s == STATUS_OK && (t->best_step < 0 || score(t, &t->latest) < score(t, &t->best))) {
        t->best = t->latest;
        t->best_step = step;
        s = save_weights(t, "best");
    }
    return s == STATUS_OK ? save_last(t) : s;
}

/* ---- the guard (train/guard.h) */

static const double distrust = .1, caution = .3;
enum { MOST_ROLLBACKS = 3 };

/* Back to the best weights; what led away from them is made smaller: the derivatives that oppose the values, or the steps. */
static void roll_back(trainer *t, guard_verdict verdict)
{
    FILE *out = t->request->log;
    fprintf(out, "rollback: on from the weights of update %ld, ", t->best_step);
    snapshot_exchange(t, true);
    if (verdict == GUARD_UNSTABLE) {
        t->rate_factor *= caution;
        plugin_scale_rate(t->net, caution);
        fprintf(out, "the learning rate times %.3g\n", t->rate_factor);
        return;
    }
    t->trust = ++t->rollbacks < MOST_ROLLBACKS ? t->trust * distrust : 0;
    apply_factors(t);
    fprintf(out, t->trust > 0 ? "derivatives count %g of their weight\n" : "on values alone\n", t->trust);
}

static void warn_of_collapse(trainer *t, long step, guard_verdict verdict)
{
    bool warn = plugin_objective(t->net)->on_collapse == COLLAPSE_WARN;
    fprintf(t->request->log, "warning: update %ld: the values have become worse: test error %.4g, at its best %.4g (update %ld); ", step,
            t->latest.value_mse, t->best.value_mse, t->best_step);
    if (verdict == GUARD_OPPOSED)
        fprintf(t->request->log, "the losses on derivatives oppose the loss on values (cosine of their gradients %.2f)%s\n", t->cosine,
                warn ? ": a smaller weight_1, or on_collapse=rollback, may help" : "");
    else
        fprintf(t->request->log, "the losses on derivatives suffer too (cosine of the gradients %.2f)%s\n", t->cosine,
                warn ? ": a smaller learning_rate, or on_collapse=rollback, may help" : "");
}

static void watch(trainer *t, long step)
{
    const objective_options *o = plugin_objective(t->net);
    guard_reading reading = {t->latest.value_mse, t->samples_since ? t->values_since / (double)t->samples_since : NAN, t->cosine};
    bool told = t->guard.collapses > 0 && o->on_collapse == COLLAPSE_WARN;
    if (!t->probes || told || o->on_collapse == COLLAPSE_IGNORE)
        return;
    guard_verdict verdict = guard_judge(&t->guard, &reading, step);
    if (verdict == GUARD_GOOD)
        return;
    warn_of_collapse(t, step, verdict);
    if (o->on_collapse == COLLAPSE_ROLLBACK)
        roll_back(t, verdict);
}

static status evaluate(trainer *t, long step)
{
    status s = t->probes ? gradient_probe_cosine(&t->probe, &t->cosine) : STATUS_OK;
    if (s != STATUS_OK)
        return s;
    fold_in(&t->fold);
    t->latest = evaluator_run(t->evaluator, &t->test);
    t->evaluated_step = step;
    s = judge(t, step);
    fold_out(&t->fold);
    if (s != STATUS_OK)
        return s;
    if (t->best_step == step)
        snapshot_exchange(t, false);
    watch(t, step);
    t->since = (objective_losses){{0}, 0};
    t->values_since = 0;
    t->samples_since = 0;
    return STATUS_OK;
}

/* ---------------------------------------------------------------- the loop */

static const char *why_stop(trainer *t, long step, long last)
{
    if (stop_signal)
        return stop_signal == SIGINT ? "interrupted (SIGINT)" : "interrupted (SIGTERM)";
    return step >= last ? "max_batches reached" : NULL;
}

static status loop(trainer *t)
{
    long step = plugin_updates(t->net), last = plugin_max_batches(t->net);
    long every = t->request->evaluate_every > 0 ? t->request->evaluate_every : last / DEFAULT_EVALUATIONS + (last % DEFAULT_EVALUATIONS > 0);
    progress bar = progress_start(t->request->log, step, last);
    batches_fill(&t->batches); /* for the first look at gradients */
    status s = evaluate(t, step);
    while (s == STATUS_OK && !(t->reason = why_stop(t, step, last))) {
        double loss = train_update(t);
        step = plugin_updates(t->net);
        bool due = step % every == 0;
        progress_step now = {step, (double)plugin_seen(t->net) / t->training.points, loss, plugin_rate(t->net), plugin_seen(t->net)};
        progress_update(&bar, &now, due);
        if (!isfinite(loss))
            s = diverged(t, step, "the loss");
        else if (t->balancer.kind != BALANCE_NONE && step % plugin_objective(t->net)->balance_every == 0)
            s = rebalance(t);
        if (s != STATUS_OK)
            break;
        if (due)
            s = evaluate(t, step);
    }
    progress_end(&bar);
    if (s == STATUS_OK && step > t->evaluated_step)
        s = evaluate(t, step);
    fold_in(&t->fold); /* for good: the network is trained */
    return s == STATUS_OK ? save_weights(t, "final") : s;
}

static void report(trainer *t)
{
    FILE *out = t->request->log;
    fprintf(out, "stopped: %s after %ld updates, %.1f seconds\n", t->reason, plugin_updates(t->net), seconds_now() - t->started);
    fprintf(out, "test: value_mse %.6g", t->latest.value_mse);
    if (isfinite(t->latest.gradient_mse))
        fprintf(out, ", gradient_mse %.6g", t->latest.gradient_mse);
    if (isfinite(t->latest.hessian_mse))
        fprintf(out, ", hessian_mse %.6g", t->latest.hessian_mse);
    if (isfinite(t->latest.directional_mse))
        fprintf(out, ", directional_mse %.6g", t->latest.directional_mse);
    if (t->guard.collapses > 0)
        fprintf(out, " (the values became worse at update %ld%s)", t->guard.first_collapse,
                t->latest.value_mse <= 2 * t->best.value_mse ? ", and better again" : "");
    fprintf(out, " (best %.6g at update %ld)\nrun: %s\n", score(t, &t->best), t->best_step, t->folder.path);
}

static void draw_chart(trainer *t)
{
    char metrics[4096], chart[4096];
    if (!t->request->chart)
        return;
    if (plot_training(run_folder_file(&t->folder, "metrics.csv", metrics), t->folder.name, run_folder_file(&t->folder, "chart.png", chart)) != STATUS_OK)
        fprintf(t->request->log, "no chart: %s\n", status_text());
}

static status write_summary(trainer *t)
{
    char path[4096];
    summary all = {
        .net = t->net,
        .cfg = t->request->cfg,
        .steps = plugin_updates(t->net),
        .seconds = seconds_now() - t->started,
        .stopped = t->reason,
        .training_points = t->training.points,
        .test = t->latest,
        .best = t->best,
        .best_step = t->best_step,
        .guard = t->probes ? &t->guard : NULL,
        .trust = t->trust,
        .rate_factor = t->rate_factor,
        .cosine = t->cosine,
        .kept_inputs = t->normalised ? t->normaliser.kept : t->training.inputs,
    };
    return summary_write(&all, run_folder_file(&t->folder, "summary.json", path));
}

/* ---------------------------------------------------------------- set up, run, tidy up */

static status load_start(trainer *t)
{
    const char *weights = t->request->weights;
    char state[4096];
    training_memory memory;
    if (!weights)
        return STATUS_OK;
    status s = plugin_load_weights(t->net, weights);
    if (s != STATUS_OK)
        return s;
    state_path(weights, state, sizeof state);
    bool fresh = access(state, F_OK) != 0;
    if (fresh) {
        fprintf(t->request->log, "note: no %s: the optimiser starts afresh\n", state);
        fold_inverse(&t->fold);
        return STATUS_OK;
    }
    s = state_load(t->net, t->normalised, &memory, state);
    if (s == STATUS_OK)
        recall(t, &memory);
    return s;
}

static normalise_kind normalisation_of(plugin_network *p)
{
    return (normalise_kind)option_choice(config_section(plugin_config(p), "data"), "normalise");
}

static status check_normalisation(plugin_network *p)
{
    const section *data = config_section(plugin_config(p), "data");
    if (!data)
        return STATUS_OK;
    if (normalisation_of(p) != NORMALISE_NONE)
        return fold_check(p, normalisation_of(p));
    if (option_real(data, "differential_pca") > 0)
        return option_fail(data, plugin_config(p)->path, "differential_pca", "[data] differential_pca needs normalise=inputs or normalise=all");
    return STATUS_OK;
}

/* Everything about the cfg that can be wrong for training, found together with what is wrong with the network. */
static status check_training(plugin_network *p, void *context)
{
    const section *net = &plugin_config(p)->sections[0];
    status_list found = {.first = STATUS_OK};
    if (option_integer(net, "max_batches") <= 0)
        status_collect(&found, option_fail(net, plugin_config(p)->path, "max_batches", "[net] max_batches= must say how many updates to train for"));
    status_collect(&found, check_normalisation(p));
    status_collect(&found, training_check(p, &((trainer *)context)->data));
    return status_collected(&found);
}

static void print_notes(trainer *t)
{
    FILE *out = t->request->log;
    if (!plugin_trains_stock_layers(t->net))
        return;
    if (plugin_adam(t->net))
        fprintf(out, "note: Darknet updates its own layers by SGD: adam=1 does not reach them on the CPU\n");
    if (t->request->weights)
        fprintf(out, "note: Darknet's own layers lose their momentum at a restart\n");
}

/* Weights that are trained to the end already would give an empty run. */
static status check_work_left(trainer *t)
{
    long done = plugin_updates(t->net), wanted = plugin_max_batches(t->net);
    if (done < wanted)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "%s: error: these weights have %ld updates already, max_batches is %ld: nothing is left to do (raise it with -set net.max_batches=N)",
                       t->request->weights, done, wanted);
}

/* Training samples as the network will see them. */
static status normalise_training(trainer *t)
{
    const section *data = config_section(plugin_config(t->net), "data");
    normalise_kind kind = normalisation_of(t->net);
    if (kind == NORMALISE_NONE)
        return fold_create(&t->fold, plugin_graph(t->net), NULL);
    double dropped = option_real(data, "differential_pca");
    status s = normaliser_create(&t->normaliser, &t->training, kind, dropped);
    if (s == STATUS_BAD_CONFIG)
        return option_fail(data, plugin_config(t->net)->path, "differential_pca", strdupa(status_text()));
    if (s == STATUS_OK)
        s = normalise_dataset(&t->normaliser, &t->training);
    if (s == STATUS_OK)
        s = fold_create(&t->fold, plugin_graph(t->net), &t->normaliser);
    t->normalised = s == STATUS_OK;
    if (t->normalised && dropped > 0)
        fprintf(t->request->log, "differential PCA: %d of %d directions kept\n", t->normaliser.kept, t->normaliser.inputs);
    return s;
}

/* component_weights=rms: 1 / mean square; a component that is always 0 or never given keeps its weight. */
static status weigh_components(trainer *t)
{
    const objective_options *o = plugin_objective(t->net);
    if (!o || !o->rms_components)
        return STATUS_OK;
    double *sizes = allocate_zeroed((unsigned long)t->training.inputs, sizeof *sizes);
    for (int order = 1; sizes && order <= o->order; ++order) {
        derivative_sizes(&t->training, order, sizes);
        for (int j = 0; j < t->training.inputs; ++j)
            sizes[j] = sizes[j] > 0 ? 1 / (sizes[j] * sizes[j]) : 1;
        plugin_scale_components(t->net, order, sizes);
    }
    bool complete = sizes != NULL;
    free(sizes);
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

/* The test error of a model that always says the mean of the labels. */
static double mean_error(const dataset *d)
{
    double error = 0;
    for (int k = 0; k < d->outputs && d->parts[PART_Y]; ++k) {
        double mean, deviation;
        dataset_component(d, PART_Y, k, &mean, &deviation);
        error += deviation * deviation / d->outputs;
    }
    return error;
}

static status prepare_watch(trainer *t)
{
    const objective_options *o = plugin_objective(t->net);
    t->guard = guard_start(mean_error(&t->test));
    t->trust = t->rate_factor = 1;
    t->balancer = balancer_start(o);
    t->probes = gradient_probe_applies(t->net);
    if (!t->probes)
        return STATUS_OK;
    if (o->on_collapse == COLLAPSE_ROLLBACK) {
        t->snapshot.values = allocate_zeroed(4 * graph_parameter_count(plugin_graph(t->net)), sizeof *t->snapshot.values);
        if (!t->snapshot.values)
            return STATUS_NO_MEMORY;
    }
    return gradient_probe_create(&t->probe, t->net);
}

static status make_sets(trainer *t)
{
    status s = data_source_training(&t->data, &t->training);
    if (s == STATUS_OK)
        s = data_source_test(&t->data, &t->test);
    if (s == STATUS_OK)
        s = normalise_training(t);
    if (s == STATUS_OK)
        s = weigh_components(t);
    return s == STATUS_OK ? batches_create(&t->batches, t->net, &t->training) : s;
}

static status prepare(trainer *t)
{
    const train_request *q = t->request;
    plugin_settings settings = q->settings;
    settings.also_check = check_training;
    settings.also_context = t;
    status s = plugin_load(q->cfg, &settings, &t->net);
    if (s != STATUS_OK)
        return s;
    s = make_sets(t);
    if (s == STATUS_OK)
        s = evaluator_create(&t->evaluator, t->net, evaluation_order(t->net));
    if (s == STATUS_OK)
        s = prepare_watch(t);
    if (s == STATUS_OK)
        s = load_start(t);
    if (s == STATUS_OK)
        s = check_work_left(t);
    if (s != STATUS_OK)
        return s;
    apply_factors(t);
    print_notes(t);
    data_source_describe(&t->data, q->log);
    return run_folder_create(&t->folder, q->out, plugin_config(t->net), q->force);
}

static void tidy_up(trainer *t)
{
    run_folder_close(&t->folder);
    evaluator_free(t->evaluator);
    batches_free(&t->batches);
    fold_free(&t->fold);
    normaliser_free(&t->normaliser);
    gradient_probe_free(&t->probe);
    free(t->snapshot.values);
    dataset_free(&t->training);
    dataset_free(&t->test);
    data_source_free(&t->data);
    plugin_free(t->net);
}

/* A reader of the progress that goes away does not end a training. */
static const struct {
    int signal;
    void (*handler)(int);
} signals_while_training[] = {{SIGINT, on_signal}, {SIGTERM, on_signal}, {SIGPIPE, SIG_IGN}};
enum { SIGNAL_COUNT = sizeof signals_while_training / sizeof *signals_while_training };

static status run(trainer *t)
{
    struct sigaction before[SIGNAL_COUNT];
    stop_signal = 0;
    for (int i = 0; i < SIGNAL_COUNT; ++i)
        sigaction(signals_while_training[i].signal, &(struct sigaction){.sa_handler = signals_while_training[i].handler}, &before[i]);
    t->started = seconds_now();
    status s = loop(t);
    if (s == STATUS_OK)
        s = write_summary(t);
    for (int i = 0; i < SIGNAL_COUNT; ++i)
        sigaction(signals_while_training[i].signal, &before[i], NULL);
    if (s != STATUS_OK)
        return s;
    draw_chart(t);
    report(t);
    return stop_signal ? STATUS_INTERRUPTED : STATUS_OK;
}

status train_run(const train_request *request)
{
    trainer t = {.request = request, .best_step = -1, .cosine = NAN};
    status s = prepare(&t);
    if (s == STATUS_OK)
        s = run(&t);
    tidy_up(&t);
    return s;
}
