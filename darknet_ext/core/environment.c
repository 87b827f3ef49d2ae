#include "core/environment.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/options.h"

const environment_variable environment_table[] = {
    {ENVIRONMENT_BACKEND, "backend; wins over [net] backend=, and -backend over it"},
    {ENVIRONMENT_THREADS, "number of threads; wins over [net] threads=, and -threads over it"},
    {ENVIRONMENT_SEED, "seed of all random numbers; wins over [net] seed=, and -seed over it"},
    {ENVIRONMENT_FAST_PATHS, "0: every step takes the general way, for tests (default 1)"},
    {ENVIRONMENT_VERBOSE, "1: print which implementation runs each layer, in which layout, and why not a faster one"},
    {ENVIRONMENT_STOCK, "path of the stock darknet program that other verbs are handed to"},
    {NULL, NULL},
};

bool fast_paths_enabled(void)
{
    const char *value = getenv(ENVIRONMENT_FAST_PATHS);
    return !value || strcmp(value, "0") != 0;
}

bool verbose_enabled(void)
{
    const char *value = getenv(ENVIRONMENT_VERBOSE);
    return value && strcmp(value, "1") == 0;
}

static int known_names(const char **names, int capacity)
{
    int n = 0;
    for (const environment_variable *v = environment_table; v->name && n < capacity; ++v)
        names[n++] = v->name;
    return n;
}

/* Those that turn something on or off; an empty one says nothing. */
static status check_switches(void)
{
    static const char *const switches[] = {ENVIRONMENT_FAST_PATHS, ENVIRONMENT_VERBOSE};
    for (size_t i = 0; i < sizeof switches / sizeof *switches; ++i) {
        const char *value = getenv(switches[i]);
        if (value && *value && strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
            return status_fail(STATUS_BAD_CONFIG, "%s: error: '%.64s' is neither 0 nor 1", switches[i], value);
    }
    return STATUS_OK;
}

status environment_check(void)
{
    static const char prefix[] = "DARKNET_EXT_";
    const char *names[16];
    int n = known_names(names, 16);
    for (char **entry = environ; entry && *entry; ++entry) {
        if (strncmp(*entry, prefix, sizeof prefix - 1) != 0)
            continue;
        char name[128];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*entry, "="), *entry);
        int known = 0;
        for (int i = 0; i < n; ++i)
            known |= strcmp(name, names[i]) == 0;
        if (known)
            continue;
        const char *nearest = nearest_name(name, names, n);
        return status_fail(STATUS_BAD_CONFIG, "unknown environment variable %s%s%s%s", name, nearest ? ", did you mean " : "",
                           nearest ? nearest : "", nearest ? "?" : " (darknet sobolev help environment lists them)");
    }
    return check_switches();
}
