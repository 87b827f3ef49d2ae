#include "core/hot.h"
#include "backend/onednn/onednn.h"

#include <string.h>

/* A plane is one block of channels of one image. Blocks of whole vectors are computed by vectors of channels, single channels by vectors of
 * neighbouring windows; what is left over, and other blocks, number by number. Windows are cut to what lies inside of the image. */

enum {
    POOL_LANES = 8,
    COMPARED_SIZE = 3 /* of windows up to this size every place is compared, which is faster than an address for each lane */
};

typedef real lanes __attribute__((vector_size(POOL_LANES * sizeof(real)), aligned(sizeof(real)), may_alias));
typedef int32_t lane_bits __attribute__((vector_size(POOL_LANES * sizeof(int32_t)), aligned(sizeof(int32_t)), may_alias));
typedef window_place lane_places __attribute__((vector_size(POOL_LANES * sizeof(window_place)), aligned(sizeof(window_place)), may_alias));

typedef struct plane {
    const window_shape *w;
    size_t block, down, n_x, n_y; /* `down`: from a row of x to the next; n_x, n_y: numbers of a plane */
    size_t rows_per_place;        /* 2^24 / size, rounded up: place * rows_per_place >> 24 is place / size, for place * size < 2^24 */
} plane;

static plane plane_of(const window_shape *w, int block)
{
    const size_t down = (size_t)w->in.width * (size_t)block;
    return (plane){w, (size_t)block, down, (size_t)w->in.height * down, (size_t)w->out.height * (size_t)w->out.width * (size_t)block,
                   ((1u << 24) + (unsigned)w->size - 1) / (unsigned)w->size};
}

static size_t planes_of(const window_shape *w, int block)
{
    return layout_channels((tensor_layout){w->out, block}) / (size_t)block;
}

typedef struct span {
    int first, last; /* first <= i < last */
} span;

/* The part that lies inside an image of `side` pixels of a window that begins at `corner`. */
DNX_ALWAYS_INLINE span inside_of(int corner, int size, int side)
{
    return (span){corner < 0 ? -corner : 0, side - corner < size ? side - corner : size};
}

/* The rows and columns that count of window (i, j), and where its corner would lie in a plane of x, and its result in one of y. */
typedef struct window {
    span rows, columns;
    ptrdiff_t x;
    size_t y;
} window;

DNX_ALWAYS_INLINE window window_at(const plane *p, int i, int j)
{
    const int row = i * p->w->stride - p->w->pad, column = j * p->w->stride - p->w->pad;
    return (window){inside_of(row, p->w->size, p->w->in.height), inside_of(column, p->w->size, p->w->in.width),
                    row * (ptrdiff_t)p->down + column * (ptrdiff_t)p->block, ((size_t)i * (size_t)p->w->out.width + (size_t)j) * p->block};
}

/* Where row a and column b of a window lie in x. */
DNX_ALWAYS_INLINE size_t input_at(const plane *p, window v, int a, int b)
{
    return (size_t)(v.x + a * (ptrdiff_t)p->down + b * (ptrdiff_t)p->block);
}

DNX_ALWAYS_INLINE bool is_whole(const plane *p, window v)
{
    return v.rows.last - v.rows.first == p->w->size && v.columns.last - v.columns.first == p->w->size;
}

/* Calls body(p, size, window, …) for each window; of the usual sizes, and windows that lie inside as a whole, with numbers that the compiler
 * knows. */
#define FOR_EACH_WINDOW(p, body, ...)                       \
    for (int i_ = 0; i_ < (p)->w->out.height; i_++)         \
        for (int j_ = 0; j_ < (p)->w->out.width; j_++) {    \
            window v_ = window_at(p, i_, j_);               \
            const bool whole_ = is_whole(p, v_);            \
            if (whole_ && (p)->w->size == 2) {              \
                v_.rows = v_.columns = (span){0, 2};        \
                body(p, 2, v_, __VA_ARGS__);                \
            } else if (whole_ && (p)->w->size == 3) {       \
                v_.rows = v_.columns = (span){0, 3};        \
                body(p, 3, v_, __VA_ARGS__);                \
            } else {                                        \
                body(p, (p)->w->size, v_, __VA_ARGS__);     \
            }                                               \
        }

/* -- the largest -- */

