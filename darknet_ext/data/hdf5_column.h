/* One data set [N, …] of an HDF5 file that is read row by row, in any order, by any number of threads.
 *
 * The rows come from memory when column_load() has taken them there; else, when they lie in the file as they are (contiguous, not
 * compressed, in this machine's own format), from there without the library; else through the library and its cache of chunks, one thread
 * at a time. */
#ifndef DNX_DATA_HDF5_COLUMN_H
#define DNX_DATA_HDF5_COLUMN_H

#include <stdbool.h>
#include <stdint.h>

#include "data/hdf5_library.h"

/* A budget for looking at a data set only. */
enum { COLUMN_LOOK = 1 << 20 };

typedef enum column_kind {
    COLUMN_BYTES, /* uint8_t, as the file has them */
    COLUMN_FLOATS /* any other type, converted to float */
} column_kind;

typedef struct hdf5_column {
    const char *path, *name;     /* borrowed */
    hid_t set;                   /* 0: not there */
    int rank;
    hsize_t sizes[H5S_MAX_RANK];
    uint32_t rows;
    size_t row_count, row_bytes; /* numbers of a row; their bytes in memory */
    column_kind kind;
    bool fits;                   /* into the memory that column_open() was given */
    void *memory;                /* all rows, owned; NULL: they stay in the file */
    int descriptor;              /* where they begin in the file, at `offset`; -1: only the library can read them */
    uint64_t offset;
} hdf5_column;

/* Opens the data set `name` of an open file; one that does not exist is no failure, and leaves set 0. `budget` bytes of memory are for its
 * rows: all of them, or else the chunks that the library keeps. STATUS_BAD_FILE when it is no data set of numbers, or has no rows; nothing is open
 * then. Within a session of the library. */
status column_open(hdf5_column *c, hid_t file, const char *path, const char *name, uint64_t budget);

/* Bytes that all rows of a data set take in memory, and their numbers; 0: it is not there, or cannot be opened. Within a session. */
uint64_t column_bytes_of(hid_t file, const char *path, const char *name);
uint64_t column_numbers_of(hid_t file, const char *path, const char *name);

/* Frees it; starts a session of its own, or is called within one. */
void column_close(hdf5_column *c);
void column_close_within(hdf5_column *c);

/* Bytes that all rows take in memory. */
uint64_t column_bytes(const hdf5_column *c);

/* Takes all rows into memory when they fit, and finds numbers that are not finite, unless NaN is `allowed`. */
status column_load(hdf5_column *c, bool allowed);

/* STATUS_BAD_FILE at the first of the numbers of rows first..first+n-1 that is not finite, unless it is NaN and `allowed`. */
status column_check_finite(const hdf5_column *c, uint32_t first, uint32_t n, const float *values, bool allowed);

/* All numbers, rows times row_count of them, as integers; STATUS_BAD_FILE for others than whole ones of 32 bits. NaN becomes -1 when `allowed`. */
status column_integers(const hdf5_column *c, bool allowed, int32_t *values);

/* Rows first..first+n-1, [n, row_count] of the column's kind: where they lie in memory, or in `scratch`, which has room for them. The rows of
 * a file may hold numbers that are not finite. */
status column_rows(const hdf5_column *c, uint32_t first, uint32_t n, void *scratch, const void **rows);

/* Numbers of such rows as floats, times `scale`. */
void column_to_floats(column_kind kind, const void *from, size_t count, double scale, float *to);

/* STATUS_BAD_FILE that names the number `at` of a row by its indices. */
status column_fail_at(const hdf5_column *c, uint64_t row, size_t at, const char *problem);
status column_fail(const hdf5_column *c, const char *problem);

#endif
