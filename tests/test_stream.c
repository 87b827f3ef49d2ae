/* Samples that are read in pieces: what each one holds, from memory, from the disk and through libhdf5; how they are divided; what is wrong with
 * files, one sentence each; minibatches, the same for any number of threads; error and kl of classifiers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "data/stream_split.h"
#include "folder_fixture.h"
#include "make_samples.h"
#include "plugin_fixture.h"
#include "train/loader.h"
#include "train/sample_pieces.h"
#include "train/training_set.h"

enum { FRAMES = 40, SIDE = 6, PIXELS = SIDE * SIDE, HISTORY = 4, ACTIONS = 3 };

static const hsize_t frame_sizes[3] = {FRAMES, SIDE, SIDE};
static const sample_layout contiguous = {0, 0}, chunked = {7, 0}, compressed = {7, 1};

/* Episodes of lengths 1, 2, 1, 9, … : a history may reach before any of them. */
static const int episodes[FRAMES] = {3,  5,  5,  6,  8,  8,  8,  8,  8,  8,  8,  8,  8,  9,  9,  9,  9,  9,  9,  9,
                                     12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 12, 13, 13, 13, 13, 13, 14, 15, 15, 15};

static unsigned char pixel(int frame, int i)
{
    return (unsigned char)(frame * 37 + i * 11 + frame * i % 5);
}

static float logit(int frame, int k)
{
    return (float)sin(frame * 3 + k);
}

static void put_frames(const char *path, sample_layout layout)
{
    static unsigned char frames[FRAMES][PIXELS];
    static float y[FRAMES][ACTIONS];
    for (int f = 0; f < FRAMES; ++f) {
        for (int i = 0; i < PIXELS; ++i)
            frames[f][i] = pixel(f, i);
        for (int k = 0; k < ACTIONS; ++k)
            y[f][k] = logit(f, k);
    }
    hid_t file = samples_create(path);
    assert_int_equal(samples_put_bytes(file, "frames", 3, frame_sizes, *frames, layout), 0);
    assert_int_equal(samples_put_integers(file, "episode", FRAMES, episodes), 0);
    assert_int_equal(samples_put_floats(file, "y", 2, (const hsize_t[]){FRAMES, ACTIONS}, *y), 0);
    H5Fclose(file);
}

static stream_request frames_request(const char *path)
{
    return (stream_request){
        .path = path,
        .inputs = HISTORY * PIXELS,
        .outputs = ACTIONS,
        .input = {HISTORY, SIDE, SIDE},
        .history = HISTORY,
        .needs_labels = true,
        .cache = 1 << 20,
    };
}

static sample_stream *open_stream(const stream_request *r)
{
    sample_stream *s;
    if (stream_hdf5_open(&s, r) != STATUS_OK || stream_prepare(s) != STATUS_OK)
        fail_msg("%s", status_text());
    return s;
}

/* ---------------------------------------------------------------- samples */

static void expect_frames(const sample_stream *s)
{
    static float x[HISTORY * PIXELS], y[ACTIONS];
    void *scratch = malloc(stream_scratch(s));
    for (int sample = 0; sample < FRAMES; ++sample) {
        assert_int_equal(stream_read(s, (uint32_t)sample, NULL, scratch, x, y), STATUS_OK);
        for (int h = 0; h < HISTORY; ++h) {
            int frame = sample;
            for (int back = HISTORY - 1 - h; back > 0 && frame > 0 && episodes[frame - 1] == episodes[sample]; --back)
                --frame;
            for (int i = 0; i < PIXELS; ++i)
                if (x[h * PIXELS + i] != (float)pixel(frame, i) * (1.f / 255))
                    fail_msg("sample %d: number %d of frame %d is not that of frame %d", sample, i, h, frame);
        }
        for (int k = 0; k < ACTIONS; ++k)
            assert_true(y[k] == logit(sample, k));
    }
    free(scratch);
}

