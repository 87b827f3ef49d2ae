/* The formulas stand in core/normalise_math.h. Pixels are the vectors: the loops run over a tile of neighbouring pixels of one channel. */
#include "core/hot.h"
#include "backend/onednn/onednn.h"

#include <string.h>

enum { TILE = 64, PASSES = 8 /* a power and some sums: an element is as much work as this many of a plain loop */ };

static const real zeros[TILE];

/* One channel of a tile, with its components along one direction: zeros where the jet has none. */
typedef struct tile_row {
    const real *x0, *x1, *x2, *x12;
} tile_row;

typedef struct tile {
    const normalise_rule *rule;
    int channels;
    size_t pixels;      /* of a channel */
    size_t first, size; /* first: of the tile's first channel, within the batch */
} tile;

typedef struct tile_powers {
    real f[TILE], f1[TILE], f2[TILE], f3[TILE];
} tile_powers;

static size_t row_at(const tile *t, int channel)
{
    return t->first + (size_t)channel * t->pixels;
}

static real *component_row(const jet *j, const tile *t, int component, int channel, int d)
{
    return jet_component(j, component) + (size_t)d * (size_t)j->batch * j->count + row_at(t, channel);
}

static tile_row row_of(const jet *j, const tile *t, int channel, int d)
{
    return (tile_row){component_row(j, t, 0, channel, 0), j->order > 0 ? component_row(j, t, 1, channel, d) : zeros,
                      j->order > 1 ? component_row(j, t, 2, channel, d) : zeros, j->order > 1 ? component_row(j, t, 3, channel, d) : zeros};
}

DNX_ALWAYS_INLINE jet_element element(tile_row r, size_t i)
{
    return (jet_element){r.x0[i], r.x1[i], r.x2[i], r.x12[i]};
}

DNX_ALWAYS_INLINE activation_values power_at(const tile_powers *powers, size_t i)
{
    return (activation_values){powers->f[i], powers->f1[i], powers->f2[i], powers->f3[i]};
}

/* A loop for each component, so that the formulas are without choices. */
#define FOR_COMPONENT(component, loop, ...) \
    switch (component) {                    \
    case 0:                                 \
        loop(0, __VA_ARGS__);               \
        break;                              \
    case 1:                                 \
        loop(1, __VA_ARGS__);               \
        break;                              \
    case 2:                                 \
        loop(2, __VA_ARGS__);               \
        break;                              \
    default:                                \
        loop(3, __VA_ARGS__);               \
    }

/* -- loops over one channel of a tile -- */

DNX_ALWAYS_INLINE void add_squares_loop(int component, size_t count, double sign, tile_row x, double *restrict sum)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += sign * product_jet(component, element(x, i), element(x, i));
}

/* sum += sign (x x)_S */
DNX_HOT static void add_squares(int component, size_t count, double sign, tile_row x, double *sum)
{
    FOR_COMPONENT(component, add_squares_loop, count, sign, x, sum)
}

/* sum += sign u */
DNX_HOT static void add_row(size_t count, double sign, const real *restrict u, double *restrict sum)
{
    for (size_t i = 0; i < count; i++)
        sum[i] += sign * u[i];
}

/* y = kappa + alpha sum */
DNX_HOT static void put_sum(size_t count, double kappa, double alpha, const double *restrict sum, real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = (real)(kappa + alpha * sum[i]);
}

DNX_HOT static void take_powers(size_t count, real beta, const real *restrict s, tile_powers *restrict powers)
{
    for (size_t i = 0; i < count; i++) {
        const activation_values f = normalise_power(beta, s[i]);
        powers->f[i] = f.f;
        powers->f1[i] = f.f1;
        powers->f2[i] = f.f2;
        powers->f3[i] = f.f3;
    }
}

DNX_ALWAYS_INLINE void put_output_loop(int component, size_t count, const tile_powers *restrict powers, tile_row x, tile_row s, real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = product_jet(component, element(x, i), normalise_factor(power_at(powers, i), element(s, i)));
}

DNX_HOT static void put_output(int component, size_t count, const tile_powers *powers, tile_row x, tile_row s, real *y)
{
    FOR_COMPONENT(component, put_output_loop, count, powers, x, s, y)
}

DNX_ALWAYS_INLINE void put_sum_adjoint_loop(int component, size_t count, const tile_powers *restrict powers, tile_row x, tile_row s, tile_row adj,
                                            real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] = normalise_sum_adjoint(component, power_at(powers, i), element(x, i), element(s, i), element(adj, i));
}

/* y = sbar_S, S > 0 */
DNX_HOT static void put_sum_adjoint(int component, size_t count, const tile_powers *powers, tile_row x, tile_row s, tile_row adj, real *y)
{
    FOR_COMPONENT(component, put_sum_adjoint_loop, count, powers, x, s, adj, y)
}

DNX_ALWAYS_INLINE void add_factor_adjoint_loop(int component, size_t count, const tile_powers *restrict powers, tile_row s, tile_row adj,
                                               real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] += product_adjoint(component, normalise_factor(power_at(powers, i), element(s, i)), element(adj, i));
}

