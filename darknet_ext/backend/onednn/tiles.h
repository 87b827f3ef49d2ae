/* The inner loops of this backend's own matrix products: a tile of C, some rows by a panel of columns, with its sums in registers.
 *
 * oneDNN's products are as fast; these leave the tile in the first-level cache, where what follows the product (bias, activation, scaling)
 * costs next to nothing, and take B transposed at no loss. The sum of an element runs through the depth in order: results depend neither on
 * the tile an element falls into nor on the number of threads. Compiled with -ffp-contract=fast: the sums need fused multiply-add. */
#ifndef DNX_BACKEND_ONEDNN_TILES_H
#define DNX_BACKEND_ONEDNN_TILES_H

#include "core/hot.h"
#include "backend/onednn/onednn.h"

/* Full tiles with AVX-512, and without. */
enum { WIDE_ROWS = 8, WIDE_COLUMNS = 32, NARROW_ROWS = 12, NARROW_COLUMNS = 16, TILE_MOST_ROWS = NARROW_ROWS, TILE_MOST_COLUMNS = WIDE_COLUMNS };

enum { PANEL_DEPTH = 1024, PANEL_FEW_ROWS = 32 };

/* tile_columns() columns of B: element (l, j) is data[l * stride + j]. */
typedef struct panel {
    const real *data;
    size_t stride, depth;
} panel;

typedef struct panel_memory {
    real data[PANEL_DEPTH * TILE_MOST_COLUMNS];
} __attribute__((aligned(64))) panel_memory;

/* Rows of A: element (i, l) is data[i * row_stride + l * depth_stride]. */
typedef struct tile_rows {
    const real *data;
    size_t row_stride, depth_stride;
} tile_rows;

/* Its first rows and columns. */
typedef struct tile {
    real sums[TILE_MOST_ROWS][TILE_MOST_COLUMNS];
} __attribute__((aligned(64))) tile;

/* Calls F(n, …), which an inlined function can unroll, for the columns (or rows) of a full tile; else F(count, …). */
#define WITH_TILE_COLUMNS(count, F, ...) WITH_TILE_SIZE(count, NARROW_COLUMNS, WIDE_COLUMNS, F, __VA_ARGS__)
#define WITH_TILE_ROWS(count, F, ...) WITH_TILE_SIZE(count, NARROW_ROWS, WIDE_ROWS, F, __VA_ARGS__)
#define WITH_TILE_SIZE(count, narrow, wide, F, ...) \
    do {                                            \
        if ((count) == (narrow))                    \
            F(narrow, __VA_ARGS__);                 \
        else if ((count) == (wide))                 \
            F(wide, __VA_ARGS__);                   \
        else                                        \
            F(count, __VA_ARGS__);                  \
    } while (0)

/* A row of the depth is two vectors of the type that a function calls `lanes`. Sums with names of their own: compilers keep arrays of them in memory
 * around the loop. A tile that is not full computes its last row several times. */
#define TILE_SUMS(i)                   \
    lanes low##i = {0}, high##i = {0}; \
    const real *a##i = a->data + (first + (size_t)((i) < rows ? (i) : rows - 1)) * a->row_stride;
#define TILE_ADD(i)              \
    low##i += a##i[at] * row[0]; \
    high##i += a##i[at] * row[1];
#define TILE_STORE(i)              \
    ((lanes *)out[i])[0] = low##i; \
    ((lanes *)out[i])[1] = high##i;
#define FOUR_ROWS(X) X(0) X(1) X(2) X(3)
#define SIX_ROWS(X) FOUR_ROWS(X) X(4) X(5)
#define EIGHT_ROWS(X) SIX_ROWS(X) X(6) X(7)

#define TILES_ARE_WIDE DNX_IS_WIDE
#if defined DNX_GCC_X86_64 && !defined DNX_SANITIZED
#define TILES_ARE_FAST TILES_ARE_WIDE /* else oneDNN is faster */
#include "backend/onednn/tiles_wide.h"
#else
#define TILES_ARE_FAST true /* the sanitizers are to see them */
#define tile_wide tile_narrow
#define panel_transpose_wide(w, stride, depth, out) ((void)0)
#endif

