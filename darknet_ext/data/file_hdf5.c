/* HDF5 files of data sets, through libhdf5.
 *
 * Which sizes a file has follows part by part, each part giving one: n from x, r from v, m from y or else from the first of
 * dydx, jvp, d2ydx2, hvp, as the count of its numbers over that of the sizes known. With all sizes known the shape of every part
 * must be the documented one, in which dimensions of size 1 may be left out; so no file can be read in two ways.
 *
 * What a file claims is checked before memory is taken for it. Still libhdf5 1.10 itself may loop, take all memory or crash on a file that was
 * made to do so: files from strangers belong in a process with limits (ulimit -v).
 *
 * The library never writes to a disk: a file whose last flush fails stays open in it for good and makes it crash at exit. */
#include "data/file_formats.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "data/hdf5_library.h"

enum { MOST_AXES = 4 };

/* One data set of the file; its id is 0 where there is none. */
typedef struct hdf5_part {
    hid_t id;
    int rank;
    hsize_t sizes[H5S_MAX_RANK];
    hsize_t count; /* of numbers */
} hdf5_part;

typedef struct hdf5_file {
    const char *path;
    hid_t id;
    hdf5_part parts[PART_COUNT];
} hdf5_file;

/* ---------------------------------------------------------------- shapes */

static const char *axis_name(char axis)
{
    switch (axis) {
    case 'N':
        return "points";
    case 'n':
        return "inputs";
    case 'm':
        return "outputs";
    default:
        return "directions";
    }
}

/* The documented shape; returns its rank. */
static int full_shape(const dataset *d, dataset_part part, hsize_t sizes[MOST_AXES])
{
    int rank = (int)strlen(hdf5_part_axes[part]);
    for (int i = 0; i < rank; ++i)
        sizes[i] = (hsize_t)hdf5_axis_size(d, hdf5_part_axes[part][i]);
    return rank;
}

static status check_shape(const hdf5_file *f, const dataset *d, dataset_part part)
{
    hsize_t full[MOST_AXES] = {0};
    const hdf5_part *p = &f->parts[part];
    int rank = full_shape(d, part, full);
    if (hdf5_shape_fits(p->sizes, p->rank, full, rank))
        return STATUS_OK;
    char axes[64] = "";
    for (int i = 0; i < rank; ++i)
        snprintf(axes + strlen(axes), sizeof axes - strlen(axes), "%s%s", i ? ", " : "", axis_name(hdf5_part_axes[part][i]));
    return status_fail(STATUS_BAD_FILE, "%s: error: %s has the shape %s, expected %s: %s%s", f->path, dataset_part_names[part],
                       hdf5_shape(p->sizes, p->rank).text, hdf5_shape(full, rank).text, axes, rank > 2 ? ", where a 1 may be left out" : "");
}

/* What is left of the part's count for the one size that is not known yet (0 in d); at least 1, so that check_shape() has
 * something to expect. */
static int missing_size(const dataset *d, dataset_part part, const hdf5_part *p)
{
    hsize_t left = p->count;
    for (const char *axis = hdf5_part_axes[part]; *axis; ++axis) {
        int size = hdf5_axis_size(d, *axis);
        left /= (hsize_t)(size ? size : 1);
    }
    return left < 1 ? 1 : left < INT_MAX ? (int)left : INT_MAX;
}

/* Of the network's size or, where that is 0, the file's. */
static status find_size(const hdf5_file *f, dataset_part part, const dataset *d, int network, const char *what, int *size)
{
    const hdf5_part *p = &f->parts[part];
    int found = missing_size(d, part, p);
    *size = network ? network : found;
    if (p->rank <= 2 && p->sizes[0] == (hsize_t)d->points && *size != found)
        return status_fail(STATUS_BAD_FILE, "%s: error: %s has %d %s%s, the network has %d", f->path, dataset_part_names[part], found, what,
                           found > 1 ? "s" : "", network);
    return STATUS_OK;
}