DNX_ALWAYS_INLINE void max_of_lanes(const plane *p, int size, window v, const real *x, window_place *places, real *y)
{
    for (size_t l = 0; l < p->block; l += POOL_LANES) {
        lanes best = (lanes){0} - (real)INFINITY;
        lane_bits place = (lane_bits){0} + (v.rows.first * size + v.columns.first);
        for (int a = v.rows.first; a < v.rows.last; a++)
            for (int b = v.columns.first; b < v.columns.last; b++) {
                const lanes value = *(const lanes *)(x + input_at(p, v, a, b) + l);
                const lane_bits better = value > best;
                place = (better & (a * size + b)) | (~better & place);
                best = (lanes)((better & (lane_bits)value) | (~better & (lane_bits)best));
            }
        *(lane_places *)(places + v.y + l) = __builtin_convertvector(place, lane_places);
        *(lanes *)(y + v.y + l) = best;
    }
}

DNX_HOT static void max_plane_of_lanes(const plane *p, const real *x, window_place *places, real *y)
{
    FOR_EACH_WINDOW(p, max_of_lanes, x, places, y)
}

/* POOL_LANES numbers, `stride` apart. */
DNX_ALWAYS_INLINE void load_lanes(const real *x, int stride, lanes *numbers)
{
    if (stride == 1) {
        *numbers = *(const lanes *)x;
    } else if (stride == 2) {
        *numbers = __builtin_shufflevector(*(const lanes *)x, *(const lanes *)(x + 7), 0, 2, 4, 6, 9, 11, 13, 15);
    } else {
        for (int l = 0; l < POOL_LANES; l++)
            (*numbers)[l] = x[l * stride];
    }
}

/* POOL_LANES windows of a row, none of them cut at its sides. */
DNX_ALWAYS_INLINE void max_of_windows(const plane *p, int size, int stride, window v, const real *x, window_place *places, real *y)
{
    lanes best = (lanes){0} - (real)INFINITY, value;
    lane_bits place = (lane_bits){0} + v.rows.first * size;
    for (int a = v.rows.first; a < v.rows.last; a++)
        for (int b = 0; b < size; b++) {
            load_lanes(x + input_at(p, v, a, b), stride, &value);
            const lane_bits better = value > best;
            place = (better & (a * size + b)) | (~better & place);
            best = (lanes)((better & (lane_bits)value) | (~better & (lane_bits)best));
        }
    *(lane_places *)(places + v.y) = __builtin_convertvector(place, lane_places);
    *(lanes *)(y + v.y) = best;
}

static void max_singly(const plane *p, int size, window v, const real *x, window_place *places, real *y)
{
    for (size_t l = 0; l < p->block; l++) {
        real best = -(real)INFINITY;
        int place = v.rows.first * size + v.columns.first;
        for (int a = v.rows.first; a < v.rows.last; a++)
            for (int b = v.columns.first; b < v.columns.last; b++) {
                const real value = x[input_at(p, v, a, b) + l];
                place = value > best ? a * size + b : place;
                best = value > best ? value : best;
            }
        places[v.y + l] = (window_place)place;
        y[v.y + l] = best;
    }
}

/* Whether the windows from j on fill a vector without being cut at the sides. */
DNX_ALWAYS_INLINE bool fills_vector(const plane *p, int j)
{
    const int column = j * p->w->stride - p->w->pad, last = column + (POOL_LANES - 1) * p->w->stride;
    return p->block == 1 && j + POOL_LANES <= p->w->out.width && column >= 0 && last + p->w->size <= p->w->in.width;
}

DNX_HOT static void max_plane_of_windows(const plane *p, const real *x, window_place *places, real *y)
{
    const int size = p->w->size, stride = p->w->stride;
    for (int i = 0; i < p->w->out.height; i++)
        for (int j = 0; j < p->w->out.width;) {
            const window v = window_at(p, i, j);
            if (!fills_vector(p, j)) {
                max_singly(p, size, v, x, places, y);
                j++;
                continue;
            }
            if (stride == 1)
                max_of_windows(p, size, 1, v, x, places, y);
            else if (stride == 2)
                max_of_windows(p, size, 2, v, x, places, y);
            else
                max_of_windows(p, size, stride, v, x, places, y);
            j += POOL_LANES;
        }
}

static void max_plane(const plane *p, const real *x, window_place *places, real *y)
{
    if (p->block % POOL_LANES == 0)
        max_plane_of_lanes(p, x, places, y);
    else
        max_plane_of_windows(p, x, places, y);
}

void onednn_max_pool(const window_shape *w, int block, size_t rows, const real *x, window_place *places, real *y)
{
    const plane p = plane_of(w, block);
    const size_t planes = rows * planes_of(w, block);
    FOR_EACH_PART(planes * p.n_x, planes, 1, k, max_plane(&p, x + k.first * p.n_x, places + k.first * p.n_y, y + k.first * p.n_y));
}

