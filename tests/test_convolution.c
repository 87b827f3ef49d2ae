/* Convolutions on every backend, against naive loops in double: every direction, all pairs of layouts, fast paths on and off. */
#include "backend_fixture.h"

#include "stock_convolutions.h"

/* ---------------------------------------------------------------- the naive convolution */

typedef struct shape_case {
    int channels, height, width, filters, size, stride, pad, groups;
    int rows;
} shape_case;

static convolution_shape shape_of(const shape_case *s)
{
    const int height = (s->height + 2 * s->pad - s->size) / s->stride + 1, width = (s->width + 2 * s->pad - s->size) / s->stride + 1;
    return (convolution_shape){{s->channels, s->height, s->width}, {s->filters, height, width}, s->size, s->stride, s->pad, s->groups};
}

static size_t weight_count(const convolution_shape *s)
{
    return (size_t)(s->out.channels * (s->in.channels / s->groups) * s->size * s->size);
}

/* Calls visit(w, x, y) for every product of one image, with indices into plain arrays. */
#define FOR_PRODUCTS(s, w, x, y, statement)                                                                                    \
    do {                                                                                                                       \
        const int group_channels_ = (s)->in.channels / (s)->groups, group_filters_ = (s)->out.channels / (s)->groups;          \
        for (int f_ = 0; f_ < (s)->out.channels; f_++)                                                                         \
            for (int i_ = 0; i_ < (s)->out.height; i_++)                                                                       \
                for (int j_ = 0; j_ < (s)->out.width; j_++)                                                                    \
                    for (int k_ = 0; k_ < group_channels_; k_++)                                                               \
                        for (int a_ = 0; a_ < (s)->size; a_++)                                                                 \
                            for (int b_ = 0; b_ < (s)->size; b_++) {                                                           \
                                const int row_ = i_ * (s)->stride + a_ - (s)->pad, column_ = j_ * (s)->stride + b_ - (s)->pad; \
                                if (row_ < 0 || row_ >= (s)->in.height || column_ < 0 || column_ >= (s)->in.width)             \
                                    continue;                                                                                  \
                                const int channel_ = f_ / group_filters_ * group_channels_ + k_;                               \
                                const size_t w = (size_t)(((f_ * group_channels_ + k_) * (s)->size + a_) * (s)->size + b_);    \
                                const size_t x = (size_t)((channel_ * (s)->in.height + row_) * (s)->in.width + column_);       \
                                const size_t y = (size_t)((f_ * (s)->out.height + i_) * (s)->out.width + j_);                  \
                                statement;                                                                                     \
                            }                                                                                                  \
    } while (0)

/* Everything a case needs: plain numbers, and what should come out of each direction. */
typedef struct problem {
    convolution_shape s;
    size_t rows, n_x, n_y, n_w;
    real *x, *y, *w, *bias;       /* plain; y is the adjoint that goes back */
    double *wx, *wty, *gradient;  /* W x, W^T y, sum y (x) x */
    double scale_y, scale_x, scale_w; /* the largest sums of sizes */
} problem;

static real *new_noise(size_t count, uint64_t seed)
{
    real *numbers = malloc((count + 1) * sizeof *numbers);
    assert_non_null(numbers);
    for (size_t i = 0; i < count; i++)
        numbers[i] = (real)noise(&seed);
    return numbers;
}

static double largest(const double *sizes, size_t count)
{
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = sizes[i] > most ? sizes[i] : most;
    return most;
}

static problem problem_new(const shape_case *which, size_t rows)
{
    problem p = {.s = shape_of(which), .rows = rows};
    p.n_x = shape_count(p.s.in);
    p.n_y = shape_count(p.s.out);
    p.n_w = weight_count(&p.s);
    p.x = new_noise(rows * p.n_x, 1);
    p.y = new_noise(rows * p.n_y, 2);
    p.w = new_noise(p.n_w, 3);
    p.bias = new_noise((size_t)p.s.out.channels, 4);
    p.wx = calloc(rows * p.n_y + 1, sizeof(double));
    p.wty = calloc(rows * p.n_x + 1, sizeof(double));
    p.gradient = calloc(p.n_w, sizeof(double));
    double *sy = calloc(p.n_y, sizeof(double)), *sx = calloc(p.n_x, sizeof(double)), *sw = calloc(p.n_w, sizeof(double));
    assert_true(p.wx && p.wty && p.gradient && sy && sx && sw);
    for (size_t r = 0; r < rows; r++) {
        const real *xr = p.x + r * p.n_x, *yr = p.y + r * p.n_y;
        double *wxr = p.wx + r * p.n_y, *wtyr = p.wty + r * p.n_x;
        FOR_PRODUCTS(&p.s, iw, ix, iy, {
            wxr[iy] += (double)p.w[iw] * xr[ix];
            wtyr[ix] += (double)p.w[iw] * yr[iy];
            p.gradient[iw] += (double)yr[iy] * xr[ix];
            if (r == 0) {
                sy[iy] += fabs((double)p.w[iw] * xr[ix]);
                sx[ix] += fabs((double)p.w[iw] * yr[iy]);
            }
            sw[iw] += fabs((double)yr[iy] * xr[ix]);
        });
    }
    p.scale_y = largest(sy, p.n_y) + 1;
    p.scale_x = largest(sx, p.n_x) + 1;
    p.scale_w = largest(sw, p.n_w) + 1;
    free(sy);
    free(sx);
    free(sw);
    return p;
}

