/* What data/file*.c share; private to them. */
#ifndef DNX_DATA_FILE_FORMATS_H
#define DNX_DATA_FILE_FORMATS_H

#include <math.h>
#include <stdio.h>

#include "data/dataset.h"

/* What dataset_read was asked for; v is wanted where something along it is. */
typedef struct file_request {
    const char *path;
    int inputs, outputs; /* of the network; 0: whatever the file says */
    unsigned wanted;     /* bits of parts; that of x is set */
} file_request;

static inline int is_wanted(const file_request *r, dataset_part part)
{
    return (r->wanted >> part & 1) != 0;
}

/* Parts that mean nothing without v. */
enum { ALONG_V_BITS = 1 << PART_V_WEIGHT | 1 << PART_JVP | 1 << PART_HVP };

/* Fill an empty data set but for low and high; what is in it after a failure the caller frees. */
status file_hdf5_read(const file_request *r, dataset *d);
status file_csv_read(const file_request *r, dataset *d);

/* Write to an open file; whether everything arrived there the caller finds out. */
status file_hdf5_write(FILE *f, const char *path, const dataset *d);
status file_csv_write(FILE *f, const char *path, const dataset *d);

/* What is wrong with a number there ("is …"), or NULL. */
static inline const char *file_value_problem(dataset_part part, double value)
{
    if (isfinite(value))
        return NULL;
    if (isinf(value))
        return "is infinite";
    bool is_label = part != PART_X && part != PART_V && part != PART_V_WEIGHT;
    return is_label ? NULL : "is not a number (only labels may be left out)";
}

#endif
