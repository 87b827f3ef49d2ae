#include "core/hot.h"
#include "backend/onednn/onednn.h"

DNX_HOT static void sgd_part(sgd_rule rule, size_t count, real *restrict w, real *restrict g)
{
    for (size_t i = 0; i < count; i++)
        sgd_step(rule, &w[i], &g[i]);
}

void onednn_sgd_update(sgd_rule rule, size_t count, real *w, real *g)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, sgd_part(rule, p.size, w + p.first, g + p.first));
}

DNX_HOT static void adam_part(adam_rule rule, size_t count, real *restrict w, real *restrict g, real *restrict m,
                              real *restrict v)
{
    for (size_t i = 0; i < count; i++)
        adam_step(rule, &w[i], &g[i], &m[i], &v[i]);
}

void onednn_adam_update(adam_rule rule, size_t count, real *w, real *g, real *m, real *v)
{
    FOR_EACH_PART(count, count, PART_ELEMENTS, p, adam_part(rule, p.size, w + p.first, g + p.first, m + p.first, v + p.first));
}
