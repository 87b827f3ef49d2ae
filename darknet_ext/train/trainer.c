#include "train/trainer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "train/critic_log.h"
#include "train/evaluate.h"
#include "train/metrics.h"
#include "train/parts.h"
#include "train/plot.h"
#include "train/point_sets.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/summary.h"
#include "train/teacher_labels.h"
#include "train/training_set.h"
#include "train/watch.h"

enum { DEFAULT_EVALUATIONS = 100 };

static volatile sig_atomic_t stop_signal;

static void on_signal(int number)
{
    stop_signal = number;
}

typedef struct trainer {
    const train_request *request;
    plugin_network *net;
    training_set set;
    evaluator *evaluator;
    run_folder folder;
    critic_log critics;
    double started;
    long decouples_at;      /* updates that are locked; LONG_MAX: all */
    double loss;            /* per sample, of the last update; decoupled: of what the last part saw last */
    bool loss_known;
    objective_losses since; /* sums since the last row of metrics.csv */
    uint64_t samples_since;
    evaluation latest, best;
    long best_step, evaluated_step;
    watch watch;
    training_memory earlier; /* of the run that this one goes on from; best_step -1: none */
    bool goes_on;            /* from weights with their state */
    const char *reason;     /* why it stopped */
} trainer;

/* ---------------------------------------------------------------- one update */

/* Of so many minibatches. */
static void add_losses(trainer *t, const objective_losses *l, long minibatches)
{
    int samples = (int)minibatches * plugin_minibatch(t->net);
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        t->since.order[k] += l->order[k];
    t->since.total += l->total;
    t->samples_since += (uint64_t)samples;
    watch_losses(&t->watch, l, samples);
}

static void keep_loss(trainer *t, double sum, long minibatches)
{
    t->loss = sum / ((double)minibatches * (double)plugin_minibatch(t->net));
    t->loss_known = true;
}

/* Of decoupled parts, whenever they come. */
static void take_losses(trainer *t)
{
    long minibatches;
    objective_losses l = decoupled_take_losses(plugin_decoupled(t->net), &minibatches);
    if (minibatches == 0)
        return;
    add_losses(t, &l, minibatches);
    keep_loss(t, l.total, minibatches);
}

/* Nothing is under way any more: the weights stand still. */
static void settle(trainer *t)
{
    if (!plugin_decoupled(t->net))
        return;
    decoupled_drain(plugin_decoupled(t->net));
    take_losses(t);
}