static void test_frames(void **state)
{
    (void)state;
    const sample_layout layouts[] = {contiguous, chunked, compressed};
    for (int i = 0; i < 3; ++i)
        for (int fits = 0; fits < 2; ++fits) {
            put_frames("frames.h5", layouts[i]);
            stream_request r = frames_request("frames.h5");
            r.cache = fits ? 1 << 20 : 100;
            sample_stream *s = open_stream(&r);
            assert_int_equal(s->samples, FRAMES);
            expect_frames(s);
            stream_free(s);
        }
}

/* x of another type and shape, a factor, and labels of each kind. */
static void test_labels(void **state)
{
    (void)state;
    enum { N = 5, M = 3 };
    const float x[N][2] = {{1, 2}, {3, 4}, {5, 6}, {7, 8}, {9, 10}},
                p[N][M] = {{1, 0, 0}, {.5f, .25f, .25f}, {.2f, .3f, .5f}, {0, 1, 0}, {.1f, .1f, .8f}};
    const int label[N] = {2, 0, 1, -1, 2};
    hid_t file = samples_create("labels.h5");
    assert_int_equal(samples_put_floats(file, "x", 2, (const hsize_t[]){N, 2}, *x), 0);
    assert_int_equal(samples_put_floats(file, "y", 2, (const hsize_t[]){N, M}, *p), 0);
    assert_int_equal(samples_put_integers(file, "label", N, label), 0);
    H5Fclose(file);
    for (label_kind kind = LABELS_LOGITS; kind <= LABELS_CLASSES; ++kind) {
        stream_request r = {.path = "labels.h5",
                            .inputs = 2,
                            .outputs = M,
                            .scale = .5,
                            .labels = kind,
                            .labels_given = true,
                            .needs_labels = true,
                            .missing = true,
                            .cache = 1 << 20};
        sample_stream *s = open_stream(&r);
        float got_x[2], got_y[M];
        void *scratch = malloc(stream_scratch(s));
        for (int i = 0; i < N; ++i) {
            assert_int_equal(stream_read(s, (uint32_t)i, NULL, scratch, got_x, got_y), STATUS_OK);
            assert_true(got_x[0] == .5f * x[i][0] && got_x[1] == .5f * x[i][1]);
            for (int k = 0; k < M; ++k) {
                float want = kind == LABELS_LOGITS          ? p[i][k]
                             : kind == LABELS_PROBABILITIES ? logf(fmaxf(p[i][k], 1e-8f))
                             : label[i] < 0                 ? NAN
                                                            : (float)(label[i] == k);
                if (isnan(want) ? !isnan(got_y[k]) : got_y[k] != want)
                    fail_msg("labels %d, sample %d, output %d: %g instead of %g", (int)kind, i, k, (double)got_y[k], (double)want);
            }
        }
        free(scratch);
        stream_free(s);
    }
}

enum { SAMPLES = 5, OUTPUTS = 3, INPUTS = 2, R = 2, MOST = R * OUTPUTS * INPUTS };

/* The derivatives that a file can hold, and what they are by x' = x / 4. */
static const struct {
    dataset_part part;
    int rank;
    hsize_t sizes[4];
    float factor;
} derivative_parts[] = {
    {PART_JACOBIAN, 3, {SAMPLES, OUTPUTS, INPUTS, 0}, 4},
    {PART_HESSIAN, 4, {SAMPLES, OUTPUTS, INPUTS, INPUTS}, 16},
    {PART_V, 3, {SAMPLES, R, INPUTS, 0}, .25f},
    {PART_V_WEIGHT, 2, {SAMPLES, R, 0, 0}, 1},
    {PART_JVP, 3, {SAMPLES, R, OUTPUTS, 0}, 1},
    {PART_HVP, 4, {SAMPLES, R, OUTPUTS, INPUTS}, 4},
};
enum { DERIVATIVE_PARTS = sizeof derivative_parts / sizeof *derivative_parts };

