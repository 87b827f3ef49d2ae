/* What the keys of one section must fulfil together. */
#ifndef DNX_CONFIG_RULES_H
#define DNX_CONFIG_RULES_H

#include "config/messages.h"

/* `layer` is the section's number among the layers from 0; -1: it is no layer, or sections before it are missing. */
void rules_check(const section *s, int layer, messages *m);

/* Whether a section with its given keys reads that one: if not, its default says nothing. */
bool rules_reads(const section *s, const char *key);

#endif
