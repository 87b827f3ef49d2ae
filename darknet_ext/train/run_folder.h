/* The folder a run leaves behind. */
#ifndef DNX_TRAIN_RUN_FOLDER_H
#define DNX_TRAIN_RUN_FOLDER_H

#include <stdbool.h>
#include <stdio.h>

#include "config/reader.h"

enum { RUN_ROW_BYTES = 1024 };

typedef struct run_folder {
    char path[2048];
    char name[256];  /* of the cfg, without folders and ending; for <name>_final.weights */
    FILE *metrics;   /* metrics.csv, open for appending rows */
    long last_step;  /* of the last row that was there; -1: there is none */
    double seconds;  /* in that row */
    bool goes_on;    /* the run that is in the folder */
    long updates;    /* then: that it had done */
    int lock;        /* the open folder; -1: not open */
} run_folder;

/* A run that goes on, with weights and their state. */
typedef struct run_start {
    const char *weights; /* path; NULL: a run that begins */
    long updates;        /* that they have */
} run_start;

/* Creates `out` (NULL: <all>/<cfg name>, `all` NULL: runs) with its parents, run.cfg (the effective cfg) and metrics.csv (its header).
 * A folder that holds anything is refused unless `force`, or unless it is the one of the weights that go on; then what an old run of that name left at
 * its end is removed, and its other files are replaced one by one. A folder into which another run is writing is refused. */
status run_folder_create(run_folder *r, const char *out, const char *all, const config *c, bool force, const run_start *start);
void run_folder_close(run_folder *r);

/* A table of the folder, open for appending rows, whose first column is the update; of a run that goes on in it with those that it has up to there. The
 * last of them is put into `last`, "" without one. */
status run_folder_table(const run_folder *r, const char *file, const char *header, FILE **table, char last[RUN_ROW_BYTES]);

/* <path>/<file>; `buffer` has 4096 bytes. */
const char *run_folder_file(const run_folder *r, const char *file, char *buffer);
/* <path>/<name>_<what>. */
const char *run_folder_named(const run_folder *r, const char *what, char *buffer);

#endif
