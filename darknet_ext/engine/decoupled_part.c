#include "core/clock.h"
#include "engine/decoupled_part.h"

/* ---------------------------------------------------------------- queues; all under the lock */

/* The oldest lesson that waits, when it need not wait any longer: the losses are there, or will never be. */
static slot *ready_lesson(const part *p)
{
    slot *s = queue_slot(&p->in, p->in.freed);
    return p->lessons_wait && p->in.freed < p->in.taken && (s->of->judged || s->of->dropped) ? s : NULL;
}

static slot *take(part *p)
{
    if (p->in.pushed == p->in.taken)
        return NULL;
    p->waiting += (double)(p->in.pushed - p->in.taken);
    decoupled_announce(p->owner); /* there is room for one more */
    return queue_slot(&p->in, p->in.taken++);
}

/* So many parts are done with a minibatch. */
static void leave(decoupled *d, minibatch *m, int parts)
{
    m->users -= parts;
    d->under_way -= m->users == 0;
    decoupled_announce(d);
}

static void free_slot(part *p)
{
    ++p->in.freed;
    decoupled_announce(p->owner);
}

/* ---------------------------------------------------------------- what a part computes, without the lock */

/* Below mode=noprop there is nothing to learn. */
static bool is_frozen(const part *p)
{
    return p->owner->graph->nodes[p->first].frozen;
}

static void begin(part *p, const slot *s)
{
    decoupled *d = p->owner;
    tape *t = p->tape;
    if (t->batch != d->batch)
        tape_set_batch(t, d->batch);
    tape_jet(t, part_below(p))->data = s->h;
    t->input_adjoint = false;
    t->cost = 0;
    if (!part_above(p) && d->objective) {
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
    decoupled_announce(d);
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
    bool knows_losses = p->lessons_wait || !part_above(p);
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
    queue *q = &part_above(p)->in;
    slot *s = queue_slot(q, q->pushed);
    pthread_mutex_unlock(&d->lock);
    d->be->copy((size_t)d->batch * h->count, h->data, s->h);
    s->of = m;
    s->computed = computed;
    pthread_mutex_lock(&d->lock);
    ++q->pushed;
    decoupled_announce(d);
}

/* False: there is no room yet. */
static bool try_to_pass_on(part *p, minibatch *m, long computed)
{
    decoupled *d = p->owner;
    pthread_mutex_lock(&d->lock);
    bool room = queue_has_room(d, &part_above(p)->in);
    if (room)
        pass_on(p, m, computed);
    pthread_mutex_unlock(&d->lock);
    return room;
}

static void wait_for_room(part *p)
{
    decoupled *d = p->owner;
    double start = seconds_now();
    while (!queue_has_room(d, &part_above(p)->in))
        pthread_cond_wait(&d->changed, &d->lock);
    p->report.blocked += seconds_now() - start;
}

/* Down from the loss, or from what the critic of the cut says. */
static void go_down(part *p)
{
    tape *t = p->tape;
    if (part_above(p))
        tape_seed_adjoint(t, p->last, HALF_LOW);
    else if (p->owner->objective)
        objective_backward(p->owner->objective);
    sweep_adjoints(t, p->last, p->first, true);
}

/* What this minibatch teaches the critic below; true: that waits for the losses. Below mode=noprop no gradient ever comes, and nothing is taught. */
static bool give_lesson(part *p, slot *s)
{
    decoupled *d = p->owner;
    const jet *gradient = tape_adjoint(p->tape, part_below(p));
    bool knows = p->pupil && *tape_adjoint_started(p->tape, part_below(p), HALF_LOW);
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
    bool passed = !part_above(p);
    begin(p, s);
    sweep_values(p->tape, p->first, p->last);
    if (!part_above(p))
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

void *part_run(void *context)
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
