#include "data/hdf5_column.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

status column_fail(const hdf5_column *c, const char *problem)
{
    return status_fail(STATUS_BAD_FILE, "%s: error: %s %s", c->path, c->name, problem);
}

status column_fail_at(const hdf5_column *c, uint64_t row, size_t at, const char *problem)
{
    hsize_t index[H5S_MAX_RANK] = {row};
    for (int i = c->rank - 1; i > 0; --i) {
        index[i] = at % c->sizes[i];
        at /= c->sizes[i];
    }
    return status_fail(STATUS_BAD_FILE, "%s: error: %s%s (counted from 0) %s", c->path, c->name, hdf5_shape(index, c->rank).text, problem);
}

/* ---------------------------------------------------------------- opening */

static status read_shape(hdf5_column *c)
{
    hid_t space = H5Dget_space(c->set);
    c->rank = space < 0 ? -1 : H5Sget_simple_extent_dims(space, c->sizes, NULL);
    if (space >= 0)
        H5Sclose(space);
    if (c->rank < 1)
        return column_fail(c, c->rank < 0 ? "has a shape that cannot be read" : "is a single number, not one per sample");
    c->row_count = 1;
    for (int i = 0; i < c->rank; ++i) {
        if (c->sizes[i] == 0)
            return column_fail(c, "is empty");
        if (c->sizes[i] >= INT_MAX || (i > 0 && __builtin_mul_overflow(c->row_count, (size_t)c->sizes[i], &c->row_count)))
            return column_fail(c, "is larger than this program can handle");
    }
    c->rows = (uint32_t)c->sizes[0];
    return c->row_count < INT_MAX ? STATUS_OK : column_fail(c, "is larger than this program can handle");
}

/* Where the rows lie in the file, when they lie there as they are wanted. */
static void find_rows(hdf5_column *c, hid_t type, hid_t wanted)
{
    hid_t properties = H5Dget_create_plist(c->set);
    bool plain =
        properties >= 0 && H5Pget_layout(properties) == H5D_CONTIGUOUS && H5Pget_external_count(properties) == 0 && H5Tequal(type, wanted) > 0;
    if (properties >= 0)
        H5Pclose(properties);
    haddr_t offset = plain ? H5Dget_offset(c->set) : HADDR_UNDEF;
    if (offset == HADDR_UNDEF)
        return;
    struct stat info;
    c->offset = offset;
    c->descriptor = open(c->path, O_RDONLY | O_CLOEXEC);
    if (c->descriptor >= 0 && (fstat(c->descriptor, &info) != 0 || (uint64_t)info.st_size < c->offset + column_bytes(c))) {
        close(c->descriptor); /* the library says what is wrong */
        c->descriptor = -1;
    }
}

static hid_t memory_type(const hdf5_column *c)
{
    return c->kind == COLUMN_BYTES ? H5T_NATIVE_UINT8 : H5T_NATIVE_FLOAT;
}

static status read_type(hdf5_column *c)
{
    const char *problem = hdf5_type_problem(c->set);
    if (problem)
        return column_fail(c, problem);
    if (hdf5_is_never_written(c->set))
        return column_fail(c, "was created in the file, but never written");
    hid_t type = H5Dget_type(c->set);
    bool bytes = type >= 0 && H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 1 && H5Tget_sign(type) == H5T_SGN_NONE;
    c->kind = bytes ? COLUMN_BYTES : COLUMN_FLOATS;
    c->row_bytes = c->row_count * (bytes ? 1 : sizeof(float));
    if (type >= 0) {
        find_rows(c, type, memory_type(c));
        H5Tclose(type);
    }
    return STATUS_OK;
}

/* Its chunks in the library's cache, as many as fit. */
static hid_t open_set(hid_t file, const char *name, uint64_t cache)
{
    enum { SLOTS = 100003 /* a prime, many more than chunks fit */ };
    hid_t access = H5Pcreate(H5P_DATASET_ACCESS);
    H5Pset_chunk_cache(access, SLOTS, cache, H5D_CHUNK_CACHE_W0_DEFAULT);
    hid_t set = H5Dopen2(file, name, access);
    H5Pclose(access);
    return set;
}