/* Number i of a part of a sample; one is not given. */
static float derivative_number(dataset_part part, int sample, int i, bool nan)
{
    bool missing = nan && sample == 3 && i == 1 && part != PART_V && part != PART_V_WEIGHT;
    return missing ? NAN : (float)(1000 * (int)part + 100 * sample + i);
}

static void put_derivatives(hid_t file, sample_layout layout, bool nan)
{
    float values[SAMPLES * MOST];
    for (int k = 0; k < DERIVATIVE_PARTS; ++k) {
        const dataset_part part = derivative_parts[k].part;
        int count = 1;
        for (int a = 1; a < derivative_parts[k].rank; ++a)
            count *= (int)derivative_parts[k].sizes[a];
        for (int i = 0; i < SAMPLES * count; ++i)
            values[i] = derivative_number(part, i / count, i % count, nan);
        assert_int_equal(samples_put_as(file, dataset_part_names[part], derivative_parts[k].rank, derivative_parts[k].sizes, H5T_IEEE_F32LE,
                                        H5T_NATIVE_FLOAT, values, layout),
                         0);
    }
}

static void check_sample(sample_stream *s, int sample, const unsigned char *x, bool nan, void *scratch)
{
    float got_x[INPUTS], got[OUTPUTS * (1 + INPUTS + INPUTS * INPUTS) + R * (INPUTS + 1 + OUTPUTS + OUTPUTS * INPUTS)];
    const int labels = sizeof got / sizeof *got;
    assert_int_equal(stream_labels(s), labels);
    assert_int_equal(stream_read(s, (uint32_t)sample, NULL, scratch, got_x, got), STATUS_OK);
    assert_true(got_x[1] == .25f * x[1]);
    assert_true(got[2] == (float)(sample - 2));
    for (int k = 0; k < DERIVATIVE_PARTS; ++k) {
        const dataset_part part = derivative_parts[k].part;
        for (size_t i = 0; i < stream_part_size(s, part); ++i) {
            float want = derivative_parts[k].factor * derivative_number(part, sample, (int)i, nan), found = got[stream_labels_before(s, part) + i];
            if (isnan(want) ? !isnan(found) : found != want)
                fail_msg("sample %d, %s, number %zu: %g instead of %g", sample, dataset_part_names[part], i, (double)found, (double)want);
        }
    }
    assert_int_equal(stream_read(s, (uint32_t)sample, &(sample_view){.values_alone = true}, scratch, got_x, got), STATUS_OK);
    assert_true(got[2] == (float)(sample - 2));
    for (int i = OUTPUTS; i < labels; ++i)
        assert_true(isnan(got[i]));
}

/* Derivatives beside bytes that a factor scales, from memory, from the disk and through the library: by what the network sees. */
static void test_derivatives(void **state)
{
    (void)state;
    static const sample_layout layouts[] = {{0, 0}, {2, 1}};
    unsigned char x[SAMPLES][INPUTS];
    float y[SAMPLES][OUTPUTS];
    for (int i = 0; i < SAMPLES; ++i)
        for (int k = 0; k < OUTPUTS; ++k) {
            x[i][k % INPUTS] = (unsigned char)(10 * i + k % INPUTS);
            y[i][k] = (float)(i - k);
        }
    for (int pass = 0; pass < 8; ++pass) {
        const bool fits = pass & 1, nan = pass & 2;
        hid_t file = samples_create("derivatives.h5");
        assert_int_equal(samples_put_bytes(file, "x", 2, (const hsize_t[]){SAMPLES, INPUTS}, *x, layouts[pass / 4]), 0);
        assert_int_equal(samples_put_floats(file, "y", 2, (const hsize_t[]){SAMPLES, OUTPUTS}, *y), 0);
        put_derivatives(file, layouts[pass / 4], nan);
        H5Fclose(file);
        stream_request r = {.path = "derivatives.h5", .inputs = INPUTS, .outputs = OUTPUTS, .scale = .25, .needs_labels = true, .parts = ALL_PARTS,
                            .needs_derivatives = true, .missing = nan, .cache = fits ? 1 << 20 : 1};
        sample_stream *s = open_stream(&r);
        void *scratch = malloc(stream_scratch(s));
        assert_int_equal(s->directions, R);
        for (int i = SAMPLES - 1; i >= 0; --i)
            check_sample(s, i, x[i], nan, scratch);
        free(scratch);
        stream_free(s);
    }
}

