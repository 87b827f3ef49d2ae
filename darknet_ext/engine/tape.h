/* A tape: the jets of every node of a graph for a given batch, order and number of directions (a graph can have several:
 * training, evaluation), and the four sweeps over it (sweeps.c, the only place that orders the calls of layers).
 *
 * The loss of order K needs derivatives of s(h) = <seed, head(m(h))> with respect to the output h of one node, the
 * segment's input (default: the network's input, node -1). With components split in halves by the highest bit K
 * (core/jet.h), for every K:
 *
 *   1. value sweep    first to last   low half of the jets                    K = 1: x_0          K = 2: x_0, x_1 = v
 *   2. seed sweep     last to first   upper half of the adjoints, seeded      K = 1: xbar_1 = g   K = 2: xbar_12 = g, xbar_2 = q
 *                                     with `seed` on the last component
 *      now the losses of g and q are known, with r = dL/dg and u = dL/dq
 *   3. tangent sweep  first to last   upper half of the jets                  K = 1: x_1 = r      K = 2: x_2 = u, x_12 = r
 *   4. adjoint sweep  last to first   low half of the adjoints, parameters    seeded with dl/dm on component 0
 *
 * The scalar path: when K = 1, the segment is piecewise linear from the network's input to a single output, and there is one
 * direction v = +-1, then the low-half adjoint of every node is a multiple of its component 1, which sweep 2 left:
 * xbar_0 = s xbar_1 with s = v dl/dm of the sample. Sweep 4 needs no products but those of the parameters, and these take one
 * row per sample instead of two: Wbar += xbar_1^T (s x_0 + x_1). A Sobolev step then costs 4 units against 3 of a plain step.
 *
 * When the path ends with two layers y = f(W x + b), m = <w, y> + c and f is homogeneous (relu, leaky, …), the first of them is the `pair`, and
 * with u = s x_0 + x_1 the gradient of w, which is sum (s y_0 + y_1) = sum f'(y_0) (W u + s b), follows from the sums M that the gradient
 * of W needs: wbar_j = <W_j, M_j> + …, Wbar = diag(w) M (affine_pair, backend/backend.h). Nobody reads component 1 of y then, and sweep 3
 * ends below the pair: 3 units, the price of a plain step, where the pair's product is the large one. Its gradients in float, of the
 * network 2-256-256-1 on batches of 100, were at most 2.0e-7 from those in double (norm of the difference over the norm, of the worst array) at the
 * start and 1.7e-6 after 3000 steps of Adam; on the general way 1.8e-7 and 5.0e-7 (build/tests/test_scalar_path, AVX2).
 *
 * Sweep 3 works because <seed, y_last> = <g, r> (+ <q, u>): the adjoint of the whole jet is the gradient of the loss. */
#ifndef DNX_ENGINE_TAPE_H
#define DNX_ENGINE_TAPE_H

#include "engine/graph.h"

enum { HALF_LOW = 0, HALF_UPPER = 1 };

typedef struct tape_entry {
    jet y, adj_y;     /* order 0 up to the segment's input, full order above (and at it) */
    real *saved;
    convolution *convolution;
    bool adjoint_started[2]; /* by half */
    /* Inputs, and their adjoints, in the layout the node reads, where that differs from how they lie; else data is NULL. */
    jet converted[NODE_MAX_INPUTS], adj_converted[NODE_MAX_INPUTS];
} tape_entry;

typedef struct tape {
    graph *graph;
    const backend *be;
    int capacity;          /* largest batch */
    int batch;             /* samples in use */
    unsigned layout;       /* counts changes of batch and directions: each moves the components */
    int order, directions;
    int segment_input;     /* node whose output is differentiated against; -1: the network's input */
    bool training;
    bool move_statistics;  /* of batch normalisation, in this batch; at first true */
    bool own_losses;       /* a network without [sobolev]: its layers may be Darknet's losses */
    bool derivatives;      /* this batch uses the whole jets; else only values, as for prediction */
    uint64_t seed, step;   /* random numbers of layers: a function of both */
    const real *truth;
    struct critics *critics; /* of the graph's [critic] blocks; NULL: they pass what comes down (engine/critics.h) */
    double cost;           /* what loss layers reported in the last value sweep */
    const real *row_scale; /* [batch]: s of the scalar path; NULL: off */
    real *scratch;         /* for the scalar path, as layer_pass wants it; NULL until tape_allow_scalar_path */
    int pair;              /* node of the scalar path that also gives the gradients of the one above; -1: none */
    bool input_adjoint;    /* also compute the low-half adjoint of the network's input */
    jet x, adj_x;          /* the network's input */
    bool adj_x_started[2];
    tape_entry *entries;
} tape;

/* A tape for at most `capacity` samples. `order` 0 ignores directions and segment_input. */
status tape_create(tape *t, graph *g, const backend *be, int capacity, int order, int directions, int segment_input);
void tape_free(tape *t);

/* Another view of the same memory, with flags, counts of rows and places of jets of its own: for threads that run different nodes. The view is given
 * back before the tape is freed. */
status tape_share(tape *view, const tape *t);
void tape_unshare(tape *view);

/* What its jets and `saved` hold. */
size_t tape_bytes(const tape *t);

/* Prepares the scalar path for a tape whose graph has the form it needs; *possible says whether it has. */
status tape_allow_scalar_path(tape *t, bool *possible);

/* Sets the number of samples in use (1..capacity); what the jets held is lost. */
void tape_set_batch(tape *t, int batch);
/* The same, and the number of directions (order 0: ignored): batch * directions at most what the tape was created for. */
void tape_set_rows(tape *t, int batch, int directions);

/* The jets of a node's output and its adjoint; node -1 is the network's input. */
jet *tape_jet(tape *t, int node);
jet *tape_adjoint(tape *t, int node);

/* Says that the caller has filled a half of a node's adjoint, or added to it. */
void tape_seed_adjoint(tape *t, int node, int half);
/* Whether a half of a node's adjoint holds something: the first contribution overwrites. */
bool *tape_adjoint_started(tape *t, int node, int half);

/* Sweep 1 over nodes first..last inclusive. The caller has filled the components of the low half of the segment's input
 * and component 0 of x. */
void sweep_values(tape *t, int first, int last);
/* Sweep 2, from the top node (the network's output or its head) down to the segment's input; the caller has filled the upper half of the output's
 * adjoint. */
void sweep_seeds(tape *t);
/* Sweep 3; the caller has filled the upper half of the segment's input. */
void sweep_tangents(tape *t);
/* Sweep 4 over nodes last..first inclusive; the caller has filled the low half of the output's adjoint. `parameters`:
 * add to the parameters' gradients. Below the segment's input this is ordinary backpropagation. */
void sweep_adjoints(tape *t, int last, int first, bool parameters);

/* Starts the low half of a node's adjoint at zero. */
void tape_zero_low(tape *t, int node);

/* Forgets all adjoints: call before sweep_seeds of a new batch (order 0: before sweep_adjoints). */
void tape_clear_adjoints(tape *t);

#endif
