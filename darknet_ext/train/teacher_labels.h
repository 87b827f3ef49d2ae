/* What the teacher says at the test points, where the data has no labels for them. */
#ifndef DNX_TRAIN_TEACHER_LABELS_H
#define DNX_TRAIN_TEACHER_LABELS_H

#include "bridge/plugin.h"
#include "data/dataset.h"

/* A set without a single label gets values, and derivatives up to `order` that the teacher has as long as they fit into some hundred megabytes.
 * Nothing happens without a teacher. */
status teacher_labels_fill(plugin_network *p, int order, dataset *set);

#endif
