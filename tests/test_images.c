/* Pixels and channels in other places, and sums of two, on every backend and in every layout, against loops over pixels.
 *
 * A linear function and its adjoint are checked together: the function against a table of where each number comes from, the adjoint against the same
 * table read backwards. */
#include "backend_fixture.h"

static const int blocks[] = {1, 3, 8, 16};
enum { ROWS = 3 };

/* y[i] = scale * the sum of x over what is listed: entry k says that x[from[k]] is part of y[to[k]]. Of one row. */
typedef struct places {
    size_t n, n_x, n_y;
    size_t *from, *to;
    double scale;
    char name[120];
} places;

static places places_new(size_t most, size_t n_x, size_t n_y, double scale)
{
    places p = {.n_x = n_x, .n_y = n_y, .scale = scale};
    p.from = malloc((most + 1) * sizeof *p.from);
    p.to = malloc((most + 1) * sizeof *p.to);
    assert_true(p.from && p.to);
    return p;
}

static void places_add(places *p, size_t from, size_t to)
{
    p->from[p->n] = from;
    p->to[p->n++] = to;
}

static void places_free(places *p)
{
    free(p->from);
    free(p->to);
}

typedef struct linear_function {
    const backend *be;
    const void *shape;
    void (*forward)(const struct linear_function *f, size_t rows, const real *x, real *y, bool accumulate);
    void (*adjoint)(const struct linear_function *f, size_t rows, const real *y, real *x, bool accumulate);
    bool forward_overwrites; /* it cannot accumulate */
    double shift;            /* of what is overwritten */
} linear_function;

/* `got` must hold scale * sums + before, and where nothing comes from anywhere, something finite. */
static void check_sums(const char *name, guarded got, const double *sums, const bool *reached, guarded before, bool accumulate, double shift)
{
    for (size_t i = 0; i < got.count; i++)
        if (reached[i])
            check_near(name, i, got.data[i], sums[i] + shift + (accumulate ? (double)before.data[i] : 0), 16 * REAL_EPSILON, 8);
        else
            assert_true(isfinite(got.data[i]));
}

static void check_direction(const linear_function *f, const places *p, bool forward, bool accumulate, bool zero_elsewhere)
{
    const size_t n_in = forward ? p->n_x : p->n_y, n_out = forward ? p->n_y : p->n_x;
    guarded in = guarded_noise(ROWS * n_in, 1, 1), out = accumulate ? guarded_noise(ROWS * n_out, 0, 2) : guarded_new(ROWS * n_out, 0);
    guarded before = guarded_copy(out, 0);
    double *sums = calloc(ROWS * n_out + 1, sizeof *sums);
    bool *reached = calloc(ROWS * n_out + 1, sizeof *reached);
    for (size_t i = 0; i < ROWS * n_out; i++)
        reached[i] = zero_elsewhere;
    for (size_t r = 0; r < ROWS; r++)
        for (size_t k = 0; k < p->n; k++) {
            const size_t from = r * n_in + (forward ? p->from : p->to)[k], to = r * n_out + (forward ? p->to : p->from)[k];
            sums[to] += p->scale * (double)in.data[from];
            reached[to] = true;
        }
    (forward ? f->forward : f->adjoint)(f, ROWS, in.data, out.data, accumulate);
    check_sums(p->name, out, sums, reached, before, accumulate, forward && !accumulate ? f->shift : 0);
    free(sums);
    free(reached);
    guarded_free(in);
    guarded_free(out);
    guarded_free(before);
}

