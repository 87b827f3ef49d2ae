/* What is in a file of samples, and what is wrong with it: `darknet sobolev data inspect`. */
#ifndef DNX_PROGRAM_INSPECT_H
#define DNX_PROGRAM_INSPECT_H

#include "core/status.h"

/* Of the numbers of one data set. */
typedef struct number_range {
    double low, high, sum;
    unsigned long given, missing, infinite;
} number_range;

void range_add(number_range *r, double value);
/* "0 .. 255, mean 12.5, 3 of 100 missing" */
void range_print(const number_range *r);

/* Each prints what it finds, and a line "problem: …" for each thing that is wrong, counted in *problems. STATUS_BAD_FILE when the file cannot be
 * read at all. */
status inspect_hdf5(const char *path, int *problems);
status inspect_csv(const char *path, int *problems);
status inspect_picture_data(const char *path, int *problems); /* a .data file */
status inspect_picture_list(const char *path, int *problems);

/* Prints the sentence of a failed status as a problem; STATUS_NO_MEMORY is passed on. */
status inspect_problem(status s, int *problems);

#endif
