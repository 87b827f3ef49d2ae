/* Which samples of a data set are for training and which for tests. */
#ifndef DNX_DATA_STREAM_SPLIT_H
#define DNX_DATA_STREAM_SPLIT_H

#include <stdint.h>

#include "data/stream_source.h"

typedef enum split_kind {
    SPLIT_SAMPLES, /* single samples, drawn with the seed */
    SPLIT_EPISODE, /* whole episodes, drawn with the seed */
    SPLIT_TIME     /* the last samples; those whose history reaches into the training samples are in neither set */
} split_kind;

/* Divides all samples of `stream`: about `fraction` of them, and at least one, are tests, the others training samples, both ascending but for
 * SPLIT_SAMPLES. STATUS_FAILED with a sentence when one of the two would be empty, or there are no episodes. */
status split_divide(const sample_stream *stream, split_kind kind, double fraction, uint64_t seed, sample_set *training, sample_set *test);

/* All samples, as they come. */
status split_all(const sample_stream *stream, sample_set *set);

/* Keeps n samples, at least 1, that a permutation of (seed, purpose RANDOM_SPLIT, index) draws: fewer are always among more. */
status split_draw(sample_set *set, uint32_t n, uint64_t seed, uint32_t index);

void split_sort(sample_set *set);

#endif
