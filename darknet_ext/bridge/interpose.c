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
static _Noreturn void fail(void)
{
    fprintf(stderr, "%s\n", status_text());
    exit(2);
}

EXPORT network *parse_network_cfg(char *path)
{
    plugin_settings settings = {.sink = print_message, .layer_outputs = true, .may_train = true};
    plugin_network *p = NULL;
    status s = plugin_settings_from_environment(&settings);
    if (s == STATUS_OK)
        s = plugin_load(path, &settings, &p);
    if (s != STATUS_OK)
        fail();
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

EXPORT int resize_network(network *net, int w, int h)
{
    plugin_network *p = plugin_of(net);
    if (!p)
        return stock_resize_network(net, w, h);
    if (plugin_resize(p, w, h) != STATUS_OK)
        fail();
    return 0;
}

/* What stock would pass over in silence. */
static void print_loaded(const plugin_network *p, const char *path, int wanted, loaded_weights loaded)
{
    if (loaded.last < wanted)
        fprintf(stderr, "%s: weights of the first %d layers; the others keep theirs\n", path, loaded.last);
    if (loaded.left > 0 && wanted >= p->host->n)
        fprintf(stderr, "%s: warning: %zu numbers behind the weights of this network are not read\n", path, loaded.left);
}

EXPORT void load_weights_upto(network *net, char *path, int start, int cutoff)
{
    plugin_network *p = plugin_of(net);
    loaded_weights loaded;
    if (!p) {
        stock_load_weights_upto(net, path, start, cutoff);
        return;
    }
    int wanted = cutoff < net->n ? cutoff : net->n;
    fprintf(stderr, "Loading weights from %s...", path);
    if (plugin_load_some_weights(p, path, start, wanted, &loaded) != STATUS_OK) {
        fprintf(stderr, "\n");
        fail();
    }
    fprintf(stderr, "Done!\n");
    print_loaded(p, path, wanted, loaded);
}

EXPORT void load_weights(network *net, char *path)
{
    load_weights_upto(net, path, 0, net->n);
}

/* A training goes on when a file cannot be written: the one before it is still there. */
EXPORT void save_weights_upto(network *net, char *path, int cutoff)
{
    plugin_network *p = plugin_of(net);
    if (!p) {
        stock_save_weights_upto(net, path, cutoff);
        return;
    }
    fprintf(stderr, "Saving weights to %s\n", path);
    if (plugin_save_some_weights(p, path, cutoff) != STATUS_OK)
        fprintf(stderr, "%s\n", status_text());
}

EXPORT void save_weights(network *net, char *path)
{
    save_weights_upto(net, path, net->n);
}

EXPORT const char *dnx_version(void)
{
    return DNX_VERSION;
}
