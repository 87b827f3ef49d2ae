/* The Sobolev objective: what [sobolev] asks for, the directions, the head, the targets and the losses of each order.
 *
 *     L = sum over samples of   weight   * loss(m, y)
 *                             + weight_1 * sum or mean over output directions v1 of loss_1(g, t1)
 *                             + weight_1 * the same sum or mean of sum over label directions v of weight(v) * loss_1(<g, v>, <t1, v>)
 *                             + weight_2 * sum or mean over direction pairs (v1, v2) of loss_2(q, t2)
 *                             + with a teacher: hard_weight * hard_loss(m, labels) + hint_weight * sum of hint_loss(h, h of the teacher)
 *
 *     g = grad_h <head(m(h)), v1>            t1 the same of the target function: labels (engine/targets.h) or a teacher (engine/teacher.h)
 *     q = grad_h <g, v2> (Hessian-vector)    t2 likewise, and y are the values of either
 *
 * With label directions (vectors that the labels bring along) v2 runs over them, and their terms are multiplied by weight(v). Where labels do
 * not give derivatives themselves, and along tangents of image transformations, these terms stand instead of loss_1(g, t1) (engine/along.h).
 * t1 may also be 0, or the same at the mirror image (engine/mirror.h).
 * Weights of outputs and inputs: engine/loss_weights.h. The weights of the orders can move during a training (layers/sobolev.h).
 *
 * Full Jacobian and Hessian: v1 and v2 run over the unit vectors and the terms are summed. n random projections: the
 * terms are averaged over the n draws (the Monte-Carlo estimate of equation 2 of the paper). */
#ifndef DNX_ENGINE_OBJECTIVE_H
#define DNX_ENGINE_OBJECTIVE_H

#include "engine/labels.h"
#include "engine/tape.h"
#include "layers/sobolev.h"

typedef struct objective objective;

/* Losses of a batch, each a sum over its samples, weights included. */
typedef struct objective_losses {
    double order[JET_MAX_ORDER + 1];
    double total;
} objective_losses;

/* Checks that the graph can be differentiated as asked (messages with file:line), and allocates. The tape's order,
 * directions and segment follow from the options: see objective_tape. */
status objective_create(objective **result, graph *g, const backend *be, const section *where, const char *path,
                        const objective_options *options, int capacity);
void objective_free(objective *o);

/* The tape the objective runs on; owned by the objective. */
tape *objective_tape(objective *o);
const objective_options *objective_get_options(const objective *o);

/* Whether steps take the scalar path of engine/tape.h. */
bool objective_takes_scalar_path(const objective *o);

/* Whether there is all that training needs: not when a network with a teacher was loaded without it. */
bool objective_can_train(const objective *o);

/* Whether the losses of [teacher] beside those of the orders (hints, labels) count, as they do at first: they belong to order 0. */
void objective_count_extras(objective *o, bool counts);

/* What the labels of a sample are. With target=zero and with a teacher: the outputs only. */
const label_layout *objective_labels(const objective *o);
size_t objective_truth_count(const objective *o);

/* The weights of the orders from now on; at first those of the options. */
void objective_set_weights(objective *o, const double weights[JET_MAX_ORDER + 1]);

/* Multiplies the weights of the components of first (order 1) or second derivatives by `factors` [inputs]. */
void objective_scale_components(objective *o, int order, const double *factors);

/* Three calls make a step; the sweeps between them may be run node by node by the host:
 *
 *     fill component 0 of the network's input;  objective_begin();    sweep_values()
 *     objective_forward(): losses; when training, also the seed sweep
 *     objective_backward(): the tangent sweep, and dL/dm into the output's adjoint;  sweep_adjoints()
 */
/* `truth`: rows of objective_truth_count() labels, or NULL: no losses. */
void objective_begin(objective *o, const real *truth, bool training, uint64_t seed, uint64_t step);
objective_losses objective_forward(objective *o);
void objective_backward(objective *o);

/* The gradient of the losses of a batch by every parameter, into `gradient` (graph_parameter_count numbers, network order): a step
 * whose gradient goes elsewhere, and which moves no statistics. Every node of the graph must be the engine's. */
status objective_gradient(objective *o, const real *x, int batch, const real *truth, uint64_t seed, uint64_t step, real *gradient);

#endif
