/* Winograd's minimal filtering for 3x3 kernels of stride 1, for processors whose registers hold eight numbers: oneDNN has it for wider ones only.
 *
 * F(4x4, 3x3): the 4 x 4 outputs of a tile come from a patch of 6 x 6 inputs with 36 multiplications per pair of channels instead of 144
 * (Lavin and Gray, Fast algorithms for convolutional neural networks, CVPR 2016):
 *
 *     y = A^T [(G g G^T) . (B^T d B)] A
 *
 * with Toom and Cook's matrices for the points 0, +-5/8, +-3/2 and infinity. Against the usual points 0, +-1, +-2 they have a quarter of the error: 2e-6
 * of the largest output, 128 channels deep. The product over the channels is, for each of the 36 points, a matrix product:
 *
 *     forward            M = V U       V: tiles x channels of x               U: channels x filters, of the weights
 *     backward data      the same of adj_y, with the kernels turned by 180 degrees
 *     backward weights   S = Z^T V     Z: tiles x filters, A adj_y A^T        the gradient is G^T S G: the adjoint of the above
 *
 * All of these matrices lie as [point][block of 8 channels or filters][row][8], points one line further apart than they need: with a power of two
 * between them 36 streams would meet in one set of the cache. Tiles go through the cache in chunks. Neither the chunks nor the order of sums depends on
 * the number of threads. U, kept from one load of the weights to the next, has four times their numbers for each of the first two directions. */
#include "core/hot.h"

#include "backend/onednn/convolution.h"
#include "backend/onednn/scratch.h"
#include "backend/onednn/winograd_lines.h"

#include <omp.h>
#include <stdint.h>

#pragma GCC diagnostic ignored "-Wpsabi" /* vectors are handed to inlined functions only */

enum { TILE = 4, PATCH = 6, POINTS = PATCH * PATCH, KERNEL = 3, ROWS = 6, LINE = 16 };
/* What is done at a time, so that it stays in the cache. */
enum { GROUP_BLOCKS = 4, GROUP_TILES = 24, GROUP_FILTERS = 64, GROUP_INPUTS = 16 };
/* Numbers of a chunk of V, and the fewest tiles of one: each chunk reads all of U. */
enum { CHUNK_ELEMENTS = 3 << 17, FEWEST_TILES = 2 * GROUP_TILES, GRADIENT_ELEMENTS = 1 << 20, FEWEST_GRADIENT_TILES = 4 * GROUP_TILES };

/* ---------------------------------------------------------------- tiles of images */

/* Images as tiles: the pixels that tile (i, j) of an image reads begin at (4 i - pad, 4 j - pad); those outside are 0. */
typedef struct tiling {
    tensor_shape image;
    int down, across, pad;
} tiling;

static tiling new_tiling(tensor_shape image, tensor_shape tiled, int pad)
{
    return (tiling){image, (tiled.height + TILE - 1) / TILE, (tiled.width + TILE - 1) / TILE, pad};
}

static size_t tiles_per_image(const tiling *t)
{
    return (size_t)(t->down * t->across);
}

static size_t blocks_of(int channels)
{
    return (size_t)channels / LANES;
}

/* Where a tile of 4 x 4 pixels lies: its image, and its corner there. */
typedef struct tile_place {
    size_t image;
    int top, left;
} tile_place;

static inline tile_place tile_at(const tiling *t, size_t n)
{
    const int tile = (int)(n % tiles_per_image(t));
    return (tile_place){n / tiles_per_image(t), tile / t->across * TILE, tile % t->across * TILE};
}

/* From a point of a matrix to the next. */
static size_t point_step(size_t blocks, size_t rows)
{
    return blocks * rows * LANES + LINE;
}

/* size x size pixels of tile n of block `block`. */
DNX_ALWAYS_INLINE void read_tile(const tiling *t, const real *images, size_t n, size_t block, int size, vector *d)
{
    const tile_place at = tile_at(t, n);
    const int height = t->image.height, width = t->image.width;
    const real *pixels = images + (at.image * blocks_of(t->image.channels) + block) * (size_t)(height * width) * LANES;
    for (int i = 0; i < size; i++)
        for (int j = 0; j < size; j++) {
            const int row = at.top - t->pad + i, column = at.left - t->pad + j;
            const bool inside = row >= 0 && row < height && column >= 0 && column < width;
            d[i * size + j] = inside ? *(const vector *)(pixels + (row * width + column) * LANES) : (vector){0};
        }
}

