#include "engine/decoupled.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"

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

/* ---------------------------------------------------------------- queues; all under the lock */

static bool has_room(const decoupled *d, const queue *q)
{
    return q->pushed - q->taken < (uint64_t)d->options.queue && q->pushed - q->freed < q->n_slots;
}

static slot *slot_at(const queue *q, uint64_t number)
{
    return &q->slots[number % q->n_slots];
}

/* The oldest lesson that waits, when it need not wait any longer: the losses are there, or will never be. */
static slot *ready_lesson(const part *p)
{
    slot *s = slot_at(&p->in, p->in.freed);
    return p->lessons_wait && p->in.freed < p->in.taken && (s->of->judged || s->of->dropped) ? s : NULL;
}

static slot *take(part *p)
{
    if (p->in.pushed == p->in.taken)
        return NULL;
    p->waiting += (double)(p->in.pushed - p->in.taken);
    return slot_at(&p->in, p->in.taken++);
}

static void announce(decoupled *d)
{
    pthread_cond_broadcast(&d->changed);
}

/* So many parts are done with a minibatch. */
static void leave(decoupled *d, minibatch *m, int parts)
{
    m->users -= parts;
    d->under_way -= m->users == 0;
    announce(d);
}

static void free_slot(part *p)
{
    ++p->in.freed;
    announce(p->owner);
}

/* ---------------------------------------------------------------- what a part computes, without the lock */

static part *above(part *p)
{
    return p->index + 1 < p->owner->n ? p + 1 : NULL;
}

/* Below mode=noprop there is nothing to learn. */
static bool is_frozen(const part *p)
{
    return p->owner->graph->nodes[p->first].frozen;
}

/* The node whose output the part reads: -1 is the network's input. */
static int below(const part *p)
{
    return p->first - 1;
}

static void begin(part *p, const slot *s)
{
    decoupled *d = p->owner;
    tape *t = p->tape;
    if (t->batch != d->batch)
        tape_set_batch(t, d->batch);
    tape_jet(t, below(p))->data = s->h;
    t->input_adjoint = false;
    t->cost = 0;
    if (!above(p) && d->objective) {
        objective_begin(d->objective, s->of->labels, true, s->of->seed, s->of->step);
        return;
    }
    t->training = true;
    t->derivatives = false;
    t->seed = s->of->seed;
    t->step = s->of->step;
    t->truth = s->of->labels;
    tape_clear_adjoints(t);
}

/* What the last part says of a minibatch. */
static void judge(part *p, minibatch *m)
{
    decoupled *d = p->owner;
    double cost = (double)(float)p->tape->cost; /* in Darknet's precision */
    objective_losses losses = d->objective ? objective_forward(d->objective) : (objective_losses){.order = {cost}, .total = cost};
    critics_losses(d->critics, p->tape, m->losses, m->log_probabilities);
    pthread_mutex_lock(&d->lock);
    for (int k = 0; k <= JET_MAX_ORDER; ++k)
        d->losses.order[k] += losses.order[k];
    d->losses.total += losses.total;
    ++d->n_losses;
    m->judged = true;
    announce(d);
    pthread_mutex_unlock(&d->lock);
}

static void update(part *p, const minibatch *m)
{
    decoupled *d = p->owner;
    for (int i = p->first; i <= p->last && m->updates; ++i) {
        graph_node *node = &d->graph->nodes[i];
        update_rule rule = m->rule;
        rule.rate = (double)((float)rule.rate * (float)node->learning_rate_scale); /* in Darknet's precision */
        node_update(node, d->be, &rule);
    }
    pthread_mutex_lock(&d->lock);
    p->report.updates += m->updates;
    pthread_mutex_unlock(&d->lock);
}

static void teach(part *p, const slot *s, const real *gradient)
{
    decoupled *d = p->owner;
    const minibatch *m = s->of;
    bool knows_losses = p->lessons_wait || !above(p);
    pthread_mutex_lock(&d->lock);
    long updates = p[-1].report.updates;
    pthread_mutex_unlock(&d->lock);
    critic_lesson lesson = {
        .batch = d->batch,
        .h = s->h,
        .labels = m->labels,
        .losses = knows_losses ? m->losses : NULL,
        .log_probabilities = m->log_probabilities,
        .gradient = gradient,
        .seed = m->seed,
        .step = m->step,
        .staleness = updates - s->computed,
    };
    critic_synthetic_gradient(p->pupil, &lesson);
    critic_learn(p->pupil, &lesson);
}

/* ---------------------------------------------------------------- one minibatch in one part */

