#include "program/loader_contest.h"

#include <time.h>

#include "core/clock.h"
#include "train/point_sets.h"

status loader_contest_open(loader_contest *c, plugin_network *p)
{
    *c = (loader_contest){.minibatch = (uint64_t)plugin_minibatch(p)};
    if (!config_section(plugin_config(p), "data"))
        return STATUS_OK;
    status s = training_data_open(&c->data, p);
    if (s != STATUS_OK || !data_source_is_streamed(&c->data))
        return s;
    c->threads = data_loaders(p);
    s = stream_source_prepare(&c->data.streams, c->data.where, c->data.path);
    return s == STATUS_OK ? loader_create(&c->loader, &c->data.streams.training, plugin_minibatch(p), plugin_seed(p), c->threads) : s;
}

void loader_contest_close(loader_contest *c)
{
    loader_free(c->loader);
    data_source_free(&c->data);
    *c = (loader_contest){.loader = NULL};
}

/* Of all threads of this process. */
static double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

status loader_contest_take(loader_contest *c, double samples, loader_time *t)
{
    status s = STATUS_OK;
    loaded_samples unused;
    double start = seconds_now(), used = processor_seconds(), taken = 0;
    for (; s == STATUS_OK && taken < samples; taken += (double)c->minibatch) {
        s = loader_take(c->loader, c->next, &unused);
        c->next += c->minibatch;
    }
    t->samples += taken;
    t->seconds += seconds_now() - start;
    t->processor += processor_seconds() - used;
    return s;
}

status loader_contest_run(loader_contest *c, double seconds, loader_time *t)
{
    enum { WARM_UP = 3 };
    loader_time warm = {.samples = 0};
    *t = warm;
    status s = loader_contest_take(c, WARM_UP * (double)c->minibatch, &warm);
    do
        s = s == STATUS_OK ? loader_contest_take(c, (double)c->minibatch, t) : s;
    while (s == STATUS_OK && t->seconds < seconds);
    return s;
}
