/* What other readers cannot run, said with layers that they can. */
#ifndef DNX_MODEL_EXPORT_FOLD_H
#define DNX_MODEL_EXPORT_FOLD_H

#include "model/export_plan.h"

/* For stock Darknet: a [dropout] that comes first, [batchnorm] on its own, a step between kernels of one number. For OpenCV besides: batch
 * normalisation that it computes otherwise, [activation], [logistic], the temperature of [softmax]. */
status export_fold(plan *p, bool for_opencv);

#endif
