/* A synthetic-gradient block (section 4.3 of the paper): a network of its own on the output h of a layer of the main network.
 *
 *     m(h, y) = L(p(h), y)      p: the block's layers, L the loss of the main network, y its labels
 *     SG(h, y) = dm/dh          goes down in place of dL/dh
 *     it learns from            weight   * loss(m, L)                              the loss that the part above really has
 *                             + weight_1 * loss_1(dm/dh, dL/dh)                    the gradient that really comes down
 *                             + label_weight * label_loss(log p(h), log p)         dm/dy against dL/dy, supplement 4.1 (L: cross-entropy)
 *
 * mode=local: it learns from weight * m alone, a loss of its own on the labels. mode=direct: SG is the output of the block's layers, which read h (and
 * the classes of y as further channels); loss_1 alone.
 *
 * The sweeps are those of engine/tape.h with K = 1, one direction and the seed 1 on m. */
#ifndef DNX_ENGINE_CRITIC_H
#define DNX_ENGINE_CRITIC_H

#include "engine/graph.h"
#include "layers/critic.h"

/* The loss of the main network, sample by sample. */
typedef enum main_loss_kind {
    MAIN_LOSS_CROSS_ENTROPY, /* - sum y log p */
    MAIN_LOSS_SQUARED_ERROR  /* scale * sum (p - y)^2 */
} main_loss_kind;

typedef struct main_loss {
    main_loss_kind kind;
    int outputs;  /* labels of a sample */
    double scale; /* of the squared error; 1 with cross-entropy */
} main_loss;

/* What the main network says of a minibatch. */
typedef struct critic_lesson {
    int batch;
    const real *h;                 /* [batch, inputs] */
    const real *labels;            /* [batch, outputs] */
    const real *losses;            /* [batch]: L; NULL where critic_needs_losses is false: not known */
    const real *log_probabilities; /* [batch, outputs]: log p; NULL where label_weight is 0 */
    const real *gradient;          /* [batch, inputs]: dL/dh */
    uint64_t seed, step;           /* of random numbers in the block's layers */
    long staleness;                /* updates of the part below since it computed h */
} critic_lesson;

/* How well the block predicted the minibatches since the last question, before it learned from them. */
typedef struct critic_report {
    long minibatches;
    double loss_error; /* mean |m - L| over the samples; NaN: it predicts no loss */
    double cosine;     /* of synthetic and true gradient, mean over minibatches */
    double norm_ratio; /* |synthetic| / |true|, likewise */
    double staleness;  /* of the lessons, likewise: 0 in locked training */
    long most_stale;
} critic_report;

typedef struct critic critic;

/* The block of a [critic] node of a graph. STATUS_BAD_CONFIG with file:line when its layers do not fit. Freed by the caller, also on failure. */
status critic_create(critic **result, const config *c, const graph_node *node, const main_loss *loss, const backend *be, int capacity);
void critic_free(critic *c);

const critic_options *critic_get_options(const critic *c);
const graph_node *critic_node(const critic *c);

/* Its own network: its arrays belong in the state of a training; the updates it has had. NULL: it predicts nothing. */
graph *critic_graph(critic *c);
long *critic_updates(critic *c);

/* The synthetic gradient [batch, inputs] of the lesson, from the block as it is; owned by the block, valid until its next call. The lesson's
 * `losses`, `log_probabilities` and `gradient` are not read. Only for blocks that predict. */
const real *critic_synthetic_gradient(critic *c, const critic_lesson *lesson);

/* Adds the gradient of the block's loss, a sum over the samples, to those of its parameters, and returns the loss. Must follow
 * critic_synthetic_gradient of the same lesson, once. */
double critic_add_gradients(critic *c, const critic_lesson *lesson);

/* The loss that the block predicts for each sample, m [batch]; NULL: it predicts none (mode=direct). Must follow critic_synthetic_gradient. */
const real *critic_predicted_losses(critic *c);

/* Whether the lesson must have `losses` and, with a label_weight, `log_probabilities`: else the gradient is all it learns from. */
bool critic_needs_losses(const critic *c);

/* Decoupled training (engine/decoupled.h): one thread may ask for gradients while another one teaches. A second tape holds what the first of them
 * computes, unless there is one; the parameters are the same and are not locked ("Hogwild"): it may read some before an update of the other and some
 * after it. */
status critic_allow_reader(critic *c);
/* The same as critic_synthetic_gradient, on that tape; valid until the next call. */
const real *critic_read_gradient(critic *c, const critic_lesson *lesson);
size_t critic_reader_bytes(const critic *c); /* of that tape */

/* Learns: as many updates as the options say. Must follow critic_synthetic_gradient of the same lesson. */
void critic_learn(critic *c, const critic_lesson *lesson);

/* Of the time since the last call, which it ends. */
critic_report critic_take_report(critic *c);

#endif
