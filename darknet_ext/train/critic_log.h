/* critics.csv: how well each [critic] block predicted since the row before, one row for each block when a run is evaluated.
 *
 *     step,layer,line,mode,loss_error,cosine,norm_ratio,staleness,most_stale
 *
 * layer counts from 0, line is that of the block in the cfg; the others are engine/critic.h's critic_report, empty where there is none. */
#ifndef DNX_TRAIN_CRITIC_LOG_H
#define DNX_TRAIN_CRITIC_LOG_H

#include <stdio.h>

#include "bridge/plugin.h"
#include "train/run_folder.h"

typedef struct critic_log {
    FILE *file;            /* NULL: the network has no blocks */
    critic_report *latest; /* of each block; owned */
    long last_step;        /* of the last row that was there; -1: there is none */
    char path[4096];
} critic_log;

/* Nothing for a network without [critic]. Closed by the caller, also on failure. */
status critic_log_open(critic_log *l, plugin_network *p, const run_folder *folder);
status critic_log_write(critic_log *l, plugin_network *p, long step);
/* A line for each block, on the last rows. */
void critic_log_report(const critic_log *l, plugin_network *p, FILE *out);
/* Whether any block has predicted a gradient. */
bool critic_log_has_predictions(const critic_log *l, plugin_network *p);
void critic_log_close(critic_log *l);

#endif
