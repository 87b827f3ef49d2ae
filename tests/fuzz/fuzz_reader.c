/* libFuzzer target: any bytes are read without harm; what is accepted prints as a cfg that reads as the same.
 *
 *     clang -fsanitize=fuzzer,address,undefined … tests/fuzz/fuzz_reader.c && ./fuzz_reader folder_of_cfgs */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"

/* Messages are safe to show on a terminal. */
static void check_line(void *context, const char *line)
{
    for (const char *c = line; *c; ++c)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            abort();
}

static void compare_options(const section *a, const section *b, const option_spec *table)
{
    for (; table->key; ++table) {
        bool in_a = option_given(a, table->key), in_b = option_given(b, table->key);
        if (in_a && !in_b)
            abort();
        if (table->fallback ? strcmp(option_text(a, table->key), option_text(b, table->key)) : !in_a)
            abort();
    }
}

static void compare(const config *a, const config *b)
{
    if (a->n_sections != b->n_sections)
        abort();
    for (int i = 0; i < a->n_sections; ++i) {
        const section *s = &a->sections[i], *t = &b->sections[i];
        if (s->spec != t->spec)
            abort();
        compare_options(s, t, s->spec->options);
        if (s->spec->role == SECTION_LAYER)
            compare_options(s, t, common_layer_options);
    }
}

static void check_printed(const config *c)
{
    char *text = NULL;
    size_t length;
    config *again;
    FILE *out = open_memstream(&text, &length);
    config_print(c, out);
    fclose(out);
    if (config_parse("printed.cfg", text, length, NULL, 0, check_line, NULL, &again) != STATUS_OK)
        abort();
    compare(c, again);
    config_free(again);
    free(text);
}

/* Reads every number through its getter: none may abort on a checked value. */
static void get_values(const section *s, const option_spec *table)
{
    for (; table->key; ++table) {
        double reals[4];
        long integers[4];
        if (table->type == OPTION_INTEGER)
            option_integer(s, table->key);
        else if (table->type == OPTION_REAL)
            option_real(s, table->key);
        else if (table->type == OPTION_CHOICE)
            option_choice(s, table->key);
        else if (table->type == OPTION_INTEGERS)
            option_integers(s, table->key, integers, 4);
        else if (table->type == OPTION_REALS)
            option_reals(s, table->key, reals, 4);
    }
}

/* The first line is also tried as an override, when it begins with '!'. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data, *newline = size && *text == '!' ? memchr(text, '\n', size) : NULL;
    size_t skipped = newline ? (size_t)(newline + 1 - text) : 0;
    char *flag = newline ? strndup(text + 1, skipped - 2) : NULL;
    override overrides[] = {{flag}};
    config *c;
    config_parse("fuzz.cfg", text + skipped, size - skipped, overrides, flag != NULL, check_line, NULL, &c);
    if (c) {
        for (int i = 0; i < c->n_sections; ++i)
            get_values(&c->sections[i], c->sections[i].spec->options);
        check_printed(c);
    }
    config_free(c);
    free(flag);
    return 0;
}
