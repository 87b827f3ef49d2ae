/* What can stand between the network's output and the derivative; not sections of a cfg. */
#ifndef DNX_LAYERS_HEADS_H
#define DNX_LAYERS_HEADS_H

#include "layers/layer.h"

extern const layer_type log_probabilities_head, squared_error_head, cross_entropy_head;

#endif