/* All of the samples, or some at equal distances, of the parts that are asked for. */
static void test_gather(void **state)
{
    (void)state;
    const float x[SAMPLES][INPUTS] = {{0, 1}, {2, 3}, {4, 5}, {6, 7}, {8, 9}};
    float y[SAMPLES][OUTPUTS] = {{0}};
    hid_t file = samples_create("derivatives.h5");
    assert_int_equal(samples_put_floats(file, "x", 2, (const hsize_t[]){SAMPLES, INPUTS}, *x), 0);
    assert_int_equal(samples_put_floats(file, "y", 2, (const hsize_t[]){SAMPLES, OUTPUTS}, *y), 0);
    put_derivatives(file, (sample_layout){0, 0}, false);
    H5Fclose(file);
    stream_request r = {.path = "derivatives.h5", .inputs = INPUTS, .outputs = OUTPUTS, .needs_labels = true, .parts = ALL_PARTS, .cache = 1 << 20};
    sample_stream *s = open_stream(&r);
    uint32_t order[SAMPLES] = {3, 0, 4, 1, 2};
    const sample_set set = {.stream = s, .samples = order, .n = SAMPLES};
    const unsigned parts = 1u << PART_X | 1u << PART_JACOBIAN;
    for (int some = 0; some < 2; ++some) {
        dataset d;
        assert_int_equal(sample_pieces_gather(&set, parts, some ? INPUTS * (1 + OUTPUTS) : 1000, &d), STATUS_OK);
        assert_int_equal(d.points, some ? 2 : SAMPLES);
        assert_int_equal(dataset_parts(&d), parts);
        for (int i = 0; i < d.points; ++i) { /* of all five the first and the third in the set's order, sorted */
            int sample = some ? (int[]){3, 4}[i] : i;
            assert_true(dataset_at(&d, PART_X, (size_t)i)[1] == (double)x[sample][1]);
            assert_true(dataset_at(&d, PART_JACOBIAN, (size_t)i)[4] == (double)derivative_number(PART_JACOBIAN, sample, 4, false));
        }
        dataset_free(&d);
    }
    stream_free(s);
}

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

/* ---------------------------------------------------------------- bad files */

typedef struct bad_file {
    const char *what;
    void (*make)(hid_t file);
    const char *says;
} bad_file;

static void put_x(hid_t file, const float *x)
{
    samples_put_floats(file, "x", 2, (const hsize_t[]){4, 2}, x);
}

static const float good_x[8] = {1, 2, 3, 4, 5, 6, 7, 8}, good_y[12] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0};
static const hsize_t y_sizes[2] = {4, 3};

static void nothing(hid_t file)
{
    samples_put_floats(file, "y", 2, y_sizes, good_y);
}

static void no_labels(hid_t file)
{
    put_x(file, good_x);
}

static void wide_x(hid_t file)
{
    samples_put_floats(file, "x", 2, (const hsize_t[]){2, 4}, good_x);
    samples_put_floats(file, "y", 2, y_sizes, good_y);
}

static void nan_x(hid_t file)
{
    float x[8];
    memcpy(x, good_x, sizeof x);
    x[5] = NAN;
    put_x(file, x);
    samples_put_floats(file, "y", 2, y_sizes, good_y);
}