static void problem_free(problem *p)
{
    void *all[] = {p->x, p->y, p->w, p->bias, p->wx, p->wty, p->gradient};
    for (size_t i = 0; i < COUNT_OF(all); i++)
        free(all[i]);
}

/* Winograd's transforms add numbers of different sizes. */
static const double tolerance = sizeof(real) == sizeof(double) ? 1e-12 : 3e-6;

/* ---------------------------------------------------------------- layouts */

/* Plain images in another layout, the padding filled with numbers that no result may use. */
static guarded laid_out(const real *plain, size_t rows, tensor_layout l, int shift)
{
    guarded g = guarded_noise(rows * layout_count(l), shift, 99);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < (size_t)l.shape.channels; c++)
            for (size_t p = 0; p < layout_pixels(l); p++)
                g.data[r * layout_count(l) + layout_at(l, c, p)] = plain[(r * (size_t)l.shape.channels + c) * layout_pixels(l) + p];
    return g;
}

static void check_images(const char *what, guarded got, size_t rows, tensor_layout l, const double *want, const real *before, double scale)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < (size_t)l.shape.channels; c++)
            for (size_t p = 0; p < layout_pixels(l); p++) {
                const size_t plain = (r * (size_t)l.shape.channels + c) * layout_pixels(l) + p, at = r * layout_count(l) + layout_at(l, c, p);
                check_near(what, plain, got.data[at], want[plain] + (before ? before[at] : 0), tolerance, scale);
            }
    for (size_t i = 0; i < got.count; i++)
        if (!isfinite(got.data[i]))
            fail_msg("%s: the padding holds %g", what, (double)got.data[i]);
}

/* ---------------------------------------------------------------- every direction */

/* A convolution of a problem, with its layouts and name for messages. */
typedef struct subject {
    const backend *be;
    const problem *p;
    convolution *c;
    tensor_layout x, y;
    int shift;
    char name[160];
} subject;

static subject subject_new(const backend *be, const problem *p, int x_block, int y_block, int shift)
{
    subject t = {be, p, NULL, {p->s.in, x_block}, {p->s.out, y_block}, shift, ""};
    t.c = be->convolution_create(&p->s, x_block, y_block, p->rows);
    assert_non_null(t.c);
    be->convolution_load(t.c, p->w);
    snprintf(t.name, sizeof t.name, "%s %zu x %dx%dx%d, %d filters, size %d stride %d pad %d groups %d, blocks %d %d, shift %d", be->name, p->rows,
             p->s.in.channels, p->s.in.height, p->s.in.width, p->s.out.channels, p->s.size, p->s.stride, p->s.pad, p->s.groups, x_block, y_block, shift);
    return t;
}

static void check_forward(const subject *t, bool biased, activation f)
{
    const problem *p = t->p;
    guarded x = laid_out(p->x, p->rows, t->x, t->shift), y = guarded_new(p->rows * layout_count(t->y), t->shift);
    t->be->convolution_forward(t->c, p->rows, x.data, biased ? p->bias : NULL, f, y.data);
    double *want = malloc(p->rows * p->n_y * sizeof *want + 1);
    for (size_t i = 0; i < p->rows * p->n_y; i++) {
        const double z = p->wx[i] + (biased ? p->bias[i / layout_pixels(t->y) % (size_t)p->s.out.channels] : 0);
        want[i] = f == ACTIVATION_LINEAR ? z : activation_at(f, (real)z).f;
    }
    check_images(t->name, y, p->rows, t->y, want, NULL, p->scale_y);
    free(want);
    guarded_free(x);
    guarded_free(y);
}