/* The same numbers on one thread and on several. */
static void check_threads(const linear_function *f, const places *p)
{
    guarded in[2] = {guarded_noise(ROWS * p->n_x, 0, 1), guarded_noise(ROWS * p->n_y, 0, 1)}, out[2][2];
    for (int t = 0; t < 2; t++) {
        f->be->set_threads(t ? 3 : 1);
        out[0][t] = guarded_new(ROWS * p->n_y, t);
        out[1][t] = guarded_new(ROWS * p->n_x, t);
        f->forward(f, ROWS, in[0].data, out[0][t].data, false);
        f->adjoint(f, ROWS, in[1].data, out[1][t].data, false);
    }
    f->be->set_threads(2);
    for (int k = 0; k < 2; k++) {
        check_same_bits(p->name, out[k][0].data, out[k][1].data, out[k][0].count);
        guarded_free(in[k]);
        guarded_free(out[k][0]);
        guarded_free(out[k][1]);
    }
}

/* plain: every number of y, and of the adjoint, is set. */
static void check_linear(const linear_function *f, const places *p, bool plain)
{
    check_direction(f, p, true, false, plain);
    if (!f->forward_overwrites)
        check_direction(f, p, true, true, plain);
    check_direction(f, p, false, false, plain);
    check_direction(f, p, false, true, plain);
    if (plain)
        check_threads(f, p);
}

/* -- copy_columns -- */

static void test_copy_columns(void **state)
{
    const backend *be = *state;
    static const size_t counts[] = {0, 1, 5, 1024, 1025, 40000};
    for (size_t k = 0; k < 2 * COUNT_OF(counts); k++) {
        const size_t count = counts[k / 2], x_step = count + 3, y_step = count + 2;
        const bool accumulate = k % 2;
        guarded x = guarded_noise(ROWS * x_step, 1, 1), y = guarded_noise(ROWS * y_step, 0, 2), before = guarded_copy(y, 0);
        be->copy_columns(ROWS, count, x.data, x_step, y.data, y_step, accumulate);
        for (size_t i = 0; i < y.count; i++) {
            const size_t r = i / y_step, j = i % y_step;
            const double wanted = j >= count ? before.data[i] : x.data[r * x_step + j] + (accumulate ? (double)before.data[i] : 0);
            check_near("copy_columns", i, y.data[i], wanted, j < count && accumulate ? 2 * REAL_EPSILON : 0, 2);
        }
        guarded_free(x);
        guarded_free(y);
        guarded_free(before);
    }
}

/* -- repeat_pixels, sum_pixels -- */

typedef struct repetition {
    tensor_layout small;
    int stride;
} repetition;

static void repeat_forward(const linear_function *f, size_t rows, const real *x, real *y, bool accumulate)
{
    const repetition *s = f->shape;
    f->be->repeat_pixels(rows, s->small, s->stride, (real).75, x, y, accumulate);
}

static void repeat_adjoint(const linear_function *f, size_t rows, const real *y, real *x, bool accumulate)
{
    const repetition *s = f->shape;
    f->be->sum_pixels(rows, s->small, s->stride, (real).75, y, x, accumulate);
}

static void check_repetition(const backend *be, tensor_shape shape, int stride, int block)
{
    const repetition s = {{shape, block}, stride};
    const tensor_layout large = {{shape.channels, shape.height * stride, shape.width * stride}, block};
    places p = places_new(shape_count(large.shape), layout_count(s.small), layout_count(large), .75);
    for (size_t c = 0; c < (size_t)shape.channels; c++)
        for (int i = 0; i < large.shape.height; i++)
            for (int j = 0; j < large.shape.width; j++)
                places_add(&p, layout_at(s.small, c, (size_t)(i / stride * shape.width + j / stride)),
                           layout_at(large, c, (size_t)(i * large.shape.width + j)));
    snprintf(p.name, sizeof p.name, "repeat_pixels %d x %d x %d, stride %d, block %d", shape.channels, shape.height, shape.width, stride, block);
    check_linear(&(linear_function){be, &s, repeat_forward, repeat_adjoint, false, 0}, &p, block == 1);
    places_free(&p);
}

