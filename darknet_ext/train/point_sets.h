/* The samples that a network's [data] section gives it. */
#ifndef DNX_TRAIN_POINT_SETS_H
#define DNX_TRAIN_POINT_SETS_H

#include "bridge/plugin.h"
#include "data/data_source.h"

/* Opens the [data] section for what the network and its loss need; the network must outlive the source. */
status training_data_open(data_source *d, plugin_network *p);

/* The order to which a network's derivatives are compared with those of its data: 2 where [sobolev] says order=2, else 1,
 * and never more than its layers have. */
int evaluation_order(plugin_network *p);

#endif