typedef enum tile_kind { PATCHES, OUTPUTS } tile_kind;

DNX_ALWAYS_INLINE void transform_rows(const tiling *t, tile_kind kind, const real *images, part tiles, size_t block, real *out, size_t step)
{
    for (size_t n = 0; n < tiles.size; n++, out += LANES) {
        vector d[PATCH * PATCH], half[PATCH * PATCH], points[POINTS];
        const int size = kind == PATCHES ? PATCH : TILE;
        read_tile(t, images, tiles.first + n, block, size, d);
        for (int j = 0; j < size; j++)
            if (kind == PATCHES)
                input_line(d + j, PATCH, half + j, PATCH);
            else
                output_adjoint_line(d + j, TILE, half + j, TILE);
        for (int i = 0; i < PATCH; i++)
            if (kind == PATCHES)
                input_line(half + i * PATCH, 1, points + i * PATCH, 1);
            else
                output_adjoint_line(half + i * TILE, 1, points + i * PATCH, 1);
        for (int x = 0; x < POINTS; x++)
            *(vector *)(out + (size_t)x * step) = points[x];
    }
}

/* The rows of V or Z that some tiles of a block give. */
DNX_HOT static void transform_patches(const tiling *t, const real *images, part tiles, size_t block, real *out, size_t step)
{
    transform_rows(t, PATCHES, images, tiles, block, out, step);
}

DNX_HOT static void transform_outputs(const tiling *t, const real *images, part tiles, size_t block, real *out, size_t step)
{
    transform_rows(t, OUTPUTS, images, tiles, block, out, step);
}

/* Some tiles of a chunk. */
static void transform_group(const tiling *t, tile_kind kind, const real *images, part chunk, part tiles, size_t block, real *out)
{
    const size_t step = point_step(blocks_of(t->image.channels), chunk.size);
    out += (block * chunk.size + tiles.first) * LANES;
    tiles.first += chunk.first;
    if (kind == PATCHES)
        transform_patches(t, images, tiles, block, out, step);
    else
        transform_outputs(t, images, tiles, block, out, step);
}

/* V or Z of a chunk. */
static void transform_chunk(const tiling *t, tile_kind kind, const real *images, part chunk, real *out)
{
    const size_t blocks = blocks_of(t->image.channels), groups = (size_t)part_count(chunk.size, GROUP_TILES);
    FOR_EACH_LARGE_PART(blocks * chunk.size * LANES * POINTS, blocks * groups, 1, item,
                        transform_group(t, kind, images, chunk, part_at(chunk.size, GROUP_TILES, (long)(item.first % groups)), item.first / groups, out));
}

/* ---------------------------------------------------------------- products */

#define EACH_ROW(X) X(0) X(1) X(2) X(3) X(4) X(5)
/* Sums with names of their own: compilers keep arrays of them in memory around the loop. Missing rows compute the last one again. */
#define SUMS(i)                                 \
    vector low##i = {0}, high##i = {0};         \
    const real *a##i = a[(i) < rows ? (i) : rows - 1];
#define ADD(i)                 \
    low##i += a##i[at] * low;  \
    high##i += a##i[at] * high;
#define STORE(i)                                                             \
    if ((i) < rows) {                                                        \
        vector *first = (vector *)(out + (i) * LANES), *second = first + out_step; \
        *first = low##i + (add ? *first : (vector){0});                      \
        *second = high##i + (add ? *second : (vector){0});                   \
    }

/* Some rows of A times two blocks of B, into two blocks `out_step` rows apart; the depth of A lies in `outer` pieces of `inner` numbers. */
DNX_ALWAYS_INLINE void multiply(const real *const *a, size_t rows, size_t outer, size_t outer_step, size_t inner, size_t inner_step, const real *b_low,
                                const real *b_high, bool add, real *out, size_t out_step)
{
    EACH_ROW(SUMS)
    for (size_t o = 0; o < outer; o++)
        for (size_t l = 0; l < inner; l++, b_low += LANES, b_high += LANES) {
            const vector low = *(const vector *)b_low, high = *(const vector *)b_high;
            const size_t at = o * outer_step + l * inner_step;
            EACH_ROW(ADD)
        }
    EACH_ROW(STORE)
}