static void test_repeat_pixels(void **state)
{
    static const tensor_shape shapes[] = {{1, 1, 1}, {2, 3, 5}, {17, 4, 3}, {16, 40, 41}};
    for (size_t k = 0; k < COUNT_OF(shapes) * COUNT_OF(blocks); k++)
        for (int stride = 1; stride < 4; stride++)
            check_repetition(*state, shapes[k / COUNT_OF(blocks)], stride, blocks[k % COUNT_OF(blocks)]);
}

/* -- pixels_to_channels, channels_to_pixels -- */

typedef struct space {
    tensor_shape large;
    int stride;
} space;

static void space_forward(const linear_function *f, size_t rows, const real *x, real *y, bool accumulate)
{
    const space *s = f->shape;
    f->be->pixels_to_channels(rows, s->large, s->stride, x, y, accumulate);
}

static void space_adjoint(const linear_function *f, size_t rows, const real *y, real *x, bool accumulate)
{
    const space *s = f->shape;
    f->be->channels_to_pixels(rows, s->large, s->stride, y, x, accumulate);
}

static void test_pixels_to_channels(void **state)
{
    static const space spaces[] = {{{1, 1, 1}, 1}, {{3, 4, 6}, 2}, {{2, 6, 3}, 3}, {{5, 3, 4}, 1}, {{40, 26, 52}, 2}};
    for (size_t k = 0; k < COUNT_OF(spaces); k++) {
        const space *s = &spaces[k];
        const int C = s->large.channels, H = s->large.height, W = s->large.width, h = H / s->stride, w = W / s->stride;
        places p = places_new(shape_count(s->large), shape_count(s->large), shape_count(s->large), 1);
        for (int c = 0; c < C; c++)
            for (int row = 0; row < H; row++)
                for (int column = 0; column < W; column++) {
                    const int o = row % s->stride * s->stride + column % s->stride;
                    places_add(&p, (size_t)((c * H + row) * W + column), (size_t)(((o * C + c) * h + row / s->stride) * w + column / s->stride));
                }
        snprintf(p.name, sizeof p.name, "pixels_to_channels %d x %d x %d, stride %d", C, H, W, s->stride);
        check_linear(&(linear_function){*state, s, space_forward, space_adjoint, false, 0}, &p, true);
        places_free(&p);
    }
}

/* -- transpose -- */

typedef struct matrix {
    size_t m, n;
} matrix;

static void transpose_forward(const linear_function *f, size_t rows, const real *x, real *y, bool accumulate)
{
    const matrix *s = f->shape;
    f->be->transpose(rows, s->m, s->n, x, y, accumulate);
}

static void transpose_adjoint(const linear_function *f, size_t rows, const real *y, real *x, bool accumulate)
{
    const matrix *s = f->shape;
    f->be->transpose(rows, s->n, s->m, y, x, accumulate);
}

static void test_transpose(void **state)
{
    static const matrix matrices[] = {{1, 1}, {1, 9}, {16, 16}, {17, 33}, {200, 151}};
    for (size_t k = 0; k < COUNT_OF(matrices); k++) {
        const matrix *s = &matrices[k];
        places p = places_new(s->m * s->n, s->m * s->n, s->m * s->n, 1);
        for (size_t i = 0; i < s->m; i++)
            for (size_t j = 0; j < s->n; j++)
                places_add(&p, i * s->n + j, j * s->m + i);
        snprintf(p.name, sizeof p.name, "transpose %zu x %zu", s->m, s->n);
        check_linear(&(linear_function){*state, s, transpose_forward, transpose_adjoint, false, 0}, &p, true);
        places_free(&p);
    }
}

/* -- cut, cut_adjoint -- */

static void cut_forward(const linear_function *f, size_t rows, const real *x, real *y, bool accumulate)
{
    f->be->cut(f->shape, rows, 2, (real)f->shift, x, y);
}

static void cut_adjoint(const linear_function *f, size_t rows, const real *y, real *x, bool accumulate)
{
    f->be->cut_adjoint(f->shape, rows, 2, y, x, accumulate);
}

