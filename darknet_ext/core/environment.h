/* The environment variables of the plugin: one table, printed by `darknet sobolev help environment`. */
#ifndef DNX_CORE_ENVIRONMENT_H
#define DNX_CORE_ENVIRONMENT_H

#include <stdbool.h>

#include "core/status.h"

typedef struct environment_variable {
    const char *name;
    const char *meaning;
} environment_variable;

#define ENVIRONMENT_BACKEND "DARKNET_EXT_BACKEND"
#define ENVIRONMENT_THREADS "DARKNET_EXT_THREADS"
#define ENVIRONMENT_SEED "DARKNET_EXT_SEED"
#define ENVIRONMENT_STOCK "DARKNET_EXT_STOCK"

#define ENVIRONMENT_FAST_PATHS "DARKNET_EXT_FAST_PATHS"
#define ENVIRONMENT_VERBOSE "DARKNET_EXT_VERBOSE"

extern const environment_variable environment_table[]; /* ends with name == NULL */

/* False when DARKNET_EXT_FAST_PATHS=0: every step takes the general way. */
bool fast_paths_enabled(void);

/* True when DARKNET_EXT_VERBOSE=1: tapes say what runs (engine/explain.h). */
bool verbose_enabled(void);

/* STATUS_BAD_CONFIG when a variable that begins with DARKNET_EXT_ is not in the table, or a switch is neither 0 nor 1: it would silently do nothing. */
status environment_check(void);

#endif
