#include "data/picture_view.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/augment.h"
#include "data/image_files.h"

static const double default_part = .875;
enum { LONGEST_SIDE = 1 << 15 };

picture_view picture_view_read(const section *data)
{
    bool inception = option_given(data, "augment") && option_choice(data, "augment") == AUGMENT_INCEPTION;
    return (picture_view){
        .centred = option_choice_or(data, "view", inception) == 1,
        .part = option_real_or(data, "centre", default_part),
    };
}

void picture_window(const picture *p, int top, int left, bool mirrored, tensor_shape shape, float *x)
{
    const size_t channels = (size_t)p->channels, width = (size_t)shape.width;
    for (size_t c = 0; c < channels; ++c)
        for (int i = 0; i < shape.height; ++i, x += width) {
            const unsigned char *from = p->pixels + ((size_t)(top + i) * (size_t)p->width + (size_t)left) * channels + c;
            for (size_t j = 0; j < width; ++j)
                x[mirrored ? width - 1 - j : j] = (float)from[j * channels] / 255.f;
        }
}

/* Height and width of the picture when it just covers `height` x `width`. */
static status cover(const picture *p, int height, int width, int *scaled_height, int *scaled_width)
{
    bool narrow = (long)p->width * height < (long)p->height * width;
    long h = narrow ? (long)p->height * width / p->width : height, w = narrow ? width : (long)p->width * height / p->height;
    *scaled_height = (int)h;
    *scaled_width = (int)w;
    if (h <= LONGEST_SIDE && w <= LONGEST_SIDE)
        return STATUS_OK;
    return status_fail(STATUS_FAILED, "a picture of %d x %d is too long for view=centre_crop", p->height, p->width);
}

/* Where a crop of `size` pixels begins along one side. */
static int crop_start(int side, int size, bool middle, bool far)
{
    return middle ? (side - size) / 2 : far ? side - size : 0;
}

static status see_crop(const picture_view *v, const picture_tools *tools, const picture *p, int crop, tensor_shape shape, float *x)
{
    int height, width, place = crop % (PICTURE_CROPS / 2);
    picture scaled;
    status s = cover(p, (int)lround(shape.height / v->part), (int)lround(shape.width / v->part), &height, &width);
    if (s == STATUS_OK)
        s = tools->scale(p, (picture_part){0, 0, p->height, p->width}, height, width, &scaled);
    if (s != STATUS_OK)
        return s;
    int top = crop_start(height, shape.height, place == 0, place > 2), left = crop_start(width, shape.width, place == 0, place % 2 == 0);
    picture_window(&scaled, top, left, crop >= PICTURE_CROPS / 2, shape, x);
    picture_free(&scaled);
    return STATUS_OK;
}

static status see_whole(const picture *p, tensor_shape shape, float *x)
{
    double *numbers = malloc(shape_count(shape) * sizeof *numbers);
    status s = numbers ? picture_letterbox(p, shape, numbers) : status_fail(STATUS_NO_MEMORY, "out of memory (pictures)");
    for (size_t i = 0; s == STATUS_OK && i < shape_count(shape); ++i)
        x[i] = (float)numbers[i];
    free(numbers);
    return s;
}

status picture_see(const picture_view *v, const picture_tools *tools, const picture *p, int crop, tensor_shape shape, float *x)
{
    if (p->channels != shape.channels)
        return status_fail(STATUS_FAILED, "a picture of %d channels for a network that takes %d", p->channels, shape.channels);
    return v->centred ? see_crop(v, tools, p, crop, shape, x) : see_whole(p, shape, x);
}