typedef real narrow_vector __attribute__((vector_size(NARROW_COLUMNS / 2 * sizeof(real)), aligned(sizeof(real)), may_alias));

enum { NARROW_HALF = NARROW_ROWS / 2 };

/* Twelve of the sixteen registers of eight numbers hold sums. */
DNX_ALWAYS_INLINE void tile_narrow_half(int rows, const tile_rows *a, size_t first, const panel *b, real (*out)[TILE_MOST_COLUMNS])
{
    typedef narrow_vector lanes;
    const size_t depth = b->depth, stride = b->stride, step = a->depth_stride;
    SIX_ROWS(TILE_SUMS)
    for (size_t l = 0, at = 0; l < depth; l++, at += step) {
        const lanes *row = (const lanes *)(b->data + l * stride);
        SIX_ROWS(TILE_ADD)
    }
    SIX_ROWS(TILE_STORE)
}

DNX_HOT static void tile_narrow(int rows, const tile_rows *a, const panel *b, tile *t)
{
    tile_narrow_half(rows, a, 0, b, t->sums);
    if (rows > NARROW_HALF)
        tile_narrow_half(rows - NARROW_HALF, a, NARROW_HALF, b, t->sums + NARROW_HALF);
}

/* Rows and columns of a full tile. */
static inline size_t tile_height(void)
{
    return TILES_ARE_WIDE ? WIDE_ROWS : NARROW_ROWS;
}

static inline size_t tile_columns(void)
{
    return TILES_ARE_WIDE ? WIDE_COLUMNS : NARROW_COLUMNS;
}

/* The first `rows` rows of a tile, 1..tile_height(). */
static inline void tile_multiply(int rows, const tile_rows *a, const panel *b, tile *out)
{
    if (TILES_ARE_WIDE)
        tile_wide(rows, a, b, out);
    else
        tile_narrow(rows, a, b, out);
}

/* Element (l, j) of what becomes a panel is b[l * step + j * column_step], 0 from `columns` on. */
DNX_ALWAYS_INLINE void pack_columns(const real *restrict b, size_t step, size_t column_step, size_t width, size_t columns, size_t depth,
                                    real *restrict out)
{
    enum { AHEAD = 8 };
    for (size_t l = 0; l < depth; l++) {
        __builtin_prefetch(b + (l + AHEAD) * step);
        for (size_t j = 0; j < width; j++)
            out[l * width + j] = j < columns ? b[l * step + j * column_step] : 0;
    }
}

DNX_HOT static panel panel_pack(const real *b, size_t step, size_t column_step, size_t columns, size_t depth, panel_memory *memory)
{
    const bool full = columns == NARROW_COLUMNS && tile_columns() == NARROW_COLUMNS;
    if (full && column_step == 1)
        pack_columns(b, step, 1, NARROW_COLUMNS, NARROW_COLUMNS, depth, memory->data);
    else if (full)
        pack_columns(b, step, column_step, NARROW_COLUMNS, NARROW_COLUMNS, depth, memory->data);
    else
        pack_columns(b, step, column_step, tile_columns(), columns, depth, memory->data);
    return (panel){memory->data, tile_columns(), depth};
}

/* The panel whose column j is row j of w; columns beyond `columns` are 0. At most PANEL_DEPTH deep. */
static panel panel_of_rows(const real *w, size_t stride, size_t columns, size_t depth, panel_memory *memory)
{
    if (!TILES_ARE_WIDE || columns < WIDE_COLUMNS)
        return panel_pack(w, 1, stride, columns, depth, memory);
    panel_transpose_wide(w, stride, depth, memory->data);
    return (panel){memory->data, WIDE_COLUMNS, depth};
}

/* The panel of the first `columns` columns of b. Where they are a whole panel they are read as they lie, by wide tiles always, by narrow ones while
 * lines so far apart stay in the cache together. */
static panel panel_of_columns(const real *b, size_t stride, size_t columns, size_t depth, panel_memory *memory)
{
    if (columns == tile_columns() && (TILES_ARE_WIDE || depth <= PANEL_FEW_ROWS))
        return (panel){b, stride, depth};
    return panel_pack(b, stride, 1, columns, depth, memory);
}

#endif
