/* affine_forward and affine_pair_gradients of every backend against loops in double, and against their own parts. */
#include "backend_fixture.h"

#include "core/jet.h"

static const double rounding = 8 * REAL_EPSILON;

static const activation kinds[] = {ACTIVATION_LINEAR, ACTIVATION_RELU, ACTIVATION_RELIE, ACTIVATION_RAMP, ACTIVATION_LEAKY};

/* Below, at and beyond a tile, a panel and the memory of a panel; enough for several threads. */
static const struct shape {
    int batch, directions, order;
    size_t inputs, outputs;
} shapes[] = {
    {1, 0, 0, 1, 1},    {3, 0, 0, 2, 12},  {4, 0, 0, 1, 12},   {5, 1, 1, 3, 13},    {8, 1, 1, 16, 32},  {9, 2, 1, 17, 33},
    {20, 1, 1, 256, 256}, {7, 3, 2, 31, 48}, {50, 1, 2, 5, 65}, {130, 1, 1, 70, 100}, {12, 1, 1, 1030, 40}, {6, 1, 1, 1024, 31},
};

typedef struct affine_problem {
    struct shape shape;
    activation f;
    size_t n_x, n_y;
    guarded x, weights, biases, y;
} affine_problem;

static affine_problem problem_new(struct shape s, activation f, int shift)
{
    affine_problem p = {.shape = s, .f = f};
    p.n_x = jet_elements(s.inputs, s.batch, s.directions, s.order);
    p.n_y = jet_elements(s.outputs, s.batch, s.directions, s.order);
    p.x = guarded_noise(p.n_x, shift, 1);
    p.weights = guarded_noise(s.inputs * s.outputs, 1 - shift, 2);
    p.biases = guarded_noise(s.outputs, shift, 3);
    p.y = guarded_noise(p.n_y, 1 - shift, 4);
    return p;
}

static void problem_free(affine_problem *p)
{
    guarded_free(p->x);
    guarded_free(p->weights);
    guarded_free(p->biases);
    guarded_free(p->y);
}

/* z of a row and an output, without the bias; *scale: the sum of the sizes of its terms. */
static double z_at(const affine_problem *p, size_t row, size_t output, double *scale)
{
    double sum = 0;
    *scale = 0;
    for (size_t i = 0; i < p->shape.inputs; i++) {
        const double term = (double)p->x.data[row * p->shape.inputs + i] * p->weights.data[output * p->shape.inputs + i];
        sum += term;
        *scale += fabs(term);
    }
    return sum;
}

/* The rows of the range are right, those outside as before. */
static void check_range(const affine_problem *p, const jet *y, guarded before, component_range range)
{
    const size_t first = jet_first_row(y, range.first), last = first + jet_range_rows(y, range), batch = (size_t)p->shape.batch;
    for (size_t row = 0; row < p->n_y / y->count; row++)
        for (size_t j = 0; j < y->count; j++) {
            const size_t at = row * y->count + j;
            if (row < first || row >= last) {
                check_same_bits("outside of the range", &y->data[at], &before.data[at], 1);
                continue;
            }
            double scale, z = z_at(p, row, j, &scale);
            char what[128];
            snprintf(what, sizeof what, "f %d, batch %d, %zu inputs, range %d..%d, row %zu, output", p->f, p->shape.batch, p->shape.inputs,
                     range.first, range.last, row);
            if (row < batch) {
                z += p->biases.data[j];
                check_near(what, j, y->data[at], activation_at(p->f, (real)z).f, rounding, scale + 1);
            } else {
                const real value = y->data[row % batch * y->count + j];
                check_near(what, j, y->data[at], activation_at(p->f, value).f1 * z, rounding, scale);
            }
        }
}

static void check_forward(const backend *be, struct shape s, activation f, component_range range, int shift)
{
    affine_problem p = problem_new(s, f, shift);
    guarded before = guarded_copy(p.y, 0);
    const jet x = {p.x.data, s.inputs, s.batch, s.directions, s.order};
    jet y = {p.y.data, s.outputs, s.batch, s.directions, s.order};
    be->affine_forward(f, &x, p.weights.data, p.biases.data, &y, range);
    check_range(&p, &y, before, range);
    guarded_free(before);
    problem_free(&p);
}

