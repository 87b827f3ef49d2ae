#include "backend/ref/ref.h"

#include <string.h>

#define FOR_EACH_WINDOW(w, c, i, j)               \
    for (int c = 0; c < (w)->out.channels; c++)   \
        for (int i = 0; i < (w)->out.height; i++) \
            for (int j = 0; j < (w)->out.width; j++)

static size_t output_at(const window_shape *w, int block, int c, int i, int j)
{
    return layout_at((tensor_layout){w->out, block}, (size_t)c, (size_t)(i * w->out.width + j));
}

/* Row and column of a place of window (i, j). */
static int row_at(const window_shape *w, int i, int place)
{
    return i * w->stride - w->pad + place / w->size;
}

static int column_at(const window_shape *w, int j, int place)
{
    return j * w->stride - w->pad + place % w->size;
}

static bool is_inside(const window_shape *w, int i, int j, int place)
{
    const int row = row_at(w, i, place), column = column_at(w, j, place);
    return row >= 0 && row < w->in.height && column >= 0 && column < w->in.width;
}

static size_t input_at(const window_shape *w, int block, int c, int i, int j, int place)
{
    return layout_at((tensor_layout){w->in, block}, (size_t)c, (size_t)(row_at(w, i, place) * w->in.width + column_at(w, j, place)));
}

static void max_of_window(const window_shape *w, int block, int c, int i, int j, const real *x, window_place *place, real *y)
{
    bool found = false;
    *y = -(real)INFINITY;
    for (int k = 0; k < w->size * w->size; k++) {
        const real value = is_inside(w, i, j, k) ? x[input_at(w, block, c, i, j, k)] : -(real)INFINITY;
        if (value > *y || (!found && is_inside(w, i, j, k)))
            *place = (window_place)k;
        found |= is_inside(w, i, j, k);
        *y = value > *y ? value : *y;
    }
}

void ref_max_pool(const window_shape *w, int block, size_t rows, const real *x, window_place *places, real *y)
{
    const size_t n_x = layout_count((tensor_layout){w->in, block}), n_y = layout_count((tensor_layout){w->out, block});
    memset(y, 0, rows * n_y * sizeof *y);
    memset(places, 0, rows * n_y * sizeof *places);
    for (size_t r = 0; r < rows; r++)
        FOR_EACH_WINDOW(w, c, i, j)
        {
            const size_t at = r * n_y + output_at(w, block, c, i, j);
            max_of_window(w, block, c, i, j, x + r * n_x, &places[at], &y[at]);
        }
}

void ref_pool_gather(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *x, real *y)
{
    const size_t n_x = layout_count((tensor_layout){w->in, block}), n_y = layout_count((tensor_layout){w->out, block});
    memset(y, 0, rows * n_y * sizeof *y);
    for (size_t r = 0; r < rows; r++)
        FOR_EACH_WINDOW(w, c, i, j)
        {
            const size_t at = output_at(w, block, c, i, j);
            y[r * n_y + at] = x[r * n_x + input_at(w, block, c, i, j, places[r % place_rows * n_y + at])];
        }
}

void ref_pool_scatter(const window_shape *w, int block, size_t rows, size_t place_rows, const window_place *places, const real *y, real *x,
                      bool accumulate)
{
    const size_t n_x = layout_count((tensor_layout){w->in, block}), n_y = layout_count((tensor_layout){w->out, block});
    if (!accumulate)
        memset(x, 0, rows * n_x * sizeof *x);
    for (size_t r = 0; r < rows; r++)
        FOR_EACH_WINDOW(w, c, i, j)
        {
            const size_t at = output_at(w, block, c, i, j);
            x[r * n_x + input_at(w, block, c, i, j, places[r % place_rows * n_y + at])] += y[r * n_y + at];
        }
}

void ref_mean_pixels(size_t rows, tensor_layout l, const real *x, real *means)
{
    const size_t channels = (size_t)l.shape.channels, pixels = layout_pixels(l);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++) {
            double sum = 0;
            for (size_t p = 0; p < pixels; p++)
                sum += x[r * layout_count(l) + layout_at(l, c, p)];
            means[r * channels + c] = (real)(sum / (double)pixels);
        }
}

void ref_spread_pixels(size_t rows, tensor_layout l, const real *means, real *x, bool accumulate)
{
    const size_t channels = (size_t)l.shape.channels, pixels = layout_pixels(l);
    if (!accumulate)
        memset(x, 0, rows * layout_count(l) * sizeof *x);
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < channels; c++)
            for (size_t p = 0; p < pixels; p++)
                x[r * layout_count(l) + layout_at(l, c, p)] += means[r * channels + c] / (real)pixels;
}
