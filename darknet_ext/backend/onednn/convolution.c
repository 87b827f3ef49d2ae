#include "backend/onednn/convolution.h"
#include "backend/onednn/scratch.h"
#include "core/environment.h"

#include <stdlib.h>
#include <string.h>

/* Images that are brought into another layout go through the cache in chunks of so many bytes; so does what Winograd keeps of its tiles, which
 * oneDNN allocates for all rows at once. Larger weights than that want larger chunks: each chunk reads them. */
enum { CHUNK_BYTES = 2 << 20, WINOGRAD_BYTES = 64 << 20 };

/* ---------------------------------------------------------------- the object */

void onednn_convolution_blocks(const convolution_shape *shape, int *x_block, int *y_block)
{
    convolution_choose_blocks(shape, x_block, y_block);
}

convolution *onednn_convolution_create(const convolution_shape *shape, int x_block, int y_block, size_t rows)
{
    convolution *c = allocate_zeroed(1, sizeof *c);
    if (!c)
        return NULL;
    c->shape = *shape;
    c->x = (tensor_layout){shape->in, x_block};
    c->y = (tensor_layout){shape->out, y_block};
    c->rows = rows;
    c->fast = fast_paths_enabled();
    scratch_register();
    return c;
}

void onednn_convolution_free(convolution *c)
{
    if (!c)
        return;
    kernels_free(c);
    weights_free(c);
    scratch_unregister();
    free(c);
}

void onednn_convolution_load(convolution *c, const real *weights)
{
    c->weights = weights;
    ++c->loads;
}

const char *onednn_convolution_report(const convolution *c, convolution_direction direction)
{
    return recipe_report((convolution *)c, direction, c->rows);
}

/* ---------------------------------------------------------------- one call */

/* One call of a direction, on images as agreed. What is not written is not changed. */
typedef struct call {
    convolution *c;
    convolution_direction direction;
    size_t rows;
    real *x, *y;
    const real *bias;
    activation f;  /* for kernels that can apply it to a value */
    finish finish; /* where they have not */
    real *gradient;
    bool accumulate; /* the image that is written */

    const recipe *recipe;
    kernel *whole, *rest; /* of a chunk and of the last one; rest NULL: all are equal */
    size_t chunk;
    bool own_x, own_y; /* images in other places than the caller's */
} call;

/* The parts of the workspace. */
typedef struct workspace {
    real *x, *y, *weights, *bias;
    void *reorder, *kernel;
    void *all;
} workspace;

/* Whether a kernel cannot work on the caller's images. oneDNN's stores past the cache want whole vectors aligned. */
static bool needs_own(const recipe *r, tensor_layout agreed, tensor_layout inner, const real *image, bool added)
{
    const bool misaligned = inner.block > 1 && (uintptr_t)image % ((size_t)inner.block * sizeof(real)) != 0;
    return agreed.block != inner.block || added || misaligned;
}

static size_t winograd_row_bytes(const recipe *r)
{
    const tensor_shape in = r->inner.in, out = r->inner.out;
    const size_t pixels = (size_t)((in.height + 3) / 4) * (size_t)((in.width + 3) / 4);
    return pixels * 36 * sizeof(real) * (size_t)(in.channels + out.channels);
}

/* Chunks of equal size, as nearly as can be. */
static size_t chunk_rows(const call *k)
{
    const recipe *r = k->recipe;
    const size_t weight_bytes = 2 * weights_count(&r->inner) * sizeof(real), budget = weight_bytes > CHUNK_BYTES ? weight_bytes : CHUNK_BYTES;
    const size_t own = ((k->own_x ? layout_count(recipe_x(r)) : 0) + (k->own_y ? layout_count(recipe_y(r)) : 0)) * sizeof(real);
    size_t most = k->rows;
    if (own && budget / own < most)
        most = budget / own;
    if (r->method == METHOD_WINOGRAD && WINOGRAD_BYTES / winograd_row_bytes(r) < most)
        most = WINOGRAD_BYTES / winograd_row_bytes(r);
    most = most ? most : 1;
    const size_t chunks = (k->rows + most - 1) / most;
    return (k->rows + chunks - 1) / chunks;
}

