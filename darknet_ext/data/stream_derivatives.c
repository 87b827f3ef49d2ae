#include "data/stream_derivatives.h"

#include <stdio.h>

#include "data/file_formats.h"

/* ---------------------------------------------------------------- opening */

uint64_t derivatives_bytes(hid_t file, const char *path, unsigned parts)
{
    uint64_t bytes = 0;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT; ++part)
        bytes += parts & 1u << part ? column_bytes_of(file, path, dataset_part_names[part]) : 0;
    return bytes;
}

status derivatives_open(stream_derivatives *d, hid_t file, const char *path, unsigned parts, uint64_t budget)
{
    const double all = (double)derivatives_bytes(file, path, parts);
    status s = STATUS_OK;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT && s == STATUS_OK; ++part) {
        uint64_t bytes = parts & 1u << part ? column_bytes_of(file, path, dataset_part_names[part]) : 0;
        if (parts & 1u << part)
            s = column_open(&d->columns[part], file, path, dataset_part_names[part], bytes ? (uint64_t)((double)budget * ((double)bytes / all)) : 0);
    }
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT && s == STATUS_OK; ++part)
        if (d->columns[part].set > 0 && 1 << part & ALONG_V_BITS && d->columns[PART_V].set <= 0)
            s = column_fail(&d->columns[part], "needs the directions v, which are missing");
    return s;
}

void derivatives_close(stream_derivatives *d)
{
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT; ++part)
        column_close(&d->columns[part]);
}

/* ---------------------------------------------------------------- shapes */

/* What a part holds for each sample, in words and in numbers. */
static void describe(dataset_part part, const dataset *sizes, char *text, size_t room)
{
    const int m = sizes->outputs, n = sizes->inputs, r = sizes->directions;
    switch (part) {
    case PART_JACOBIAN:
        snprintf(text, room, "%d, %d]: samples, outputs and inputs of the network", m, n);
        break;
    case PART_HESSIAN:
        snprintf(text, room, "%d, %d, %d]: samples, outputs and twice inputs of the network", m, n, n);
        break;
    case PART_V:
        snprintf(text, room, "r, %d]: samples, directions and inputs of the network", n);
        break;
    case PART_V_WEIGHT:
        snprintf(text, room, "%d]: samples and directions of v", r);
        break;
    case PART_JVP:
        snprintf(text, room, "%d, %d]: samples, directions of v and outputs of the network", r, m);
        break;
    default:
        snprintf(text, room, "%d, %d, %d]: samples, directions of v, outputs and inputs of the network", r, m, n);
    }
}

static status check_shape(const hdf5_column *c, dataset_part part, uint32_t samples, const dataset *sizes)
{
    char text[160];
    size_t count = dataset_part_size(sizes, part);
    if (c->set <= 0 || (c->rows == samples && c->row_count == count && count > 0))
        return STATUS_OK;
    describe(part, sizes, text, sizeof text);
    return status_fail(STATUS_BAD_FILE, "%s: error: %s has the shape %s, expected [%lu, %s", c->path, c->name, hdf5_shape(c->sizes, c->rank).text,
                       (unsigned long)samples, text);
}

status derivatives_check(stream_derivatives *d, uint32_t samples, int inputs, int outputs)
{
    const hdf5_column *v = &d->columns[PART_V];
    d->directions = v->set > 0 ? (int)(v->row_count / (size_t)inputs) : 0;
    const dataset sizes = {.inputs = inputs, .outputs = outputs, .directions = d->directions};
    status s = STATUS_OK;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT && s == STATUS_OK; ++part)
        s = check_shape(&d->columns[part], part, samples, &sizes);
    return s;
}

unsigned derivatives_parts(const stream_derivatives *d)
{
    unsigned parts = 0;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT; ++part)
        parts |= d->columns[part].set > 0 ? 1u << part : 0;
    return parts;
}

double derivatives_row_bytes(const stream_derivatives *d)
{
    double bytes = 0;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT; ++part)
        bytes += (double)d->columns[part].row_bytes;
    return bytes;
}

size_t derivatives_scratch(const stream_derivatives *d)
{
    size_t most = 0;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT; ++part)
        most = d->columns[part].row_bytes > most ? d->columns[part].row_bytes : most;
    return most;
}

/* ---------------------------------------------------------------- reading */

static bool may_be_missing(dataset_part part, bool missing)
{
    return missing && part != PART_V && part != PART_V_WEIGHT;
}

status derivatives_load(stream_derivatives *d, bool missing)
{
    status s = STATUS_OK;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT && s == STATUS_OK; ++part)
        if (d->columns[part].set > 0)
            s = column_load(&d->columns[part], may_be_missing(part, missing));
    return s;
}

/* By x' = scale x: dx = dx' / scale, and v' = scale v. */
static float factor_of(dataset_part part, float scale)
{
    switch (part) {
    case PART_JACOBIAN:
    case PART_HVP: /* H' v' = H v / scale */
        return 1 / scale;
    case PART_HESSIAN:
        return 1 / (scale * scale);
    case PART_V:
        return scale;
    default:
        return 1;
    }
}

status derivatives_read(const stream_derivatives *d, dataset_part part, uint32_t sample, float scale, bool missing, void *scratch, float *to)
{
    const hdf5_column *c = &d->columns[part];
    const void *row;
    status s = column_rows(c, sample, 1, scratch, &row);
    if (s != STATUS_OK)
        return s;
    column_to_floats(c->kind, row, c->row_count, factor_of(part, scale), to);
    s = column_check_finite(c, sample, 1, to, may_be_missing(part, missing));
    for (size_t i = 0; part == PART_V_WEIGHT && i < c->row_count && s == STATUS_OK; ++i)
        if (to[i] < 0)
            s = column_fail_at(c, sample, i, "is negative");
    return s;
}
