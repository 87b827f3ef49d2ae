/* libFuzzer target: as fuzz_csv.c, for HDF5 files. libhdf5 itself is not instrumented: what the target finds in our code are wrong sizes
 * and shapes; a crash within libhdf5 is one of libhdf5.
 *
 *     scripts/fuzz 60 hdf5 */
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_file("h5", data, size);
}