static status train_update(trainer *t)
{
    double sum = 0;
    int parts = plugin_subdivisions(t->net);
    status s = STATUS_OK;
    if (!plugin_decoupled(t->net) && plugin_updates(t->net) >= t->decouples_at)
        s = plugin_decouple(t->net);
    for (int i = 0; i < parts; ++i) {
        if (s == STATUS_OK)
            s = batches_fill(&t->set.batches);
        if (s != STATUS_OK)
            return s;
        if (plugin_decoupled(t->net)) {
            plugin_feed_minibatch(t->net);
            take_losses(t);
            continue;
        }
        objective_losses l = plugin_train_minibatch(t->net);
        add_losses(t, &l, 1);
        sum += l.total;
    }
    if (!plugin_decoupled(t->net))
        keep_loss(t, sum, parts);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- evaluation */

static status write_row(trainer *t, long step)
{
    FILE *f = t->folder.metrics;
    if (step == t->folder.last_step) /* of the run that goes on */
        return STATUS_OK;
    double samples = t->samples_since ? (double)t->samples_since : NAN;
    const objective_options *o = plugin_objective(t->net);
    fprintf(f, "%ld,%" PRIu64 ",%.3f,%.9g", step, plugin_seen(t->net), seconds_now() - t->started, plugin_rate(t->net));
    metrics_put(f, t->since.total / samples);
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        metrics_put(f, k == 0 || (o && k <= o->order) ? t->since.order[k] / samples : NAN);
    metrics_put(f, t->latest.value_mse);
    metrics_put(f, t->latest.gradient_mse);
    metrics_put(f, t->latest.hessian_mse);
    metrics_put(f, t->latest.directional_mse);
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        metrics_put(f, o && k <= o->order ? plugin_weights(t->net)[k] : NAN);
    metrics_put(f, t->watch.cosine);
    metrics_put(f, t->latest.error);
    metrics_put(f, t->latest.kl);
    metrics_put(f, t->latest.top_error);
    if (fputc('\n', f) == EOF || fflush(f) != 0)
        return status_fail(STATUS_BAD_FILE, "%s/metrics.csv: error: cannot be written: %s", t->folder.path, strerror(errno));
    return STATUS_OK;
}

/* What `best` is chosen by. */
static double score(const trainer *t, const evaluation *e)
{
    if (t->set.classes)
        return e->kl;
    switch (t->set.measure) {
    case PART_JACOBIAN:
        return e->gradient_mse;
    case PART_JVP:
        return e->directional_mse;
    case PART_HESSIAN:
    case PART_HVP:
        return e->hessian_mse;
    default:
        return e->value_mse;
    }
}

static status save_weights(trainer *t, const char *which)
{
    char what[64], path[4096];
    snprintf(what, sizeof what, "%s.weights", which);
    return plugin_save_weights(t->net, run_folder_named(&t->folder, what, path));
}

/* The raw weights under a name; the network in training stays what it is. */
static status save_raw(trainer *t, const char *which)
{
    fold_in(&t->set.fold);
    status s = save_weights(t, which);
    fold_out(&t->set.fold);
    return s;
}

/* The state belongs to the raw weights and keeps those in training. */
static status save_last(trainer *t)
{
    char path[4096];
    const evaluation *best = &t->best;
    training_memory memory = {.best = {best->value_mse, best->gradient_mse, best->hessian_mse, best->directional_mse, best->error, best->kl},
                              .best_step = t->best_step};
    watch_remember(&t->watch, &memory);
    fold_in(&t->set.fold);
    status s = save_weights(t, "last");
    if (s == STATUS_OK)
        s = state_save(t->net, t->set.fold.kept, &memory, run_folder_named(&t->folder, "last.state", path));
    fold_out(&t->set.fold);
    return s;
}

static status diverged(const trainer *t, long step, const char *what)
{
    return status_fail(STATUS_FAILED, "%s is not a finite number after update %ld: training diverged (smaller learning_rate?)%s%s", what, step,
                       t->best_step < 0 ? "" : "; the best weights before it are in ", t->best_step < 0 ? "" : t->folder.path);
}

/* Activations such as relu turn a weight that is not a number into a finite output. */
static bool weights_are_finite(const graph *g)
{
    GRAPH_ARRAYS(g, p)
    for (size_t j = 0; j < p->count; ++j)
        if (!isfinite(p->value[j]))
            return false;
    return true;
}

/* The test errors of the raw network, and whether it still is one. */
static status measure(trainer *t, long step)
{
    fold_in(&t->set.fold);
    status s = training_set_evaluate(&t->set, t->evaluator, &t->latest);
    bool finite = weights_are_finite(plugin_graph(t->net));
    fold_out(&t->set.fold);
    t->evaluated_step = step;
    if (s == STATUS_OK)
        s = write_row(t, step);
    if (s == STATUS_OK)
        s = critic_log_write(&t->critics, t->net, step);
    if (s == STATUS_OK && !isfinite(score(t, &t->latest)))
        s = diverged(t, step, "the test error");
    if (s == STATUS_OK && !finite)
        s = diverged(t, step, "a weight");
    return s;
}

static status keep_best(trainer *t, long step)
{
    if (t->best_step >= 0 && !(score(t, &t->latest) < score(t, &t->best)))
        return STATUS_OK;
    t->best = t->latest;
    t->best_step = step;
    return save_raw(t, "best");
}

/* What the guard looks at. */
static double value_error(const trainer *t, const evaluation *e)
{
    return t->set.classes ? e->kl : e->value_mse;
}

static status evaluate(trainer *t, long step)
{
    settle(t);
    status s = isfinite(t->loss) ? watch_compare_gradients(&t->watch) : diverged(t, step, "the loss");
    if (s == STATUS_OK)
        s = measure(t, step);
    if (s == STATUS_OK)
        s = keep_best(t, step);
    if (s != STATUS_OK)
        return s;
    if (watch_judge(&t->watch, step, &(watch_errors){value_error(t, &t->latest), value_error(t, &t->best), t->best_step}))
        t->latest = t->best;
    t->since = (objective_losses){{0}, 0};
    t->samples_since = 0;
    return save_last(t);
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
    status s = batches_fill(&t->set.batches); /* for the first look at gradients */
    if (s == STATUS_OK)
        s = evaluate(t, step);
    while (s == STATUS_OK && !(t->reason = why_stop(t, step, last))) {
        s = train_update(t);
        if (s != STATUS_OK)
            break;
        step = plugin_updates(t->net);
        bool due = step % every == 0;
        s = isfinite(t->loss) ? watch_update(&t->watch, step) : diverged(t, step, "the loss");
        if (s == STATUS_OK && due)
            s = evaluate(t, step);
        progress_step now = {step, (double)plugin_seen(t->net) / training_set_points(&t->set), t->loss, plugin_rate(t->net), plugin_seen(t->net),
                             t->latest.error, t->latest.kl};
        if (t->loss_known)
            progress_update(&bar, &now, due);
    }
    progress_end(&bar);
    if (s == STATUS_OK && step > t->evaluated_step)
        s = evaluate(t, step);
    return s == STATUS_OK ? save_raw(t, "final") : s;
}

/* `separator` stands before it, and becomes a comma. */
static void print_measure(FILE *out, const char **separator, const char *name, double value)
{
    if (!isfinite(value))
        return;
    fprintf(out, "%s%s %.6g", *separator, name, value);
    *separator = ", ";
}

static void report(trainer *t)
{
    FILE *out = t->request->log;
    double seconds = seconds_now() - t->started, waited = batches_waited(&t->set.batches);
    char name[TOP_NAME];
    critic_log_report(&t->critics, t->net, out);
    parts_print(plugin_decoupled(t->net), out);
    fprintf(out, "stopped: %s after %ld updates, %.1f seconds\n", t->reason, plugin_updates(t->net), seconds);
    if (isfinite(waited))
        fprintf(out, "waited for samples: %.2f seconds (%.1f%%) with %d loader thread%s\n", waited, 100 * waited / (seconds - t->folder.seconds), data_loaders(t->net),
                data_loaders(t->net) == 1 ? "" : "s");
    const char *separator = "test: ";
    print_measure(out, &separator, "value_mse", t->latest.value_mse);
    print_measure(out, &separator, "gradient_mse", t->latest.gradient_mse);
    print_measure(out, &separator, "hessian_mse", t->latest.hessian_mse);
    print_measure(out, &separator, "directional_mse", t->latest.directional_mse);
    print_measure(out, &separator, "error", t->latest.error);
    print_measure(out, &separator, evaluation_top_name(&t->latest, name), t->latest.top_error);
    print_measure(out, &separator, "kl", t->latest.kl);
    if (t->watch.guard.collapses > 0)
        fprintf(out, " (the values became worse at update %ld%s)", t->watch.guard.first_collapse,
                t->latest.value_mse <= 2 * t->best.value_mse ? ", and better again" : "");
    fprintf(out, " (best %.6g at update %ld)\nrun: %s\n", score(t, &t->best), t->best_step, t->folder.path);
}

typedef status plot_file(const char *table, const char *title, const char *picture);

static void draw(trainer *t, plot_file *plot, const char *table, const char *picture)
{
    char from[4096], to[4096];
    if (plot(run_folder_file(&t->folder, table, from), t->folder.name, run_folder_file(&t->folder, picture, to)) != STATUS_OK)
        fprintf(t->request->log, "no %s: %s\n", picture, status_text());
}

static void draw_charts(trainer *t)
{
    if (!t->request->chart)
        return;
    draw(t, plot_training, "metrics.csv", "chart.png");
    if (critic_log_has_predictions(&t->critics, t->net))
        draw(t, plot_critics, "critics.csv", "critics.png");
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
        .training_points = training_set_points(&t->set),
        .waited = batches_waited(&t->set.batches),
        .test = t->latest,
        .best = t->best,
        .best_step = t->best_step,
        .guard = t->watch.probes ? &t->watch.guard : NULL,
        .trust = t->watch.trust,
        .rate_factor = t->watch.rate_factor,
        .cosine = t->watch.cosine,
        .kept_inputs = t->set.normalised ? t->set.normaliser.kept : t->set.data.needs.inputs,
    };
    return summary_write(&all, run_folder_file(&t->folder, "summary.json", path));
}

