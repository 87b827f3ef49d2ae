/* What stands between the network's output and the derivative. The formulas stand in backend/ref/head.c.
 *
 * A row is walked in parts of PART_ELEMENTS: the weights of a part (softmax or error) are computed into a buffer, then used
 * by the loops and sums that need them. The exponentials are computed anew for every pass: nothing is allocated here. */
#include "backend/onednn/hot.h"
#include "backend/onednn/onednn.h"

/* Several passes of exponentials: an element is as much work as this many of a plain loop. */
enum { EXPONENTIAL_WORK = 8 };

/* Row of sample b in component S and direction d; component 0 has no directions: d is 0. */
static real *row_at(const jet *j, int component, int d, int b)
{
    return jet_component(j, component) + ((size_t)d * (size_t)j->batch + (size_t)b) * j->count;
}

static size_t all_elements(const jet *j)
{
    return jet_range_rows(j, jet_all(j->order)) * j->count;
}

/* -- loops over one part of a row -- */

/* w = softmax. The difference is taken in double: rounding a large log-sum-exp would be felt in the exponential. */
DNX_HOT static void softmax_part(size_t count, const real *restrict x, double lse, real *restrict w)
{
    for (size_t i = 0; i < count; i++)
        w[i] = real_exp((real)(x[i] - lse));
}

/* w = x - truth */
DNX_HOT static void error_part(size_t count, const real *restrict x, const real *restrict truth, real *restrict w)
{
    for (size_t i = 0; i < count; i++)
        w[i] = x[i] - truth[i];
}

/* w = u (x - shift) */
DNX_HOT static void centre_part(size_t count, const real *u, const real *restrict x, real shift, real *w)
{
#pragma GCC ivdep
    for (size_t i = 0; i < count; i++)
        w[i] = u[i] * (x[i] - shift);
}

/* y = alpha u + beta v, or y += alpha u + beta v */
DNX_HOT static void combine_part(size_t count, real alpha, const real *u, real beta, const real *v, real *restrict y,
                                 bool accumulate)
{
    if (accumulate)
        for (size_t i = 0; i < count; i++)
            y[i] += alpha * u[i] + beta * v[i];
    else
        for (size_t i = 0; i < count; i++)
            y[i] = alpha * u[i] + beta * v[i];
}

/* y = x - shift */
DNX_HOT static void shift_row(size_t count, const real *restrict x, double shift, real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = (real)(x[i] - shift);
}

/* -- log_softmax -- */

