#include "train/teacher_labels.h"

#include "check/gradient_check.h"
#include "model/predictor.h"

/* Numbers of one part of the set. */
static const size_t most_numbers = (size_t)1 << 25;

static bool has_labels(const dataset *set)
{
    for (dataset_part part = PART_Y; part < PART_COUNT; ++part)
        if (set->parts[part])
            return true;
    return false;
}

static status add_part(dataset *set, dataset_part part)
{
    set->parts[part] = allocate_zeroed((size_t)set->points * dataset_part_size(set, part), sizeof **set->parts);
    return set->parts[part] ? STATUS_OK : STATUS_NO_MEMORY;
}

static int order_that_fits(const graph *g, const dataset *set, int order)
{
    static const dataset_part parts[] = {PART_Y, PART_JACOBIAN, PART_HESSIAN};
    int possible = gradient_check_order(g);
    order = possible < order ? possible : order;
    while (order > 0 && (size_t)set->points * dataset_part_size(set, parts[order]) > most_numbers)
        --order;
    return order;
}

status teacher_labels_fill(plugin_network *p, int order, dataset *set)
{
    const teacher_options *t = plugin_teacher(p);
    if (!t || has_labels(set))
        return STATUS_OK;
    predictor *says = NULL;
    order = order_that_fits(t->graph, set, order);
    status s = predictor_create_for_graph(&says, t->graph, plugin_backend(p), order);
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