static void narrow_y(hid_t file)
{
    put_x(file, good_x);
    samples_put_floats(file, "y", 2, (const hsize_t[]){4, 2}, good_y);
}

static void short_y(hid_t file)
{
    put_x(file, good_x);
    samples_put_floats(file, "y", 2, (const hsize_t[]){3, 3}, good_y);
}

static void put_y(hid_t file, int at, float value)
{
    float y[12];
    memcpy(y, good_y, sizeof y);
    y[at] = value;
    put_x(file, good_x);
    samples_put_floats(file, "y", 2, y_sizes, y);
}

static void negative_probability(hid_t file)
{
    put_y(file, 4, -.5f);
}

static void wrong_sum(hid_t file)
{
    put_y(file, 7, .75f);
}

static void missing_label(hid_t file)
{
    put_y(file, 10, NAN);
}

static void infinite_label(hid_t file)
{
    put_y(file, 10, INFINITY);
}

static void put_label(hid_t file, int value)
{
    put_x(file, good_x);
    samples_put_integers(file, "label", 4, (const int[]){0, 2, value, 1});
}

static void class_beyond(hid_t file)
{
    put_label(file, 3);
}

static void class_missing(hid_t file)
{
    put_label(file, -1);
}

static void fractional_class(hid_t file)
{
    put_x(file, good_x);
    samples_put_floats(file, "label", 1, (const hsize_t[]){4}, (const float[]){0, 1, .5f, 2});
}

static void two_labels_each(hid_t file)
{
    put_x(file, good_x);
    samples_put_floats(file, "label", 2, (const hsize_t[]){4, 2}, good_x);
}

static void episodes_out_of_order(hid_t file)
{
    put_y(file, 0, 1);
    samples_put_integers(file, "episode", 4, (const int[]){1, 2, 1, 3});
}

static void episodes_short(hid_t file)
{
    put_y(file, 0, 1);
    samples_put_integers(file, "episode", 3, (const int[]){1, 2, 3});
}

static void flat_frames(hid_t file)
{
    samples_put_bytes(file, "frames", 2, (const hsize_t[]){4, 2}, (const unsigned char *)good_x, contiguous);
    samples_put_floats(file, "y", 2, y_sizes, good_y);
}

static void large_frames(hid_t file)
{
    static const unsigned char frames[4 * 9];
    samples_put_bytes(file, "frames", 3, (const hsize_t[]){4, 3, 3}, frames, contiguous);
    samples_put_floats(file, "y", 2, y_sizes, good_y);
}

static void text_x(hid_t file)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    samples_put_as(file, "x", 1, (const hsize_t[]){4}, type, type, "abcd", contiguous);
    H5Tclose(type);
}

static const bad_file bad_files[] = {
    {"nothing", nothing, "holds neither x nor frames"},
    {"no_labels", no_labels, "holds no y and no label, which the loss on values needs"},
    {"wide_x", wide_x, "x has the shape [2, 4], expected [2, 2]: samples, inputs of the network (1 x 1 x 2)"},
    {"nan_x", nan_x, "x[2, 1] (counted from 0) is not a number"},
    {"narrow_y", narrow_y, "y has the shape [4, 2], expected [4, 3]: samples, outputs of the network"},
    {"short_y", short_y, "y has the shape [3, 3], expected [4, 3]"},
    {"missing_label", missing_label, "y[3] (counted from 0) is not given (missing=1 leaves such labels out)"},
    {"infinite_label", infinite_label, "y[3, 1] (counted from 0) is infinite"},
    {"class_beyond", class_beyond, "label[2] (counted from 0) is beyond the last class"},
    {"class_missing", class_missing, "label[2] (counted from 0) is not given"},
    {"fractional_class", fractional_class, "label[2] (counted from 0) is no whole number"},
    {"two_labels_each", two_labels_each, "label has the shape [4, 2], expected [4]: one class per sample"},
    {"episodes_out_of_order", episodes_out_of_order, "episode[2] (counted from 0) is 1 after 2: episodes must not decrease"},
    {"episodes_short", episodes_short, "episode has the shape [3], expected [4]"},
    {"flat_frames", flat_frames, "frames has the shape [4, 2], expected [frames, height, width]"},
    {"large_frames", large_frames, "1 frames of 3 x 3 (history=1) are 9 numbers, the network takes 2: 1 x 1 x 2"},
    {"text_x", text_x, "x holds text, not numbers"},
};

