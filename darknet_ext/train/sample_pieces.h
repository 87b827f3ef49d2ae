/* A set of samples, one piece after the other in memory, as measuring wants them. */
#ifndef DNX_TRAIN_SAMPLE_PIECES_H
#define DNX_TRAIN_SAMPLE_PIECES_H

#include "data/dataset.h"
#include "data/stream_source.h"

typedef struct sample_pieces {
    const sample_set *set;
    uint32_t first, next, most; /* the first samples of the piece and of the next one; the largest number of samples in one */
    dataset samples;     /* x, y and derivatives of the piece that was read last */
} sample_pieces;

/* `rows`: how many samples are wanted at a time; large ones come in smaller pieces. Freed by the caller also on failure. */
status sample_pieces_create(sample_pieces *p, const sample_set *set, size_t rows);
void sample_pieces_free(sample_pieces *p);

/* Reads the next piece, on all processor threads; there must be one. Of several samples that cannot be read the first one is reported. */
status sample_pieces_read(sample_pieces *p);

/* The piece once more, of pictures another crop (data/picture_view.h). */
status sample_pieces_crop(sample_pieces *p, int crop);

/* Those of `parts` (bits) that there are of all samples of a set, or of as many as make `numbers` numbers, at least one, at equal distances; in the
 * order of the file. Freed by the caller also on failure. */
status sample_pieces_gather(const sample_set *set, unsigned parts, size_t numbers, dataset *some);

#endif
