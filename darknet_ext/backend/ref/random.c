#include "backend/ref/ref.h"

void ref_dropout_mask(random_stream stream, uint64_t first, size_t count, double p, real *out)
{
    random_uniform(stream, first, count, 0, 1, out);
    for (size_t i = 0; i < count; i++)
        out[i] = out[i] < p ? 0 : (real)(1 / (1 - p));
}
