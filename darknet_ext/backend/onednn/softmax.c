/* Softmax and its logarithm. The formulas, and the names in them, stand in backend/ref/softmax.c.
 *
 * A group is walked in parts of PART_ELEMENTS: what C is taken of is computed for a part into a buffer, then used by the loops and
 * sums that need it. Nothing is allocated here. */
#include "core/hot.h"
#include "backend/onednn/onednn.h"

/* Some passes over every component: an element is as much work as this many of a plain loop. */
enum { PASSES = 8 };

/* A group of one sample, with its components along one direction. */
typedef struct group {
    size_t count;
    int order;
    real scale; /* 1 / T */
    const real *p, *x[JET_MAX_COMPONENTS], *adj[JET_MAX_COMPONENTS];
    real mean_x[JET_MAX_COMPONENTS], mean_adj[JET_MAX_COMPONENTS], sum_adj[JET_MAX_COMPONENTS];
    real k12, g12k1, g12k2; /* <k_1 k_2>, <g_12 k_1>, <g_12 k_2> */
} group;

/* w of a part: what C is taken of, or p is multiplied by. */
typedef void argument(const group *g, int s, part p, real *w);

/* -- loops over one part -- */

/* w = alpha (u - m_u) */
DNX_HOT static void centred(size_t count, real alpha, const real *restrict u, real m_u, real *restrict w)
{
    for (size_t i = 0; i < count; i++)
        w[i] = alpha * (u[i] - m_u);
}

/* w += alpha (u - m_u) */
DNX_HOT static void add_centred(size_t count, real alpha, const real *restrict u, real m_u, real *restrict w)
{
    for (size_t i = 0; i < count; i++)
        w[i] += alpha * (u[i] - m_u);
}

/* w += alpha (u - m_u) (v - m_v) */
DNX_HOT static void add_product(size_t count, real alpha, const real *u, real m_u, const real *v, real m_v, real *restrict w)
{
    for (size_t i = 0; i < count; i++)
        w[i] += alpha * (u[i] - m_u) * (v[i] - m_v);
}

/* w += alpha (u - m_u) (v - m_v) (t - m_t) */
DNX_HOT static void add_triple(size_t count, real alpha, const real *u, real m_u, const real *v, real m_v, const real *t, real m_t, real *restrict w)
{
    for (size_t i = 0; i < count; i++)
        w[i] += alpha * (u[i] - m_u) * (v[i] - m_v) * (t[i] - m_t);
}

/* y = p (w - m), or y += */
DNX_HOT static void put_part(size_t count, const real *restrict p, const real *restrict w, real m, real *restrict y, bool accumulate)
{
    if (accumulate)
        for (size_t i = 0; i < count; i++)
            y[i] += p[i] * (w[i] - m);
    else
        for (size_t i = 0; i < count; i++)
            y[i] = p[i] * (w[i] - m);
}

/* y = u - a p, or y += */
DNX_HOT static void subtract_part(size_t count, const real *restrict u, real a, const real *restrict p, real *restrict y, bool accumulate)
{
    if (accumulate)
        for (size_t i = 0; i < count; i++)
            y[i] += u[i] - a * p[i];
    else
        for (size_t i = 0; i < count; i++)
            y[i] = u[i] - a * p[i];
}

/* y = exp((x - shift) scale). The difference is taken in double: rounding a large shift would be felt in the exponential. */
DNX_HOT static void exponential_part(size_t count, const real *restrict x, double shift, double scale, real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = real_exp((real)((x[i] - shift) * scale));
}

/* y = x - shift */
DNX_HOT static void shift_row(size_t count, const real *restrict x, double shift, real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = (real)(x[i] - shift);
}

DNX_HOT static real largest_of(size_t count, const real *x)
{
    real largest = x[0];
    for (size_t i = 1; i < count; i++)
        largest = x[i] > largest ? x[i] : largest;
    return largest;
}

/* -- means -- */

static group group_at(const jet *x, const real *p, size_t first, size_t count, real temperature, int d, int b)
{
    group g = {.count = count, .order = x->order, .scale = 1 / temperature, .p = p + (size_t)b * x->count + first};
    for (int s = 1; s < jet_components(x->order); s++)
        g.x[s] = onednn_row(x, s, d, b) + first;
    return g;
}

