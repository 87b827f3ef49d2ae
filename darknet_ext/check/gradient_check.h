/* Proof of derivatives on a given network: against central differences, and by identities that need none.
 *
 * Compiled for double it decides to about 1e-7; in float only the identities are worth running. A difference quotient
 * that crosses a kink of a piecewise-linear activation is wrong for one step size but not for all: the best of several
 * step sizes counts, which a wrong formula cannot pass. In a network of many units the input may lie nearer to a kink of one
 * than the smallest step: there differences are tried at two more inputs. */
#ifndef DNX_CHECK_GRADIENT_CHECK_H
#define DNX_CHECK_GRADIENT_CHECK_H

#include "engine/objective.h"

typedef struct check_row {
    const char *name;      /* what was compared */
    char where[80];        /* "layer 2 connected, weights" */
    double error;          /* relative; NaN never passes */
    double tolerance;
    bool passed;
} check_row;

typedef void (*check_sink)(void *context, const check_row *row);

typedef struct check_settings {
    int batch;                 /* samples per check */
    uint64_t seed;
    double tolerance;          /* 0: the default of the build's number type */
    bool differences;          /* also compare with central differences (double builds) */
    const double *low, *high;  /* domain of each input; NULL: (-1, 1) */
} check_settings;

/* The highest order to which every node between the network's input and output can be differentiated. */
int gradient_check_order(const graph *g);

/* Checks every derivative (of a network with batch normalisation both as it is trained and as it predicts) of `g` under `options` (labels are
 * random), reporting each row. Parameters must hold values; they are unchanged on return. `where` and `path` are for messages about what cannot be
 * differentiated. STATUS_FAILED when a row did not pass. */
status gradient_check_run(graph *g, const backend *be, const objective_options *options, const section *where, const char *path,
                          const check_settings *settings, check_sink sink, void *context);

#endif