static void test_affine_forward(void **state)
{
    for (size_t k = 0; k < COUNT_OF(shapes); k++)
        for (size_t f = 0; f < COUNT_OF(kinds); f++)
            for (int first = 0; first < jet_components(shapes[k].order); first++)
                for (int last = first + 1; last <= jet_components(shapes[k].order); last++)
                    check_forward(*state, shapes[k], kinds[f], (component_range){first, last}, (int)(k + f) % 2);
}

/* A sample's output does not depend on where in the batch it stands. */
static void test_rows_do_not_mix(void **state)
{
    const backend *be = *state;
    const struct shape s = {29, 0, 0, 37, 45};
    affine_problem p = problem_new(s, ACTIVATION_LEAKY, 0);
    const jet x = {p.x.data, s.inputs, s.batch, 0, 0}, later = {p.x.data + 9 * s.inputs, s.inputs, 12, 0, 0};
    guarded part = guarded_new(12 * s.outputs, 1);
    jet y = {p.y.data, s.outputs, s.batch, 0, 0}, y_part = {part.data, s.outputs, 12, 0, 0};
    be->affine_forward(p.f, &x, p.weights.data, p.biases.data, &y, jet_all(0));
    be->affine_forward(p.f, &later, p.weights.data, p.biases.data, &y_part, jet_all(0));
    check_same_bits("a part of the batch", part.data, p.y.data + 9 * s.outputs, 12 * s.outputs);
    guarded_free(part);
    problem_free(&p);
}

/* -- the gradients of a pair -- */

typedef struct pair_problem {
    affine_pair pair;
    guarded arrays[10];
} pair_problem;

enum { U, Y, DELTA, S, WEIGHTS, BIASES, ABOVE, WEIGHTS_GRADIENT, BIASES_GRADIENT, ABOVE_GRADIENT };

static pair_problem pair_new(size_t rows, size_t inputs, size_t outputs, activation f, int shift)
{
    const size_t counts[] = {rows * inputs, rows * outputs, rows, rows, inputs * outputs, outputs, outputs, inputs * outputs, outputs, outputs};
    pair_problem p;
    for (size_t i = 0; i < COUNT_OF(counts); i++)
        p.arrays[i] = guarded_noise(counts[i], (int)(i + (size_t)shift) % 2, i + 1);
    p.pair = (affine_pair){
        .f = f,
        .rows = rows,
        .inputs = inputs,
        .outputs = outputs,
        .u = p.arrays[U].data,
        .y = p.arrays[Y].data,
        .delta = p.arrays[DELTA].data,
        .s = p.arrays[S].data,
        .weights = p.arrays[WEIGHTS].data,
        .biases = p.arrays[BIASES].data,
        .above = p.arrays[ABOVE].data,
        .weights_gradient = p.arrays[WEIGHTS_GRADIENT].data,
        .biases_gradient = p.arrays[BIASES_GRADIENT].data,
        .above_gradient = p.arrays[ABOVE_GRADIENT].data,
    };
    return p;
}

static void pair_free(pair_problem *p)
{
    for (size_t i = 0; i < COUNT_OF(p->arrays); i++)
        guarded_free(p->arrays[i]);
}

/* sum over r of delta_r f'(y_rj) times element i of u_r, or s_r for i = inputs; *scale: of the sizes of the terms. */
static double pair_sum_at(const affine_pair *p, size_t j, size_t i, double *scale)
{
    double sum = 0;
    *scale = 0;
    for (size_t r = 0; r < p->rows; r++) {
        const double u = i < p->inputs ? p->u[r * p->inputs + i] : p->s[r];
        const double term = (double)p->delta[r] * activation_at(p->f, p->y[r * p->outputs + j]).f1 * u;
        sum += term;
        *scale += fabs(term);
    }
    return sum;
}

