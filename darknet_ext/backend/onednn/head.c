/* Losses between the network's output and the derivative. The formulas stand in backend/ref/head.c.
 *
 * A row is walked in parts of PART_ELEMENTS: the errors of a part are computed into a buffer, then used by the loops and sums that
 * need them. Nothing is allocated here. */
#include "core/hot.h"
#include "backend/onednn/onednn.h"

/* w = x - truth */
DNX_HOT static void error_part(size_t count, const real *restrict x, const real *restrict truth, real *restrict w)
{
    for (size_t i = 0; i < count; i++)
        w[i] = x[i] - truth[i];
}

/* -- squared_error -- */

/* <x - truth, u>, and of itself when u == NULL */
static double error_dot(size_t count, const real *x, const real *truth, const real *u)
{
    real w[PART_ELEMENTS];
    double sum = 0;
    for (long i = 0; i < part_count(count, PART_ELEMENTS); i++) {
        const part p = part_at(count, PART_ELEMENTS, i);
        error_part(p.size, x + p.first, truth + p.first, w);
        sum += onednn_row_dot(p.size, w, u ? u + p.first : w);
    }
    return sum;
}

static void squared_error_forward_sample(const jet *x, const real *truth, jet *y, component_range range, int b)
{
    const real *x0 = onednn_row(x, 0, 0, b);
    if (range_has(range, 0))
        *onednn_row(y, 0, 0, b) = (real)error_dot(x->count, x0, truth, NULL);
    for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
        for (int d = 0; d < x->directions; d++) {
            const double mixed = s == 3 ? onednn_row_dot(x->count, onednn_row(x, 1, d, b), onednn_row(x, 2, d, b)) : 0;
            *onednn_row(y, s, d, b) = (real)(2 * (mixed + error_dot(x->count, x0, truth, onednn_row(x, s, d, b))));
        }
}

void onednn_squared_error_forward(const jet *x, const real *truth, jet *y, component_range range)
{
    FOR_EACH_PART(onednn_all_elements(x), (size_t)x->batch, 1, p,
                  squared_error_forward_sample(x, truth + p.first * x->count, y, range, (int)p.first));
}

/* y = coefficient (x - truth), or y += coefficient (x - truth) */
static void put_error(size_t count, real coefficient, const real *x, const real *truth, real *y, bool accumulate)
{
    real w[PART_ELEMENTS];
    for (long i = 0; i < part_count(count, PART_ELEMENTS); i++) {
        const part p = part_at(count, PART_ELEMENTS, i);
        error_part(p.size, x + p.first, truth + p.first, w);
        onednn_axpby(p.size, coefficient, w, accumulate ? 1 : 0, y + p.first);
    }
}

static void squared_error_backward_sample(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                          bool accumulate, int b)
{
    const size_t count = x->count;
    for (int s = range.first; s < range.last; s++)
        for (int d = 0; d < (s == 0 ? 1 : x->directions); d++) {
            real *y = onednn_row(adj_x, s, d, b);
            put_error(count, 2 * *onednn_row(adj_y, s, d, b), onednn_row(x, 0, 0, b), truth, y, accumulate);
            if (x->order > 1 && (s == 1 || s == 2))
                onednn_axpby(count, 2 * *onednn_row(adj_y, 3, d, b), onednn_row(x, 3 - s, d, b), 1, y);
        }
    for (int s = 1; range_has(range, 0) && s < jet_components(x->order); s++)
        for (int d = 0; d < x->directions; d++)
            onednn_axpby(count, 2 * *onednn_row(adj_y, s, d, b), onednn_row(x, s, d, b), 1, onednn_row(adj_x, 0, 0, b));
}

void onednn_squared_error_backward(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                   bool accumulate)
{
    FOR_EACH_PART(onednn_all_elements(x), (size_t)x->batch, 1, p,
                  squared_error_backward_sample(x, truth + p.first * x->count, adj_y, adj_x, range, accumulate, (int)p.first));
}

/* -- truth_product: the rows of neighbouring components lie next to each other -- */

void onednn_truth_product_forward(real alpha, const jet *x, const real *truth, jet *y, component_range range)
{
    const size_t count = x->count, batch = (size_t)x->batch, n_rows = jet_range_rows(x, range);
    const real *rows = jet_component(x, range.first);
    real *out = jet_component(y, range.first);
    FOR_EACH_PART(n_rows * count, n_rows, 1, r,
                  out[r.first] = (real)(alpha * onednn_row_dot(count, truth + r.first % batch * count, rows + r.first * count)));
}

void onednn_truth_product_backward(real alpha, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                   bool accumulate)
{
    const size_t count = adj_x->count, batch = (size_t)adj_x->batch, n_rows = jet_range_rows(adj_x, range);
    const real *adj = jet_component(adj_y, range.first);
    real *out = jet_component(adj_x, range.first);
    FOR_EACH_PART(
        n_rows * count, n_rows, 1, r,
        onednn_axpby(count, alpha * adj[r.first], truth + r.first % batch * count, accumulate ? 1 : 0, out + r.first * count));
}