static status read_description(hdf5_column *c)
{
    status s = read_shape(c);
    return s == STATUS_OK ? read_type(c) : s;
}

status column_open(hdf5_column *c, hid_t file, const char *path, const char *name, uint64_t budget)
{
    *c = (hdf5_column){.path = path, .name = name, .descriptor = -1};
    htri_t exists = H5Lexists(file, name, H5P_DEFAULT);
    if (exists == 0)
        return STATUS_OK;
    c->set = exists < 0 ? H5I_INVALID_HID : H5Dopen2(file, name, H5P_DEFAULT);
    status s = c->set < 0 ? STATUS_BAD_FILE : read_description(c);
    c->fits = s == STATUS_OK && column_bytes(c) <= budget;
    if (s == STATUS_OK && !c->fits && c->descriptor < 0) {
        H5Dclose(c->set);
        c->set = open_set(file, name, budget);
    }
    if (c->set < 0)
        s = status_fail(STATUS_BAD_FILE, "%s: error: %s cannot be opened: %s", path, name, hdf5_reason().text);
    if (s != STATUS_OK)
        column_close_within(c);
    return s;
}

static void look_at(hid_t file, const char *path, const char *name, uint64_t *bytes, uint64_t *numbers)
{
    hdf5_column c;
    bool there = column_open(&c, file, path, name, COLUMN_LOOK) == STATUS_OK && c.set > 0;
    *bytes = there ? column_bytes(&c) : 0;
    *numbers = there ? (uint64_t)c.rows * c.row_count : 0;
    column_close_within(&c);
}

uint64_t column_bytes_of(hid_t file, const char *path, const char *name)
{
    uint64_t bytes, numbers;
    look_at(file, path, name, &bytes, &numbers);
    return bytes;
}

uint64_t column_numbers_of(hid_t file, const char *path, const char *name)
{
    uint64_t bytes, numbers;
    look_at(file, path, name, &bytes, &numbers);
    return numbers;
}

void column_close_within(hdf5_column *c)
{
    if (c->set > 0)
        H5Dclose(c->set);
    if (c->set > 0 && c->descriptor >= 0)
        close(c->descriptor);
    free(c->memory);
    *c = (hdf5_column){.descriptor = -1};
}

void column_close(hdf5_column *c)
{
    hdf5_session session = hdf5_begin();
    column_close_within(c);
    hdf5_end(session);
}

/* ---------------------------------------------------------------- rows */

uint64_t column_bytes(const hdf5_column *c)
{
    return (uint64_t)c->rows * c->row_bytes;
}

