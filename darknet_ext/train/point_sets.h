/* The training and test points of a network's [data] section. */
#ifndef DNX_TRAIN_POINT_SETS_H
#define DNX_TRAIN_POINT_SETS_H

#include "bridge/plugin.h"
#include "data/function_data.h"

/* The functions of a network's [data] section. */
status training_set_functions(plugin_network *p, function_data *f);

/* Its training and test points, with derivatives up to `order`. */
status training_set_create(dataset *d, plugin_network *p, int order);
status test_set_create(dataset *d, plugin_network *p, int order);

/* The order to which a network's derivatives are compared with those of its data: 2 where [sobolev] says order=2, else 1,
 * and never more than its layers have. */
int evaluation_order(plugin_network *p);

#endif
