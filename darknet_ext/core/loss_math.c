#include "core/loss_math.h"

#define LOSS_NAME(e, name) name,

const char *const loss_names[LOSS_COUNT + 1] = {VECTOR_LOSS_TABLE(LOSS_NAME) LOGIT_LOSS_TABLE(LOSS_NAME) PENALTY_LOSS_TABLE(LOSS_NAME) NULL};
const char *const vector_loss_names[] = {VECTOR_LOSS_TABLE(LOSS_NAME) NULL};
const char *const value_loss_names[] = {VECTOR_LOSS_TABLE(LOSS_NAME) LOGIT_LOSS_TABLE(LOSS_NAME) NULL};
const char *const gradient_loss_names[] = {VECTOR_LOSS_TABLE(LOSS_NAME) PENALTY_LOSS_TABLE(LOSS_NAME) NULL};

loss_kind gradient_loss_kind(int place)
{
    return place == LOSS_RELATIVE + 1 ? LOSS_PENALTY : (loss_kind)place;
}

loss_function loss_of_kind(loss_kind kind)
{
    return (loss_function){.kind = kind, .parameter = kind == LOSS_RELATIVE ? 1e-6 : 1};
}