static status read_from_file(const hdf5_column *c, uint32_t first, uint32_t n, char *to)
{
    size_t left = n * c->row_bytes;
    uint64_t at = c->offset + first * (uint64_t)c->row_bytes;
    while (left > 0) {
        ssize_t done = pread(c->descriptor, to, left, (off_t)at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return column_fail(c, done < 0 ? strerror(errno) : "cannot be read: the file has become shorter");
        to += done;
        at += (uint64_t)done;
        left -= (size_t)done;
    }
    return STATUS_OK;
}

static bool read_selection(const hdf5_column *c, uint32_t first, uint32_t n, void *to, hdf5_text *reason)
{
    hsize_t start[H5S_MAX_RANK] = {first}, count[H5S_MAX_RANK];
    memcpy(count, c->sizes, sizeof count);
    count[0] = n;
    hid_t rows = H5Dget_space(c->set), memory = H5Screate_simple(c->rank, count, NULL);
    bool read = H5Sselect_hyperslab(rows, H5S_SELECT_SET, start, NULL, count, NULL) >= 0 &&
                H5Dread(c->set, memory_type(c), memory, rows, H5P_DEFAULT, to) >= 0;
    if (!read)
        *reason = hdf5_read_reason(c->set);
    H5Sclose(memory);
    H5Sclose(rows);
    return read;
}

/* The first of n rows, not all of which can be read, that cannot. */
static uint32_t find_unreadable(const hdf5_column *c, uint32_t first, uint32_t n, void *to, hdf5_text *reason)
{
    while (n > 1) {
        const uint32_t half = n / 2;
        const bool good = read_selection(c, first, half, to, reason);
        first += good ? half : 0;
        n = good ? n - half : half;
    }
    return first;
}

static status read_through_library(const hdf5_column *c, uint32_t first, uint32_t n, void *to)
{
    status s = STATUS_OK;
    hdf5_session session = hdf5_begin();
    hdf5_text reason;
    if (!read_selection(c, first, n, to, &reason)) {
        const uint32_t row = find_unreadable(c, first, n, to, &reason);
        s = status_fail(STATUS_BAD_FILE, "%s: error: %s cannot be read at row %lu: %s", c->path, c->name, (unsigned long)row, reason.text);
    }
    hdf5_end(session);
    return s;
}

static status read_rows(const hdf5_column *c, uint32_t first, uint32_t n, void *to)
{
    return c->descriptor >= 0 ? read_from_file(c, first, n, to) : read_through_library(c, first, n, to);
}

status column_check_finite(const hdf5_column *c, uint32_t first, uint32_t n, const float *values, bool allowed)
{
    for (uint32_t row = first; row < first + n; ++row)
        for (size_t i = 0; i < c->row_count; ++i, ++values)
            if (!isfinite(*values) && !(allowed && isnan(*values)))
                return column_fail_at(c, row, i, isnan(*values) ? "is not a number" : "is infinite, or too large for float");
    return STATUS_OK;
}

status column_load(hdf5_column *c, bool allowed)
{
    const size_t piece = (size_t)64 << 20; /* bytes that one call of the library reads */
    if (c->memory || !c->fits)
        return STATUS_OK;
    char *memory = malloc(column_bytes(c));
    if (!memory)
        return status_fail(STATUS_NO_MEMORY, "%s: error: no memory for %s (%.0f MB)", c->path, c->name, (double)column_bytes(c) / (1 << 20));
    uint32_t rows = c->row_bytes < piece ? (uint32_t)(piece / c->row_bytes) : 1;
    status s = STATUS_OK;
    for (uint32_t row = 0; row < c->rows && s == STATUS_OK; row += rows)
        s = read_rows(c, row, rows < c->rows - row ? rows : c->rows - row, memory + row * c->row_bytes);
    if (s == STATUS_OK && c->kind == COLUMN_FLOATS)
        s = column_check_finite(c, 0, c->rows, (const float *)memory, allowed);
    if (s == STATUS_OK)
        c->memory = memory;
    else
        free(memory);
    return s;
}

static status read_doubles(const hdf5_column *c, double *values)
{
    hdf5_session session = hdf5_begin();
    bool read = H5Dread(c->set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    status s = read ? STATUS_OK : status_fail(STATUS_BAD_FILE, "%s: error: %s cannot be read: %s", c->path, c->name, hdf5_read_reason(c->set).text);
    hdf5_end(session);
    return s;
}

/* The library would cut fractions off and take the nearest integer that there is for one too large: different episodes would become one. */
status column_integers(const hdf5_column *c, bool allowed, int32_t *values)
{
    const size_t count = c->rows * c->row_count;
    double *numbers = allocate_zeroed(count, sizeof *numbers);
    status s = numbers ? read_doubles(c, numbers) : STATUS_NO_MEMORY;
    for (size_t i = 0; i < count && s == STATUS_OK; ++i) {
        double number = allowed && isnan(numbers[i]) ? -1 : numbers[i];
        if (!(number >= INT32_MIN && number <= INT32_MAX && number == floor(number)))
            s = column_fail_at(c, i / c->row_count, i % c->row_count, "is no whole number of 32 bits");
        else
            values[i] = (int32_t)number;
    }
    free(numbers);
    return s;
}

status column_rows(const hdf5_column *c, uint32_t first, uint32_t n, void *scratch, const void **rows)
{
    *rows = c->memory ? (const char *)c->memory + first * c->row_bytes : scratch;
    return c->memory ? STATUS_OK : read_rows(c, first, n, scratch);
}

void column_to_floats(column_kind kind, const void *from, size_t count, double scale, float *to)
{
    const unsigned char *bytes = from;
    const float *floats = from;
    for (size_t i = 0; i < count; ++i)
        to[i] = (float)(scale * (kind == COLUMN_BYTES ? (double)bytes[i] : (double)floats[i]));
}
