/* Writes HDF5 files of samples for program_stream.bats:  make_samples KIND FILE [chunk, compressed; 0: contiguous] [points of a function]
 *     frames     300 frames of 8 x 8 in episodes of 1 to 40, with logits of two actions: the newest frame is bright, or it is not
 *     unlabelled the same without the logits
 *     classes    the same frames as x, with a label; none: with labels that are not given
 *     nan        x of float with a number that is not one; unordered: episodes that decrease; beyond: a class too many
 *     curved     points (600) of f(a, b) = a^2 b + 3 b with its gradient and Hessian; along: the same with two directions v, J v and H v
 *     bytes      the frames as x of one axis, with y and a gradient of zeros; crooked: whose axes are exchanged, and jvp without v
 *     points     x alone: three numbers, around 100, 0 and .0005; filtered: by a filter that readers do not have
 *     scalar     x is a single number; parts, wide: episodes that are no integers, or of more than 32 bits */
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "make_samples.h"

enum { N = 300, SIDE = 8, PIXELS = SIDE * SIDE };

static unsigned char frames[N][PIXELS];
static float x[N][PIXELS], y[N][2];
static int label[N], episode[N];

/* A small generator of its own: the files are the same everywhere. */
static unsigned random_bits(void)
{
    static unsigned state = 12345;
    state = state * 1664525 + 1013904223;
    return state >> 16;
}

static void fill(void)
{
    for (int i = 0, number = 0, left = 1; i < N; ++i, --left) {
        if (left == 0) {
            ++number;
            left = 1 + (int)(random_bits() % 40);
        }
        episode[i] = number;
        label[i] = (int)(random_bits() & 1);
        for (int k = 0; k < PIXELS; ++k) {
            frames[i][k] = (unsigned char)((label[i] ? 128 : 0) + (int)(random_bits() % 128));
            x[i][k] = (float)frames[i][k] / 255;
        }
        y[i][0] = label[i] ? -1 : 1;
        y[i][1] = -y[i][0];
    }
}

static int put_episodes(hid_t file, const char *kind)
{
    const hsize_t n = N;
    static double numbers[N];
    bool parts = strcmp(kind, "parts") == 0, wide = strcmp(kind, "wide") == 0;
    for (int i = 0; i < N; ++i)
        numbers[i] = parts ? episode[i] + .5 : episode[i] + 4e9;
    if (!parts && !wide)
        return samples_put_integers(file, "episode", N, episode);
    return samples_put_as(file, "episode", 1, &n, parts ? H5T_IEEE_F64LE : H5T_STD_I64LE, H5T_NATIVE_DOUBLE, numbers, (sample_layout){0});
}

/* ---------------------------------------------------------------- a function of two inputs */

enum { MOST_POINTS = 40000, R = 2 };

static void put_direction(double a, double b, int i, int r, float v[2], float *weight, float *jvp, float hvp[2])
{
    const double p = cos(2.3 * i + r), q = sin(2.3 * i + r);
    v[0] = (float)p;
    v[1] = (float)q;
    *weight = (float)(1 + i % 2);
    *jvp = (float)(2 * a * b * p + (a * a + 3) * q);
    hvp[0] = (float)(2 * b * p + 2 * a * q);
    hvp[1] = (float)(2 * a * p);
}

static int put_function(hid_t file, int points, bool along, sample_layout layout)
{
    static float in[MOST_POINTS][2], f[MOST_POINTS], gradient[MOST_POINTS][2], hessian[MOST_POINTS][2][2];
    static float v[MOST_POINTS][R][2], weight[MOST_POINTS][R], jvp[MOST_POINTS][R], hvp[MOST_POINTS][R][2];
    const hsize_t n = (hsize_t)points;
    for (int i = 0; i < points; ++i) {
        const double a = 2 * sin(i), b = 5 + cos(1.7 * i);
        in[i][0] = (float)a;
        in[i][1] = (float)b;
        f[i] = (float)(a * a * b + 3 * b);
        gradient[i][0] = (float)(2 * a * b);
        gradient[i][1] = (float)(a * a + 3);
        hessian[i][0][0] = (float)(2 * b);
        hessian[i][0][1] = hessian[i][1][0] = (float)(2 * a);
        for (int r = 0; r < R; ++r)
            put_direction(a, b, i, r, v[i][r], &weight[i][r], &jvp[i][r], hvp[i][r]);
    }
    const struct {
        const char *name;
        int rank;
        hsize_t sizes[4];
        const void *numbers;
        bool always, along;
    } parts[] = {
        {"x", 2, {n, 2}, in, true, false},        {"y", 1, {n}, f, true, false},          {"dydx", 2, {n, 2}, gradient, false, false},
        {"d2ydx2", 3, {n, 2, 2}, hessian, false, false}, {"v", 3, {n, R, 2}, v, false, true},   {"v_weight", 2, {n, R}, weight, false, true},
        {"jvp", 2, {n, R}, jvp, false, true},     {"hvp", 3, {n, R, 2}, hvp, false, true},
    };
    int failed = 0;
    for (size_t k = 0; k < sizeof parts / sizeof *parts; ++k)
        if (parts[k].always || parts[k].along == along)
            failed |= samples_put_as(file, parts[k].name, parts[k].rank, parts[k].sizes, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, parts[k].numbers, layout);
    return failed;
}

