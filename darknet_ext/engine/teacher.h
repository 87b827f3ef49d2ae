/* A second network whose outputs and derivatives on the same batch are what the first, the student, learns.
 *
 * The student's head nodes stand on the teacher too, and its tape has the student's order and directions: with the same x, the same v1 (and, for
 * order 2, the same v2) the first two sweeps give
 *
 *     f(x)      the targets of values
 *     t1 = grad_h <head(f(h)), v1>      t2 = grad_h <t1, v2>      with h the output of the teacher's layer `wrt`
 *
 * It predicts: no dropout, batch normalisation with its rolling statistics; its parameters and their gradients are never touched. */
#ifndef DNX_ENGINE_TEACHER_H
#define DNX_ENGINE_TEACHER_H

#include "engine/tape.h"
#include "layers/sobolev.h"

enum { TEACHER_MAX_HINTS = 16 };

/* What a [teacher] section asks for. */
typedef struct teacher_options {
    const section *where;
    graph *graph;          /* with its weights, borrowed; NULL: it was not read, and nothing can be trained */
    const char *path;      /* of the teacher's cfg, for messages */
    int wrt;               /* the teacher's node that corresponds to the student's wrt */
    int n_hints;
    int hints[TEACHER_MAX_HINTS][2]; /* student's node, teacher's node: their outputs shall be equal */
    double hint_weight, hard_weight;
    loss_function hint_loss, hard_loss; /* the latter: of the outputs against the labels of the data */
} teacher_options;

/* Reads the section of a cfg; graph and path are left to the caller. STATUS_BAD_CONFIG with the place when hint= is not understood. */
status teacher_read_options(const section *where, const char *path, teacher_options *o);

/* Lets the objective learn from the teacher, which must outlive it: derivatives too, unless [sobolev] says otherwise. */
void teacher_join(objective_options *o, teacher_options *t);

typedef struct teacher teacher;

/* `student` has its head nodes, which are appended to the teacher's graph until teacher_free(). `order` 0: values alone are asked for. */
status teacher_create(teacher **result, const teacher_options *o, const graph *student, const backend *be, int capacity, int order, int directions);
void teacher_free(teacher *t);

/* The value sweep on x [batch, inputs]. `segment`: the student's, with v2 in component 1; only read for derivatives of order 2. */
void teacher_values(teacher *t, const real *x, int batch, bool derivatives, const jet *segment);
/* The seed sweep, after teacher_values with derivatives. `seed`: the adjoint of the student's top, with v1 in its last component; labels
 * [batch, outputs] are what a loss head compares with: one that is not given (NaN) is left out. */
void teacher_derivatives(teacher *t, const jet *seed, const real *labels);

/* f [batch, outputs]; the output of a node; t1 and t2, [v1][v2][batch][inputs] each. */
const real *teacher_outputs(teacher *t);
const real *teacher_node(teacher *t, int node);
const real *teacher_gradient(teacher *t);
const real *teacher_hessian(teacher *t);

#endif
