/* A group is what one thread works on: the channels of a block, or LANES of vectors; of plain images one channel, whose pixels are then the
 * lanes. What its elements add up to is used while they are still in the cache. */
#include "backend/onednn/batchnorm_kernels.h"

#include <string.h>

#include "core/batchnorm_math.h"

typedef struct group {
    const batchnorm *n;
    size_t index, rows;         /* rows: samples */
    size_t first_channel;
    int width, channels;        /* of its vectors; channels that exist: lanes beyond are padding */
    bool shared;                /* all lanes are the one channel's */
    lane_sums mean, v, r;       /* of one direction */
    batchnorm_root root[LANES];
    lane_table table;
} group;

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static bool of_vectors(const batchnorm *n)
{
    return layout_pixels(n->layout) == 1;
}

static bool of_plain_images(const batchnorm *n)
{
    return !of_vectors(n) && n->layout.block == 1;
}

static size_t group_size(const batchnorm *n)
{
    return of_vectors(n) ? LANES : (size_t)n->layout.block;
}

static size_t group_count(const batchnorm *n)
{
    return (layout_channels(n->layout) + group_size(n) - 1) / group_size(n);
}

static double group_elements(const group *g)
{
    return (double)g->rows * (double)layout_pixels(g->n->layout);
}

static group group_at(const batchnorm *n, size_t rows, size_t index)
{
    group g = {.n = n, .index = index, .rows = rows, .first_channel = index * group_size(n), .shared = of_plain_images(n)};
    const size_t channels = (size_t)n->layout.shape.channels;
    g.width = g.shared ? LANES : (int)least(group_size(n), layout_channels(n->layout) - g.first_channel);
    g.channels = g.first_channel < channels ? (int)least(group_size(n), channels - g.first_channel) : 0;
    g.table.slope[0] = activation_at(n->f, -1).f1;
    g.table.slope[1] = activation_at(n->f, 1).f1;
    return g;
}

/* Of plain images each row has whole vectors, and a rest. */
static size_t span_count(const group *g)
{
    return of_vectors(g->n) ? 1 : g->shared ? 2 * g->rows : g->rows;
}

static span span_at(const group *g, size_t i)
{
    const size_t pixels = layout_pixels(g->n->layout), count = layout_count(g->n->layout);
    if (of_vectors(g->n))
        return (span){g->first_channel, g->rows, count, g->width};
    if (!g->shared)
        return (span){i * count + g->first_channel * pixels, pixels, (size_t)g->width, g->width};
    const size_t first = i / 2 * count + g->first_channel * pixels, whole = pixels / LANES * LANES;
    if (i % 2 == 0)
        return (span){first, whole / LANES, LANES, LANES};
    return (span){first + whole, pixels > whole, LANES, (int)(pixels - whole)};
}

/* The channel of a lane. */
static size_t channel_of(const group *g, int lane)
{
    return g->first_channel + (g->shared ? 0 : (size_t)lane);
}

static bool is_padding(const group *g, int lane)
{
    return !g->shared && lane >= g->channels;
}

/* What the lanes of one channel add up to, for each of them. */
static void share_sums(const group *g, lane_sums sums)
{
    for (int s = 0; s < SETS && g->shared; s++) {
        double total = 0;
        for (int l = 0; l < LANES; l++)
            total += sums[s][l];
        for (int l = 0; l < LANES; l++)
            sums[s][l] = total;
    }
}

static real *statistic_at(const group *g, const jet *j, int component, int d, int lane)
{
    return jet_component(j, component) + (component == 0 ? 0 : (size_t)d * j->count) + channel_of(g, lane);
}

static const real *direction_of(const jet *j, int component, int d)
{
    const size_t at = component == 0 ? 0 : (size_t)d * (size_t)j->batch * j->count;
    return j->data && component < jet_components(j->order) ? jet_component(j, component) + at : NULL;
}

/* adj, out: NULL when there are none. */
static direction direction_at(const jet *x, const jet *adj, const jet *out, int d)
{
    direction found = {{NULL}, {NULL}, {NULL}};
    for (int s = 0; s < SETS; s++) {
        found.x[s] = direction_of(x, s, d);
        found.adj[s] = adj ? direction_of(adj, s, d) : NULL;
        found.out[s] = out ? (real *)direction_of(out, s, d) : NULL;
    }
    return found;
}

