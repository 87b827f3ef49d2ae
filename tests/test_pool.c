/* Largest numbers of windows, means of pixels, and their adjoints, on every backend and in every layout, against loops over pixels. */
#include "backend_fixture.h"

static const int blocks[] = {1, 3, 8, 16, 24};

typedef struct pool_case {
    int channels, height, width, size, stride, padding;
    size_t rows;
} pool_case;

/* The last ones are large enough for several threads. */
static const pool_case cases[] = {
    {1, 1, 1, 1, 1, 0, 1},   {3, 4, 6, 2, 2, 1, 2},   {17, 5, 7, 3, 2, 2, 2},   {2, 7, 5, 3, 1, 2, 3},    {5, 9, 8, 2, 3, 0, 1},     {16, 6, 6, 5, 1, 4, 2},
    {4, 3, 2, 3, 1, 3, 1},   {2, 40, 3, 3, 5, 1, 1},  {2, 6, 60, 2, 1, 0, 1},   {1, 20, 45, 3, 2, 2, 1},  {1, 30, 3, 30, 7, 29, 1},  {2, 9, 50, 4, 3, 3, 1},
    {1, 2, 260, 256, 19, 255, 1}, {20, 30, 31, 3, 2, 2, 4}, {9, 34, 66, 2, 2, 1, 4},
};

/* Every case in every block. */
#define N_PROBLEMS (COUNT_OF(cases) * COUNT_OF(blocks))

static window_shape shape_of(const pool_case *c)
{
    const tensor_shape in = {c->channels, c->height, c->width};
    const tensor_shape out = {c->channels, (c->height + c->padding - c->size) / c->stride + 1, (c->width + c->padding - c->size) / c->stride + 1};
    return (window_shape){in, out, c->size, c->stride, c->padding / 2};
}

enum { NOWHERE = -1 };

/* What belongs to an output: NOWHERE is padding of the layout. */
typedef struct result {
    ptrdiff_t from; /* where the largest number lies in x */
    int place;
    double value;
} result;

typedef struct problem {
    const backend *be;
    window_shape w;
    tensor_layout in, out;
    size_t rows;
    guarded x, y, places; /* places: as the layer keeps them, in an array of numbers */
    result *expected;     /* of each y */
    char name[100];
} problem;

static window_place *places_of(const problem *p)
{
    return (window_place *)p->places.data;
}

/* Darknet's loop: the first of the largest, row by row. */
static result expected_result(const problem *p, size_t r, size_t c, int i, int j)
{
    result best = {NOWHERE, 0, -INFINITY};
    for (int a = 0; a < p->w.size; a++)
        for (int b = 0; b < p->w.size; b++) {
            const int row = i * p->w.stride - p->w.pad + a, column = j * p->w.stride - p->w.pad + b;
            if (row < 0 || row >= p->w.in.height || column < 0 || column >= p->w.in.width)
                continue;
            const size_t from = r * layout_count(p->in) + layout_at(p->in, c, (size_t)(row * p->w.in.width + column));
            const double value = p->x.data[from];
            if (best.from == NOWHERE || value > best.value)
                best = (result){(ptrdiff_t)from, a * p->w.size + b, isnan(value) ? best.value : value};
        }
    return best;
}

static void expect_results(problem *p)
{
    for (size_t i = 0; i < p->y.count; i++)
        p->expected[i] = (result){NOWHERE, 0, 0};
    for (size_t r = 0; r < p->rows; r++)
        for (size_t c = 0; c < (size_t)p->w.out.channels; c++)
            for (int i = 0; i < p->w.out.height; i++)
                for (int j = 0; j < p->w.out.width; j++)
                    p->expected[r * layout_count(p->out) + layout_at(p->out, c, (size_t)(i * p->w.out.width + j))] = expected_result(p, r, c, i, j);
}

/* Channels of the layout that no image has: finite, whatever else. */
static bool is_padding(tensor_layout l, size_t i)
{
    const size_t block = (size_t)l.block, plane = block * layout_pixels(l);
    return i % layout_count(l) / plane * block + i % block >= (size_t)l.shape.channels;
}

