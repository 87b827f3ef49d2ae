/* Training a cfg to the end: data, Darknet's loop, evaluation, the run folder. */
#ifndef DNX_TRAIN_TRAINER_H
#define DNX_TRAIN_TRAINER_H

#include <stdio.h>

#include "bridge/plugin.h"

typedef struct train_request {
    const char *cfg;
    const char *weights;   /* to start from; NULL: fresh ones */
    const char *out;       /* run folder; NULL: runs/<cfg name> */
    bool force;            /* replace what the folder holds */
    bool chart;            /* draw chart.png */
    long evaluate_every;   /* updates; 0: a hundredth of the run */
    plugin_settings settings;
    FILE *log;             /* progress and remarks */
} train_request;

/* STATUS_INTERRUPTED after SIGINT or SIGTERM: the run folder is complete up to the last update. */
status train_run(const train_request *request);

#endif
