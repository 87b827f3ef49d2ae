#include "backend/onednn/scratch.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct scratch_buffer {
    void *data;
    size_t bytes;
    bool borrowed;
} scratch_buffer;

enum { MAX_BUFFERS = 64 }; /* threads of the host that compute at the same time */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static scratch_buffer buffers[MAX_BUFFERS];
static int users;

void scratch_register(void)
{
    pthread_mutex_lock(&lock);
    ++users;
    pthread_mutex_unlock(&lock);
}

void scratch_unregister(void)
{
    pthread_mutex_lock(&lock);
    if (--users == 0)
        for (scratch_buffer *b = buffers; b < buffers + MAX_BUFFERS; ++b) {
            free(b->data);
            *b = (scratch_buffer){0};
        }
    pthread_mutex_unlock(&lock);
}

/* A free buffer, the largest: a small one grows only when there is no other. */
static scratch_buffer *largest_free(void)
{
    scratch_buffer *best = NULL;
    for (scratch_buffer *b = buffers; b < buffers + MAX_BUFFERS; ++b)
        if (!b->borrowed && (!best || b->bytes > best->bytes))
            best = b;
    return best;
}

void *scratch_borrow(size_t bytes)
{
    pthread_mutex_lock(&lock);
    scratch_buffer *b = largest_free();
    if (b && b->bytes < bytes) {
        free(b->data);
        *b = (scratch_buffer){.bytes = scratch_round(bytes)};
        if (posix_memalign(&b->data, SCRATCH_ALIGNMENT, b->bytes))
            b = NULL;
    }
    if (!b) {
        fprintf(stderr, "onednn: out of memory (%zu bytes to work in; a smaller batch needs less)\n", bytes);
        abort();
    }
    b->borrowed = true;
    pthread_mutex_unlock(&lock);
    return b->data;
}

void scratch_return(void *buffer)
{
    pthread_mutex_lock(&lock);
    for (scratch_buffer *b = buffers; b < buffers + MAX_BUFFERS; ++b)
        if (b->data == buffer)
            b->borrowed = false;
    pthread_mutex_unlock(&lock);
}
