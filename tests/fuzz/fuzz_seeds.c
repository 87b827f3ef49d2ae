/* Writes small good files for the fuzz targets of data files to begin with.
 *
 *     fuzz_seeds FOLDER_OF_CSV FOLDER_OF_HDF5 */
#include <math.h>
#include <stdio.h>

#include "data/file.h"

static const struct {
    int inputs, outputs, directions;
    unsigned parts;
} seeds[] = {
    {2, 1, 1, ALL_PARTS},
    {1, 2, 1, ALL_PARTS},
    {2, 2, 0, 1 << PART_X | 1 << PART_Y | 1 << PART_JACOBIAN | 1 << PART_HESSIAN},
    {3, 1, 0, 1 << PART_X | 1 << PART_Y},
    {2, 1, 3, ALL_PARTS},
    {2, 3, 1, 1 << PART_X | 1 << PART_V | 1 << PART_HVP},
};

static void fill(dataset *d)
{
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        for (size_t i = 0; d->parts[part] && i < (size_t)d->points * dataset_part_size(d, part); ++i)
            d->parts[part][i] = part == PART_Y && i == 1 ? NAN : (double)i * (part == PART_JACOBIAN ? .5 : 1);
}

int main(int count, char **words)
{
    static const char *const endings[] = {"csv", "h5"};
    if (count != 3)
        return 2;
    for (size_t i = 0; i < sizeof seeds / sizeof *seeds; ++i) {
        dataset d = {.points = 3, .inputs = seeds[i].inputs, .outputs = seeds[i].outputs, .directions = seeds[i].directions};
        if (dataset_allocate(&d, seeds[i].parts) != STATUS_OK)
            return 1;
        fill(&d);
        for (int k = d.directions > 1; k < 2; ++k) {
            char path[512];
            snprintf(path, sizeof path, "%s/seed_%zu.%s", words[1 + k], i, endings[k]);
            if (dataset_write(path, &d) != STATUS_OK) {
                fprintf(stderr, "%s\n", status_text());
                return 1;
            }
        }
        dataset_free(&d);
    }
    return 0;
}
