/* The .state file beside a .weights file: what only training needs, so that a run can go on as if it had not stopped.
 *
 *     "DNXSTATE", uint32 version 3, uint32 Adam steps, uint64 samples seen, uint64 seed, uint64 XXH3 hash of the weights, uint64 count,
 *     uint64 number of arrays, uint64 floats of [critic] blocks, the training_memory, then the arrays of `count` floats over all parameters in
 *     network order: gradient accumulator (SGD momentum), Adam's m, Adam's v; for each block that predicts its updates (int64), its arrays and
 *     the same three of its parameters; (normalised training) the parameters before they were folded; and a 64-bit XXH3 hash of everything
 *     before it. */
#ifndef DNX_TRAIN_STATE_H
#define DNX_TRAIN_STATE_H

#include "bridge/plugin.h"

/* What the trainer itself remembers; no padding, as it stands in the file. */
typedef struct training_memory {
    int64_t balance, orders;                             /* of the balancer */
    double factors[JET_MAX_ORDER + 1], first[JET_MAX_ORDER + 1], last[JET_MAX_ORDER + 1], sums[JET_MAX_ORDER + 1];
    int64_t samples[JET_MAX_ORDER + 1];
    double best_test, best_training, cosines;            /* of the guard */
    int64_t bad, collapses, first_collapse;
    double trust, rate_factor;                           /* what rollbacks left */
    int64_t rollbacks;
    double best[6];                                      /* evaluation of the best weights, as train/evaluate.h lists them */
    int64_t best_step;                                   /* -1: none */
} training_memory;

/* `unfolded`: the values of normalised training, [graph_array_count]; NULL: there are none. */
status state_save(plugin_network *p, const float *unfolded, const training_memory *memory, const char *path);
/* Nothing changes unless the whole file is good and belongs to this network and these weights. `normalised`: this training is; then the
 * parameters become the unfolded ones. */
status state_load(plugin_network *p, bool normalised, training_memory *memory, const char *path);

/* A hash of all that a weights file holds: the same for the same weights. */
uint64_t state_weights_hash(const graph *g);

/* The state file that belongs to a weights file: its ending replaced by .state; final weights are the last ones, and share
 * their state. */
void state_path(const char *weights, char *path, size_t size);

#endif
