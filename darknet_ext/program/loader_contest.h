/* How fast samples that are read in pieces come, when nothing else wants the processor: decoded, and changed as `augment=` says. */
#ifndef DNX_PROGRAM_LOADER_CONTEST_H
#define DNX_PROGRAM_LOADER_CONTEST_H

#include "bridge/plugin.h"
#include "data/data_source.h"
#include "train/loader.h"

typedef struct loader_contest {
    data_source data;
    loader *loader;   /* NULL: samples are not read in pieces, or there are none */
    uint64_t minibatch, next;
    int threads;
} loader_contest;

typedef struct loader_time {
    double samples, seconds, processor; /* seconds on the clock, and of processor time in all threads */
} loader_time;

/* For the [data] of a network, which must outlive it. Closed by the caller also on failure. */
status loader_contest_open(loader_contest *c, plugin_network *p);
void loader_contest_close(loader_contest *c);

/* Takes at least so many samples, in whole minibatches; adds to *t. */
status loader_contest_take(loader_contest *c, double samples, loader_time *t);

/* Takes samples for about so many seconds, after a few minibatches that are not counted: what the system has not read yet from the disk is no
 * matter of the loader's. */
status loader_contest_run(loader_contest *c, double seconds, loader_time *t);

#endif
