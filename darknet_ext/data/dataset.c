#include "data/dataset.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *const dataset_part_names[PART_COUNT] = {"x", "y", "dydx", "d2ydx2", "v", "v_weight", "jvp", "hvp"};

size_t dataset_part_size(const dataset *d, dataset_part part)
{
    size_t inputs = (size_t)d->inputs, outputs = (size_t)d->outputs, directions = (size_t)d->directions;
    switch (part) {
    case PART_X:
        return inputs;
    case PART_Y:
        return outputs;
    case PART_JACOBIAN:
        return outputs * inputs;
    case PART_HESSIAN:
        return outputs * inputs * inputs;
    case PART_V:
        return directions * inputs;
    case PART_V_WEIGHT:
        return directions;
    case PART_JVP:
        return directions * outputs;
    case PART_HVP:
        return directions * outputs * inputs;
    default:
        return 0;
    }
}

status dataset_allocate(dataset *d, unsigned parts)
{
    d->low = allocate_zeroed((unsigned long)d->inputs, sizeof *d->low);
    d->high = allocate_zeroed((unsigned long)d->inputs, sizeof *d->high);
    bool complete = d->low && d->high;
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        if (!(parts & 1u << part))
            continue;
        d->parts[part] = allocate_zeroed((size_t)d->points * dataset_part_size(d, part), sizeof **d->parts);
        complete &= d->parts[part] != NULL;
    }
    return complete ? STATUS_OK : STATUS_NO_MEMORY;
}

unsigned dataset_parts(const dataset *d)
{
    unsigned parts = 0;
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        parts |= d->parts[part] ? 1u << part : 0;
    return parts;
}

unsigned parts_to_order(int order)
{
    return (1u << PART_X | 1u << PART_Y | 1u << PART_JACOBIAN | 1u << PART_HESSIAN) & ((1u << (PART_Y + order + 1)) - 1);
}

/* Training computes in float. */
static bool all_finite(const double *values, size_t count)
{
    for (size_t i = 0; values && i < count; ++i)
        if (!(fabs(values[i]) <= FLT_MAX))
            return false;
    return true;
}

bool dataset_is_finite(const dataset *d)
{
    for (dataset_part part = PART_Y; part <= PART_HESSIAN; ++part)
        if (!all_finite(d->parts[part], (size_t)d->points * dataset_part_size(d, part)))
            return false;
    return true;
}

bool dataset_has_given(const dataset *d, dataset_part part)
{
    size_t count = d->parts[part] ? (size_t)d->points * dataset_part_size(d, part) : 0;
    for (size_t i = 0; i < count; ++i)
        if (!isnan(d->parts[part][i]))
            return true;
    return false;
}

long dataset_component(const dataset *d, dataset_part part, int k, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    long n = 0;
    for (int i = 0; i < d->points; ++i) {
        double value = dataset_at(d, part, (size_t)i)[k];
        if (isnan(value))
            continue;
        ++n;
        double step = value - sum;
        sum += step / (double)n; /* the running mean */
        squares += step * (value - sum);
    }
    *mean = sum;
    *deviation = n > 0 ? sqrt(squares / (double)n) : 0;
    return n;
}

status dataset_select(const dataset *from, const uint32_t *samples, int n, dataset *to)
{
    *to = (dataset){.points = n, .inputs = from->inputs, .outputs = from->outputs, .directions = from->directions};
    status s = dataset_allocate(to, dataset_parts(from));
    if (s != STATUS_OK) {
        dataset_free(to);
        return s;
    }
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        for (int i = 0; i < n && from->parts[part]; ++i)
            memcpy(dataset_at(to, part, (size_t)i), dataset_at(from, part, samples[i]), dataset_part_size(from, part) * sizeof **to->parts);
    memcpy(to->low, from->low, (size_t)from->inputs * sizeof *to->low);
    memcpy(to->high, from->high, (size_t)from->inputs * sizeof *to->high);
    return STATUS_OK;
}

void dataset_free(dataset *d)
{
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        free(d->parts[part]);
    free(d->low);
    free(d->high);
    *d = (dataset){0};
}
