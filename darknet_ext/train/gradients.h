/* How the gradients of the losses of different orders, by the parameters, relate to each other on the current minibatch. */
#ifndef DNX_TRAIN_GRADIENTS_H
#define DNX_TRAIN_GRADIENTS_H

#include "bridge/plugin.h"

typedef struct gradient_probe {
    plugin_network *net;
    size_t count;
    float *value_gradient, *derivative_gradient; /* [count] */
} gradient_probe;

/* Whether a network can be asked: it runs in the engine alone, and its loss has values and derivatives. */
bool gradient_probe_applies(plugin_network *net);
status gradient_probe_create(gradient_probe *g, plugin_network *net);
void gradient_probe_free(gradient_probe *g);

/* The cosine between the gradient of the loss on values and that of all losses on derivatives, each with its present weight; NaN when one of
 * them is zero. */
status gradient_probe_cosine(gradient_probe *g, double *cosine);

/* |gradient of the loss of order k, with its present weight|, for every order; 0 where it has no weight. */
status gradient_probe_norms(gradient_probe *g, double norms[JET_MAX_ORDER + 1]);

#endif
