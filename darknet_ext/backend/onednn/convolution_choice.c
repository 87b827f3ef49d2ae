/* Which ways there are to compute a direction, and which one is taken: the one that a formula says is fastest, never a measurement, so
 * that a program gives the same numbers every time.
 *
 * The unit is one multiplication of a direct convolution on whole blocks, which oneDNN does at the speed of the machine. The constants come
 * from measurements on AVX-512 (1 and 2 threads, 16..512 channels, 4..56 pixels a side, 2..64 images):
 *
 *   Winograd F(4x3): 36 multiplications for the 16 outputs of a tile, not 144 (of a last tile that hangs over the rim some are wasted), as
 *       fast as direct ones, but transforming a tile is as if each channel had 15 multiplications more, and transforming the
 *       weights costs as much as 25 to 45 tiles. So it loses for few channels, and for few tiles: 512 channels of 7 x 7 pixels gain
 *       from 6 images on. Backward weights transforms a gradient instead, which is dear only where it does not fit into the cache.
 *   The same of our own, for registers of eight numbers, where oneDNN has none: measured with AVX2 (1 thread, 16..512 channels, 4..56 pixels a side, 4..64
 *       images), twice to four times as fast as oneDNN's direct ones, but for few tiles of many channels. Direct backward weights is slower there, too.
 *   Space to depth: fills the blocks of a first layer of few channels, and makes 3x3 kernels of stride 1 of 11x11 ones of stride 4. Direct
 *       backward data with few blocks of input channels does not reach full speed.
 *   Patches: sgemm is nearly as fast, but each element of a patch is moved, by short rows of the output slowly. Right when a block would be
 *       nearly empty: 3 channels.
 *   Patches in place: measured with AVX2, 1 thread, 200 images: .5 to .8 of the time of oneDNN's best, for 4 x 84 x 84 and 16 filters of 8 x 8,
 *       stride 4, and for 16 x 20 x 20 and 32 filters of 4 x 4, stride 2. STRIDED_SPEED is cautious, since other shapes were not measured. With AVX-512,
 *       1 thread, 32 images: .7 of the time for the first shape, .2 for 8 x 40 x 40 and 16 filters of 4 x 4, stride 2; 1.1 to 1.4 of it where 16 channels
 *       or more come in, but that backward data is faster for up to 32 filters.
 *   Groups as one: the zeros between them are multiplied too, still faster than products of 4 columns. */
#include "backend/onednn/convolution.h"
#include "core/environment.h"

#include <stdio.h>

static const double DIRECT_SPEED[CONVOLUTION_DIRECTIONS] = {1, 1, .9}, NARROW_GRADIENT_SPEED = .7;
static const double DEEP_SPEED[CONVOLUTION_DIRECTIONS] = {.9, .75, .9}, FEW_CHANNELS_SPEED = .85;
/* What Winograd's method costs: a product, the transform of a tile for each channel, that of the weights. */
typedef struct winograd_costs {
    double product, tile, weights[CONVOLUTION_DIRECTIONS];
} winograd_costs;

static const winograd_costs ONEDNN_WINOGRAD = {1.05, 15, {45, 45, 25}}, OWN_WINOGRAD = {1.35, 16, {25, 38, 45}};
static const double LARGE_GRADIENT_WEIGHTS = 20, LARGE_GRADIENT = 4 << 20; /* numbers of a transformed gradient */
static const double PATCHES_SPEED[CONVOLUTION_DIRECTIONS] = {.75, .72, .68}, PATCH_ELEMENT[CONVOLUTION_DIRECTIONS] = {5, 10, 5}, PATCH_ROW = 600;
static const double MOVED_ELEMENT = 16; /* an element brought into another layout, chunk by chunk in the cache */
static const double DEPTHWISE_SPEED = .1;

static const double STRIDED_SPEED = 1.2;

enum { TILE = 4, WINOGRAD_PRODUCTS = 36, STRIDED_FILTERS = 64, STRIDED_WIDE_FILTERS = 32, STRIDED_PATCH = 1024, STRIDED_COLUMNS = 16 };

static int round_up(int n, int multiple)
{
    return (n + multiple - 1) / multiple * multiple;
}

/* The fewest groups that together fill whole blocks; all of them when none do: what is missing is padded then. */
static int merged_groups(const convolution_shape *s, int block)
{
    for (int m = 1; m < s->groups; m++)
        if (s->groups % m == 0 && m * (s->in.channels / s->groups) % block == 0 && m * (s->out.channels / s->groups) % block == 0)
            return m;
    return s->groups;
}

static double products(const convolution_shape *s)
{
    return (double)weights_count(s) * s->out.height * s->out.width;
}

static bool is_moved(tensor_layout from, tensor_layout to, int cell)
{
    return from.block != to.block || cell > 1;
}

