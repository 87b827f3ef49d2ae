/* What cannot be trained on the points of [data], said before it starts. */
#ifndef DNX_TRAIN_TRAINING_CHECK_H
#define DNX_TRAIN_TRAINING_CHECK_H

#include "bridge/plugin.h"
#include "data/data_source.h"

/* STATUS_BAD_CONFIG, naming the line, when the network has no loss, a loss that does not fit its output, or a layer of
 * Darknet that needs other data or crashes. On success *data is open, to be freed by the caller; else it is empty. NULL: [data] is
 * left out. */
status training_check(plugin_network *p, data_source *data);

#endif
