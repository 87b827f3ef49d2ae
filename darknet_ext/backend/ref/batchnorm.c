#include "backend/ref/ref.h"

#include <string.h>

#include "core/batchnorm_math.h"

/* A channel of a jet: elements i = 0..count-1 run over samples and pixels. */
typedef struct channel {
    const batchnorm *n;
    size_t index, count;
    double mean[JET_MAX_COMPONENTS], v[JET_MAX_COMPONENTS], r[JET_MAX_COMPONENTS]; /* of one direction */
    batchnorm_root root;
} channel;

static size_t element_of(const channel *c, size_t i)
{
    const size_t pixels = layout_pixels(c->n->layout);
    return i / pixels * layout_count(c->n->layout) + layout_at(c->n->layout, c->index, i % pixels);
}

/* Component 0 has no directions: d is of no account there. */
static real *element_at(const channel *c, const jet *j, int component, int d, size_t i)
{
    const size_t direction = component == 0 ? 0 : (size_t)d;
    return jet_component(j, component) + direction * (size_t)j->batch * j->count + element_of(c, i);
}

static real *statistic_at(const channel *c, const jet *j, int component, int d)
{
    return jet_component(j, component) + (component == 0 ? 0 : (size_t)d * j->count) + c->index;
}

static bool contains(int set, int subset)
{
    return (set & subset) == subset;
}

/* The statistics of direction d, of the components that `wanted` marks, bit s for s; the others are 0. Constants have only component 0. */
static void read_statistics(channel *c, int d, unsigned wanted)
{
    memset(c->mean, 0, sizeof c->mean);
    memset(c->v, 0, sizeof c->v);
    for (int s = 0; s < jet_components(c->n->mean.order); s++)
        if (wanted >> s & 1) {
            c->mean[s] = *statistic_at(c, &c->n->mean, s, d);
            c->v[s] = *statistic_at(c, &c->n->variance, s, d);
        }
    c->root = batchnorm_root_at(c->v[0]);
    batchnorm_inverse_deviation(c->root, c->v, c->r);
}

static double centred(const channel *c, const jet *x, int component, int d, size_t i)
{
    return *element_at(c, x, component, d, i) - c->mean[component];
}

static double bias_of(const channel *c)
{
    return c->n->biases ? c->n->biases[c->index] : 0;
}

static activation_values activation_of(const channel *c, const jet *x, size_t i)
{
    const double u = c->n->scales[c->index] * c->r[0] * centred(c, x, 0, 0, i) + bias_of(c);
    return activation_at(c->n->f, (real)u);
}

/* ---------------------------------------------------------------- forward */

/* Bit t for every subset t of s. */
static unsigned subsets_of(int s)
{
    unsigned all = 0;
    for (int t = 0; t <= s; t++)
        all |= (unsigned)contains(s, t) << t;
    return all;
}

static void compute_statistics(channel *c, const jet *x, int component, int d)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < c->count; i++)
        mean += *element_at(c, x, component, d, i) / (double)c->count;
    *statistic_at(c, &c->n->mean, component, d) = (real)mean;
    read_statistics(c, d, subsets_of(component) & ~(1u << component));
    c->mean[component] = *statistic_at(c, &c->n->mean, component, d);
    for (size_t i = 0; i < c->count; i++)
        for (int t = 0; t <= component; t++)
            if (contains(component, t))
                variance += centred(c, x, t, d, i) * centred(c, x, component & ~t, d, i);
    *statistic_at(c, &c->n->variance, component, d) = (real)(variance / ((double)c->count - 1));
}

static double normalised(const channel *c, const jet *x, int component, int d, size_t i)
{
    double sum = 0;
    if (!c->n->of_batch)
        return c->r[0] * centred(c, x, component, d, i);
    for (int t = 0; t <= component; t++)
        if (contains(component, t))
            sum += c->r[component & ~t] * centred(c, x, t, d, i);
    return sum;
}

