/* Counts the allocations of the process while `counting` is set, by taking the place of malloc and its like. Not under sanitizers, which do
 * so themselves. Include it in one file of a program. */
#ifndef TESTS_ALLOCATION_COUNTER_H
#define TESTS_ALLOCATION_COUNTER_H

#include <stddef.h>

static volatile int counting;
static volatile long calls;

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

void *malloc(size_t size)
{
    calls += counting;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    calls += counting;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    calls += counting;
    return __libc_realloc(memory, size);
}

__attribute__((noipa)) int posix_memalign(void **memory, size_t alignment, size_t size)
{
    calls += counting;
    *memory = __libc_memalign(alignment, size);
    return *memory ? 0 : 12;
}

void *aligned_alloc(size_t alignment, size_t size)
{
    calls += counting;
    return __libc_memalign(alignment, size);
}

#endif