static void expect_refused(const char *what, const stream_request *r, const char *says)
{
    sample_stream *s;
    status result = stream_hdf5_open(&s, r);
    if (result == STATUS_OK)
        result = stream_prepare(s);
    if (result == STATUS_OK) { /* not in memory: found when it is read */
        float x[2], y[32];
        void *scratch = malloc(stream_scratch(s));
        for (uint32_t i = 0; i < s->samples && result == STATUS_OK; ++i)
            result = stream_read(s, i, NULL, scratch, x, y);
        free(scratch);
    }
    stream_free(s);
    if (result != STATUS_BAD_FILE)
        fail_msg("%s: not refused", what);
    if (strncmp(status_text(), "bad.h5: error: ", 15) != 0 || !strstr(status_text(), says) || strchr(status_text(), '\n'))
        fail_msg("%s: \"%s\" does not say \"%s\"", what, status_text(), says);
}

static void test_bad_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof *bad_files; ++i) {
        hid_t file = samples_create("bad.h5");
        bad_files[i].make(file);
        H5Fclose(file);
        for (int fits = 0; fits < 2; ++fits) {
            stream_request r = {.path = "bad.h5", .inputs = 2, .outputs = 3, .input = {1, 1, 2}, .needs_labels = true, .cache = fits ? 1 << 20 : 1};
            if (strcmp(bad_files[i].what, "infinite_label") == 0 && !fits)
                expect_refused(bad_files[i].what, &r, "y[3] (counted from 0) is infinite");
            else
                expect_refused(bad_files[i].what, &r, bad_files[i].says);
        }
    }
}

/* A part alone beside x, or beside v as well. */
static const struct {
    const char *name;
    int rank;
    hsize_t sizes[4];
    bool beside_v;
    const char *says;
} bad_derivatives[] = {
    {"dydx", 3, {4, 3, 1, 0}, false, "dydx has the shape [4, 3, 1], expected [4, 3, 2]: samples, outputs and inputs of the network"},
    {"dydx", 3, {3, 3, 2, 0}, false, "dydx has the shape [3, 3, 2], expected [4, 3, 2]: samples, outputs and inputs of the network"},
    {"dydx", 3, {4, 2, 3, 0}, false, "dydx has the shape [4, 2, 3], expected [4, 3, 2]: samples, outputs and inputs of the network"},
    {"dydx", 3, {4, 3, 2, 0}, false, "dydx[1, 2, 1] (counted from 0) is not a number"},
    {"d2ydx2", 3, {4, 3, 2, 0}, false, "d2ydx2 has the shape [4, 3, 2], expected [4, 3, 2, 2]: samples, outputs and twice inputs of the network"},
    {"d2ydx2", 4, {4, 3, 2, 2}, false, "d2ydx2[0, 2, 1, 1] (counted from 0) is not a number"},
    {"v", 3, {4, 2, 2, 0}, false, "v[2, 1, 1] (counted from 0) is not a number"},
    {"v", 3, {4, 2, 3, 0}, false, "v has the shape [4, 2, 3], expected [4, r, 2]: samples, directions and inputs of the network"},
    {"v", 2, {4, 3, 0, 0}, false, "v has the shape [4, 3], expected [4, r, 2]: samples, directions and inputs of the network"},
    {"v", 2, {4, 1, 0, 0}, false, "v has the shape [4, 1], expected [4, r, 2]: samples, directions and inputs of the network"},
    {"jvp", 2, {4, 3, 0, 0}, false, "jvp needs the directions v, which are missing"},
    {"hvp", 3, {4, 3, 2, 0}, false, "hvp needs the directions v, which are missing"},
    {"v_weight", 2, {4, 2, 0, 0}, true, "v_weight[1, 1] (counted from 0) is negative"},
    {"v_weight", 2, {4, 3, 0, 0}, true, "v_weight has the shape [4, 3], expected [4, 2]: samples and directions of v"},
    {"jvp", 2, {4, 3, 0, 0}, true, "jvp has the shape [4, 3], expected [4, 2, 3]: samples, directions of v and outputs of the network"},
    {"jvp", 3, {4, 3, 2, 0}, true, "jvp has the shape [4, 3, 2], expected [4, 2, 3]: samples, directions of v and outputs of the network"},
    {"jvp", 3, {4, 2, 3, 0}, true, "jvp[1, 1, 2] (counted from 0) is not a number"},
    {"hvp", 3, {4, 2, 3, 0}, true, "hvp has the shape [4, 2, 3], expected [4, 2, 3, 2]: samples, directions of v, outputs and inputs of the network"},
};

