/* Working memory that the convolutions of a process share: each call borrows a buffer and gives it back, so that a network of a hundred
 * layers needs as much as its hungriest one. Threads of the host that compute at the same time get buffers of their own. */
#ifndef DNX_BACKEND_ONEDNN_SCRATCH_H
#define DNX_BACKEND_ONEDNN_SCRATCH_H

#include <stddef.h>

enum { SCRATCH_ALIGNMENT = 64 };

/* The buffers live as long as somebody is registered. */
void scratch_register(void);
void scratch_unregister(void);

/* At least that many bytes, aligned to SCRATCH_ALIGNMENT, with arbitrary finite or infinite content; ends the program when memory is short. */
void *scratch_borrow(size_t bytes);
void scratch_return(void *buffer);

static inline size_t scratch_round(size_t bytes)
{
    return (bytes + SCRATCH_ALIGNMENT - 1) / SCRATCH_ALIGNMENT * SCRATCH_ALIGNMENT;
}

#endif
