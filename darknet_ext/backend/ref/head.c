/* What stands between the network's output and the derivative. <.,.> runs over the elements of a row, s = softmax(x_0).
 *
 * log_softmax
 *     y_0 = x_0 - log sum exp x_0      y_1 = x_1 - m1      y_2 = x_2 - m2      y_12 = x_12 - m12 - (m1x2 - m1 m2)
 *     with m1 = <s, x_1>, m2 = <s, x_2>, m12 = <s, x_12>, m1x2 = <s, x_1 x_2>
 *   adjoint, with a_S = sum of ybar_S over the row:
 *     xbar_12 = ybar_12 - a_12 s
 *     xbar_2  = ybar_2 - a_2 s - a_12 s (x_1 - m1)
 *     xbar_1  = ybar_1 - a_1 s - a_12 s (x_2 - m2)
 *     xbar_0  = ybar_0 - a_0 s - sum over directions s [ a_1 (x_1 - m1) + a_2 (x_2 - m2)
 *               + a_12 (x_12 - m12 + x_1 x_2 - m1x2 - m2 (x_1 - m1) - m1 (x_2 - m2)) ]
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

static double log_sum_exp(const real *x, size_t count)
{
    double largest = x[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (size_t i = 0; i < count; i++)
        sum += exp(x[i] - largest);
    return largest + log(sum);
}

static double sum_of(const real *x, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i];
    return sum;
}

/* <s, u> and <s, u v>, the softmax taken of x. */
static double mean(const real *x, double lse, const real *u, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += exp(x[i] - lse) * u[i];
    return sum;
}

static double mean_product(const real *x, double lse, const real *u, const real *v, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += exp(x[i] - lse) * u[i] * v[i];
    return sum;
}

static void subtract(const real *x, double shift, real *y, size_t count)
{
    for (size_t i = 0; i < count; i++)
        y[i] = (real)(x[i] - shift);
}

static void log_softmax_component(const jet *x, jet *y, int s, int d, int b, double lse)
{
    const real *x0 = ref_row(x, 0, 0, b), *xs = ref_row(x, s, d, b);
    double shift = mean(x0, lse, xs, x->count);
    if (s == 3) {
        const real *x1 = ref_row(x, 1, d, b), *x2 = ref_row(x, 2, d, b);
        shift += mean_product(x0, lse, x1, x2, x->count) - mean(x0, lse, x1, x->count) * mean(x0, lse, x2, x->count);
    }
    subtract(xs, shift, ref_row(y, s, d, b), x->count);
}

void ref_log_softmax_forward(const jet *x, jet *y, component_range range)
{
    for (int b = 0; b < x->batch; b++) {
        const double lse = log_sum_exp(ref_row(x, 0, 0, b), x->count);
        if (range_has(range, 0))
            subtract(ref_row(x, 0, 0, b), lse, ref_row(y, 0, 0, b), x->count);
        for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
            for (int d = 0; d < x->directions; d++)
                log_softmax_component(x, y, s, d, b, lse);
    }
}

static void log_softmax_adjoint_1(const jet *x, const jet *adj_y, jet *adj_x, int s, int d, int b, double lse, bool accumulate)
{
    const real *x0 = ref_row(x, 0, 0, b), *adj = ref_row(adj_y, s, d, b);
    const bool mixes = x->order > 1 && s != 3;
    const real *other = mixes ? ref_row(x, 3 - s, d, b) : NULL;
    const double a = sum_of(adj, x->count), a12 = mixes ? sum_of(ref_row(adj_y, 3, d, b), x->count) : 0;
    const double m = mixes ? mean(x0, lse, other, x->count) : 0;
    for (size_t i = 0; i < x->count; i++) {
        const double softmax = exp(x0[i] - lse), curved = mixes ? a12 * (other[i] - m) : 0;
        ref_put(&ref_row(adj_x, s, d, b)[i], adj[i] - softmax * (a + curved), accumulate);
    }
}

/* Component 0: what flows through the value itself. */
static void log_softmax_adjoint_0(const jet *x, const jet *adj_y, jet *adj_x, int b, double lse, bool accumulate)
{
    const real *x0 = ref_row(x, 0, 0, b), *adj = ref_row(adj_y, 0, 0, b);
    const double a = sum_of(adj, x->count);
    for (size_t i = 0; i < x->count; i++)
        ref_put(&ref_row(adj_x, 0, 0, b)[i], adj[i] - a * exp(x0[i] - lse), accumulate);
}

/* Component 0: what one direction of order 1 adds, for the component s = 1 or 2. */
static void log_softmax_curvature_1(const jet *x, const jet *adj_y, jet *adj_x, int s, int d, int b, double lse)
{
    const real *x0 = ref_row(x, 0, 0, b), *xs = ref_row(x, s, d, b);
    const double a = sum_of(ref_row(adj_y, s, d, b), x->count), m = mean(x0, lse, xs, x->count);
    for (size_t i = 0; i < x->count; i++)
        ref_put(&ref_row(adj_x, 0, 0, b)[i], -a * exp(x0[i] - lse) * (xs[i] - m), true);
}

/* Component 0: what the mixed component of one direction adds. */
static void log_softmax_curvature_12(const jet *x, const jet *adj_y, jet *adj_x, int d, int b, double lse)
{
    const size_t count = x->count;
    const real *x0 = ref_row(x, 0, 0, b), *x1 = ref_row(x, 1, d, b), *x2 = ref_row(x, 2, d, b), *x12 = ref_row(x, 3, d, b);
    const double a12 = sum_of(ref_row(adj_y, 3, d, b), count);
    const double m1 = mean(x0, lse, x1, count), m2 = mean(x0, lse, x2, count), m12 = mean(x0, lse, x12, count);
    const double m1x2 = mean_product(x0, lse, x1, x2, count);
    for (size_t i = 0; i < count; i++) {
        const double second = x12[i] - m12 + (double)x1[i] * x2[i] - m1x2 - m2 * (x1[i] - m1) - m1 * (x2[i] - m2);
        ref_put(&ref_row(adj_x, 0, 0, b)[i], -a12 * exp(x0[i] - lse) * second, true);
    }
}

void ref_log_softmax_backward(const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate)
{
    for (int b = 0; b < x->batch; b++) {
        const double lse = log_sum_exp(ref_row(x, 0, 0, b), x->count);
        for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
            for (int d = 0; d < x->directions; d++)
                log_softmax_adjoint_1(x, adj_y, adj_x, s, d, b, lse, accumulate);
        if (!range_has(range, 0))
            continue;
        log_softmax_adjoint_0(x, adj_y, adj_x, b, lse, accumulate);
        for (int d = 0; d < x->directions; d++) {
            for (int s = 1; s <= x->order; s++)
                log_softmax_curvature_1(x, adj_y, adj_x, s, d, b, lse);
            if (x->order > 1)
                log_softmax_curvature_12(x, adj_y, adj_x, d, b, lse);
        }
    }
}

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
