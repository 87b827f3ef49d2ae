/* A Darknet network whose layers run in the engine, as the programs above the bridge see it. */
#ifndef DNX_BRIDGE_PLUGIN_H
#define DNX_BRIDGE_PLUGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "config/reader.h"
#include "data/weights_file.h"
#include "engine/critics.h"
#include "engine/decoupled.h"
#include "engine/objective.h"
#include "engine/teacher.h"

typedef struct plugin_network plugin_network;

/* What the command line or the environment says; the cfg's [net] keys come after it. */
typedef struct plugin_settings {
    const char *backend;    /* NULL: not given */
    bool has_seed;
    uint64_t seed;
    bool initialise;        /* draw the first weights from the seed (1 when none is given), not from Darknet's rand() */
    int threads;            /* 0: not given */
    bool trains;            /* also reads the teacher that the cfg names, if any: without it such a network can only predict */
    bool may_train;         /* nobody knows: reads the teacher where its files can be read */
    bool layer_outputs;     /* predictions leave every layer's output, not only the network's, in Darknet's layer, c x h x w: for clients that
                               look into the network. Costs a copy where the engine's numbers lie otherwise (core/shape.h) */
    bool quiet;             /* the stock parser's own table and remarks are not shown */
    const override *overrides;
    int n_overrides;
    status (*also_check)(plugin_network *p, void *also_context); /* more checks of the cfg, reported together with the others; NULL: none. It
                                                may ask for the config and the graph */
    void *also_context;
    message_sink sink;      /* messages about the cfg */
    void *context;
} plugin_settings;

/* Settings from the environment (core/environment.h). */
status plugin_settings_from_environment(plugin_settings *settings);

/* Reads the cfg strictly, lets the stock parser build the network from generated text, and adopts every layer the engine
 * knows. Freed with plugin_free(), or by Darknet's free_network() on its network. */
status plugin_load(const char *path, const plugin_settings *settings, plugin_network **result);
void plugin_free(plugin_network *p);

/* Weights in Darknet's format: read strictly (nothing changes unless the whole file is good), written whole or not at all. */
status plugin_load_weights(plugin_network *p, const char *path);
status plugin_save_weights(const plugin_network *p, const char *path);

/* Of layers first <= i < last alone, as Darknet's load_weights_upto and save_weights_upto. A file may hold the first layers of a longer
 * network (darknet53.conv.74), or more than is wanted; one that ends inside a layer is refused. */
typedef struct loaded_weights {
    int last;    /* the first layer that the file does not reach, or `last` */
    size_t left; /* numbers behind */
} loaded_weights;
status plugin_load_some_weights(plugin_network *p, const char *path, int first, int last, loaded_weights *loaded);
status plugin_save_some_weights(const plugin_network *p, const char *path, int last);

/* Another size of the input image: sizes follow through the network, weights stay. A layer that cannot follow is a STATUS_BAD_CONFIG
 * with its place, and the network can then only be freed. Weights of orders that were changed, and components' weights, are the cfg's
 * again; a teacher does not follow: the network can then only predict. */
status plugin_resize(plugin_network *p, int width, int height);

/* The network's own arrays of one layer by what they mean: [connected], [convolutional] (weights [filters, filter_size]) and [batchnorm] (no
 * weights). NULL: it has none of that kind, or is another layer. */
typedef struct layer_arrays {
    size_t filters, filter_size;
    float *biases, *weights;
    float *scales, *rolling_mean, *rolling_variance; /* of its batch normalisation */
} layer_arrays;
layer_arrays plugin_layer_arrays(const plugin_network *p, int index);
/* The same of any layer, as they follow each other in a weights file; the caller frees the list, not the arrays. */
status plugin_layer_blocks(const plugin_network *p, int index, weights_block **blocks, size_t *n);

