#include "fuzz_file.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "data/file.h"

static void put(const char *path, const uint8_t *data, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(data, 1, size, f) != size || fclose(f) != 0)
        abort();
}

/* Messages are safe to show on a terminal, and begin with the path unless memory ran out. */
static void check_message(status s, const char *path)
{
    const char *text = status_text();
    if (s != STATUS_NO_MEMORY && (s != STATUS_BAD_FILE || strncmp(text, path, strlen(path)) != 0 || !strstr(text, "error: ")))
        abort();
    for (; *text; ++text)
        if ((unsigned char)*text < 0x20 || *text == 0x7F)
            abort();
}

static void check_part(const dataset *d, dataset_part part)
{
    for (size_t i = 0; i < (size_t)d->points * dataset_part_size(d, part); ++i) {
        double value = d->parts[part][i];
        if (isinf(value) || (isnan(value) && (part == PART_X || part == PART_V || part == PART_V_WEIGHT)))
            abort();
    }
}

static void check_good(const dataset *d, int inputs, int outputs, unsigned wanted)
{
    if (!d->parts[PART_X] || d->points < 1 || (inputs && d->inputs != inputs) || (outputs && d->outputs != outputs))
        abort();
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        if (d->parts[part])
            check_part(d, part);
    for (int j = 0; j < d->inputs; ++j)
        if (!(d->low[j] <= d->high[j]))
            abort();
}

static void check_equal(const dataset *a, const dataset *b)
{
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        if (!a->parts[part] != !b->parts[part])
            abort();
        size_t count = a->parts[part] ? (size_t)a->points * dataset_part_size(a, part) : 0;
        if (count != (b->parts[part] ? (size_t)b->points * dataset_part_size(b, part) : 0))
            abort();
        for (size_t i = 0; i < count; ++i)
            if (a->parts[part][i] != b->parts[part][i] && !isnan(a->parts[part][i] + b->parts[part][i]))
                abort();
    }
}

static void check_written(const char *path, const dataset *d)
{
    dataset again;
    if (dataset_write(path, d) != STATUS_OK || dataset_read(path, 0, 0, ALL_PARTS, &again) != STATUS_OK)
        abort();
    check_equal(d, &again);
    dataset_free(&again);
}

int fuzz_file(const char *ending, const uint8_t *data, size_t size)
{
    static const struct {
        int inputs, outputs;
        unsigned wanted;
    } requests[] = {{0, 0, ALL_PARTS}, {2, 1, ALL_PARTS}, {0, 0, 0}, {0, 3, 1 << PART_JACOBIAN | 1 << PART_HVP}};
    static const dataset empty;
    const char *folder = getenv("TMPDIR");
    char path[512];
    snprintf(path, sizeof path, "%s/fuzz_%ld.%s", folder ? folder : "/tmp", (long)getpid(), ending);
    put(path, data, size);
    for (size_t i = 0; i < sizeof requests / sizeof *requests; ++i) {
        dataset d;
        status s = dataset_read(path, requests[i].inputs, requests[i].outputs, requests[i].wanted, &d);
        if (s != STATUS_OK) {
            check_message(s, path);
            if (memcmp(&d, &empty, sizeof d) != 0)
                abort();
            continue;
        }
        check_good(&d, requests[i].inputs, requests[i].outputs, requests[i].wanted);
        if (i == 0)
            check_written(path, &d);
        dataset_free(&d);
        put(path, data, size);
    }
    unlink(path);
    return 0;
}
