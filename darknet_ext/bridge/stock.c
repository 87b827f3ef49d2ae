/* The stock functions behind the ones this library defines. */
#include <dlfcn.h>
#include <stdio.h>

#include "bridge/internal.h"

static void *next_symbol(const char *name)
{
    void *symbol = dlsym(RTLD_NEXT, name);
    if (!symbol) {
        fprintf(stderr, "darknet_ext: error: no %s behind the plugin: link -ldarknet_ext before -ldarknet\n", name);
        exit(2);
    }
    return symbol;
}

network *stock_parse_network_cfg(char *path)
{
    network *(*stock)(char *);
    *(void **)&stock = next_symbol("parse_network_cfg");
    return stock(path);
}

void stock_free_network(network *net)
{
    void (*stock)(network *);
    *(void **)&stock = next_symbol("free_network");
    stock(net);
}
