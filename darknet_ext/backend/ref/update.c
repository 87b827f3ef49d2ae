#include "backend/ref/ref.h"

void ref_sgd_update(sgd_rule rule, size_t count, real *w, real *g)
{
    for (size_t i = 0; i < count; i++)
        sgd_step(rule, &w[i], &g[i]);
}

void ref_adam_update(adam_rule rule, size_t count, real *w, real *g, real *m, real *v)
{
    for (size_t i = 0; i < count; i++)
        adam_step(rule, &w[i], &g[i], &m[i], &v[i]);
}
