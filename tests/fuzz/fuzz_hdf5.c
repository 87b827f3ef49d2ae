/* libFuzzer target: as fuzz_csv.c, for HDF5 files. libhdf5 is not instrumented, and leaks memory on damaged files: that is suppressed. It
 * allocates what they claim, and some make it allocate or loop without end: large pieces are refused here, and scripts/fuzz goes on after
 * running out of memory or time. What the target can find are wrong sizes, shapes and values in our code; a crash
 * inside libhdf5 is one of libhdf5.
 *
 *     scripts/fuzz 60 hdf5 */
#include "fuzz_file.h"

const char *__lsan_default_suppressions(void);
const char *__asan_default_options(void);

const char *__lsan_default_suppressions(void)
{
    return "leak:libhdf5";
}

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:max_allocation_size_mb=256";
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_file("h5", data, size);
}
