/* The names of columns in CSV files; private to data/file_csv*.c. */
#ifndef DNX_DATA_FILE_CSV_COLUMNS_H
#define DNX_DATA_FILE_CSV_COLUMNS_H

#include "data/file_formats.h"

/* Where the numbers of a column go. */
typedef struct csv_column {
    const char *name;   /* not owned */
    dataset_part part;  /* PART_COUNT: nowhere */
    size_t place;       /* within a sample of the part */
    size_t mirror;      /* the same place, or that of the other of two equal second derivatives, which has no column itself */
} csv_column;

/* Finds out what the named columns hold, and sets the sizes of d but `points`; `parts` (bits) are those the file has of the wanted
 * ones, each complete. STATUS_BAD_FILE with a sentence that names the column. */
status csv_columns_resolve(const file_request *r, csv_column *columns, int n, dataset *d, unsigned *parts);

/* The name of the column of that place, indices written out. */
typedef struct csv_name {
    char text[48];
} csv_name;

csv_name csv_column_name(const dataset *d, dataset_part part, size_t at);

#endif
