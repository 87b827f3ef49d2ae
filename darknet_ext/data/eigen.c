#include "data/eigen.h"

#include <lapacke.h>
#include <math.h>
#include <stddef.h>

static void exchange(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

static void fix_sign(int n, double *vector)
{
    int largest = 0;
    for (int j = 1; j < n; ++j)
        if (fabs(vector[j]) > fabs(vector[largest]) * (1 + 1e-9))
            largest = j;
    for (int j = 0; j < n && vector[largest] < 0; ++j)
        if (j != largest)
            vector[j] = -vector[j];
    vector[largest] = fabs(vector[largest]);
}

status symmetric_eigen(int n, double *a, double *values)
{
    /* Column by column for LAPACK: its eigenvectors, one a column, are our rows. */
    lapack_int failure = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', n, a, n, values);
    if (failure)
        return status_fail(STATUS_FAILED, "the eigenvectors of a matrix of %d x %d numbers were not found (LAPACK: %d)", n, n, (int)failure);
    size_t size = (size_t)n;
    for (size_t low = 0, high = size - 1; low < high; ++low, --high) {
        exchange(&values[low], &values[high]);
        for (size_t j = 0; j < size; ++j)
            exchange(&a[low * size + j], &a[high * size + j]);
    }
    for (size_t r = 0; r < size; ++r)
        fix_sign(n, a + r * size);
    return STATUS_OK;
}