static void test_bad_derivatives(void **state)
{
    (void)state;
    const float v[16] = {1}, numbers[48] = {[3] = -1, [11] = NAN};
    for (size_t k = 0; k < sizeof bad_derivatives / sizeof *bad_derivatives; ++k) {
        hid_t file = samples_create("bad.h5");
        put_x(file, good_x);
        if (bad_derivatives[k].beside_v)
            assert_int_equal(samples_put_floats(file, "v", 3, (const hsize_t[]){4, 2, 2}, v), 0);
        assert_int_equal(samples_put_floats(file, bad_derivatives[k].name, bad_derivatives[k].rank, bad_derivatives[k].sizes, numbers), 0);
        H5Fclose(file);
        for (int fits = 0; fits < 2; ++fits) {
            stream_request r = {.path = "bad.h5", .inputs = 2, .outputs = 3, .parts = ALL_PARTS, .needs_derivatives = true, .cache = fits ? 1 << 20 : 1};
            expect_refused("derivatives", &r, bad_derivatives[k].says);
        }
    }
}

static void test_bad_probabilities(void **state)
{
    (void)state;
    static const bad_file files[] = {
        {"negative_probability", negative_probability, "y[1] (counted from 0) is a row with a number outside 0..1"},
        {"wrong_sum", wrong_sum, "y[2] (counted from 0) is a row that does not sum to 1"},
    };
    for (int i = 0; i < 2; ++i)
        for (label_kind kind = LABELS_PROBABILITIES; kind <= LABELS_CLASSES; ++kind) {
            hid_t file = samples_create("bad.h5");
            files[i].make(file);
            H5Fclose(file);
            stream_request r = {
                .path = "bad.h5", .inputs = 2, .outputs = 3, .labels = kind, .labels_given = true, .needs_labels = true, .cache = 1 << 20};
            expect_refused(files[i].what, &r, kind == LABELS_CLASSES ? "is no one-hot row" : files[i].says);
        }
}