/* y += xbar_S through y = x p, S > 0 */
DNX_HOT static void add_factor_adjoint(int component, size_t count, const tile_powers *powers, tile_row s, tile_row adj, real *y)
{
    FOR_COMPONENT(component, add_factor_adjoint_loop, count, powers, s, adj, y)
}

/* sbar_0 and, added to y, xbar_0 through y = x p: without the directions */
DNX_HOT static void put_value_adjoints(size_t count, const tile_powers *restrict powers, const real *restrict x, const real *restrict adj,
                                       real *restrict adj_s, real *restrict y)
{
    for (size_t i = 0; i < count; i++) {
        adj_s[i] = powers->f1[i] * x[i] * adj[i];
        y[i] += powers->f[i] * adj[i];
    }
}

/* what one direction adds to them */
DNX_HOT static void add_value_adjoints(size_t count, const tile_powers *restrict powers, tile_row x, tile_row s, tile_row adj, real *restrict adj_s,
                                       real *restrict y)
{
    for (size_t i = 0; i < count; i++) {
        const activation_values f = power_at(powers, i);
        adj_s[i] += normalise_sum_adjoint_value(f, element(x, i), element(s, i), element(adj, i));
        y[i] += product_adjoint_value(normalise_factor(f, element(s, i)), element(adj, i));
    }
}

DNX_ALWAYS_INLINE void add_square_adjoint_loop(int component, size_t count, tile_row x, tile_row adj_q, real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] += 2 * product_adjoint(component, element(x, i), element(adj_q, i));
}

/* y += xbar_S through q = x x, S > 0 */
DNX_HOT static void add_square_adjoint(int component, size_t count, tile_row x, tile_row adj_q, real *y)
{
    FOR_COMPONENT(component, add_square_adjoint_loop, count, x, adj_q, y)
}

/* y += what one direction adds to xbar_0 through q = x x, and the value itself */
DNX_HOT static void add_square_adjoint_value(size_t count, tile_row x, tile_row adj_q, real *restrict y)
{
    for (size_t i = 0; i < count; i++)
        y[i] += 2 * (x.x0[i] * adj_q.x0[i] + product_adjoint_value(element(x, i), element(adj_q, i)));
}

/* -- sums over windows of channels -- */

/* A sum that neighbouring channels share when their windows are the same. */
typedef struct window_sum {
    int first, last; /* of the window; last < first: nothing is there yet */
    double sum[TILE];
} window_sum;

static int clipped(int channel, int channels)
{
    return channel < 0 ? 0 : channel < channels ? channel : channels - 1;
}

/* Whether w->sum must be made anew for the window first .. last. */
static bool window_moves(window_sum *w, int first, int last)
{
    if (w->first == first && w->last == last)
        return false;
    w->first = first;
    w->last = last;
    memset(w->sum, 0, sizeof w->sum);
    return true;
}

/* The sum of squares for channel c. */
static void sum_squares(const tile *t, const jet *x, int component, int d, int c, window_sum *w)
{
    const int first = clipped(c - t->rule->before, t->channels), last = clipped(c + t->rule->after, t->channels), skipped = t->rule->skipped;
    if (!window_moves(w, first, last))
        return;
    for (int j = first; j <= last; j++)
        if (j != skipped)
            add_squares(component, t->size, 1, row_of(x, t, j, d), w->sum);
    if (skipped >= 0 && skipped < t->channels && (skipped < first || skipped > last))
        add_squares(component, t->size, -1, row_of(x, t, skipped, d), w->sum);
}

/* The sum of sbar that comes back to the square of channel j. */
static void sum_adjoints(const tile *t, const jet *adj_s, int component, int d, int j, window_sum *w)
{
    const int first = clipped(j - t->rule->after, t->channels), last = clipped(j + t->rule->before, t->channels);
    const bool skipped = j == t->rule->skipped;
    if (!window_moves(w, first, last) && !skipped)
        return;
    memset(w->sum, 0, sizeof w->sum);
    for (int c = skipped ? 0 : first; c <= (skipped ? t->channels - 1 : last); c++)
        if (!skipped || c < first || c > last)
            add_row(t->size, skipped ? -1 : 1, component_row(adj_s, t, component, c, d), w->sum);
    if (skipped)
        w->last = -1;
}

/* -- tiles -- */

static void forward_tile(const tile *t, const jet *x, jet *s, jet *y, component_range range)
{
    for (int k = range.first; k < range.last; k++)
        for (int d = 0; d < (k == 0 ? 1 : x->directions); d++) {
            window_sum w = {.last = -1};
            for (int c = 0; c < t->channels; c++) {
                sum_squares(t, x, k, d, c, &w);
                put_sum(t->size, k == 0 ? t->rule->kappa : 0, t->rule->alpha, w.sum, component_row(s, t, k, c, d));
            }
        }
    for (int c = 0; c < t->channels; c++) {
        tile_powers powers;
        take_powers(t->size, (real)t->rule->beta, component_row(s, t, 0, c, 0), &powers);
        for (int k = range.first; k < range.last; k++)
            for (int d = 0; d < (k == 0 ? 1 : x->directions); d++)
                put_output(k, t->size, &powers, row_of(x, t, c, d), row_of(s, t, c, d), component_row(y, t, k, c, d));
    }
}