/* ---------------------------------------------------------------- set up, run, tidy up */

/* `raw`: the hash of the weights that were loaded. With another normalisation than before, the parameters that the state kept are not those
 * of this network: folded in, they would give other weights. */
static status check_unfolded(trainer *t, uint64_t raw, const char *state)
{
    fold_in(&t->set.fold);
    bool same = state_weights_hash(plugin_graph(t->net)) == raw;
    fold_out(&t->set.fold);
    if (same)
        return STATUS_OK;
    return status_fail(STATUS_BAD_FILE, "%s: error: belongs to a run with another normalisation: normalise=, differential_pca= or the training samples were "
                       "others (remove it to start the optimiser afresh)", state);
}

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
        bool blocks = critics_count(plugin_critics(t->net)) > 0;
        fprintf(t->request->log, "note: no %s: the optimiser%s\n", state, blocks ? " and the networks of [critic] blocks start afresh" : " starts afresh");
        fold_inverse(&t->set.fold);
        return STATUS_OK;
    }
    uint64_t raw = state_weights_hash(plugin_graph(t->net));
    s = state_load(t->net, t->set.normalised, &memory, state);
    if (s == STATUS_OK)
        s = check_unfolded(t, raw, state);
    if (s != STATUS_OK)
        return s;
    watch_recall(&t->watch, &memory);
    t->earlier = memory;
    t->goes_on = true;
    return STATUS_OK;
}

