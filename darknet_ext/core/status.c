#include "core/status.h"

#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static _Thread_local char message[2048];

status status_fail(status code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    return code;
}

const char *status_text(void)
{
    return message;
}

void status_collect(status_list *all, status one)
{
    if (one == STATUS_OK)
        return;
    if (all->first == STATUS_OK)
        all->first = one;
    int written = snprintf(all->text + all->length, sizeof all->text - all->length, "%s%s", all->length ? "\n" : "", message);
    all->length += (unsigned)written;
    if (all->length >= sizeof all->text)
        all->length = sizeof all->text - 1;
}

status status_collected(const status_list *all)
{
    return all->first == STATUS_OK ? STATUS_OK : status_fail(all->first, "%s", all->text);
}

void *allocate_zeroed(unsigned long count, unsigned long size)
{
    void *memory = calloc(count ? count : 1, size);
    if (!memory)
        status_fail(STATUS_NO_MEMORY, "out of memory (%lu items of %lu bytes)", count, size);
    return memory;
}

double machine_memory(void)
{
    return (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE);
}

enum { ALIGNMENT = 64 };

/* What calloc gave lies up to ALIGNMENT bytes below the buffer, and its address right below. */
void *buffer_allocate(unsigned long count, unsigned long size)
{
    const unsigned long bytes = (count ? count : 1) * size;
    char *base = count > (ULONG_MAX - ALIGNMENT) / size ? NULL : calloc(1, bytes + ALIGNMENT);
    if (!base) {
        status_fail(STATUS_NO_MEMORY, "out of memory (%lu numbers of %lu bytes)", count, size);
        return NULL;
    }
    char *buffer = base + ALIGNMENT - (uintptr_t)base % ALIGNMENT;
    memcpy(buffer - sizeof base, &base, sizeof base);
    return buffer;
}

void buffer_release(void *buffer)
{
    char *base = NULL;
    if (buffer)
        memcpy(&base, (char *)buffer - sizeof base, sizeof base);
    free(base);
}
