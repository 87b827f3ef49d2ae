/* Points with values and derivatives, in memory, in double. */
#ifndef DNX_DATA_DATASET_H
#define DNX_DATA_DATASET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/status.h"

/* What a sample can hold. f has `outputs` components of `inputs` variables; v is one of `directions` vectors in the input
 * space that the sample brings along. In every part but x, v and v_weight NaN stands for "not given". */
typedef enum dataset_part {
    PART_X,        /* [inputs] */
    PART_Y,        /* [outputs]                      f(x) */
    PART_JACOBIAN, /* [outputs, inputs]              df_k / dx_j */
    PART_HESSIAN,  /* [outputs, inputs, inputs]      d2f_k / dx_i dx_j */
    PART_V,        /* [directions, inputs] */
    PART_V_WEIGHT, /* [directions]                   weight of the losses along v; not there: 1 */
    PART_JVP,      /* [directions, outputs]          J v */
    PART_HVP,      /* [directions, outputs, inputs]  H_k v */
    PART_COUNT
} dataset_part;

enum { PART_X_BIT = 1 << PART_X, ALL_PARTS = (1 << PART_COUNT) - 1 };

/* Names in files: x y dydx d2ydx2 v v_weight jvp hvp. */
extern const char *const dataset_part_names[PART_COUNT];

typedef struct dataset {
    int points, inputs, outputs, directions; /* directions 0: no v */
    double *parts[PART_COUNT]; /* each [points, ...] as above, owned; NULL: not there */
    double *low, *high;        /* [inputs], owned: where the points lie */
} dataset;

/* Numbers of one sample in that part. */
size_t dataset_part_size(const dataset *d, dataset_part part);

/* Where the part of a sample begins. */
static inline double *dataset_at(const dataset *d, dataset_part part, size_t sample)
{
    return d->parts[part] + sample * dataset_part_size(d, part);
}

/* Allocates (zeroed) the parts whose bits are set, for the sizes that are set already. Freed by the caller also on failure. */
status dataset_allocate(dataset *d, unsigned parts);

/* Copies `n` samples, by number, into a new data set with the same parts. */
status dataset_select(const dataset *from, const uint32_t *samples, int n, dataset *to);

/* The bits of those that are there. */
unsigned dataset_parts(const dataset *d);

/* x, y, and full derivatives up to the order, as bits. */
unsigned parts_to_order(int order);

/* Whether y and the full derivatives are finite in float, in which training computes. */
bool dataset_is_finite(const dataset *d);

/* Whether a part is there with at least one number that is given. */
bool dataset_has_given(const dataset *d, dataset_part part);

/* Mean and standard deviation of component k of a part, over the samples where it is given; returns how many they are. */
long dataset_component(const dataset *d, dataset_part part, int k, double *mean, double *deviation);

void dataset_free(dataset *d);

#endif
