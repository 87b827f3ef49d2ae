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

int stock_resize_network(network *net, int w, int h)
{
    int (*stock)(network *, int, int);
    *(void **)&stock = next_symbol("resize_network");
    return stock(net, w, h);
}

void stock_load_weights_upto(network *net, char *path, int start, int cutoff)
{
    void (*stock)(network *, char *, int, int);
    *(void **)&stock = next_symbol("load_weights_upto");
    stock(net, path, start, cutoff);
}

void stock_save_weights_upto(network *net, char *path, int cutoff)
{
    void (*stock)(network *, char *, int);
    *(void **)&stock = next_symbol("save_weights_upto");
    stock(net, path, cutoff);
}
