/* How training pictures are changed (data/augment.h): against the same thing said in another way, the distribution of what is drawn, both directions
 * of the mirror; minibatches of the loader, the same for any number of threads and from anywhere, and test samples as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "data/augment.h"
#include "data/stream_split.h"
#include "folder_fixture.h"
#include "make_samples.h"
#include "train/loader.h"
#include "train/sample_pieces.h"

enum { CHANNELS = 3, HEIGHT = 5, WIDTH = 7, PIXELS = HEIGHT * WIDTH, COUNT = CHANNELS * PIXELS, PADDING = 2, PLACES = 2 * PADDING + 1 };

static const tensor_shape shape = {CHANNELS, HEIGHT, WIDTH};

/* All different, and none of them 0. */
static float number(int sample, int i)
{
    return (float)(1 + sample * COUNT + i);
}

/* ---------------------------------------------------------------- pad and crop */

/* The picture in the middle of zeros, literally; the part of it that begins at (down, right), forwards or backwards. */
static void crop_of_padded(const float *x, int down, int right, bool mirrored, float *y)
{
    static float padded[CHANNELS][HEIGHT + 2 * PADDING][WIDTH + 2 * PADDING];
    for (int c = 0; c < CHANNELS; ++c)
        for (int i = 0; i < HEIGHT; ++i)
            for (int j = 0; j < WIDTH; ++j)
                padded[c][PADDING + i][PADDING + j] = x[(c * HEIGHT + i) * WIDTH + j];
    for (int c = 0; c < CHANNELS; ++c)
        for (int i = 0; i < HEIGHT; ++i)
            for (int j = 0; j < WIDTH; ++j)
                y[(c * HEIGHT + i) * WIDTH + j] = padded[c][down + i][right + (mirrored ? WIDTH - 1 - j : j)];
}

/* Which of the 2 PLACES^2 crops y is, or -1. */
static int which_crop(const float *x, const float *y)
{
    float want[COUNT];
    for (int k = 0; k < 2 * PLACES * PLACES; ++k) {
        crop_of_padded(x, k / 2 / PLACES, k / 2 % PLACES, k % 2, want);
        if (memcmp(y, want, sizeof want) == 0)
            return k;
    }
    return -1;
}

/* Every one of them is drawn, and about equally often. */
static void test_pad_crop(void **state)
{
    (void)state;
    enum { CROPS = 2 * PLACES * PLACES, EACH = 400 };
    float x[COUNT], y[COUNT + 1];
    int seen[CROPS] = {0};
    augmentation a = {.kind = AUGMENT_PAD_CROP, .seed = 3, .flip = true, .padding = PADDING};
    for (int i = 0; i < COUNT; ++i)
        x[i] = number(0, i);
    y[COUNT] = -1;
    for (uint64_t position = 0; position < CROPS * EACH; ++position) {
        augment_pad_crop(&a, position, shape, x, y);
        int k = which_crop(x, y);
        if (k < 0)
            fail_msg("position %llu is no crop of the picture", (unsigned long long)position);
        ++seen[k];
    }
    assert_true(y[COUNT] < 0);
    for (int k = 0; k < CROPS; ++k)
        if (abs(seen[k] - EACH) > 5 * sqrt(EACH)) /* deviation sqrt(EACH), about */
            fail_msg("crop %d was drawn %d times, expected %d", k, seen[k], EACH);
}

/* Without one of the two the other is as it was. */
static void test_flip_and_padding_alone(void **state)
{
    (void)state;
    float x[COUNT], y[COUNT];
    int mirrored = 0;
    for (int i = 0; i < COUNT; ++i)
        x[i] = number(0, i);
    for (uint64_t position = 0; position < 100; ++position) {
        augment_pad_crop(&(augmentation){.kind = AUGMENT_PAD_CROP, .seed = 3, .padding = PADDING}, position, shape, x, y);
        int crop = which_crop(x, y);
        assert_int_equal(crop % 2, 0);
        augment_pad_crop(&(augmentation){.kind = AUGMENT_PAD_CROP, .seed = 3, .flip = true}, position, shape, x, y);
        int flip = which_crop(x, y);
        assert_int_equal(flip / 2, PADDING * PLACES + PADDING);
        mirrored += flip % 2;
        augment_pad_crop(&(augmentation){.kind = AUGMENT_PAD_CROP, .seed = 3, .flip = true, .padding = PADDING}, position, shape, x, y);
        assert_int_equal(which_crop(x, y), crop + flip % 2);
    }
    assert_in_range(mirrored, 25, 75);
}

/* Seeds and positions, of later epochs too, have each their own numbers. */
static void test_positions(void **state)
{
    (void)state;
    enum { N = 500 };
    static const uint64_t starts[] = {0, 1, UINT64_C(1) << 32, UINT64_C(1) << 40};
    float x[COUNT], y[COUNT], other[COUNT];
    for (int i = 0; i < COUNT; ++i)
        x[i] = number(0, i);
    for (uint64_t s = 0; s < sizeof starts / sizeof *starts; ++s) {
        int same = 0;
        for (uint64_t i = 0; i < N; ++i) {
            augment_pad_crop(&(augmentation){.kind = AUGMENT_PAD_CROP, .seed = 3, .flip = true, .padding = PADDING}, i, shape, x, y);
            augment_pad_crop(&(augmentation){.kind = AUGMENT_PAD_CROP, .seed = s ? 3 : 4, .flip = true, .padding = PADDING}, i + starts[s], shape, x, other);
            same += memcmp(y, other, sizeof y) == 0;
        }
        assert_in_range(same, 0, 3 * N / (2 * PLACES * PLACES));
    }
}