static void add_moves(const convolution *c, recipe *r)
{
    if (is_moved(c->x, recipe_x(r), r->cell))
        r->row_cost += MOVED_ELEMENT * (double)layout_count(recipe_x(r));
    if (is_moved(c->y, recipe_y(r), 1))
        r->row_cost += MOVED_ELEMENT * (double)layout_count(recipe_y(r));
}

/* Keeps the recipe when oneDNN has an implementation other than its reference. */
static void consider(convolution *c, convolution_direction direction, recipe r)
{
    if (!primitive_exists(&r, direction, c->rows, r.implementation, sizeof r.implementation))
        return;
    add_moves(c, &r);
    c->recipes[direction][c->n_recipes[direction]++] = r;
}

static void consider_direct(convolution *c, convolution_direction direction, recipe r, double speed)
{
    r.method = METHOD_DIRECT;
    r.row_cost = products(&r.inner) / speed;
    consider(c, direction, r);
}

/* Multiplications of a tile. */
static double winograd_tile(const convolution_shape *s)
{
    return (double)WINOGRAD_PRODUCTS * s->in.channels * s->out.channels;
}

static void set_winograd_cost(recipe *r, convolution_direction direction, winograd_costs w)
{
    const convolution_shape *s = &r->inner;
    const tensor_shape tiled = direction == CONVOLUTION_BACKWARD_DATA ? s->in : s->out;
    const double tiles = (double)(round_up(tiled.height, TILE) / TILE) * (round_up(tiled.width, TILE) / TILE);
    const double tile = winograd_tile(s);
    r->row_cost = tiles * tile * (w.product + w.tile * (1. / s->in.channels + 1. / s->out.channels));
    r->call_cost = w.weights[direction] * tile;
}

static void consider_winograd(convolution *c, convolution_direction direction, recipe r)
{
    const convolution_shape *s = &r.inner;
    if (!c->fast || s->size != 3 || s->stride != 1 || s->groups != 1)
        return;
    r.method = METHOD_WINOGRAD;
    set_winograd_cost(&r, direction, ONEDNN_WINOGRAD);
    if (direction == CONVOLUTION_BACKWARD_WEIGHTS && winograd_tile(s) > LARGE_GRADIENT)
        r.call_cost += LARGE_GRADIENT_WEIGHTS * winograd_tile(s);
    consider(c, direction, r);
}

/* Whole blocks of channels on both sides. */
static recipe blocked_recipe(const convolution_shape *s)
{
    const int block = primitive_block();
    recipe r = {.merged = 1, .cell = 1, .inner = *s, .x_block = block, .y_block = block};
    if (!is_depthwise(s))
        r.merged = merged_groups(s, block);
    r.inner.groups = s->groups / r.merged;
    if (is_depthwise(s) || r.inner.groups == 1) {
        r.inner.in.channels = round_up(s->in.channels, block);
        r.inner.out.channels = round_up(s->out.channels, block);
    }
    if (is_depthwise(s))
        r.inner.groups = r.inner.in.channels;
    return r;
}

/* y[i] = sum over q of w[q] x[i stride + q - pad]: with q = a stride + b it is a convolution over a, of stride 1, of channels (channel, b). */
static recipe space_to_depth_recipe(const convolution_shape *s)
{
    recipe r = blocked_recipe(s);
    r.cell = s->stride;
    r.inner.size = (s->size + s->stride - 1) / s->stride;
    r.inner.stride = 1;
    r.inner.pad = 0;
    r.inner.in = (tensor_shape){round_up(s->in.channels * s->stride * space_to_depth_run(s->stride), r.x_block), s->out.height - 1 + r.inner.size,
                                s->out.width - 1 + r.inner.size};
    return r;
}

static void consider_few_channels(convolution *c, convolution_direction direction)
{
    const convolution_shape *s = &c->shape;
    const int block = primitive_block();
    if (s->groups > 1 || s->in.channels >= block)
        return;
    recipe plain = blocked_recipe(s);
    plain.inner.in.channels = s->in.channels;
    plain.x_block = 1;
    if (direction != CONVOLUTION_BACKWARD_DATA)
        consider_direct(c, direction, plain, FEW_CHANNELS_SPEED);
    if (!c->fast || s->stride == 1 || s->size <= s->stride || s->stride > block)
        return;
    const recipe deep = space_to_depth_recipe(s);
    consider_direct(c, direction, deep, DEEP_SPEED[direction]);
    consider_winograd(c, direction, deep);
}

static void add_loops(convolution *c, convolution_direction direction, recipe r)
{
    add_moves(c, &r);
    c->recipes[direction][c->n_recipes[direction]++] = r;
}

