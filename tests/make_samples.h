/* Small HDF5 files of samples that are read in pieces, made by the tests themselves. */
#ifndef DNX_TESTS_MAKE_SAMPLES_H
#define DNX_TESTS_MAKE_SAMPLES_H

#include <hdf5.h>
#include <stdlib.h>

/* How a data set lies in its file. */
typedef struct sample_layout {
    hsize_t chunk; /* samples in a chunk; 0: contiguous */
    int compress;
    H5Z_filter_t filter; /* of chunks; 0: none */
} sample_layout;

static hid_t samples_create(const char *path)
{
    return H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
}

/* A data set of `file_type` from `values` of `memory_type`; 0: done. */
static int samples_put_as(hid_t file, const char *name, int rank, const hsize_t *sizes, hid_t file_type, hid_t memory_type, const void *values,
                          sample_layout layout)
{
    hid_t properties = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(rank, sizes, NULL);
    hsize_t chunk[H5S_MAX_RANK];
    for (int i = 0; i < rank; ++i)
        chunk[i] = i ? sizes[i] : layout.chunk;
    if (layout.chunk)
        H5Pset_chunk(properties, rank, chunk);
    if (layout.compress)
        H5Pset_deflate(properties, 1);
    if (layout.filter)
        H5Pset_filter(properties, layout.filter, H5Z_FLAG_MANDATORY, 0, NULL);
    hid_t set = H5Dcreate2(file, name, file_type, space, H5P_DEFAULT, properties, H5P_DEFAULT);
    herr_t written = H5Dwrite(set, memory_type, H5S_ALL, H5S_ALL, H5P_DEFAULT, values);
    H5Dclose(set);
    H5Sclose(space);
    H5Pclose(properties);
    return written < 0 ? -1 : 0;
}

static inline int samples_put_bytes(hid_t file, const char *name, int rank, const hsize_t *sizes, const unsigned char *values, sample_layout layout)
{
    return samples_put_as(file, name, rank, sizes, H5T_STD_U8LE, H5T_NATIVE_UINT8, values, layout);
}

static int samples_put_floats(hid_t file, const char *name, int rank, const hsize_t *sizes, const float *values)
{
    return samples_put_as(file, name, rank, sizes, H5T_IEEE_F32LE, H5T_NATIVE_FLOAT, values, (sample_layout){0});
}

static int samples_put_integers(hid_t file, const char *name, hsize_t n, const int *values)
{
    return samples_put_as(file, name, 1, &n, H5T_STD_I32LE, H5T_NATIVE_INT, values, (sample_layout){0});
}

#endif
