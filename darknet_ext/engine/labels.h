/* What the labels of a sample are, number by number, and where each part begins:
 *
 *     y [m]                                              always
 *     Jacobian [m, n]                                    order 1 and above
 *     Hessian [m, n, n]                                  order 2, without label directions
 *     directions times: v [n], weight, (order 1 and above) J v [m], and (order 2) H_k v [m, n]
 *
 * `order` is that of the derivatives which labels give: 0 also where derivatives are compared with something else.
 * NaN anywhere but in v and weight: not given, left out of the losses. */
#ifndef DNX_ENGINE_LABELS_H
#define DNX_ENGINE_LABELS_H

#include <stddef.h>

typedef struct label_layout {
    size_t outputs, inputs;
    int order, directions;
} label_layout;

static inline size_t labels_jacobian(const label_layout *l)
{
    return l->outputs;
}

/* The Hessian, or the first direction, begins here. */
static inline size_t labels_after_jacobian(const label_layout *l)
{
    return l->outputs + (l->order > 0 ? l->outputs * l->inputs : 0);
}

/* Numbers of one direction; within it v comes first. */
static inline size_t labels_direction_count(const label_layout *l)
{
    return l->inputs + 1 + (l->order > 0 ? l->outputs : 0) + (l->order > 1 ? l->outputs * l->inputs : 0);
}

static inline size_t labels_direction(const label_layout *l, int direction)
{
    return labels_after_jacobian(l) + (size_t)direction * labels_direction_count(l);
}

/* Within a direction. */
static inline size_t labels_weight(const label_layout *l)
{
    return l->inputs;
}

static inline size_t labels_jvp(const label_layout *l)
{
    return l->inputs + 1;
}

static inline size_t labels_hvp(const label_layout *l)
{
    return l->inputs + 1 + l->outputs;
}

/* Numbers of one sample. */
static inline size_t labels_count(const label_layout *l)
{
    if (l->directions > 0)
        return labels_direction(l, l->directions);
    return labels_after_jacobian(l) + (l->order > 1 ? l->outputs * l->inputs * l->inputs : 0);
}

#endif