static void test_cut(void **state)
{
    static const image_cut cuts[] = {
        {{1, 1, 1}, {1, 1, 1}, 0, 0, false},  {{2, 4, 5}, {2, 2, 3}, 1, 2, false},   {{2, 4, 5}, {2, 2, 3}, 1, 2, true},
        {{3, 4, 5}, {3, 4, 4}, 0, 0, true},   {{3, 50, 60}, {3, 40, 31}, 10, 29, true}, {{9, 90, 70}, {9, 64, 64}, 3, 5, false},
    };
    for (size_t k = 0; k < COUNT_OF(cuts); k++) {
        const image_cut *s = &cuts[k];
        places p = places_new(shape_count(s->out), shape_count(s->in), shape_count(s->out), 2);
        for (int c = 0; c < s->out.channels; c++)
            for (int i = 0; i < s->out.height; i++)
                for (int j = 0; j < s->out.width; j++) {
                    const int column = s->flip ? s->in.width - s->left - j - 1 : s->left + j; /* as in Darknet */
                    places_add(&p, (size_t)((c * s->in.height + s->top + i) * s->in.width + column), (size_t)((c * s->out.height + i) * s->out.width + j));
                }
        snprintf(p.name, sizeof p.name, "cut %zu", k);
        check_linear(&(linear_function){*state, s, cut_forward, cut_adjoint, true, -.5}, &p, true);
        places_free(&p);
    }
}

/* -- axpby_grid -- */

static void check_grid(const backend *be, const image_grid *g, bool onto_itself)
{
    const size_t n_x = layout_count(g->from), n_y = layout_count(g->to);
    guarded x = guarded_noise(ROWS * n_x, 1, 1), y = onto_itself ? guarded_copy(x, 1) : guarded_noise(ROWS * n_y, 0, 2), before = guarded_copy(y, 0);
    be->axpby_grid(g, ROWS, 3, onto_itself ? y.data : x.data, (real)-.5, y.data);
    for (int c = 0; c < g->channels; c++)
        for (int i = 0; i < g->height; i++)
            for (int j = 0; j < g->width; j++)
                for (size_t r = 0; r < ROWS; r++) {
                    const size_t from = r * n_x + layout_at(g->from, (size_t)c, (size_t)(i * g->from_step * g->from.shape.width + j * g->from_step));
                    const size_t to = r * n_y + layout_at(g->to, (size_t)c, (size_t)(i * g->to_step * g->to.shape.width + j * g->to_step));
                    check_near("axpby_grid", to, y.data[to], 3 * (double)x.data[from] - .5 * (double)before.data[to], 8 * REAL_EPSILON, 4);
                    y.data[to] = before.data[to];
                }
    check_same_bits("axpby_grid, elsewhere", y.data, before.data, y.count);
    guarded_free(x);
    guarded_free(y);
    guarded_free(before);
}

static void test_axpby_grid(void **state)
{
    for (size_t b = 0; b < COUNT_OF(blocks); b++) {
        const tensor_layout small = {{19, 3, 4}, blocks[b]}, large = {{17, 7, 9}, blocks[b]}, wide = {{40, 40, 50}, blocks[b]};
        check_grid(*state, &(image_grid){small, large, 17, 3, 4, 1, 2}, false);
        check_grid(*state, &(image_grid){large, small, 17, 3, 4, 2, 1}, false);
        check_grid(*state, &(image_grid){large, large, 5, 3, 4, 2, 2}, true);
        check_grid(*state, &(image_grid){wide, wide, 40, 40, 50, 1, 1}, false);
        check_grid(*state, &(image_grid){small, small, 19, 3, 4, 1, 1}, true);
    }
}

/* -- blend, blend_slope, blend_adjoint -- */

enum { BLENDED = 2 }; /* blocks that share v */

