/* The inside of decoupled training, for the files engine/decoupled*.c alone: decoupled_part.c is what a part does in its thread, decoupled.c makes,
 * feeds and asks. */
#ifndef DNX_ENGINE_DECOUPLED_PART_H
#define DNX_ENGINE_DECOUPLED_PART_H

#include <pthread.h>

#include "engine/decoupled.h"

/* What all parts need of a minibatch, until the last of them is done with it. */
typedef struct minibatch {
    int users;                        /* parts that are not done with it; 0: free */
    real *labels;                     /* [batch, outputs] */
    real *losses, *log_probabilities; /* [batch], [batch, outputs]: what the last part says of it, when `judged` */
    bool judged, dropped;             /* dropped: no longer under way to the last part */
    uint64_t seed, step;
    bool updates;
    update_rule rule;
} minibatch;

/* A place of a queue: what the part above it reads, and what it then knows for the critic below. */
typedef struct slot {
    minibatch *of;
    real *h;        /* [batch, inputs of the part] */
    real *gradient; /* the same: dL/dh, for a lesson that waits for the losses; NULL where none does */
    long computed;  /* updates that the part below had had when it computed h */
} slot;

/* A ring: number i lies in slot i % n_slots, until it is freed. */
typedef struct queue {
    slot *slots;
    uint64_t n_slots, pushed, taken, freed;
} queue;

typedef struct part {
    decoupled *owner;
    int index, first, last; /* nodes; `last` of all parts but the last one is a cut */
    tape view, *tape;       /* its own view; the last part has the network's tape */
    real *own_h;            /* where the tape keeps what `in` holds now */
    critic *pupil;          /* of the cut below; NULL: there is none that learns */
    bool lessons_wait;      /* for the losses */
    queue in;
    int threads;
    pthread_t thread;
    bool started;
    double waiting;         /* sum */
    part_report report;
} part;

struct decoupled {
    decoupled_options options;
    const backend *be;
    graph *graph;
    objective *objective; /* NULL: the network's own loss */
    critics *critics;
    int batch;
    size_t outputs;
    part *parts;
    int n;
    minibatch *minibatches;
    int n_minibatches;
    long under_way;
    objective_losses losses; /* since they were taken */
    long n_losses;
    double began, seconds;
    bool stop;
    pthread_mutex_t lock; /* of queues, users, judged, losses, reports, under_way and stop */
    pthread_cond_t changed;
};

/* Of queues, under the lock. */
static inline bool queue_has_room(const decoupled *d, const queue *q)
{
    return q->pushed - q->taken < (uint64_t)d->options.queue && q->pushed - q->freed < q->n_slots;
}

static inline slot *queue_slot(const queue *q, uint64_t number)
{
    return &q->slots[number % q->n_slots];
}

static inline void decoupled_announce(decoupled *d)
{
    pthread_cond_broadcast(&d->changed);
}

static inline part *part_above(part *p)
{
    return p->index + 1 < p->owner->n ? p + 1 : NULL;
}

/* The node whose output the part reads: -1 is the network's input. */
static inline int part_below(const part *p)
{
    return p->first - 1;
}

/* A part's thread, for pthread_create; the context is the part. */
void *part_run(void *part);

#endif
