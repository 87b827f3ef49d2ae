/* The [critic] blocks of a network: what each of them sends down in a training step, and what it learns from.
 *
 * In the adjoint sweep the gradient g = dL/dh that arrives at a cut is replaced on its way down by
 *     mix * g + (1 - mix) * SG(h, y)          noprop: nothing        backprop, and all others during warm_up: g
 * and the block then learns from g and the losses of the samples (engine/critic.h). */
#ifndef DNX_ENGINE_CRITICS_H
#define DNX_ENGINE_CRITICS_H

#include "engine/critic.h"
#include "engine/tape.h"

typedef struct critics critics;

/* The blocks of a graph of `c`; *result is NULL when there is none. Messages with file:line for what does not fit: losses that are neither
 * cross-entropy nor squared error, derivative losses beside a cut, layers above a cut that read from below it. Sets `frozen` of the nodes below
 * mode=noprop. Freed by the caller, also on failure. */
status critics_create(critics **result, graph *g, const config *c, const backend *be, int capacity, uint64_t seed);
void critics_free(critics *s);

int critics_count(const critics *s); /* 0 for NULL */
critic *critics_get(critics *s, int i);
const main_loss *critics_main_loss(const critics *s);

/* The block of this node; NULL: it is no [critic]. */
critic *critics_at(const critics *s, int node);

/* Whether nothing goes down from this node. */
bool critics_cut(const critics *s, int node);

/* A step of training begins: `update` weight updates are done. `learn`: blocks learn; else true gradients pass all cuts (but noprop). */
void critics_begin(critics *s, long update, bool learn);

/* Notes dL/dh at the blocks with target=true, by a sweep down from the node that holds the output's adjoint, whose adjoints it leaves as they
 * were. To be called once when that adjoint is there, before the adjoint sweep. */
void critics_note_true_gradients(critics *s, tape *t);

/* Decoupled training (engine/decoupled.h), from here to critics_couple: critics_backward sends down what critic_read_gradient says, and teaches
 * nobody. The blocks' mix, warm_up and target do not count. */
status critics_decouple(critics *s);

/* The updates after which no block is warming up. */
long critics_warm_up(const critics *s);

void critics_couple(critics *s);

/* The loss L of each sample [batch] of the minibatch on the tape, whose output and labels are there, and with cross-entropy log p [batch,
 * outputs]; labels that are not given count nothing. */
void critics_losses(const critics *s, tape *t, real *losses, real *log_probabilities);

/* The adjoint of the [critic] node of this pass, in the sweep that adds to the parameters' gradients. */
void critics_backward(critics *s, tape *t, const layer_pass *pass);

#endif
