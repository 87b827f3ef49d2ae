/* A linear layer that a check puts in the place of one that only Darknet runs, between layers whose derivatives it proves:
 *
 *     y_j = sum of the x_i with i = k mod inputs over all k = j mod outputs, 0 <= k < max(inputs, outputs)
 *
 * With as many outputs as inputs it passes them on. */
#ifndef DNX_CHECK_STAND_IN_H
#define DNX_CHECK_STAND_IN_H

#include "layers/layer.h"

extern const layer_type stand_in_layer_type;

#endif
