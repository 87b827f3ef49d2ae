/* What other readers cannot run, said with layers that they can: export_fold.c. */
#ifndef DNX_MODEL_EXPORT_FOLD_H
#define DNX_MODEL_EXPORT_FOLD_H

#include "model/export_plan.h"

/* For stock Darknet: a [dropout] that comes first, [batchnorm] on its own, a step between kernels of one number. */
status export_fold_for_darknet(plan *p);

/* For OpenCV besides: batch normalisation that it computes otherwise, [activation], [logistic], the temperature of [softmax]. */
status export_fold_for_opencv(plan *p);

#endif
