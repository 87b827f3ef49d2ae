/* Eigenvectors of real symmetric matrices, by LAPACK. */
#ifndef DNX_DATA_EIGEN_H
#define DNX_DATA_EIGEN_H

#include "core/status.h"

/* `a` [n, n] becomes the eigenvectors, of unit length, one a row; `values` [n] their eigenvalues, the largest first. Each vector's
 * largest component is positive, so that the result is the same everywhere. */
status symmetric_eigen(int n, double *a, double *values);

#endif
