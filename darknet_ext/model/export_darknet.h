/* What stock Darknet, without a graphics card, makes of a network. */
#ifndef DNX_MODEL_EXPORT_DARKNET_H
#define DNX_MODEL_EXPORT_DARKNET_H

#include "model/export_plan.h"

/* Calls `say` with one sentence for every layer that stock Darknet does not have, or runs into its errors with. */
void darknet_read_plan(const plan *p, plan_complaint say, void *context);

/* Likewise for every layer of which stock Darknet gives other numbers at some inputs. */
void darknet_note_plan(const plan *p, plan_complaint say, void *context);

#endif
