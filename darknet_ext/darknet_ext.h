/* The public header of the plugin. C99 or C++; it needs no other header.
 *
 * Link with -ldarknet_ext -ldarknet (in this order), or preload libdarknet_ext.so: parse_network_cfg(), load_network() and
 * free_network() of Darknet then also understand the plugin's sections, and train_network() trains them. A cfg that is wrong
 * ends the program with status 2 and messages with file:line:column, as Darknet's own functions end it.
 *
 * Programs that only use a trained network need nothing of Darknet's: dnx_model_load() and the functions behind it give values
 * and derivatives in double. They never print and never end the process (but for asserts of Darknet's own parser). An example is
 * darknet_ext/examples/pricer.c. */
#ifndef DARKNET_EXT_H
#define DARKNET_EXT_H

#ifdef __cplusplus
extern "C" {
#endif

/* "major.minor.patch" of the library in use; static storage. */
const char *dnx_version(void);

/* ---------------------------------------------------------------- what a trained network says */

typedef enum dnx_status {
    DNX_OK = 0,
    DNX_FAILED = 1,        /* Darknet could not build the network */
    DNX_BAD_CONFIG = 2,    /* the cfg, or an environment variable DARKNET_EXT_*, is wrong */
    DNX_BAD_FILE = 3,      /* the cfg or the weights cannot be read, or the weights are not this network's */
    DNX_NO_MEMORY = 4,
    DNX_BAD_ARGUMENT = 6,  /* a pointer that must not be NULL, a negative number, an input that is not finite */
    DNX_NO_DERIVATIVE = 7  /* a layer of the network has no derivative of this order */
} dnx_status;

/* Why the last of the functions below that failed in this thread did so: whole sentences, for a cfg one line for each
 * mistake with file:line:column. Valid until the next call in this thread. */
const char *dnx_error_text(void);

/* A network with its weights. A model is used by one thread at a time; several models work in several threads at once. */
typedef struct dnx_model dnx_model;

/* Reads a cfg ([data] and [sobolev] may be missing) and a weights file that fits it. DARKNET_EXT_BACKEND and
 * DARKNET_EXT_THREADS count as for every program. On success *model is a new model, to be freed by the caller; else NULL.
 * While Darknet's parser builds the network it draws from rand(), and what other threads write to standard error is lost. */
dnx_status dnx_model_load(const char *cfg, const char *weights, dnx_model **model);

/* NULL is allowed. */
void dnx_model_free(dnx_model *model);

/* Numbers of one point and of one prediction, and the highest order of derivatives that the network has: 0, 1 or 2. 0 for NULL. */
int dnx_model_inputs(const dnx_model *model);
int dnx_model_outputs(const dnx_model *model);
int dnx_model_order(const dnx_model *model);

/* All arrays are row-major, belong to the caller and must not overlap; `points` may be 0. An array of results that is NULL
 * is not wanted. Inputs must be finite, also as float, the type in which the network computes; results are as good as float,
 * and not finite only where the network itself leaves its range. Nothing is written unless DNX_OK is returned.
 *
 *     x         [points][inputs]
 *     y         [points][outputs]                       values m(x)
 *     jacobian  [points][outputs][inputs]               dm_k / dx_j
 *     v         [points][directions][inputs]
 *     jvp       [points][directions][outputs]           J v
 *     hvp       [points][directions][outputs][inputs]   H_k v, H_k the Hessian of output k
 *
 * Along the unit vectors hvp holds the rows of the Hessians. */
dnx_status dnx_model_predict(dnx_model *model, int points, const double *x, double *y);
dnx_status dnx_model_gradient(dnx_model *model, int points, const double *x, double *y, double *jacobian);
dnx_status dnx_model_products(dnx_model *model, int points, const double *x, int directions, const double *v, double *jvp, double *hvp);

#ifdef __cplusplus
}
#endif

#endif
