#include "engine/decoupled.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "engine/decoupled_part.h"

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
    size_t numbers = (size_t)d->batch * tape_jet(p->tape, part_below(p))->count;
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
    status s = part_above(p) ? tape_share(&p->view, top) : STATUS_OK;
    p->tape = part_above(p) ? &p->view : top;
    if (s != STATUS_OK)
        return s;
    p->own_h = tape_jet(p->tape, part_below(p))->data;
    p->lessons_wait = part_above(p) && p->pupil && critic_needs_losses(p->pupil);
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

/* Signals are for the thread that trains. */
static status start_threads(decoupled *d)
{
    sigset_t all, before;
    int problem = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (part *p = d->parts; p < d->parts + d->n && !problem; ++p) {
        problem = pthread_create(&p->thread, NULL, part_run, p);
        p->started = !problem;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return problem ? status_fail(STATUS_FAILED, "no thread can be started for a part of the network: %s", strerror(problem)) : STATUS_OK;
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
    decoupled_announce(d);
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
        tape_jet(p->tape, part_below(p))->data = p->own_h;
    tape_unshare(&p->view);
}

void decoupled_free(decoupled *d)
{
    if (!d)
        return;
    stop_threads(d);
    critics_couple(d->critics);
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
    while (!queue_has_room(d, q))
        pthread_cond_wait(&d->changed, &d->lock);
    return queue_slot(q, q->pushed);
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
    decoupled_announce(d);
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
        bytes += arrays * (size_t)d->batch * tape_jet(p->tape, part_below(p))->count * sizeof(real);
        bytes += p->pupil ? critic_reader_bytes(p->pupil) : 0;
    }
    return bytes;
}
