/* `labels=` of [data]: what the labels of a classifier are, and what a network is trained on for them. */
#ifndef DNX_DATA_STREAM_LABELS_H
#define DNX_DATA_STREAM_LABELS_H

#include <stdbool.h>

typedef enum label_kind {
    LABELS_LOGITS,        /* any numbers, as they stand */
    LABELS_PROBABILITIES, /* become their logarithms: the logits of which they are the softmax */
    LABELS_CLASSES        /* one-hot rows: 1 at the class, else 0 */
} label_kind;

/* Smaller probabilities count as this. */
#define SMALLEST_PROBABILITY 1e-8f

/* y [outputs] of one sample from file to training, in place. NULL, or what is wrong with it ("…"); NaN is left as it is. */
const char *labels_convert(label_kind kind, float *y, int outputs);

/* The one-hot row y [outputs] of a class; a negative one is not given: NaN. NULL, or what is wrong with the number. */
const char *labels_one_hot(float class, float *y, int outputs);

#endif
