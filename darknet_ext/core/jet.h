/* Jets: a value together with its directional derivatives.
 *
 * A jet of order K of a tensor x has one component x_S for each subset S of {1..K}. S is stored as a bit mask, so that
 * component 0 is the value, 1 the derivative along a first direction, 2 along a second one and 3 the mixed second
 * derivative (a hyper-dual number). Several directions share the value component.
 *
 * Memory: rows of `count` elements, one block after the other
 *
 *     component 0            batch rows
 *     component S = 1..2^K-1 directions * batch rows each, direction-major
 *
 * so that a linear map of all components, or of any range of neighbouring ones, is ONE matrix product.
 *
 * The components split in two halves by the highest bit: the low half (S < 2^(K-1)) holds what goes into the network,
 * the upper half mirrors it. The four sweeps (engine/tape.h) each work on one half. */
#ifndef DNX_CORE_JET_H
#define DNX_CORE_JET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/real.h"

enum { JET_MAX_ORDER = 2, JET_MAX_COMPONENTS = 1 << JET_MAX_ORDER };

/* A view; who made the memory frees it. data == NULL: the jet is not wanted (or not there). */
typedef struct jet {
    real *data;
    size_t count;   /* elements of one sample */
    int batch;      /* samples in use */
    int directions; /* 0 when order is 0 */
    int order;      /* 0..JET_MAX_ORDER */
} jet;

/* The components of one element and one direction; those that a jet does not have are 0. */
typedef struct jet_element {
    real x0, x1, x2, x12;
} jet_element;

/* Components first <= S < last. */
typedef struct component_range {
    int first, last;
} component_range;

static inline int jet_components(int order)
{
    return 1 << order;
}

/* Rows of component S: the value is shared by all directions. */
static inline size_t jet_rows(const jet *j, int component)
{
    return component == 0 ? (size_t)j->batch : (size_t)j->directions * (size_t)j->batch;
}

/* Row at which component S begins. */
static inline size_t jet_first_row(const jet *j, int component)
{
    return component == 0 ? 0 : (size_t)j->batch * (1 + (size_t)(component - 1) * (size_t)j->directions);
}

/* Rows of a whole range; they lie next to each other. */
static inline size_t jet_range_rows(const jet *j, component_range range)
{
    return range.last <= range.first ? 0 : jet_first_row(j, range.last - 1) + jet_rows(j, range.last - 1) - jet_first_row(j, range.first);
}

static inline real *jet_component(const jet *j, int component)
{
    return j->data + jet_first_row(j, component) * j->count;
}

/* Elements a jet of this form needs. */
static inline size_t jet_elements(size_t count, int batch, int directions, int order)
{
    return count * (size_t)batch * (1 + (size_t)(jet_components(order) - 1) * (size_t)directions);
}

/* The halves: for order 0 everything is in the low half. */
static inline component_range jet_low_half(int order)
{
    return (component_range){0, order > 1 ? jet_components(order) / 2 : 1};
}

static inline component_range jet_upper_half(int order)
{
    return (component_range){order > 0 ? jet_components(order) / 2 : 1, jet_components(order)};
}

static inline component_range jet_all(int order)
{
    return (component_range){0, jet_components(order)};
}

static inline bool range_has(component_range range, int component)
{
    return component >= range.first && component < range.last;
}

#endif
