/* What a [sobolev] section asks for; engine/objective.h does it. */
#ifndef DNX_LAYERS_SOBOLEV_H
#define DNX_LAYERS_SOBOLEV_H

#include "layers/layer.h"

typedef enum projection_kind {
    PROJECTION_SPHERE,     /* uniform on the unit sphere */
    PROJECTION_RADEMACHER, /* +-1 with equal probability */
    PROJECTION_GAUSSIAN,   /* standard normal */
    PROJECTION_COORDINATE  /* a random unit vector */
} projection_kind;

typedef enum differentiated_kind { DIFFERENTIATE_OUTPUT, DIFFERENTIATE_LOG_PROBABILITIES, DIFFERENTIATE_LOSS } differentiated_kind;

typedef enum target_kind { TARGET_DATA, TARGET_ZERO } target_kind;

/* The options, read from the section. */
typedef struct objective_options {
    int order;           /* effective: orders whose weight is 0 are dropped */
    loss_function loss[JET_MAX_ORDER + 1];
    double weight[JET_MAX_ORDER + 1];
    int projections;     /* output directions; 0: all unit vectors (full Jacobian) */
    int projections_2;   /* input directions of order 2; 0: all unit vectors (full Hessian) */
    projection_kind projection;
    bool resample;       /* fresh every step; else a function of the sample alone */
    differentiated_kind differentiated;
    bool cross_entropy;  /* the loss that DIFFERENTIATE_LOSS differentiates is cross-entropy, else squared error */
    target_kind target;  /* what derivatives are compared with */
    int wrt;             /* node; -1: the network's input */
    bool allow_zero_curvature;
} objective_options;

/* The options of a checked [sobolev] section; orders whose weight is 0 are dropped from the top. */
objective_options sobolev_read_options(const section *s);

#endif
