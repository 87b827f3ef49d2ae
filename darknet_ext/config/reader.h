/* The strict cfg reader: text to checked sections.
 *
 * Every mistake of a file is reported in one run, each as one line
 *     path:line:col: error: what is wrong (and the nearest known name)
 * A file with errors gives no config. Warnings (`path:line:col: warning: …`) do not stop it. */
#ifndef DNX_CONFIG_READER_H
#define DNX_CONFIG_READER_H

#include <stdio.h>

#include "core/options.h"

/* One -set section.key=value of the command line, or such a line of a [variant] (config/variant.h). With several sections of that name the number
 * says which, counted from 0: connected[1].output=3; connected[*].output=3 is for all of them. The last one of a key wins. */
typedef struct override {
    const char *text;   /* as the user wrote it */
    const char *origin; /* path:line:column; NULL: a flag */
} override;

/* Where messages go: one call per line, without the newline. */
typedef void (*message_sink)(void *context, const char *line);

/* Reads and checks the file; of a [variant], the cfg that it changes. On success *result owns everything (config_free). `overrides` are applied
 * after the file is read, checked like file values (messages name the flag), and may add a key, but not a section. STATUS_BAD_FILE: cannot be
 * opened or read; STATUS_BAD_CONFIG: has errors (status text: how many). */
status config_read(const char *path, const override *overrides, int n_overrides, message_sink sink, void *context,
                   config **result);

/* The same from memory; `path` is only named in messages. */
status config_parse(const char *path, const char *text, size_t length, const override *overrides, int n_overrides,
                    message_sink sink, void *context, config **result);

/* Writes the effective cfg: every section with the keys that were given, then `# defaults` and the others that have a
 * value. Reading it again gives the same values. */
void config_print(const config *c, FILE *out);

/* All sections the reader knows: layers of layers/, the other stock sections, [net], [data], [teacher]. NULL-terminated. */
const section_spec *const *config_sections(void);

#endif
