/* Pictures as inputs, against stock Darknet's own scaling; gradients as pictures; broken files. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <darknet.h>
#include <math.h>
#include <stdbool.h>

#include "data/images.h"
#include "data/jpeg.h"
#include "folder_fixture.h"
#include "model/saliency.h"

static picture draw_picture(unsigned short *state, int channels, int height, int width)
{
    picture p;
    assert_int_equal(picture_allocate(&p, channels, height, width), STATUS_OK);
    for (int i = 0; i < channels * height * width; ++i)
        p.pixels[i] = (unsigned char)nrand48(state);
    return p;
}

/* ---------------------------------------------------------------- scaling */

static image stock_image(const picture *p)
{
    image im = make_image(p->width, p->height, p->channels);
    for (int c = 0; c < p->channels; ++c)
        for (int i = 0; i < p->height * p->width; ++i)
            im.data[c * p->height * p->width + i] = (float)p->pixels[i * p->channels + c] / 255.f;
    return im;
}

static double difference_of_letterbox(const picture *p, tensor_shape shape)
{
    double *x = calloc(shape_count(shape), sizeof *x), worst = 0;
    assert_non_null(x);
    assert_int_equal(picture_letterbox(p, shape, x), STATUS_OK);
    image im = stock_image(p), boxed = letterbox_image(im, shape.width, shape.height);
    for (size_t i = 0; i < shape_count(shape); ++i) {
        double here = fabs(x[i] - (double)boxed.data[i]);
        worst = here <= worst ? worst : here;
    }
    free_image(im);
    free_image(boxed);
    free(x);
    return worst;
}

/* It takes the last row with a part of the row before it, and nothing of the last, where rounding puts it a little above: then it is nearly black. */
static bool stock_loses_last_row(const picture *p, tensor_shape shape)
{
    int height = (float)shape.width / (float)p->width < (float)shape.height / (float)p->height ? p->height * shape.width / p->width : shape.height;
    return (float)(height - 1) * ((float)(p->height - 1) / (float)(height - 1)) < (float)(p->height - 1);
}

/* It divides by the sides of the scaled picture, less one. */
static bool stock_can_scale(const picture *p, tensor_shape shape)
{
    return (long)p->height * shape.width / p->width > 1 && (long)p->width * shape.height / p->height > 1;
}

static void test_scaling_is_darknets(void **state)
{
    unsigned short numbers[3] = {3, 1, 4};
    int failures = 0, compared = 0;
    for (int i = 0; i < 400; ++i) {
        tensor_shape shape = {i % 3 ? 3 : 1, 2 + (int)nrand48(numbers) % 60, 2 + (int)nrand48(numbers) % 60};
        picture p = draw_picture(numbers, shape.channels, 1 + (int)nrand48(numbers) % 80, 1 + (int)nrand48(numbers) % 80);
        if (stock_can_scale(&p, shape) && !stock_loses_last_row(&p, shape)) {
            ++compared;
            double worst = difference_of_letterbox(&p, shape);
            if (!(worst < 1e-5)) {
                ++failures;
                print_error("%d x %d to %d x %d: %g\n", p.width, p.height, shape.width, shape.height, worst);
            }
        }
        picture_free(&p);
    }
    assert_int_equal(failures, 0);
    assert_true(compared > 300);
}

/* Where stock cannot be asked: a side that becomes 1, the last row. */
static void test_every_size_is_scaled(void **state)
{
    unsigned short numbers[3] = {2, 7, 1};
    for (int i = 0; i < 300; ++i) {
        tensor_shape shape = {1, 1 + (int)nrand48(numbers) % 9, 1 + (int)nrand48(numbers) % 9};
        picture p;
        double x[81];
        assert_int_equal(picture_allocate(&p, 1, 1 + (int)nrand48(numbers) % 70, 1 + (int)nrand48(numbers) % 70), STATUS_OK);
        memset(p.pixels, 51, (size_t)p.height * (size_t)p.width);
        assert_int_equal(picture_letterbox(&p, shape, x), STATUS_OK);
        int full = 0;
        for (size_t k = 0; k < shape_count(shape); ++k) {
            bool inside = fabs(x[k] - .2) < 1e-6;
            assert_true(inside || fabs(x[k] - .5) < 1e-6);
            full += inside;
        }
        assert_true(full >= (shape.height < shape.width ? shape.height : shape.width));
        picture_free(&p);
    }
}