/* The values are those of half as many images. */
static void check_forward_slopes(const subject *t, activation f)
{
    const problem *p = t->p;
    const size_t value_rows = (p->rows + 1) / 2;
    guarded x = laid_out(p->x, p->rows, t->x, t->shift), value = laid_out(p->y, value_rows, t->y, t->shift);
    guarded y = guarded_new(p->rows * layout_count(t->y), t->shift);
    t->be->convolution_forward_slopes(t->c, p->rows, x.data, f, value_rows, value.data, y.data);
    double *want = malloc(p->rows * p->n_y * sizeof *want + 1);
    for (size_t i = 0; i < p->rows * p->n_y; i++)
        want[i] = activation_at(f, p->y[i % (value_rows * p->n_y)]).f1 * p->wx[i];
    check_images(t->name, y, p->rows, t->y, want, NULL, p->scale_y);
    free(want);
    guarded_free(x);
    guarded_free(value);
    guarded_free(y);
}

static void check_forward_add(const subject *t)
{
    const problem *p = t->p;
    guarded x = laid_out(p->x, p->rows, t->x, t->shift), y = guarded_noise(p->rows * layout_count(t->y), t->shift, 7), before = guarded_copy(y, 0);
    t->be->convolution_forward_add(t->c, p->rows, x.data, y.data);
    check_images(t->name, y, p->rows, t->y, p->wx, before.data, p->scale_y);
    guarded_free(x);
    guarded_free(y);
    guarded_free(before);
}

static void check_backward_data(const subject *t, bool accumulate)
{
    const problem *p = t->p;
    guarded y = laid_out(p->y, p->rows, t->y, t->shift), x = guarded_noise(p->rows * layout_count(t->x), t->shift, 7), before = guarded_copy(x, 0);
    for (size_t i = 0; !accumulate && i < x.count; i++)
        x.data[i] = (real)NAN;
    t->be->convolution_backward_data(t->c, p->rows, y.data, x.data, accumulate);
    check_images(t->name, x, p->rows, t->x, p->wty, accumulate ? before.data : NULL, p->scale_x);
    guarded_free(x);
    guarded_free(y);
    guarded_free(before);
}

static void check_backward_weights(const subject *t)
{
    const problem *p = t->p;
    guarded x = laid_out(p->x, p->rows, t->x, t->shift), y = laid_out(p->y, p->rows, t->y, t->shift), w = guarded_noise(p->n_w, t->shift, 7);
    guarded before = guarded_copy(w, 0);
    t->be->convolution_backward_weights(t->c, p->rows, y.data, x.data, w.data);
    for (size_t i = 0; i < p->n_w; i++)
        check_near(t->name, i, w.data[i], p->gradient[i] + before.data[i], tolerance, p->scale_w);
    guarded_free(x);
    guarded_free(y);
    guarded_free(w);
    guarded_free(before);
}

static void check_directions(const backend *be, const problem *p, int x_block, int y_block, int shift)
{
    static const activation fused[] = {ACTIVATION_RELU, ACTIVATION_LEAKY, ACTIVATION_RELIE, ACTIVATION_RAMP, ACTIVATION_LINEAR, ACTIVATION_PLSE};
    subject t = subject_new(be, p, x_block, y_block, shift);
    check_forward(&t, false, ACTIVATION_LINEAR);
    const activation f = fused[(size_t)(p->s.in.channels + x_block + shift) % COUNT_OF(fused)];
    check_forward(&t, true, f);
    check_forward_slopes(&t, f);
    check_forward_add(&t);
    check_backward_data(&t, false);
    check_backward_data(&t, true);
    check_backward_weights(&t);
    be->convolution_free(t.c);
}

