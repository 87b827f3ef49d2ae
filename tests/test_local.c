/* Unshared convolutions on every backend, against one loop over all products. */
#include "backend_fixture.h"

typedef struct local_case {
    int channels, height, width, filters, size, stride, pad;
    size_t rows;
} local_case;

/* Full and partial tiles of images and filters; patches longer than a piece; the last ones on several threads. */
static const local_case cases[] = {
    {1, 1, 1, 1, 1, 1, 0, 1},  {2, 4, 5, 3, 3, 1, 1, 2},  {3, 5, 4, 2, 2, 2, 0, 17}, {1, 6, 6, 5, 4, 1, 1, 3},  {2, 3, 3, 1, 1, 1, 1, 1},
    {40, 3, 4, 6, 3, 2, 1, 5}, {1, 20, 19, 2, 18, 1, 0, 2}, {2, 2, 3, 270, 2, 1, 0, 3}, {3, 2, 2, 2, 2, 1, 0, 70}, {30, 6, 7, 9, 3, 1, 1, 19},
};

static convolution_shape shape_of(const local_case *c)
{
    const int covered = c->pad ? 1 : c->size;
    const tensor_shape in = {c->channels, c->height, c->width};
    return (convolution_shape){in, {c->filters, (c->height - covered) / c->stride + 1, (c->width - covered) / c->stride + 1}, c->size, c->stride, c->pad, 1};
}

typedef struct problem {
    const backend *be;
    convolution_shape s;
    size_t rows;
    guarded weights, x, y; /* y: adjoints too */
    char name[100];
} problem;

static problem problem_new(const backend *be, const local_case *c, int shift)
{
    problem p = {.be = be, .s = shape_of(c), .rows = c->rows};
    const size_t patch = (size_t)(c->channels * c->size * c->size);
    p.weights = guarded_noise(patch * shape_count(p.s.out), shift, 1);
    p.x = guarded_noise(p.rows * shape_count(p.s.in), 1 - shift, 2);
    p.y = guarded_noise(p.rows * shape_count(p.s.out), shift, 3);
    snprintf(p.name, sizeof p.name, "%d x %d x %d, %d filters of %d, stride %d, pad %d, %zu rows", c->channels, c->height, c->width, c->filters, c->size,
             c->stride, c->pad, c->rows);
    return p;
}

static void problem_free(problem *p)
{
    guarded_free(p->weights);
    guarded_free(p->x);
    guarded_free(p->y);
}

typedef void product_function(const problem *p, double *sums, size_t w, size_t x, size_t y);

/* Darknet's places: weights [pixel, filter, channel, kernel], outputs [filter, pixel]. */
static void for_each_product(const problem *p, product_function *visit, double *sums)
{
    const convolution_shape *s = &p->s;
    size_t w = 0;
    for (int pixel = 0; pixel < s->out.height * s->out.width; pixel++)
        for (int f = 0; f < s->out.channels; f++)
            for (int c = 0; c < s->in.channels; c++)
                for (int a = 0; a < s->size; a++)
                    for (int b = 0; b < s->size; b++, w++) {
                        const int row = pixel / s->out.width * s->stride - s->pad + a, column = pixel % s->out.width * s->stride - s->pad + b;
                        for (size_t r = 0; r < p->rows; r++)
                            if (row >= 0 && row < s->in.height && column >= 0 && column < s->in.width)
                                visit(p, sums, w, r * shape_count(s->in) + (size_t)((c * s->in.height + row) * s->in.width + column),
                                      r * shape_count(s->out) + (size_t)(f * s->out.height * s->out.width + pixel));
                    }
}

static void add_forward(const problem *p, double *sums, size_t w, size_t x, size_t y)
{
    sums[y] += (double)p->weights.data[w] * p->x.data[x];
}

static void add_data(const problem *p, double *sums, size_t w, size_t x, size_t y)
{
    sums[x] += (double)p->weights.data[w] * p->y.data[y];
}

static void add_weights(const problem *p, double *sums, size_t w, size_t x, size_t y)
{
    sums[w] += (double)p->y.data[y] * p->x.data[x];
}