/* The statistics of direction d, of the components that `wanted` marks, bit s for s; the others are 0. Padding has mean 0 and variance 1. */
static void read_statistics(group *g, int d, unsigned wanted)
{
    for (int l = 0; l < g->width; l++) {
        double v[SETS] = {1}, r[SETS], mean[SETS] = {0};
        const double scale = is_padding(g, l) ? 0 : g->n->scales[channel_of(g, l)];
        for (int s = 0; s < jet_components(g->n->mean.order) && !is_padding(g, l); s++)
            if (wanted >> s & 1) {
                mean[s] = *statistic_at(g, &g->n->mean, s, d, l);
                v[s] = *statistic_at(g, &g->n->variance, s, d, l);
            }
        g->root[l] = batchnorm_root_at(v[0]);
        batchnorm_inverse_deviation(g->root[l], v, r);
        for (int s = 0; s < SETS; s++) {
            g->v[s][l] = v[s];
            g->r[s][l] = r[s];
            g->table.mean[s][l] = (real)mean[s];
            g->table.factor[s][l] = (real)(scale * r[s]);
        }
        g->table.bias[l] = g->n->biases && !is_padding(g, l) ? g->n->biases[channel_of(g, l)] : 0;
    }
}

/* ---------------------------------------------------------------- forward */

/* Where sums of a component begin to count: the mean, if it is known, else any element, so that nothing that matters cancels. */
static void choose_shifts(const group *g, const direction *d, component_range range, lane_numbers shift)
{
    const size_t first = span_at(g, 0).first;
    for (int s = 0; s < SETS && s < range.last; s++)
        for (int l = 0; l < g->width; l++)
            shift[s][l] = s < range.first ? g->table.mean[s][l] : d->x[s][first + (g->shared ? 0 : (size_t)l)];
}

/* The sums are those of w_S = x_S - shift_S, and of w_T w_(S\T). */
static void write_statistics(group *g, int d, component_range range, const lane_numbers shift, const lane_sums sums, const lane_sums squares)
{
    const double n = group_elements(g);
    for (int l = 0; l < (g->shared ? 1 : g->channels); l++)
        for (int s = range.first; s < range.last; s++) {
            double means = 0, variance;
            for (int t = range.first; t <= s; t++) /* of the components below the range w has mean 0 */
                if (set_contains(s, t) && (s & ~t) >= range.first)
                    means += sums[t][l] / n * (sums[s & ~t][l] / n);
            variance = (squares[s][l] - n * means) / (n - 1);
            *statistic_at(g, &g->n->mean, s, d, l) = (real)((double)shift[s][l] + sums[s][l] / n);
            *statistic_at(g, &g->n->variance, s, d, l) = (real)(s == 0 && variance < 0 ? 0 : variance);
        }
}

static void compute_statistics(group *g, const direction *components, component_range range, int d)
{
    lane_sums sums = {{0}}, squares = {{0}};
    lane_numbers shift;
    read_statistics(g, d, (1u << range.first) - 1);
    choose_shifts(g, components, range, shift);
    for (size_t i = 0; i < span_count(g); i++)
        forward_sums(range, components, span_at(g, i), shift, sums, squares);
    share_sums(g, sums);
    share_sums(g, squares);
    write_statistics(g, d, range, shift, sums, squares);
}

/* The table holds what belongs to the direction. */
static void apply_forward(const group *g, const direction *components, component_range range)
{
    for (size_t i = 0; i < span_count(g); i++)
        forward_apply(range, components, span_at(g, i), &g->table);
}

static void group_forward(const batchnorm *n, const jet *x, jet *y, component_range range, size_t index)
{
    group g = group_at(n, (size_t)x->batch, index);
    for (int d = 0; d == 0 || (range.last > 1 && d < x->directions); d++) {
        const direction components = direction_at(x, NULL, y, d);
        const component_range now = {d > 0 && range.first == 0 ? 1 : range.first, range.last};
        if (n->of_batch)
            compute_statistics(&g, &components, now, d);
        read_statistics(&g, d, (1u << range.last) - 1);
        apply_forward(&g, &components, now);
    }
}

/* y_S = f' scale r x_S, as if x_S were component 1 of a jet whose statistics are 0. */
static void group_forward_constants(const batchnorm *n, const jet *x, jet *y, component_range range, size_t index)
{
    group g = group_at(n, (size_t)x->batch, index);
    read_statistics(&g, 0, 1);
    for (int s = range.first; s < range.last; s++)
        for (int d = 0; d < (s == 0 ? 1 : x->directions); d++) {
            direction components = direction_at(x, NULL, y, d);
            components.x[1] = components.x[s];
            components.out[1] = components.out[s];
            apply_forward(&g, &components, s == 0 ? (component_range){0, 1} : (component_range){1, 2});
        }
}

void onednn_batchnorm_forward(const batchnorm *n, const jet *x, jet *y, component_range range)
{
    const size_t work = jet_range_rows(x, range) * x->count;
    if (n->of_batch)
        FOR_EACH_PART(work, group_count(n), 1, p, group_forward(n, x, y, range, p.first));
    else
        FOR_EACH_PART(work, group_count(n), 1, p, group_forward_constants(n, x, y, range, p.first));
}

