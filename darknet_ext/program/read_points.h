/* The points of a file that a network is asked about. */
#ifndef DNX_PROGRAM_READ_POINTS_H
#define DNX_PROGRAM_READ_POINTS_H

#include "bridge/plugin.h"
#include "data/dataset.h"

/* x and, of `wanted` (bits), v, as the network of that cfg sees them: what training would read in pieces (data/sample_stream.h) is read so, and other
 * numbers take [data] scale=. *d is freed by the caller also on failure. */
status read_points(plugin_network *p, const char *path, unsigned wanted, dataset *d);

#endif