static bool prepare_kernels(call *k)
{
    convolution *c = k->c;
    const recipe *r = k->recipe;
    k->own_x = r->cell > 1 || needs_own(r, c->x, recipe_x(r), k->x, k->accumulate && k->direction == CONVOLUTION_BACKWARD_DATA);
    k->own_y = needs_own(r, c->y, recipe_y(r), k->y, k->accumulate && k->direction == CONVOLUTION_FORWARD);
    k->chunk = chunk_rows(k);
    const size_t last = k->rows % k->chunk;
    k->rest = last ? kernel_get(c, k->direction, r, last, k->bias != NULL, k->f) : NULL;
    k->whole = kernel_get(c, k->direction, r, k->chunk, k->bias != NULL, k->f);
    return k->whole && (k->rest || !last);
}

static void call_prepare(call *k)
{
    k->recipe = recipe_choose(k->c, k->direction, k->rows);
    if (prepare_kernels(k))
        return;
    k->recipe = recipe_fallback(k->c, k->direction);
    prepare_kernels(k);
}

/* Gives every part its place from `base` on, NULL: only counts the bytes. */
static size_t workspace_place(const call *k, char *base, workspace *w)
{
    const recipe *r = k->recipe;
    const bool inner_gradient = k->direction == CONVOLUTION_BACKWARD_WEIGHTS && !adds_to_gradient(r);
    const size_t whole_bytes = k->whole->workspace_bytes, rest_bytes = k->rest ? k->rest->workspace_bytes : 0;
    const size_t sizes[] = {
        k->own_x ? k->chunk * layout_count(recipe_x(r)) * sizeof(real) : 0,
        k->own_y ? k->chunk * layout_count(recipe_y(r)) * sizeof(real) : 0,
        inner_gradient ? dnnl_memory_desc_get_size(&k->whole->weights_format) : 0,
        k->bias ? (size_t)r->inner.out.channels * sizeof(real) : 0,
        weights_workspace(k->c, r),
        whole_bytes > rest_bytes ? whole_bytes : rest_bytes,
    };
    void *parts[sizeof sizes / sizeof *sizes];
    size_t used = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; used += scratch_round(sizes[i]), i++)
        parts[i] = base ? base + used : NULL;
    *w = (workspace){parts[0], parts[1], parts[2], parts[3], parts[4], parts[5], base};
    return used;
}

static workspace workspace_borrow(const call *k)
{
    workspace w;
    const size_t bytes = workspace_place(k, NULL, &w);
    workspace_place(k, scratch_borrow(bytes + SCRATCH_ALIGNMENT), &w);
    return w;
}

static void bring_x(const call *k, size_t rows, const real *x, real *inner)
{
    const recipe *r = k->recipe;
    if (r->cell > 1)
        space_to_depth(rows, k->c->x, x, r->cell, k->c->shape.pad, recipe_x(r), inner);
    else
        onednn_reorder(rows, k->c->x, x, r->x_block, inner, false);
}

static void take_x(const call *k, size_t rows, const real *inner, real *x)
{
    const recipe *r = k->recipe;
    if (r->cell > 1)
        depth_to_space(rows, recipe_x(r), inner, r->cell, k->c->shape.pad, k->c->x, x, k->accumulate);
    else
        onednn_reorder(rows, (tensor_layout){k->c->shape.in, r->x_block}, inner, k->c->x.block, x, k->accumulate);
}

static const finish nothing = {.f = ACTIVATION_LINEAR};

/* `after` as the kernel takes it: while what it has computed is in the cache. */
static const finish *finish_of_kernel(const call *k, const finish *after)
{
    const bool scales = activation_keeps_sign(after->f) && after->f != ACTIVATION_RAMP; /* x + .1 x is not quite 1.1 x */
    const bool takes = k->recipe->method == METHOD_STRIDED || (k->recipe->method == METHOD_OWN_WINOGRAD && scales);
    return takes && !k->own_y ? after : &nothing;
}

/* What the kernel did not do itself. */
static void finish_forward(const call *k, const kernel *done, const finish *after, size_t rows, real *y)
{
    const size_t count = layout_count(k->c->y), parts = (size_t)part_count(count, PART_ELEMENTS);
    if (k->bias && !done->adds_bias)
        onednn_add_channel_bias(rows, k->c->y, k->bias, y);
    if (after->f == ACTIVATION_LINEAR || done->activates || finish_of_kernel(k, after) == after)
        return;
    FOR_EACH_PART(rows * count, rows * parts, 1, p,
                  finish_image(after, count, p.first / parts, part_at(count, PART_ELEMENTS, (long)(p.first % parts)), y));
}