/* Everything about the cfg that can be wrong for training, found together with what is wrong with the network. */
static status check_training(plugin_network *p, void *context)
{
    const section *net = &plugin_config(p)->sections[0];
    status_list found = {.first = STATUS_OK};
    if (option_integer(net, "max_batches") <= 0)
        status_collect(&found, option_fail(net, plugin_config(p)->path, "max_batches", "[net] max_batches= must say how many updates to train for"));
    status_collect(&found, watch_check(p));
    status_collect(&found, training_set_check(&((trainer *)context)->set, p));
    return status_collected(&found);
}

static void print_notes(trainer *t)
{
    FILE *out = t->request->log;
    const objective_options *o = plugin_objective(t->net);
    if (o && o->schedule == SCHEDULE_SWAP && o->swap_at >= plugin_max_batches(t->net))
        fprintf(out, "note: the weights do not change: swap_at=%ld is not before max_batches=%ld\n", (long)o->swap_at, (long)plugin_max_batches(t->net));
    const teacher_options *taught_by = plugin_teacher(t->net);
    if (taught_by && !option_given(taught_by->where, "weights"))
        fprintf(out, "note: the teacher has no weights=: its weights are random, from the seed of %s\n", taught_by->path);
    long locked = t->decouples_at == LONG_MAX ? 0 : t->decouples_at;
    if (locked >= plugin_max_batches(t->net))
        fprintf(out, "note: decoupled=1 comes too late: blocks warm up for %ld updates, and there are %ld\n", locked, plugin_max_batches(t->net));
    else if (locked > plugin_updates(t->net))
        fprintf(out, "note: the first %ld updates are locked: blocks warm up\n", locked);
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

/* A run that goes on in its own folder keeps the best weights that lie there, until they are beaten. Their top_error is not in the state. */
static void recall_best(trainer *t)
{
    char path[4096];
    const training_memory *m = &t->earlier;
    if (m->best_step < 0 || access(run_folder_named(&t->folder, "best.weights", path), F_OK) != 0)
        return;
    t->best = (evaluation){m->best[0], m->best[1], m->best[2], m->best[3], m->best[4], m->best[5], NAN, 0};
    t->best_step = (long)m->best_step;
}

static status prepare(trainer *t)
{
    const train_request *q = t->request;
    plugin_settings settings = q->settings;
    settings.trains = true;
    settings.also_check = check_training;
    settings.also_context = t;
    status s = plugin_load(q->cfg, &settings, &t->net);
    if (s != STATUS_OK)
        return s;
    s = training_set_make(&t->set, t->net, q->log);
    if (s == STATUS_OK)
        s = data_evaluator_create(&t->evaluator, t->net, &t->set.data);
    if (s == STATUS_OK)
        s = watch_start(&t->watch, t->net, training_set_mean_error(&t->set), q->log);
    if (s == STATUS_OK)
        s = load_start(t);
    if (s == STATUS_OK)
        s = check_work_left(t);
    if (s != STATUS_OK)
        return s;
    t->decouples_at = plugin_decouples_at(t->net);
    print_notes(t);
    data_source_describe(&t->set.data, q->log);
    teacher_function_describe(t->net, t->set.box, q->log);
    const run_start start = {t->goes_on ? q->weights : NULL, plugin_updates(t->net)};
    s = run_folder_create(&t->folder, q->out, t->set.data.streams.backup, plugin_config(t->net), q->force, &start);
    if (s == STATUS_OK)
        s = critic_log_open(&t->critics, t->net, &t->folder);
    recall_best(t);
    return s;
}

static void tidy_up(trainer *t)
{
    critic_log_close(&t->critics);
    run_folder_close(&t->folder);
    evaluator_free(t->evaluator);
    watch_free(&t->watch);
    training_set_free(&t->set);
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
    t->started = seconds_now() - t->folder.seconds;
    status s = loop(t);
    if (s == STATUS_OK)
        s = write_summary(t);
    for (int i = 0; i < SIGNAL_COUNT; ++i)
        sigaction(signals_while_training[i].signal, &before[i], NULL);
    if (s != STATUS_OK)
        return s;
    draw_charts(t);
    report(t);
    return stop_signal ? STATUS_INTERRUPTED : STATUS_OK;
}

status train_run(const train_request *request)
{
    trainer t = {.request = request, .folder.lock = -1, .best_step = -1, .earlier.best_step = -1};
    status s = prepare(&t);
    if (s == STATUS_OK)
        s = run(&t);
    tidy_up(&t);
    return s;
}
