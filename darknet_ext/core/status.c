#include "core/status.h"

#include <stdio.h>
#include <stdlib.h>

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
