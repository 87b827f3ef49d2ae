/* How good a network is on points whose values and derivatives are known. */
#ifndef DNX_TRAIN_EVALUATE_H
#define DNX_TRAIN_EVALUATE_H

#include "bridge/plugin.h"
#include "data/dataset.h"

/* Mean squared errors over all points and all entries: of values (points * outputs), of the Jacobian
 * (points * outputs * inputs), of the Hessian (points * outputs * inputs * inputs). NaN where not measured. */
typedef struct evaluation {
    double value_mse, gradient_mse, hessian_mse;
} evaluation;

typedef struct evaluator evaluator;

/* `order` 0..2: derivatives to compare, at most what the network and the data set have. A network with layers that only
 * Darknet can run has order 0. The network must outlive the evaluator. */
status evaluator_create(evaluator **result, plugin_network *p, int order);
void evaluator_free(evaluator *e);
evaluation evaluator_run(evaluator *e, const dataset *d);

/* Values m(x) [points, outputs] and, when not NULL, the Jacobian [points, outputs, inputs] at given points. The evaluator
 * must have order 1 or 2. */
void evaluator_predict(evaluator *e, const double *x, int points, double *values, double *jacobian);

#endif
