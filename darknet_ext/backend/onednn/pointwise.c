#include "backend/onednn/activation_kernels.h"

#include <string.h>

DNX_HOT static void add_bias_rows(size_t rows, size_t count, const real *restrict bias, real *restrict y)
{
    if (count == 1)
        for (size_t r = 0; r < rows; r++)
            y[r] += bias[0];
    else
        for (size_t r = 0; r < rows; r++)
            for (size_t i = 0; i < count; i++)
                y[r * count + i] += bias[i];
}

void onednn_add_bias(size_t rows, size_t count, const real *bias, real *y)
{
    const size_t rows_per_part = count < PART_ELEMENTS ? PART_ELEMENTS / (count ? count : 1) : 1;
    FOR_EACH_PART(rows * count, rows, rows_per_part, p, add_bias_rows(p.size, count, bias, y + p.first * count));
}

DNX_HOT static void scale_rows_add_part(size_t rows, size_t count, const real *restrict scale, const real *restrict x,
                                        const real *restrict z, real *restrict y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < count; i++)
            y[r * count + i] = scale[r] * x[r * count + i] + z[r * count + i];
}

void onednn_scale_rows_add(size_t rows, size_t count, const real *scale, const real *x, const real *z, real *y)
{
    const size_t rows_per_part = count < PART_ELEMENTS ? PART_ELEMENTS / (count ? count : 1) : 1;
    FOR_EACH_PART(
        rows * count, rows, rows_per_part, p,
        scale_rows_add_part(p.size, count, scale + p.first, x + p.first * count, z + p.first * count, y + p.first * count));
}

/* Element i of the value, and what belongs to it in component S and direction d. */
static real *component_at(const jet *j, int component, int d, size_t i)
{
    return jet_component(j, component) + (size_t)d * (size_t)j->batch * j->count + i;
}

/* Components are computed from the last to the first: y may be x, and y_12 needs x_1 and x_2, all need x_0. */
static void piecewise_forward_part(activation kind, const jet *x, jet *y, component_range range, part p)
{
    const real *x0 = x->data + p.first;
    for (int s = range.last - 1; s >= range.first && s > 0; s--)
        for (int d = 0; d < x->directions; d++)
            piecewise_slope(kind, p.size, x0, component_at(x, s, d, p.first), component_at(y, s, d, p.first), false);
    if (range_has(range, 0))
        piecewise_value(kind, p.size, x0, y->data + p.first);
}

static void piecewise_backward_part(activation kind, const jet *x, const jet *adj_y, jet *adj_x, component_range range,
                                    bool accumulate, part p)
{
    for (int s = range.first; s < range.last; s++)
        for (int d = 0; d < (s == 0 ? 1 : x->directions); d++)
            piecewise_slope(kind, p.size, x->data + p.first, component_at(adj_y, s, d, p.first),
                            component_at(adj_x, s, d, p.first), accumulate);
}

/* Full vectors only, padded with zeros: the remainder of a vector loop rounds differently, and a sample's result would
 * depend on where in the batch it stands. */
static void smooth_evaluate(activation kind, int highest, const real *x, size_t count, smooth_block *block)
{
    real padded[PART_ELEMENTS];
    const size_t whole = (count + VECTOR_ELEMENTS - 1) / VECTOR_ELEMENTS * VECTOR_ELEMENTS;
    if (whole != count) {
        memcpy(padded, x, count * sizeof *x);
        memset(padded + count, 0, (whole - count) * sizeof *x);
        x = padded;
    }
    smooth_values(kind, highest, whole, x, block);
}

