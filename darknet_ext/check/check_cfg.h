/* The derivative checks of a whole cfg, as `darknet sobolev check` runs them.
 *
 * The same source is built into the program (float, identities on every backend) and, for double, into a library of its own
 * with dnx_check_double as its only symbol: both number types live in one process without meeting. */
#ifndef DNX_CHECK_CHECK_CFG_H
#define DNX_CHECK_CHECK_CFG_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "config/reader.h"

typedef struct check_request {
    const char *cfg;
    const char *weights;            /* NULL: random ones from the seed */
    const override *overrides;      /* -set */
    int n_overrides;
    const char *backend;            /* NULL or "": the first of the build */
    uint64_t seed;
    int batch;                      /* samples */
    FILE *out;                      /* one line per check */
    FILE *errors;                   /* messages about the cfg */
} check_request;

/* 0: every check passed. Else a status code, its text in message. */
int check_cfg(const check_request *request, char *message, size_t size);

/* check_cfg of the double build, with differences. */
__attribute__((visibility("default"))) int dnx_check_double(const check_request *request, char *message, size_t size);

#endif
