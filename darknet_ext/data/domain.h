/* `domain=` of [data]: the box that points are drawn from. */
#ifndef DNX_DATA_DOMAIN_H
#define DNX_DATA_DOMAIN_H

#include "core/options.h"

/* STATUS_BAD_CONFIG with `[data] text` at the place of a key. */
status data_fail(const section *s, const char *path, const char *key, const char *text);

/* low and high [inputs] from low,high for all inputs or one pair for each; untouched without the key. */
status domain_read(const section *s, const char *path, int inputs, double *low, double *high);

#endif