static void check_pair(const backend *be, size_t rows, size_t inputs, size_t outputs, activation f, int shift)
{
    pair_problem p = pair_new(rows, inputs, outputs, f, shift);
    const affine_pair *q = &p.pair;
    guarded before[COUNT_OF(p.arrays)];
    for (size_t i = 0; i < COUNT_OF(before); i++)
        before[i] = guarded_copy(p.arrays[i], 0);
    be->affine_pair_gradients(q);
    for (size_t j = 0; j < outputs; j++) {
        double scale, c = pair_sum_at(q, j, inputs, &scale), above = q->biases[j] * c, above_scale = fabs(q->biases[j]) * scale;
        check_near("biases", j, q->biases_gradient[j], before[BIASES_GRADIENT].data[j] + q->above[j] * c, rounding, 1 + scale);
        for (size_t i = 0; i < inputs; i++) {
            const double m = pair_sum_at(q, j, i, &scale);
            const size_t at = j * inputs + i;
            check_near("weights", at, q->weights_gradient[at], before[WEIGHTS_GRADIENT].data[at] + q->above[j] * m, rounding, 1 + scale);
            above += q->weights[at] * m;
            above_scale += fabs(q->weights[at]) * scale;
        }
        check_near("above", j, q->above_gradient[j], before[ABOVE_GRADIENT].data[j] + above, rounding, 1 + above_scale);
    }
    for (int i = U; i <= ABOVE; i++)
        check_same_bits("an input", p.arrays[i].data, before[i].data, p.arrays[i].count);
    for (size_t i = 0; i < COUNT_OF(before); i++)
        guarded_free(before[i]);
    pair_free(&p);
}

static void test_affine_pair_gradients(void **state)
{
    static const size_t sizes[][3] = {{1, 1, 1},     {3, 2, 5},      {20, 256, 256}, {7, 33, 9},    {47, 31, 8},
                                      {48, 40, 65},  {100, 3, 17},   {1030, 35, 20}, {64, 100, 70}, {2, 64, 1},
                                      {33, 49, 400}, {257, 17, 300}};
    for (size_t k = 0; k < COUNT_OF(sizes); k++)
        for (size_t f = 0; f < COUNT_OF(kinds); f++)
            check_pair(*state, sizes[k][0], sizes[k][1], sizes[k][2], kinds[f], (int)(k + f) % 2);
}

/* The same bits on any number of threads. */
static void test_threads_do_not_matter(void **state)
{
    const backend *be = *state;
    pair_problem one = pair_new(200, 150, 90, ACTIVATION_RELU, 0), two = pair_new(200, 150, 90, ACTIVATION_RELU, 0);
    affine_problem forward[2];
    for (int threads = 1; threads <= 2; threads++) {
        affine_problem *p = &forward[threads - 1];
        *p = problem_new((struct shape){200, 1, 1, 150, 90}, ACTIVATION_RELU, 0);
        const jet x = {p->x.data, 150, 200, 1, 1};
        jet y = {p->y.data, 90, 200, 1, 1};
        be->set_threads(threads);
        be->affine_forward(p->f, &x, p->weights.data, p->biases.data, &y, jet_all(1));
        be->affine_pair_gradients(threads == 1 ? &one.pair : &two.pair);
    }
    check_same_bits("affine_forward", forward[0].y.data, forward[1].y.data, forward[0].n_y);
    for (int i = WEIGHTS_GRADIENT; i <= ABOVE_GRADIENT; i++)
        check_same_bits("affine_pair_gradients", one.arrays[i].data, two.arrays[i].data, one.arrays[i].count);
    problem_free(&forward[0]);
    problem_free(&forward[1]);
    pair_free(&one);
    pair_free(&two);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_affine_forward),
        cmocka_unit_test(test_rows_do_not_mix),
        cmocka_unit_test(test_affine_pair_gradients),
        cmocka_unit_test(test_threads_do_not_matter),
    };
    return run_on_every_backend("affine", tests, COUNT_OF(tests), argc, argv);
}
