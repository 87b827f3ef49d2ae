#include "core/loss_math.h"

#include <stddef.h>

const char *const loss_names[LOSS_COUNT + 1] = {
#define LOSS_NAME(e, name) name,
    LOSS_TABLE(LOSS_NAME) LOGIT_LOSS_TABLE(LOSS_NAME)
#undef LOSS_NAME
        NULL,
};
