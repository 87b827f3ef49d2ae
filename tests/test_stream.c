/* Samples that are read in pieces: what each one holds, from memory, from the disk and through libhdf5; what is wrong with
 * files, one sentence each. */
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
#include "frames_fixture.h"
#include "train/sample_pieces.h"

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
    static const sample_layout layouts[] = {{0}, {.chunk = 2, .compress = 1}};
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
    put_derivatives(file, (sample_layout){0}, false);
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

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(test_frames),
        IN_A_FOLDER(test_labels),
        IN_A_FOLDER(test_derivatives),
        IN_A_FOLDER(test_gather),
        IN_A_FOLDER(test_bad_files),
        IN_A_FOLDER(test_bad_derivatives),
        IN_A_FOLDER(test_bad_probabilities),
        IN_A_FOLDER(test_damaged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