static void run_chunk(const call *k, const kernel *ready, size_t first, const workspace *w)
{
    const recipe *r = k->recipe;
    convolution *c = k->c;
    const size_t rows = ready->rows;
    finish after = k->finish;
    after.first = first;
    const tensor_layout inner_y = {c->shape.out, r->y_block};
    real *x = k->x + first * layout_count(c->x), *y = k->y + first * layout_count(c->y);
    real *kernel_x = k->own_x ? w->x : x, *kernel_y = k->own_y ? w->y : y;
    if (k->own_x && k->direction != CONVOLUTION_BACKWARD_DATA)
        bring_x(k, rows, x, kernel_x);
    if (k->own_y && k->direction != CONVOLUTION_FORWARD)
        onednn_reorder(rows, c->y, y, r->y_block, kernel_y, false);
    if (k->direction == CONVOLUTION_BACKWARD_WEIGHTS) {
        kernel_run(ready, kernel_x, kernel_y, adds_to_gradient(r) ? k->gradient : w->weights, NULL, &nothing, w->kernel);
        if (!adds_to_gradient(r))
            weights_add_gradient(c, ready, w->weights, k->gradient, w->reorder);
        return;
    }
    kernel_run(ready, kernel_x, kernel_y, (real *)weights_get(c, ready, w->reorder), k->bias ? w->bias : NULL, finish_of_kernel(k, &after), w->kernel);
    if (k->direction == CONVOLUTION_BACKWARD_DATA) {
        if (k->own_x)
            take_x(k, rows, kernel_x, x);
        return;
    }
    if (k->own_y)
        onednn_reorder(rows, inner_y, kernel_y, c->y.block, y, k->accumulate);
    finish_forward(k, ready, &after, rows, y);
}

static void run(call k)
{
    if (k.rows == 0)
        return;
    call_prepare(&k);
    workspace w = workspace_borrow(&k);
    if (k.bias) {
        memset(w.bias, 0, (size_t)k.recipe->inner.out.channels * sizeof *w.bias);
        memcpy(w.bias, k.bias, (size_t)k.c->shape.out.channels * sizeof *w.bias);
    }
    size_t first = 0;
    for (; first + k.chunk <= k.rows; first += k.chunk)
        run_chunk(&k, k.whole, first, &w);
    if (k.rest)
        run_chunk(&k, k.rest, first, &w);
    scratch_return(w.all);
}

/* ---------------------------------------------------------------- the directions */

static call new_call(convolution *c, convolution_direction direction, size_t rows, const real *x, const real *y)
{
    return (call){.c = c, .direction = direction, .rows = rows, .x = (real *)x, .y = (real *)y, .f = ACTIVATION_LINEAR, .finish = nothing};
}

void onednn_convolution_forward(convolution *c, size_t rows, const real *x, const real *bias, activation f, real *y)
{
    call k = new_call(c, CONVOLUTION_FORWARD, rows, x, y);
    k.bias = bias;
    k.f = k.finish.f = f;
    run(k);
}

void onednn_convolution_forward_slopes(convolution *c, size_t rows, const real *x, activation f, size_t value_rows, const real *value, real *y)
{
    call k = new_call(c, CONVOLUTION_FORWARD, rows, x, y);
    k.finish = (finish){f, value, value_rows, 0};
    run(k);
}

void onednn_convolution_forward_add(convolution *c, size_t rows, const real *x, real *y)
{
    call k = new_call(c, CONVOLUTION_FORWARD, rows, x, y);
    k.accumulate = true;
    run(k);
}

void onednn_convolution_backward_data(convolution *c, size_t rows, const real *adj_y, real *adj_x, bool accumulate)
{
    call k = new_call(c, CONVOLUTION_BACKWARD_DATA, rows, adj_x, adj_y);
    k.accumulate = accumulate;
    run(k);
}

void onednn_convolution_backward_weights(convolution *c, size_t rows, const real *adj_y, const real *x, real *gradient)
{
    call k = new_call(c, CONVOLUTION_BACKWARD_WEIGHTS, rows, x, adj_y);
    k.gradient = gradient;
    run(k);
}
