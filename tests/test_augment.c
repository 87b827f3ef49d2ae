/* How training pictures are changed (data/augment.h): against the same thing said in another way, the distribution of what is drawn, both
 * directions of the mirror; what colours become, by their formulas; ten crops and other views of test pictures; minibatches of the loader, the
 * same for any number of threads and from anywhere, and test samples as they are. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "data/augment_inception.h"
#include "data/colour.h"
#include "data/picture_view.h"
#include "data/stream_split.h"
#include "folder_fixture.h"
#include "make_samples.h"
#include "plugin_fixture.h"
#include "train/evaluate.h"
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
            augmentation a = {.kind = AUGMENT_PAD_CROP, .seed = 3, .flip = true, .padding = PADDING};
            augment_pad_crop(&a, i, shape, x, y);
            a.seed = s ? 3 : 4;
            augment_pad_crop(&a, i + starts[s], shape, x, other);
            same += memcmp(y, other, sizeof y) == 0;
        }
        assert_in_range(same, 0, 3 * N / (2 * PLACES * PLACES));
    }
}

/* ---------------------------------------------------------------- Inception's parts */

static augmentation inception(void)
{
    return (augmentation){.kind = AUGMENT_INCEPTION, .seed = 3, .min_area = .08, .max_area = 1, .aspect = 4. / 3};
}