/* ---------------------------------------------------------------- backward */

/* What the adjoints of parameters and of V_0 have got from the directions so far. */
typedef struct totals {
    double scale[LANES], bias[LANES], v0[LANES], constant[LANES];
} totals;

/* From the sums of one direction: what is added to the adjoints of V_0 and of the scale, and the table's numbers of the other components. */
static void use_sums(group *g, adjoint_form f, const lane_sums sums, const lane_sums roots, totals *all)
{
    const double n = group_elements(g);
    for (int l = 0; l < g->width; l++) {
        const double scale = is_padding(g, l) ? 0 : g->n->scales[channel_of(g, l)];
        double r_bar[SETS], v[SETS], v_bar[SETS];
        for (int s = 0; s < SETS; s++) {
            r_bar[s] = scale * roots[s][l];
            v[s] = g->v[s][l];
            all->scale[l] += g->r[s][l] * roots[s][l];
        }
        batchnorm_variance_adjoint(g->root[l], v, r_bar, v_bar);
        all->v0[l] += v_bar[0];
        all->bias[l] += sums[0][l];
        for (int s = 0; s < SETS; s++) {
            double constant = 0;
            for (int t = s; t < SETS; t++)
                if (set_contains(t, s))
                    constant += scale * g->r[t & ~s][l] * sums[t][l] / n;
            g->table.pull[s][l] = g->table.factor[s][l];
            g->table.curving[s][l] = (real)(2 / (n - 1) * v_bar[s]);
            g->table.constant[s][l] = (real)constant;
            all->constant[l] += s == 0 ? constant : 0;
        }
        g->table.constant[0][l] = (real)(f.value ? all->constant[l] : 0);
        g->table.curving[0][l] = (real)(f.value ? 2 / (n - 1) * all->v0[l] : 0);
    }
}

static void use_darknets_sums(group *g, const lane_sums sums, const lane_sums roots)
{
    const double n = group_elements(g);
    for (int l = 0; l < g->width; l++) {
        const double scale = is_padding(g, l) ? 0 : g->n->scales[channel_of(g, l)];
        const batchnorm_darknet_adjoint k = batchnorm_darknet_adjoint_at(g->v[0][l], n);
        g->table.pull[0][l] = (real)(scale * k.a);
        g->table.curving[0][l] = (real)(scale * k.b * roots[0][l]);
        g->table.constant[0][l] = (real)(scale * k.a * sums[0][l] / n);
    }
}

static void write_parameters(const group *g, const totals *all, real *adj_scales, real *adj_biases)
{
    for (int l = 0; l < (g->shared ? 1 : g->channels); l++) {
        const size_t c = channel_of(g, l);
        if (adj_scales)
            adj_scales[c] = (real)(adj_scales[c] + all->scale[l]);
        if (adj_biases)
            adj_biases[c] = (real)(adj_biases[c] + all->bias[l]);
    }
}

/* The components of z whose statistics a form takes. */
static unsigned taken_statistics(adjoint_form f)
{
    unsigned all = 1;
    for (int k = 1; k < SETS; k++)
        all |= (unsigned)takes_value(f, k) << k;
    return all;
}

/* One backward call. */
typedef struct backward_call {
    const batchnorm *n;
    const jet *x, *adj_y, *adj_x;
    component_range range;
    bool accumulate;
    real *adj_scales, *adj_biases;
} backward_call;

static void apply_backward(const group *g, adjoint_form f, const direction *components, const bool accumulate[SETS])
{
    for (size_t i = 0; components->out[f.range.first] && i < span_count(g); i++)
        backward_apply(f, components, span_at(g, i), &g->table, accumulate);
}

/* Direction after direction; what belongs to none comes with the last. */
static void group_backward(const backward_call *c, size_t index)
{
    group g = group_at(c->n, (size_t)c->x->batch, index);
    totals all = {{0}, {0}, {0}, {0}};
    const int directions = c->x->order > 0 ? c->x->directions : 1;
    for (int d = 0; d < directions; d++) {
        const adjoint_form f = {c->x->order, c->range, d == directions - 1};
        const bool accumulate[SETS] = {c->accumulate || d > 0, c->accumulate, c->accumulate, c->accumulate};
        const direction components = direction_at(c->x, c->adj_y, c->adj_x, d);
        lane_sums sums = {{0}}, roots = {{0}};
        read_statistics(&g, d, taken_statistics(f));
        for (size_t i = 0; i < span_count(&g); i++)
            backward_sums(f, &components, span_at(&g, i), &g.table, sums, roots);
        share_sums(&g, sums);
        share_sums(&g, roots);
        use_sums(&g, f, sums, roots, &all);
        if (c->n->darknet_adjoint)
            use_darknets_sums(&g, sums, roots);
        apply_backward(&g, f, &components, accumulate);
    }
    write_parameters(&g, &all, c->adj_scales, c->adj_biases);
}

