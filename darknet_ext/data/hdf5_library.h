/* libhdf5 as the files of data/ call it: one thread at a time, silent, and what it says as text. */
#ifndef DNX_DATA_HDF5_LIBRARY_H
#define DNX_DATA_HDF5_LIBRARY_H

#include <hdf5.h>
#include <stdbool.h>

#include "config/messages.h"
#include "data/dataset.h"

/* Every call of the library stands between these two: Debian's libhdf5 keeps its state without locks. Its printing of errors is turned off in
 * between, and put back. Not to be nested. */
typedef struct hdf5_session {
    H5E_auto2_t print;
    void *data;
} hdf5_session;

hdf5_session hdf5_begin(void);
void hdf5_end(hdf5_session session);

/* Why the last call failed. */
typedef struct hdf5_text {
    char text[256];
} hdf5_text;
hdf5_text hdf5_reason(void);
/* The same of a data set that could not be read: when it was compressed with a filter that the library does not have, that. */
hdf5_text hdf5_read_reason(hid_t set);

/* Sizes as [2, 3]. */
shown_text hdf5_shape(const hsize_t *sizes, int rank);

/* The axes of each part of a data set (data/dataset.h) in a file: N samples, n inputs, m outputs, r directions. */
extern const char *const hdf5_part_axes[PART_COUNT];
int hdf5_axis_size(const dataset *d, char axis);

/* True when leaving out dimensions of size 1, but not the first, makes `full` the shape. */
bool hdf5_shape_fits(const hsize_t *sizes, int rank, const hsize_t *full, int full_rank);

/* What is wrong with the type of its numbers ("holds …"), or NULL. */
const char *hdf5_type_problem(hid_t set);

/* A data set that was only created reads as zeros. */
bool hdf5_is_never_written(hid_t set);

/* STATUS_BAD_FILE when it does not exist, is empty or is no HDF5 file that can be read; else *file is open. */
status hdf5_open(const char *path, hid_t *file);

#endif