static void test_other_channels_are_refused(void **state)
{
    picture p;
    double x[12];
    assert_int_equal(picture_allocate(&p, 1, 2, 2), STATUS_OK);
    assert_int_equal(picture_letterbox(&p, (tensor_shape){3, 2, 2}, x), STATUS_FAILED);
    picture_free(&p);
}

/* ---------------------------------------------------------------- files */

static void put_text(const char *path, const char *text)
{
    file_put(path, text, strlen(text));
}

static void test_colours_are_red_green_blue(void **state)
{
    picture p;
    put_text("it.ppm", "P6 2 1 255 \xff\x80\x01\x02\x03\x04");
    assert_int_equal(picture_read("it.ppm", 3, &p), STATUS_OK);
    assert_true(p.channels == 3 && p.height == 1 && p.width == 2);
    assert_memory_equal(p.pixels, "\xff\x80\x01\x02\x03\x04", 6);
    picture_free(&p);
}

static void test_grey_and_colour(void **state)
{
    picture p;
    put_text("it.ppm", "P6 1 1 255 \x64\x64\x64");
    put_text("it.pgm", "P5 1 2 255 \x07\x09");
    assert_int_equal(picture_read("it.ppm", 1, &p), STATUS_OK);
    assert_true(p.channels == 1 && p.height == 1 && p.width == 1 && p.pixels[0] == 100);
    picture_free(&p);
    assert_int_equal(picture_read("it.pgm", 3, &p), STATUS_OK);
    assert_true(p.channels == 3 && p.height == 2 && p.width == 1);
    assert_memory_equal(p.pixels, "\x07\x07\x07\x09\x09\x09", 6);
    picture_free(&p);
}

static void test_what_is_written_is_read(void **state)
{
    unsigned short numbers[3] = {1, 6, 1};
    for (int channels = 1; channels <= 3; channels += 2) {
        picture p = draw_picture(numbers, channels, 7, 5), again;
        assert_int_equal(picture_write("it.png", &p), STATUS_OK);
        assert_int_equal(picture_read("it.png", channels, &again), STATUS_OK);
        assert_true(again.channels == channels && again.height == 7 && again.width == 5);
        assert_memory_equal(p.pixels, again.pixels, (size_t)channels * 35);
        picture_free(&p);
        picture_free(&again);
    }
}

static void assert_unreadable(const char *path, const char *text)
{
    picture p;
    assert_int_equal(picture_read(path, 3, &p), STATUS_BAD_FILE);
    assert_null(p.pixels);
    if (strncmp(status_text(), path, strlen(path)) != 0 || !strstr(status_text(), text))
        fail_msg("expected '%s: … %s', got '%s'", path, text, status_text());
}

static void test_unreadable_files(void **state)
{
    picture p = {3, 1, 1, (unsigned char[]){1, 2, 3}};
    put_text("text.png", "not a picture");
    put_text("empty.jpg", "");
    assert_unreadable("text.png", "cannot be read as a picture");
    assert_unreadable("empty.jpg", "cannot be read as a picture");
    assert_unreadable("nowhere.jpg", "cannot be opened");
    assert_unreadable("/dev/null", "not a file");
    assert_int_equal(picture_write("nowhere/it.png", &p), STATUS_BAD_FILE);
    assert_true(access("nowhere", F_OK) != 0);
}

