/* The folder a run leaves behind. */
#ifndef DNX_TRAIN_RUN_FOLDER_H
#define DNX_TRAIN_RUN_FOLDER_H

#include <stdbool.h>
#include <stdio.h>

#include "config/reader.h"

typedef struct run_folder {
    char path[2048];
    char name[256];  /* of the cfg, without folders and ending; for <name>_final.weights */
    FILE *metrics;   /* metrics.csv, open for appending rows */
    int lock;        /* the open folder; -1: not open */
} run_folder;

/* Creates `out` (NULL: <all>/<cfg name>, `all` NULL: runs) with its parents, run.cfg (the effective cfg) and metrics.csv (its header).
 * A folder that holds anything is refused unless `force`; then what an old run of that name left at its end is removed, and
 * its other files are replaced one by one. A folder into which another run is writing is refused. */
status run_folder_create(run_folder *r, const char *out, const char *all, const config *c, bool force);
void run_folder_close(run_folder *r);

/* <path>/<file>; `buffer` has 4096 bytes. */
const char *run_folder_file(const run_folder *r, const char *file, char *buffer);
/* <path>/<name>_<what>. */
const char *run_folder_named(const run_folder *r, const char *what, char *buffer);

#endif
