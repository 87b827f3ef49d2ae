/* How good a network is on points whose values and derivatives are known. */
#ifndef DNX_TRAIN_EVALUATE_H
#define DNX_TRAIN_EVALUATE_H

#include "bridge/plugin.h"
#include "data/dataset.h"

/* Mean squared errors over all entries that the points give, those that are not NaN: of values, of the Jacobian, of the Hessian
 * (without it: of its products with the given v), and of J v. NaN where not measured. */
typedef struct evaluation {
    double value_mse, gradient_mse, hessian_mse, directional_mse;
} evaluation;

typedef struct evaluator evaluator;

/* `order` 0..2: derivatives to compare, at most what the network and the data set have. A network with layers that only
 * Darknet can run has order 0. The network must outlive the evaluator. */
status evaluator_create(evaluator **result, plugin_network *p, int order);
void evaluator_free(evaluator *e);
evaluation evaluator_run(evaluator *e, const dataset *d);

#endif
