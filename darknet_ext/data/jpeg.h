/* Whether a JPEG file is all there: decoders fill the rest of one that was cut off with grey, and say nothing. */
#ifndef DNX_DATA_JPEG_H
#define DNX_DATA_JPEG_H

#include "core/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/* STATUS_BAD_FILE when the file begins like a JPEG, but does not come to its end; files of other kinds are left alone. */
status jpeg_check_end(const char *path);

#ifdef __cplusplus
}
#endif

#endif
