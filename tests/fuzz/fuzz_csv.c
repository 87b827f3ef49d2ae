/* libFuzzer target: any bytes are read as a CSV file without harm; what is accepted is finite where it must be, and reads the same after
 * it was written.
 *
 *     scripts/fuzz 60 csv */
#include "fuzz_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    return fuzz_file("csv", data, size);
}
