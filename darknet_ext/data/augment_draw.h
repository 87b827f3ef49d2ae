/* What is drawn for a training sample at a position of the sequence of epochs (data/augment.h). */
#ifndef DNX_DATA_AUGMENT_DRAW_H
#define DNX_DATA_AUGMENT_DRAW_H

#include "core/random.h"
#include "data/augment.h"

/* Words of the random stream: so many for each position, of which these are used. */
enum { WORDS = 8, WORD_FLIP = 0, WORD_ROW, WORD_COLUMN, WORD_BRIGHTNESS, WORD_CONTRAST, WORD_SATURATION, WORD_HUE };

/* In (0,1). */
static inline double draw(const augmentation *a, uint64_t position, int word)
{
    return random_one((random_stream){a->seed, RANDOM_AUGMENT, 0}, position * WORDS + (uint64_t)word);
}

static inline double draw_between(const augmentation *a, uint64_t position, int word, double low, double high)
{
    return low + (high - low) * draw(a, position, word);
}

/* A whole number of 0 .. n-1. */
static inline int draw_below(const augmentation *a, uint64_t position, int word, int n)
{
    return (int)(draw(a, position, word) * n);
}

static inline bool draws_flip(const augmentation *a, uint64_t position)
{
    return a->flip && draw(a, position, WORD_FLIP) < .5;
}

#endif