/* `before`: what the result was added to; NULL: overwritten. */
static void check_result(const problem *p, const char *what, product_function *products, const real *before, guarded got)
{
    char label[160];
    double *sums = calloc(got.count, sizeof *sums);
    snprintf(label, sizeof label, "%s %s", what, p->name);
    for_each_product(p, products, sums);
    for (size_t i = 0; i < got.count; i++)
        check_near(label, i, got.data[i], sums[i] + (before ? (double)before[i] : 0), 16 * REAL_EPSILON, 30);
    free(sums);
}

static void test_forward(void **state)
{
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        const int shift = (int)(k % 2);
        problem p = problem_new(*state, &cases[k], shift);
        guarded y = guarded_new(p.y.count, shift);
        p.be->local_forward(&p.s, p.rows, p.weights.data, p.x.data, y.data);
        check_result(&p, "forward", add_forward, NULL, y);
        guarded_free(y);
        problem_free(&p);
    }
}

static void test_backward_data(void **state)
{
    for (size_t k = 0; k < 2 * COUNT_OF(cases); k++) {
        const bool accumulate = k % 2;
        const int shift = (int)(k / 2 % 2);
        problem p = problem_new(*state, &cases[k / 2], shift);
        guarded x = accumulate ? guarded_noise(p.x.count, shift, 5) : guarded_new(p.x.count, shift), before = guarded_copy(x, 0);
        p.be->local_backward_data(&p.s, p.rows, p.weights.data, p.y.data, x.data, accumulate);
        check_result(&p, "backward_data", add_data, accumulate ? before.data : NULL, x);
        guarded_free(x);
        guarded_free(before);
        problem_free(&p);
    }
}

static void test_backward_weights(void **state)
{
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        const int shift = (int)(k % 2);
        problem p = problem_new(*state, &cases[k], shift);
        guarded gradient = guarded_noise(p.weights.count, shift, 5), before = guarded_copy(gradient, 0);
        p.be->local_backward_weights(&p.s, p.rows, p.y.data, p.x.data, gradient.data);
        check_result(&p, "backward_weights", add_weights, before.data, gradient);
        guarded_free(gradient);
        guarded_free(before);
        problem_free(&p);
    }
}

/* A row's results do not depend on what stands beside it, and none on the number of threads. */
static void test_rows_and_threads_change_nothing(void **state)
{
    for (size_t k = 0; k < COUNT_OF(cases); k++) {
        problem p = problem_new(*state, &cases[k], 0);
        guarded y[2], x[2], gradient[2];
        const size_t last = p.rows - 1;
        for (int t = 0; t < 2; t++) {
            y[t] = guarded_new(p.y.count, t);
            x[t] = guarded_new(p.x.count, t);
            gradient[t] = guarded_copy(p.weights, t);
            p.be->set_threads(t ? 3 : 1);
            p.be->local_forward(&p.s, p.rows, p.weights.data, p.x.data, y[t].data);
            p.be->local_backward_data(&p.s, p.rows, p.weights.data, p.y.data, x[t].data, false);
            p.be->local_backward_weights(&p.s, p.rows, p.y.data, p.x.data, gradient[t].data);
        }
        check_same_bits("forward", y[0].data, y[1].data, p.y.count);
        check_same_bits("backward_data", x[0].data, x[1].data, p.x.count);
        check_same_bits("backward_weights", gradient[0].data, gradient[1].data, p.weights.count);
        p.be->local_forward(&p.s, 1, p.weights.data, p.x.data + last * shape_count(p.s.in), y[1].data);
        p.be->local_backward_data(&p.s, 1, p.weights.data, p.y.data + last * shape_count(p.s.out), x[1].data, false);
        check_same_bits("forward of one row", y[0].data + last * shape_count(p.s.out), y[1].data, shape_count(p.s.out));
        check_same_bits("backward_data of one row", x[0].data + last * shape_count(p.s.in), x[1].data, shape_count(p.s.in));
        for (int t = 0; t < 2; t++) {
            guarded_free(y[t]);
            guarded_free(x[t]);
            guarded_free(gradient[t]);
        }
        p.be->set_threads(2);
        problem_free(&p);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forward),
        cmocka_unit_test(test_backward_data),
        cmocka_unit_test(test_backward_weights),
        cmocka_unit_test(test_rows_and_threads_change_nothing),
    };
    return run_on_every_backend("local", tests, COUNT_OF(tests), argc, argv);
}
