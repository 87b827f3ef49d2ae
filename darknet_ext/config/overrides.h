/* -set section.key=value */
#ifndef DNX_CONFIG_OVERRIDES_H
#define DNX_CONFIG_OVERRIDES_H

#include "config/tokens.h"

/* Applies all overrides of m->overrides; `line` is scratch. */
void overrides_apply(config *c, int n, messages *m, cfg_line *line);

#endif