static void take_mean_x(group *g, int s)
{
    g->mean_x[s] = (real)onednn_row_dot(g->count, g->p, g->x[s]);
}

/* Those that the components of a range need, and that are there by then. */
static void take_forward_means(group *g, component_range range)
{
    for (int s = 1; s < range.last; s++)
        take_mean_x(g, s);
}

static void take_backward_means(group *g, component_range range)
{
    for (int s = 1; s < jet_components(g->order); s++)
        if (range_has(range, 0) || (g->order > 1 && range_has(range, 3 - s)))
            take_mean_x(g, s);
}

static void take_adjoints(group *g, const jet *adj_y, size_t first, int d, int b, component_range range)
{
    for (int s = 1; s < jet_components(g->order); s++) {
        g->adj[s] = onednn_row(adj_y, s, d, b) + first;
        if (s < range.first)
            continue;
        g->mean_adj[s] = (real)onednn_row_dot(g->count, g->p, g->adj[s]);
        g->sum_adj[s] = (real)onednn_row_sum(g->count, g->adj[s]);
    }
}

/* <(u - m_u) v> */
static real covariance(const group *g, const real *u, real m_u, const real *v)
{
    real w[PART_ELEMENTS];
    double sum = 0;
    for (long i = 0; i < part_count(g->count, PART_ELEMENTS); i++) {
        const part p = part_at(g->count, PART_ELEMENTS, i);
        put_part(p.size, g->p + p.first, u + p.first, m_u, w, false);
        sum += onednn_row_dot(p.size, w, v + p.first);
    }
    return (real)sum;
}

static void take_covariances(group *g)
{
    if (g->order < 2)
        return;
    g->k12 = covariance(g, g->x[1], g->mean_x[1], g->x[2]);
    g->g12k1 = covariance(g, g->adj[3], g->mean_adj[3], g->x[1]);
    g->g12k2 = covariance(g, g->adj[3], g->mean_adj[3], g->x[2]);
}

/* -- softmax: what C is taken of -- */

static void forward_argument(const group *g, int s, part p, real *w)
{
    const size_t i = p.first;
    centred(p.size, g->scale, g->x[s] + i, g->mean_x[s], w);
    if (s == 3)
        add_product(p.size, g->scale * g->scale, g->x[1] + i, g->mean_x[1], g->x[2] + i, g->mean_x[2], w);
}

static void adjoint_argument(const group *g, int s, part p, real *w)
{
    const size_t i = p.first;
    centred(p.size, g->scale, g->adj[s] + i, g->mean_adj[s], w);
    if (g->order > 1 && s != 3)
        add_product(p.size, g->scale * g->scale, g->adj[3] + i, g->mean_adj[3], g->x[3 - s] + i, g->mean_x[3 - s], w);
}

static void value_adjoint_argument(const group *g, int s, part p, real *w)
{
    centred(p.size, g->scale, g->adj[0] + p.first, 0, w);
}

/* For xbar_0: what one direction adds. */
static void curvature_argument(const group *g, int s, part p, real *w)
{
    const size_t i = p.first;
    const real square = g->scale * g->scale, cube = square * g->scale;
    const real *const *x = g->x, *const *adj = g->adj, *m = g->mean_x, *a = g->mean_adj;
    centred(p.size, 0, x[1] + i, 0, w);
    for (s = 1; s < jet_components(g->order); s++)
        add_product(p.size, square, adj[s] + i, a[s], x[s] + i, m[s], w);
    if (g->order < 2)
        return;
    add_triple(p.size, cube, adj[3] + i, a[3], x[1] + i, m[1], x[2] + i, m[2], w);
    add_centred(p.size, -cube * g->k12, adj[3] + i, a[3], w);
    add_centred(p.size, -cube * g->g12k1, x[2] + i, m[2], w);
    add_centred(p.size, -cube * g->g12k2, x[1] + i, m[1], w);
}

