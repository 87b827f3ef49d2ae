/* `darknet sobolev data inspect FILE`. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "data/file.h"
#include "program/arguments.h"
#include "program/inspect.h"

void range_add(number_range *r, double value)
{
    if (isnan(value)) {
        ++r->missing;
    } else if (isinf(value)) {
        ++r->infinite;
    } else {
        r->low = r->given ? fmin(r->low, value) : value;
        r->high = r->given ? fmax(r->high, value) : value;
        r->sum += value;
        ++r->given;
    }
}

void range_print(const number_range *r)
{
    unsigned long all = r->given + r->missing + r->infinite;
    if (r->given > 0)
        printf("%.6g .. %.6g, mean %.6g", r->low, r->high, r->sum / (double)r->given);
    else
        printf("no number");
    if (r->missing > 0)
        printf(", %lu of %lu are NaN", r->missing, all);
    if (r->infinite > 0)
        printf(", %lu of %lu are infinite", r->infinite, all);
}

status inspect_problem(status s, int *problems)
{
    if (s == STATUS_OK || s == STATUS_NO_MEMORY)
        return s;
    printf("problem: %s\n", status_text());
    ++*problems;
    return STATUS_OK;
}

/* ---------------------------------------------------------------- CSV */

static void print_part(const dataset *d, dataset_part part)
{
    number_range r = {0};
    size_t size = dataset_part_size(d, part);
    for (size_t i = 0; i < (size_t)d->points * size; ++i)
        range_add(&r, d->parts[part][i]);
    printf("%-10s %-8s [%d, %zu]  ", dataset_part_names[part], "text", d->points, size);
    range_print(&r);
    putchar('\n');
}

status inspect_csv(const char *path, int *problems)
{
    dataset d;
    status s = dataset_read(path, 0, 0, ALL_PARTS, &d);
    if (s != STATUS_OK)
        return inspect_problem(s, problems);
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        if (d.parts[part])
            print_part(&d, part);
    dataset_free(&d);
    return STATUS_OK;
}

/* ---------------------------------------------------------------- the verb */

typedef struct file_kind {
    const char *ending, *name;
    status (*inspect)(const char *path, int *problems);
} file_kind;

static const file_kind kinds[] = {
    {".h5", "HDF5", inspect_hdf5},
    {".hdf5", "HDF5", inspect_hdf5},
    {".csv", "CSV", inspect_csv},
    {".data", "Darknet's .data", inspect_picture_data},
    {"", "a list of pictures", inspect_picture_list},
};

static const file_kind *find_kind(const char *path)
{
    const file_kind *kind = kinds;
    while (*kind->ending && (strlen(path) <= strlen(kind->ending) || strcasecmp(path + strlen(path) - strlen(kind->ending), kind->ending) != 0))
        ++kind;
    return kind;
}

static int data(const arguments *a)
{
    const char *path = a->positional[1];
    int problems = 0;
    if (strcmp(a->positional[0], "inspect") != 0) {
        fprintf(stderr, "darknet sobolev data: error: '%s' is no word of this verb: usage: darknet sobolev data inspect FILE\n", a->positional[0]);
        return EXIT_USAGE;
    }
    const file_kind *kind = find_kind(path);
    printf("%s: %s\n", path, kind->name);
    status s = kind->inspect(path, &problems);
    if (s != STATUS_OK)
        return report_failure(s);
    if (problems == 0)
        printf("no problems found\n");
    return problems ? EXIT_FAILED : EXIT_OK;
}

const verb verb_data = {
    .name = "data",
    .synopsis = "inspect FILE",
    .meaning = "say what is in a file of samples, and what is wrong with it",
    .details = "FILE is HDF5 (.h5, .hdf5), CSV (.csv), one of Darknet's .data files, or a list of pictures. Prints the data sets with their types,\n"
               "shapes and ranges, missing labels, classes, episodes and their lengths; of pictures their number, sizes and classes (of long lists\n"
               "some are decoded). What is wrong is a line that begins with `problem:`, and status 1.\n",
    .least = 2,
    .most = 2,
    .run = data,
};
