/* What a person sees while a run goes on: Darknet's iteration line in logs, one line that is redrawn on a terminal. */
#ifndef DNX_TRAIN_PROGRESS_H
#define DNX_TRAIN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef struct progress {
    FILE *out;
    bool terminal;
    long first, last;  /* updates; last 0: no end */
    double started, drawn; /* seconds */
    double average;    /* Darknet's running average of the loss; negative: none yet */
} progress;

typedef struct progress_step {
    long update;
    double epoch, loss, rate; /* loss per sample */
    uint64_t images;
    double error, kl; /* of the last test of a classifier; NaN: there is none */
} progress_step;

progress progress_start(FILE *out, long first, long last);
/* After every update. `log`: this step is one of those that logs get. */
void progress_update(progress *p, const progress_step *step, bool log);
/* Ends the redrawn line. */
void progress_end(progress *p);

#endif
