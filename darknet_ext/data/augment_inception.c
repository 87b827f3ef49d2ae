#include "data/augment_inception.h"

#include <math.h>

#include "data/augment_draw.h"
#include "data/colour.h"
#include "data/picture_view.h"

/* Sizes that are tried; their random numbers have a stream of their own, with so many words for each position. */
enum { ATTEMPTS = 10, SIZE_WORDS = 32 };

/* The size that is tried as number `attempt`. */
static void draw_size(const augmentation *a, uint64_t position, int attempt, double pixels, int *height, int *width)
{
    random_stream sizes = {a->seed, RANDOM_AUGMENT, 1};
    uint64_t word = position * SIZE_WORDS + 2 * (uint64_t)attempt;
    double area = pixels * (a->min_area + (a->max_area - a->min_area) * random_one(sizes, word));
    double ratio = exp(log(a->aspect) * (2 * random_one(sizes, word + 1) - 1));
    *width = (int)lround(sqrt(area * ratio));
    *height = (int)lround(sqrt(area / ratio));
}

static picture_part middle_part(const augmentation *a, int height, int width)
{
    picture_part part = {.height = height, .width = width};
    if (width > height * a->aspect)
        part.width = (int)lround(height * a->aspect);
    else if (height > width * a->aspect)
        part.height = (int)lround(width * a->aspect);
    part.top = (height - part.height) / 2;
    part.left = (width - part.width) / 2;
    return part;
}

picture_part augment_part(const augmentation *a, uint64_t position, int height, int width)
{
    picture_part part;
    for (int attempt = 0; attempt < ATTEMPTS; ++attempt) {
        draw_size(a, position, attempt, (double)height * width, &part.height, &part.width);
        if (part.height < 1 || part.width < 1 || part.height > height || part.width > width)
            continue;
        part.top = draw_below(a, position, WORD_ROW, height - part.height + 1);
        part.left = draw_below(a, position, WORD_COLUMN, width - part.width + 1);
        return part;
    }
    return middle_part(a, height, width);
}

static colour_change draw_colours(const augmentation *a, uint64_t position)
{
    return (colour_change){
        .brightness = draw_between(a, position, WORD_BRIGHTNESS, -a->brightness, a->brightness),
        .contrast = draw_between(a, position, WORD_CONTRAST, 1 - a->contrast, 1 + a->contrast),
        .saturation = draw_between(a, position, WORD_SATURATION, 1 - a->saturation, 1 + a->saturation),
        .hue = draw_between(a, position, WORD_HUE, -a->hue, a->hue),
    };
}

status augment_inception(const augmentation *a, uint64_t position, const picture_tools *tools, const picture *p, tensor_shape shape, float *x)
{
    picture scaled;
    colour_change colours = draw_colours(a, position);
    status s = tools->scale(p, augment_part(a, position, p->height, p->width), shape.height, shape.width, &scaled);
    if (s != STATUS_OK)
        return s;
    bool recoloured = a->brightness > 0 || a->contrast > 0 || a->saturation > 0 || a->hue > 0;
    picture_window(&scaled, 0, 0, draws_flip(a, position), shape, x);
    picture_free(&scaled);
    if (recoloured)
        colour_apply(&colours, shape, x);
    return STATUS_OK;
}
