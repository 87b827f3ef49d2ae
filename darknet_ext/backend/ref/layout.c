#include "backend/ref/ref.h"

#include <string.h>

void ref_reorder(size_t rows, tensor_layout from, const real *x, int to_block, real *y, bool accumulate)
{
    const tensor_layout to = {from.shape, to_block};
    const size_t n_x = layout_count(from), n_y = layout_count(to);
    if (!accumulate)
        memset(y, 0, rows * n_y * sizeof *y);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < (size_t)from.shape.channels; c++)
            for (size_t p = 0; p < layout_pixels(from); p++)
                y[r * n_y + layout_at(to, c, p)] += x[r * n_x + layout_at(from, c, p)];
}

void ref_add_channel_bias(size_t rows, tensor_layout l, const real *bias, real *y)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < (size_t)l.shape.channels; c++)
            for (size_t p = 0; p < layout_pixels(l); p++)
                y[r * layout_count(l) + layout_at(l, c, p)] += bias[c];
}

void ref_sum_channels(size_t rows, tensor_layout l, const real *x, real *sums)
{
    for (size_t c = 0; c < (size_t)l.shape.channels; c++) {
        double sum = 0;
        for (size_t r = 0; r < rows; r++)
            for (size_t p = 0; p < layout_pixels(l); p++)
                sum += x[r * layout_count(l) + layout_at(l, c, p)];
        sums[c] = (real)(sums[c] + sum);
    }
}