/* For registers of eight numbers; oneDNN has its own for larger ones. */
static void consider_own_winograd(convolution *c, convolution_direction direction, recipe r)
{
    if (!c->fast || primitive_block() != 8 || !is_identity(c, &r) || !winograd_fits(&r.inner))
        return;
    r.method = METHOD_OWN_WINOGRAD;
    set_winograd_cost(&r, direction, OWN_WINOGRAD);
    add_loops(c, direction, r);
}

/* Larger registers than of eight numbers: oneDNN's own code is as fast for whole blocks of channels, but for data. */
static bool strided_wins(const convolution_shape *s, convolution_direction direction)
{
    if (primitive_block() == 8)
        return true;
    return direction == CONVOLUTION_BACKWARD_DATA ? s->out.channels <= STRIDED_WIDE_FILTERS : s->in.channels < primitive_block();
}

/* A panel of the weights has to fit into the cache. */
static bool has_strided(const recipe *r, convolution_direction direction)
{
    const convolution_shape *s = &r->inner;
    return primitive_block() >= 8 && s->out.channels <= STRIDED_FILTERS && s->in.channels * s->size * s->size <= STRIDED_PATCH &&
           strided_wins(s, direction) && strided_fits(r, direction);
}

static recipe strided_recipe(const convolution_shape *s, int x_block, int y_block)
{
    return (recipe){.method = METHOD_STRIDED, .merged = 1, .cell = 1, .inner = *s, .x_block = x_block, .y_block = y_block > 1 ? y_block : primitive_block()};
}

static void consider_strided(convolution *c, convolution_direction direction)
{
    const convolution_shape *s = &c->shape;
    recipe r = strided_recipe(s, c->x.block, c->y.block);
    if (!c->fast || !has_strided(&r, direction))
        return;
    r.row_cost = products(s) * round_up(s->out.channels, STRIDED_COLUMNS) / s->out.channels / STRIDED_SPEED;
    add_loops(c, direction, r);
}

/* What always works. */
static void consider_loops(convolution *c, convolution_direction direction)
{
    const convolution_shape *s = &c->shape;
    recipe patches = {.method = METHOD_PATCHES, .merged = 1, .cell = 1, .inner = *s, .x_block = 1, .y_block = 1};
    const double elements = (double)s->in.channels * s->size * s->size * s->out.height * s->out.width;
    patches.row_cost = products(s) / PATCHES_SPEED[direction] + elements * (PATCH_ELEMENT[direction] + PATCH_ROW / s->out.width);
    add_loops(c, direction, patches);
    consider_strided(c, direction);
    if (!is_depthwise(s) || primitive_block() == 1)
        return;
    recipe loops = blocked_recipe(s);
    loops.method = METHOD_DEPTHWISE;
    loops.row_cost = products(&loops.inner) / DEPTHWISE_SPEED;
    add_loops(c, direction, loops);
}

static double cost_at(const recipe *r, size_t rows)
{
    return r->call_cost + (double)rows * r->row_cost;
}

static const recipe *cheapest(const convolution *c, convolution_direction direction, size_t rows)
{
    const recipe *best = NULL;
    double best_cost = 0;
    for (const recipe *r = c->recipes[direction]; r < c->recipes[direction] + c->n_recipes[direction]; ++r) {
        const double cost = cost_at(r, rows);
        if (!best || cost < best_cost) {
            best = r;
            best_cost = cost;
        }
    }
    return best;
}

static void find_recipes(convolution *c, convolution_direction direction)
{
    const recipe blocked = blocked_recipe(&c->shape);
    const bool narrow = primitive_block() == 8 && direction == CONVOLUTION_BACKWARD_WEIGHTS;
    consider_direct(c, direction, blocked, narrow ? NARROW_GRADIENT_SPEED : DIRECT_SPEED[direction]);
    if (!is_depthwise(&c->shape)) {
        consider_winograd(c, direction, blocked);
        consider_own_winograd(c, direction, blocked);
    }
    consider_few_channels(c, direction);
    consider_loops(c, direction);
}

const recipe *recipe_choose(convolution *c, convolution_direction direction, size_t rows)
{
    if (c->n_recipes[direction] == 0)
        find_recipes(c, direction);
    return cheapest(c, direction, rows);
}

/* The first recipe of a method, NULL: there is none. */
static const recipe *recipe_of(const convolution *c, convolution_direction direction, method m)
{
    for (const recipe *r = c->recipes[direction]; r < c->recipes[direction] + c->n_recipes[direction]; ++r)
        if (r->method == m)
            return r;
    return NULL;
}

const recipe *recipe_fallback(const convolution *c, convolution_direction direction)
{
    return recipe_of(c, direction, METHOD_PATCHES);
}

/* ---------------------------------------------------------------- blocks of images */

