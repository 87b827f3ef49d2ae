/* What a network says at given points: values and derivatives, for any number of points. */
#ifndef DNX_MODEL_PREDICTOR_H
#define DNX_MODEL_PREDICTOR_H

#include "bridge/plugin.h"

/* Points times directions (at most 16 of them) that one pass over the network takes at most; pieces of that size lose no time. Large networks take
 * fewer, so that what lies between their layers stays below a few hundred megabytes. */
enum { PREDICTOR_ROWS = 512, PREDICTOR_DIRECTIONS = 16 };

/* Arrays of the caller, each in the order of its comment; NULL: not wanted. */
typedef struct prediction {
    int output;      /* 0: all outputs; else the one, from 1, that all arrays are about: `outputs` in their sizes is then 1 */
    int directions;  /* vectors v of each point; 0 where neither jvp nor hvp is wanted */
    const double *v; /* [points, directions, inputs] */
    double *y;        /* [points, outputs]                      m(x) */
    double *jacobian; /* [points, outputs, inputs]              dm_k / dx_j */
    double *hessian;  /* [points, outputs, inputs, inputs]      d2m_k / dx_i dx_j */
    double *jvp;      /* [points, directions, outputs]          J v */
    double *hvp;      /* [points, directions, outputs, inputs]  H_k v */
} prediction;

typedef struct predictor predictor;

/* STATUS_BAD_CONFIG with the place of the first layer that has no derivative of this order (0..2), if there is one. Order 0
 * is always there. */
status predictor_check_order(plugin_network *p, int order);

/* `order` 0..2: the highest derivative that will be asked for; refused as predictor_check_order() says. The network must
 * outlive the predictor. *result is freed by the caller also on failure. */
status predictor_create(predictor **result, plugin_network *p, int order);
/* Of a graph that lives without Darknet, all of it layers that the engine knows, and has derivatives of that order. */
status predictor_create_for_graph(predictor **result, graph *g, const backend *be, int order);
void predictor_free(predictor *p);

int predictor_order(const predictor *p);

/* STATUS_FAILED when one of the numbers, `size` for each point, is not finite in the engine's number type. */
status predictor_check_numbers(const char *name, const double *numbers, int points, size_t size);

/* At x [points, inputs]. y needs order 0, jacobian and jvp order 1, hessian and hvp order 2. Computed in the engine's number
 * type; the weights are those that the network has at this moment. */
void predictor_run(predictor *p, const double *x, int points, const prediction *wanted);

#endif