/* y = C(w), or y += C(w) */
static void put_product(const group *g, argument *argument_of, int s, real *y, bool accumulate)
{
    real w[PART_ELEMENTS];
    const long n = part_count(g->count, PART_ELEMENTS);
    double mean = 0;
    for (long i = 0; i < n; i++) {
        const part p = part_at(g->count, PART_ELEMENTS, i);
        argument_of(g, s, p, w);
        mean += onednn_row_dot(p.size, g->p + p.first, w);
    }
    for (long i = 0; i < n; i++) {
        const part p = part_at(g->count, PART_ELEMENTS, i);
        if (n > 1)
            argument_of(g, s, p, w);
        put_part(p.size, g->p + p.first, w, (real)mean, y + p.first, accumulate);
    }
}

static void put_softmax(size_t count, const real *x, double scale, real *p)
{
    exponential_part(count, x, largest_of(count, x), scale, p);
    onednn_axpby(count, (real)(1 / onednn_row_sum(count, p)), p, 0, p);
}

static void softmax_forward_group(size_t first, size_t count, real temperature, const jet *x, jet *y, component_range range, int b)
{
    if (range_has(range, 0))
        put_softmax(count, onednn_row(x, 0, 0, b) + first, 1 / (double)temperature, onednn_row(y, 0, 0, b) + first);
    for (int d = 0; range.last > 1 && d < x->directions; d++) {
        group g = group_at(x, y->data, first, count, temperature, d, b);
        take_forward_means(&g, range);
        for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
            put_product(&g, forward_argument, s, onednn_row(y, s, d, b) + first, false);
    }
}

/* Group i of the batch: i / groups is its sample. */
#define FOR_EACH_GROUP(groups, x, i, statement) \
    FOR_EACH_PART(PASSES *onednn_all_elements(x), (size_t)(x)->batch * (size_t)(groups), 1, i, statement)

void onednn_softmax_forward(int groups, real temperature, const jet *x, jet *y, component_range range)
{
    const size_t n = (size_t)groups, count = x->count / n;
    FOR_EACH_GROUP(groups, x, i, softmax_forward_group(i.first % n * count, count, temperature, x, y, range, (int)(i.first / n)));
}

static void softmax_backward_group(size_t first, size_t count, real temperature, const jet *x, const real *p, const jet *adj_y, jet *adj_x,
                                   component_range range, bool accumulate, int b)
{
    if (range_has(range, 0)) {
        group value = group_at(x, p, first, count, temperature, 0, b);
        value.adj[0] = onednn_row(adj_y, 0, 0, b) + first;
        put_product(&value, value_adjoint_argument, 0, onednn_row(adj_x, 0, 0, b) + first, accumulate);
    }
    for (int d = 0; d < x->directions; d++) {
        group g = group_at(x, p, first, count, temperature, d, b);
        take_backward_means(&g, range);
        take_adjoints(&g, adj_y, first, d, b, range);
        for (int s = range.first > 1 ? range.first : 1; s < range.last; s++)
            put_product(&g, adjoint_argument, s, onednn_row(adj_x, s, d, b) + first, accumulate);
        if (!range_has(range, 0))
            continue;
        take_covariances(&g);
        put_product(&g, curvature_argument, 0, onednn_row(adj_x, 0, 0, b) + first, true);
    }
}

void onednn_softmax_backward(int groups, real temperature, const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range,
                             bool accumulate)
{
    const size_t n = (size_t)groups, count = x->count / n;
    FOR_EACH_GROUP(groups, x, i,
                   softmax_backward_group(i.first % n * count, count, temperature, x, p, adj_y, adj_x, range, accumulate, (int)(i.first / n)));
}

/* -- log_softmax -- */

static void log_softmax_forward_sample(const jet *x, real *p, jet *y, component_range range, int b)
{
    const real *x0 = onednn_row(x, 0, 0, b);
    if (range_has(range, 0)) {
        const double largest = largest_of(x->count, x0);
        real *exponentials = p + (size_t)b * x->count;
        exponential_part(x->count, x0, largest, 1, exponentials);
        const double sum = onednn_row_sum(x->count, exponentials);
        onednn_axpby(x->count, (real)(1 / sum), exponentials, 0, exponentials);
        shift_row(x->count, x0, largest + log(sum), onednn_row(y, 0, 0, b));
    }
    for (int d = 0; range.last > 1 && d < x->directions; d++) {
        group g = group_at(x, p, 0, x->count, 1, d, b);
        take_forward_means(&g, range);
        for (int s = range.first > 1 ? range.first : 1; s < range.last; s++) {
            const double k12 = s == 3 ? covariance(&g, g.x[1], g.mean_x[1], g.x[2]) : 0;
            shift_row(x->count, g.x[s], g.mean_x[s] + k12, onednn_row(y, s, d, b));
        }
    }
}

