/* Softmax and its logarithm. Over the elements of a group, with p = softmax(x_0 / T), <u> = sum p u, and for every component S > 0
 *     k_S = x_S - <x_S>        g_S = ybar_S - <ybar_S>        C(w) = p (w - <w>), the Jacobian's product with w
 *
 * softmax, y_0 = p
 *     y_1 = C(x_1) / T        y_2 = C(x_2) / T        y_12 = C(x_12 + k_1 k_2 / T) / T
 *   adjoint: dp = C(dx_0) / T makes <a b c> of centred a, b, c a third, and the like with four a fourth cumulant of p:
 *     xbar_12 = C(ybar_12) / T
 *     xbar_2  = C(ybar_2 + g_12 k_1 / T) / T
 *     xbar_1  = C(ybar_1 + g_12 k_2 / T) / T
 *     xbar_0  = C(ybar_0) / T + sum over directions C(g_1 k_1 + g_2 k_2 + g_12 k_12
 *               + (g_12 k_1 k_2 - <k_1 k_2> g_12 - <g_12 k_1> k_2 - <g_12 k_2> k_1) / T) / T^2
 *
 * log_softmax (T = 1, one group)
 *     y_0 = x_0 - log sum exp x_0        y_1 = k_1        y_2 = k_2        y_12 = k_12 - <k_1 k_2>
 *   adjoint, with a_S = sum of ybar_S over the row:
 *     xbar_12 = ybar_12 - p a_12
 *     xbar_2  = ybar_2 - p (a_2 + a_12 k_1)
 *     xbar_1  = ybar_1 - p (a_1 + a_12 k_2)
 *     xbar_0  = ybar_0 - p a_0 - sum over directions p (a_1 k_1 + a_2 k_2 + a_12 (k_12 + k_1 k_2 - <k_1 k_2>)) */
#include "backend/ref/ref.h"

/* A group of one sample, with its components along one direction. */
typedef struct group {
    size_t count;
    int order;
    double scale; /* 1 / T */
    const real *p, *x[JET_MAX_COMPONENTS], *adj[JET_MAX_COMPONENTS];
    double mean_x[JET_MAX_COMPONENTS], mean_adj[JET_MAX_COMPONENTS];
    double k12, g12k1, g12k2; /* <k_1 k_2>, <g_12 k_1>, <g_12 k_2> */
} group;

static double mean(const group *g, const real *u)
{
    double sum = 0;
    for (size_t i = 0; i < g->count; i++)
        sum += (double)g->p[i] * u[i];
    return sum;
}

/* first: of the group within a row. Means of components that are not there yet mean nothing, and nobody asks for them. */
static group group_at(const jet *x, const real *p, const jet *adj_y, size_t first, size_t count, double temperature, int d, int b)
{
    group g = {.count = count, .order = x->order, .scale = 1 / temperature, .p = p + (size_t)b * x->count + first};
    for (int s = 1; s < jet_components(x->order); s++) {
        g.x[s] = ref_row(x, s, d, b) + first;
        g.mean_x[s] = mean(&g, g.x[s]);
        if (!adj_y)
            continue;
        g.adj[s] = ref_row(adj_y, s, d, b) + first;
        g.mean_adj[s] = mean(&g, g.adj[s]);
    }
    return g;
}

static double centred_x(const group *g, int s, size_t i)
{
    return g->x[s][i] - g->mean_x[s];
}

static double centred_adj(const group *g, int s, size_t i)
{
    return g->adj[s][i] - g->mean_adj[s];
}

/* <k_1 k_2> */
static double covariance(const group *g)
{
    double sum = 0;
    for (size_t i = 0; i < g->count; i++)
        sum += g->p[i] * centred_x(g, 1, i) * centred_x(g, 2, i);
    return sum;
}