/* torchvision's RandomResizedCrop.get_params with other random numbers. */
static picture_part drawn_otherwise(unsigned short *state, const augmentation *a, int height, int width)
{
    for (int attempt = 0; attempt < 10; ++attempt) {
        double area = height * width * (a->min_area + erand48(state) * (a->max_area - a->min_area));
        double low = log(1 / a->aspect), ratio = exp(low + erand48(state) * (log(a->aspect) - low));
        int w = (int)lround(sqrt(area * ratio)), h = (int)lround(sqrt(area / ratio));
        if (w > 0 && w <= width && h > 0 && h <= height)
            return (picture_part){(int)(nrand48(state) % (height - h + 1)), (int)(nrand48(state) % (width - w + 1)), h, w};
    }
    return (picture_part){0, 0, -1, -1};
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The largest distance of two empirical distributions of n numbers each, which become sorted. */
static double distance(double *a, double *b, int n)
{
    double worst = 0;
    qsort(a, (size_t)n, sizeof *a, ascending);
    qsort(b, (size_t)n, sizeof *b, ascending);
    for (int i = 0, j = 0; i < n && j < n;) {
        double x = a[i] < b[j] ? a[i] : b[j];
        while (i < n && a[i] <= x)
            ++i;
        while (j < n && b[j] <= x)
            ++j;
        worst = fmax(worst, fabs((double)(i - j)) / n);
    }
    return worst;
}

/* Area, shape and place of the parts are within their bounds and distributed as torchvision's. */
static void test_parts(void **state)
{
    (void)state;
    enum { N = 20000, MEASURES = 4, H = 300, W = 400 };
    static double found[MEASURES][N], want[MEASURES][N];
    unsigned short random[3] = {1, 2, 3};
    augmentation a = inception();
    for (int i = 0; i < N; ++i) {
        const picture_part parts[2] = {augment_part(&a, (uint64_t)i, H, W), drawn_otherwise(random, &a, H, W)};
        for (int k = 0; k < 2; ++k) {
            picture_part p = parts[k];
            double(*to)[N] = k ? want : found;
            to[0][i] = (double)p.height * p.width / (H * W);
            to[1][i] = log((double)p.width / p.height);
            to[2][i] = p.height < H ? (double)p.top / (H - p.height) : 0;
            to[3][i] = p.width < W ? (double)p.left / (W - p.width) : 0;
        }
        picture_part p = parts[0];
        assert_true(p.top >= 0 && p.left >= 0 && p.height > 0 && p.width > 0 && p.top + p.height <= H && p.left + p.width <= W);
        assert_true(found[0][i] > .08 * .98 && found[0][i] <= 1 && fabs(found[1][i]) < log(4. / 3) + .02); /* sides are whole */
    }
    for (int k = 0; k < MEASURES; ++k) {
        double d = distance(found[k], want[k], N);
        if (!(d < 1.95 * sqrt(2. / N))) /* Kolmogorov-Smirnov, one in a thousand */
            fail_msg("measure %d: distance %g", k, d);
    }
}

/* When no size fits: the largest allowed shape in the middle. */
static void test_parts_that_do_not_fit(void **state)
{
    (void)state;
    augmentation a = inception();
    a.min_area = .9;
    picture_part wide = augment_part(&a, 7, 12, 1000), narrow = augment_part(&a, 7, 1000, 12), one = augment_part(&a, 7, 1, 1);
    assert_true(wide.top == 0 && wide.height == 12 && wide.width == 16 && wide.left == 492);
    assert_true(narrow.left == 0 && narrow.width == 12 && narrow.height == 16 && narrow.top == 492);
    assert_true(one.top == 0 && one.left == 0 && one.height == 1 && one.width == 1);
}

/* ---------------------------------------------------------------- pictures */

static picture make_picture(int height, int width)
{
    picture p;
    unsigned short random[3] = {4, 5, 6};
    assert_int_equal(picture_allocate(&p, CHANNELS, height, width), STATUS_OK);
    for (int i = 0; i < CHANNELS * height * width; ++i)
        p.pixels[i] = (unsigned char)nrand48(random);
    return p;
}

static void expect_window(const picture *p, int top, int left, bool mirrored, const float *x)
{
    for (int c = 0; c < CHANNELS; ++c)
        for (int i = 0; i < HEIGHT; ++i)
            for (int j = 0; j < WIDTH; ++j) {
                int column = left + (mirrored ? WIDTH - 1 - j : j);
                float want = (float)p->pixels[((top + i) * p->width + column) * CHANNELS + c] / 255.f;
                if (x[(c * HEIGHT + i) * WIDTH + j] != want)
                    fail_msg("channel %d, row %d, column %d: %g instead of %g", c, i, j, (double)x[(c * HEIGHT + i) * WIDTH + j], (double)want);
            }
}

/* A part, scaled, and as it is or mirrored, when colours stay as they are. */
static void test_inception_without_colours(void **state)
{
    (void)state;
    picture p = make_picture(3 * HEIGHT, 2 * WIDTH), scaled;
    augmentation a = inception();
    float x[COUNT], y[COUNT];
    int mirrored = 0;
    for (uint64_t position = 0; position < 50; ++position) {
        picture_part part = augment_part(&a, position, p.height, p.width);
        a.flip = false;
        assert_int_equal(augment_inception(&a, position, &picture_tools_of_opencv, &p, shape, x), STATUS_OK);
        a.flip = true;
        assert_int_equal(augment_inception(&a, position, &picture_tools_of_opencv, &p, shape, y), STATUS_OK);
        assert_int_equal(picture_scale(&p, part, HEIGHT, WIDTH, &scaled), STATUS_OK);
        expect_window(&scaled, 0, 0, false, x);
        bool backwards = memcmp(x, y, sizeof x) != 0;
        expect_window(&scaled, 0, 0, backwards, y);
        mirrored += backwards;
        picture_free(&scaled);
    }
    assert_in_range(mirrored, 10, 40);
    picture_free(&p);
}

/* A picture that needs no scaling: 10 x 14 for an input of 5 x 7 and centre=.5, and one that is wider. */
static void test_crops(void **state)
{
    (void)state;
    static const int widths[] = {14, 17};
    const picture_view view = {.centred = true, .part = .5};
    float x[COUNT];
    for (int w = 0; w < 2; ++w) {
        int width = widths[w], bottom = 10 - HEIGHT, right = width - WIDTH;
        const int tops[] = {bottom / 2, 0, 0, bottom, bottom}, lefts[] = {right / 2, 0, right, 0, right};
        picture p = make_picture(10, width);
        for (int crop = 0; crop < PICTURE_CROPS; ++crop) {
            assert_int_equal(picture_see(&view, &picture_tools_of_opencv, &p, crop, shape, x), STATUS_OK);
            expect_window(&p, tops[crop % 5], lefts[crop % 5], crop >= 5, x);
        }
        picture_free(&p);
    }
}

/* Scaling keeps what is flat, and takes the average of what is fine; too long pictures are refused. */
static void test_scaling(void **state)
{
    (void)state;
    const picture_view view = {.centred = true, .part = 1};
    float x[COUNT];
    picture p = make_picture(4 * HEIGHT, 4 * WIDTH);
    assert_int_equal(picture_see(&view, &picture_tools_of_opencv, &p, 0, shape, x), STATUS_OK);
    for (int i = 0; i < HEIGHT; ++i)
        for (int j = 0; j < WIDTH; ++j) {
            int sum = 0;
            for (int k = 0; k < 16; ++k)
                sum += p.pixels[((4 * i + k / 4) * p.width + 4 * j + k % 4) * CHANNELS];
            assert_true(fabs((double)x[i * WIDTH + j] - sum / (16. * 255)) < .51 / 255);
        }
    picture_free(&p);
    p = make_picture(1, 40000);
    assert_int_equal(picture_see(&view, &picture_tools_of_opencv, &p, 0, shape, x), STATUS_FAILED);
    assert_string_equal(status_text(), "a picture of 1 x 40000 is too long for view=centre_crop");
    picture_free(&p);
}

/* ---------------------------------------------------------------- colours */

static const double luma_weights[3] = {.299, .587, .114};

static double luma(const float *x, int pixel)
{
    double sum = 0;
    for (int c = 0; c < 3; ++c)
        sum += luma_weights[c] * (double)x[c * PIXELS + pixel];
    return sum;
}

/* Not near 0 or 1, so that little is clipped. */
static void fill_colours(float *x)
{
    unsigned short random[3] = {7, 8, 9};
    for (int i = 0; i < COUNT; ++i)
        x[i] = (float)(.45 + .1 * erand48(random));
}

static void expect_near(const char *what, double found, double want)
{
    if (!(fabs(found - want) < 1e-6))
        fail_msg("%s: %.9g instead of %.9g", what, found, want);
}

static void test_colours(void **state)
{
    (void)state;
    float x[COUNT], y[COUNT], z[COUNT];
    fill_colours(x);
    memcpy(y, x, sizeof y);
    colour_apply(&(colour_change){.brightness = .2, .contrast = 1, .saturation = 1}, shape, y);
    for (int i = 0; i < COUNT; ++i)
        expect_near("brightness", (double)y[i], (double)x[i] + .2);
    memcpy(y, x, sizeof y);
    colour_apply(&(colour_change){.contrast = 1.5, .saturation = 1}, shape, y);
    for (int c = 0; c < 3; ++c) {
        double mean = 0;
        for (int i = 0; i < PIXELS; ++i)
            mean += (double)x[c * PIXELS + i] / PIXELS;
        for (int i = 0; i < PIXELS; ++i)
            expect_near("contrast", (double)y[c * PIXELS + i], mean + 1.5 * ((double)x[c * PIXELS + i] - mean));
    }
    memcpy(y, x, sizeof y);
    colour_apply(&(colour_change){.contrast = 1, .saturation = .3}, shape, y);
    for (int c = 0; c < 3; ++c)
        for (int i = 0; i < PIXELS; ++i)
            expect_near("saturation", (double)y[c * PIXELS + i], luma(x, i) + .3 * ((double)x[c * PIXELS + i] - luma(x, i)));
    memcpy(y, x, sizeof y);
    colour_apply(&(colour_change){.contrast = 1, .saturation = 1, .hue = .15}, shape, y);
    memcpy(z, y, sizeof z);
    for (int i = 0; i < PIXELS; ++i)
        expect_near("luma under hue", luma(y, i), luma(x, i));
    colour_apply(&(colour_change){.contrast = 1, .saturation = 1, .hue = .85}, shape, z);
    double moved = 0;
    for (int i = 0; i < COUNT; ++i) {
        expect_near("a whole turn of the hue", (double)z[i], (double)x[i]);
        moved = fmax(moved, fabs((double)y[i] - (double)x[i]));
    }
    assert_true(moved > .02);
    for (int i = 0; i < PIXELS; ++i) /* by half a turn I and Q, differences to luma, change their sign */
        for (int c = 0; c < 3; ++c)
            z[c * PIXELS + i] = (float)(2 * luma(x, i) - (double)x[c * PIXELS + i]);
    memcpy(y, x, sizeof y);
    colour_apply(&(colour_change){.contrast = 1, .saturation = 1, .hue = .5}, shape, y);
    for (int i = 0; i < COUNT; ++i)
        expect_near("half a turn of the hue", (double)y[i], (double)z[i]);
}

/* Grey has no hue; everything ends in 0..1; one channel is treated as grey. */
static void test_colours_at_their_ends(void **state)
{
    (void)state;
    float x[COUNT], grey[PIXELS];
    fill_colours(x);
    for (int i = 0; i < PIXELS; ++i)
        grey[i] = x[PIXELS + i] = x[2 * PIXELS + i] = x[i];
    const colour_change change = {.brightness = -.05, .contrast = .6, .saturation = 1.5, .hue = .2};
    colour_apply(&change, shape, x);
    colour_apply(&change, (tensor_shape){1, HEIGHT, WIDTH}, grey);
    for (int i = 0; i < COUNT; ++i)
        expect_near("grey", (double)x[i], (double)grey[i % PIXELS]);
    for (int end = -1; end <= 1; end += 2) {
        fill_colours(x);
        colour_apply(&(colour_change){.brightness = .9 * end, .contrast = 1.5, .saturation = 1.5, .hue = .2}, shape, x);
        for (int i = 0; i < COUNT; ++i)
            assert_true(x[i] == (end > 0 ? 1.f : 0.f));
    }
}

/* Luma, length and angle (turns) of the chroma of the first pixel. */
static void measure_colour(const float *x, double colour[3])
{
    double r = (double)x[0], g = (double)x[PIXELS], b = (double)x[2 * PIXELS];
    double i = .596 * r - .274 * g - .322 * b, q = .211 * r - .523 * g + .312 * b;
    colour[0] = luma(x, 0);
    colour[1] = hypot(i, q);
    colour[2] = atan2(q, i) / (2 * M_PI);
}

/* What is drawn for a flat picture: brightness moves the luma, saturation the length of the chroma, hue its angle, each up to its key and not
 * further, and nothing else; contrast leaves what is flat alone. */
static void test_colours_that_are_drawn(void **state)
{
    (void)state;
    enum { DRAWS = 400 };
    const double strength = .1;
    picture p;
    assert_int_equal(picture_allocate(&p, CHANNELS, HEIGHT, WIDTH), STATUS_OK);
    for (int i = 0; i < CHANNELS * PIXELS; ++i)
        p.pixels[i] = "\x8c\x78\x64"[i % CHANNELS];
    float x[COUNT];
    double before[3], after[3];
    augmentation a = inception();
    assert_int_equal(augment_inception(&a, 0, &picture_tools_of_opencv, &p, shape, x), STATUS_OK);
    measure_colour(x, before);
    for (int key = 0; key < 4; ++key) {
        a.brightness = key == 0 ? strength : 0;
        a.saturation = key == 1 ? strength : 0;
        a.hue = key == 2 ? strength : 0;
        a.contrast = key == 3 ? strength : 0;
        double low = 1, high = -1;
        for (uint64_t position = 0; position < DRAWS; ++position) {
            assert_int_equal(augment_inception(&a, position, &picture_tools_of_opencv, &p, shape, x), STATUS_OK);
            measure_colour(x, after);
            const double change[4] = {after[0] - before[0], after[1] / before[1] - 1, after[2] - before[2], 0};
            for (int k = 0; k < 3; ++k)
                if (k != key && !(fabs(change[k]) < 1e-5))
                    fail_msg("key %d changes measure %d by %g", key, k, change[k]);
            low = fmin(low, change[key]);
            high = fmax(high, change[key]);
        }
        if (key < 3 && !(low >= -strength - 1e-5 && low < -.95 * strength && high <= strength + 1e-5 && high > .95 * strength))
            fail_msg("key %d: changes of %g .. %g", key, low, high);
    }
    picture_free(&p);
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

/* ---------------------------------------------------------------- ten crops */

enum { PICTURES = 6, CLASSES = 3, TALL = 10, LONG = 14 };

static picture_tools counting;
static int pictures_read;

static status read_and_count(const char *path, int channels, picture *p)
{
#pragma omp atomic
    ++pictures_read;
    return picture_read(path, channels, p);
}

static void put_picture(int number, picture *p)
{
    char name[32];
    *p = make_picture(TALL, LONG);
    for (int i = 0; i < CHANNELS * TALL * LONG; ++i)
        p->pixels[i] = (unsigned char)(p->pixels[i] * (number + 1));
    snprintf(name, sizeof name, "%d-%c.png", number, "abc"[number % CLASSES]);
    assert_int_equal(picture_write(name, p), STATUS_OK);
}

/* y = W x + b of one crop, in double. */
static void outputs_of(plugin_network *net, const float *x, double *y)
{
    const float *weights = NULL, *biases = NULL;
    GRAPH_ARRAYS(plugin_graph(net), a)
    *(a->count == CLASSES ? &biases : &weights) = a->value;
    for (int k = 0; k < CLASSES; ++k) {
        y[k] = (double)biases[k];
        for (int i = 0; i < COUNT; ++i)
            y[k] += (double)weights[k * COUNT + i] * (double)x[i];
    }
}

/* The mean of the probabilities of so many crops. */
static void probabilities_of(plugin_network *net, const picture *p, int crops, double *mean)
{
    const picture_view view = {.centred = true, .part = .5};
    float x[COUNT];
    double y[CLASSES];
    memset(mean, 0, CLASSES * sizeof *mean);
    for (int crop = 0; crop < crops; ++crop) {
        double sum = 0;
        assert_int_equal(picture_see(&view, &picture_tools_of_opencv, p, crop, shape, x), STATUS_OK);
        outputs_of(net, x, y);
        for (int k = 0; k < CLASSES; ++k)
            sum += exp(y[k]);
        for (int k = 0; k < CLASSES; ++k)
            mean[k] += exp(y[k]) / sum / crops;
    }
}

static void test_ten_crops(void **state)
{
    (void)state;
    plugin_network *net = plugin_from_text(
        NULL, "[net]\nheight=5\nwidth=7\nchannels=3\nbatch=1\n[connected]\noutput=3\nactivation=linear\n[sobolev]\norder=0\n");
    picture pictures[PICTURES];
    char list[PICTURES * 16] = "";
    names_file names;
    for (int i = 0; i < PICTURES; ++i) {
        put_picture(i, &pictures[i]);
        sprintf(list + strlen(list), "%d-%c.png\n", i, "abc"[i % CLASSES]);
    }
    file_put("all.list", list, strlen(list));
    file_put("abc.names", "-a\n-b\n-c\n", 9);
    assert_int_equal(names_file_read("abc.names", &names), STATUS_OK);
    counting = (picture_tools){read_and_count, picture_scale};
    stream_request r = {.path = "all.list", .inputs = COUNT, .outputs = CLASSES, .input = shape, .needs_labels = true};
    r.pictures = &counting;
    r.view = (picture_view){true, .5};
    sample_stream *s;
    sample_set set;
    evaluator *e;
    if (stream_images_open(&s, &r, &names) != STATUS_OK)
        fail_msg("%s", status_text());
    assert_int_equal(s->crops, PICTURE_CROPS);
    assert_int_equal(split_all(s, &set), STATUS_OK);
    assert_int_equal(evaluator_create(&e, net, 0), STATUS_OK);
    evaluator_compare_classes(e, true, 2);
    double kl[2];
    for (int ten = 0; ten < 2; ++ten) {
        evaluation found;
        double wrong = 0, not_in_two = 0;
        int crops = ten ? PICTURE_CROPS : 1;
        kl[ten] = 0;
        for (int i = 0; i < PICTURES; ++i) {
            double mean[CLASSES], right;
            int larger = 0;
            probabilities_of(net, &pictures[i], crops, mean);
            right = mean[i % CLASSES];
            for (int k = 0; k < CLASSES; ++k)
                larger += mean[k] > right;
            wrong += (larger > 0) / (double)PICTURES;
            not_in_two += (larger > 1) / (double)PICTURES;
            kl[ten] -= log(right) / PICTURES;
        }
        pictures_read = 0;
        assert_int_equal(evaluator_run_crops(e, &set, crops, &found), STATUS_OK);
        assert_int_equal(pictures_read, crops * PICTURES);
        assert_true(fabs(found.error - wrong) < 1e-12 && fabs(found.top_error - not_in_two) < 1e-12);
        if (!(fabs(found.kl - kl[ten]) < 1e-5))
            fail_msg("%d crops: kl %.9g instead of %.9g", crops, found.kl, kl[ten]);
        if (!ten) { /* one crop is what tests measure anyway */
            evaluation usual;
            assert_int_equal(evaluator_run_streamed(e, &set, &usual), STATUS_OK);
            assert_true(fabs(usual.kl - found.kl) < 1e-9 && usual.error == found.error && usual.top_error == found.top_error);
        }
    }
    assert_true(fabs(kl[0] - kl[1]) > 1e-3);
    evaluator_free(e);
    free(set.samples);
    stream_free(s);
    names_file_free(&names);
    for (int i = 0; i < PICTURES; ++i)
        picture_free(&pictures[i]);
    plugin_free(net);
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, folder_enter, folder_leave)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pad_crop), cmocka_unit_test(test_flip_and_padding_alone), cmocka_unit_test(test_positions),
        cmocka_unit_test(test_parts),    cmocka_unit_test(test_parts_that_do_not_fit),  cmocka_unit_test(test_inception_without_colours),
        cmocka_unit_test(test_crops),    cmocka_unit_test(test_scaling),                cmocka_unit_test(test_colours),
        cmocka_unit_test(test_colours_at_their_ends),                                   cmocka_unit_test(test_colours_that_are_drawn),
        IN_A_FOLDER(test_loader),        IN_A_FOLDER(test_tests_are_left_alone),        IN_A_FOLDER(test_ten_crops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
