#include "backend/backend.h"

#include <stdio.h>
#include <string.h>

#ifdef DNX_ONEDNN
#include "backend/onednn/onednn.h"
#endif
#include "backend/ref/ref.h"
#include "core/options.h"

const backend *const backend_list[] = {
#ifdef DNX_ONEDNN
    &onednn_backend,
#endif
    &ref_backend,
    NULL,
};

enum { BACKEND_COUNT = sizeof backend_list / sizeof backend_list[0] - 1 };

static void fail_unknown(const char *name)
{
    const char *names[BACKEND_COUNT];
    char known[256] = "";
    size_t length = 0;
    for (int i = 0; i < BACKEND_COUNT; i++) {
        names[i] = backend_list[i]->name;
        length += (size_t)snprintf(known + length, sizeof known - length, "%s%s", i ? ", " : "", names[i]);
    }
    const char *nearest = nearest_name(name, names, BACKEND_COUNT);
    if (nearest)
        status_fail(STATUS_BAD_CONFIG, "unknown backend '%s': did you mean '%s'? (this build has %s)", name, nearest, known);
    else
        status_fail(STATUS_BAD_CONFIG, "unknown backend '%s' (this build has %s)", name, known);
}

const backend *backend_open(const char *name)
{
    if (!name || !*name)
        return backend_list[0];
    for (int i = 0; i < BACKEND_COUNT; i++)
        if (strcmp(backend_list[i]->name, name) == 0)
            return backend_list[i];
    fail_unknown(name);
    return NULL;
}
