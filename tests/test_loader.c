/* Samples that are read in pieces, divided into sets and drawn into minibatches: each once in an epoch, the same for any number of threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdbool.h>
#include <string.h>

#include "data/stream_split.h"
#include "folder_fixture.h"
#include "frames_fixture.h"
#include "train/loader.h"

/* ---------------------------------------------------------------- division */

static int compare_numbers(const void *a, const void *b)
{
    return (int)*(const uint32_t *)a - (int)*(const uint32_t *)b;
}

/* Every sample is at most once in one of the sets; returns how many are in neither. */
static int count_left_out(const sample_set *a, const sample_set *b)
{
    int seen[FRAMES] = {0}, left = 0;
    for (uint32_t i = 0; i < a->n; ++i)
        ++seen[a->samples[i]];
    for (uint32_t i = 0; i < b->n; ++i)
        ++seen[b->samples[i]];
    for (int i = 0; i < FRAMES; ++i) {
        assert_true(seen[i] <= 1);
        left += !seen[i];
    }
    return left;
}

static void test_split(void **state)
{
    (void)state;
    put_frames("frames.h5", contiguous);
    stream_request r = frames_request("frames.h5");
    sample_stream *s = open_stream(&r);
    for (split_kind kind = SPLIT_SAMPLES; kind <= SPLIT_TIME; ++kind)
        for (uint64_t seed = 1; seed < 6; ++seed) {
            sample_set training, test, again_training, again_test;
            assert_int_equal(split_divide(s, kind, .25, seed, &training, &test), STATUS_OK);
            assert_int_equal(split_divide(s, kind, .25, seed, &again_training, &again_test), STATUS_OK);
            assert_int_equal(training.n, again_training.n);
            assert_memory_equal(training.samples, again_training.samples, training.n * sizeof *training.samples);
            assert_int_equal(count_left_out(&training, &test), kind == SPLIT_TIME ? 1 : 0);
            for (uint32_t i = 0; i < training.n && kind == SPLIT_EPISODE; ++i)
                for (uint32_t j = 0; j < test.n; ++j)
                    assert_int_not_equal(episodes[training.samples[i]], episodes[test.samples[j]]);
            if (kind == SPLIT_TIME) { /* the border, 30, is the last of its episode: no history reaches over it but its own */
                assert_int_equal(training.samples[training.n - 1], 29);
                assert_int_equal(test.samples[0], 31);
            }
            free(training.samples);
            free(test.samples);
            free(again_training.samples);
            free(again_test.samples);
        }
    stream_free(s);
}

/* 10% of the samples are among the 30%. */
static void test_fraction(void **state)
{
    (void)state;
    put_frames("frames.h5", contiguous);
    stream_request r = frames_request("frames.h5");
    sample_stream *s = open_stream(&r);
    sample_set few, many;
    assert_int_equal(split_all(s, &few), STATUS_OK);
    assert_int_equal(split_all(s, &many), STATUS_OK);
    assert_int_equal(split_draw(&few, 4, 7, 1), STATUS_OK);
    assert_int_equal(split_draw(&many, 12, 7, 1), STATUS_OK);
    qsort(many.samples, many.n, sizeof *many.samples, compare_numbers);
    for (uint32_t i = 0; i < few.n; ++i)
        assert_non_null(bsearch(&few.samples[i], many.samples, many.n, sizeof *many.samples, compare_numbers));
    free(few.samples);
    free(many.samples);
    stream_free(s);
}

/* ---------------------------------------------------------------- minibatches */

enum { BATCH = 7, BATCHES = 25 };

static void take_all(const sample_set *set, int threads, uint64_t first, float *x, float *y)
{
    loader *l;
    const size_t inputs = HISTORY * PIXELS;
    assert_int_equal(loader_create(&l, set, BATCH, 5, threads), STATUS_OK);
    for (size_t i = 0; i < BATCHES; ++i)
        for (int twice = 0; twice < 2; ++twice) {
            loaded_samples m;
            assert_int_equal(loader_take(l, first + i * BATCH, &m), STATUS_OK);
            memcpy(x + i * BATCH * inputs, m.x, BATCH * inputs * sizeof *x);
            memcpy(y + i * BATCH * ACTIONS, m.y, BATCH * ACTIONS * sizeof *y);
        }
    assert_true(loader_waited(l) >= 0);
    loader_free(l);
}

