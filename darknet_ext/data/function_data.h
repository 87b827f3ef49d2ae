/* The built-in functions a [data] section names, and points drawn from them. */
#ifndef DNX_DATA_FUNCTION_DATA_H
#define DNX_DATA_FUNCTION_DATA_H

#include "core/options.h"
#include "core/random.h"
#include "data/dataset.h"

/* Which functions, on which domain: the checked meaning of [data]. */
typedef struct function_data {
    const struct target_function *functions[64]; /* one per output */
    int n_functions;
    int inputs;
    double *low, *high; /* [inputs], owned */
} function_data;

/* Reads [data]; messages name its line in `path`. `inputs` and `outputs` are the network's. */
status function_data_read(function_data *f, const section *s, const char *path, int inputs, int outputs);
void function_data_free(function_data *f);

/* Values [points, functions] and, when not NULL, the Jacobian [points, functions, inputs] at given points. */
void function_data_evaluate(const function_data *f, const double *x, int points, double *y, double *jacobian);

/* Allocates a set of d->points samples with their parts to `order` (-1: x alone), and draws x uniformly from a box with the numbers of
 * (seed, purpose). The sizes are set already; freed by the caller also on failure. */
status dataset_draw(dataset *d, const double *low, const double *high, int order, uint64_t seed, random_purpose purpose);

/* `points` samples drawn uniformly from the domain with the numbers of (seed, purpose), evaluated to `order`. */
status dataset_sample(dataset *d, const function_data *f, int points, int order, uint64_t seed, random_purpose purpose);

#endif
