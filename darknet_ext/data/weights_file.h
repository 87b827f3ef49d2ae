/* Darknet's .weights files: int32 major 0, minor 2, revision 0; uint64 samples seen; then little-endian floats. */
#ifndef DNX_DATA_WEIGHTS_FILE_H
#define DNX_DATA_WEIGHTS_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "core/status.h"

typedef struct weights_file {
    float *values; /* owned */
    size_t count;
    uint64_t seen; /* samples the network was trained on */
} weights_file;

/* Reads and checks a whole file: header, length, every number finite. `expected` floats, no more and no less. */
status weights_file_read(const char *path, size_t expected, weights_file *result);
/* The same with any number of floats. */
status weights_file_read_any(const char *path, weights_file *result);
void weights_file_free(weights_file *w);

/* Of values that are rolling variances, from number `first` of the file on: STATUS_BAD_FILE when one is negative. */
status weights_file_check_variances(const weights_file *w, const char *path, size_t first, size_t count);

/* Writes `n_blocks` arrays one after the other; the file appears under its name only when it is complete. */
typedef struct weights_block {
    float *values;
    size_t count;
    bool variances; /* of batch normalisation */
} weights_block;
status weights_file_write(const char *path, uint64_t seen, const weights_block *blocks, size_t n_blocks);

/* The same to an open file; whether everything arrived there the caller finds out. */
void weights_file_print(FILE *f, uint64_t seen, const weights_block *blocks, size_t n_blocks);

#endif
