/* Calls of a function of a shared object, in child processes; private to data/black_box.c. */
#ifndef DNX_DATA_BLACK_BOX_CALLS_H
#define DNX_DATA_BLACK_BOX_CALLS_H

#include <stddef.h>

#include "core/status.h"

typedef struct box_function {
    char *name, *library; /* LIBRARY:SYMBOL and its LIBRARY, owned */
    const char *symbol;   /* within name */
    int inputs, outputs, processes;
} box_function;

/* What the function is called for: `items`, each with the same number of calls. */
typedef struct call_plan {
    size_t items, calls;
    void *context;

    /* The x of one call; runs in a child process too. */
    void (*point)(const void *context, size_t item, size_t call, double *x);

    /* values[calls, outputs] of an item; items come in ascending order, in this process. */
    void (*take)(void *context, size_t item, const double *values);
} call_plan;

/* Finds library and symbol. STATUS_BAD_CONFIG when that is impossible, or when the library crashes while it is loaded. */
status box_check(const box_function *f);

/* Results and messages as black_box_evaluate. */
status box_call(const box_function *f, const call_plan *plan);

#endif