/* Of a point: tiles x channels times channels x two blocks of filters; `depth` blocks of channels, rows of V `v_rows` apart from block to block. */
DNX_HOT static void multiply_tiles(const real *v, size_t tiles, size_t depth, size_t v_rows, const real *low, const real *high, real *m, size_t m_rows)
{
    for (size_t t = 0; t < tiles; t += ROWS) {
        const real *rows[ROWS];
        for (size_t i = 0; i < ROWS; i++)
            rows[i] = v + (t + i) * LANES;
        multiply(rows, tiles - t, depth, v_rows * LANES, LANES, 1, low, high, false, m + t * LANES, m_rows);
    }
}

/* Of a point: filters x tiles times tiles x two blocks of channels. */
DNX_HOT static void multiply_filters(const real *z, size_t filters, size_t tiles, const real *low, const real *high, bool add, real *s, size_t s_rows)
{
    for (size_t f = 0; f < filters; f += ROWS) {
        const real *rows[ROWS];
        for (size_t i = 0; i < ROWS; i++)
            rows[i] = z + (f + i) / LANES * tiles * LANES + (f + i) % LANES;
        multiply(rows, filters - f, 1, 0, tiles, LANES, low, high, add, s + f * LANES, s_rows);
    }
}

/* ---------------------------------------------------------------- weights */

static int input_channels(const recipe *r, convolution_direction direction)
{
    return direction == CONVOLUTION_BACKWARD_DATA ? r->inner.out.channels : r->inner.in.channels;
}

static int output_channels(const recipe *r, convolution_direction direction)
{
    return direction == CONVOLUTION_BACKWARD_DATA ? r->inner.in.channels : r->inner.out.channels;
}

bool winograd_fits(const convolution_shape *s)
{
    return s->size == KERNEL && s->stride == 1 && s->groups == 1 && s->pad < KERNEL && s->in.channels % LANES == 0 && s->out.channels % LANES == 0;
}

size_t winograd_weights_count(const recipe *r)
{
    return POINTS * point_step(blocks_of(r->inner.out.channels), (size_t)r->inner.in.channels);
}

/* The kernels of eight outputs of U for one of its inputs: filters of the convolution, or, turned, its channels. */
DNX_ALWAYS_INLINE void gather_kernels(const real *weights, const convolution_shape *s, bool turned, size_t block, size_t input, vector *g)
{
    const size_t taps = KERNEL * KERNEL, filter_step = (size_t)s->in.channels * taps;
    const real *first = turned ? weights + input * filter_step + block * LANES * taps : weights + block * LANES * filter_step + input * taps;
    const size_t step = turned ? taps : filter_step;
    for (size_t q = 0; q < taps; q++) {
        const real *from = first + (turned ? taps - 1 - q : q);
        for (size_t i = 0; i < LANES; i++)
            g[q][i] = from[i * step];
    }
}

/* Some inputs at a time, so that whole lines are written to each point. */
DNX_HOT static void transform_kernels(const real *weights, const convolution_shape *s, bool turned, size_t block, real *u, size_t step)
{
    const size_t inputs = (size_t)(turned ? s->out.channels : s->in.channels);
    for (size_t c = 0; c < inputs; c += GROUP_INPUTS) {
        vector points[GROUP_INPUTS][POINTS];
        const size_t n = inputs - c < GROUP_INPUTS ? inputs - c : GROUP_INPUTS;
        for (size_t k = 0; k < n; k++) {
            vector g[KERNEL * KERNEL], half[PATCH * KERNEL];
            gather_kernels(weights, s, turned, block, c + k, g);
            for (int j = 0; j < KERNEL; j++)
                kernel_line(g + j, KERNEL, half + j, KERNEL);
            for (int i = 0; i < PATCH; i++)
                kernel_line(half + i * KERNEL, 1, points[k] + i * PATCH, 1);
        }
        for (size_t x = 0; x < POINTS; x++)
            for (size_t k = 0; k < n; k++)
                *(vector *)(u + x * step + (c + k) * LANES) = points[k][x];
    }
}

