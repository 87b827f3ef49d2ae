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

/* flipped=1: the file holds the transpose of [filters, kernel]. */
static bool is_flipped(const graph_node *node, const parameter *p)
{
    return section_option(node->where->spec, "flipped") && option_boolean(node->where, "flipped") && strcmp(p->name, "weights") == 0;
}

static void take(const graph_node *node, const parameter *p, const float *from)
{
    size_t filters = is_flipped(node, p) ? (size_t)node->out.channels : 1, kernel = p->count / filters;
    for (size_t k = 0; k < filters; ++k)
        for (size_t r = 0; r < kernel; ++r)
            p->value[k * kernel + r] = (real)from[r * filters + k];
}

status graph_weights_read(graph *g, const char *path)
{
    weights_file file;
    status s = weights_file_read(path, loaded_count(g), &file);
    if (s != STATUS_OK)
        return s;
    size_t at = 0;
    GRAPH_ARRAYS(g, p)
    {
        if (!is_loaded(&g->nodes[node_], p))
            continue;
        if (s == STATUS_OK && strcmp(p->name, "rolling_variance") == 0)
            s = weights_file_check_variances(&file, path, at, p->count);
        take(&g->nodes[node_], p, file.values + at);
        at += p->count;
    }
    weights_file_free(&file);
    return s;
}
