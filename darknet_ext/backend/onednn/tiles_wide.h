/* Tiles for processors whose registers hold sixteen numbers; included by tiles.h alone. */

typedef real tile_vector __attribute__((vector_size(TILE_LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

#define DNX_WIDE __attribute__((target("arch=x86-64-v4")))

DNX_ALWAYS_INLINE void tile_wide_rows(int rows, tile_rows a, panel b, tile *out)
{
    tile_vector low[TILE_ROWS] = {{0}}, high[TILE_ROWS] = {{0}};
    for (size_t l = 0; l < b.depth; l++) {
        const tile_vector *row = (const tile_vector *)(b.data + l * b.stride);
        for (int i = 0; i < rows; i++) {
            const real x = a.data[(size_t)i * a.row_stride + l * a.depth_stride];
            low[i] += x * row[0];
            high[i] += x * row[1];
        }
    }
    for (int i = 0; i < rows; i++) {
        tile_vector *sums = (tile_vector *)out->sums[i];
        sums[0] = low[i];
        sums[1] = high[i];
    }
}

DNX_WIDE static void tile_wide(int rows, tile_rows a, panel b, tile *out)
{
    switch (rows) {
#define CASE(n)                       \
    case n:                           \
        tile_wide_rows(n, a, b, out); \
        break;
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8)
#undef CASE
    default:
        break;
    }
}

/* One stage of the transposition of 16 x 16 numbers: the off-diagonal blocks of w x w change places. */
#define LOW_LANE(e, w) ((e) & (w) ? (e) - (w) + TILE_LANES : (e))
#define HIGH_LANE(e, w) ((e) & (w) ? (e) + TILE_LANES : (e) + (w))
#define LANES(F, w)                                                                                                                  \
    F(0, w), F(1, w), F(2, w), F(3, w), F(4, w), F(5, w), F(6, w), F(7, w), F(8, w), F(9, w), F(10, w), F(11, w), F(12, w), F(13, w), \
        F(14, w), F(15, w)
#define EXCHANGE(rows, w)                                                              \
    for (int i = 0; i < TILE_LANES; i++)                                               \
        if (!(i & (w))) {                                                              \
            const tile_vector first = rows[i], second = rows[i | (w)];                 \
            rows[i] = __builtin_shufflevector(first, second, LANES(LOW_LANE, w));       \
            rows[i | (w)] = __builtin_shufflevector(first, second, LANES(HIGH_LANE, w)); \
        }

/* 16 columns and 16 of the depth. */
DNX_ALWAYS_INLINE void transpose_square(const real *w, size_t stride, real *out)
{
    tile_vector rows[TILE_LANES];
    for (size_t i = 0; i < TILE_LANES; i++)
        rows[i] = *(const tile_vector *)(w + i * stride);
    EXCHANGE(rows, 8)
    EXCHANGE(rows, 4)
    EXCHANGE(rows, 2)
    EXCHANGE(rows, 1)
    for (size_t i = 0; i < TILE_LANES; i++)
        *(tile_vector *)(out + i * PANEL_COLUMNS) = rows[i];
}

DNX_WIDE static void panel_transpose_wide(const real *w, size_t stride, size_t depth, real *out)
{
    size_t l = 0;
    for (; l + TILE_LANES <= depth; l += TILE_LANES)
        for (size_t j = 0; j < PANEL_COLUMNS; j += TILE_LANES)
            transpose_square(w + j * stride + l, stride, out + l * PANEL_COLUMNS + j);
    for (; l < depth; l++)
        for (size_t j = 0; j < PANEL_COLUMNS; j++)
            out[l * PANEL_COLUMNS + j] = w[j * stride + l];
}
