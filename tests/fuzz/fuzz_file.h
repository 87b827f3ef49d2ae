/* What the fuzz targets of data files share. */
#ifndef DNX_FUZZ_FILE_H
#define DNX_FUZZ_FILE_H

#include <stddef.h>
#include <stdint.h>

/* Reads the bytes as a file of that ending under several requests; aborts when a result makes no sense. */
int fuzz_file(const char *ending, const uint8_t *data, size_t size);

#endif