static status find_sizes(const hdf5_file *f, const file_request *r, dataset *d)
{
    static const dataset_part with_outputs[] = {PART_Y, PART_JACOBIAN, PART_JVP, PART_HESSIAN, PART_HVP};
    d->points = (int)f->parts[PART_X].sizes[0];
    status s = find_size(f, PART_X, d, r->inputs, "input", &d->inputs);
    if (s != STATUS_OK)
        return s;
    if (f->parts[PART_V].id)
        d->directions = missing_size(d, PART_V, &f->parts[PART_V]);
    if (f->parts[PART_Y].id)
        return find_size(f, PART_Y, d, r->outputs, "output", &d->outputs);
    int outputs = r->outputs;
    for (size_t i = 0; i < sizeof with_outputs / sizeof *with_outputs && !outputs; ++i)
        if (f->parts[with_outputs[i]].id)
            outputs = missing_size(d, with_outputs[i], &f->parts[with_outputs[i]]);
    d->outputs = outputs;
    return STATUS_OK;
}

/* ---------------------------------------------------------------- reading */

static status part_fail(const hdf5_file *f, dataset_part part, const char *text)
{
    return status_fail(STATUS_BAD_FILE, "%s: error: %s %s", f->path, dataset_part_names[part], text);
}

static status read_shape(const hdf5_file *f, dataset_part part, hdf5_part *p)
{
    hid_t space = H5Dget_space(p->id);
    p->rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, p->sizes, NULL);
    if (space >= 0)
        H5Sclose(space);
    if (p->rank < 0)
        return part_fail(f, part, "has a shape that cannot be read");
    if (p->rank == 0)
        return part_fail(f, part, "is a single number, not one per point");
    p->count = 1;
    for (int i = 0; i < p->rank; ++i) {
        if (p->sizes[i] == 0)
            return part_fail(f, part, "is empty");
        if (p->sizes[i] >= INT_MAX || __builtin_mul_overflow(p->count, p->sizes[i], &p->count))
            return part_fail(f, part, "is larger than this program can handle");
    }
    return STATUS_OK;
}

