#include "data/augment.h"

#include <stdio.h>
#include <string.h>

#include "data/augment_draw.h"
#include "data/domain.h"

/* ---------------------------------------------------------------- what is asked for */

static status read_inception(augmentation *a, const section *data, const char *path)
{
    char text[160];
    a->min_area = option_real_or(data, "min_area", .08);
    a->max_area = option_real_or(data, "max_area", 1);
    a->aspect = option_real_or(data, "aspect", 4. / 3);
    a->brightness = option_real_or(data, "brightness", 32. / 255);
    a->contrast = option_real_or(data, "contrast", .5);
    a->saturation = option_real_or(data, "saturation", .5);
    a->hue = option_real_or(data, "hue", .2);
    if (a->min_area <= a->max_area) /* one of them may be the default */
        return STATUS_OK;
    snprintf(text, sizeof text, "min_area=%g is above max_area=%g", a->min_area, a->max_area);
    return data_fail(data, path, option_given(data, "min_area") ? "min_area" : "max_area", text);
}

static status read_pad_crop(augmentation *a, const section *data, const char *path, tensor_shape shape)
{
    char text[160];
    int side = shape.height < shape.width ? shape.height : shape.width;
    a->padding = (int)option_integer_or(data, "padding", 4);
    if (a->padding < side)
        return STATUS_OK;
    snprintf(text, sizeof text, "padding=%d could leave nothing of a picture of %d x %d", a->padding, shape.height, shape.width);
    return data_fail(data, path, "padding", text);
}

status augment_read(augmentation *a, const section *data, const char *path, tensor_shape shape, uint64_t seed)
{
    *a = (augmentation){.kind = (augment_kind)option_choice_or(data, "augment", AUGMENT_NONE), .seed = seed};
    if (a->kind == AUGMENT_NONE)
        return STATUS_OK;
    a->flip = option_boolean_or(data, "flip", true);
    if (shape.height * shape.width < 2)
        return data_fail(data, path, "augment", "augment= needs images: [net] with height, width and channels");
    return a->kind == AUGMENT_INCEPTION ? read_inception(a, data, path) : read_pad_crop(a, data, path, shape);
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
