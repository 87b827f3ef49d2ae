/* The minibatches of a training: shuffled epochs of a data set, written where Darknet's loop reads inputs and labels. */
#ifndef DNX_TRAIN_BATCHES_H
#define DNX_TRAIN_BATCHES_H

#include "bridge/plugin.h"
#include "data/dataset.h"

typedef struct batches {
    plugin_network *net;
    const dataset *set;
    uint32_t *permutation;   /* of the current epoch */
    uint64_t permuted_epoch; /* + 1; 0: none yet */
    size_t truth_count;
    bool mirror;             /* [data] mirror= */
} batches;

status batches_create(batches *b, plugin_network *net, const dataset *set);
void batches_free(batches *b);

/* The minibatch that follows the samples the network has seen. Labels that the set does not have are not given (NaN). */
void batches_fill(batches *b);

#endif
