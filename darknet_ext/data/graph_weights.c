#include "data/graph_weights.h"

#include <string.h>

#include "data/weights_file.h"

/* Whether a weights file holds this array. Darknet's [batchnorm] knows no dontloadscales. */
static bool is_loaded(const graph_node *node, const parameter *p)
{
    bool normalises = p->statistic || strcmp(p->name, "scales") == 0;
    bool left_out = normalises && strcmp(node->where->spec->name, "batchnorm") != 0 && option_boolean(node->where, "dontloadscales");
    return !left_out && !option_boolean(node->where, "dontload");
}

static size_t loaded_count(const graph *g)
{
    size_t count = 0;
    GRAPH_ARRAYS(g, p) count += is_loaded(&g->nodes[node_], p) ? p->count : 0;
    return count;
}

status graph_weights_read(graph *g, const char *path)
{
    weights_file file;
    status s = weights_file_read(path, loaded_count(g), &file);
    if (s != STATUS_OK)
        return s;
    const float *from = file.values;
    GRAPH_ARRAYS(g, p)
    for (size_t j = 0; j < p->count && is_loaded(&g->nodes[node_], p); ++j)
        p->value[j] = (real)*from++;
    weights_file_free(&file);
    return STATUS_OK;
}
