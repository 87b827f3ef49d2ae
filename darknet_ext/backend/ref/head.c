/* Losses that can stand between the network's output and the derivative. <.,.> runs over the elements of a row.
 *
 * squared_error, e = x_0 - truth
 *     y_0 = <e, e>     y_1 = 2 <e, x_1>     y_2 = 2 <e, x_2>     y_12 = 2 <x_1, x_2> + 2 <e, x_12>
 *   adjoint:
 *     xbar_12 = 2 e ybar_12      xbar_2 = 2 e ybar_2 + 2 x_1 ybar_12      xbar_1 = 2 e ybar_1 + 2 x_2 ybar_12
 *     xbar_0 = 2 e ybar_0 + sum over directions 2 (x_1 ybar_1 + x_2 ybar_2 + x_12 ybar_12)
 *
 * truth_product
 *     y_S = alpha <truth, x_S>         xbar_S = alpha truth ybar_S */
#include "backend/ref/ref.h"

static double dot_error(const real *x0, const real *truth, const real *u, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ((double)x0[i] - truth[i]) * u[i];
    return sum;
}

static double square_error(const real *x0, const real *truth, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += ((double)x0[i] - truth[i]) * ((double)x0[i] - truth[i]);
    return sum;
}

void ref_squared_error_forward(const jet *x, const real *truth, jet *y, component_range range)
{
    for (int b = 0; b < x->batch; b++) {
        const real *x0 = ref_row(x, 0, 0, b), *t = truth + (size_t)b * x->count;
        if (range_has(range, 0))
            *ref_row(y, 0, 0, b) = (real)square_error(x0, t, x->count);
        for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
            for (int d = 0; d < x->directions; d++) {
                const double mixed = s == 3 ? ref_dot(x->count, ref_row(x, 1, d, b), ref_row(x, 2, d, b)) : 0;
                *ref_row(y, s, d, b) = (real)(2 * (mixed + dot_error(x0, t, ref_row(x, s, d, b), x->count)));
            }
    }
}

static void squared_error_adjoint_1(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, int s, int d, int b,
                                    bool accumulate)
{
    const real *x0 = ref_row(x, 0, 0, b), adj = *ref_row(adj_y, s, d, b);
    const bool mixes = x->order > 1 && s != 3;
    const real *other = mixes ? ref_row(x, 3 - s, d, b) : NULL, adj12 = mixes ? *ref_row(adj_y, 3, d, b) : 0;
    for (size_t i = 0; i < x->count; i++) {
        const double mixed = mixes ? (double)other[i] * adj12 : 0;
        ref_put(&ref_row(adj_x, s, d, b)[i], 2 * (((double)x0[i] - truth[i]) * adj + mixed), accumulate);
    }
}

static void squared_error_adjoint_0(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, int b, bool accumulate)
{
    for (size_t i = 0; i < x->count; i++) {
        double sum = ((double)ref_row(x, 0, 0, b)[i] - truth[i]) * *ref_row(adj_y, 0, 0, b);
        for (int s = 1; s < jet_components(x->order); s++)
            for (int d = 0; d < x->directions; d++)
                sum += (double)ref_row(x, s, d, b)[i] * *ref_row(adj_y, s, d, b);
        ref_put(&ref_row(adj_x, 0, 0, b)[i], 2 * sum, accumulate);
    }
}

void ref_squared_error_backward(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                bool accumulate)
{
    for (int b = 0; b < x->batch; b++) {
        const real *t = truth + (size_t)b * x->count;
        for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
            for (int d = 0; d < x->directions; d++)
                squared_error_adjoint_1(x, t, adj_y, adj_x, s, d, b, accumulate);
        if (range_has(range, 0))
            squared_error_adjoint_0(x, t, adj_y, adj_x, b, accumulate);
    }
}

void ref_truth_product_forward(real alpha, const jet *x, const real *truth, jet *y, component_range range)
{
    for (int s = range.first; s < range.last; s++)
        for (size_t r = 0; r < jet_rows(x, s); r++) {
            const real *t = truth + r % (size_t)x->batch * x->count;
            jet_component(y, s)[r] = (real)(alpha * ref_dot(x->count, t, jet_component(x, s) + r * x->count));
        }
}

void ref_truth_product_backward(real alpha, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                bool accumulate)
{
    for (int s = range.first; s < range.last; s++)
        for (size_t r = 0; r < jet_rows(adj_x, s); r++) {
            const real *t = truth + r % (size_t)adj_x->batch * adj_x->count;
            real *out = jet_component(adj_x, s) + r * adj_x->count;
            for (size_t i = 0; i < adj_x->count; i++)
                ref_put(&out[i], (double)alpha * t[i] * jet_component(adj_y, s)[r], accumulate);
        }
}