static void take_covariances(group *g)
{
    if (g->order < 2)
        return;
    g->k12 = covariance(g);
    g->g12k1 = g->g12k2 = 0;
    for (size_t i = 0; i < g->count; i++) {
        g->g12k1 += g->p[i] * centred_adj(g, 3, i) * centred_x(g, 1, i);
        g->g12k2 += g->p[i] * centred_adj(g, 3, i) * centred_x(g, 2, i);
    }
}

/* -- softmax: what C is taken of -- */

typedef double argument(const group *g, int s, size_t i);

static double forward_argument(const group *g, int s, size_t i)
{
    return g->scale * (centred_x(g, s, i) + (s == 3 ? g->scale * centred_x(g, 1, i) * centred_x(g, 2, i) : 0));
}

static double adjoint_argument(const group *g, int s, size_t i)
{
    const bool mixes = g->order > 1 && s != 3;
    return g->scale * (centred_adj(g, s, i) + (mixes ? g->scale * centred_adj(g, 3, i) * centred_x(g, 3 - s, i) : 0));
}

static double value_adjoint_argument(const group *g, int s, size_t i)
{
    return g->scale * g->adj[0][i];
}

/* For xbar_0: what one direction adds. */
static double curvature_argument(const group *g, int s, size_t i)
{
    double sum = 0;
    for (s = 1; s < jet_components(g->order); s++)
        sum += centred_adj(g, s, i) * centred_x(g, s, i);
    if (g->order < 2)
        return g->scale * g->scale * sum;
    const double k1 = centred_x(g, 1, i), k2 = centred_x(g, 2, i), g12 = centred_adj(g, 3, i);
    return g->scale * g->scale * (sum + g->scale * (g12 * k1 * k2 - g->k12 * g12 - g->g12k1 * k2 - g->g12k2 * k1));
}

static void put_product(const group *g, argument *w, int s, real *y, bool accumulate)
{
    double m = 0;
    for (size_t i = 0; i < g->count; i++)
        m += g->p[i] * w(g, s, i);
    for (size_t i = 0; i < g->count; i++)
        ref_put(&y[i], g->p[i] * (w(g, s, i) - m), accumulate);
}