/* -- what stands at the places -- */

/* The numbers of x, or of y, whose place is this one; 0 elsewhere. */
#define LANES_AT(places, place, x) ((__builtin_convertvector(*(const lane_places *)(places), lane_bits) == (place)) & *(const lane_bits *)(x))

DNX_ALWAYS_INLINE void gather_lanes(const plane *p, int size, window v, const window_place *places, const real *x, real *y)
{
    for (size_t l = 0; l < p->block; l += POOL_LANES) {
        lane_bits found = {0};
        for (int a = v.rows.first; a < v.rows.last; a++)
            for (int b = v.columns.first; b < v.columns.last; b++)
                found |= LANES_AT(places + v.y + l, a * size + b, x + input_at(p, v, a, b) + l);
        *(lanes *)(y + v.y + l) = (lanes)found;
    }
}

/* Where the number at a place of a window lies. */
DNX_ALWAYS_INLINE size_t input_at_place(const plane *p, window v, size_t place)
{
    const size_t row = place * p->rows_per_place >> 24;
    return (size_t)(v.x + (ptrdiff_t)(row * p->down + (place - row * (size_t)p->w->size) * p->block));
}

DNX_ALWAYS_INLINE void gather_singly(const plane *p, const window_place *places, const real *restrict x, real *restrict y)
{
    for (int i = 0; i < p->w->out.height; i++)
        for (int j = 0; j < p->w->out.width; j++) {
            const window v = window_at(p, i, j);
            for (size_t l = 0; l < p->block; l++)
                y[v.y + l] = x[input_at_place(p, v, places[v.y + l]) + l];
        }
}

DNX_HOT static void gather_plane(const plane *p, const window_place *places, const real *x, real *y)
{
    if (p->block % POOL_LANES == 0 && p->w->size <= COMPARED_SIZE)
        FOR_EACH_WINDOW(p, gather_lanes, places, x, y)
    else
        gather_singly(p, places, x, y);
}

void onednn_pool_gather(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *x, real *y)
{
    const plane p = plane_of(w, block);
    const size_t row_planes = planes_of(w, block), planes = rows * row_planes, place_planes = place_rows * row_planes;
    FOR_EACH_PART(planes * p.n_x, planes, 1, k,
                  gather_plane(&p, places + k.first % place_planes * p.n_y, x + k.first * p.n_x, y + k.first * p.n_y));
}

DNX_ALWAYS_INLINE void scatter_lanes(const plane *p, int size, window v, const window_place *places, const real *y, real *x)
{
    for (size_t l = 0; l < p->block; l += POOL_LANES)
        for (int a = v.rows.first; a < v.rows.last; a++)
            for (int b = v.columns.first; b < v.columns.last; b++)
                *(lanes *)(x + input_at(p, v, a, b) + l) += (lanes)LANES_AT(places + v.y + l, a * size + b, y + v.y + l);
}

DNX_ALWAYS_INLINE void scatter_singly(const plane *p, const window_place *places, const real *restrict y, real *restrict x)
{
    for (int i = 0; i < p->w->out.height; i++)
        for (int j = 0; j < p->w->out.width; j++) {
            const window v = window_at(p, i, j);
            for (size_t l = 0; l < p->block; l++)
                x[input_at_place(p, v, places[v.y + l]) + l] += y[v.y + l];
        }
}

DNX_HOT static void scatter_plane(const plane *p, const window_place *places, const real *y, real *x)
{
    if (p->block % POOL_LANES == 0 && p->w->size <= COMPARED_SIZE)
        FOR_EACH_WINDOW(p, scatter_lanes, places, y, x)
    else
        scatter_singly(p, places, y, x);
}

static void scatter_part(const plane *p, const window_place *places, const real *y, real *x, bool accumulate)
{
    if (!accumulate)
        memset(x, 0, p->n_x * sizeof *x);
    scatter_plane(p, places, y, x);
}

void onednn_pool_scatter(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *y, real *x,
                         bool accumulate)
{
    const plane p = plane_of(w, block);
    const size_t row_planes = planes_of(w, block), planes = rows * row_planes, place_planes = place_rows * row_planes;
    FOR_EACH_PART(planes * p.n_x, planes, 1, k,
                  scatter_part(&p, places + k.first % place_planes * p.n_y, y + k.first * p.n_y, x + k.first * p.n_x, accumulate));
}

/* -- means -- */

enum { MEAN_PIXELS = 64, MEAN_LANES = 16 }; /* so many pixels are added in real, their sums in double; so many channels at once */