static void test_loader(void **state)
{
    (void)state;
    const size_t inputs = HISTORY * PIXELS, x_count = BATCHES * BATCH * inputs, y_count = BATCHES * BATCH * ACTIONS;
    float *x = malloc(2 * x_count * sizeof *x), *y = malloc(2 * y_count * sizeof *y);
    for (int fits = 0; fits < 2; ++fits) {
        put_frames("frames.h5", compressed);
        stream_request r = frames_request("frames.h5");
        r.cache = fits ? 1 << 20 : 100;
        sample_stream *s = open_stream(&r);
        sample_set set;
        assert_int_equal(split_all(s, &set), STATUS_OK);
        take_all(&set, 1, 0, x, y);
        for (int threads = 2; threads <= 8; threads *= 2) {
            take_all(&set, threads, 0, x + x_count, y + y_count);
            assert_memory_equal(x, x + x_count, x_count * sizeof *x);
            assert_memory_equal(y, y + y_count, y_count * sizeof *y);
        }
        /* every sample once in an epoch: by its labels, which are all different */
        for (int epoch = 0; epoch < 3; ++epoch)
            for (int f = 0; f < FRAMES; ++f) {
                int found = 0;
                for (int i = 0; i < FRAMES; ++i)
                    found += y[(epoch * FRAMES + i) * ACTIONS] == logit(f, 0);
                assert_int_equal(found, 1);
            }
        /* from anywhere, also between minibatches and back */
        loader *l;
        assert_int_equal(loader_create(&l, &set, BATCH, 5, 3), STATUS_OK);
        static const uint64_t starts[] = {100, 3, 10, 0, 7, 14, 7, 150};
        for (size_t i = 0; i < sizeof starts / sizeof *starts; ++i) {
            loaded_samples m;
            assert_int_equal(loader_take(l, starts[i], &m), STATUS_OK);
            assert_memory_equal(m.x, x + starts[i] * inputs, BATCH * inputs * sizeof *x);
            assert_memory_equal(m.y, y + starts[i] * ACTIONS, BATCH * ACTIONS * sizeof *y);
        }
        loader_free(l);
        free(set.samples);
        stream_free(s);
    }
    free(x);
    free(y);
}

/* A sample that cannot be read fails its own minibatch, with its own text, whoever read it. */
static void test_loader_fails(void **state)
{
    (void)state;
    const float x[4][2] = {{1, 2}, {3, 4}, {5, NAN}, {7, 8}}, y[4][3] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}, {1, 0, 0}};
    hid_t file = samples_create("bad.h5");
    assert_int_equal(samples_put_floats(file, "x", 2, (const hsize_t[]){4, 2}, *x), 0);
    assert_int_equal(samples_put_floats(file, "y", 2, (const hsize_t[]){4, 3}, *y), 0);
    H5Fclose(file);
    for (int threads = 1; threads <= 4; ++threads) {
        stream_request r = {.path = "bad.h5", .inputs = 2, .outputs = 3, .needs_labels = true, .cache = 1};
        sample_stream *s = open_stream(&r);
        sample_set set;
        loader *l;
        loaded_samples m;
        int failed = 0;
        assert_int_equal(split_all(s, &set), STATUS_OK);
        assert_int_equal(loader_create(&l, &set, 1, 5, threads), STATUS_OK);
        for (uint64_t i = 0; i < 8; ++i)
            if (loader_take(l, i, &m) != STATUS_OK) {
                ++failed;
                assert_string_equal(status_text(), "bad.h5: error: x[2, 1] (counted from 0) is not a number");
            }
        assert_int_equal(failed, 2);
        loader_free(l);
        free(set.samples);
        stream_free(s);
    }
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(test_split),
        IN_A_FOLDER(test_fraction),
        IN_A_FOLDER(test_loader),
        IN_A_FOLDER(test_loader_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