void winograd_load_weights(const recipe *r, convolution_direction direction, const real *weights, real *u)
{
    const bool turned = direction == CONVOLUTION_BACKWARD_DATA;
    const size_t inputs = (size_t)input_channels(r, direction), blocks = blocks_of(output_channels(r, direction)), step = point_step(blocks, inputs);
    FOR_EACH_LARGE_PART(blocks * inputs * LANES * POINTS, blocks, 1, block,
                        transform_kernels(weights, &r->inner, turned, block.first, u + block.first * inputs * LANES, step));
}

/* ---------------------------------------------------------------- forward and backward data */

/* Tiles of a chunk: as many as fit, in whole groups. */
static size_t chunk_tiles(size_t tiles, size_t elements, size_t fewest, size_t channels)
{
    const size_t fitting = elements / (POINTS * channels) / GROUP_TILES * GROUP_TILES, most = fitting > fewest ? fitting : fewest;
    return tiles < most ? tiles : most;
}

/* What `direction` reads, and the tiles of what it writes. */
static tiling input_tiling(const recipe *r, convolution_direction direction)
{
    const convolution_shape *s = &r->inner;
    return direction == CONVOLUTION_BACKWARD_DATA ? new_tiling(s->out, s->in, KERNEL - 1 - s->pad) : new_tiling(s->in, s->out, s->pad);
}

static size_t forward_chunk(const recipe *r, convolution_direction direction, size_t rows)
{
    const tiling t = input_tiling(r, direction);
    return chunk_tiles(rows * tiles_per_image(&t), CHUNK_ELEMENTS, FEWEST_TILES, (size_t)t.image.channels);
}

static size_t products_count(void)
{
    return POINTS * point_step(GROUP_BLOCKS, GROUP_TILES);
}

/* The images that are written. */
typedef struct writing {
    tensor_shape image;
    const tiling *tiles;
    const real *bias; /* NULL: none */
    const finish *after;
    real slopes[2]; /* of its function, below 0 and above */
    real *y;
} writing;

typedef int32_t vector_bits __attribute__((vector_size(LANES * sizeof(int32_t)), may_alias));

/* f'(values) sum; where f' is 0 the result is, whatever the sum. */
DNX_ALWAYS_INLINE vector scale_by_slope(const real slopes[2], const real *values, vector sum)
{
    vector below = slopes[0] * sum, above = slopes[1] * sum;
    if (slopes[0] == 0)
        below = (vector){0};
    const vector_bits positive = (vector_bits)(*(const vector *)values > 0);
    return (vector)((positive & (vector_bits)above) | (~positive & (vector_bits)below));
}

/* Some tiles of block `block`, each from its 36 points. */
DNX_HOT static void write_tiles(const writing *w, part tiles, size_t block, const real *m, size_t step)
{
    const int height = w->image.height, width = w->image.width;
    const bool linear = w->after->f == ACTIVATION_LINEAR;
    const vector bias = w->bias ? *(const vector *)(w->bias + block * LANES) : (vector){0};
    for (size_t n = 0; n < tiles.size; n++, m += LANES) {
        const tile_place to = tile_at(w->tiles, tiles.first + n);
        vector points[POINTS], half[TILE * PATCH], y[TILE * TILE];
        for (int x = 0; x < POINTS; x++)
            points[x] = *(const vector *)(m + (size_t)x * step);
        for (int j = 0; j < PATCH; j++)
            output_line(points + j, PATCH, half + j, PATCH);
        for (int i = 0; i < TILE; i++)
            output_line(half + i * PATCH, 1, y + i * TILE, 1);
        const size_t first = block * (size_t)(height * width) * LANES, count = shape_count(w->image);
        real *pixels = w->y + to.image * count + first;
        const real *value = w->after->value ? w->after->value + (w->after->first + to.image) % w->after->value_rows * count + first : NULL;
        for (int i = 0; i < TILE && to.top + i < height; i++)
            for (int j = 0; j < TILE && to.left + j < width; j++) {
                const int at = ((to.top + i) * width + to.left + j) * LANES;
                vector sum = y[i * TILE + j] + bias;
                if (!linear)
                    sum = scale_by_slope(w->slopes, value ? value + at : (const real *)&sum, sum);
                *(vector *)(pixels + at) = sum;
            }
    }
}

