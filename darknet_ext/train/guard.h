/* The collapse guard: derivative supervision is there to help the values. When it makes them worse, somebody should say so.
 *
 * A reading, taken at every evaluation, is bad when
 *     the error of values on the test set is more than twice the least so far and more than a thousandth of the labels' variance, and the loss
 *     on values in training has doubled too (else it is overfitting); or
 *     the values have become no better than the mean of the labels.
 * Several bad readings in a row are a collapse. The cosine between the gradients, by the parameters, of the loss on values and of the
 * losses on derivatives says of which kind: below 0 on their average, the derivatives oppose the values; else both suffer from steps that are
 * too large. */
#ifndef DNX_TRAIN_GUARD_H
#define DNX_TRAIN_GUARD_H

enum { GUARD_PATIENCE = 3 };

typedef enum guard_verdict { GUARD_GOOD, GUARD_OPPOSED, GUARD_UNSTABLE } guard_verdict;

typedef struct guard_reading {
    double test_error;     /* mean squared error of values */
    double training_error; /* loss on values per sample, since the last reading, without its weight */
    double cosine;         /* NaN of one of these two: nothing is judged, but the best are remembered */
} guard_reading;

typedef struct guard {
    double mean_error;     /* test error of a model that always says the mean of the labels */
    double best_test, best_training; /* negative: none yet */
    int bad;               /* readings in a row */
    double cosines;        /* their sum */
    double cosine;         /* mean over the bad readings of the last collapse */
    int collapses;
    long first_collapse;   /* update; -1: none */
} guard;

guard guard_start(double mean_error);

/* A collapse is reported once; then the count of bad readings starts again. */
guard_verdict guard_judge(guard *g, const guard_reading *r, long step);

#endif
