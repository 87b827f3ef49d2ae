/* The inner loops of this backend's own matrix products: a tile of C, some rows by a panel of columns, with its sums in registers.
 *
 * oneDNN's products are as fast; these leave the tile in the first-level cache, where what follows the product (bias, activation, scaling)
 * costs next to nothing, and take B transposed at no loss. The sum of an element runs through the depth in order: results depend neither on
 * the tile an element falls into nor on the number of threads. Compiled with -ffp-contract=fast: the sums need fused multiply-add. */
#ifndef DNX_BACKEND_ONEDNN_TILES_H
#define DNX_BACKEND_ONEDNN_TILES_H

#include "backend/onednn/hot.h"
#include "backend/onednn/onednn.h"

enum { TILE_ROWS = 8, TILE_LANES = 16, PANEL_COLUMNS = 2 * TILE_LANES, PANEL_DEPTH = 1024 };

/* PANEL_COLUMNS columns of B: element (l, j) is data[l * stride + j]. */
typedef struct panel {
    const real *data;
    size_t stride, depth;
} panel;

typedef struct panel_memory {
    real data[PANEL_DEPTH * PANEL_COLUMNS];
} __attribute__((aligned(64))) panel_memory;

/* Rows of A: element (i, l) is data[i * row_stride + l * depth_stride]. */
typedef struct tile_rows {
    const real *data;
    size_t row_stride, depth_stride;
} tile_rows;

typedef struct tile {
    real sums[TILE_ROWS][PANEL_COLUMNS];
} __attribute__((aligned(64))) tile;

#if defined DNX_GCC_X86_64 && !defined DNX_SANITIZED
#define TILES_ARE_WIDE __builtin_cpu_supports("x86-64-v4")
#define TILES_ARE_FAST TILES_ARE_WIDE /* else oneDNN is faster */
#include "backend/onednn/tiles_wide.h"
#else
#define TILES_ARE_WIDE false
#define TILES_ARE_FAST true /* the sanitizers are to see them */
#define tile_wide tile_narrow
#define panel_transpose_wide(w, stride, depth, out) panel_transpose(w, stride, PANEL_COLUMNS, depth, out)
#endif

/* Two rows at a time: 64 sums are as many as the registers of eight numbers hold. */
DNX_ALWAYS_INLINE void tile_narrow_rows(int rows, tile_rows a, panel b, real (*out)[PANEL_COLUMNS])
{
    real sums[2][PANEL_COLUMNS] = {{0}};
    for (size_t l = 0; l < b.depth; l++)
        for (int i = 0; i < rows; i++) {
            const real x = a.data[(size_t)i * a.row_stride + l * a.depth_stride];
            for (int j = 0; j < PANEL_COLUMNS; j++)
                sums[i][j] += x * b.data[l * b.stride + (size_t)j];
        }
    for (int i = 0; i < rows; i++)
        for (int j = 0; j < PANEL_COLUMNS; j++)
            out[i][j] = sums[i][j];
}

DNX_HOT static void tile_narrow(int rows, tile_rows a, panel b, tile *out)
{
    int i = 0;
    for (; i + 2 <= rows; i += 2, a.data += 2 * a.row_stride)
        tile_narrow_rows(2, a, b, out->sums + i);
    if (i < rows)
        tile_narrow_rows(1, a, b, out->sums + i);
}

/* The first `rows` rows of a tile, 1..TILE_ROWS. */
static inline void tile_multiply(int rows, tile_rows a, panel b, tile *out)
{
    if (TILES_ARE_WIDE)
        tile_wide(rows, a, b, out);
    else
        tile_narrow(rows, a, b, out);
}

DNX_HOT static void panel_transpose(const real *w, size_t stride, size_t columns, size_t depth, real *out)
{
    for (size_t l = 0; l < depth; l++)
        for (size_t j = 0; j < PANEL_COLUMNS; j++)
            out[l * PANEL_COLUMNS + j] = j < columns ? w[j * stride + l] : 0;
}

/* The panel whose column j is row j of w; columns beyond `columns` are 0. At most PANEL_DEPTH deep. */
static panel panel_of_rows(const real *w, size_t stride, size_t columns, size_t depth, panel_memory *memory)
{
    if (TILES_ARE_WIDE && columns == PANEL_COLUMNS)
        panel_transpose_wide(w, stride, depth, memory->data);
    else
        panel_transpose(w, stride, columns, depth, memory->data);
    return (panel){memory->data, PANEL_COLUMNS, depth};
}

/* The panel of the first columns of b; copied only where the rows of b are not wide enough to be read as they are. */
static panel panel_of_columns(const real *b, size_t stride, size_t columns, size_t depth, panel_memory *memory)
{
    if (columns >= PANEL_COLUMNS)
        return (panel){b, stride, depth};
    for (size_t l = 0; l < depth; l++)
        for (size_t j = 0; j < PANEL_COLUMNS; j++)
            memory->data[l * PANEL_COLUMNS + j] = j < columns ? b[l * stride + j] : 0;
    return (panel){memory->data, PANEL_COLUMNS, depth};
}

#endif
