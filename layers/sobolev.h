/* What a [sobolev] section asks for; engine/objective.h does it. */
#ifndef DNX_LAYERS_SOBOLEV_H
#define DNX_LAYERS_SOBOLEV_H

#include "layers/layer.h"

typedef enum projection_kind {
    PROJECTION_SPHERE,     /* uniform on the unit sphere */
    PROJECTION_RADEMACHER, /* +-1 with equal probability */
    PROJECTION_GAUSSIAN,   /* standard normal */
    PROJECTION_COORDINATE, /* a random unit vector */
    PROJECTION_CLASS       /* the unit vector of the largest target value: nothing random */
} projection_kind;

typedef enum differentiated_kind { DIFFERENTIATE_OUTPUT, DIFFERENTIATE_LOG_PROBABILITIES, DIFFERENTIATE_LOSS } differentiated_kind;

typedef enum target_kind { TARGET_DATA, TARGET_ZERO, TARGET_TEACHER, TARGET_FLIP } target_kind;

struct teacher_options;

/* Of the input image; engine/transformations.h. */
typedef enum transformation_kind { TRANSLATE_X, TRANSLATE_Y, ROTATE, SCALE, TRANSFORMATION_COUNT } transformation_kind;

/* How the weights of the orders move from `weight` to `end_weight` over a training. */
typedef enum schedule_kind {
    SCHEDULE_CONSTANT,
    SCHEDULE_LINEAR, /* with the updates done, from 0 to max_batches */
    SCHEDULE_RATE,   /* with the learning rate: at its full size the first, at 0 the last (DeePMD-kit's prefactors) */
    SCHEDULE_SWAP    /* all at once at update swap_at */
} schedule_kind;

typedef enum balance_kind { BALANCE_NONE, BALANCE_SOFTADAPT, BALANCE_GRADNORM } balance_kind;

typedef enum collapse_action { COLLAPSE_WARN, COLLAPSE_ROLLBACK, COLLAPSE_IGNORE } collapse_action;

/* The options, read from the section. */
typedef struct objective_options {
    int order;           /* effective: orders whose weight is always 0 are dropped */
    loss_function loss[JET_MAX_ORDER + 1];
    double weight[JET_MAX_ORDER + 1], end_weight[JET_MAX_ORDER + 1];
    schedule_kind schedule;
    long swap_at;        /* update; of SCHEDULE_SWAP */
    balance_kind balance;
    int balance_every;   /* updates */
    double balance_strength; /* alpha of GradNorm, beta of SoftAdapt */
    collapse_action on_collapse;
    bool rms_components; /* weigh components of derivatives by 1 / their mean square in the training set */
    int label_directions; /* vectors v that every label brings along */
    int n_tangents;      /* directions that the transformations of the input image give, in this order; 0: none */
    transformation_kind tangents[TRANSFORMATION_COUNT];
    const section *where; /* output_weights= and input_weights= stand here; NULL: neither is given */
    int projections;     /* output directions; 0: all unit vectors (full Jacobian) */
    int projections_2;   /* input directions of order 2; 0: all unit vectors (full Hessian) */
    projection_kind projection;
    bool resample;       /* fresh every step; else a function of the sample alone */
    differentiated_kind differentiated;
    bool cross_entropy;  /* the loss that DIFFERENTIATE_LOSS differentiates is cross-entropy, else squared error */
    target_kind target;  /* what derivatives are compared with */
    const struct teacher_options *teacher; /* engine/teacher.h; NULL: values are compared with the labels of the data */
    int wrt;             /* node; -1: the network's input */
    bool allow_zero_curvature;
} objective_options;

/* The options of a checked [sobolev] section; orders whose weight is always 0 are dropped from the top. */
objective_options sobolev_read_options(const section *s);

/* tangents= as o->tangents; false when it is not a list of different transformations. */
bool sobolev_read_tangents(const section *s, objective_options *o);

/* Whether an order has a weight at some time of a training. */
bool sobolev_has_loss(const objective_options *o, int order);

/* Whether what is differentiated is made of the logarithms of the outputs' softmax. */
bool sobolev_differentiates_probabilities(const objective_options *o);

/* The weights of the orders after `update` of `updates` weight updates (0: no end), at `rate` times the first learning rate. */
void sobolev_weights(const objective_options *o, long update, long updates, double rate, double weights[JET_MAX_ORDER + 1]);

#endif