static const shape_case shape_cases[] = {
    /* channels, height, width, filters, size, stride, pad, groups, rows */
    {1, 1, 1, 1, 1, 1, 0, 1, 1},
    {3, 5, 4, 2, 3, 1, 1, 1, 3},
    {5, 7, 9, 19, 3, 2, 1, 1, 2},
    {19, 6, 5, 33, 3, 1, 0, 1, 3},
    {16, 6, 6, 32, 1, 1, 0, 1, 4},
    {33, 7, 6, 17, 1, 2, 0, 1, 3},
    {33, 1, 1, 40, 1, 1, 0, 1, 5},
    {9, 8, 8, 24, 5, 1, 2, 1, 2},
    {17, 4, 6, 7, 2, 1, 2, 1, 2},  /* wider padding than the kernel: oneDNN has only its reference */
    {6, 3, 3, 5, 3, 4, 4, 1, 2},
    {2, 9, 9, 3, 1, 3, 2, 1, 2},
    {7, 13, 11, 4, 7, 2, 3, 1, 2},
    {3, 20, 20, 16, 7, 2, 3, 1, 3}, /* first layers */
    {3, 23, 21, 24, 11, 4, 2, 1, 2},
    {4, 20, 20, 16, 8, 4, 0, 1, 5},
    {1, 12, 13, 8, 5, 3, 1, 1, 3},
    {3, 14, 14, 32, 3, 2, 1, 1, 2},
    {4, 18, 22, 16, 4, 2, 0, 1, 7}, /* patches read in place: pieces of a cell of 2, 1 and 8 numbers, half panels, parts of several images */
    {5, 15, 18, 56, 6, 3, 0, 1, 4},
    {17, 14, 10, 31, 4, 2, 0, 1, 19},
    {2, 24, 16, 16, 8, 8, 0, 1, 3},
    {3, 19, 17, 32, 5, 3, 0, 1, 3},
    {8, 7, 6, 16, 1, 2, 0, 1, 2},
    {8, 8, 12, 16, 6, 2, 0, 1, 3}, /* patches of more rows than y has */
    {32, 16, 15, 24, 3, 1, 0, 1, 9}, /* Winograd with AVX2 (test_ways): odd numbers of blocks, tiles over the rim, each padding, several chunks */
    {32, 16, 15, 24, 3, 1, 1, 1, 9},
    {32, 16, 15, 24, 3, 1, 2, 1, 9},
    {24, 16, 15, 32, 3, 1, 1, 1, 9},
    {232, 4, 4, 8, 3, 1, 1, 1, 130},
    {3, 16, 16, 16, 3, 1, 1, 1, 4},
    {32, 12, 12, 32, 3, 1, 1, 1, 5}, /* Winograd */
    {48, 9, 17, 31, 3, 1, 1, 1, 5},
    {31, 10, 10, 48, 3, 1, 0, 1, 7},
    {4, 5, 5, 6, 3, 1, 1, 2, 3},    /* groups */
    {6, 6, 5, 9, 2, 2, 1, 3, 2},
    {32, 5, 5, 32, 3, 1, 1, 8, 2},
    {64, 6, 6, 32, 3, 2, 1, 16, 2},
    {32, 5, 4, 64, 1, 1, 0, 2, 3},
    {40, 4, 4, 80, 3, 1, 1, 5, 2},
    {99, 4, 4, 99, 3, 1, 1, 3, 2},
    {16, 7, 7, 16, 3, 1, 1, 16, 3}, /* depthwise */
    {20, 9, 8, 20, 3, 2, 1, 20, 2},
    {35, 7, 9, 35, 5, 1, 2, 35, 3},
    {32, 6, 6, 32, 7, 2, 3, 32, 2},
    {18, 5, 5, 18, 2, 1, 2, 18, 2},
    {8, 6, 6, 16, 3, 1, 1, 8, 2},   /* two filters per channel */
};

static void test_directions(void **state)
{
    static const int blocks[] = {1, 16};
    for (size_t k = 0; k < COUNT_OF(shape_cases); k++) {
        problem p = problem_new(&shape_cases[k], (size_t)shape_cases[k].rows);
        for (int xy = 0; xy < 4; xy++)
            check_directions(*state, &p, blocks[xy / 2], blocks[xy % 2], (xy + (int)k) % 2);
        problem_free(&p);
    }
}

static void test_directions_without_fast_paths(void **state)
{
    if (!strcmp(((const backend *)*state)->name, "ref"))
        return; /* it has none */
    setenv("DARKNET_EXT_FAST_PATHS", "0", 1);
    test_directions(state);
    unsetenv("DARKNET_EXT_FAST_PATHS");
}

static void test_chosen_blocks(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(shape_cases); k++) {
        problem p = problem_new(&shape_cases[k], (size_t)shape_cases[k].rows);
        int x_block = 0, y_block = 0;
        be->convolution_blocks(&p.s, &x_block, &y_block);
        assert_in_range(x_block, 1, 16);
        assert_in_range(y_block, 1, 16);
        check_directions(be, &p, x_block, y_block, 0);
        problem_free(&p);
    }
}

