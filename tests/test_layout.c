/* Images in blocks of channels on every backend: from one layout into another, what is added to channels, and their sums. */
#include "backend_fixture.h"

static const tensor_shape image_shapes[] = {{1, 1, 1}, {3, 5, 7}, {16, 4, 4}, {17, 9, 5}, {33, 16, 3}, {40, 1, 1}, {48, 13, 21}, {1100, 2, 1}};
static const int image_blocks[] = {1, 4, 8, 16};
static const size_t image_rows[] = {0, 1, 3, 37};

typedef void image_check(const backend *be, tensor_layout l, size_t rows, int shift);

static void for_images(const backend *be, image_check *check)
{
    for (size_t i = 0; i < COUNT_OF(image_shapes); i++)
        for (size_t b = 0; b < COUNT_OF(image_blocks); b++)
            for (size_t r = 0; r < COUNT_OF(image_rows); r++)
                check(be, (tensor_layout){image_shapes[i], image_blocks[b]}, image_rows[r], (int)(i + b + r) % 2);
}

static void check_reorder(const backend *be, tensor_shape s, size_t rows, int from_block, int to_block, bool accumulate, int shift)
{
    const tensor_layout from = {s, from_block}, to = {s, to_block};
    guarded x = guarded_noise(rows * layout_count(from), shift, 1), y = guarded_noise(rows * layout_count(to), 1 - shift, 2);
    guarded before = guarded_copy(y, 0);
    be->reorder(rows, from, x.data, to_block, y.data, accumulate);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < layout_channels(to); c++)
            for (size_t p = 0; p < layout_pixels(to); p++) {
                const size_t at = r * layout_count(to) + layout_at(to, c, p);
                const bool exists = c < (size_t)s.channels;
                const double source = exists ? x.data[r * layout_count(from) + layout_at(from, c, p)] : 0;
                check_near("reorder", at, y.data[at], source + (accumulate ? before.data[at] : 0), 2 * REAL_EPSILON, 1);
            }
    guarded_free(x);
    guarded_free(y);
    guarded_free(before);
}

static void check_reorders(const backend *be, tensor_layout from, size_t rows, int shift)
{
    for (size_t b = 0; b < COUNT_OF(image_blocks); b++)
        for (int accumulate = 0; accumulate < 2; accumulate++)
            check_reorder(be, from.shape, rows, from.block, image_blocks[b], accumulate, shift);
}

static void test_reorder(void **state)
{
    for_images(*state, check_reorders);
}

static void check_add_channel_bias(const backend *be, tensor_layout l, size_t rows, int shift)
{
    guarded y = guarded_noise(rows * layout_count(l), shift, 1), bias = guarded_noise((size_t)l.shape.channels, 1, 2), before = guarded_copy(y, 0);
    be->add_channel_bias(rows, l, bias.data, y.data);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < (size_t)l.shape.channels; c++)
            for (size_t p = 0; p < layout_pixels(l); p++) {
                const size_t at = r * layout_count(l) + layout_at(l, c, p);
                check_near("add_channel_bias", at, y.data[at], (double)before.data[at] + bias.data[c], 2 * REAL_EPSILON, 1);
            }
    guarded_free(y);
    guarded_free(bias);
    guarded_free(before);
}

static void test_add_channel_bias(void **state)
{
    for_images(*state, check_add_channel_bias);
}

static void check_sum_channels(const backend *be, tensor_layout l, size_t rows, int shift)
{
    guarded x = guarded_noise(rows * layout_count(l), shift, 1), sums = guarded_noise((size_t)l.shape.channels, 1, 2);
    guarded before = guarded_noise((size_t)l.shape.channels, 0, 2);
    be->sum_channels(rows, l, x.data, sums.data);
    for (size_t c = 0; c < (size_t)l.shape.channels; c++) {
        double want = before.data[c], scale = 1;
        for (size_t r = 0; r < rows; r++)
            for (size_t p = 0; p < layout_pixels(l); p++) {
                want += x.data[r * layout_count(l) + layout_at(l, c, p)];
                scale += fabs((double)x.data[r * layout_count(l) + layout_at(l, c, p)]);
            }
        check_near("sum_channels", c, sums.data[c], want, 4 * REAL_EPSILON, scale);
    }
    guarded_free(x);
    guarded_free(sums);
    guarded_free(before);
}

static void test_sum_channels(void **state)
{
    for_images(*state, check_sum_channels);
}

static void test_layout_threads(void **state)
{
    const backend *be = *state;
    for (size_t b = 0; b < COUNT_OF(image_blocks); b++) {
        const tensor_layout l = {{35, 20, 21}, image_blocks[b]};
        enum { ROWS = 21 };
        guarded x = guarded_noise(ROWS * layout_count(l), 0, 1), first = {0};
        for (int threads = 1; threads <= 3; threads++) {
            be->set_threads(threads);
            guarded sums = guarded_noise(35, 0, 2);
            be->sum_channels(ROWS, l, x.data, sums.data);
            if (threads > 1)
                check_same_bits("sum_channels on more threads", first.data, sums.data, sums.count);
            if (threads > 1)
                guarded_free(first);
            first = sums;
        }
        guarded_free(first);
        guarded_free(x);
    }
    be->set_threads(2);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reorder),
        cmocka_unit_test(test_add_channel_bias),
        cmocka_unit_test(test_sum_channels),
        cmocka_unit_test(test_layout_threads),
    };
    return run_on_every_backend("layout", tests, COUNT_OF(tests), argc, argv);
}
