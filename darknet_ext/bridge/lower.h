/* From a checked cfg to text that the stock parser understands. */
#ifndef DNX_BRIDGE_LOWER_H
#define DNX_BRIDGE_LOWER_H

#include "core/options.h"

/* Every layer section keeps its place: stock sections keep their given keys, activations that stock does not know become
 * linear (our function pointers replace the layer anyway), [sobolev] becomes a [cost] of the same shape. Sections and keys
 * that are only ours are left out. Returns the text, to be freed, or NULL when memory is short. */
char *lower_config(const config *c, size_t *length);

/* Whether stock Darknet does not know this key of a section that it knows. */
bool lower_is_own_key(const section *s, const char *key);

#endif
