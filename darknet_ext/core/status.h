/* Status codes and the text that belongs to the last failure of this thread.
 *
 * A function that can fail returns a `status`; STATUS_OK is 0. Whoever detects the failure calls status_fail() once,
 * with the whole sentence a person should read (file:line first where there is one); callers only pass the code upward.
 * Only programs print and exit. */
#ifndef DNX_CORE_STATUS_H
#define DNX_CORE_STATUS_H

#include <stdarg.h>

typedef enum status {
    STATUS_OK = 0,
    STATUS_FAILED = 1,     /* a check or a run did not succeed */
    STATUS_BAD_CONFIG = 2, /* cfg, flag or environment is wrong */
    STATUS_BAD_FILE = 3,   /* a file cannot be read, written or understood */
    STATUS_NO_MEMORY = 4,
    STATUS_INTERRUPTED = 5
} status;

/* Keeps the formatted text as this thread's message and returns `code`. */
status status_fail(status code, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The text of the last status_fail() of this thread, "" if none; valid until the next one. */
const char *status_text(void);

/* Gathers the failures of checks that do not depend on each other, so that a person sees all of them at once. */
typedef struct status_list {
    status first; /* STATUS_OK: none yet */
    char text[1900];
    unsigned length;
} status_list;

/* Adds a result; the text of a failure becomes one more line. */
void status_collect(status_list *all, status one);

/* The first failure's code, with all texts as this thread's message; STATUS_OK when there was none. */
status status_collected(const status_list *all);

/* calloc that never returns NULL to its caller's surprise: on failure it sets the status text and returns NULL. */
void *allocate_zeroed(unsigned long count, unsigned long size);

/* The same, aligned to 64 bytes. The pages of a large buffer are the system's zeros until somebody writes there: what is never
 * used, as the adjoints of a network that only predicts, costs nothing. */
void *buffer_allocate(unsigned long count, unsigned long size);
void buffer_release(void *buffer); /* NULL is allowed */

/* Bytes of memory that this machine has. */
double machine_memory(void);

#endif
