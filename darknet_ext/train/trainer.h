/* Training a cfg to the end: data, Darknet's loop, evaluation, the run folder. */
#ifndef DNX_TRAIN_TRAINER_H
#define DNX_TRAIN_TRAINER_H

#include <stdio.h>

#include "bridge/plugin.h"
#include "train/evaluate.h"

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

/* The functions of a network's [data] section. */
status training_set_functions(plugin_network *p, function_data *f);

/* Its training and test points, with derivatives up to `order`. */
status training_set_create(dataset *d, plugin_network *p, int order);
status test_set_create(dataset *d, plugin_network *p, int order);

/* The order to which a network's derivatives are compared with those of its data: 2 where [sobolev] says order=2, else 1,
 * and never more than its layers have. */
int evaluation_order(plugin_network *p);

#endif
