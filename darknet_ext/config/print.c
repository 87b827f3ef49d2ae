#include "config/reader.h"

#include <string.h>

#include "config/rules.h"

/* Whether the reader would take the value as it is. */
static bool needs_quotes(const char *value)
{
    return strpbrk(value, " \t") || strchr("\"#;", *value);
}

static void print_given(const section *s, FILE *out)
{
    for (int i = 0; i < s->n_options; ++i) {
        const char *value = s->options[i].value, *quote = needs_quotes(value) ? "\"" : "";
        fprintf(out, "%s=%s%s%s\n", s->options[i].key, quote, value, quote);
    }
}

/* The keys of one table that have a default and were not given; `n` counts them over all tables of the section. A common key that the section has of
 * its own ([critic] learning_rate) is not the common one. */
static int print_defaults(const section *s, const option_spec *table, int n, FILE *out)
{
    for (; table->key; ++table) {
        const bool has_default = !option_given(s, table->key) && table->fallback && *table->fallback;
        if (!has_default || section_option(s->spec, table->key) != table || !rules_reads(s, table->key))
            continue;
        if (!n++)
            fprintf(out, "# defaults\n");
        fprintf(out, "%s=%s\n", table->key, table->fallback);
    }
    return n;
}

void config_print(const config *c, FILE *out)
{
    for (int i = 0; i < c->n_sections; ++i) {
        const section *s = &c->sections[i];
        fprintf(out, "%s[%s]\n", i ? "\n" : "", s->name);
        print_given(s, out);
        int n = print_defaults(s, s->spec->options, 0, out);
        if (s->spec->role == SECTION_LAYER)
            print_defaults(s, common_layer_options, n, out);
    }
}