/* Cut anywhere, or overwritten: a sentence, never a crash. */
static void test_damaged(void **state)
{
    (void)state;
    put_frames("frames.h5", compressed);
    FILE *f = fopen("frames.h5", "rb");
    static unsigned char bytes[1 << 20];
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    for (size_t length = 0; length < size; length += 211) {
        file_put("bad.h5", bytes, length);
        stream_request r = frames_request("bad.h5");
        sample_stream *s;
        assert_int_equal(stream_hdf5_open(&s, &r), STATUS_BAD_FILE);
        assert_null(s);
        assert_memory_equal(status_text(), "bad.h5: error: ", 15);
    }
    int refused = 0;
    for (size_t at = 2048; at + 64 < size; at += 97) {
        unsigned char kept[64];
        memcpy(kept, bytes + at, sizeof kept);
        memset(bytes + at, 0xa5, sizeof kept);
        file_put("bad.h5", bytes, size);
        memcpy(bytes + at, kept, sizeof kept);
        stream_request r = frames_request("bad.h5");
        sample_stream *s;
        status result = stream_hdf5_open(&s, &r);
        if (result == STATUS_OK)
            result = stream_prepare(s);
        refused += result != STATUS_OK;
        stream_free(s);
    }
    assert_true(refused > 0);
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
    hid_t file = samples_create("bad.h5");
    nan_x(file);
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

/* ---------------------------------------------------------------- measuring */

/* A network that is 0 everywhere says that all classes are equally likely. */
static void test_classes(void **state)
{
    (void)state;
    enum { N = 4, M = 3 };
    const float y[N][M] = {{.5f, 0, 1}, {2, -1, 0}, {0, 3, 0}, {1, .5f, .25f}};
    const int label[N] = {0, 1, 2, 0};
    plugin_network *p = plugin_from_text(NULL, "[net]\ninputs=2\nbatch=1\n[connected]\noutput=3\nactivation=linear\n[sobolev]\norder=0\n");
    GRAPH_ARRAYS(plugin_graph(p), a)
    memset(a->value, 0, a->count * sizeof *a->value);
    hid_t file = samples_create("classes.h5");
    put_x(file, good_x);
    assert_int_equal(samples_put_floats(file, "y", 2, (const hsize_t[]){N, M}, *y), 0);
    assert_int_equal(samples_put_integers(file, "label", N, label), 0);
    H5Fclose(file);
    double kl = 0;
    for (int i = 0; i < N; ++i) {
        double sum = 0;
        for (int k = 0; k < M; ++k)
            sum += exp((double)y[i][k]);
        for (int k = 0; k < M; ++k)
            kl += 1. / M * (log(1. / M) - ((double)y[i][k] - log(sum))) / N;
    }
    for (label_kind kind = LABELS_LOGITS; kind <= LABELS_CLASSES; kind += 2) {
        stream_request r = {
            .path = "classes.h5", .inputs = 2, .outputs = M, .labels = kind, .labels_given = true, .needs_labels = true, .cache = 1 << 20};
        sample_stream *s = open_stream(&r);
        sample_set set;
        evaluator *e;
        evaluation found;
        assert_int_equal(split_all(s, &set), STATUS_OK);
        assert_int_equal(evaluator_create(&e, p, 0), STATUS_OK);
        evaluator_compare_classes(e, kind == LABELS_CLASSES, 2);
        assert_int_equal(evaluator_run_streamed(e, &set, &found), STATUS_OK);
        assert_true(fabs(found.error - .5) < 1e-12); /* the first of equal outputs; it is right for two samples of each */
        assert_true(fabs(found.top_error - .25) < 1e-12); /* of equal outputs the first two: the third is the label of one sample */
        double want = kind == LABELS_CLASSES ? log(M) : kl;
        if (!(fabs(found.kl - want) < 1e-6))
            fail_msg("kl %.9g instead of %.9g", found.kl, want);
        evaluator_free(e);
        free(set.samples);
        stream_free(s);
    }
    plugin_free(p);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(test_frames),
        IN_A_FOLDER(test_labels),
        IN_A_FOLDER(test_derivatives),
        IN_A_FOLDER(test_gather),
        IN_A_FOLDER(test_split),
        IN_A_FOLDER(test_fraction),
        IN_A_FOLDER(test_bad_files),
        IN_A_FOLDER(test_bad_derivatives),
        IN_A_FOLDER(test_bad_probabilities),
        IN_A_FOLDER(test_damaged),
        IN_A_FOLDER(test_loader),
        IN_A_FOLDER(test_loader_fails),
        IN_A_FOLDER(test_classes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
