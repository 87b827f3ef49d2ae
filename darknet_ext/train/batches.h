/* The minibatches of a training: shuffled epochs of its samples, written where Darknet's loop reads inputs and labels. */
#ifndef DNX_TRAIN_BATCHES_H
#define DNX_TRAIN_BATCHES_H

#include "bridge/plugin.h"
#include "data/dataset.h"
#include "train/epochs.h"
#include "train/loader.h"

typedef struct batches {
    plugin_network *net;
    const dataset *set; /* of samples in memory */
    epochs epochs;
    loader *loader;     /* of samples that are read in pieces; NULL: there are none */
    int drawn;          /* samples of a minibatch that come from the data; the others are their mirror images */
    size_t truth_count;
    bool mirror;        /* [data] mirror= */
} batches;

status batches_create(batches *b, plugin_network *net, const dataset *set);
/* The same for samples that are read in pieces, by so many threads. */
status batches_create_streamed(batches *b, plugin_network *net, const sample_set *set, int loaders);
void batches_free(batches *b);

/* The minibatch that follows the samples the network has seen. Labels that the set does not have are not given (NaN). Fails when a sample cannot be
 * read. */
status batches_fill(batches *b);

/* Seconds spent waiting for samples that are read in pieces; NaN: there are none. */
double batches_waited(const batches *b);

#endif
