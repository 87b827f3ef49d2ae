/* What OpenCV's readNetFromDarknet makes of a network; measured with OpenCV 4.6. */
#ifndef DNX_MODEL_EXPORT_OPENCV_H
#define DNX_MODEL_EXPORT_OPENCV_H

#include "model/export_plan.h"

bool opencv_has_activation(const char *name);

/* Calls `say` with one sentence for every layer that OpenCV refuses, or reads as something else. */
status opencv_read_plan(const plan *p, plan_complaint say, void *context);

#endif
