/* What a layer is to the engine: a function on jets with its adjoint, over backend primitives.
 *
 * One file in layers/ defines one layer_type: head comment with the formulas, options, configure, forward, backward, and
 * the layer_type at the bottom. layers/layer_list.c names them all. */
#ifndef DNX_LAYERS_LAYER_H
#define DNX_LAYERS_LAYER_H

#include <stdbool.h>
#include <stdint.h>

#include "backend/backend.h"
#include "core/jet.h"
#include "core/options.h"
#include "core/random.h"
#include "core/shape.h"
#include "core/status.h"

enum { NODE_MAX_PARAMETERS = 6, NODE_MAX_INPUTS = 8 };

/* An array of a weights file: trained, or a statistic that moves by itself. Darknet's own arrays when the network lives in Darknet. */
typedef struct parameter {
    const char *name;          /* "weights", "biases", "scales"; statistics: "rolling_mean", "rolling_variance" */
    size_t count;
    bool statistic;            /* not trained: no gradient, no moments */
    bool decays;               /* weight decay applies (Darknet: weights, not biases) */
    /* The first that is not 0: drawn from a normal distribution of this deviation, uniformly in (-range, range), or this value. */
    double initial_deviation, initial_range, initial_value;
    real *value, *gradient;    /* gradient of the sum over samples, accumulated until the update */
    real *moment_1, *moment_2; /* Adam; NULL until the optimiser asks */
    bool owned;                /* value belongs to the graph, else to Darknet */
} parameter;

struct layer_type;

/* A layer instance: options and shapes, once for all tapes. */
typedef struct graph_node {
    const struct layer_type *type; /* NULL: a layer of the host that the engine does not know (a foreign node) */
    const section *where;          /* its cfg section, for messages */
    const section *net;            /* the cfg's [net] */
    int index;                     /* position in the network */
    int inputs[NODE_MAX_INPUTS];   /* nodes this one reads; -1 is the network's input */
    int n_inputs;
    tensor_shape in, out;          /* in: of the first input */
    tensor_shape in_shapes[NODE_MAX_INPUTS];
    int in_block[NODE_MAX_INPUTS]; /* layouts this node reads and writes (core/shape.h); the tape converts in between */
    int out_block;
    bool plain_output;             /* out_block must be 1: others than layers read the output */
    bool seeded;                   /* the objective's directions lie in the adjoint of the output: backward must leave them as they are */
    parameter parameters[NODE_MAX_PARAMETERS];
    int n_parameters;
    double learning_rate_scale;
    bool stop_backward;            /* nothing flows to this node or below it */
    bool frozen;                   /* no update touches it: all that is above is cut off */
    void *options;                 /* the layer's own; owned, freed with free() */
} graph_node;

/* One call of a layer. Jets of inputs and output have the same batch; the network's loss decides the order. */
typedef struct layer_pass {
    const backend *be;
    const graph_node *node;
    component_range range; /* the components to compute now */
    bool training;         /* dropout draws, batch normalisation uses the batch */
    bool move_statistics;  /* with `training`: rolling means follow the batch */
    random_stream random;  /* of this node; draw at positions from `position` on */
    uint64_t position;

    const jet *x; /* [n_inputs] values; x[i].data is never NULL */
    jet *y;       /* forward: output. backward: as the forward pass left it */
    real *saved;  /* saved_count() elements of this tape, kept between the sweeps */
    convolution *convolution; /* of this tape, when the layer type has one */

    /* backward only */
    jet *adj_y; /* a backward pass may leave there what only it reads: no later sweep but its own looks at it again, unless node->seeded */
    jet *adj_x;           /* [n_inputs]; data == NULL where nobody wants it */
    bool accumulate[NODE_MAX_INPUTS]; /* add to adj_x[i] instead of overwriting it */
    bool parameters;      /* add to the parameters' gradients: all components of adj_y are there */

    /* The scalar path (engine/tape.h): adj_y's value component is row_scale times its component 1, and is not there. Only the
     * parameters are asked for; `scratch` has room for one component of x or y. NULL: the ordinary case. */
    const real *row_scale; /* [batch] */
    real *scratch;
    /* The end of the scalar path, for a type with scalar_pair: the node above, whose gradients this one gives too, and component 1 of the
     * adjoint of its output. Component 1 of y is not there. NULL: not the end. */
    const graph_node *above;
    const real *above_delta; /* [batch] */

    /* Labels of the batch, for layers that read them; NULL when there are none. Plain layers get them only in a network without [sobolev]. */
    const real *truth;
    double *cost;         /* loss layers add the loss of the batch here */
} layer_pass;

