/* The vectors v of the stochastic Sobolev loss (equation 2 of the paper), and the unit vectors of the full one. */
#ifndef DNX_ENGINE_DIRECTIONS_H
#define DNX_ENGINE_DIRECTIONS_H

#include "engine/objective.h"

typedef struct direction_source {
    projection_kind kind;
    uint64_t seed, step;
    int capacity;       /* of the tape: numbers of a step do not depend on the batch in use */
    const jet *samples; /* NULL: fresh every step; else v is a function of the sample's own numbers (and the seed) */
} direction_source;

/* Writes n directions of `count` elements for each sample, each `repeats` times in a row: out[n * repeats][batch][count].
 * `unit_vectors`: direction i is the i-th unit vector (n <= count), else random of the source's kind. */
void directions_fill(const direction_source *source, random_purpose purpose, bool unit_vectors, int n, int repeats, int batch,
                     size_t count, real *out);

/* PROJECTION_CLASS: for each sample the unit vector of its largest value (of equal ones the first), `repeats` times. A value that is not given
 * (NaN) is none; a sample without any gets the direction 0. values: [batch][count]. */
void directions_of_class(const real *values, int repeats, int batch, size_t count, real *out);

/* Repeats the first n directions of `out` until there are n * copies. */
void directions_repeat(int n, int copies, int batch, size_t count, real *out);

#endif
