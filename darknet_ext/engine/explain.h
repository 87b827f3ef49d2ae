/* What a tape runs, for people: DARKNET_EXT_VERBOSE=1 prints it when a tape is made. */
#ifndef DNX_ENGINE_EXPLAIN_H
#define DNX_ENGINE_EXPLAIN_H

#include <stdio.h>

#include "engine/tape.h"

/* One paragraph per layer: its images, how it is computed and why not faster, and where the layout changes. */
void tape_explain(const tape *t, FILE *out);

#endif
