/* The inner loops of this backend's own matrix products: a tile of C, some rows by a panel of columns, with its sums in registers.
 *
 * oneDNN's products are as fast; these leave the tile in the first-level cache, where what follows the product (bias, activation, scaling)
 * costs next to nothing, and take B transposed at no loss. The sum of an element runs through the depth in order: results depend neither on
 * the tile an element falls into nor on the number of threads. Compiled with -ffp-contract=fast: the sums need fused multiply-add. */
#ifndef DNX_BACKEND_ONEDNN_TILES_H
#define DNX_BACKEND_ONEDNN_TILES_H

#include "core/hot.h"
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

/* A row of the depth is two vectors of the type that a function calls `lanes`. Sums with names of their own: compilers keep arrays of them in memory
 * around the loop. A tile that is not full computes its last row several times. */
#define TILE_SUMS(i)                   \
    lanes low##i = {0}, high##i = {0}; \
    const real *a##i = a.data + (size_t)((i) < rows ? (i) : rows - 1) * a.row_stride;
#define TILE_ADD(i)              \
    low##i += a##i[at] * row[0]; \
    high##i += a##i[at] * row[1];
#define TILE_STORE(i)              \
    ((lanes *)out[i])[0] = low##i; \
    ((lanes *)out[i])[1] = high##i;
#define FOUR_ROWS(X) X(0) X(1) X(2) X(3)
#define EIGHT_ROWS(X) FOUR_ROWS(X) X(4) X(5) X(6) X(7)

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

/* Four rows by sixteen columns at a time, in half of the registers of eight numbers. */
enum { NARROW_ROWS = 4, NARROW_LANES = 8, NARROW_COLUMNS = 2 * NARROW_LANES };

typedef real narrow_vector __attribute__((vector_size(NARROW_LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

DNX_ALWAYS_INLINE void tile_narrow_part(int rows, tile_rows a, panel b, size_t column, real (*out)[PANEL_COLUMNS])
{
    typedef narrow_vector lanes;
    FOUR_ROWS(TILE_SUMS)
    out = (real (*)[PANEL_COLUMNS])(*out + column);
    for (size_t l = 0, at = 0; l < b.depth; l++, at += a.depth_stride) {
        const lanes *row = (const lanes *)(b.data + l * b.stride + column);
        FOUR_ROWS(TILE_ADD)
    }
    FOUR_ROWS(TILE_STORE)
}

DNX_HOT static void tile_narrow(int rows, tile_rows a, panel b, tile *out)
{
    for (int i = 0; i < rows; i += NARROW_ROWS, a.data += NARROW_ROWS * a.row_stride)
        for (size_t j = 0; j < PANEL_COLUMNS; j += NARROW_COLUMNS)
            tile_narrow_part(rows - i, a, b, j, out->sums + i);
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