static status open_part(hdf5_file *f, dataset_part part)
{
    const char *name = dataset_part_names[part];
    hdf5_part *p = &f->parts[part];
    htri_t exists = H5Lexists(f->id, name, H5P_DEFAULT);
    if (exists == 0)
        return STATUS_OK;
    hid_t id = exists < 0 ? H5I_INVALID_HID : H5Dopen2(f->id, name, H5P_DEFAULT);
    if (id < 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: %s cannot be opened: %s", f->path, name, hdf5_reason().text);
    p->id = id;
    const char *problem = hdf5_type_problem(id);
    status s = read_shape(f, part, p);
    if (s == STATUS_OK)
        s = problem ? part_fail(f, part, problem) : STATUS_OK;
    if (s == STATUS_OK && hdf5_is_never_written(id))
        s = part_fail(f, part, "was created in the file, but never written");
    return s;
}

/* What the file has of the wanted parts, and whether that makes sense. */
static status open_parts(hdf5_file *f, const file_request *r)
{
    status s = STATUS_OK;
    for (dataset_part part = 0; part < PART_COUNT && s == STATUS_OK; ++part)
        if (is_wanted(r, part))
            s = open_part(f, part);
    if (s != STATUS_OK)
        return s;
    if (!f->parts[PART_X].id)
        return status_fail(STATUS_BAD_FILE, "%s: error: holds no data set x", f->path);
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        if (f->parts[part].id && 1 << part & ALONG_V_BITS && !f->parts[PART_V].id)
            return status_fail(STATUS_BAD_FILE, "%s: error: %s needs the directions v, which are missing", f->path, dataset_part_names[part]);
    return STATUS_OK;
}

/* Tiny files can claim any size. */
static status check_memory(const hdf5_file *f)
{
    double needed = 0, memory = machine_memory(), gigabyte = 1 << 30;
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        needed += f->parts[part].id ? (double)f->parts[part].count * sizeof(double) : 0;
    if (needed <= memory)
        return STATUS_OK;
    return status_fail(STATUS_BAD_FILE, "%s: error: needs %.0f GB of memory, this machine has %.0f", f->path, needed / gigabyte, memory / gigabyte);
}

/* `at` counts numbers from the part's first; shown as the index in the file. */
static status value_fail(const hdf5_file *f, dataset_part part, size_t at, const char *problem)
{
    const hdf5_part *p = &f->parts[part];
    hsize_t index[H5S_MAX_RANK];
    for (int i = p->rank - 1; i >= 0; --i) {
        index[i] = at % p->sizes[i];
        at /= p->sizes[i];
    }
    return status_fail(STATUS_BAD_FILE, "%s: error: %s%s (counted from 0) %s", f->path, dataset_part_names[part],
                       hdf5_shape(index, p->rank).text, problem);
}

static status read_part(const hdf5_file *f, dataset_part part, double *values)
{
    const hdf5_part *p = &f->parts[part];
    if (H5Dread(p->id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) < 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: %s cannot be read: %s", f->path, dataset_part_names[part], hdf5_read_reason(p->id).text);
    for (size_t i = 0; i < p->count; ++i) {
        const char *problem = file_value_problem(part, values[i]);
        if (problem)
            return value_fail(f, part, i, problem);
    }
    return STATUS_OK;
}

static status read_parts(hdf5_file *f, const file_request *r, dataset *d)
{
    status s = open_parts(f, r);
    if (s == STATUS_OK)
        s = find_sizes(f, r, d);
    unsigned parts = 0;
    for (dataset_part part = 0; part < PART_COUNT && s == STATUS_OK; ++part) {
        if (!f->parts[part].id)
            continue;
        s = check_shape(f, d, part);
        parts |= 1u << part;
    }
    if (s == STATUS_OK)
        s = check_memory(f);
    if (s == STATUS_OK)
        s = dataset_allocate(d, parts);
    for (dataset_part part = 0; part < PART_COUNT && s == STATUS_OK; ++part)
        if (parts & 1u << part)
            s = read_part(f, part, d->parts[part]);
    return s;
}

static status open_and_read(const file_request *r, dataset *d)
{
    hdf5_file f = {.path = r->path};
    if (hdf5_open(r->path, &f.id) != STATUS_OK)
        return STATUS_BAD_FILE;
    status s = read_parts(&f, r, d);
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        if (f.parts[part].id)
            H5Dclose(f.parts[part].id);
    H5Fclose(f.id);
    return s;
}

status file_hdf5_read(const file_request *r, dataset *d)
{
    hdf5_session q = hdf5_begin();
    status s = open_and_read(r, d);
    hdf5_end(q);
    return s;
}

/* ---------------------------------------------------------------- writing */

static bool put_part(hid_t file, const dataset *d, dataset_part part)
{
    hsize_t sizes[MOST_AXES];
    hid_t space = H5Screate_simple(full_shape(d, part, sizes), sizes, NULL);
    hid_t set = H5Dcreate2(file, dataset_part_names[part], H5T_IEEE_F64LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    bool written = H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, d->parts[part]) >= 0;
    return H5Dclose(set) >= 0 && H5Sclose(space) >= 0 && written;
}

/* The bytes of an HDF5 file in memory, owned by `file`. */
static bool image_make(hid_t file, const dataset *d, void **image, size_t *bytes)
{
    bool made = true;
    for (dataset_part part = 0; part < PART_COUNT && made; ++part)
        made = !d->parts[part] || put_part(file, d, part);
    void **handle = NULL;
    made = made && H5Fflush(file, H5F_SCOPE_GLOBAL) >= 0 && H5Fget_vfd_handle(file, H5P_DEFAULT, (void **)&handle) >= 0;
    ssize_t size = made ? H5Fget_file_image(file, NULL, 0) : -1; /* the memory is larger */
    *image = size > 0 ? *handle : NULL;
    *bytes = size > 0 ? (size_t)size : 0;
    return size > 0;
}

status file_hdf5_write(FILE *f, const char *path, const dataset *d)
{
    const size_t increment = 1 << 20;
    hdf5_session q = hdf5_begin();
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    H5Pset_fapl_core(access, increment, false);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
    void *image;
    size_t bytes;
    status s = STATUS_OK;
    if (file >= 0 && image_make(file, d, &image, &bytes))
        fwrite(image, 1, bytes, f);
    else
        s = status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", path, hdf5_reason().text);
    if (file >= 0)
        H5Fclose(file);
    H5Pclose(access);
    hdf5_end(q);
    return s;
}
