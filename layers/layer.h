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

enum { NODE_MAX_PARAMETERS = 4, NODE_MAX_INPUTS = 8 };

/* A trainable array and what training keeps beside it. Darknet's own arrays when the network lives in Darknet. */
typedef struct parameter {
    const char *name;          /* "weights", "biases" */
    size_t count;
    bool decays;               /* weight decay applies (Darknet: weights, not biases) */
    double initial_range;      /* initialised uniformly in (-range, range); 0: zeros */
    real *value, *gradient;    /* gradient of the sum over samples, accumulated until the update */
    real *moment_1, *moment_2; /* Adam; NULL until the optimiser asks */
    bool owned;                /* value belongs to the graph, else to Darknet */
} parameter;

struct layer_type;

/* A layer instance: options and shapes, once for all tapes. */
typedef struct graph_node {
    const struct layer_type *type; /* NULL: a layer of the host that the engine does not know (a foreign node) */
    const section *where;          /* its cfg section, for messages */
    int index;                     /* position in the network */
    int inputs[NODE_MAX_INPUTS];   /* nodes this one reads; -1 is the network's input */
    int n_inputs;
    tensor_shape in, out;
    parameter parameters[NODE_MAX_PARAMETERS];
    int n_parameters;
    double learning_rate_scale;
    bool stop_backward;            /* nothing flows to this node or below it */
    void *options;                 /* the layer's own; owned, freed with free() */
} graph_node;

/* One call of a layer. Jets of inputs and output have the same batch; the network's loss decides the order. */
typedef struct layer_pass {
    const backend *be;
    const graph_node *node;
    component_range range; /* the components to compute now */
    bool training;         /* dropout draws, statistics move */
    random_stream random;  /* of this node; draw at positions from `position` on */
    uint64_t position;

    const jet *x; /* [n_inputs] values; x[i].data is never NULL */
    jet *y;       /* forward: output. backward: as the forward pass left it */
    real *saved;  /* saved_count() elements of this tape, kept between the sweeps */

    /* backward only */
    const jet *adj_y;
    jet *adj_x;           /* [n_inputs]; data == NULL where nobody wants it */
    bool accumulate[NODE_MAX_INPUTS]; /* add to adj_x[i] instead of overwriting it */
    bool parameters;      /* add to the parameters' gradients: all components of adj_y are there */

    /* The scalar path (engine/tape.h): adj_y's value component is row_scale times its component 1, and is not there. Only the
     * parameters are asked for; `scratch` has room for one component of x. NULL: the ordinary case. */
    const real *row_scale; /* [batch] */
    real *scratch;

    const real *truth;    /* labels of the batch, for layers that read them; NULL when there are none */
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
    /* Reads the options, checks the input shape (node->in), sets node->out, parameters and options. */
    status (*configure)(graph_node *node);
    /* Elements of `saved` a tape keeps for this node; NULL: none. */
    size_t (*saved_count)(const graph_node *node, int batch, int directions, int order);
    void (*forward)(const layer_pass *pass);
    void (*backward)(const layer_pass *pass);
    bool fully_connected; /* begins with z = W x + b: parameters "weights" [outputs, inputs] and "biases", of raw inputs */
    bool scalar_path; /* backward understands row_scale (or has no parameters) */
    /* Floating-point operations of one linear application to one row (as much again for its adjoint, and for the
     * gradient of its parameters); NULL: next to nothing. */
    double (*row_cost)(const graph_node *node);
    /* True when the node is piecewise linear, but not linear: its second derivative is 0 wherever it exists, so that
     * training on second derivatives has nothing to learn there. NULL: never. */
    bool (*zero_curvature)(const graph_node *node);
    /* True when the second derivative does not vanish. NULL: never. */
    bool (*curved)(const graph_node *node);
} layer_type;

/* The layer types of layers/, NULL-terminated. */
extern const layer_type *const layer_list[];

/* The type for a section name (or its alias), or NULL. */
const layer_type *layer_find(const char *name);

/* The type that runs this section; NULL: it is not a layer, or stays the host's own. */
const layer_type *layer_for(const section *where);

#endif