static void test_other_blocks(void **state)
{
    static const shape_case shapes[] = {
        {20, 6, 7, 12, 3, 1, 1, 1, 2}, {4, 9, 9, 8, 4, 2, 0, 1, 3}, {16, 5, 5, 16, 3, 1, 1, 16, 2}, {20, 10, 12, 32, 4, 2, 0, 1, 5}};
    static const int blocks[][2] = {{8, 8}, {4, 16}, {16, 8}, {8, 1}};
    for (size_t k = 0; k < COUNT_OF(shapes); k++) {
        problem p = problem_new(&shapes[k], (size_t)shapes[k].rows);
        for (size_t b = 0; b < COUNT_OF(blocks); b++)
            check_directions(*state, &p, blocks[b][0], blocks[b][1], 0);
        problem_free(&p);
    }
}

/* Plain images that are moved in three chunks: each begins at another row of the values than 0. Every activation that Winograd takes along. */
static void test_chunks(void **state)
{
    static const shape_case shape = {232, 4, 4, 8, 3, 1, 1, 1, 300};
    problem p = problem_new(&shape, (size_t)shape.rows);
    subject t = subject_new(*state, &p, 1, 8, 0);
    static const activation fused[] = {ACTIVATION_RELU, ACTIVATION_LEAKY, ACTIVATION_RELIE, ACTIVATION_RAMP};
    for (size_t k = 0; k < COUNT_OF(fused); k++) {
        check_forward(&t, true, fused[k]);
        check_forward_slopes(&t, fused[k]);
    }
    t.be->convolution_free(t.c);
    problem_free(&p);
}

/* What an earlier call has left in the scratch memory: NaN, in images that are brought into other blocks. */
static void poison_scratch(const backend *be)
{
    const shape_case shape = {16, 40, 40, 16, 1, 1, 0, 1, 2};
    problem p = problem_new(&shape, 2);
    for (size_t i = 0; i < p.rows * p.n_x; i++)
        p.x[i] = (real)NAN;
    subject t = subject_new(be, &p, 1, 1, 0);
    guarded y = guarded_new(p.rows * p.n_y, 0), x = guarded_copy((guarded){.data = p.x, .count = p.rows * p.n_x}, 0);
    be->convolution_forward(t.c, p.rows, x.data, NULL, ACTIVATION_LINEAR, y.data);
    be->convolution_free(t.c);
    guarded_free(x);
    guarded_free(y);
    problem_free(&p);
}

/* Squares of pixels as channels, where some of the channels are nobody's. */
static void test_dirty_scratch(void **state)
{
    static const shape_case shapes[] = {{1, 20, 20, 16, 8, 2, 1, 1, 2}, {1, 20, 20, 32, 8, 3, 3, 1, 2}, {1, 12, 13, 8, 5, 3, 1, 1, 3}, {3, 23, 21, 24, 11, 4, 2, 1, 2},
                                        {1, 15, 14, 8, 6, 3, 1, 1, 2}}; /* the last: padding and a row that no patch has */
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(shapes); k++) {
        problem p = problem_new(&shapes[k], (size_t)shapes[k].rows);
        subject t = subject_new(be, &p, 1, 16, 0);
        poison_scratch(be);
        check_forward(&t, false, ACTIVATION_LINEAR);
        poison_scratch(be);
        check_backward_data(&t, false);
        poison_scratch(be);
        check_backward_weights(&t);
        be->convolution_free(t.c);
        problem_free(&p);
    }
}

/* ---------------------------------------------------------------- one object, many calls */

/* So many rows that they are cut into chunks. */
static void test_many_rows(void **state)
{
    static const shape_case shapes[] = {{4, 68, 68, 4, 8, 4, 0, 1, 31}, {3, 32, 32, 8, 3, 1, 1, 1, 35}, {16, 32, 32, 16, 1, 1, 0, 1, 40}};
    for (size_t k = 0; k < COUNT_OF(shapes); k++) {
        problem p = problem_new(&shapes[k], (size_t)shapes[k].rows);
        check_directions(*state, &p, 1, 16, 0);
        check_directions(*state, &p, 16, 1, 0);
        problem_free(&p);
    }
}

