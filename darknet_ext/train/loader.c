#include "train/loader.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "data/normalise.h"
#include "train/epochs.h"

typedef enum slot_state { SLOT_FREE, SLOT_BUSY, SLOT_READY } slot_state;

/* One minibatch, in a ring of them. */
typedef struct slot {
    slot_state state;
    uint64_t first;
    uint32_t *samples; /* [minibatch], of the stream */
    float *x, *y;
    status result;
    char text[1200];   /* of a failure */
} slot;

struct loader {
    const sample_set *set;
    int minibatch, n_threads, started;
    pthread_t *threads;
    slot *slots;
    uint64_t n_slots;
    epochs epochs;
    uint64_t begun, taken; /* minibatches since the last restart; slot i % n_slots is minibatch i's */
    uint64_t next_first;   /* of minibatch `begun` */
    slot *held;            /* the caller reads it; it is minibatch taken - 1's */
    bool stop;
    double waited;
    pthread_mutex_t lock;  /* for everything but the contents of busy and held slots */
    pthread_cond_t work, done;
};

/* ---------------------------------------------------------------- the threads */

/* The next minibatch and a free slot for it, or NULL when the loader is to stop. */
static slot *begin(loader *l)
{
    while (!l->stop && l->slots[l->begun % l->n_slots].state != SLOT_FREE)
        pthread_cond_wait(&l->work, &l->lock);
    if (l->stop)
        return NULL;
    slot *s = &l->slots[l->begun++ % l->n_slots];
    s->state = SLOT_BUSY;
    s->first = l->next_first;
    for (int i = 0; i < l->minibatch; ++i)
        s->samples[i] = l->set->samples[epochs_at(&l->epochs, l->next_first++)];
    return s;
}

/* What one thread works in. */
typedef struct workspace {
    void *scratch;
    dataset sample;  /* one, that the normaliser rewrites; points 0: there is none */
    double *numbers; /* normalise_scratch() of them */
    bool complete;
} workspace;

static workspace workspace_create(const sample_set *set)
{
    const sample_stream *stream = set->stream;
    workspace w = {.scratch = malloc(stream_scratch(stream)), .complete = true};
    if (set->normaliser) {
        w.sample = stream_dataset(stream, 1);
        w.numbers = allocate_zeroed(normalise_scratch(set->normaliser), sizeof *w.numbers);
        unsigned parts = set->values_alone ? 1u << PART_X | 1u << PART_Y : stream_all_parts(stream);
        w.complete = w.numbers && dataset_allocate(&w.sample, parts) == STATUS_OK;
    }
    w.complete &= w.scratch != NULL;
    return w;
}

static void workspace_free(workspace *w)
{
    free(w->scratch);
    free(w->numbers);
    dataset_free(&w->sample);
}

static void normalise(const sample_set *set, workspace *w, float *x, float *y)
{
    stream_row_to_dataset(set->stream, x, y, &w->sample, 0);
    normalise_sample(set->normaliser, &w->sample, 0, w->numbers);
    stream_row_from_dataset(set->stream, &w->sample, 0, x, y);
}

static void fill(const loader *l, slot *s, workspace *w)
{
    const sample_stream *stream = l->set->stream;
    sample_view view = {.augment = l->set->augment, .values_alone = l->set->values_alone};
    s->result = w->complete ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "out of memory (a thread that reads samples)");
    for (size_t i = 0; i < (size_t)l->minibatch && s->result == STATUS_OK; ++i) {
        float *x = s->x + i * (size_t)stream->inputs, *y = s->y + i * stream_labels(stream);
        view.position = s->first + i;
        s->result = stream_read(stream, s->samples[i], &view, w->scratch, x, y);
        if (s->result == STATUS_OK && l->set->normaliser)
            normalise(l->set, w, x, y);
    }
    if (s->result != STATUS_OK)
        snprintf(s->text, sizeof s->text, "%s", status_text());
}

static void *run(void *context)
{
    loader *l = context;
    workspace w = workspace_create(l->set);
    pthread_mutex_lock(&l->lock);
    for (slot *s; (s = begin(l)) != NULL;) {
        pthread_mutex_unlock(&l->lock);
        fill(l, s, &w);
        pthread_mutex_lock(&l->lock);
        s->state = SLOT_READY;
        pthread_cond_broadcast(&l->done);
    }
    pthread_mutex_unlock(&l->lock);
    workspace_free(&w);
    return NULL;
}

