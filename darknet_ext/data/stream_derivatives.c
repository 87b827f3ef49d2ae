#include "data/stream_derivatives.h"

#include <stdio.h>
#include <stdlib.h>

#include "data/file_formats.h"

/* ---------------------------------------------------------------- opening */

static bool has(unsigned parts, dataset_part part)
{
    return (parts >> part & 1) != 0;
}

uint64_t derivatives_numbers(hid_t file, const char *path, unsigned parts)
{
    uint64_t numbers = 0;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT; ++part)
        numbers += has(parts, part) ? column_numbers_of(file, path, dataset_part_names[part]) : 0;
    return numbers;
}

/* Who gets how much of `budget`: the smallest all they want, as long as there is enough; the others parts of the rest by what they want. */
static void share(uint64_t budget, int n, const uint64_t *wanted, uint64_t *given)
{
    bool served[PART_COUNT] = {false};
    for (int done = 0; done < n; ++done) {
        double all = 0;
        int least = -1;
        for (int i = 0; i < n; ++i) {
            all += served[i] ? 0 : (double)wanted[i];
            if (!served[i] && (least < 0 || wanted[i] < wanted[least]))
                least = i;
        }
        served[least] = true;
        given[least] = wanted[least] <= budget ? wanted[least] : (uint64_t)((double)budget * ((double)wanted[least] / all));
        budget -= given[least];
    }
}

status derivatives_open(stream_derivatives *d, hid_t file, const char *path, unsigned parts, uint64_t x_bytes, uint64_t *budget)
{
    uint64_t wanted[PART_COUNT] = {[PART_X] = x_bytes}, given[PART_COUNT];
    status s = STATUS_OK;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT; ++part)
        wanted[part] = has(parts, part) ? column_bytes_of(file, path, dataset_part_names[part]) : 0;
    share(*budget, PART_COUNT, wanted, given);
    *budget = given[PART_X];
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT && s == STATUS_OK; ++part)
        if (has(parts, part))
            s = column_open(&d->columns[part], file, path, dataset_part_names[part], given[part]);
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

/* The documented shape; inputs of pictures as channels, height and width when that is asked for. Returns the rank. */
static int full_shape(dataset_part part, const dataset *sizes, const tensor_shape *input, hsize_t *full)
{
    int rank = 0;
    for (const char *axis = hdf5_part_axes[part]; *axis; ++axis)
        if (*axis == 'n' && input) {
            full[rank++] = (hsize_t)input->channels;
            full[rank++] = (hsize_t)input->height;
            full[rank++] = (hsize_t)input->width;
        } else
            full[rank++] = (hsize_t)hdf5_axis_size(sizes, *axis);
    return rank;
}

static status check_shape(const hdf5_column *c, dataset_part part, const dataset *sizes, tensor_shape input)
{
    enum { MOST_AXES = 8 }; /* N, m and twice the axes of a picture */
    char text[160];
    hsize_t flat[MOST_AXES], picture[MOST_AXES];
    if (c->set <= 0)
        return STATUS_OK;
    int rank = full_shape(part, sizes, NULL, flat), picture_rank = input.channels > 0 ? full_shape(part, sizes, &input, picture) : 0;
    if (sizes->directions > 0 || !(1 << part & (ALONG_V_BITS | 1 << PART_V)))
        if (hdf5_shape_fits(c->sizes, c->rank, flat, rank) || (picture_rank > 0 && hdf5_shape_fits(c->sizes, c->rank, picture, picture_rank)))
            return STATUS_OK;
    describe(part, sizes, text, sizeof text);
    return status_fail(STATUS_BAD_FILE, "%s: error: %s has the shape %s, expected [%d, %s", c->path, c->name, hdf5_shape(c->sizes, c->rank).text,
                       sizes->points, text);
}

status derivatives_check(stream_derivatives *d, uint32_t samples, int inputs, int outputs, tensor_shape input)
{
    const hdf5_column *v = &d->columns[PART_V];
    d->directions = v->set > 0 ? (int)(v->row_count / (size_t)inputs) : 0;
    const dataset sizes = {.points = (int)samples, .inputs = inputs, .outputs = outputs, .directions = d->directions};
    status s = STATUS_OK;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT && s == STATUS_OK; ++part)
        s = check_shape(&d->columns[part], part, &sizes, input);
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

static status check_weights(const hdf5_column *c, uint32_t sample, const float *weights)
{
    for (size_t i = 0; i < c->row_count; ++i)
        if (weights[i] < 0)
            return column_fail_at(c, sample, i, "is negative");
    return STATUS_OK;
}

/* Of a column in memory. */
static status check_all_weights(const hdf5_column *c)
{
    status s = STATUS_OK;
    float *row = allocate_zeroed(c->row_count, sizeof *row);
    if (!row)
        return STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < c->rows && s == STATUS_OK; ++i) {
        column_to_floats(c->kind, (const char *)c->memory + i * c->row_bytes, c->row_count, 1, row);
        s = check_weights(c, i, row);
    }
    free(row);
    return s;
}

status derivatives_load(stream_derivatives *d, bool missing)
{
    status s = STATUS_OK;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT && s == STATUS_OK; ++part)
        if (d->columns[part].set > 0)
            s = column_load(&d->columns[part], may_be_missing(part, missing));
    return s == STATUS_OK && d->columns[PART_V_WEIGHT].memory ? check_all_weights(&d->columns[PART_V_WEIGHT]) : s;
}

/* By x' = scale x: dx = dx' / scale, and v' = scale v. */
static double factor_of(dataset_part part, double scale)
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
    column_to_floats(c->kind, row, c->row_count, factor_of(part, (double)scale), to);
    s = column_check_finite(c, sample, 1, to, may_be_missing(part, missing));
    return s == STATUS_OK && part == PART_V_WEIGHT ? check_weights(c, sample, to) : s;
}
