#include "train/epochs.h"

#include <stdlib.h>

status epochs_create(epochs *e, uint32_t samples, uint64_t seed)
{
    *e = (epochs){.seed = seed, .samples = samples, .permutation = allocate_zeroed(samples, sizeof *e->permutation)};
    return e->permutation ? STATUS_OK : STATUS_NO_MEMORY;
}

void epochs_free(epochs *e)
{
    free(e->permutation);
    *e = (epochs){0};
}

uint32_t epochs_at(epochs *e, uint64_t position)
{
    uint64_t epoch = position / e->samples;
    if (e->permuted_epoch != epoch + 1) {
        random_permutation((random_stream){e->seed, RANDOM_SHUFFLE, (uint32_t)epoch}, e->samples, e->permutation);
        e->permuted_epoch = epoch + 1;
    }
    return e->permutation[position % e->samples];
}
