#ifndef DNX_LAYERS_SOBOLEV_H
#define DNX_LAYERS_SOBOLEV_H

#include "engine/objective.h"

/* The options of a checked [sobolev] section; orders whose weight is 0 are dropped from the top. */
objective_options sobolev_read_options(const section *s);

#endif
