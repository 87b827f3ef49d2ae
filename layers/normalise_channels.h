/* Layers that divide the channels of a pixel by a power of a sum of squares: node->options is their normalise_rule, and these are
 * their functions (normalization.c). */
#ifndef DNX_LAYERS_NORMALISE_CHANNELS_H
#define DNX_LAYERS_NORMALISE_CHANNELS_H

#include "layers/layer.h"

/* Takes over the rule, and passes the shape on. */
status normalise_channels_configure(graph_node *node, normalise_rule rule);
size_t normalise_channels_saved_count(const graph_node *node, int batch, int directions, int order);
void normalise_channels_forward(const layer_pass *p);
void normalise_channels_backward(const layer_pass *p);
bool normalise_channels_curved(const graph_node *node);

#endif
