/* The collapse guard: derivative supervision is there to help the values. When it makes them worse, somebody should say so.
 *
 * A reading, taken at every evaluation, is bad when all three hold:
 *     the error of values on the test set is more than twice the least so far, or no better than the mean of the labels;
 *     so is the loss on values in training (it is not overfitting);
 *     the gradients of the loss on values and of the losses on derivatives, by the parameters, oppose each other (cosine below 0).
 * Several bad readings in a row, with a cosine below 0 on average, are a collapse. */
#ifndef DNX_TRAIN_GUARD_H
#define DNX_TRAIN_GUARD_H

#include <stdbool.h>

enum { GUARD_PATIENCE = 3 };

typedef struct guard_reading {
    double test_error;     /* mean squared error of values */
    double training_error; /* loss on values per sample, since the last reading, without its weight */
    double cosine;         /* NaN: not known, then nothing is judged */
} guard_reading;

typedef struct guard {
    double mean_error;     /* test error of a model that always says the mean of the labels */
    double best_test, best_training; /* negative: none yet */
    int bad;               /* readings in a row */
    int collapses;
    long first_collapse;   /* update; -1: none */
} guard;

guard guard_start(double mean_error);

/* True at a collapse; then the count of bad readings starts again. */
bool guard_judge(guard *g, const guard_reading *r, long step);

#endif
