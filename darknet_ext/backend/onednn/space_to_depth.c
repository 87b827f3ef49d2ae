#include "backend/onednn/convolution.h"
#include "core/hot.h"

#include <string.h>

/* How an image and its inner image fit together. */
typedef struct geometry {
    tensor_layout image, inner;
    int cell, pad;
} geometry;

/* Row i of the squares of channel c, for one row of inner pixels: `cell` neighbouring pixels are neighbouring channels. */
typedef struct strip {
    real *image;       /* pixel 0 of the row; NULL: a row of the padding */
    size_t image_step; /* between pixels */
    real *inner;       /* at inner pixel 0 */
    size_t inner_step; /* between inner pixels */
    int width, inner_width, cell, pad;
} strip;

typedef enum strip_action { TO_DEPTH, TO_SPACE, ADD_TO_SPACE } strip_action;

static strip strip_at(const geometry *g, real *image, real *inner, int a, int c, int i)
{
    const int row = a * g->cell + i - g->pad;
    const bool inside = row >= 0 && row < g->image.shape.height;
    const size_t channel = (size_t)((c * g->cell + i) * space_to_depth_run(g->cell));
    return (strip){
        .image = inside ? image + layout_at(g->image, (size_t)c, (size_t)row * (size_t)g->image.shape.width) : NULL,
        .image_step = (size_t)g->image.block,
        .inner = inner + layout_at(g->inner, channel, (size_t)a * (size_t)g->inner.shape.width),
        .inner_step = (size_t)g->inner.block,
        .width = g->image.shape.width,
        .inner_width = g->inner.shape.width,
        .cell = g->cell,
        .pad = g->pad,
    };
}

DNX_ALWAYS_INLINE void move_element(real *image, real *inner, strip_action action)
{
    if (action == TO_DEPTH)
        *inner = *image;
    else if (action == TO_SPACE)
        *image = *inner;
    else
        *image += *inner;
}

/* Inner pixel b, which may hang over the rim of the image. */
DNX_ALWAYS_INLINE void move_rim(const strip *s, int b, strip_action action)
{
    for (int j = 0; j < s->cell; j++) {
        const int column = b * s->cell + j - s->pad;
        real *inner = s->inner + (size_t)b * s->inner_step + j;
        if (column >= 0 && column < s->width)
            move_element(s->image + (size_t)column * s->image_step, inner, action);
        else if (action == TO_DEPTH)
            *inner = 0;
    }
}

/* Inner pixels first..last-1, which lie inside. */
DNX_ALWAYS_INLINE void move_inside(const strip *s, int first, int last, int cell, size_t image_step, strip_action action)
{
    real *restrict image = s->image + (size_t)(first * cell - s->pad) * image_step, *restrict inner = s->inner + (size_t)first * s->inner_step;
    for (int b = first; b < last; b++, image += (size_t)cell * image_step, inner += s->inner_step)
        for (int j = 0; j < cell; j++)
            move_element(image + (size_t)j * image_step, inner + j, action);
}

/* The cells and the step that most networks have are known to the compiler. */
DNX_ALWAYS_INLINE void move_strip(const strip *s, strip_action action)
{
    const int whole = (s->width + s->pad) / s->cell, last = whole < s->inner_width ? whole : s->inner_width;
    const int begin = (s->pad + s->cell - 1) / s->cell, first = begin < last ? begin : last;
    for (int b = 0; b < first; b++)
        move_rim(s, b, action);
    if (first < last && s->cell == 4 && s->image_step == 1)
        move_inside(s, first, last, 4, 1, action);
    else if (first < last && s->cell == 2 && s->image_step == 1)
        move_inside(s, first, last, 2, 1, action);
    else if (first < last)
        move_inside(s, first, last, s->cell, s->image_step, action);
    for (int b = last; b < s->inner_width; b++)
        move_rim(s, b, action);
}

static void clear_strip(const strip *s)
{
    for (int b = 0; b < s->inner_width; b++)
        memset(s->inner + (size_t)b * s->inner_step, 0, (size_t)s->cell * sizeof(real));
}

/* Row a of the inner pixels. */
DNX_HOT static void row_to_depth(const geometry *g, const real *image, int a, real *inner)
{
    for (int c = 0; c < g->image.shape.channels; c++)
        for (int i = 0; i < g->cell; i++) {
            const strip s = strip_at(g, (real *)image, inner, a, c, i);
            if (s.image)
                move_strip(&s, TO_DEPTH);
            else
                clear_strip(&s);
        }
}

DNX_HOT static void row_to_space(const geometry *g, const real *inner, int a, real *image, bool accumulate)
{
    for (int c = 0; c < g->image.shape.channels; c++)
        for (int i = 0; i < g->cell; i++) {
            const strip s = strip_at(g, image, (real *)inner, a, c, i);
            if (s.image && accumulate)
                move_strip(&s, ADD_TO_SPACE);
            else if (s.image)
                move_strip(&s, TO_SPACE);
        }
}

/* Whether every number of the inner image is written by a strip. */
static bool is_filled(const geometry *g)
{
    return layout_channels(g->inner) == (size_t)(g->image.shape.channels * g->cell * g->cell);
}

void space_to_depth(size_t rows, tensor_layout from, const real *x, int cell, int pad, tensor_layout to, real *inner)
{
    const geometry g = {from, to, cell, pad};
    const size_t n_x = layout_count(from), n_inner = layout_count(to), height = (size_t)to.shape.height;
    if (!is_filled(&g))
        onednn_fill(rows * n_inner, 0, inner);
    FOR_EACH_PART(rows * n_inner, rows * height, 1, p,
                  row_to_depth(&g, x + p.first / height * n_x, (int)(p.first % height), inner + p.first / height * n_inner));
}

/* Whether every pixel of the image belongs to an inner pixel. */
static bool is_covered(const geometry *g)
{
    return g->inner.shape.height * g->cell >= g->image.shape.height + g->pad && g->inner.shape.width * g->cell >= g->image.shape.width + g->pad &&
           layout_channels(g->image) == (size_t)g->image.shape.channels;
}

void depth_to_space(size_t rows, tensor_layout from, const real *inner, int cell, int pad, tensor_layout to, real *x, bool accumulate)
{
    const geometry g = {to, from, cell, pad};
    const size_t n_x = layout_count(to), n_inner = layout_count(from), height = (size_t)from.shape.height;
    if (!accumulate && !is_covered(&g))
        onednn_fill(rows * n_x, 0, x);
    FOR_EACH_PART(rows * n_inner, rows * height, 1, p,
                  row_to_space(&g, inner + p.first / height * n_inner, (int)(p.first % height), x + p.first / height * n_x, accumulate));
}
