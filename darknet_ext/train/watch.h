/* What looks at a training while it goes on, and acts on it: the balance of the orders (train/balance.h), and the collapse guard
 * (train/guard.h). */
#ifndef DNX_TRAIN_WATCH_H
#define DNX_TRAIN_WATCH_H

#include <stdio.h>

#include "train/balance.h"
#include "train/gradients.h"
#include "train/guard.h"
#include "train/state.h"

typedef struct watch {
    plugin_network *net;
    FILE *log;
    bool probes;               /* gradients of the orders can be compared */
    gradient_probe probe;
    double cosine;             /* of the gradients of values and derivatives, when last compared; NaN: not known */
    guard guard;
    double trust, rate_factor; /* what rollbacks left of the weights of derivatives and of the learning rate */
    int rollbacks;             /* that made derivatives count less */
    balancer balancer;
    double value_loss;         /* without its weight, over the samples since the last judgement for which it has one */
    uint64_t samples;
    float *snapshot;           /* [4][arrays], values, gradient accumulators and both moments when the test error was least; NULL: no
                                  rollback is wanted */
    bool has_snapshot;
} watch;

/* STATUS_BAD_CONFIG, naming the line, when the network cannot be watched as its cfg asks. */
status watch_check(plugin_network *net);

/* `mean_error`: the test error of a model that always says the mean of the labels. */
status watch_start(watch *w, plugin_network *net, double mean_error, FILE *log);
void watch_free(watch *w);

/* After every minibatch, or several, of so many samples together; after every update. */
void watch_losses(watch *w, const objective_losses *l, int samples);
status watch_update(watch *w, long update);

/* Of the last minibatch, with the network as it is in training. */
status watch_compare_gradients(watch *w);

/* Test errors of values: now, and the least so far with its update. */
typedef struct watch_errors {
    double latest, best;
    long best_step;
} watch_errors;

/* After an evaluation: warns, and goes back to the best network when on_collapse says so; then true. */
bool watch_judge(watch *w, long step, const watch_errors *e);

/* What a state file keeps. */
void watch_remember(const watch *w, training_memory *m);
/* What it says of a balance that this run does not have is left aside. */
void watch_recall(watch *w, const training_memory *m);

#endif
