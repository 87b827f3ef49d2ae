/* What the parts of each order's loss count: `output_weights`, `input_weights`, `component_weights` of [sobolev], and the weights of the
 * directions that labels bring along.
 *
 *     values               elements m_k times output weight k
 *     first derivatives    rows g of v1, elements g_j: row weight of v1, times input weight j
 *     second derivatives   rows q of (v1, v2), elements q_j: row weight of v1 and v2, times input weight j
 *
 * Along unit vectors, and with one output, a row's weight is that of its output, times that of its input. Random directions are
 * scaled by the roots of the weights instead, so that the mean over them is the weighted sum. */
#ifndef DNX_ENGINE_LOSS_WEIGHTS_H
#define DNX_ENGINE_LOSS_WEIGHTS_H

#include "engine/labels.h"
#include "layers/sobolev.h"

typedef struct loss_form {
    size_t outputs, top, inputs; /* of the network; of what is differentiated; of what it is differentiated by */
    int n_v1, n_v2, capacity;
} loss_form;

typedef struct loss_weights {
    const backend *be;
    loss_form form;
    bool outputs_are_random, inputs_are_random; /* v1 and v2 carry the weights; else the rows do */
    bool one_output;
    real *outputs;                        /* [outputs]; NULL: all 1 */
    real *inputs;                         /* [inputs], as given; NULL: all 1 */
    real *components[JET_MAX_ORDER + 1];  /* [inputs] of the elements of g and q; NULL: all 1 */
    real *rows[JET_MAX_ORDER + 1];        /* [v1][batch] of g, [v1][v2][batch] of q; NULL: all 1 */
} loss_weights;

/* Reads the lists of o->where; messages name their place in `path`. */
status loss_weights_create(loss_weights *w, const backend *be, const objective_options *o, loss_form form, const char *path);
void loss_weights_free(loss_weights *w);

/* Multiplies the weights of the elements of first (order 1) or second derivatives by factors [inputs]; rms_components made room for it. */
void loss_weights_scale(loss_weights *w, int order, const double *factors);

/* Scales freshly drawn vectors, [vectors, top] v1 or [vectors, inputs] v2, when they are random. */
void loss_weights_scale_outputs(const loss_weights *w, size_t vectors, real *v1);
void loss_weights_scale_inputs(const loss_weights *w, size_t vectors, real *v2);

/* The rows' weights for a batch with these labels. */
void loss_weights_fill_rows(loss_weights *w, const label_layout *layout, const real *truth, int batch);

/* The loss of an order with the weights of its elements and rows. */
loss_function loss_weights_of(const loss_weights *w, int order, loss_function loss);

#endif