/* ---------------------------------------------------------------- minibatches */

enum { SAMPLES = 20, BATCH = 6, BATCHES = 15 };

static sample_stream *open_samples(void)
{
    static float x[SAMPLES][COUNT];
    int label[SAMPLES];
    for (int s = 0; s < SAMPLES; ++s) {
        label[s] = s % 2;
        for (int i = 0; i < COUNT; ++i)
            x[s][i] = number(s, i);
    }
    hid_t file = samples_create("x.h5");
    assert_int_equal(samples_put_floats(file, "x", 4, (const hsize_t[]){SAMPLES, CHANNELS, HEIGHT, WIDTH}, *x), 0);
    assert_int_equal(samples_put_integers(file, "label", SAMPLES, label), 0);
    H5Fclose(file);
    sample_stream *s;
    stream_request r = {.path = "x.h5", .inputs = COUNT, .outputs = 2, .input = shape, .needs_labels = true, .cache = 1 << 20};
    if (stream_hdf5_open(&s, &r) != STATUS_OK || stream_prepare(s) != STATUS_OK)
        fail_msg("%s", status_text());
    return s;
}

static void take_all(const sample_set *set, int threads, float *x)
{
    loader *l;
    assert_int_equal(loader_create(&l, set, BATCH, 5, threads), STATUS_OK);
    for (uint64_t i = 0; i < BATCHES; ++i) {
        loaded_samples m;
        assert_int_equal(loader_take(l, i * BATCH, &m), STATUS_OK);
        memcpy(x + i * BATCH * COUNT, m.x, BATCH * COUNT * sizeof *x);
    }
    loader_free(l);
}

/* Which sample y is a crop of. */
static int which_sample(const float *y, int *crop)
{
    float x[COUNT];
    for (int s = 0; s < SAMPLES; ++s) {
        for (int i = 0; i < COUNT; ++i)
            x[i] = number(s, i);
        *crop = which_crop(x, y);
        if (*crop >= 0)
            return s;
    }
    fail_msg("not a crop of any sample");
    return -1;
}

static void test_loader(void **state)
{
    (void)state;
    static float x[2][BATCHES * BATCH * COUNT];
    sample_stream *s = open_samples();
    sample_set set;
    loaded_samples m;
    loader *l;
    assert_int_equal(split_all(s, &set), STATUS_OK);
    set.augment = (augmentation){.kind = AUGMENT_PAD_CROP, .seed = 5, .flip = true, .padding = PADDING};
    take_all(&set, 1, x[0]);
    for (int threads = 2; threads <= 8; threads *= 2) {
        take_all(&set, threads, x[1]);
        assert_memory_equal(x[0], x[1], sizeof x[0]);
    }
    /* as a run that goes on */
    assert_int_equal(loader_create(&l, &set, BATCH, 5, 2), STATUS_OK);
    assert_int_equal(loader_take(l, 7 * BATCH, &m), STATUS_OK);
    assert_memory_equal(m.x, x[0] + 7 * BATCH * COUNT, BATCH * COUNT * sizeof *m.x);
    loader_free(l);
    /* an epoch still has every sample once, and another crop of it than the last one, but for chance */
    int crops[SAMPLES], same = 0;
    for (int epoch = 0; epoch < 4; ++epoch) {
        bool seen[SAMPLES] = {false};
        for (int i = 0; i < SAMPLES; ++i) {
            int crop, sample = which_sample(x[0] + (size_t)(epoch * SAMPLES + i) * COUNT, &crop);
            assert_false(seen[sample]);
            seen[sample] = true;
            same += epoch > 0 && crops[sample] == crop;
            crops[sample] = crop;
        }
    }
    assert_in_range(same, 0, 6);
    free(set.samples);
    stream_free(s);
}

/* Measuring reads the samples themselves, whatever the set says. */
static void test_tests_are_left_alone(void **state)
{
    (void)state;
    sample_stream *s = open_samples();
    sample_set set;
    sample_pieces pieces;
    assert_int_equal(split_all(s, &set), STATUS_OK);
    set.augment = (augmentation){.kind = AUGMENT_PAD_CROP, .seed = 5, .flip = true, .padding = PADDING};
    assert_int_equal(sample_pieces_create(&pieces, &set, SAMPLES), STATUS_OK);
    assert_int_equal(sample_pieces_read(&pieces), STATUS_OK);
    for (int k = 0; k < SAMPLES; ++k)
        for (int i = 0; i < COUNT; ++i)
            assert_true(dataset_at(&pieces.samples, PART_X, (size_t)k)[i] == (double)number(k, i));
    sample_pieces_free(&pieces);
    free(set.samples);
    stream_free(s);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pad_crop), cmocka_unit_test(test_flip_and_padding_alone), cmocka_unit_test(test_positions),
        IN_A_FOLDER(test_loader),        IN_A_FOLDER(test_tests_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