typedef enum layer_role {
    LAYER_PLAIN,
    LAYER_LOSS,     /* ends the network: no output, gives the first adjoint */
    LAYER_OBJECTIVE /* the [sobolev] section: the engine runs it (engine/objective.h) */
} layer_role;

typedef struct layer_type {
    const section_spec *spec;
    layer_role role;
    int max_order;           /* highest order of derivative with respect to x */
    const char *order_limit; /* why not more; NULL when max_order == JET_MAX_ORDER */

    /* False: this section uses something only the host's own layer has; the node stays foreign. NULL: always true. */
    bool (*takes)(const section *where);
    const char *stays_with, *stays; /* with `takes`: the keys of such sections; why they cannot be differentiated */
    /* Sets node->inputs and n_inputs from the options; the engine checks that they lie below. NULL: the node below. */
    status (*connect)(graph_node *node);
    /* Reads the options, checks the input shapes (node->in, in_shapes), sets node->out, parameters and options. */
    status (*configure)(graph_node *node);
    /* Chooses the layouts: in_block[] holds what the inputs offer, and is changed to what the node reads; out_block is set.
     * NULL: everything plain. */
    void (*choose_blocks)(graph_node *node, const backend *be);
    /* The convolution that the layer needs in pass->convolution, x being its first input and y its output; `*transposed`: the other way round, its
     * backward_data maps x to y. NULL: none. */
    convolution_shape (*convolution)(const graph_node *node, bool *transposed);
    /* Samples that training needs at least; NULL: one. */
    int (*least_batch)(const graph_node *node);
    /* Elements of `saved` a tape keeps for this node; NULL: none. */
    size_t (*saved_count)(const graph_node *node, int batch, int directions, int order);
    void (*forward)(const layer_pass *pass);
    void (*backward)(const layer_pass *pass);
    /* True when a plain layer is also Darknet's loss of the network ([softmax], [logistic]): it then starts the adjoint from pass->truth, and
     * adds to pass->cost. NULL: never. */
    bool (*has_loss)(const graph_node *node);
    bool critic;          /* [critic]: passes its input; what it sends down in training is engine/critics.h's */
    bool fully_connected; /* begins with z = W x + b: parameters "weights" [outputs, inputs] and "biases", of raw inputs */
    bool scalar_path; /* backward understands row_scale (or has no parameters) */
    /* Whether backward can also do with `above`, the network's last layer and its only reader. NULL: never. */
    bool (*scalar_pair)(const graph_node *node, const graph_node *above);
    /* Floating-point operations of one linear application to one row (as much again for its adjoint, and for the
     * gradient of its parameters); NULL: next to nothing. */
    double (*row_cost)(const graph_node *node);
    /* True when the node is piecewise linear, but not linear: its second derivative is 0 wherever it exists, so that
     * training on second derivatives has nothing to learn there. NULL: never. */
    bool (*zero_curvature)(const graph_node *node);
    /* True when the second derivative does not vanish. NULL: never. */
    bool (*curved)(const graph_node *node);
} layer_type;

/* Whether labels of the network make this node one of its losses, when there is no [sobolev]. */
static inline bool node_is_loss(const graph_node *node)
{
    const layer_type *type = node->type;
    return type && (type->role == LAYER_LOSS || (type->has_loss && type->has_loss(node)));
}

static inline tensor_layout node_in_layout(const graph_node *node, int input)
{
    return (tensor_layout){node->in_shapes[input], node->in_block[input]};
}

static inline tensor_layout node_out_layout(const graph_node *node)
{
    return (tensor_layout){node->out, node->out_block};
}

/* choose_blocks of layers that do not care how channels lie: whatever the first input offers, for all inputs and the output. */
static inline void layer_follow_blocks(graph_node *node, const backend *be)
{
    node->out_block = node->plain_output ? 1 : node->in_block[0];
    for (int i = 0; i < node->n_inputs; ++i)
        node->in_block[i] = node->out_block;
}

/* The layer types of layers/, NULL-terminated. */
extern const layer_type *const layer_list[];

/* The type for a section name (or its alias), or NULL. */
const layer_type *layer_find(const char *name);

/* The type that runs this section; NULL: it is not a layer, or stays the host's own. */
const layer_type *layer_for(const section *where);

/* Why a section of a layer stays the host's own; NULL when a type runs it. */
const char *layer_stays(const section *where);

/* Of such a section, what a message calls it: "[convolutional] with xnor=1". */
void layer_describe_foreign(const section *where, char *text, size_t size);

#endif