static int channels_block(int channels)
{
    return 2 * channels >= primitive_block() ? primitive_block() : 1;
}

/* Whole blocks where they are at least half full; plain images for shapes that only patches can do. */
void convolution_choose_blocks(const convolution_shape *shape, int *x_block, int *y_block)
{
    recipe r = blocked_recipe(shape);
    char name[sizeof r.implementation];
    *x_block = channels_block(shape->in.channels);
    *y_block = channels_block(shape->out.channels);
    const recipe strided = strided_recipe(shape, 1, *y_block);
    if (shape->in.channels < primitive_block() && fast_paths_enabled() && has_strided(&strided, CONVOLUTION_FORWARD)) {
        *x_block = 1;
        return;
    }
    if (*x_block == 1) { /* oneDNN takes plain images where few channels come in */
        r.inner.in.channels = shape->in.channels;
        r.x_block = 1;
    }
    if (is_depthwise(shape) || (r.x_block == 1 && shape->groups > 1) || primitive_exists(&r, CONVOLUTION_FORWARD, 1, name, sizeof name))
        return;
    *x_block = *y_block = 1;
}

/* ---------------------------------------------------------------- what is said about it */

static const char *const method_names[] = {"direct", "Winograd", "loops over blocks of channels", "matrix products of patches",
                                           "matrix products of patches in place", "Winograd F(4x4, 3x3), our own"};

static int describe_recipe(const convolution *c, const recipe *r, char *text, int capacity)
{
    int n = snprintf(text, (size_t)capacity, "%s%s%s", method_names[r->method], *r->implementation ? " " : "", r->implementation);
    if (r->cell > 1)
        n += snprintf(text + n, (size_t)(capacity - n), ", squares of %d x %d pixels as channels", r->cell, r->cell);
    if (r->merged > 1)
        n += snprintf(text + n, (size_t)(capacity - n), ", %d groups as one", r->merged);
    n += snprintf(text + n, (size_t)(capacity - n), ", x in blocks of %d", r->x_block);
    if (c->x.block != r->x_block)
        n += snprintf(text + n, (size_t)(capacity - n), " (given: %d)", c->x.block);
    n += snprintf(text + n, (size_t)(capacity - n), ", y of %d", r->y_block);
    if (c->y.block != r->y_block)
        n += snprintf(text + n, (size_t)(capacity - n), " (given: %d)", c->y.block);
    return n;
}

/* The way that would be expected to be faster, and why it is not. */
static void describe_reason(const convolution *c, convolution_direction direction, size_t rows, const recipe *r, char *text, size_t capacity)
{
    const convolution_shape *s = &c->shape;
    const recipe *direct = recipe_of(c, direction, METHOD_DIRECT), *winograd = recipe_of(c, direction, METHOD_WINOGRAD);
    if (!winograd)
        winograd = recipe_of(c, direction, METHOD_OWN_WINOGRAD);
    if (r->method == METHOD_WINOGRAD || r->method == METHOD_OWN_WINOGRAD)
        return;
    if (!c->fast)
        snprintf(text, capacity, "; DARKNET_EXT_FAST_PATHS=0: nothing faster is tried");
    else if (winograd)
        snprintf(text, capacity, "; Winograd would take %.1f times as long: %d x %d channels, %d x %d pixels, %zu images",
                 cost_at(winograd, rows) / cost_at(r, rows), winograd->inner.in.channels, winograd->inner.out.channels, s->out.height, s->out.width,
                 rows);
    else if (r->method == METHOD_PATCHES && direct)
        snprintf(text, capacity, "; direct on whole blocks would take %.1f times as long: %d channels per group",
                 cost_at(direct, rows) / cost_at(r, rows), s->in.channels / s->groups);
    else if (r->method == METHOD_STRIDED && direct)
        snprintf(text, capacity, "; direct would take %.1f times as long", cost_at(direct, rows) / cost_at(r, rows));
    else if (r->method != METHOD_DIRECT)
        snprintf(text, capacity, "; oneDNN has only its reference for this shape");
    else if (r->inner.groups > 1)
        snprintf(text, capacity, "; Winograd is for one group");
    else if (s->size != 3 || s->stride != 1)
        snprintf(text, capacity, "; Winograd is for 3x3 kernels and stride 1");
    else
        snprintf(text, capacity, primitive_block() == 8 ? "; Winograd is for whole blocks of 8 channels" : "; oneDNN has no Winograd for this processor");
}

const char *recipe_report(convolution *c, convolution_direction direction, size_t rows)
{
    char *text = c->reports[direction];
    const recipe *r = recipe_choose(c, direction, rows);
    const int n = describe_recipe(c, r, text, REPORT_LENGTH);
    describe_reason(c, direction, rows, r, text + n, (size_t)(REPORT_LENGTH - n));
    return text;
}
