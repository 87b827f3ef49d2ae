/* Counter-based random numbers: Philox4x32-10 of Random123.
 *
 * A number is a function of (seed, purpose, index, position) and of nothing else: there is no state to save, and the
 * numbers do not depend on threads, on the order of calls or on the backend. */
#ifndef DNX_CORE_RANDOM_H
#define DNX_CORE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "core/real.h"

typedef enum random_purpose {
    RANDOM_INITIALISATION = 1, /* index: layer and parameter */
    RANDOM_TRAINING_POINTS,
    RANDOM_TEST_POINTS,
    RANDOM_SHUFFLE,    /* index: epoch */
    RANDOM_DROPOUT,    /* index: layer */
    RANDOM_OUTPUT_DIRECTIONS, /* v of order 1 */
    RANDOM_INPUT_DIRECTIONS,  /* v of order 2 */
    RANDOM_CHECK,
    RANDOM_PILOT_POINTS,      /* where steps of finite differences are tried; index: coordinate */
    RANDOM_SPLIT,             /* which samples of a file are for tests */
    RANDOM_AUGMENT            /* how training pictures are changed */
} random_purpose;

/* Seeds beyond this are refused: other programs that read summary.json may keep numbers in doubles. */
#define RANDOM_LARGEST_SEED 9007199254740992 /* 2^53 */

typedef struct random_stream {
    uint64_t seed;
    uint32_t purpose;
    uint32_t index;
} random_stream;

/* Uniform numbers of the open interval (low, high) at positions first .. first+n-1. */
void random_uniform(random_stream stream, uint64_t first, size_t n, double low, double high, real *out);

/* Standard normal numbers (Box-Muller, computed in double) at positions first .. first+n-1. */
void random_normal(random_stream stream, uint64_t first, size_t n, real *out);

/* One uniform number in (0,1) with 32 bits. */
double random_one(random_stream stream, uint64_t position);

/* A permutation of 0..n-1 (Fisher-Yates) that is a function of the stream. */
void random_permutation(random_stream stream, uint32_t n, uint32_t *out);

#endif