DNX_HOT static real largest_of(size_t count, const real *x)
{
    real largest = x[0];
    for (size_t i = 1; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    return largest;
}

static double log_sum_exp(size_t count, const real *x)
{
    const double largest = largest_of(count, x);
    real w[PART_ELEMENTS];
    double sum = 0;
    for (long i = 0; i < part_count(count, PART_ELEMENTS); i++) {
        const part p = part_at(count, PART_ELEMENTS, i);
        softmax_part(p.size, x + p.first, largest, w);
        sum += onednn_row_sum(p.size, w);
    }
    return largest + log(sum);
}

/* <s, u> with s = softmax(x) */
static double mean(size_t count, const real *x, double lse, const real *u)
{
    real w[PART_ELEMENTS];
    double sum = 0;
    for (long i = 0; i < part_count(count, PART_ELEMENTS); i++) {
        const part p = part_at(count, PART_ELEMENTS, i);
        softmax_part(p.size, x + p.first, lse, w);
        sum += onednn_row_dot(p.size, w, u + p.first);
    }
    return sum;
}

/* <s, u v> - <s, u> <s, v>, without its cancellation */
static double covariance(size_t count, const real *x, double lse, const real *u, double mean_u, const real *v)
{
    real w[PART_ELEMENTS];
    double sum = 0;
    for (long i = 0; i < part_count(count, PART_ELEMENTS); i++) {
        const part p = part_at(count, PART_ELEMENTS, i);
        softmax_part(p.size, x + p.first, lse, w);
        centre_part(p.size, w, u + p.first, (real)mean_u, w);
        sum += onednn_row_dot(p.size, w, v + p.first);
    }
    return sum;
}

static void log_softmax_forward_sample(const jet *x, jet *y, component_range range, int b)
{
    const real *x0 = row_at(x, 0, 0, b);
    const double lse = log_sum_exp(x->count, x0);
    if (range_has(range, 0))
        shift_row(x->count, x0, lse, row_at(y, 0, 0, b));
    for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
        for (int d = 0; d < x->directions; d++) {
            const real *xs = row_at(x, s, d, b);
            double shift = mean(x->count, x0, lse, xs);
            if (s == 3) {
                const real *x1 = row_at(x, 1, d, b);
                shift += covariance(x->count, x0, lse, x1, mean(x->count, x0, lse, x1), row_at(x, 2, d, b));
            }
            shift_row(x->count, xs, shift, row_at(y, s, d, b));
        }
}

void onednn_log_softmax_forward(const jet *x, jet *y, component_range range)
{
    FOR_EACH_PART(EXPONENTIAL_WORK * all_elements(x), (size_t)x->batch, 1, p,
                  log_softmax_forward_sample(x, y, range, (int)p.first));
}

/* y = adj - a s with a = sum adj, or y += */
static void softmax_adjoint(size_t count, const real *x0, double lse, const real *adj, real *y, bool accumulate)
{
    real w[PART_ELEMENTS];
    const real a = (real)onednn_row_sum(count, adj);
    for (long i = 0; i < part_count(count, PART_ELEMENTS); i++) {
        const part p = part_at(count, PART_ELEMENTS, i);
        softmax_part(p.size, x0 + p.first, lse, w);
        combine_part(p.size, 1, adj + p.first, -a, w, y + p.first, accumulate);
    }
}

/* y -= coefficient s (u - m) */
static void subtract_centred(size_t count, const real *x0, double lse, double coefficient, const real *u, double m, real *y)
{
    real w[PART_ELEMENTS];
    for (long i = 0; i < part_count(count, PART_ELEMENTS); i++) {
        const part p = part_at(count, PART_ELEMENTS, i);
        softmax_part(p.size, x0 + p.first, lse, w);
        centre_part(p.size, w, u + p.first, (real)m, w);
        onednn_axpby(p.size, (real)-coefficient, w, 1, y + p.first);
    }
}

/* y -= coefficient s (u - m_u) (v - m_v) */
static void subtract_product(size_t count, const real *x0, double lse, double coefficient, const real *u, double m_u,
                             const real *v, double m_v, real *y)
{
    real w[PART_ELEMENTS];
    for (long i = 0; i < part_count(count, PART_ELEMENTS); i++) {
        const part p = part_at(count, PART_ELEMENTS, i);
        softmax_part(p.size, x0 + p.first, lse, w);
        centre_part(p.size, w, u + p.first, (real)m_u, w);
        centre_part(p.size, w, v + p.first, (real)m_v, w);
        onednn_axpby(p.size, (real)-coefficient, w, 1, y + p.first);
    }
}

/* xbar_0 of one direction: with c_S = x_S - <s, x_S>, the terms of ref/head.c are
 *     -s [ a_1 c_1 + a_2 c_2 + a_12 (c_1 c_2 - <s, c_1 c_2> + c_12) ] */
static void log_softmax_curvature(const jet *x, const jet *adj_y, int d, int b, double lse, real *y)
{
    const size_t count = x->count;
    const real *x0 = row_at(x, 0, 0, b);
    double m[JET_MAX_COMPONENTS], a[JET_MAX_COMPONENTS];
    for (int s = 1; s < jet_components(x->order); s++) {
        m[s] = mean(count, x0, lse, row_at(x, s, d, b));
        a[s] = onednn_row_sum(count, row_at(adj_y, s, d, b));
    }
    for (int s = 1; s <= x->order; s++)
        subtract_centred(count, x0, lse, a[s], row_at(x, s, d, b), m[s], y);
    if (x->order < 2)
        return;
    const real *x1 = row_at(x, 1, d, b), *x2 = row_at(x, 2, d, b);
    subtract_product(count, x0, lse, a[3], x1, m[1], x2, m[2], y);
    subtract_centred(count, x0, lse, a[3], row_at(x, 3, d, b), m[3] + covariance(count, x0, lse, x1, m[1], x2), y);
}

static void log_softmax_backward_sample(const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate, int b)
{
    const size_t count = x->count;
    const real *x0 = row_at(x, 0, 0, b);
    const double lse = log_sum_exp(count, x0);
    for (int s = range.first; s < range.last; s++)
        for (int d = 0; d < (s == 0 ? 1 : x->directions); d++) {
            real *y = row_at(adj_x, s, d, b);
            softmax_adjoint(count, x0, lse, row_at(adj_y, s, d, b), y, accumulate);
            if (x->order < 2 || s == 0 || s == 3)
                continue;
            const real *other = row_at(x, 3 - s, d, b);
            const double a12 = onednn_row_sum(count, row_at(adj_y, 3, d, b));
            subtract_centred(count, x0, lse, a12, other, mean(count, x0, lse, other), y);
        }
    for (int d = 0; range_has(range, 0) && d < x->directions; d++)
        log_softmax_curvature(x, adj_y, d, b, lse, row_at(adj_x, 0, 0, b));
}

void onednn_log_softmax_backward(const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate)
{
    FOR_EACH_PART(EXPONENTIAL_WORK * all_elements(x), (size_t)x->batch, 1, p,
                  log_softmax_backward_sample(x, adj_y, adj_x, range, accumulate, (int)p.first));
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
    const real *x0 = row_at(x, 0, 0, b);
    if (range_has(range, 0))
        *row_at(y, 0, 0, b) = (real)error_dot(x->count, x0, truth, NULL);
    for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
        for (int d = 0; d < x->directions; d++) {
            const double mixed = s == 3 ? onednn_row_dot(x->count, row_at(x, 1, d, b), row_at(x, 2, d, b)) : 0;
            *row_at(y, s, d, b) = (real)(2 * (mixed + error_dot(x->count, x0, truth, row_at(x, s, d, b))));
        }
}

void onednn_squared_error_forward(const jet *x, const real *truth, jet *y, component_range range)
{
    FOR_EACH_PART(all_elements(x), (size_t)x->batch, 1, p,
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
            real *y = row_at(adj_x, s, d, b);
            put_error(count, 2 * *row_at(adj_y, s, d, b), row_at(x, 0, 0, b), truth, y, accumulate);
            if (x->order > 1 && (s == 1 || s == 2))
                onednn_axpby(count, 2 * *row_at(adj_y, 3, d, b), row_at(x, 3 - s, d, b), 1, y);
        }
    for (int s = 1; range_has(range, 0) && s < jet_components(x->order); s++)
        for (int d = 0; d < x->directions; d++)
            onednn_axpby(count, 2 * *row_at(adj_y, s, d, b), row_at(x, s, d, b), 1, row_at(adj_x, 0, 0, b));
}

void onednn_squared_error_backward(const jet *x, const real *truth, const jet *adj_y, jet *adj_x, component_range range,
                                   bool accumulate)
{
    FOR_EACH_PART(all_elements(x), (size_t)x->batch, 1, p,
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
