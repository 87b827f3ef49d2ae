/* The inside of a plugin_network, for the files of bridge/ alone: they include darknet.h and know its signs (`delta` there is
 * the negative gradient, accumulated). */
#ifndef DNX_BRIDGE_INTERNAL_H
#define DNX_BRIDGE_INTERNAL_H

#include <darknet.h>

#include "bridge/plugin.h"
#include "data/teacher_network.h"

/* The header's struct sizes tell a CPU build of the library from a GPU build, whose layouts differ. */
_Static_assert(sizeof(layer) == 1184, "darknet.h is not the CPU header this plugin was written for");
_Static_assert(sizeof(network) == 272, "darknet.h is not the CPU header this plugin was written for");
_Static_assert(sizeof(real) == sizeof(float), "the bridge shares Darknet's float arrays");

struct plugin_network {
    network *host;
    config *config;
    graph graph;
    const backend *be;
    objective *objective;   /* NULL: no [sobolev] */
    const section *objective_section;
    char *wrong_losses;     /* owned; why there can be no labels; NULL: there can */
    bool trains;            /* plugin_settings */
    teacher_network teacher;
    tape *tape;             /* the objective's, or own_tape */
    tape own_tape;
    critics *critics;       /* NULL: no [critic] */
    decoupled *decoupled;   /* after plugin_decouple; else NULL */
    objective_losses losses; /* of the last batch */
    double weight_factors[JET_MAX_ORDER + 1]; /* on the weights of the orders */
    double weights[JET_MAX_ORDER + 1];        /* of the orders, in the last training step */
    bool has_seed;
    uint64_t seed;
    int threads;            /* 0: left to OpenMP */
    int first_adopted;      /* the node whose forward starts a pass */
    bool layer_outputs;     /* plugin_settings */
    struct plugin_network *next;
};

/* Weight updates that are done when so many samples have been seen. */
uint64_t plugin_updates_at(const plugin_network *p, uint64_t seen);

/* The weights of the orders in the update that the sample after `seen` belongs to: schedule and factors. */
void plugin_refresh_weights(plugin_network *p, uint64_t seen);

/* adopt.c: gives the layers of a freshly parsed network our function pointers; and takes them back before it is freed. */
status plugin_adopt(plugin_network *p);
void plugin_release_layers(plugin_network *p);
/* What the layers, and the network, hold for a minibatch. */
status plugin_take_buffers(plugin_network *p);
status plugin_set_truth(plugin_network *p, size_t count); /* labels of a sample */
void plugin_drop_buffers(plugin_network *p);

/* host_layer.c: the inside of one layer. What Darknet and the engine must agree on; then, of an adopted one, bound once, without output and
 * delta until it takes them. */
status host_layer_check(const plugin_network *p, const graph_node *node, const layer *l);
void host_layer_bind(const plugin_network *p, graph_node *node, layer *l);
status host_layer_take_buffers(plugin_network *p, const graph_node *node, layer *l);
void host_layer_drop_buffers(plugin_network *p, const graph_node *node, layer *l);
void host_layer_set_sizes(const graph_node *node, layer *l);

/* plugin.c: the tapes, and the objective with them, for minibatches of at most `capacity` samples. */
status plugin_create_tapes(plugin_network *p, int capacity);
void plugin_free_tapes(plugin_network *p);

/* A foreign_shape (engine/graph.h), for a plugin_network as context. */
status plugin_foreign_shape(void *context, int index, tensor_shape *out);

/* The plugin's side of a Darknet network, or NULL when it has none. */
plugin_network *plugin_of(const network *net);

/* The stock functions behind the ones this library defines (dlsym RTLD_NEXT). */
network *stock_parse_network_cfg(char *path);
void stock_free_network(network *net);
int stock_resize_network(network *net, int w, int h);
void stock_load_weights_upto(network *net, char *path, int start, int cutoff);
void stock_save_weights_upto(network *net, char *path, int cutoff);

#endif
