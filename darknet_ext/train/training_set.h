/* What a run is trained and tested on, made from the [data] section: samples, their normalisation, and their minibatches. Samples that are read in
 * pieces (data.streams) are never in `training` and `test`. */
#ifndef DNX_TRAIN_TRAINING_SET_H
#define DNX_TRAIN_TRAINING_SET_H

#include <stdio.h>

#include "data/data_source.h"
#include "train/batches.h"
#include "train/evaluate.h"
#include "train/fold.h"

typedef struct training_set {
    data_source data;
    black_box *box;        /* of a [teacher] that is a function; NULL: none */
    dataset training;      /* as the network sees it */
    dataset test;          /* raw */
    normaliser normaliser; /* when `normalised`; of samples in pieces from some of them */
    bool normalised;
    fold fold;             /* of the normalisation into the weights */
    fold teacher_fold;     /* into the teacher's, who reads what the student reads */
    batches batches;
    dataset_part measure;  /* of the test set: what the best weights are chosen by */
    bool classes;          /* error and kl are measured, and the best weights are chosen by kl */
} training_set;

/* Opens the data and finds what does not fit the network, all at once. *t is zero before. */
status training_set_check(training_set *t, plugin_network *p);

/* Makes the sets. The weights of the loss's components follow from them (component_weights=rms). */
status training_set_make(training_set *t, plugin_network *p, FILE *log);
void training_set_free(training_set *t);

/* Samples that are trained on. */
int training_set_points(const training_set *t);

/* The test errors of the network as it is. */
status training_set_evaluate(training_set *t, evaluator *e, evaluation *result);

/* The test error of a model that always says the mean of the labels; of classes, the entropy of those that are equally likely. */
double training_set_mean_error(const training_set *t);

#endif
