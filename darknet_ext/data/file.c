#include "data/file.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/file.h"
#include "data/file_formats.h"

typedef struct file_format {
    const char *ending;
    status (*read)(const file_request *r, dataset *d);
    status (*write)(FILE *f, const char *path, const dataset *d);
} file_format;

static const file_format formats[] = {
    {".h5", file_hdf5_read, file_hdf5_write},
    {".hdf5", file_hdf5_read, file_hdf5_write},
    {".csv", file_csv_read, file_csv_write},
};

static const file_format *find_format(const char *path)
{
    for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
        size_t length = strlen(path), ending = strlen(formats[i].ending);
        if (length > ending && !strcasecmp(path + length - ending, formats[i].ending))
            return &formats[i];
    }
    status_fail(STATUS_BAD_FILE, "%s: error: the name of a data set must end in .h5, .hdf5 or .csv", path);
    return NULL;
}

static void find_ranges(dataset *d)
{
    for (int j = 0; j < d->inputs; ++j)
        d->low[j] = d->high[j] = d->parts[PART_X][j];
    for (int i = 1; i < d->points; ++i) {
        const double *x = dataset_at(d, PART_X, (size_t)i);
        for (int j = 0; j < d->inputs; ++j) {
            d->low[j] = fmin(d->low[j], x[j]);
            d->high[j] = fmax(d->high[j], x[j]);
        }
    }
}

static status check_is_file(const char *path)
{
    struct stat info;
    status s = file_check_regular(path);
    if (s != STATUS_OK)
        return s;
    if (access(path, R_OK) != 0 || stat(path, &info) != 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: %s", path, strerror(errno));
    return info.st_size > 0 ? STATUS_OK : status_fail(STATUS_BAD_FILE, "%s: error: the file is empty", path);
}

status dataset_check_name(const char *path)
{
    return find_format(path) ? STATUS_OK : STATUS_BAD_FILE;
}

status dataset_read(const char *path, int inputs, int outputs, unsigned wanted, dataset *d)
{
    *d = (dataset){0};
    file_request request = {path, inputs, outputs, wanted | PART_X_BIT};
    if (wanted & ALONG_V_BITS)
        request.wanted |= 1u << PART_V;
    const file_format *format = find_format(path);
    status s = format ? check_is_file(path) : STATUS_BAD_FILE;
    if (s == STATUS_OK)
        s = format->read(&request, d);
    if (s == STATUS_OK)
        find_ranges(d);
    else
        dataset_free(d);
    return s;
}

status dataset_write(const char *path, const dataset *d)
{
    const file_format *format = find_format(path);
    if (!format)
        return STATUS_BAD_FILE;
    char temporary[4096];
    FILE *f;
    status s = file_begin(path, temporary, sizeof temporary, &f);
    if (s != STATUS_OK)
        return s;
    s = format->write(f, path, d);
    if (s == STATUS_OK)
        return file_commit(f, temporary, path);
    file_abandon(f, temporary);
    return s;
}

status dataset_print(FILE *f, const char *name, const dataset *d)
{
    return file_csv_write(f, name, d);
}
