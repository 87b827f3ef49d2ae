/* The endless sequence of shuffled epochs: every sample once in each, in an order that seed and epoch decide. */
#ifndef DNX_TRAIN_EPOCHS_H
#define DNX_TRAIN_EPOCHS_H

#include "core/random.h"
#include "core/status.h"

typedef struct epochs {
    uint64_t seed;
    uint32_t samples;
    uint32_t *permutation;   /* of one epoch, owned */
    uint64_t permuted_epoch; /* that epoch + 1; 0: none yet */
} epochs;

status epochs_create(epochs *e, uint32_t samples, uint64_t seed);
void epochs_free(epochs *e);

/* The sample, from 0, at a position of the sequence. Positions of one epoch after each other are cheap. */
uint32_t epochs_at(epochs *e, uint64_t position);

#endif
