/* Data sets in files: HDF5 (.h5, .hdf5) and CSV (.csv), told apart by the ending of the name.
 *
 * HDF5: one data set per part (data/dataset.h) at the root of the file, named as dataset_part_names says, of any integer or
 * floating-point type; N samples come first. Dimensions of size 1 may be left out, except the first:
 *     x [N, n]    y [N, m] or [N]    dydx [N, m, n] or [N, n]    d2ydx2 [N, m, n, n] or [N, n, n]
 *     v [N, r, n] or [N, n]    v_weight [N, r] or [N]    jvp [N, r, m], [N, m] or [N]    hvp [N, r, m, n], [N, m, n], [N, r, n] or [N, n]
 * This is never ambiguous: n comes from x, r from v, m from the network, from y, or from the first of dydx, jvp, d2ydx2, hvp
 * whose count of numbers then says it; where none is there m is 0. With the sizes known a part has one meaning.
 *
 * CSV: a header, then one sample a line; at most one direction. Columns are found by their names, indices count from 1:
 *     x1 … xn    y1 … ym    dy1_dx2    d2y1_dx1_dx2    v1 … vn    v_weight    jvp1 … jvpm    hvp1_2 (output, input)
 * With one input or one output its index may be left out (y, dy_dx2, dy1_dx, …). Of two equal second derivatives (dx1_dx2, dx2_dx1)
 * one is enough. An empty field or nan is NaN. Other columns are ignored, unless their name looks like a misspelt one of these. */
#ifndef DNX_DATA_FILE_H
#define DNX_DATA_FILE_H

#include <stdio.h>

#include "data/dataset.h"

/* Reads x and those of the parts `wanted` (bits) that the file has, v with every part along it; other contents are left alone.
 * `inputs` and `outputs` are what the network has; 0: whatever the file says. x, v and v_weight must be finite; elsewhere NaN is kept and
 * infinities are refused. low and high are set to the ranges of x. STATUS_BAD_FILE with one sentence that begins with `path` (CSV:
 * path:line) when the file cannot be read, lacks x, or a part has a wrong shape or type; then, and without memory, *d is empty. */
status dataset_read(const char *path, int inputs, int outputs, unsigned wanted, dataset *d);

/* Whether the ending names a format; STATUS_BAD_FILE. */
status dataset_check_name(const char *path);

/* Writes every part that is there; the file appears whole or not at all. Numbers in CSV have 17 digits, NaN is an empty field; more than
 * one direction is refused there. An HDF5 file is made in memory first. */
status dataset_write(const char *path, const dataset *d);

/* The same as CSV to an open file, called `name` in messages; whether everything arrived there the caller finds out. */
status dataset_print(FILE *f, const char *name, const dataset *d);

#endif