/* adj_s of a channel, and of x what comes through y = x p. */
static void backward_factors(const tile *t, int c, const jet *x, const jet *s, const jet *adj_y, jet *adj_s, jet *adj_x, component_range range)
{
    tile_powers powers;
    take_powers(t->size, (real)t->rule->beta, component_row(s, t, 0, c, 0), &powers);
    if (range_has(range, 0))
        put_value_adjoints(t->size, &powers, component_row(x, t, 0, c, 0), component_row(adj_y, t, 0, c, 0), component_row(adj_s, t, 0, c, 0),
                           component_row(adj_x, t, 0, c, 0));
    for (int d = 0; d < x->directions; d++) {
        const tile_row u = row_of(x, t, c, d), sums = row_of(s, t, c, d), adj = row_of(adj_y, t, c, d);
        for (int k = range.first > 1 ? range.first : 1; k < range.last; k++) {
            put_sum_adjoint(k, t->size, &powers, u, sums, adj, component_row(adj_s, t, k, c, d));
            add_factor_adjoint(k, t->size, &powers, sums, adj, component_row(adj_x, t, k, c, d));
        }
        if (range_has(range, 0))
            add_value_adjoints(t->size, &powers, u, sums, adj, component_row(adj_s, t, 0, c, 0), component_row(adj_x, t, 0, c, 0));
    }
}

/* What comes through the squares, along one direction; the value comes with the first. */
static void backward_squares(const tile *t, const jet *x, const jet *adj_s, jet *adj_x, component_range range, int d)
{
    window_sum w[JET_MAX_COMPONENTS];
    real q[JET_MAX_COMPONENTS][TILE] = {{0}};
    for (int k = 0; k < JET_MAX_COMPONENTS; k++)
        w[k].last = -1;
    for (int c = 0; c < t->channels; c++) {
        for (int k = d == 0 || range.first > 0 ? range.first : 1; k < jet_components(x->order); k++) {
            sum_adjoints(t, adj_s, k, d, c, &w[k]);
            put_sum(t->size, 0, t->rule->alpha, w[k].sum, q[k]);
        }
        const tile_row u = row_of(x, t, c, d), adj_q = {q[0], q[1], q[2], q[3]};
        for (int k = range.first > 1 ? range.first : 1; k < range.last; k++)
            add_square_adjoint(k, t->size, u, adj_q, component_row(adj_x, t, k, c, d));
        if (range_has(range, 0))
            add_square_adjoint_value(t->size, u, adj_q, component_row(adj_x, t, 0, c, 0));
    }
}

static void backward_tile(const tile *t, const jet *x, const jet *s, const jet *adj_y, jet *adj_s, jet *adj_x, component_range range, bool accumulate)
{
    for (int c = 0; c < t->channels; c++) {
        for (int k = range.first; k < range.last && !accumulate; k++)
            for (int d = 0; d < (k == 0 ? 1 : x->directions); d++)
                memset(component_row(adj_x, t, k, c, d), 0, t->size * sizeof(real));
        backward_factors(t, c, x, s, adj_y, adj_s, adj_x, range);
    }
    for (int d = 0; d == 0 || d < x->directions; d++)
        backward_squares(t, x, adj_s, adj_x, range, d);
}

static tile tile_at(const normalise_rule *rule, tensor_shape shape, size_t index)
{
    const size_t pixels = (size_t)shape.height * (size_t)shape.width, tiles = (pixels + TILE - 1) / TILE;
    const part p = part_at(pixels, TILE, (long)(index % tiles));
    return (tile){rule, shape.channels, pixels, index / tiles * shape_count(shape) + p.first, p.size};
}

/* A statement for each tile t of the batch. */
#define FOR_EACH_TILE(rule, shape, x, t, statement)                                                                              \
    do {                                                                                                                         \
        const size_t n_tiles_ = ((size_t)(shape).height * (size_t)(shape).width + TILE - 1) / TILE * (size_t)(x)->batch;         \
        FOR_EACH_PART(PASSES *onednn_all_elements(x), n_tiles_, 1, p_, {                                                         \
            const tile t = tile_at(rule, shape, p_.first);                                                                       \
            statement;                                                                                                           \
        });                                                                                                                      \
    } while (0)

void onednn_normalise_channels_forward(const normalise_rule *rule, tensor_shape shape, const jet *x, jet *s, jet *y, component_range range)
{
    FOR_EACH_TILE(rule, shape, x, t, forward_tile(&t, x, s, y, range));
}

void onednn_normalise_channels_backward(const normalise_rule *rule, tensor_shape shape, const jet *x, const jet *s, const jet *adj_y, jet *adj_s,
                                        jet *adj_x, component_range range, bool accumulate)
{
    FOR_EACH_TILE(rule, shape, x, t, backward_tile(&t, x, s, adj_y, adj_s, adj_x, range, accumulate));
}
