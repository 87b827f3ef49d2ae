#include "check/stand_in.h"

/* Adds row by row; with the sizes changed over, the transpose. */
static void add_rows(size_t rows, size_t from_size, const real *from, size_t to_size, real *to)
{
    const size_t most = from_size > to_size ? from_size : to_size;
    for (size_t r = 0; r < rows; ++r)
        for (size_t k = 0; k < most; ++k)
            to[r * to_size + k % to_size] += from[r * from_size + k % from_size];
}

static void stand_in_forward(const layer_pass *p)
{
    for (int s = p->range.first; s < p->range.last; ++s) {
        const size_t rows = jet_rows(p->x, s);
        p->be->fill(rows * p->y->count, 0, jet_component(p->y, s));
        add_rows(rows, p->x->count, jet_component(p->x, s), p->y->count, jet_component(p->y, s));
    }
}

static void stand_in_backward(const layer_pass *p)
{
    if (!p->adj_x->data)
        return;
    const size_t rows = jet_range_rows(p->adj_y, p->range);
    real *adj_x = jet_component(p->adj_x, p->range.first);
    if (!p->accumulate[0])
        p->be->fill(rows * p->adj_x->count, 0, adj_x);
    add_rows(rows, p->adj_y->count, jet_component(p->adj_y, p->range.first), p->adj_x->count, adj_x);
}

const layer_type stand_in_layer_type = {
    .role = LAYER_PLAIN,
    .max_order = JET_MAX_ORDER,
    .forward = stand_in_forward,
    .backward = stand_in_backward,
};