/* What the network is; all owned by it. */
const config *plugin_config(const plugin_network *p);
graph *plugin_graph(plugin_network *p);
const backend *plugin_backend(const plugin_network *p);
const objective_options *plugin_objective(const plugin_network *p); /* NULL without a [sobolev] section */
const teacher_options *plugin_teacher(const plugin_network *p); /* NULL without a teacher's cfg; its graph is there when the network `trains` */
graph *plugin_teacher_graph(const plugin_network *p); /* NULL without a teacher that was read */
int plugin_directions(const plugin_network *p); /* per sample, in a training step; 0 for order 0 */
bool plugin_adam(const plugin_network *p);
bool plugin_trains_stock_layers(const plugin_network *p); /* some layer is updated by Darknet itself */
bool plugin_scalar_path(const plugin_network *p);   /* engine/tape.h */
int plugin_scalar_pair(const plugin_network *p);    /* its pair; -1: none */
uint64_t plugin_seed(const plugin_network *p);
int plugin_threads(const plugin_network *p);

critics *plugin_critics(plugin_network *p); /* NULL: no [critic] */

/* Training through Darknet's own loop. A minibatch is batch/subdivisions samples; the update comes with the last one. */
int plugin_minibatch(const plugin_network *p);
int plugin_subdivisions(const plugin_network *p);
long plugin_max_batches(const plugin_network *p); /* updates the cfg asks for; 0: no end */
size_t plugin_truth_count(const plugin_network *p);
const label_layout *plugin_labels(const plugin_network *p); /* NULL without a [sobolev] section: the outputs alone */
float *plugin_input(plugin_network *p); /* [minibatch, inputs], to be filled */
float *plugin_truth(plugin_network *p); /* [minibatch, truth_count], to be filled */
objective_losses plugin_train_minibatch(plugin_network *p); /* sums over the samples; a [cost] layer's cost as order 0 */
/* Decoupled training, where the cfg asks for it, beside Darknet's loop (engine/decoupled.h). plugin_decouples_at: the updates after which no block is
 * warming up any more; LONG_MAX: it is not asked for. plugin_decouple starts the parts, once, when they are done; plugin_decoupled is NULL before. From
 * then on minibatches are fed, which counts them and the updates at once; the losses come later (decoupled_take_losses), and weights stand still only
 * when drained. */
long plugin_decouples_at(const plugin_network *p);
status plugin_decouple(plugin_network *p);
decoupled *plugin_decoupled(const plugin_network *p);
void plugin_feed_minibatch(plugin_network *p); /* what lies in plugin_input and plugin_truth */
/* Factors on the weights of the orders, over what [sobolev] and its schedule say; at first 1. */
void plugin_scale_weights(plugin_network *p, const double factors[JET_MAX_ORDER + 1]);
/* The weights of the last training step; before it and after a change of the factors, of the next one. */
const double *plugin_weights(const plugin_network *p);
/* See objective_scale_components. */
void plugin_scale_components(plugin_network *p, int order, const double *factors);
/* Whether all of the network runs in the engine and has an objective: then plugin_loss_gradient can be asked. */
bool plugin_has_loss_gradient(const plugin_network *p);
/* The gradient by every parameter (graph_parameter_count numbers, in network order) of the losses of the minibatch that lies in
 * plugin_input and plugin_truth, with these weights of the orders; a sum over samples. Nothing else changes. */
status plugin_loss_gradient(plugin_network *p, const double weights[JET_MAX_ORDER + 1], float *gradient);
const float *plugin_predict(plugin_network *p, float *x); /* [minibatch, outputs] of x [minibatch, inputs]; owned by the network */
long plugin_updates(const plugin_network *p); /* updates done, also before a restart */
uint64_t plugin_seen(const plugin_network *p);
int *plugin_adam_steps(plugin_network *p); /* Adam's t, counted by Darknet */
double plugin_rate(const plugin_network *p);
/* Multiplies the learning rate that the policy starts from. */
void plugin_scale_rate(plugin_network *p, double factor);

#endif
