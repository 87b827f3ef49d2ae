/* The samples that a network's [data] section gives it. */
#ifndef DNX_TRAIN_POINT_SETS_H
#define DNX_TRAIN_POINT_SETS_H

#include "bridge/plugin.h"
#include "data/data_source.h"
#include "train/evaluate.h"

/* Opens the [data] section for what the network and its loss need; the network must outlive the source. */
status training_data_open(data_source *d, plugin_network *p);

/* Whether a network's outputs are logits of classes, and then what the labels are that it is tested with: as [data] says, else as its loss does. */
typedef enum label_scores { SCORES_NONE, SCORES_LOGITS, SCORES_PROBABILITIES } label_scores;
label_scores data_scores(plugin_network *p, const data_source *d);

/* An evaluator for the test samples of that source. */
status data_evaluator_create(evaluator **e, plugin_network *p, const data_source *d);

/* Threads that read samples in pieces. */
int data_loaders(plugin_network *p);

#endif
