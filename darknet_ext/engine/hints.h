/* Feature matching: outputs of the student's layers against those of the teacher's, as `hint=` of [teacher] pairs them.
 *
 *     L = hint_weight * sum over pairs (S, T) of hint_loss(h_S, h_T)
 *
 * Its derivative by h_S joins the student's adjoint there in the last sweep. */
#ifndef DNX_ENGINE_HINTS_H
#define DNX_ENGINE_HINTS_H

#include "engine/teacher.h"

typedef struct hints hints;

/* `student` has no tape yet. *result is NULL when there are no hints. */
status hints_create(hints **result, const teacher_options *o, graph *student, const backend *be, int capacity);
void hints_free(hints *h);

/* After the value sweeps of both: the loss of the batch; its derivatives are kept. */
double hints_loss(hints *h, tape *student, teacher *t);
/* Adds them to the low half of the student's adjoints, before sweep 4 gets there. */
void hints_seed(const hints *h, tape *student);

#endif