/* The part's output into the queue above, which has room. */
static void pass_on(part *p, minibatch *m, long computed)
{
    decoupled *d = p->owner;
    const jet *h = tape_jet(p->tape, p->last);
    queue *q = &above(p)->in;
    slot *s = slot_at(q, q->pushed);
    pthread_mutex_unlock(&d->lock);
    d->be->copy((size_t)d->batch * h->count, h->data, s->h);
    s->of = m;
    s->computed = computed;
    pthread_mutex_lock(&d->lock);
    ++q->pushed;
    announce(d);
}

/* False: there is no room yet. */
static bool try_to_pass_on(part *p, minibatch *m, long computed)
{
    decoupled *d = p->owner;
    pthread_mutex_lock(&d->lock);
    bool room = has_room(d, &above(p)->in);
    if (room)
        pass_on(p, m, computed);
    pthread_mutex_unlock(&d->lock);
    return room;
}

static void wait_for_room(part *p)
{
    decoupled *d = p->owner;
    double start = seconds_now();
    while (!has_room(d, &above(p)->in))
        pthread_cond_wait(&d->changed, &d->lock);
    p->report.blocked += seconds_now() - start;
}

/* Down from the loss, or from what the critic of the cut says. */
static void go_down(part *p)
{
    tape *t = p->tape;
    if (above(p))
        tape_seed_adjoint(t, p->last, HALF_LOW);
    else if (p->owner->objective)
        objective_backward(p->owner->objective);
    sweep_adjoints(t, p->last, p->first, true);
}

/* What this minibatch teaches the critic below; true: that waits for the losses. Nothing when no gradient came down (mode=noprop, stopbackward). */
static bool give_lesson(part *p, slot *s)
{
    decoupled *d = p->owner;
    const jet *gradient = tape_adjoint(p->tape, below(p));
    bool knows = p->pupil && *tape_adjoint_started(p->tape, below(p), HALF_LOW);
    if (knows && p->lessons_wait)
        d->be->copy((size_t)d->batch * gradient->count, gradient->data, s->gradient);
    else if (knows)
        teach(p, s, gradient->data);
    return knows && p->lessons_wait;
}

/* Returns with the lock. */
static void finish(part *p, minibatch *m, long computed, bool passed, bool lesson_waits)
{
    decoupled *d = p->owner;
    pthread_mutex_lock(&d->lock);
    if (!lesson_waits)
        free_slot(p);
    if (!passed && (!d->options.drops || d->options.lockstep)) {
        wait_for_room(p);
        pass_on(p, m, computed);
        passed = true;
    }
    m->dropped |= !passed;
    p->report.dropped += !passed;
    ++p->report.minibatches;
    leave(d, m, !lesson_waits + (passed ? 0 : d->n - 1 - p->index));
}

static void compute(part *p, slot *s)
{
    minibatch *m = s->of;
    long computed = p->report.updates; /* which this thread alone changes */
    bool passed = !above(p);
    begin(p, s);
    sweep_values(p->tape, p->first, p->last);
    if (!above(p))
        judge(p, m);
    else if (!p->owner->options.lockstep)
        passed = try_to_pass_on(p, m, computed);
    if (!is_frozen(p)) {
        go_down(p);
        update(p, m);
    }
    finish(p, m, computed, passed, give_lesson(p, s));
}

static void end_waiting_lesson(part *p, slot *s)
{
    if (s->of->judged)
        teach(p, s, s->gradient);
    pthread_mutex_lock(&p->owner->lock);
    minibatch *m = s->of;
    free_slot(p);
    leave(p->owner, m, 1);
}

/* ---------------------------------------------------------------- the threads */

/* With the lock, which it gives back meanwhile; false: there is nothing to do. */
static bool work(part *p)
{
    decoupled *d = p->owner;
    slot *lesson = ready_lesson(p), *next = lesson ? NULL : take(p);
    if (!lesson && !next)
        return false;
    double start = seconds_now(), blocked = p->report.blocked;
    pthread_mutex_unlock(&d->lock);
    if (lesson)
        end_waiting_lesson(p, lesson);
    else
        compute(p, next);
    p->report.busy += seconds_now() - start - (p->report.blocked - blocked);
    p->report.processor = thread_seconds();
    return true;
}

static void *run(void *context)
{
    part *p = context;
    decoupled *d = p->owner;
    d->be->set_threads(p->threads);
    pthread_mutex_lock(&d->lock);
    while (!d->stop)
        if (!work(p))
            pthread_cond_wait(&d->changed, &d->lock);
    pthread_mutex_unlock(&d->lock);
    return NULL;
}