void onednn_log_softmax_forward(const jet *x, real *p, jet *y, component_range range)
{
    FOR_EACH_GROUP(1, x, i, log_softmax_forward_sample(x, p, y, range, (int)i.first));
}

static void log_adjoint_argument(const group *g, int s, part p, real *w)
{
    centred(p.size, -g->sum_adj[3], g->x[3 - s] + p.first, g->mean_x[3 - s], w);
}

static void log_curvature_argument(const group *g, int s, part p, real *w)
{
    const size_t i = p.first;
    const real *const *x = g->x, *m = g->mean_x, *a = g->sum_adj;
    centred(p.size, -a[1], x[1] + i, m[1], w);
    if (g->order < 2)
        return;
    add_centred(p.size, -a[2], x[2] + i, m[2], w);
    add_centred(p.size, -a[3], x[3] + i, m[3] + g->k12, w);
    add_product(p.size, -a[3], x[1] + i, m[1], x[2] + i, m[2], w);
}

/* y += p w */
static void add_weighted(const group *g, argument *argument_of, int s, real *y)
{
    real w[PART_ELEMENTS];
    for (long i = 0; i < part_count(g->count, PART_ELEMENTS); i++) {
        const part p = part_at(g->count, PART_ELEMENTS, i);
        argument_of(g, s, p, w);
        put_part(p.size, g->p + p.first, w, 0, y + p.first, true);
    }
}

static void log_softmax_backward_sample(const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range, bool accumulate, int b)
{
    const size_t count = x->count;
    for (int s = range.first; s < range.last; s++)
        for (int d = 0; d < (s == 0 ? 1 : x->directions); d++) {
            const real *adj = onednn_row(adj_y, s, d, b);
            subtract_part(count, adj, (real)onednn_row_sum(count, adj), p + (size_t)b * count, onednn_row(adj_x, s, d, b), accumulate);
        }
    for (int d = 0; d < x->directions; d++) {
        group g = group_at(x, p, 0, count, 1, d, b);
        take_backward_means(&g, range);
        take_adjoints(&g, adj_y, 0, d, b, range);
        for (int s = 1; s < 3 && x->order > 1; s++)
            if (range_has(range, s))
                add_weighted(&g, log_adjoint_argument, s, onednn_row(adj_x, s, d, b));
        if (!range_has(range, 0))
            continue;
        take_covariances(&g);
        add_weighted(&g, log_curvature_argument, 0, onednn_row(adj_x, 0, 0, b));
    }
}

void onednn_log_softmax_backward(const jet *x, const real *p, const jet *adj_y, jet *adj_x, component_range range, bool accumulate)
{
    FOR_EACH_GROUP(1, x, i, log_softmax_backward_sample(x, p, adj_y, adj_x, range, accumulate, (int)i.first));
}

/* -- losses of probabilities -- */

static double cross_entropy_part(bool binary, size_t count, const real *p, const real *truth, real *gradient)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += cross_entropy_term(binary, p[i], truth[i]);
        gradient[i] = (real)cross_entropy_gradient(p[i], truth[i]);
    }
    return sum;
}

double onednn_cross_entropy(bool binary, size_t count, const real *p, const real *truth, real *gradient)
{
    double sums[SUM_PARTS], sum = 0;
    const size_t size = sum_part_size(count, PART_ELEMENTS);
    FOR_EACH_PART(count, count, size, i,
                  sums[i.index] = cross_entropy_part(binary, i.size, p + i.first, truth + i.first, gradient + i.first));
    for (long i = 0; i < part_count(count, size); i++)
        sum += sums[i];
    return sum;
}