/* ---------------------------------------------------------------- backward, mean and variance being constants */

/* zbar_S = f' scale r ybar_S, as if ybar_S were the adjoint of a value. */
static void pull_constants(group *g, const backward_call *c)
{
    memcpy(g->table.pull, g->table.factor, sizeof g->table.pull);
    for (int s = c->range.first; s < c->range.last && c->adj_x->data; s++)
        for (int d = 0; d < (s == 0 ? 1 : c->x->directions); d++) {
            direction components = direction_at(c->x, c->adj_y, c->adj_x, d);
            components.adj[0] = components.adj[s];
            components.out[0] = components.out[s];
            apply_backward(g, (adjoint_form){0, {0, 1}, true}, &components, (const bool[SETS]){c->accumulate});
        }
}

/* <x_S - m_S, ubar_S> and ubar_S of n vectors are added. */
static void sum_constants_of(const group *g, const direction *k, span v, int s, lane_sums sums)
{
    for (size_t i = 0; i < v.n; i++)
        EACH_VECTOR(h, v.width)
        {
            const size_t at = v.first + i * v.stride;
            const vector slope = slope_at(&g->table, h, vector_load(k->x[0] + at, v.width, h) - lane_vector(g->table.mean[0], h));
            const vector u_bar = slope * vector_load(k->adj[s] + at, v.width, h);
            const vector product = (vector_load(k->x[s] + at, v.width, h) - lane_vector(g->table.mean[s], h)) * u_bar;
            for (int l = 0; l < VECTOR; l++) {
                sums[0][h * VECTOR + l] += (double)u_bar[l];
                sums[1][h * VECTOR + l] += (double)product[l];
            }
        }
}

/* xhat_S = r (x_S - m_S), m_S being 0 but for the value. */
static totals sum_constants(group *g, const backward_call *c)
{
    totals all = {{0}, {0}, {0}, {0}};
    for (int s = 0; s < jet_components(c->x->order); s++)
        for (int d = 0; d < (s == 0 ? 1 : c->x->directions); d++) {
            const direction components = direction_at(c->x, c->adj_y, NULL, d);
            lane_sums sums = {{0}};
            for (size_t i = 0; i < span_count(g); i++)
                sum_constants_of(g, &components, span_at(g, i), s, sums);
            share_sums(g, sums);
            for (int l = 0; l < LANES; l++) {
                all.bias[l] += s == 0 ? sums[0][l] : 0;
                all.scale[l] += g->r[0][l] * sums[1][l];
            }
        }
    return all;
}

static void group_backward_constants(const backward_call *c, size_t index)
{
    group g = group_at(c->n, (size_t)c->x->batch, index);
    read_statistics(&g, 0, 1);
    if (c->adj_scales || c->adj_biases) {
        const totals all = sum_constants(&g, c);
        write_parameters(&g, &all, c->adj_scales, c->adj_biases);
    }
    pull_constants(&g, c);
}

void onednn_batchnorm_backward(const batchnorm *n, const jet *x, const jet *adj_y, jet *adj_x, component_range range, bool accumulate,
                               real *adj_scales, real *adj_biases)
{
    const backward_call c = {n, x, adj_y, adj_x, range, accumulate, adj_scales, adj_biases};
    const size_t work = jet_range_rows(x, range) * x->count;
    if (n->of_batch)
        FOR_EACH_PART(work, group_count(n), 1, p, group_backward(&c, p.first));
    else
        FOR_EACH_PART(work, group_count(n), 1, p, group_backward_constants(&c, p.first));
}

/* ---------------------------------------------------------------- folding */

static void fold_channel(const batchnorm *n, size_t c, size_t row, const real *weights, real *folded, real *folded_biases)
{
    const double factor = (double)n->scales[c] * batchnorm_root_at((double)n->variance.data[c]).h;
    onednn_axpby(row, (real)factor, weights + c * row, 0, folded + c * row);
    folded_biases[c] = (real)((n->biases ? (double)n->biases[c] : 0) - factor * (double)n->mean.data[c]);
}

void onednn_batchnorm_fold(const batchnorm *n, size_t row, const real *weights, real *folded, real *folded_biases)
{
    const size_t channels = (size_t)n->layout.shape.channels;
    FOR_EACH_PART(channels * row, channels, 1, p, fold_channel(n, p.first, row, weights, folded, folded_biases));
}