static void smooth_forward_part(activation kind, const jet *x, jet *y, component_range range, part p)
{
    smooth_block block;
    smooth_evaluate(kind, range_has(range, 3) ? 2 : range.last > 1 ? 1 : 0, x->data + p.first, p.size, &block);
    for (int s = range.last - 1; s >= range.first && s > 0; s--)
        for (int d = 0; d < x->directions; d++) {
            const real *xs = component_at(x, s, d, p.first);
            real *ys = component_at(y, s, d, p.first);
            if (s == 3)
                smooth_mixed(p.size, &block, component_at(x, 1, d, p.first), component_at(x, 2, d, p.first), xs, ys);
            else
                smooth_slope(p.size, block.f1, xs, ys, false);
        }
    if (range_has(range, 0))
        memcpy(y->data + p.first, block.f, p.size * sizeof(real));
}

/* xbar_0 = f' ybar_0 + what every direction adds. */
static void smooth_value_adjoint(const smooth_block *block, const jet *x, const jet *adj_y, jet *adj_x, bool accumulate, part p)
{
    real sum[PART_ELEMENTS];
    smooth_slope(p.size, block->f1, adj_y->data + p.first, sum, false);
    for (int d = 0; x->order == 1 && d < x->directions; d++)
        smooth_curvature_1(p.size, block, component_at(x, 1, d, p.first), component_at(adj_y, 1, d, p.first), sum);
    for (int d = 0; x->order == 2 && d < x->directions; d++) {
        const direction components = {component_at(x, 1, d, p.first),     component_at(x, 2, d, p.first),
                                      component_at(x, 3, d, p.first),     component_at(adj_y, 1, d, p.first),
                                      component_at(adj_y, 2, d, p.first), component_at(adj_y, 3, d, p.first)};
        smooth_curvature_2(p.size, block, components, sum);
    }
    smooth_put(p.size, sum, adj_x->data + p.first, accumulate);
}

static void smooth_backward_part(activation kind, const jet *x, const jet *adj_y, jet *adj_x, component_range range,
                                 bool accumulate, part p)
{
    smooth_block block;
    smooth_evaluate(kind, range_has(range, 0) ? x->order + 1 : x->order > 0 ? x->order : 1, x->data + p.first, p.size, &block);
    if (range_has(range, 0))
        smooth_value_adjoint(&block, x, adj_y, adj_x, accumulate, p);
    for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
        for (int d = 0; d < x->directions; d++) {
            const real *adj = component_at(adj_y, s, d, p.first);
            real *out = component_at(adj_x, s, d, p.first);
            if (x->order == 2 && s < 3)
                smooth_mixed_adjoint(p.size, &block, component_at(x, 3 - s, d, p.first), adj, component_at(adj_y, 3, d, p.first),
                                     out, accumulate);
            else
                smooth_slope(p.size, block.f1, adj, out, accumulate);
        }
}

void onednn_piecewise(activation f, size_t count, const real *value, real *y)
{
    if (value)
        piecewise_slope(f, count, value, y, y, false);
    else
        piecewise_value(f, count, y, y);
}

static void forward_part(activation kind, const jet *x, jet *y, component_range range, part p)
{
    if (activation_table[kind].piecewise_linear)
        piecewise_forward_part(kind, x, y, range, p);
    else
        smooth_forward_part(kind, x, y, range, p);
}

void onednn_activation_forward(activation kind, const jet *x, jet *y, component_range range)
{
    const size_t elements = (size_t)x->batch * x->count, work = jet_range_rows(x, range) * x->count;
    FOR_EACH_PART(work, elements, PART_ELEMENTS, p, forward_part(kind, x, y, range, p));
}

static void backward_part(activation kind, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate,
                          part p)
{
    if (activation_table[kind].piecewise_linear)
        piecewise_backward_part(kind, x, adj_y, adj_x, range, accumulate, p);
    else
        smooth_backward_part(kind, x, adj_y, adj_x, range, accumulate, p);
}

void onednn_activation_backward(activation kind, const jet *x, const jet *adj_y, jet *adj_x, component_range range,
                                bool accumulate)
{
    const size_t elements = (size_t)x->batch * x->count, work = jet_range_rows(x, range) * x->count;
    FOR_EACH_PART(work, elements, PART_ELEMENTS, p, backward_part(kind, x, adj_y, adj_x, range, accumulate, p));
}
