/* Where the samples of a [data] section come from: built-in functions, a black box, files that are read whole, files and pictures that are read in
 * pieces (data/stream_source.h), or (with a teacher) points of a domain alone. */
#ifndef DNX_DATA_DATA_SOURCE_H
#define DNX_DATA_DATA_SOURCE_H

#include <stdio.h>

#include "data/black_box.h"
#include "data/function_data.h"
#include "data/stream_source.h"

/* What a network asks of its data. */
typedef struct data_needs {
    int inputs, outputs;
    tensor_shape input;    /* channels 0: nobody looks at the shape */
    const struct picture_tools *pictures; /* of the program; NULL: there are no pictures */
    int order;             /* of the labels its loss looks at */
    int evaluation_order;  /* of the derivatives its test errors look at */
    int directions;        /* vectors that each label must bring along */
    bool needs_values;     /* the loss looks at values */
    bool needs_first;      /* and at first derivatives */
    bool head;             /* what is differentiated is a function of values: there is no loss on derivatives without them */
    bool teacher;          /* the loss and the test errors find their labels with a teacher where the data has none */
    bool whole_jacobian;   /* needed also where the labels bring products along */
    uint64_t seed;
    int processes;         /* for black boxes */
} data_needs;

typedef struct data_source {
    const section *where;  /* borrowed, as is `path` */
    const char *path;
    data_needs needs;
    function_data functions; /* n_functions 0: none */
    black_box *box;          /* NULL: none */
    dataset samples, test_samples; /* of files, as they stand there; points 0: none */
    stream_source streams;   /* of samples read in pieces; stream NULL: none */
    double *low, *high;      /* [inputs], owned: the box of the points (0..1 of samples read in pieces) */
} data_source;

/* Checks the section against the needs (messages name its lines), reads files, finds the black box. */
status data_source_open(data_source *d, const section *where, const char *path, const data_needs *needs);
void data_source_free(data_source *d);

/* Whether samples are read in pieces: then `streams` has the sets, and data_source_training and data_source_test fail. */
bool data_source_is_streamed(const data_source *d);

/* The training and the test set, each with the parts that the needs ask for and the source has. */
status data_source_training(const data_source *d, dataset *set);
status data_source_test(const data_source *d, dataset *set);

/* Whether data_source_evaluate can be asked: there is a function behind the samples. */
bool data_source_is_function(const data_source *d);
/* Values [points, outputs] and, when not NULL, the Jacobian [points, outputs, inputs] at given points. */
status data_source_evaluate(const data_source *d, const double *x, int points, double *y, double *jacobian);

/* A sentence per coordinate on the finite differences that were used; nothing for other sources. */
void data_source_describe(const data_source *d, FILE *out);

#endif
