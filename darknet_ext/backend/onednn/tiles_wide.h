/* Tiles for processors whose registers hold sixteen numbers; included by tiles.h alone. */

enum { WIDE_LANES = WIDE_COLUMNS / 2 };

typedef real tile_vector __attribute__((vector_size(WIDE_LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

#define TILE_WIDE(name, ROWS)                                                                          \
    DNX_WIDE static void name(int rows, const tile_rows *a, const panel *b, real (*out)[WIDE_COLUMNS]) \
    {                                                                                                  \
        typedef tile_vector lanes;                                                                     \
        const size_t first = 0, depth = b->depth, stride = b->stride, step = a->depth_stride;          \
        ROWS(TILE_SUMS)                                                                                \
        for (size_t l = 0, at = 0; l < depth; l++, at += step) {                                       \
            const lanes *row = (const lanes *)(b->data + l * stride);                                  \
            ROWS(TILE_ADD)                                                                             \
        }                                                                                              \
        ROWS(TILE_STORE)                                                                               \
    }

TILE_WIDE(tile_wide_4, FOUR_ROWS)
TILE_WIDE(tile_wide_8, EIGHT_ROWS)

static inline void tile_wide(int rows, const tile_rows *a, const panel *b, tile *out)
{
    if (rows > 4)
        tile_wide_8(rows, a, b, out->sums);
    else
        tile_wide_4(rows, a, b, out->sums);
}

/* One stage of the transposition of 16 x 16 numbers: the off-diagonal blocks of w x w change places. */
#define LOW_LANE(e, w) ((e) & (w) ? (e) - (w) + WIDE_LANES : (e))
#define HIGH_LANE(e, w) ((e) & (w) ? (e) + WIDE_LANES : (e) + (w))
#define LANES(F, w)                                                                                                                  \
    F(0, w), F(1, w), F(2, w), F(3, w), F(4, w), F(5, w), F(6, w), F(7, w), F(8, w), F(9, w), F(10, w), F(11, w), F(12, w), F(13, w), \
        F(14, w), F(15, w)
#define EXCHANGE(rows, w)                                                              \
    for (int i = 0; i < WIDE_LANES; i++)                                               \
        if (!(i & (w))) {                                                              \
            const tile_vector first = rows[i], second = rows[i | (w)];                 \
            rows[i] = __builtin_shufflevector(first, second, LANES(LOW_LANE, w));       \
            rows[i | (w)] = __builtin_shufflevector(first, second, LANES(HIGH_LANE, w)); \
        }

/* 16 columns and 16 of the depth. */
DNX_ALWAYS_INLINE void transpose_square(const real *w, size_t stride, real *out)
{
    tile_vector rows[WIDE_LANES];
    for (size_t i = 0; i < WIDE_LANES; i++)
        rows[i] = *(const tile_vector *)(w + i * stride);
    EXCHANGE(rows, 8)
    EXCHANGE(rows, 4)
    EXCHANGE(rows, 2)
    EXCHANGE(rows, 1)
    for (size_t i = 0; i < WIDE_LANES; i++)
        *(tile_vector *)(out + i * WIDE_COLUMNS) = rows[i];
}

DNX_WIDE static void panel_transpose_wide(const real *w, size_t stride, size_t depth, real *out)
{
    size_t l = 0;
    for (; l + WIDE_LANES <= depth; l += WIDE_LANES)
        for (size_t j = 0; j < WIDE_COLUMNS; j += WIDE_LANES)
            transpose_square(w + j * stride + l, stride, out + l * WIDE_COLUMNS + j);
    for (; l < depth; l++)
        for (size_t j = 0; j < WIDE_COLUMNS; j++)
            out[l * WIDE_COLUMNS + j] = w[j * stride + l];
}
