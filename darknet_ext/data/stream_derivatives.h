/* What an HDF5 file that is read in pieces (data/stream_hdf5.c) holds of derivatives: the columns dydx, d2ydx2, v, v_weight, jvp and hvp. */
#ifndef DNX_DATA_STREAM_DERIVATIVES_H
#define DNX_DATA_STREAM_DERIVATIVES_H

#include "core/shape.h"
#include "data/dataset.h"
#include "data/hdf5_column.h"

typedef struct stream_derivatives {
    hdf5_column columns[PART_COUNT]; /* x and y are not among them; set 0: not there */
    int directions;                  /* that v holds for each sample; 0: no v */
} stream_derivatives;

/* Numbers of those of `parts` (bits) which the file has. Within a session of the library, as the next. */
uint64_t derivatives_numbers(hid_t file, const char *path, unsigned parts);

/* Opens those of `parts` which the file has; they and x share *budget bytes of memory, of which x's part is left. STATUS_BAD_FILE, also for what lies
 * along v without v. Closed by the caller also on failure. */
status derivatives_open(stream_derivatives *d, hid_t file, const char *path, unsigned parts, uint64_t x_bytes, uint64_t *budget);
void derivatives_close(stream_derivatives *d);

/* Whether the shapes are those of `samples` samples of a network, `input` for inputs as well (channels 0: nobody looks at it), and 1s may be left
 * out; sets `directions`. */
status derivatives_check(stream_derivatives *d, uint32_t samples, int inputs, int outputs, tensor_shape input);

/* Bits of those that are there; bytes of a sample in the file, and those that reading one needs. */
unsigned derivatives_parts(const stream_derivatives *d);
double derivatives_row_bytes(const stream_derivatives *d);
size_t derivatives_scratch(const stream_derivatives *d);

/* Takes into memory what fits. `missing`: labels may be NaN (v and v_weight never may). */
status derivatives_load(stream_derivatives *d, bool missing);

/* A part of a sample, of the derivatives by x' = scale x. */
status derivatives_read(const stream_derivatives *d, dataset_part part, uint32_t sample, float scale, bool missing, void *scratch, float *to);

#endif
