#include "data/augment.h"

#include <stdio.h>
#include <string.h>

#include "core/random.h"
#include "data/domain.h"

/* ---------------------------------------------------------------- what is asked for */

static bool flag_or(const section *data, const char *key, bool fallback)
{
    return option_given(data, key) ? option_boolean(data, key) : fallback;
}

static long integer_or(const section *data, const char *key, long fallback)
{
    return option_given(data, key) ? option_integer(data, key) : fallback;
}

status augment_read(augmentation *a, const section *data, const char *path, tensor_shape shape, uint64_t seed)
{
    char text[160];
    *a = (augmentation){.kind = option_given(data, "augment") ? (augment_kind)option_choice(data, "augment") : AUGMENT_NONE, .seed = seed};
    if (a->kind == AUGMENT_NONE)
        return STATUS_OK;
    a->flip = flag_or(data, "flip", true);
    a->padding = (int)integer_or(data, "padding", 4);
    if (shape.height * shape.width < 2)
        return data_fail(data, path, "augment", "augment= needs images: [net] with height, width and channels");
    int side = shape.height < shape.width ? shape.height : shape.width;
    if (a->padding < side)
        return STATUS_OK;
    snprintf(text, sizeof text, "padding=%d could leave nothing of a picture of %d x %d", a->padding, shape.height, shape.width);
    return data_fail(data, path, "padding", text);
}

/* ---------------------------------------------------------------- what is drawn */

/* Words of the random stream: so many for each position, of which these are used. */
enum { WORDS = 8, WORD_FLIP = 0, WORD_ROW, WORD_COLUMN };

/* In (0,1). */
static double draw(const augmentation *a, uint64_t position, int word)
{
    return random_one((random_stream){a->seed, RANDOM_AUGMENT, 0}, position * WORDS + (uint64_t)word);
}

/* A whole number of 0 .. n-1. */
static int draw_below(const augmentation *a, uint64_t position, int word, int n)
{
    return (int)(draw(a, position, word) * n);
}

static bool draws_flip(const augmentation *a, uint64_t position)
{
    return a->flip && draw(a, position, WORD_FLIP) < .5;
}

/* ---------------------------------------------------------------- pad and crop */

/* y(j) = x(j + shift), 0 beyond both ends; y backwards when mirrored. */
static void shift_row(const float *x, int width, int shift, bool mirrored, float *y)
{
    for (int j = 0; j < width; ++j) {
        int from = j + shift;
        y[mirrored ? width - 1 - j : j] = from >= 0 && from < width ? x[from] : 0;
    }
}

void augment_pad_crop(const augmentation *a, uint64_t position, tensor_shape shape, const float *x, float *y)
{
    int places = 2 * a->padding + 1, down = draw_below(a, position, WORD_ROW, places) - a->padding;
    int right = draw_below(a, position, WORD_COLUMN, places) - a->padding;
    bool mirrored = draws_flip(a, position);
    size_t width = (size_t)shape.width, plane = width * (size_t)shape.height;
    for (int c = 0; c < shape.channels; ++c, x += plane, y += plane)
        for (int i = 0; i < shape.height; ++i) {
            int from = i + down;
            float *row = y + (size_t)i * width;
            if (from >= 0 && from < shape.height)
                shift_row(x + (size_t)from * width, shape.width, right, mirrored, row);
            else
                memset(row, 0, width * sizeof *row);
        }
}
