#include "backend/onednn/hot.h"
#include "backend/onednn/onednn.h"

#include <string.h>

/* One channel block of one image, from `pixels` pixels of from_block channels each to to_block ones; the smaller block divides the larger.
 * `channels`: those that exist. */
static void reorder_image(tensor_layout from, const real *x, tensor_layout to, real *y, bool accumulate)
{
    const size_t channels = (size_t)from.shape.channels, pixels = layout_pixels(from);
    for (size_t c = 0; c < channels; c++) {
        const real *source = x + layout_at(from, c, 0);
        real *target = y + layout_at(to, c, 0);
        const size_t source_step = (size_t)from.block, target_step = (size_t)to.block;
        if (accumulate)
            for (size_t p = 0; p < pixels; p++)
                target[p * target_step] += source[p * source_step];
        else
            for (size_t p = 0; p < pixels; p++)
                target[p * target_step] = source[p * source_step];
    }
}

void onednn_reorder(size_t rows, tensor_layout from, const real *x, int to_block, real *y, bool accumulate)
{
    const tensor_layout to = {from.shape, to_block};
    const size_t n_x = layout_count(from), n_y = layout_count(to);
    const bool padded = !accumulate && layout_channels(to) != (size_t)to.shape.channels;
    FOR_EACH_PART(rows * n_x, rows, 1, p, {
        if (padded)
            memset(y + p.first * n_y, 0, n_y * sizeof *y);
        reorder_image(from, x + p.first * n_x, to, y + p.first * n_y, accumulate);
    });
}

static void add_bias_to_image(tensor_layout l, const real *bias, real *y)
{
    for (size_t c = 0; c < (size_t)l.shape.channels; c++) {
        real *target = y + layout_at(l, c, 0);
        for (size_t p = 0; p < layout_pixels(l); p++)
            target[p * (size_t)l.block] += bias[c];
    }
}

void onednn_add_channel_bias(size_t rows, tensor_layout l, const real *bias, real *y)
{
    const size_t count = layout_count(l);
    FOR_EACH_PART(rows * count, rows, 1, p, add_bias_to_image(l, bias, y + p.first * count));
}

static void sum_channel(size_t rows, tensor_layout l, const real *x, size_t c, real *sums)
{
    const size_t count = layout_count(l);
    double sum = 0;
    for (size_t r = 0; r < rows; r++)
        for (size_t p = 0; p < layout_pixels(l); p++)
            sum += (double)x[r * count + layout_at(l, c, p)];
    sums[c] = (real)((double)sums[c] + sum);
}

void onednn_sum_channels(size_t rows, tensor_layout l, const real *x, real *sums)
{
    FOR_EACH_PART(rows * layout_count(l), (size_t)l.shape.channels, 1, p, sum_channel(rows, l, x, p.first, sums));
}
