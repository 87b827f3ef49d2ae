/* A file of frames in episodes, whose pixels and labels are formulas, for tests of samples that are read in pieces. Include after cmocka.h. */
#ifndef DNX_TESTS_FRAMES_FIXTURE_H
#define DNX_TESTS_FRAMES_FIXTURE_H

#include <math.h>

#include "data/sample_stream.h"
#include "make_samples.h"

enum { FRAMES = 40, SIDE = 6, PIXELS = SIDE * SIDE, HISTORY = 4, ACTIONS = 3 };

static const hsize_t frame_sizes[3] = {FRAMES, SIDE, SIDE};
static const sample_layout contiguous = {0}, chunked = {.chunk = 7}, compressed = {.chunk = 7, .compress = 1};

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

#endif
