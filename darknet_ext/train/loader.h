/* Minibatches of samples that are read in pieces, made by background threads before they are asked for.
 *
 * What a minibatch holds is a function of the seed and of the number of its first sample in the sequence of epochs (train/epochs.h), whatever the
 * number of threads. A failure to read a sample is reported by the call that asks for its minibatch. */
#ifndef DNX_TRAIN_LOADER_H
#define DNX_TRAIN_LOADER_H

#include "data/stream_source.h"

typedef struct loader loader;

/* The set must outlive the loader. Threads start with the first minibatch. */
status loader_create(loader **result, const sample_set *set, int minibatch, uint64_t seed, int threads);
void loader_free(loader *l); /* NULL is allowed */

/* The minibatch of samples first .. first+minibatch-1 of the sequence; it stays until the next
 * call. Fast when it is the one after, or the same as, the last call's; else what was made in advance is thrown away. */
typedef struct loaded_samples {
    const float *x, *y; /* [minibatch, inputs], [minibatch, stream_labels()] */
    const sample_stream *stream;
} loaded_samples;
status loader_take(loader *l, uint64_t first, loaded_samples *m);

/* Seconds that loader_take() has waited for the threads. */
double loader_waited(const loader *l);

#endif
