/* The names of Darknet that this library defines. A program linked with -ldarknet_ext -ldarknet, or any client of libdarknet
 * under LD_PRELOAD, gets these first; libdarknet's own calls (load_network) come here too, through its PLT. */
#include <stdio.h>
#include <xmmintrin.h>

#include "bridge/internal.h"
#include "darknet_ext.h"

#define EXPORT __attribute__((visibility("default")))

/* libdarknet was built with -Ofast: loading it makes the processor flush denormal numbers to zero. Undo that, so that the
 * engine computes what its tests proved. New threads inherit the setting. */
__attribute__((constructor)) static void restore_denormals(void)
{
    const unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
    _mm_setcsr(_mm_getcsr() & ~(flush_to_zero | denormals_are_zero));
}

static void print_message(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

/* Darknet's callers expect a network or the end of the program. */
EXPORT network *parse_network_cfg(char *path)
{
    plugin_settings settings = {.sink = print_message, .layer_outputs = true};
    plugin_network *p = NULL;
    status s = plugin_settings_from_environment(&settings);
    if (s == STATUS_OK)
        s = plugin_load(path, &settings, &p);
    if (s != STATUS_OK) {
        fprintf(stderr, "%s\n", status_text());
        exit(2);
    }
    return p->host;
}

EXPORT void free_network(network *net)
{
    plugin_network *p = plugin_of(net);
    if (p)
        plugin_free(p);
    else
        stock_free_network(net);
}

EXPORT const char *dnx_version(void)
{
    return DNX_VERSION;
}