static void test_other_row_counts(void **state)
{
    const backend *be = *state;
    const shape_case shape = {16, 9, 8, 24, 3, 1, 1, 1, 8};
    problem most = problem_new(&shape, 8);
    subject t = subject_new(be, &most, 16, 16, 0);
    static const size_t rows[] = {8, 1, 5, 0, 8, 3, 2, 7, 6, 4, 1};
    for (int repeat = 0; repeat < 3; repeat++) /* more kernels than are kept */
        for (size_t k = 0; k < COUNT_OF(rows); k++) {
            problem p = problem_new(&shape, rows[k]);
            subject part = t;
            part.p = &p;
            be->convolution_load(t.c, p.w);
            check_forward(&part, k % 2, k % 3 ? ACTIVATION_RELU : ACTIVATION_LINEAR);
            check_backward_data(&part, k % 2);
            check_backward_weights(&part);
            problem_free(&p);
        }
    be->convolution_free(t.c);
    problem_free(&most);
}

/* Each load replaces the weights of every direction, whichever is called first. */
static void test_new_weights(void **state)
{
    const backend *be = *state;
    static const shape_case shapes[] = {
        {16, 6, 6, 16, 3, 1, 1, 1, 2}, {3, 9, 9, 20, 4, 2, 0, 1, 2}, {32, 5, 5, 32, 3, 1, 1, 8, 2}, {17, 4, 6, 7, 2, 1, 2, 1, 2}};
    for (size_t k = 0; k < COUNT_OF(shapes); k++) {
        problem p = problem_new(&shapes[k], 2);
        real *other = new_noise(p.n_w, 77), *right = p.w;
        subject t = subject_new(be, &p, 16, 16, 0);
        p.w = other;
        guarded x = laid_out(p.x, 2, t.x, 0), y = guarded_new(2 * layout_count(t.y), 0);
        be->convolution_load(t.c, other);
        be->convolution_forward(t.c, 2, x.data, NULL, ACTIVATION_LINEAR, y.data);
        be->convolution_load(t.c, right);
        check_backward_data(&t, false);
        check_forward(&t, false, ACTIVATION_LINEAR);
        p.w = right;
        free(other);
        guarded_free(x);
        guarded_free(y);
        be->convolution_free(t.c);
        problem_free(&p);
    }
}

typedef struct outputs {
    guarded y, x, w;
} outputs;

static outputs run_all(const subject *t)
{
    const problem *p = t->p;
    guarded x = laid_out(p->x, p->rows, t->x, 0), y = laid_out(p->y, p->rows, t->y, 0);
    outputs o = {guarded_new(p->rows * layout_count(t->y), 0), guarded_new(p->rows * layout_count(t->x), 0), guarded_noise(p->n_w, 0, 5)};
    t->be->convolution_forward(t->c, p->rows, x.data, p->bias, ACTIVATION_RELU, o.y.data);
    t->be->convolution_backward_data(t->c, p->rows, y.data, o.x.data, false);
    t->be->convolution_backward_weights(t->c, p->rows, y.data, x.data, o.w.data);
    guarded_free(x);
    guarded_free(y);
    return o;
}

static void outputs_free(outputs o)
{
    guarded_free(o.y);
    guarded_free(o.x);
    guarded_free(o.w);
}

static void test_repeatable(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(shape_cases); k += 3)
        for (int threads = 1; threads <= 3; threads++) {
            problem p = problem_new(&shape_cases[k], (size_t)shape_cases[k].rows + 2);
            be->set_threads(threads);
            subject t = subject_new(be, &p, 16, 16, 0), u = subject_new(be, &p, 16, 16, 0);
            outputs first = run_all(&t), again = run_all(&t), other = run_all(&u);
            check_same_bits("forward again", first.y.data, again.y.data, first.y.count);
            check_same_bits("backward data again", first.x.data, again.x.data, first.x.count);
            check_same_bits("backward weights again", first.w.data, again.w.data, first.w.count);
            check_same_bits("forward of another object", first.y.data, other.y.data, first.y.count);
            check_same_bits("backward data of another object", first.x.data, other.x.data, first.x.count);
            check_same_bits("backward weights of another object", first.w.data, other.w.data, first.w.count);
            check_forward(&t, true, ACTIVATION_LEAKY);
            check_backward_data(&t, true);
            check_backward_weights(&t);
            outputs_free(first);
            outputs_free(again);
            outputs_free(other);
            be->convolution_free(t.c);
            be->convolution_free(u.c);
            problem_free(&p);
        }
    be->set_threads(2);
}

/* ---------------------------------------------------------------- reports */

