#include "data/weights_file.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "core/file.h"

typedef struct weights_header {
    int32_t major, minor, revision;
} weights_header;

/* Darknet counts samples in 64 bits from version 0.2 on, in 32 bits before. */
static bool has_long_count(const weights_header *h)
{
    return h->major * 10 + h->minor >= 2 && h->major < 1000 && h->minor < 1000;
}

static status bad_file(const char *path, const char *text)
{
    return status_fail(STATUS_BAD_FILE, "%s: error: %s", path, text);
}

static status read_header(FILE *f, const char *path, size_t size, uint64_t *seen, size_t *header_size)
{
    weights_header h;
    if (fread(&h, sizeof h, 1, f) != 1)
        return bad_file(path, "too short to be a Darknet weights file");
    if (h.major < 0 || h.minor < 0 || h.major > 1000 || h.minor > 1000)
        return bad_file(path, "not a Darknet weights file (its version makes no sense)");
    uint32_t short_seen = 0;
    bool wide = has_long_count(&h);
    if (wide ? fread(seen, sizeof *seen, 1, f) != 1 : fread(&short_seen, sizeof short_seen, 1, f) != 1)
        return bad_file(path, "too short to be a Darknet weights file");
    if (!wide)
        *seen = short_seen;
    *header_size = sizeof h + (wide ? sizeof *seen : sizeof short_seen);
    return size >= *header_size ? STATUS_OK : bad_file(path, "too short to be a Darknet weights file");
}

enum { ANY_COUNT = -1 };

static status check_length(const char *path, size_t bytes, size_t expected, const weights_file *w)
{
    if (expected == (size_t)ANY_COUNT)
        return bytes % sizeof *w->values == 0 ? STATUS_OK : bad_file(path, "ends in the middle of a number");
    if (bytes != expected * sizeof *w->values)
        return status_fail(STATUS_BAD_FILE, "%s: error: holds %zu bytes of weights, the network needs %zu: the file is %s, or belongs to another network",
                           path, bytes, expected * sizeof *w->values, bytes < expected * sizeof *w->values ? "truncated" : "too long");
    return STATUS_OK;
}

static status read_values(FILE *f, const char *path, size_t bytes, size_t expected, weights_file *w)
{
    status s = check_length(path, bytes, expected, w);
    if (s != STATUS_OK)
        return s;
    w->count = bytes / sizeof *w->values;
    w->values = malloc(bytes ? bytes : 1);
    if (!w->values)
        return status_fail(STATUS_NO_MEMORY, "%s: error: no memory for %zu bytes of weights", path, bytes);
    if (fread(w->values, sizeof *w->values, w->count, f) != w->count)
        return bad_file(path, "cannot be read to its end");
    for (size_t i = 0; i < w->count; ++i)
        if (!isfinite(w->values[i]))
            return status_fail(STATUS_BAD_FILE, "%s: error: weight %zu is not a finite number", path, i);
    return STATUS_OK;
}

status weights_file_read(const char *path, size_t expected, weights_file *w)
{
    *w = (weights_file){0};
    struct stat info;
    if (file_check_regular(path) != STATUS_OK)
        return STATUS_BAD_FILE;
    FILE *f = fopen(path, "rb");
    if (!f || fstat(fileno(f), &info) != 0) {
        status s = status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened: %s", path, strerror(errno));
        if (f)
            fclose(f);
        return s;
    }
    size_t header_size = 0;
    status s = read_header(f, path, (size_t)info.st_size, &w->seen, &header_size);
    if (s == STATUS_OK)
        s = read_values(f, path, (size_t)info.st_size - header_size, expected, w);
    fclose(f);
    if (s != STATUS_OK)
        weights_file_free(w);
    return s;
}

status weights_file_read_any(const char *path, weights_file *w)
{
    return weights_file_read(path, (size_t)ANY_COUNT, w);
}

void weights_file_free(weights_file *w)
{
    free(w->values);
    *w = (weights_file){0};
}

status weights_file_check_variances(const weights_file *w, const char *path, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; ++i)
        if (w->values[i] < 0)
            return status_fail(STATUS_BAD_FILE, "%s: error: weight %zu is a rolling variance, and negative (%g)", path, i, (double)w->values[i]);
    return STATUS_OK;
}

void weights_file_print(FILE *f, uint64_t seen, const weights_block *blocks, size_t n_blocks)
{
    static const weights_header header = {0, 2, 0};
    fwrite(&header, sizeof header, 1, f);
    fwrite(&seen, sizeof seen, 1, f);
    for (size_t i = 0; i < n_blocks; ++i)
        fwrite(blocks[i].values, sizeof *blocks[i].values, blocks[i].count, f);
}

status weights_file_write(const char *path, uint64_t seen, const weights_block *blocks, size_t n_blocks)
{
    char temporary[4096];
    FILE *f;
    status s = file_begin(path, temporary, sizeof temporary, &f);
    if (s != STATUS_OK)
        return s;
    weights_file_print(f, seen, blocks, n_blocks);
    return file_commit(f, temporary, path);
}
