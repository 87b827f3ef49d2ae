#include "backend/ref/ref.h"

void ref_scale_rows_add(size_t rows, size_t count, const real *scale, const real *x, const real *z, real *y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t j = 0; j < count; j++)
            y[r * count + j] = scale[r] * x[r * count + j] + z[r * count + j];
}

void ref_add_bias(size_t rows, size_t count, const real *bias, real *y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t i = 0; i < count; i++)
            y[r * count + i] += bias[i];
}

void ref_activation_forward(activation kind, const jet *x, jet *y, component_range range)
{
    for (size_t i = 0; i < (size_t)x->batch * x->count; i++) {
        const activation_values a = activation_at(kind, x->data[i]);
        for (int d = 0; range.last > 1 && d < x->directions; d++) {
            const jet_element e = ref_element(x, i, d);
            for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
                *ref_component_at(y, s, i, d) = activation_jet(s, a, e.x1, e.x2, e.x12);
        }
        if (range_has(range, 0))
            y->data[i] = a.f;
    }
}

void ref_activation_backward(activation kind, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate)
{
    for (size_t i = 0; i < (size_t)x->batch * x->count; i++) {
        const activation_values a = activation_at(kind, x->data[i]);
        double curvature = 0;
        for (int d = 0; x->order > 0 && d < x->directions; d++) {
            const jet_element e = ref_element(x, i, d), adj = ref_element(adj_y, i, d);
            curvature += activation_adjoint_curvature(a, e.x1, e.x2, e.x12, adj.x1, adj.x2, adj.x12);
            for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
                ref_put(ref_component_at(adj_x, s, i, d), activation_adjoint(s, a, e.x1, e.x2, adj.x1, adj.x2, adj.x12), accumulate);
        }
        if (range_has(range, 0))
            ref_put(&adj_x->data[i], a.f1 * adj_y->data[i] + curvature, accumulate);
    }
}