/* A start, a segment with what looks like an end inside, a scan with a stuffed byte, a restart and fill bytes, another scan, the end. */
static const unsigned char jpeg[] = {0xff, 0xd8, 0xff, 0xe1, 0, 6, 0xff, 0xd9, 0xff, 0xd9, 0xff, 0xda, 0, 4, 1, 2, 9, 0xff, 0, 8, 0xff, 0xd0, 7,
                                     0xff, 0xff, 0xda, 0, 3, 1, 5, 0xff, 0xd9};

static void test_cut_jpegs_are_seen(void **state)
{
    for (size_t length = 2; length < sizeof jpeg; ++length) {
        file_put("cut.jpg", jpeg, length);
        assert_unreadable("cut.jpg", "is cut off");
    }
    file_put("whole.jpg", jpeg, sizeof jpeg);
    assert_int_equal(jpeg_check_end("whole.jpg"), STATUS_OK);
    file_put("other.png", "\xff\xd9", 2);
    assert_int_equal(jpeg_check_end("other.png"), STATUS_OK);
}

/* ---------------------------------------------------------------- gradients as pictures */

/* 200 pixels, of which 1 % may be larger than what the scale holds: here the first two. */
enum { SALIENCY_PIXELS = 200 };

static void test_pictures_of_a_gradient(void **state)
{
    const tensor_shape shape = {2, 10, 20};
    double gradient[2 * SALIENCY_PIXELS] = {0};
    picture p;
    const double ones[] = {100, -50, 4, -2, 3}, others[] = {0, 0, 0, 0, -3}; /* of the two channels */
    for (int i = 0; i < 5; ++i) {
        gradient[i] = ones[i];
        gradient[SALIENCY_PIXELS + i] = others[i];
    }
    assert_int_equal(saliency_signed(shape, gradient, &p), STATUS_OK);
    assert_true(p.channels == 3 && p.height == 10 && p.width == 20);
    const unsigned char colours[] = {255, 0, 0, 0, 0, 255, 255, 0, 0, 128, 128, 255, 255, 255, 255, 255, 255, 255};
    assert_memory_equal(p.pixels, colours, sizeof colours);
    picture_free(&p);
    gradient[SALIENCY_PIXELS + 2] = 0;
    assert_int_equal(saliency_magnitude(shape, gradient, &p), STATUS_OK);
    assert_true(p.channels == 1 && p.height == 10 && p.width == 20);
    const unsigned char greys[] = {255, 255, 240, 120, 255, 0}; /* the third largest length is 3 sqrt 2 */
    assert_memory_equal(p.pixels, greys, sizeof greys);
    picture_free(&p);
}

static void test_pictures_of_nothing_and_of_one_pixel(void **state)
{
    const tensor_shape shape = {1, 10, 20};
    double gradient[SALIENCY_PIXELS] = {0};
    picture p;
    assert_int_equal(saliency_signed(shape, gradient, &p), STATUS_OK);
    for (int i = 0; i < 3 * SALIENCY_PIXELS; ++i)
        assert_int_equal(p.pixels[i], 255);
    picture_free(&p);
    gradient[17] = -1e-30;
    assert_int_equal(saliency_magnitude(shape, gradient, &p), STATUS_OK);
    for (int i = 0; i < SALIENCY_PIXELS; ++i)
        assert_int_equal(p.pixels[i], i == 17 ? 255 : 0);
    picture_free(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scaling_is_darknets),
        cmocka_unit_test(test_every_size_is_scaled),
        cmocka_unit_test(test_other_channels_are_refused),
        cmocka_unit_test_setup_teardown(test_colours_are_red_green_blue, folder_enter, folder_leave),
        cmocka_unit_test_setup_teardown(test_grey_and_colour, folder_enter, folder_leave),
        cmocka_unit_test_setup_teardown(test_what_is_written_is_read, folder_enter, folder_leave),
        cmocka_unit_test_setup_teardown(test_unreadable_files, folder_enter, folder_leave),
        cmocka_unit_test_setup_teardown(test_cut_jpegs_are_seen, folder_enter, folder_leave),
        cmocka_unit_test(test_pictures_of_a_gradient),
        cmocka_unit_test(test_pictures_of_nothing_and_of_one_pixel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