/* Numbers of a few values, so that windows often have several largest ones; of 1000 `missing` are NaN. */
static problem problem_of(const backend *be, const pool_case *c, int block, unsigned missing)
{
    problem p = {.be = be, .w = shape_of(c), .rows = c->rows};
    p.in = (tensor_layout){p.w.in, block};
    p.out = (tensor_layout){p.w.out, block};
    p.x = guarded_noise(p.rows * layout_count(p.in), block & 1, 1);
    p.y = guarded_new(p.rows * layout_count(p.out), 1 - (block & 1));
    p.places = guarded_new((p.y.count * sizeof(window_place) + sizeof(real) - 1) / sizeof(real), 0);
    p.expected = malloc(p.y.count * sizeof *p.expected);
    for (size_t i = 0; i < p.x.count; i++)
        p.x.data[i] = i * 2654435761u % 1000 < missing && !is_padding(p.in, i) ? (real)NAN : (real)(floor(p.x.data[i] * 8) - 4);
    snprintf(p.name, sizeof p.name, "%d x %d x %d, size %d, stride %d, padding %d, block %d", c->channels, c->height, c->width, c->size, c->stride,
             c->padding, block);
    expect_results(&p);
    p.be->max_pool(&p.w, block, p.rows, p.x.data, places_of(&p), p.y.data);
    return p;
}

static problem problem_new(const backend *be, size_t k)
{
    return problem_of(be, &cases[k / COUNT_OF(blocks)], blocks[k % COUNT_OF(blocks)], 0);
}

static void problem_free(problem *p)
{
    guarded_free(p->x);
    guarded_free(p->y);
    guarded_free(p->places);
    free(p->expected);
}

static void check_max(const problem *p)
{
    for (size_t i = 0; i < p->y.count; i++)
        if (p->expected[i].from == NOWHERE)
            assert_true(isfinite(p->y.data[i]));
        else if (p->y.data[i] != p->expected[i].value || places_of(p)[i] != p->expected[i].place)
            fail_msg("%s: y %zu is %g at place %d, not %g at %d", p->name, i, p->y.data[i], places_of(p)[i], p->expected[i].value, p->expected[i].place);
}

static void test_max_pool(void **state)
{
    for (size_t k = 0; k < N_PROBLEMS; k++) {
        problem p = problem_new(*state, k);
        check_max(&p);
        problem_free(&p);
    }
}

/* Of NaN and numbers the numbers count; a window of nothing else gives -infinity, and its first place. */
static void test_max_pool_of_nan(void **state)
{
    for (size_t b = 0; b < COUNT_OF(blocks); b++) {
        const pool_case c = {9, 20, 18, 2, 2, 1, 1};
        problem p = problem_of(*state, &c, blocks[b], 700);
        int of_nan = 0;
        check_max(&p);
        for (size_t i = 0; i < p.y.count; i++)
            of_nan += isinf(p.expected[i].value) != 0;
        assert_true(of_nan > 10);
        problem_free(&p);
    }
}

enum { SHARING = 3 }; /* so many blocks of rows share the places */

static void test_pool_gather(void **state)
{
    for (size_t k = 0; k < N_PROBLEMS; k++) {
        problem p = problem_new(*state, k);
        guarded x = guarded_noise(SHARING * p.x.count, 1, 7), y = guarded_new(SHARING * p.y.count, 0);
        p.be->pool_gather(&p.w, p.in.block, SHARING * p.rows, p.rows, places_of(&p), x.data, y.data);
        for (size_t i = 0; i < y.count; i++) {
            const ptrdiff_t from = p.expected[i % p.y.count].from;
            if (from == NOWHERE)
                assert_true(isfinite(y.data[i]));
            else
                check_near(p.name, i, y.data[i], x.data[i / p.y.count * p.x.count + (size_t)from], 0, 0);
        }
        guarded_free(x);
        guarded_free(y);
        problem_free(&p);
    }
}

static double *expected_scatter(const problem *p, guarded y, guarded before, bool accumulate)
{
    double *sums = calloc(before.count, sizeof *sums);
    for (size_t i = 0; accumulate && i < before.count; i++)
        sums[i] = before.data[i];
    for (size_t i = 0; i < y.count; i++)
        if (p->expected[i % p->y.count].from != NOWHERE)
            sums[i / p->y.count * p->x.count + (size_t)p->expected[i % p->y.count].from] += y.data[i];
    return sums;
}

static void test_pool_scatter(void **state)
{
    for (size_t k = 0; k < 2 * N_PROBLEMS; k++) {
        const bool accumulate = k % 2;
        problem p = problem_new(*state, k / 2);
        guarded y = guarded_noise(SHARING * p.y.count, 1, 7);
        guarded x = accumulate ? guarded_noise(SHARING * p.x.count, 0, 8) : guarded_new(SHARING * p.x.count, 0);
        double *sums = expected_scatter(&p, y, x, accumulate);
        p.be->pool_scatter(&p.w, p.in.block, SHARING * p.rows, p.rows, places_of(&p), y.data, x.data, accumulate);
        for (size_t i = 0; i < x.count; i++)
            if (is_padding(p.in, i))
                assert_true(isfinite(x.data[i]));
            else
                check_near(p.name, i, x.data[i], sums[i], 8 * REAL_EPSILON, 26);
        free(sums);
        guarded_free(x);
        guarded_free(y);
        problem_free(&p);
    }
}