static size_t unchanged(unsigned flags, size_t n_values, const unsigned values[], size_t bytes, size_t *size, void **buffer)
{
    (void)flags, (void)n_values, (void)values, (void)size, (void)buffer;
    return bytes;
}

/* A filter that nobody else has, by the number and the name of h5py's. */
static H5Z_filter_t foreign_filter(void)
{
    const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 32000, 1, 1, "lzf", NULL, NULL, unchanged};
    return H5Zregister(&filter) < 0 ? 0 : filter.id;
}

static int put_points(hid_t file, sample_layout layout)
{
    static float points[N][3];
    const hsize_t sizes[] = {N, 3};
    for (int i = 0; i < N; ++i) {
        points[i][0] = 60 + 80 * (float)random_bits() / 65536;
        points[i][1] = (float)random_bits() / 65536 - .5f;
        points[i][2] = .001f * (float)random_bits() / 65536;
    }
    return samples_put_as(file, "x", 2, sizes, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, points, layout);
}

int main(int argc, char **argv)
{
    const hsize_t frame_sizes[] = {N, SIDE, SIDE}, x_sizes[] = {N, 1, SIDE, SIDE}, flat[] = {N, PIXELS}, y_sizes[] = {N, 2};
    if (argc < 3)
        return 2;
    const char *kind = argv[1];
    const sample_layout layout = {.chunk = argc > 3 ? (hsize_t)atoi(argv[3]) : 0, .compress = argc > 3 && atoi(argv[3]) > 0};
    int failed = 0;
    fill();
    hid_t file = samples_create(argv[2]);
    bool none = strcmp(kind, "none") == 0;
    if (strcmp(kind, "classes") == 0 || strcmp(kind, "beyond") == 0 || none) {
        for (int i = 0; i < N && none; ++i)
            label[i] = -1;
        label[7] += strcmp(kind, "beyond") == 0 ? 2 : 0;
        failed |= samples_put_bytes(file, "x", 4, x_sizes, *frames, layout) | samples_put_integers(file, "label", N, label);
    } else if (strcmp(kind, "nan") == 0) {
        x[123][45] = NAN;
        failed |= samples_put_floats(file, "x", 2, flat, *x) | samples_put_floats(file, "y", 2, y_sizes, *y);
    } else if (strcmp(kind, "curved") == 0 || strcmp(kind, "along") == 0) {
        failed |= put_function(file, argc > 4 ? atoi(argv[4]) : 600, strcmp(kind, "along") == 0, layout);
    } else if (strcmp(kind, "bytes") == 0 || strcmp(kind, "crooked") == 0) {
        static const float gradient[N][2 * PIXELS];
        const bool crooked = strcmp(kind, "crooked") == 0;
        const hsize_t gradient_sizes[] = {N, crooked ? PIXELS : 2, crooked ? 2 : PIXELS};
        failed |= samples_put_bytes(file, "x", 2, flat, *frames, layout) | samples_put_floats(file, "y", 2, y_sizes, *y) |
                  samples_put_floats(file, "dydx", 3, gradient_sizes, *gradient);
        if (crooked)
            failed |= samples_put_floats(file, "jvp", 2, y_sizes, *y);
    } else if (strcmp(kind, "points") == 0) {
        failed |= put_points(file, layout);
    } else if (strcmp(kind, "filtered") == 0) {
        failed |= put_points(file, (sample_layout){.chunk = 50, .filter = foreign_filter()});
    } else if (strcmp(kind, "scalar") == 0) {
        failed |= samples_put_floats(file, "x", 0, flat, *x) | samples_put_floats(file, "y", 2, y_sizes, *y);
    } else {
        if (strcmp(kind, "unordered") == 0)
            episode[N - 1] = 0;
        failed |= samples_put_bytes(file, "frames", 3, frame_sizes, *frames, layout) | put_episodes(file, kind);
        if (strcmp(kind, "unlabelled") != 0)
            failed |= samples_put_floats(file, "y", 2, y_sizes, *y);
    }
    return H5Fclose(file) < 0 || failed;
}
