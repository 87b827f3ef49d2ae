/* A metrics.csv (train/metrics.h) or critics.csv (train/critic_log.h) in memory. */
#ifndef DNX_TRAIN_METRICS_TABLE_H
#define DNX_TRAIN_METRICS_TABLE_H

#include "core/status.h"

typedef struct metrics_table {
    const char *path; /* borrowed; for messages */
    char *header;     /* owned; the names, each ended by '\0' */
    int n_columns, n_rows;
    double *values; /* owned; [n_rows][n_columns], NaN where the field is empty, and in the column "mode", which holds words */
} metrics_table;

/* Reads the file. STATUS_BAD_FILE with path and line when it is not a table of numbers with the columns its header names;
 * a last line without its end (a run that is writing, or was killed) is left out. Free it whatever is returned. */
status metrics_table_read(const char *path, metrics_table *t);
void metrics_table_free(metrics_table *t);

/* Index of the column of that name, or -1. */
int metrics_table_column(const metrics_table *t, const char *name);

static inline double metrics_table_at(const metrics_table *t, int row, int column)
{
    return t->values[(long)row * t->n_columns + column];
}

#endif