/* Signals are for the thread that trains. */
static status start_threads(loader *l)
{
    sigset_t all, before;
    int problem = 0;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    while (l->started < l->n_threads && !problem) {
        problem = pthread_create(&l->threads[l->started], NULL, run, l);
        l->started += !problem;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return l->started > 0 ? STATUS_OK : status_fail(STATUS_FAILED, "no thread can be started to read samples: %s", strerror(problem));
}

/* ---------------------------------------------------------------- the caller */

static status allocate_slot(slot *s, const loader *l)
{
    const sample_stream *stream = l->set->stream;
    size_t n = (size_t)l->minibatch;
    s->samples = allocate_zeroed(n, sizeof *s->samples);
    s->x = allocate_zeroed(n * (size_t)stream->inputs, sizeof *s->x);
    s->y = allocate_zeroed(n * stream_labels(stream), sizeof *s->y);
    return s->samples && s->x && s->y ? STATUS_OK : STATUS_NO_MEMORY;
}

status loader_create(loader **result, const sample_set *set, int minibatch, uint64_t seed, int threads)
{
    loader *l = *result = allocate_zeroed(1, sizeof *l);
    if (!l)
        return STATUS_NO_MEMORY;
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->done, NULL);
    l->set = set;
    l->minibatch = minibatch;
    l->n_threads = threads;
    l->n_slots = (uint64_t)threads + 1; /* one that the caller reads */
    l->threads = allocate_zeroed((unsigned long)threads, sizeof *l->threads);
    l->slots = allocate_zeroed(l->n_slots, sizeof *l->slots);
    status s = l->threads && l->slots ? epochs_create(&l->epochs, set->n, seed) : STATUS_NO_MEMORY;
    for (uint64_t i = 0; i < l->n_slots && s == STATUS_OK; ++i)
        s = allocate_slot(&l->slots[i], l);
    return s;
}

void loader_free(loader *l)
{
    if (!l)
        return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->started; ++i)
        pthread_join(l->threads[i], NULL);
    for (uint64_t i = 0; l->slots && i < l->n_slots; ++i) {
        free(l->slots[i].samples);
        free(l->slots[i].x);
        free(l->slots[i].y);
    }
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->done);
    pthread_mutex_destroy(&l->lock);
    epochs_free(&l->epochs);
    free(l->threads);
    free(l->slots);
    free(l);
}

static bool is_busy(const loader *l)
{
    for (uint64_t i = 0; i < l->n_slots; ++i)
        if (l->slots[i].state == SLOT_BUSY)
            return true;
    return false;
}

/* All slots become free, without a moment in which a thread could begin another minibatch of the old order. */
static void restart(loader *l, uint64_t first)
{
    while (is_busy(l)) {
        for (uint64_t i = 0; i < l->n_slots; ++i)
            l->slots[i].state = l->slots[i].state == SLOT_FREE ? SLOT_READY : l->slots[i].state;
        pthread_cond_wait(&l->done, &l->lock);
    }
    for (uint64_t i = 0; i < l->n_slots; ++i)
        l->slots[i].state = SLOT_FREE;
    l->begun = l->taken = 0;
    l->next_first = first;
    pthread_cond_broadcast(&l->work);
}

/* The first of the minibatch that is taken next. */
static uint64_t expected(const loader *l)
{
    return l->begun > l->taken ? l->slots[l->taken % l->n_slots].first : l->next_first;
}

static slot *wait_for(loader *l, uint64_t first)
{
    if (l->held && l->held->first == first)
        return l->held;
    if (l->held) {
        l->held->state = SLOT_FREE;
        pthread_cond_signal(&l->work);
    }
    if (expected(l) != first)
        restart(l, first);
    slot *s = &l->slots[l->taken++ % l->n_slots];
    double start = seconds_now();
    while (s->state != SLOT_READY)
        pthread_cond_wait(&l->done, &l->lock);
    l->waited += seconds_now() - start;
    return s;
}

status loader_take(loader *l, uint64_t first, loaded_samples *m)
{
    if (l->started == 0) {
        l->next_first = first;
        status s = start_threads(l);
        if (s != STATUS_OK)
            return s;
    }
    pthread_mutex_lock(&l->lock);
    slot *s = l->held = wait_for(l, first);
    pthread_mutex_unlock(&l->lock);
    *m = (loaded_samples){s->x, s->y, l->set->stream};
    return s->result == STATUS_OK ? STATUS_OK : status_fail(s->result, "%s", s->text);
}

double loader_waited(const loader *l)
{
    return l->waited;
}
