/* summary.json: what a run was and what came out of it. */
#ifndef DNX_TRAIN_SUMMARY_H
#define DNX_TRAIN_SUMMARY_H

#include "bridge/plugin.h"
#include "train/evaluate.h"
#include "train/guard.h"

typedef struct summary {
    plugin_network *net;
    const char *cfg;
    long steps;
    double seconds;
    const char *stopped;  /* why */
    int training_points;
    double waited;        /* seconds, for samples that are read in pieces; NaN: there are none */
    evaluation test;      /* of the final weights */
    evaluation best;      /* of the best weights */
    long best_step;
    const guard *guard;   /* NULL: nothing was watched */
    double trust, rate_factor; /* what rollbacks left of the weights of derivatives and of the learning rate */
    double cosine;        /* of the last evaluation; NaN: not known */
    int kept_inputs;      /* directions of the input that differential PCA kept */
} summary;

/* Keys: version, cfg, seed, threads, backend, steps, seconds, processor_seconds, peak_memory_mb, stopped, parameters, training_points,
 * waited_seconds, test{value_mse, gradient_mse, hessian_mse, directional_mse, error, top5_error, kl}, best{step, ...},
 * derivatives{gradient_cosine, collapses, first_collapse, trust, rate_factor}, decoupled{...} (train/parts.h), kept_inputs; measures that were not
 * taken are left out. */
status summary_write(const summary *s, const char *path);

#endif
