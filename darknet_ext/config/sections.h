/* Building a config: sections and their options, each option checked against its spec. */
#ifndef DNX_CONFIG_SECTIONS_H
#define DNX_CONFIG_SECTIONS_H

#include "config/tokens.h"

/* By name or alias among config_sections(), or NULL. */
const section_spec *sections_find_spec(const char *name);

/* The section name nearest to a wrong one, or NULL. */
const char *sections_nearest(const char *name);

/* Appends a section; NULL (and m->no_memory) without memory. The pointer is valid until the next call. */
section *sections_add(config *c, const section_spec *spec, const cfg_line *line, messages *m);

typedef enum repetition {
    REPETITION_REFUSED,
    REPETITION_IGNORED, /* the first value stays, with a warning: what stock Darknet does */
    REPETITION_REPLACES /* the last value stays: overrides */
} repetition;

/* Adds the option of a line to the section. A key whose value is wrong is kept with the value "", so that nothing else is
 * said about it: see section_usable(). */
void sections_set(section *s, const cfg_line *line, repetition repeated, messages *m);

/* The option, or NULL. */
const option *section_given(const section *s, const char *key);

/* True when the key has a value that was found good: given or default. */
bool section_usable(const section *s, const char *key);

/* Where the value stands, or the section when the key is absent. */
place section_place(const section *s, const char *key);

#endif