static void channel_forward(channel *c, const jet *x, jet *y, component_range range, int d)
{
    for (int s = d == 0 || range.first > 0 ? range.first : 1; s < range.last; s++) {
        if (c->n->of_batch)
            compute_statistics(c, x, s, d);
        read_statistics(c, d, subsets_of(s));
        for (size_t i = 0; i < c->count; i++) {
            const double scaled = c->n->scales[c->index] * normalised(c, x, s, d, i);
            const activation_values a = activation_of(c, x, i);
            *element_at(c, y, s, d, i) = s == 0 ? a.f : (real)(a.f1 * scaled);
        }
    }
}

static void clear_padding(const batchnorm *n, jet *y, component_range range)
{
    channel c = {.n = n, .count = (size_t)y->batch * layout_pixels(n->layout)};
    for (c.index = (size_t)n->layout.shape.channels; c.index < layout_channels(n->layout); c.index++)
        for (int s = range.first; s < range.last; s++)
            for (int d = 0; d < (s == 0 ? 1 : y->directions); d++)
                for (size_t i = 0; i < c.count; i++)
                    *element_at(&c, y, s, d, i) = 0;
}

void ref_batchnorm_forward(const batchnorm *n, const jet *x, jet *y, component_range range)
{
    channel c = {.n = n, .count = (size_t)x->batch * layout_pixels(n->layout)};
    for (c.index = 0; c.index < (size_t)n->layout.shape.channels; c.index++)
        for (int d = 0; d == 0 || (range.last > 1 && d < x->directions); d++)
            channel_forward(&c, x, y, range, d);
    clear_padding(n, y, range);
}

/* ---------------------------------------------------------------- backward */

/* What the adjoints of one direction add up to; the value takes part in direction 0 only. */
typedef struct adjoint_sums {
    double r[JET_MAX_COMPONENTS]; /* sum_T <c_(T\S), ubar_T> */
    double u[JET_MAX_COMPONENTS]; /* sum ubar_S */
    double v_bar[JET_MAX_COMPONENTS];
} adjoint_sums;

/* Whether the adjoints of `range` depend on component t of ubar: it contains one of them. */
static bool needs_adjoint(component_range range, int t)
{
    for (int s = range.first; s < range.last; s++)
        if (contains(t, s))
            return true;
    return false;
}

/* The components of z and of its statistics on which the adjoints of `range` depend: those that one of them does not meet. */
static unsigned needed_statistics(component_range range, int order)
{
    unsigned all = 0;
    for (int s = range.first; s < range.last; s++)
        for (int t = 0; t < jet_components(order); t++)
            all |= (unsigned)((s & t) == 0) << t;
    return all;
}

/* ubar_S = f' ybar_S */
static double adjoint_at(const channel *c, const jet *x, const jet *adj_y, int component, int d, size_t i)
{
    return activation_of(c, x, i).f1 * *element_at(c, adj_y, component, d, i);
}

/* Constants: rbar_0 only, of no use but for the scales. */
static adjoint_sums add_up(const channel *c, const jet *x, const jet *adj_y, component_range range, int d)
{
    adjoint_sums sums = {{0}, {0}, {0}};
    for (size_t i = 0; i < c->count; i++)
        for (int t = d == 0 ? 0 : 1; t < jet_components(x->order); t++) {
            if (!needs_adjoint(range, t))
                continue;
            const double u_bar = adjoint_at(c, x, adj_y, t, d, i);
            sums.u[t] += u_bar;
            for (int s = 0; s <= t && c->n->of_batch; s++)
                if (contains(t, s) && needs_adjoint(range, s))
                    sums.r[s] += u_bar * centred(c, x, t & ~s, d, i);
            if (!c->n->of_batch && range_has(range, 0))
                sums.r[0] += u_bar * centred(c, x, t, d, i);
        }
    return sums;
}

/* The sums of direction d, whose statistics are read. */
static adjoint_sums sum_direction(channel *c, const jet *x, const jet *adj_y, component_range range, int d)
{
    double r_bar[JET_MAX_COMPONENTS];
    read_statistics(c, d, needed_statistics(range, x->order));
    adjoint_sums sums = add_up(c, x, adj_y, range, d);
    for (int s = 0; s < JET_MAX_COMPONENTS; s++)
        r_bar[s] = c->n->scales[c->index] * sums.r[s];
    batchnorm_variance_adjoint(c->root, c->v, r_bar, sums.v_bar);
    return sums;
}

