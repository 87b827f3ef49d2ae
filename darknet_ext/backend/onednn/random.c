#include "backend/onednn/onednn.h"

void onednn_uniform(random_stream stream, uint64_t first, size_t count, double low, double high, real *out)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, random_uniform(stream, first + p.first, p.size, low, high, out + p.first));
}

void onednn_normal(random_stream stream, uint64_t first, size_t count, real *out)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, random_normal(stream, first + p.first, p.size, out + p.first));
}

static void mask_part(random_stream stream, uint64_t first, size_t count, double p, real *out)
{
    const real kept = (real)(1 / (1 - p));
    random_uniform(stream, first, count, 0, 1, out);
    for (size_t i = 0; i < count; i++)
        out[i] = out[i] < p ? 0 : kept;
}

void onednn_dropout_mask(random_stream stream, uint64_t first, size_t count, double p, real *out)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, q, mask_part(stream, first + q.first, q.size, p, out + q.first));
}