static void check_blend(const backend *be, activation f, size_t n, int shift)
{
    guarded x = guarded_noise(n, shift, 1), z = guarded_noise(n, 1 - shift, 2), y = guarded_new(n, shift);
    be->blend(f, n, (real).75, x.data, -2, z.data, y.data);
    for (size_t i = 0; i < n; i++)
        check_near(activation_table[f].name, i, y.data[i], activation_at(f, (real).75 * x.data[i] + -2 * z.data[i]).f, 4 * REAL_EPSILON, 3);
    be->blend(f, n, (real).75, x.data, -2, z.data, x.data);
    check_same_bits("blend in place", x.data, y.data, n);
    guarded_free(x);
    guarded_free(y);
    guarded_free(z);
}

static void check_blend_slope(const backend *be, activation f, size_t n, int shift)
{
    guarded v = guarded_noise(n, shift, 3), x = guarded_noise(BLENDED * n, shift, 1), z = guarded_noise(BLENDED * n, 1 - shift, 2);
    guarded y = guarded_new(BLENDED * n, shift);
    be->blend_slope(f, BLENDED, n, v.data, (real).75, x.data, -2, z.data, y.data);
    for (size_t i = 0; i < BLENDED * n; i++)
        check_near(activation_table[f].name, i, y.data[i], activation_at(f, v.data[i % n]).f1 * (.75 * (double)x.data[i] - 2 * (double)z.data[i]),
                   4 * REAL_EPSILON, 3);
    guarded_free(v);
    guarded_free(x);
    guarded_free(y);
    guarded_free(z);
}

/* add: bits of which of x and z accumulate; wanted: which are there at all. */
static void check_blend_adjoint(const backend *be, activation f, size_t n, int wanted, int add)
{
    guarded v = guarded_noise(n, 0, 3), y = guarded_noise(BLENDED * n, 1, 1), out[2], before[2];
    static const double factors[2] = {.75, -2};
    for (int k = 0; k < 2; k++) {
        out[k] = add >> k & 1 ? guarded_noise(BLENDED * n, k, 4) : guarded_new(BLENDED * n, k);
        before[k] = guarded_copy(out[k], 0);
    }
    be->blend_adjoint(f, BLENDED, n, v.data, y.data, (real).75, wanted & 1 ? out[0].data : NULL, add & 1, -2, wanted & 2 ? out[1].data : NULL, add >> 1 & 1);
    for (int k = 0; k < 2; k++) {
        for (size_t i = 0; wanted >> k & 1 && i < BLENDED * n; i++)
            check_near(activation_table[f].name, i, out[k].data[i],
                       factors[k] * activation_at(f, v.data[i % n]).f1 * y.data[i] + (add >> k & 1 ? (double)before[k].data[i] : 0), 4 * REAL_EPSILON, 3);
        if (!(wanted >> k & 1))
            assert_memory_equal(out[k].data, before[k].data, BLENDED * n * sizeof(real));
        guarded_free(out[k]);
        guarded_free(before[k]);
    }
    guarded_free(v);
    guarded_free(y);
}

static void test_blend(void **state)
{
    for (int f = 0; f < ACTIVATION_COUNT; f++)
        FOR_SIZES(n, shift)
        {
            if (!activation_table[f].piecewise_linear || (n > 2000 && f > ACTIVATION_LINEAR))
                continue;
            check_blend(*state, (activation)f, n, shift);
            check_blend_slope(*state, (activation)f, n, shift);
            for (int wanted = 1; wanted < 4; wanted++)
                check_blend_adjoint(*state, (activation)f, n, wanted, shift ? 3 - wanted : wanted);
        }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copy_columns), cmocka_unit_test(test_repeat_pixels), cmocka_unit_test(test_pixels_to_channels),
        cmocka_unit_test(test_transpose),    cmocka_unit_test(test_cut),           cmocka_unit_test(test_axpby_grid),
        cmocka_unit_test(test_blend),
    };
    return run_on_every_backend("images", tests, COUNT_OF(tests), argc, argv);
}