/* Some tiles of a chunk, some blocks: their products with all points, and what they give. */
static void write_group(const writing *w, part chunk, part tiles, part blocks, size_t depth, const real *v, const real *u, real *m)
{
    const size_t all_blocks = blocks_of(w->image.channels), inputs = depth * LANES;
    const size_t v_step = point_step(depth, chunk.size), u_step = point_step(all_blocks, inputs), m_step = point_step(GROUP_BLOCKS, GROUP_TILES);
    for (size_t x = 0; x < POINTS; x++)
        for (size_t b = 0; b < blocks.size; b += 2) {
            const real *low = u + x * u_step + (blocks.first + b) * inputs * LANES, *high = b + 1 < blocks.size ? low + inputs * LANES : low;
            multiply_tiles(v + x * v_step + tiles.first * LANES, tiles.size, depth, chunk.size, low, high, m + x * m_step + b * GROUP_TILES * LANES,
                           GROUP_TILES);
        }
    tiles.first += chunk.first;
    for (size_t b = 0; b < blocks.size; b++)
        write_tiles(w, tiles, blocks.first + b, m + b * GROUP_TILES * LANES, m_step);
}

void winograd_forward(const recipe *r, convolution_direction direction, size_t rows, const real *x, const real *u, const real *bias, const finish *after,
                      real *y, void *workspace)
{
    const tiling t = input_tiling(r, direction);
    const writing w = {
        .image = direction == CONVOLUTION_BACKWARD_DATA ? r->inner.in : r->inner.out,
        .tiles = &t,
        .bias = bias,
        .after = after,
        .slopes = {activation_at(after->f, -1).f1, activation_at(after->f, 1).f1},
        .y = y,
    };
    const size_t tiles = rows * tiles_per_image(&t), size = forward_chunk(r, direction, rows), depth = blocks_of(t.image.channels);
    real *v = workspace, *m = v + POINTS * point_step(depth, size);
    for (long c = 0; c < part_count(tiles, size); c++) {
        const part chunk = part_at(tiles, size, c);
        const size_t groups = (size_t)part_count(chunk.size, GROUP_TILES), all_blocks = blocks_of(w.image.channels);
        transform_chunk(&t, PATCHES, x, chunk, v);
        FOR_EACH_LARGE_PART(chunk.size * POINTS * depth * all_blocks * LANES, groups * (size_t)part_count(all_blocks, GROUP_BLOCKS), 1, item,
                          write_group(&w, chunk, part_at(chunk.size, GROUP_TILES, (long)(item.first % groups)),
                                      part_at(all_blocks, GROUP_BLOCKS, (long)(item.first / groups)), depth, v, u,
                                      m + (size_t)omp_get_thread_num() * products_count()));
    }
}

/* ---------------------------------------------------------------- backward weights */

static size_t gradient_chunk(const recipe *r, size_t rows)
{
    const tiling t = input_tiling(r, CONVOLUTION_BACKWARD_WEIGHTS);
    return chunk_tiles(rows * tiles_per_image(&t), GRADIENT_ELEMENTS, FEWEST_GRADIENT_TILES, (size_t)(t.image.channels + r->inner.out.channels));
}

