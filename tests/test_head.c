/* backend/<name>/head.c: squared_error and truth_product of jets, on every backend. */
#include "jet_check.h"

/* -- the definitions on hyper-dual numbers -- */

static void squared_error_reference(const jet_function *f, size_t count, const hyperdual *x, const double *truth, hyperdual *y)
{
    *y = (hyperdual){0, 0, 0, 0};
    for (size_t i = 0; i < count; i++) {
        const hyperdual e = hd_line(1, x[i], -truth[i]);
        *y = hd_add(*y, hd_multiply(e, e));
    }
}

static const double alpha = -1.25;

static void truth_product_reference(const jet_function *f, size_t count, const hyperdual *x, const double *truth, hyperdual *y)
{
    *y = (hyperdual){0, 0, 0, 0};
    for (size_t i = 0; i < count; i++)
        *y = hd_add(*y, hd_line(alpha * truth[i], x[i], 0));
}

/* -- the same from the backend -- */

static void squared_error_forward(const jet_function *f, const backend *be, const jet *x, const real *truth, jet *y,
                                  component_range range)
{
    be->squared_error_forward(x, truth, y, range);
}

static void squared_error_backward(const jet_function *f, const backend *be, const jet *x, const real *truth, const jet *adj_y,
                                   jet *adj_x, component_range range, bool accumulate)
{
    be->squared_error_backward(x, truth, adj_y, adj_x, range, accumulate);
}

static void truth_product_forward(const jet_function *f, const backend *be, const jet *x, const real *truth, jet *y,
                                  component_range range)
{
    be->truth_product_forward((real)alpha, x, truth, y, range);
}

static void truth_product_backward(const jet_function *f, const backend *be, const jet *x, const real *truth, const jet *adj_y,
                                   jet *adj_x, component_range range, bool accumulate)
{
    be->truth_product_backward((real)alpha, truth, adj_y, adj_x, range, accumulate);
}

static const jet_function squared_error = {
    .name = "squared_error",
    .one_output = true,
    .reference = squared_error_reference,
    .forward = squared_error_forward,
    .backward = squared_error_backward,
};

static const jet_function truth_product = {
    .name = "truth_product",
    .one_output = true,
    .reference = truth_product_reference,
    .forward = truth_product_forward,
    .backward = truth_product_backward,
};

/* The rows of 1031 are longer than one part of the onednn backend; those of batch 101 are enough for several threads. */
static const jet_shape shapes[] = {
    {1, 1, 0, 0}, {2, 2, 0, 0}, {3, 17, 0, 0}, {2, 255, 0, 0}, {1, 1031, 0, 0}, {101, 170, 0, 0},
    {1, 1, 1, 1}, {2, 3, 1, 1}, {3, 17, 3, 1}, {2, 255, 1, 1}, {1, 1031, 1, 1}, {101, 33, 5, 1},
    {1, 1, 1, 2}, {3, 2, 1, 2}, {2, 17, 3, 2}, {2, 255, 1, 2}, {1, 1031, 1, 2}, {101, 19, 3, 2},
};

static void check_every_shape(const jet_function *f, const backend *be)
{
    for (size_t k = 0; k < COUNT_OF(shapes); k++)
        check_jet_function(f, be, shapes[k], (int)(k % 2));
}

static void test_squared_error(void **state)
{
    check_every_shape(&squared_error, *state);
}

static void test_truth_product(void **state)
{
    check_every_shape(&truth_product, *state);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_squared_error),
        cmocka_unit_test(test_truth_product),
    };
    return run_on_every_backend("head", tests, COUNT_OF(tests), argc, argv);
}
