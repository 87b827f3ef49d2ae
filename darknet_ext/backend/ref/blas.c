#include "backend/ref/ref.h"

/* Element (i, j) of op(A). */
static double element(bool transpose, const real *a, int lda, int i, int j)
{
    return transpose ? a[(size_t)j * (size_t)lda + (size_t)i] : a[(size_t)i * (size_t)lda + (size_t)j];
}

void ref_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, real alpha, const real *a, int lda, const real *b, int ldb,
              real beta, real *c, int ldc)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int l = 0; l < k; l++)
                sum += element(transpose_a, a, lda, i, l) * element(transpose_b, b, ldb, l, j);
            real *out = &c[(size_t)i * (size_t)ldc + (size_t)j];
            *out = (real)(alpha * sum + (beta == 0 ? 0 : (double)beta * *out));
        }
}
