#include "core/activation_math.h"

#include <stddef.h>

const activation_info activation_table[ACTIVATION_COUNT] = {
#define ACTIVATION_ROW(e, name, piecewise, stock) {name, piecewise, stock},
    ACTIVATION_TABLE(ACTIVATION_ROW)
#undef ACTIVATION_ROW
};

const char *const activation_names[ACTIVATION_COUNT + 1] = {
#define ACTIVATION_NAME(e, name, piecewise, stock) name,
    ACTIVATION_TABLE(ACTIVATION_NAME)
#undef ACTIVATION_NAME
        NULL,
};
