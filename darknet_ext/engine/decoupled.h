/* Decoupled training of a network with [critic] blocks: its parts, between two cuts each, run in threads of their own.
 *
 *     feed -> queue -> part 0 -> queue -> part 1 -> … -> queue -> last part: the loss
 *                          <- critic <-        <- critic <-
 *
 * For every minibatch a part takes h from the queue below it, computes up to its cut, asks the critic there for dL/dh, goes down with it and updates
 * its weights: it never waits for what the parts above make of the minibatch. Its output waits in the next queue, which holds a bounded number of
 * minibatches: with `drops` a minibatch that finds it full goes no further, else the part waits for room, after its update. When a part has seen a
 * minibatch it knows dL/dh below itself and teaches the critic there; a critic that learns from losses learns when the last part has told them.
 *
 * Threads share nothing but the queues, under one lock, and the critics' parameters, without any: the part below reads them while the part above
 * teaches ("Hogwild"). So results depend on timing. With `lockstep` one minibatch is under way at a time, and what comes out is what locked
 * training gives, bit for bit where the number of threads of a part is that of locked training. */
#ifndef DNX_ENGINE_DECOUPLED_H
#define DNX_ENGINE_DECOUPLED_H

#include "engine/critics.h"
#include "engine/objective.h"
#include "engine/update.h"

typedef struct decoupled decoupled;

typedef struct decoupled_options {
    int queue;     /* minibatches that may wait at a cut, 1 or more */
    bool drops;    /* what finds a queue full goes no further */
    bool lockstep;
    int threads;   /* processor threads, divided among the parts; each has at least one */
} decoupled_options;

/* The keys of [net]; *wanted: decoupled=1. */
decoupled_options decoupled_read_options(const section *net, bool *wanted);

/* What cannot be trained so, with file:line: no cut, layers that Darknet runs, blocks that send down true gradients, a teacher. Nothing where
 * decoupled=1 is not asked for. */
status decoupled_check(const graph *g, const config *c);

/* Starts the parts, which wait for minibatches. `top`: the network's tape, of the objective where there is one (else NULL); both, and the critics,
 * are the parts' own until decoupled_free. */
status decoupled_create(decoupled **result, tape *top, objective *o, critics *s, const decoupled_options *options);

/* Ends what was begun, and the threads. NULL is allowed. */
void decoupled_free(decoupled *d);

typedef struct fed_minibatch {
    const real *x, *truth; /* [batch, inputs], [batch, outputs]: copied */
    uint64_t seed, step;
    bool updates;          /* the last of those whose gradients make an update: */
    update_rule rule;      /* without the nodes' own factors */
} fed_minibatch;

/* Puts a minibatch of the tape's capacity into the first queue; waits for room there. lockstep: until it is done. */
void decoupled_feed(decoupled *d, const fed_minibatch *m);

/* Waits until nothing is under way: weights and critics may then be read and written. */
void decoupled_drain(decoupled *d);

/* The losses of the minibatches that the last part has seen since the last call: their sum, and how many they are. */
objective_losses decoupled_take_losses(decoupled *d, long *minibatches);

/* Since the start. */
typedef struct part_report {
    int first, last;     /* its nodes */
    int threads;
    long minibatches, updates, dropped;
    double busy;         /* seconds of work, those of waiting for the processor included */
    double blocked;      /* seconds of waiting for room above */
    double processor;    /* seconds that its thread had the processor; without OpenMP's other threads */
    double waiting;      /* minibatches in its queue, itself included, when it took one: mean */
} part_report;

const decoupled_options *decoupled_get_options(const decoupled *d);
int decoupled_parts(const decoupled *d);
part_report decoupled_report(decoupled *d, int index);
double decoupled_seconds(const decoupled *d); /* in which something was under way, until it was last drained */
size_t decoupled_bytes(const decoupled *d);   /* that locked training does not need: queues and second tapes */

#endif