/* G^T S G of some filters and eight channels: the gradients of each filter lie in one piece. */
DNX_HOT static void add_gradients(const real *sums, size_t step, const convolution_shape *shape, size_t block, part filters, real *gradient)
{
    const size_t channels = (size_t)shape->in.channels;
    const real *s = sums + (block * (size_t)shape->out.channels + filters.first) * LANES;
    for (size_t n = 0; n < filters.size; n++, s += LANES) {
        real *to = gradient + ((filters.first + n) * channels + block * LANES) * KERNEL * KERNEL;
        vector points[POINTS], half[PATCH * KERNEL], g[KERNEL * KERNEL];
        for (int x = 0; x < POINTS; x++)
            points[x] = *(const vector *)(s + (size_t)x * step);
        for (int i = 0; i < PATCH; i++)
            kernel_adjoint_line(points + i * PATCH, 1, half + i * KERNEL, 1);
        for (int j = 0; j < KERNEL; j++)
            kernel_adjoint_line(half + j, KERNEL, g + j, KERNEL);
        for (int i = 0; i < LANES; i++)
            for (int q = 0; q < KERNEL * KERNEL; q++)
                to[i * KERNEL * KERNEL + q] += g[q][i];
    }
}

/* The sums of a chunk, or of all up to it. */
typedef struct gradient_sums {
    size_t channels, filters, tiles, pairs; /* of blocks of channels: the second of the last may be one that nobody reads */
    const real *v, *z;
    real *s;
    size_t v_step, z_step, s_step;
    bool add;
} gradient_sums;

static size_t pairs_of(size_t channels)
{
    return (channels / LANES + 1) / 2;
}

static void sum_pair(const gradient_sums *g, size_t point, size_t pair)
{
    const size_t block = 2 * pair, count = g->tiles * LANES;
    const real *low = g->v + point * g->v_step + block * count, *high = block + 1 < g->channels / LANES ? low + count : low;
    multiply_filters(g->z + point * g->z_step, g->filters, g->tiles, low, high, g->add, g->s + point * g->s_step + block * g->filters * LANES, g->filters);
}

void winograd_backward_weights(const recipe *r, size_t rows, const real *x, const real *adj_y, real *gradient, void *workspace)
{
    const convolution_shape *s = &r->inner;
    const tiling of_x = input_tiling(r, CONVOLUTION_BACKWARD_WEIGHTS), of_y = new_tiling(s->out, s->out, 0);
    const size_t tiles = rows * tiles_per_image(&of_x), size = gradient_chunk(r, rows), channels = (size_t)s->in.channels, filters = (size_t)s->out.channels;
    real *v = workspace, *z = v + POINTS * point_step(channels / LANES, size), *sums = z + POINTS * point_step(filters / LANES, size);
    const size_t s_step = point_step(2 * pairs_of(channels), filters);
    for (long c = 0; c < part_count(tiles, size); c++) {
        const part chunk = part_at(tiles, size, c);
        const gradient_sums g = {
            .channels = channels,
            .filters = filters,
            .tiles = chunk.size,
            .pairs = pairs_of(channels),
            .v = v,
            .z = z,
            .s = sums,
            .v_step = point_step(channels / LANES, chunk.size),
            .z_step = point_step(filters / LANES, chunk.size),
            .s_step = s_step,
            .add = c > 0,
        };
        transform_chunk(&of_x, PATCHES, x, chunk, v);
        transform_chunk(&of_y, OUTPUTS, adj_y, chunk, z);
        FOR_EACH_LARGE_PART(chunk.size * POINTS * channels * filters / LANES, POINTS * g.pairs, 1, item, sum_pair(&g, item.first / g.pairs, item.first % g.pairs));
    }
    const size_t groups = (size_t)part_count(filters, GROUP_FILTERS);
    FOR_EACH_LARGE_PART(filters * channels * POINTS, channels / LANES * groups, 1, item,
                        add_gradients(sums, s_step, s, item.first / groups, part_at(filters, GROUP_FILTERS, (long)(item.first % groups)), gradient));
}

size_t winograd_workspace(const recipe *r, convolution_direction direction, size_t rows)
{
    const size_t in = blocks_of(input_channels(r, direction)), out = blocks_of(output_channels(r, direction));
    if (direction != CONVOLUTION_BACKWARD_WEIGHTS)
        return (POINTS * point_step(in, forward_chunk(r, direction, rows)) + (size_t)omp_get_max_threads() * products_count()) * sizeof(real);
    const size_t size = gradient_chunk(r, rows);
    return POINTS * (point_step(in, size) + point_step(out, size) + point_step(2 * pairs_of(in * LANES), out * LANES)) * sizeof(real);
}
