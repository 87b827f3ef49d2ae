/* Writes HDF5 files of samples for program_stream.bats:  make_samples KIND FILE [chunk, compressed; 0: contiguous]
 *     frames     300 frames of 8 x 8 in episodes of 1 to 40, with logits of two actions: the newest frame is bright, or it is not
 *     unlabelled the same without the logits
 *     classes    the same frames as x, with a label
 *     nan        x of float with a number that is not one; unordered: episodes that decrease; beyond: a class too many
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
    return samples_put_as(file, "episode", 1, &n, parts ? H5T_IEEE_F64LE : H5T_STD_I64LE, H5T_NATIVE_DOUBLE, numbers, (sample_layout){0, 0});
}

int main(int argc, char **argv)
{
    const hsize_t frame_sizes[] = {N, SIDE, SIDE}, x_sizes[] = {N, 1, SIDE, SIDE}, flat[] = {N, PIXELS}, y_sizes[] = {N, 2};
    if (argc < 3)
        return 2;
    const char *kind = argv[1];
    const sample_layout layout = {argc > 3 ? (hsize_t)atoi(argv[3]) : 0, argc > 3 && atoi(argv[3]) > 0};
    int failed = 0;
    fill();
    hid_t file = samples_create(argv[2]);
    if (strcmp(kind, "classes") == 0 || strcmp(kind, "beyond") == 0) {
        label[7] += strcmp(kind, "beyond") == 0 ? 2 : 0;
        failed |= samples_put_bytes(file, "x", 4, x_sizes, *frames, layout) | samples_put_integers(file, "label", N, label);
    } else if (strcmp(kind, "nan") == 0) {
        x[123][45] = NAN;
        failed |= samples_put_floats(file, "x", 2, flat, *x) | samples_put_floats(file, "y", 2, y_sizes, *y);
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
