/* How good a network is on points whose values and derivatives are known. */
#ifndef DNX_TRAIN_EVALUATE_H
#define DNX_TRAIN_EVALUATE_H

#include "bridge/plugin.h"
#include "data/dataset.h"
#include "data/stream_source.h"

/* `error`, `top_error` and `kl` are of classifiers, whose outputs and labels are logits: the part of the samples whose largest output is not that of
 * the label's largest number, the part for which that is not among the `top` largest outputs, and the mean of KL(student || target); of classes, whose
 * KL in that direction is infinite, KL(target || student), for one-hot rows the cross entropy. Samples whose labels are not given are left out.
 *
 * Mean squared errors over all entries that the points give, those that are not NaN: of values, of the Jacobian, of the Hessian
 * (without it: of its products with the given v), and of J v. NaN where not measured. */
typedef struct evaluation {
    double value_mse, gradient_mse, hessian_mse, directional_mse, error, kl, top_error;
    int top;
} evaluation;

/* What top_error is called: "top5_error". */
enum { TOP_NAME = 24 };
const char *evaluation_top_name(const evaluation *e, char name[TOP_NAME]);

/* The order to which a network's derivatives are compared with those of its data: 2 where [sobolev] says order=2, else 1,
 * and never more than its layers have. */
int evaluation_order(plugin_network *p);

typedef struct evaluator evaluator;

/* `order` 0..2: derivatives to compare, at most what the network and the data set have. A network with layers that only
 * Darknet can run has order 0. The network must outlive the evaluator. */
status evaluator_create(evaluator **result, plugin_network *p, int order);
void evaluator_free(evaluator *e);
evaluation evaluator_run(evaluator *e, const dataset *d);

/* From now on error and kl are measured, and with `top` > 1 top_error; `probabilities`: y is probabilities, of one-hot rows too; else logits. */
void evaluator_compare_classes(evaluator *e, bool probabilities, int top);

/* What another network says becomes the labels of samples that are read in pieces and have none. It must outlive the evaluator. */
status evaluator_ask_teacher(evaluator *e, graph *g, const backend *be);

/* The same of samples that are read in pieces. Fails when one cannot be read. */
status evaluator_run_streamed(evaluator *e, const sample_set *set, evaluation *result);

/* The same of classes alone, with the mean of the probabilities of so many crops of each picture (data/picture_view.h) in the place of the
 * network's. */
status evaluator_run_crops(evaluator *e, const sample_set *set, int crops, evaluation *result);

#endif
