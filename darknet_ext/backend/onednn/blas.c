#include "backend/onednn/thin_products.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <oneapi/dnnl/dnnl.h>

/* Multiplications below which one thread is enough: a product of 5 to 10 microseconds. Waking another gains little when it is
 * idle, and on a busy machine the wait for it costs a time slice. */
static const double SERIAL_PRODUCT = 5e5;

/* An empty product: C = beta C. */
static void scale_rows(int m, int n, real beta, real *c, int ldc)
{
    for (int i = 0; i < m; i++)
        for (int j = 0; j < n; j++) {
            real *element = &c[(size_t)i * (size_t)ldc + (size_t)j];
            *element = beta == 0 ? 0 : beta * *element;
        }
}

void onednn_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, real alpha, const real *a, int lda, const real *b,
                 int ldb, real beta, real *c, int ldc)
{
    if (m == 0 || n == 0)
        return;
    if (k == 0) {
        scale_rows(m, n, beta, c, ldc);
        return;
    }
    const product thin = {transpose_a, transpose_b, m, n, k, alpha, a, (size_t)lda, b, (size_t)ldb, beta, c, (size_t)ldc};
    if (product_is_thin(&thin)) {
        product_thin(&thin);
        return;
    }
    if (!transpose_a && transpose_b && alpha == 1 && beta == 0 &&
        onednn_transposed_product((size_t)m, (size_t)n, (size_t)k, a, (size_t)lda, b, (size_t)ldb, c, (size_t)ldc))
        return;
    const int threads = omp_get_max_threads();
    const bool small = (double)m * n * k < SERIAL_PRODUCT && threads > 1;
    if (small)
        omp_set_num_threads(1);
    const dnnl_status_t result =
        dnnl_sgemm(transpose_a ? 'T' : 'N', transpose_b ? 'T' : 'N', m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
    if (small)
        omp_set_num_threads(threads);
    if (result != dnnl_success) {
        fprintf(stderr, "onednn: sgemm of %d x %d x %d failed (status %d)\n", m, n, k, (int)result);
        abort();
    }
}
