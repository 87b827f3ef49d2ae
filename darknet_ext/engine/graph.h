/* A network as the engine sees it: nodes with their options, shapes and parameters. What is computed lies in tapes
 * (engine/tape.h). */
#ifndef DNX_ENGINE_GRAPH_H
#define DNX_ENGINE_GRAPH_H

#include "layers/layer.h"

enum { GRAPH_MAX_HEAD = 2 };

typedef struct graph {
    graph_node *nodes;
    int n_nodes;     /* of the network; the objective's head nodes follow it */
    int n_head;
    tensor_shape input;
    int output_node; /* the network's output: the last node that is not a loss */
} graph;

/* The shape of one input sample that [net] gives; refused when batch times it does not fit. */
status graph_input_shape(const config *c, tensor_shape *shape);

/* Builds the nodes from the layer sections of a checked cfg, with parameters allocated and zero. Shapes of layers that
 * the engine does not know come from `foreign` (NULL: such layers are refused). */
typedef status (*foreign_shape)(void *context, int index, tensor_shape *out);
status graph_build(graph *g, const config *c, const backend *be, foreign_shape foreign, void *context);

/* The same in two steps, for a network that lives in a host: the nodes, whose parameters have no arrays yet; and, when the host has
 * set the `value` of those it has arrays for, whatever is missing. */
status graph_lay_out(graph *g, const config *c, const backend *be, foreign_shape foreign, void *context);
status graph_allocate(graph *g, const backend *be);

/* Lays the nodes out for the input size that `c` has now. Parameters keep their arrays: a layer whose number of weights would change is
 * refused, and the graph can then only be freed. Head nodes are gone. */
status graph_resize(graph *g, const config *c, const backend *be, foreign_shape foreign, void *context);

/* The network of the layers inside of a block (the section number `block` of c, a [critic]), with parameters of its own; its first layer reads
 * `input`. */
status graph_build_block(graph *g, const config *c, int block, tensor_shape input, const backend *be);

void graph_free(graph *g, const backend *be);

/* Appends a node without a cfg section that reads the last one appended (first: the network's output): the head through
 * which the objective looks at the network (layers/log_probabilities.c, layers/loss_head.c). */
struct layer_type;
status graph_append_head(graph *g, const struct layer_type *type);
void graph_drop_heads(graph *g);

/* The channel block in which a node's output lies; node -1 is the network's input, which is plain. */
int graph_block(const graph *g, int node);

/* Lays a node's output out in Darknet's planes, for somebody else than layers reads it (-1: the input lies so). Before there is a tape. */
void graph_make_plain(graph *g, const backend *be, int node);

/* A node that the host runs, in its own memory; the network's input (-1) is none. */
bool graph_is_foreign(const graph *g, int node);

/* Whether a foreign node reads it: those read the node right below them. */
bool graph_is_read_by_host(const graph *g, int node);

/* The [sobolev] section; NULL: there is none. */
const section *graph_objective(const graph *g);

/* The node that is differentiated: the network's output, or the last head node. */
int graph_top(const graph *g);

/* A loop over every array `p` of a weights file, statistics included, in its order; `node_` is the index of its node. */
#define GRAPH_ARRAYS(g, p)                                                                                           \
    for (int node_ = 0; node_ < (g)->n_nodes; ++node_)                                                                 \
        for (parameter *p = (g)->nodes[node_].parameters; p < (g)->nodes[node_].parameters + (g)->nodes[node_].n_parameters; ++p)

/* The same over those that are trained. */
#define GRAPH_PARAMETERS(g, p) \
    GRAPH_ARRAYS(g, p)         \
    if (!p->statistic)

/* Draws the initial value of every parameter, each from its own stream. */
void graph_initialise(graph *g, const backend *be, uint64_t seed);

/* Total number of trainable numbers, and of all numbers of a weights file. */
size_t graph_parameter_count(const graph *g);
size_t graph_array_count(const graph *g);

/* Floating-point operations of one linear application of all layers to one row (layers/layer.h). */
double graph_row_cost(const graph *g);

/* Whether some layer has statistics: it then computes something else in training than in prediction, and couples the samples of a batch. */
bool graph_has_statistics(const graph *g);

/* STATUS_BAD_CONFIG, naming the line, when a layer cannot be trained with minibatches of so many samples. */
status graph_check_batch(const graph *g, int batch, const char *path);

/* Sets every gradient to zero. */
void graph_clear_gradients(graph *g, const backend *be);

/* Allocates Adam's moments (zero). */
status graph_allocate_moments(graph *g, const backend *be);

#endif