static void put_softmax(const real *x, size_t count, double temperature, real *p)
{
    double largest = x[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (size_t i = 0; i < count; i++)
        sum += exp((x[i] - largest) / temperature);
    for (size_t i = 0; i < count; i++)
        p[i] = (real)(exp((x[i] - largest) / temperature) / sum);
}

void ref_softmax_forward(int groups, real temperature, const jet *x, jet *y, component_range range)
{
    const size_t count = x->count / (size_t)groups;
    for (int b = 0; b < x->batch; b++)
        for (size_t first = 0; first < x->count; first += count) {
            if (range_has(range, 0))
                put_softmax(ref_row(x, 0, 0, b) + first, count, temperature, ref_row(y, 0, 0, b) + first);
            for (int d = 0; range.last > 1 && d < x->directions; d++) {
                const group g = group_at(x, y->data, NULL, first, count, temperature, d, b);
                for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
                    put_product(&g, forward_argument, s, ref_row(y, s, d, b) + first, false);
            }
        }
}

void ref_softmax_backward(int groups, real temperature, const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range,
                          bool accumulate)
{
    const size_t count = x->count / (size_t)groups;
    for (int b = 0; b < x->batch; b++)
        for (size_t first = 0; first < x->count; first += count) {
            group value = {.count = count, .scale = 1 / (double)temperature, .p = p + (size_t)b * x->count + first};
            value.adj[0] = ref_row(adj_y, 0, 0, b) + first;
            if (range_has(range, 0))
                put_product(&value, value_adjoint_argument, 0, ref_row(adj_x, 0, 0, b) + first, accumulate);
            for (int d = 0; d < x->directions; d++) {
                group g = group_at(x, p, adj_y, first, count, temperature, d, b);
                for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
                    put_product(&g, adjoint_argument, s, ref_row(adj_x, s, d, b) + first, accumulate);
                if (!range_has(range, 0))
                    continue;
                take_covariances(&g);
                put_product(&g, curvature_argument, 0, ref_row(adj_x, 0, 0, b) + first, true);
            }
        }
}

/* -- log_softmax -- */

static double sum_of(const real *u, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += u[i];
    return sum;
}

static double log_sum_exp(const real *x, size_t count)
{
    double largest = x[0], sum = 0;
    for (size_t i = 1; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    for (size_t i = 0; i < count; i++)
        sum += exp(x[i] - largest);
    return largest + log(sum);
}

static void put_log_softmax(const real *x, size_t count, real *y)
{
    const double lse = log_sum_exp(x, count);
    for (size_t i = 0; i < count; i++)
        y[i] = (real)(x[i] - lse);
}

void ref_log_softmax_forward(const jet *x, real *p, jet *y, component_range range)
{
    for (int b = 0; b < x->batch; b++) {
        if (range_has(range, 0)) {
            put_softmax(ref_row(x, 0, 0, b), x->count, 1, p + (size_t)b * x->count);
            put_log_softmax(ref_row(x, 0, 0, b), x->count, ref_row(y, 0, 0, b));
        }
        for (int d = 0; range.last > 1 && d < x->directions; d++) {
            const group g = group_at(x, p, NULL, 0, x->count, 1, d, b);
            for (int s = range.first > 1 ? range.first : 1; s < range.last; s++) {
                const double shift = s == 3 ? covariance(&g) : 0;
                for (size_t i = 0; i < x->count; i++)
                    ref_row(y, s, d, b)[i] = (real)(centred_x(&g, s, i) - shift);
            }
        }
    }
}

static void log_softmax_adjoint(const group *g, int s, real *adj_x, bool accumulate)
{
    const bool mixes = g->order > 1 && s != 3;
    const double a = sum_of(g->adj[s], g->count), a12 = mixes ? sum_of(g->adj[3], g->count) : 0;
    for (size_t i = 0; i < g->count; i++) {
        const double curved = mixes ? a12 * centred_x(g, 3 - s, i) : 0;
        ref_put(&adj_x[i], g->adj[s][i] - g->p[i] * (a + curved), accumulate);
    }
}

/* For xbar_0: what one direction adds. */
static void log_softmax_curvature(const group *g, real *adj_x)
{
    double a[JET_MAX_COMPONENTS];
    for (int s = 1; s < jet_components(g->order); s++)
        a[s] = sum_of(g->adj[s], g->count);
    const double k12 = g->order > 1 ? covariance(g) : 0;
    for (size_t i = 0; i < g->count; i++) {
        double sum = g->order > 1 ? a[3] * (centred_x(g, 1, i) * centred_x(g, 2, i) - k12) : 0;
        for (int s = 1; s < jet_components(g->order); s++)
            sum += a[s] * centred_x(g, s, i);
        ref_put(&adj_x[i], -g->p[i] * sum, true);
    }
}

void ref_log_softmax_backward(const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range, bool accumulate)
{
    for (int b = 0; b < x->batch; b++) {
        const group value = {.count = x->count, .p = p + (size_t)b * x->count, .adj = {ref_row(adj_y, 0, 0, b)}};
        if (range_has(range, 0))
            log_softmax_adjoint(&value, 0, ref_row(adj_x, 0, 0, b), accumulate);
        for (int d = 0; d < x->directions; d++) {
            const group g = group_at(x, p, adj_y, 0, x->count, 1, d, b);
            for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
                log_softmax_adjoint(&g, s, ref_row(adj_x, s, d, b), accumulate);
            if (range_has(range, 0))
                log_softmax_curvature(&g, ref_row(adj_x, 0, 0, b));
        }
    }
}

/* -- losses of probabilities -- */

double ref_cross_entropy(bool binary, size_t count, const real *p, const real *truth, real *gradient)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += cross_entropy_term(binary, p[i], truth[i]);
        gradient[i] = (real)cross_entropy_gradient(p[i], truth[i]);
    }
    return sum;
}