/* What all directions give together. */
typedef struct totals {
    double v0_bar, scale_bar, bias_bar;
} totals;

static totals sum_directions(channel *c, const jet *x, const jet *adj_y, component_range range, int directions)
{
    totals all = {0, 0, 0};
    for (int d = 0; d < directions; d++) {
        const adjoint_sums sums = sum_direction(c, x, adj_y, range, d);
        all.v0_bar += sums.v_bar[0];
        all.bias_bar += sums.u[0];
        for (int s = 0; s < JET_MAX_COMPONENTS; s++)
            all.scale_bar += c->r[s] * sums.r[s];
    }
    return all;
}

/* zbar_S of one element; of component 0, what direction d adds. */
static double adjoint_of(const channel *c, const jet *x, const jet *adj_y, const adjoint_sums *sums, int component, int d, size_t i)
{
    const double scale = c->n->scales[c->index], n = (double)c->count;
    const int first = component == 0 && d > 0 ? 1 : component;
    double sum = 0;
    if (!c->n->of_batch)
        return first > component ? 0 : c->r[0] * scale * adjoint_at(c, x, adj_y, component, d, i);
    for (int t = first; t < jet_components(x->order); t++)
        if (contains(t, component))
            sum += c->r[t & ~component] * scale * (adjoint_at(c, x, adj_y, t, d, i) - sums->u[t] / n) +
                   2 / (n - 1) * sums->v_bar[t] * centred(c, x, t & ~component, d, i);
    return sum;
}

static double darknets_adjoint_of(const channel *c, const jet *x, const jet *adj_y, const adjoint_sums *sums, size_t i)
{
    const double n = (double)c->count;
    const batchnorm_darknet_adjoint k = batchnorm_darknet_adjoint_at(c->v[0], n);
    return c->n->scales[c->index] * (k.a * (adjoint_at(c, x, adj_y, 0, 0, i) - sums->u[0] / n) + k.b * sums->r[0] * centred(c, x, 0, 0, i));
}

/* Vbar_0 is counted with direction 0. */
static void channel_backward(channel *c, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate, double v0_bar, int d)
{
    adjoint_sums sums = sum_direction(c, x, adj_y, range, d);
    sums.v_bar[0] = v0_bar;
    for (size_t i = 0; i < c->count; i++)
        for (int s = range.first; s < range.last; s++) {
            const double adjoint = c->n->darknet_adjoint ? darknets_adjoint_of(c, x, adj_y, &sums, i) : adjoint_of(c, x, adj_y, &sums, s, d, i);
            ref_put(element_at(c, adj_x, s, d, i), adjoint, accumulate || (s == 0 && d > 0));
        }
}

void ref_batchnorm_backward(const batchnorm *n, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate,
                            real *adj_scales, real *adj_biases)
{
    const int directions = x->order > 0 ? x->directions : 1;
    channel c = {.n = n, .count = (size_t)x->batch * layout_pixels(n->layout)};
    for (c.index = 0; c.index < (size_t)n->layout.shape.channels; c.index++) {
        const totals all = sum_directions(&c, x, adj_y, range, directions);
        for (int d = 0; d < directions && adj_x->data; d++)
            channel_backward(&c, x, adj_y, adj_x, range, accumulate, all.v0_bar, d);
        if (adj_scales)
            adj_scales[c.index] = (real)(adj_scales[c.index] + all.scale_bar);
        if (adj_biases)
            adj_biases[c.index] = (real)(adj_biases[c.index] + all.bias_bar);
    }
    if (adj_x->data && !accumulate)
        clear_padding(n, adj_x, range);
}

/* ---------------------------------------------------------------- folding */

void ref_batchnorm_fold(const batchnorm *n, size_t row, const real *weights, real *folded, real *folded_biases)
{
    channel c = {.n = n};
    for (c.index = 0; c.index < (size_t)n->layout.shape.channels; c.index++) {
        read_statistics(&c, 0, 1);
        const double factor = n->scales[c.index] * c.r[0];
        for (size_t i = 0; i < row; i++)
            folded[c.index * row + i] = (real)(factor * weights[c.index * row + i]);
        folded_biases[c.index] = (real)(bias_of(&c) - factor * c.mean[0]);
    }
}
