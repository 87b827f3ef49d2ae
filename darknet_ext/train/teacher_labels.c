#include "train/teacher_labels.h"

#include <stdlib.h>
#include <string.h>

#include "check/gradient_check.h"
#include "model/predictor.h"
#include "train/evaluate.h"

/* Numbers of one part of the set. */
static const size_t most_numbers = (size_t)1 << 25;

static bool has_labels(const dataset *set)
{
    for (dataset_part part = PART_Y; part < PART_COUNT; ++part)
        if (set->parts[part] && part != PART_V && part != PART_V_WEIGHT)
            return true;
    return false;
}

static status add_part(dataset *set, dataset_part part)
{
    set->parts[part] = allocate_zeroed((size_t)set->points * dataset_part_size(set, part), sizeof **set->parts);
    return set->parts[part] ? STATUS_OK : STATUS_NO_MEMORY;
}

/* ---------------------------------------------------------------- a function */

const section *teacher_function(plugin_network *p)
{
    const section *s = config_section(plugin_config(p), "teacher");
    return s && option_given(s, "function") ? s : NULL;
}

static status at_function(plugin_network *p, status s)
{
    return s == STATUS_OK || s == STATUS_NO_MEMORY ? s : option_fail(teacher_function(p), plugin_config(p)->path, "function", strdupa(status_text()));
}

/* The order of labels that are asked for. */
static int order_of(plugin_network *p, bool test)
{
    const label_layout *labels = plugin_labels(p);
    return test ? evaluation_order(p) : labels ? labels->order : 0;
}

static int largest_order(plugin_network *p)
{
    int training = order_of(p, false), test = order_of(p, true);
    return training > test ? training : test;
}

status teacher_function_open(plugin_network *p, const data_source *data, black_box **box)
{
    const section *where = teacher_function(p);
    const label_layout *labels = plugin_labels(p);
    *box = NULL;
    if (!where)
        return STATUS_OK;
    const char *name = option_text(where, "function");
    if (!black_box_is_named(name))
        return option_fail(where, plugin_config(p)->path, "function",
                           "[teacher] function must be ./LIBRARY.so:SYMBOL (built-in functions: [data] function=)");
    if (labels && labels->directions > 0)
        return option_fail(where, plugin_config(p)->path, "function", "label_directions need labels from a file: a function gives full derivatives");
    int order = largest_order(p);
    status s = black_box_open(box, name, data->needs.inputs, data->needs.outputs, data->needs.processes);
    if (s == STATUS_OK && order > 0)
        s = black_box_choose_steps(*box, data->low, data->high, order, option_real(where, "difference_step"), data->needs.seed);
    return at_function(p, s);
}

status teacher_function_label(plugin_network *p, black_box *box, bool test, dataset *set)
{
    static const dataset_part parts[] = {PART_Y, PART_JACOBIAN, PART_HESSIAN};
    double *const *to = set->parts;
    status s = STATUS_OK;
    for (dataset_part part = PART_Y; part < PART_COUNT; ++part) {
        free(set->parts[part]);
        set->parts[part] = NULL;
    }
    set->directions = 0;
    for (int order = 0; order <= order_of(p, test) && s == STATUS_OK; ++order)
        s = add_part(set, parts[order]);
    if (s == STATUS_OK)
        s = at_function(p, black_box_evaluate(box, to[PART_X], set->points, to[PART_Y], to[PART_JACOBIAN], to[PART_HESSIAN]));
    if (s == STATUS_OK && !dataset_is_finite(set))
        s = option_fail(teacher_function(p), plugin_config(p)->path, "function",
                        "the function, or a derivative of it, is too large for float at a sample");
    return s;
}

void teacher_function_describe(plugin_network *p, const black_box *box, FILE *out)
{
    if (box)
        black_box_describe(box, largest_order(p), out);
}

/* ---------------------------------------------------------------- a network */

static int order_that_fits(const graph *g, const dataset *set, int order)
{
    static const dataset_part parts[] = {PART_Y, PART_JACOBIAN, PART_HESSIAN};
    int possible = gradient_check_order(g);
    order = possible < order ? possible : order;
    while (order > 0 && (size_t)set->points * dataset_part_size(set, parts[order]) > most_numbers)
        --order;
    return order;
}

status teacher_network_label(plugin_network *p, int order, dataset *set)
{
    graph *teacher_graph = plugin_teacher_graph(p);
    if (!teacher_graph || has_labels(set))
        return STATUS_OK;
    predictor *says = NULL;
    order = order_that_fits(teacher_graph, set, order);
    status s = predictor_create_for_graph(&says, teacher_graph, plugin_backend(p), order);
    if (s == STATUS_OK)
        s = add_part(set, PART_Y);
    if (s == STATUS_OK && order > 0)
        s = add_part(set, PART_JACOBIAN);
    if (s == STATUS_OK && order > 1)
        s = add_part(set, PART_HESSIAN);
    if (s == STATUS_OK)
        predictor_run(says, set->parts[PART_X], set->points,
                      &(prediction){.y = set->parts[PART_Y], .jacobian = set->parts[PART_JACOBIAN], .hessian = set->parts[PART_HESSIAN]});
    predictor_free(says);
    return s;
}

status teacher_label_tests(plugin_network *p, black_box *box, dataset *test)
{
    return box ? teacher_function_label(p, box, true, test) : teacher_network_label(p, evaluation_order(p), test);
}