static void check_report(const backend *be, const convolution_shape *s, size_t rows)
{
    int x_block = 1, y_block = 1;
    be->convolution_blocks(s, &x_block, &y_block);
    convolution *c = be->convolution_create(s, x_block, y_block, rows);
    assert_non_null(c);
    for (int d = 0; d < CONVOLUTION_DIRECTIONS; d++) {
        const char *report = be->convolution_report(c, (convolution_direction)d);
        if (!*report || !strncmp(report, "ref", 3) || strstr(report, "ref:"))
            fail_msg("%s: direction %d of %dx%dx%d, %d filters, size %d stride %d pad %d groups %d is computed by %s", be->name, d, s->in.channels,
                     s->in.height, s->in.width, s->out.channels, s->size, s->stride, s->pad, s->groups, report);
    }
    be->convolution_free(c);
}

static void test_never_the_reference(void **state)
{
    for (size_t k = 0; k < COUNT_OF(stock_convolutions); k++) {
        const int *s = stock_convolutions[k];
        const shape_case shape = {s[1], s[2], s[3], s[4], s[5], s[6], s[7], s[0], 0};
        const convolution_shape stock = shape_of(&shape);
        check_report(*state, &stock, 1 + 7 * (k % 5));
    }
    for (size_t k = 0; k < COUNT_OF(shape_cases); k++) {
        const convolution_shape odd = shape_of(&shape_cases[k]);
        check_report(*state, &odd, 1 + k % 40);
    }
}

/* Which ways are taken where it matters: rows of 64-channel images, a first layer of 8 x 8 stride 4, and others. */
static void test_ways(void **state)
{
    static const struct {
        int block; /* of the processor that it is made for: 16 with AVX-512, 8 with AVX2 */
        shape_case shape;
        const char *words[CONVOLUTION_DIRECTIONS];
    } cases[] = {
        {16, {64, 56, 56, 64, 3, 1, 1, 1, 4}, {"Winograd", "Winograd", "Winograd"}},
        {16, {512, 7, 7, 512, 3, 1, 1, 1, 2}, {"direct", "direct", "direct"}},
        {16, {64, 56, 56, 256, 1, 1, 0, 1, 4}, {"direct jit_1x1", "direct jit_1x1", "direct jit_1x1"}},
        {16, {4, 84, 84, 16, 8, 4, 0, 1, 200}, {"products of patches in place, x in blocks of 1", "in place", "in place"}},
        {16, {16, 20, 20, 32, 4, 2, 0, 1, 200}, {"direct jit", "in place", "direct jit"}},
        {16, {16, 40, 40, 64, 4, 2, 0, 1, 200}, {"direct jit", "direct jit", "direct jit"}},
        {8, {4, 84, 84, 16, 8, 4, 0, 1, 200}, {"products of patches in place, x in blocks of 1", "in place", "in place"}},
        {8, {16, 20, 20, 32, 4, 2, 0, 1, 200}, {"in place, x in blocks of 8", "in place", "in place"}},
        {8, {16, 21, 20, 32, 4, 2, 0, 1, 20}, {"in place", "direct", "in place"}}, /* a row that no patch has */
        {8, {4, 84, 84, 8, 8, 4, 0, 1, 200}, {"direct", "direct", "direct"}},       /* half a tile */
        {8, {16, 20, 20, 32, 4, 1, 0, 1, 200}, {"direct", "direct", "direct"}},
        {8, {64, 56, 56, 64, 3, 1, 1, 1, 4}, {"Winograd F(4x4, 3x3)", "Winograd F(4x4, 3x3)", "Winograd F(4x4, 3x3)"}},
        {8, {512, 7, 7, 512, 3, 1, 1, 1, 2}, {"direct", "direct", "direct"}},
        {8, {32, 16, 15, 24, 3, 1, 0, 1, 9}, {"F(4x4", "F(4x4", "F(4x4"}},
        {8, {32, 16, 15, 24, 3, 1, 1, 1, 9}, {"F(4x4", "F(4x4", "F(4x4"}},
        {8, {32, 16, 15, 24, 3, 1, 2, 1, 9}, {"F(4x4", "F(4x4", "F(4x4"}},
        {8, {24, 16, 15, 32, 3, 1, 1, 1, 9}, {"F(4x4", "F(4x4", "F(4x4"}},
        {8, {232, 4, 4, 8, 3, 1, 1, 1, 130}, {"F(4x4", "F(4x4", "F(4x4"}},
        {8, {232, 4, 4, 8, 3, 1, 1, 1, 300}, {"F(4x4", "F(4x4", "F(4x4"}},
        {8, {64, 56, 56, 60, 3, 1, 1, 1, 4}, {"whole blocks of 8", "whole blocks of 8", "whole blocks of 8"}}, /* a block that is not full */
        {16, {3, 227, 227, 96, 11, 4, 0, 1, 2}, {"Winograd", "Winograd jit_wino_4x3:avx512_core, squares", "Winograd"}},
        {16, {3, 32, 32, 64, 3, 1, 1, 1, 32}, {"direct", "matrix products of patches", "direct"}},
        {16, {128, 56, 56, 128, 3, 1, 1, 32, 4}, {"4 groups as one", "4 groups as one", "4 groups as one"}},
        {16, {64, 28, 28, 64, 5, 1, 2, 64, 4}, {"direct jit_dw", "direct jit_dw", "loops over blocks of channels"}},
    };
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        const convolution_shape s = shape_of(&cases[k].shape);
        int x_block, y_block;
        be->convolution_blocks(&s, &x_block, &y_block);
        if (strcmp(be->name, "onednn") != 0 || y_block != cases[k].block)
            continue;
        convolution *c = be->convolution_create(&s, x_block, y_block, (size_t)cases[k].shape.rows);
        setenv("DARKNET_EXT_FAST_PATHS", "0", 1);
        convolution *slow = be->convolution_create(&s, x_block, y_block, (size_t)cases[k].shape.rows);
        unsetenv("DARKNET_EXT_FAST_PATHS");
        for (int d = 0; d < CONVOLUTION_DIRECTIONS; d++) {
            const char *report = be->convolution_report(c, (convolution_direction)d);
            const char *slow_report = be->convolution_report(slow, (convolution_direction)d);
            if (!strstr(report, cases[k].words[d]))
                fail_msg("case %zu, direction %d: %s, not %s", k, d, report, cases[k].words[d]);
            if (!strncmp(slow_report, "Winograd", 8) || strstr(slow_report, "squares") || strstr(slow_report, "in place"))
                fail_msg("case %zu, direction %d without fast paths: %s", k, d, slow_report);
        }
        be->convolution_free(c);
        be->convolution_free(slow);
    }
}