/* Signals are for the thread that trains. */
static status start_threads(decoupled *d)
{
    sigset_t all, before;
    int problem = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (part *p = d->parts; p < d->parts + d->n && !problem; ++p) {
        problem = pthread_create(&p->thread, NULL, run, p);
        p->started = !problem;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return problem ? status_fail(STATUS_FAILED, "no thread can be started for a part of the network: %s", strerror(problem)) : STATUS_OK;
}

/* ---------------------------------------------------------------- creating */

/* The blocks that are cuts, into parts: mode=backprop is none. */
static void find_parts(decoupled *d)
{
    int first = 0;
    for (int i = 0; i < d->graph->n_nodes; ++i) {
        critic *c = critics_at(d->critics, i);
        bool cuts = c && critic_get_options(c)->mode != CRITIC_BACKPROP;
        if (!cuts && i < d->graph->n_nodes - 1)
            continue;
        d->parts[d->n] = (part){.owner = d, .index = d->n, .first = first, .last = i};
        if (d->n > 0) {
            critic *taught = critics_at(d->critics, first - 1);
            d->parts[d->n].pupil = critic_graph(taught) ? taught : NULL;
        }
        ++d->n;
        first = i + 1;
    }
}

/* Threads that are left over go to the first parts. */
static void divide_threads(decoupled *d)
{
    for (part *p = d->parts; p < d->parts + d->n; ++p) {
        int share = d->options.threads / d->n + (p->index < d->options.threads % d->n);
        p->threads = share > 0 ? share : 1;
    }
}

static status create_queue(part *p)
{
    decoupled *d = p->owner;
    size_t numbers = (size_t)d->batch * tape_jet(p->tape, below(p))->count;
    /* Those that wait, the one that is computed, and those that wait for their losses: all that is above. */
    p->in.n_slots = (uint64_t)(d->options.queue + 1) * (p->lessons_wait ? (uint64_t)(d->n - p->index) : 1);
    p->in.slots = allocate_zeroed(p->in.n_slots, sizeof *p->in.slots);
    for (uint64_t i = 0; p->in.slots && i < p->in.n_slots; ++i) {
        p->in.slots[i].h = d->be->allocate(numbers);
        p->in.slots[i].gradient = p->lessons_wait ? d->be->allocate(numbers) : NULL;
        if (!p->in.slots[i].h || (p->lessons_wait && !p->in.slots[i].gradient))
            return STATUS_NO_MEMORY;
    }
    return p->in.slots ? STATUS_OK : STATUS_NO_MEMORY;
}

static status create_part(part *p, tape *top)
{
    status s = above(p) ? tape_share(&p->view, top) : STATUS_OK;
    p->tape = above(p) ? &p->view : top;
    if (s != STATUS_OK)
        return s;
    p->own_h = tape_jet(p->tape, below(p))->data;
    p->lessons_wait = above(p) && p->pupil && critic_needs_losses(p->pupil);
    return create_queue(p);
}

/* One for each place where one can be: slots, and parts that wait for room. */
static status create_minibatches(decoupled *d)
{
    size_t labels = (size_t)d->batch * d->outputs;
    d->n_minibatches = d->n;
    for (int i = 0; i < d->n; ++i)
        d->n_minibatches += (int)d->parts[i].in.n_slots;
    d->minibatches = allocate_zeroed((unsigned long)d->n_minibatches, sizeof *d->minibatches);
    for (int i = 0; d->minibatches && i < d->n_minibatches; ++i) {
        minibatch *m = &d->minibatches[i];
        m->labels = d->be->allocate(labels);
        m->losses = d->be->allocate((size_t)d->batch);
        m->log_probabilities = d->be->allocate(labels);
        if (!m->labels || !m->losses || !m->log_probabilities)
            return STATUS_NO_MEMORY;
    }
    return d->minibatches ? STATUS_OK : STATUS_NO_MEMORY;
}

static status create_parts(decoupled *d, tape *top)
{
    status s = STATUS_OK;
    d->parts = allocate_zeroed((unsigned long)critics_count(d->critics) + 1, sizeof *d->parts);
    if (!d->parts)
        return STATUS_NO_MEMORY;
    find_parts(d);
    divide_threads(d);
    for (int i = 0; i < d->n && s == STATUS_OK; ++i)
        s = create_part(&d->parts[i], top);
    return s == STATUS_OK ? create_minibatches(d) : s;
}

status decoupled_create(decoupled **result, tape *top, objective *o, critics *s, const decoupled_options *options)
{
    decoupled *d = *result = allocate_zeroed(1, sizeof *d);
    if (!d)
        return STATUS_NO_MEMORY;
    d->options = *options;
    d->be = top->be;
    d->graph = top->graph;
    d->objective = o;
    d->critics = s;
    d->batch = top->capacity;
    d->outputs = (size_t)critics_main_loss(s)->outputs;
    pthread_mutex_init(&d->lock, NULL);
    pthread_cond_init(&d->changed, NULL);
    status made = critics_decouple(s);
    if (made == STATUS_OK)
        made = create_parts(d, top);
    return made == STATUS_OK ? start_threads(d) : made;
}

static void stop_threads(decoupled *d)
{
    decoupled_drain(d);
    pthread_mutex_lock(&d->lock);
    d->stop = true;
    announce(d);
    pthread_mutex_unlock(&d->lock);
    for (part *p = d->parts; p < d->parts + d->n; ++p)
        if (p->started)
            pthread_join(p->thread, NULL);
}

static void free_part(part *p)
{
    const backend *be = p->owner->be;
    for (uint64_t i = 0; p->in.slots && i < p->in.n_slots; ++i) {
        be->release(p->in.slots[i].h);
        be->release(p->in.slots[i].gradient);
    }
    free(p->in.slots);
    if (p->own_h)
        tape_jet(p->tape, below(p))->data = p->own_h;
    tape_unshare(&p->view);
}

void decoupled_free(decoupled *d)
{
    if (!d)
        return;
    stop_threads(d);
    for (int i = 0; i < d->n; ++i)
        free_part(&d->parts[i]);
    for (int i = 0; d->minibatches && i < d->n_minibatches; ++i) {
        d->be->release(d->minibatches[i].labels);
        d->be->release(d->minibatches[i].losses);
        d->be->release(d->minibatches[i].log_probabilities);
    }
    pthread_cond_destroy(&d->changed);
    pthread_mutex_destroy(&d->lock);
    free(d->minibatches);
    free(d->parts);
    free(d);
}

/* ---------------------------------------------------------------- feeding */

static minibatch *free_minibatch(const decoupled *d)
{
    minibatch *m = d->minibatches;
    while (m->users > 0)
        ++m;
    return m;
}

static slot *wait_for_first_room(decoupled *d)
{
    queue *q = &d->parts[0].in;
    while (!has_room(d, q))
        pthread_cond_wait(&d->changed, &d->lock);
    return slot_at(q, q->pushed);
}

void decoupled_feed(decoupled *d, const fed_minibatch *from)
{
    size_t inputs = d->parts[0].tape->x.count;
    pthread_mutex_lock(&d->lock);
    slot *s = wait_for_first_room(d);
    minibatch *m = free_minibatch(d);
    m->users = d->n;
    m->judged = m->dropped = false;
    pthread_mutex_unlock(&d->lock);
    m->seed = from->seed;
    m->step = from->step;
    m->updates = from->updates;
    m->rule = from->rule;
    d->be->copy((size_t)d->batch * d->outputs, from->truth, m->labels);
    d->be->copy((size_t)d->batch * inputs, from->x, s->h);
    s->of = m;
    pthread_mutex_lock(&d->lock);
    if (d->under_way++ == 0 && d->began == 0)
        d->began = seconds_now();
    ++d->parts[0].in.pushed;
    announce(d);
    pthread_mutex_unlock(&d->lock);
    if (d->options.lockstep)
        decoupled_drain(d);
}

void decoupled_drain(decoupled *d)
{
    pthread_mutex_lock(&d->lock);
    while (d->under_way > 0)
        pthread_cond_wait(&d->changed, &d->lock);
    if (d->began > 0)
        d->seconds += seconds_now() - d->began;
    d->began = 0;
    pthread_mutex_unlock(&d->lock);
}

objective_losses decoupled_take_losses(decoupled *d, long *minibatches)
{
    pthread_mutex_lock(&d->lock);
    objective_losses losses = d->losses;
    *minibatches = d->n_losses;
    d->losses = (objective_losses){{0}, 0};
    d->n_losses = 0;
    pthread_mutex_unlock(&d->lock);
    return losses;
}

/* ---------------------------------------------------------------- reporting */

const decoupled_options *decoupled_get_options(const decoupled *d)
{
    return &d->options;
}

int decoupled_parts(const decoupled *d)
{
    return d->n;
}

part_report decoupled_report(decoupled *d, int index)
{
    const part *p = &d->parts[index];
    pthread_mutex_lock(&d->lock);
    part_report r = p->report;
    r.waiting = p->in.taken > 0 ? p->waiting / (double)p->in.taken : 0;
    pthread_mutex_unlock(&d->lock);
    r.first = p->first;
    r.last = p->last;
    r.threads = p->threads;
    return r;
}

double decoupled_seconds(const decoupled *d)
{
    return d->seconds;
}

size_t decoupled_bytes(const decoupled *d)
{
    size_t bytes = (size_t)d->n_minibatches * (size_t)d->batch * (2 * d->outputs + 1) * sizeof(real);
    for (const part *p = d->parts; p < d->parts + d->n; ++p) {
        size_t arrays = (size_t)p->in.n_slots * (p->lessons_wait ? 2 : 1);
        bytes += arrays * (size_t)d->batch * tape_jet(p->tape, below(p))->count * sizeof(real);
        bytes += p->pupil ? critic_reader_bytes(p->pupil) : 0;
    }
    return bytes;
}
