/* A cfg that says how another one is changed, for methods that are compared on one network:
 *     [variant]
 *     of=cifar10_sobolev.cfg          beside this file
 *     critic[*].mode=noprop           as -set says it */
#ifndef DNX_CONFIG_VARIANT_H
#define DNX_CONFIG_VARIANT_H

#include <stdbool.h>

#include "config/tokens.h"
#include "core/options.h"

/* For its description alone: no network has such a section. */
extern const section_spec variant_section;

typedef struct variant {
    char *base;          /* path of the other cfg */
    place base_place;    /* where it is named, or should be */
    override *overrides; /* those of the file, then the ones that were given */
    int n;               /* of both */
    int n_own;           /* of the file: their texts and origins are owned */
} variant;

/* Whether the first section of a text is [variant]. `line` is scratch. */
bool variant_is(const char *text, size_t length, cfg_line *line);

/* Reads the text of the file `path`; `given` come after its own overrides and are borrowed. Mistakes go to m. `line` is scratch. Freed by the
 * caller also when there were mistakes. */
void variant_read(variant *v, const char *path, const char *text, size_t length, const override *given, int n_given, messages *m, cfg_line *line);
void variant_free(variant *v);

#endif
