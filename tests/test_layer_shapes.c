/* Every layer in networks of random shapes, at every order: against central differences (double), by identities (float, every
 * backend). The table is layer_shapes.c. Argument: the name of one layer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "check/gradient_check.h"
#include "config/reader.h"
#include "layer_shapes.h"
#include "layers/sobolev.h"

enum { SHAPES = 20, BATCH = 3 };

static const char *only; /* NULL: every layer */

static void print_line(void *context, const char *line)
{
    print_message("%s\n", line);
}

static void print_failure(void *context, const check_row *row)
{
    if (!row->passed)
        print_message("%s\n%s, %s: error %.2e, at most %.0e\n", (const char *)context, row->name, row->where, row->error, row->tolerance);
}

static void check_network(const char *text, const backend *be, uint64_t seed)
{
    config *c;
    graph g;
    if (config_parse("shape", text, strlen(text), NULL, 0, print_line, NULL, &c) != STATUS_OK || graph_build(&g, c, be, NULL, NULL) != STATUS_OK)
        fail_msg("%s\n%s", status_text(), text);
    graph_initialise(&g, be, seed);
    GRAPH_ARRAYS(&g, p)
    {
        if (p->initial_range == 0 && p->initial_deviation == 0) /* biases too, or their influence is not seen */
            be->uniform((random_stream){seed, RANDOM_CHECK, 77}, 0, p->count, p->initial_value - .5, p->initial_value + .5, p->value);
    }
    const section *where = config_section(c, "sobolev");
    objective_options options = sobolev_read_options(where);
    check_settings settings = {.batch = BATCH, .seed = seed, .differences = sizeof(real) == sizeof(double)};
    if (gradient_check_run(&g, be, &options, where, "shape", &settings, print_failure, (void *)text) != STATUS_OK)
        fail_msg("on %s, seed %d: %s\n%s", be->name, (int)seed, status_text(), text);
    graph_free(&g, be);
    config_free(c);
}

static char *draw_text(const layer_shape *layer, uint64_t seed, int order)
{
    char *text;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    shape_source source = {seed * 7919 + 1};
    fprintf(out, "[net]\nbatch=%d\n", BATCH);
    layer->draw(&source, out);
    fprintf(out, "[sobolev]\norder=%d\nallow_zero_curvature=1\n", order);
    assert_int_equal(fclose(out), 0);
    return text;
}

static void random_shapes_are_right(void **state)
{
    for (int i = 0; i < layer_shape_count; ++i)
        for (int order = 1; order <= layer_shapes[i].highest_order && (!only || !strcmp(only, layer_shapes[i].layer)); ++order)
            for (uint64_t seed = 1; seed <= SHAPES; ++seed) {
                char *text = draw_text(&layer_shapes[i], seed, order);
                for (const backend *const *be = backend_list; *be; ++be)
                    check_network(text, *be, seed);
                free(text);
            }
}

static void every_layer_has_shapes(void **state)
{
    for (const layer_type *const *type = layer_list; *type; ++type) {
        int best = 0;
        for (int i = 0; i < layer_shape_count; ++i)
            if (strcmp(layer_shapes[i].layer, (*type)->spec->name) == 0)
                best = layer_shapes[i].highest_order;
        if (best < (*type)->max_order)
            fail_msg("layer_shapes.c has no shapes of [%s] at order %d", (*type)->spec->name, (*type)->max_order);
    }
}

int main(int argc, char **argv)
{
    only = argc > 1 ? argv[1] : NULL;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_layer_has_shapes),
        cmocka_unit_test(random_shapes_are_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