/* ---------------------------------------------------------------- memory */

#ifndef DNX_SANITIZED /* the sanitizers replace malloc themselves */

#include "allocation_counter.h"

static volatile long large_objects;

/* C++'s operator new: oneDNN makes a map of the arguments of every execution, a few dozen bytes each. */
void *_Znwm(size_t size);
void *_Znwm(size_t size)
{
    large_objects += counting && size > 1024;
    return __libc_malloc(size);
}

static void test_allocates_nothing(void **state)
{
    for (size_t k = 0; k < COUNT_OF(shape_cases); k += 2) {
        problem p = problem_new(&shape_cases[k], (size_t)shape_cases[k].rows);
        subject t = subject_new(*state, &p, 16, 16, 0);
        const size_t n_x = p.rows * layout_count(t.x), n_y = p.rows * layout_count(t.y);
        real *x = new_noise(n_x, 1), *y = new_noise(n_y, 2), *w = new_noise(p.n_w, 3);
        for (int step = 0; step < 4; step++) {
            calls = large_objects = 0;
            counting = step > 0;
            t.be->convolution_load(t.c, p.w);
            t.be->convolution_forward(t.c, p.rows, x, p.bias, ACTIVATION_LEAKY, y);
            t.be->convolution_backward_data(t.c, p.rows, y, x, true);
            t.be->convolution_backward_weights(t.c, p.rows, y, x, w);
            counting = 0;
            if ((calls && strcmp(t.be->name, "ref") != 0) || large_objects)
                fail_msg("%s: %ld allocations, %ld large objects in step %d", t.name, calls, large_objects, step);
        }
        free(x);
        free(y);
        free(w);
        t.be->convolution_free(t.c);
        problem_free(&p);
    }
}

#endif

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_directions),
        cmocka_unit_test(test_directions_without_fast_paths),
        cmocka_unit_test(test_chosen_blocks),
        cmocka_unit_test(test_other_blocks),
        cmocka_unit_test(test_chunks),
        cmocka_unit_test(test_dirty_scratch),
        cmocka_unit_test(test_many_rows),
        cmocka_unit_test(test_other_row_counts),
        cmocka_unit_test(test_new_weights),
        cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_never_the_reference),
        cmocka_unit_test(test_ways),
#ifndef DNX_SANITIZED
        cmocka_unit_test(test_allocates_nothing),
#endif
    };
    return run_on_every_backend("convolution", tests, COUNT_OF(tests), argc, argv);
}