DNX_ALWAYS_INLINE void mean_of_lanes(size_t n, size_t step, size_t pixels, const real *restrict x, real *restrict means)
{
    double sums[MEAN_LANES] = {0};
    for (size_t first = 0; first < pixels; first += MEAN_PIXELS) {
        const size_t last = first + MEAN_PIXELS < pixels ? first + MEAN_PIXELS : pixels;
        real few[MEAN_LANES] = {0};
        for (size_t k = first; k < last; k++)
            for (size_t l = 0; l < n; l++)
                few[l] += x[k * step + l];
        for (size_t l = 0; l < n; l++)
            sums[l] += few[l];
    }
    for (size_t l = 0; l < n; l++)
        means[l] = (real)(sums[l] / (double)pixels);
}

DNX_ALWAYS_INLINE void spread_to_lanes(size_t n, size_t step, size_t pixels, const real *restrict shares, real *restrict x, bool accumulate)
{
    for (size_t k = 0; k < pixels; k++)
        for (size_t l = 0; l < n; l++)
            x[k * step + l] = shares[l] + (accumulate ? x[k * step + l] : 0);
}

/* The plane's channels, its padding included, by MEAN_LANES. `present`: channels that exist. */
DNX_HOT static void mean_plane(size_t block, size_t present, size_t pixels, const real *x, real *means)
{
    real lane_means[MEAN_LANES];
    for (size_t first = 0; first < present; first += MEAN_LANES) {
        if (block % MEAN_LANES == 0)
            mean_of_lanes(MEAN_LANES, block, pixels, x + first, lane_means);
        else
            mean_of_lanes(block - first < MEAN_LANES ? block - first : MEAN_LANES, block, pixels, x + first, lane_means);
        for (size_t l = 0; l < MEAN_LANES && first + l < present; l++)
            means[first + l] = lane_means[l];
    }
}

DNX_HOT static void spread_plane(size_t block, size_t present, size_t pixels, const real *means, real *x, bool accumulate)
{
    for (size_t first = 0; first < block; first += MEAN_LANES) {
        real shares[MEAN_LANES] = {0};
        for (size_t l = 0; l < MEAN_LANES && first + l < present; l++)
            shares[l] = means[first + l] / (real)pixels;
        if (block == 1)
            spread_to_lanes(1, 1, pixels, shares, x, accumulate);
        else if (block % MEAN_LANES == 0 && !accumulate)
            spread_to_lanes(MEAN_LANES, block, pixels, shares, x + first, false);
        else if (block % MEAN_LANES == 0)
            spread_to_lanes(MEAN_LANES, block, pixels, shares, x + first, true);
        else
            spread_to_lanes(block - first < MEAN_LANES ? block - first : MEAN_LANES, block, pixels, shares, x + first, accumulate);
    }
}

/* Plane k of all rows: its numbers in an image, its first channel in a vector, its channels that exist. */
typedef struct channel_plane {
    size_t image, vector, present;
} channel_plane;

static channel_plane channel_plane_at(tensor_layout l, size_t k)
{
    const size_t block = (size_t)l.block, channels = (size_t)l.shape.channels, planes = layout_channels(l) / block, first = k % planes * block;
    return (channel_plane){k * block * layout_pixels(l), k / planes * channels + first, channels - first < block ? channels - first : block};
}

static void mean_part(tensor_layout l, size_t k, const real *x, real *means)
{
    const channel_plane p = channel_plane_at(l, k);
    if (l.block == 1)
        means[p.vector] = (real)(onednn_row_sum(layout_pixels(l), x + p.image) / (double)layout_pixels(l));
    else
        mean_plane((size_t)l.block, p.present, layout_pixels(l), x + p.image, means + p.vector);
}

void onednn_mean_pixels(size_t rows, tensor_layout l, const real *x, real *means)
{
    const size_t planes = rows * layout_channels(l) / (size_t)l.block;
    FOR_EACH_PART(rows * layout_count(l), planes, 1, k, mean_part(l, k.first, x, means));
}

static void spread_part(tensor_layout l, size_t k, const real *means, real *x, bool accumulate)
{
    const channel_plane p = channel_plane_at(l, k);
    spread_plane((size_t)l.block, p.present, layout_pixels(l), means + p.vector, x + p.image, accumulate);
}

void onednn_spread_pixels(size_t rows, tensor_layout l, const real *means, real *x, bool accumulate)
{
    const size_t planes = rows * layout_channels(l) / (size_t)l.block;
    FOR_EACH_PART(rows * layout_count(l), planes, 1, k, spread_part(l, k.first, means, x, accumulate));
}