/* -- means -- */

static const tensor_shape mean_shapes[] = {{1, 1, 1}, {3, 2, 5}, {16, 7, 7}, {17, 1, 3}, {40, 13, 11}, {50, 40, 40}};

static double pixel_sum(tensor_layout l, const real *image, size_t channel)
{
    double sum = 0;
    for (size_t p = 0; p < layout_pixels(l); p++)
        sum += image[layout_at(l, channel, p)];
    return sum;
}

enum { MEAN_ROWS = 3 };

/* The k-th shape and block. */
static tensor_layout mean_layout(size_t k)
{
    return (tensor_layout){mean_shapes[k / COUNT_OF(blocks)], blocks[k % COUNT_OF(blocks)]};
}

static void test_mean_pixels(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < COUNT_OF(mean_shapes) * COUNT_OF(blocks); k++) {
        const tensor_layout l = mean_layout(k);
        const size_t channels = (size_t)l.shape.channels, count = layout_count(l);
        guarded x = guarded_noise(MEAN_ROWS * count, 1, 1), means = guarded_new(MEAN_ROWS * channels, 0);
        be->mean_pixels(MEAN_ROWS, l, x.data, means.data);
        for (size_t i = 0; i < means.count; i++)
            check_near("mean_pixels", i, means.data[i], pixel_sum(l, x.data + i / channels * count, i % channels) / (double)layout_pixels(l),
                       4 * REAL_EPSILON, 1);
        guarded_free(x);
        guarded_free(means);
    }
}

static void check_spread(const backend *be, tensor_layout l, bool accumulate)
{
    const size_t channels = (size_t)l.shape.channels, count = layout_count(l);
    guarded means = guarded_noise(MEAN_ROWS * channels, 1, 1), x = accumulate ? guarded_noise(MEAN_ROWS * count, 0, 2) : guarded_new(MEAN_ROWS * count, 0);
    guarded before = guarded_copy(x, 0);
    be->spread_pixels(MEAN_ROWS, l, means.data, x.data, accumulate);
    for (size_t i = 0; i < x.count; i++)
        assert_true(isfinite(x.data[i]));
    for (size_t i = 0; i < means.count; i++)
        for (size_t p = 0; p < layout_pixels(l); p++) {
            const size_t at = i / channels * count + layout_at(l, i % channels, p);
            check_near("spread_pixels", at, x.data[at], means.data[i] / (double)layout_pixels(l) + (accumulate ? (double)before.data[at] : 0),
                       4 * REAL_EPSILON, 1);
        }
    guarded_free(x);
    guarded_free(before);
    guarded_free(means);
}

static void test_spread_pixels(void **state)
{
    for (size_t k = 0; k < 2 * COUNT_OF(mean_shapes) * COUNT_OF(blocks); k++)
        check_spread(*state, mean_layout(k / 2), k % 2);
}

/* The same numbers on one thread and on several. */
static void test_threads_change_nothing(void **state)
{
    const backend *be = *state;
    for (size_t k = 0; k < N_PROBLEMS; k++) {
        guarded y[2], x[2];
        problem p[2];
        for (int t = 0; t < 2; t++) {
            be->set_threads(t ? 3 : 1);
            p[t] = problem_new(be, k);
            y[t] = guarded_new(p[t].y.count, t);
            x[t] = guarded_new(p[t].x.count, t);
            be->pool_gather(&p[t].w, p[t].in.block, p[t].rows, p[t].rows, places_of(&p[t]), p[t].x.data, y[t].data);
            be->pool_scatter(&p[t].w, p[t].in.block, p[t].rows, p[t].rows, places_of(&p[t]), p[t].y.data, x[t].data, false);
        }
        check_same_bits("max_pool", p[0].y.data, p[1].y.data, y[0].count);
        check_same_bits("pool_gather", y[0].data, y[1].data, y[0].count);
        check_same_bits("pool_scatter", x[0].data, x[1].data, x[0].count);
        for (int t = 0; t < 2; t++) {
            guarded_free(x[t]);
            guarded_free(y[t]);
            problem_free(&p[t]);
        }
    }
    be->set_threads(2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_max_pool),     cmocka_unit_test(test_max_pool_of_nan), cmocka_unit_test(test_pool_gather),
        cmocka_unit_test(test_pool_scatter), cmocka_unit_test(test_mean_pixels),     cmocka_unit_test(test_spread_pixels),
        cmocka_unit_test(test_threads_change_nothing),
    };
    return run_on_every_backend("pool", tests, COUNT_OF(tests), argc, argv);
}
