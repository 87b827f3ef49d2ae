/* What a layer of Darknet holds once the engine runs it: its weights, which become the engine's parameters, its output and delta, and its
 * sizes. What only Darknet's own functions for this type used is given back. */
#include <stdio.h>

#include "bridge/internal.h"

/* ---------------------------------------------------------------- weights */

static float **array_named(layer *l, const char *name)
{
    const struct {
        const char *name;
        float **array;
    } table[] = {
        {"weights", &l->weights},           {"biases", &l->biases},
        {"scales", &l->scales},             {"rolling_mean", &l->rolling_mean},
        {"rolling_variance", &l->rolling_variance},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; ++i)
        if (strcmp(table[i].name, name) == 0)
            return table[i].array;
    return NULL;
}

/* Loading, saving and looking at weights works as ever. */
static void bind_parameters(graph_node *node, layer *l)
{
    for (int i = 0; i < node->n_parameters; ++i) {
        float **array = array_named(l, node->parameters[i].name);
        if (array && *array)
            node->parameters[i].value = *array;
    }
}

static void give_back(float **array)
{
    free(*array);
    *array = NULL;
}

static void give_back_scratch(layer *l)
{
    float **arrays[] = {
        &l->weight_updates, &l->bias_updates, &l->scale_updates, &l->m,       &l->v,        &l->bias_m,     &l->bias_v,         &l->scale_m,
        &l->scale_v,        &l->x,            &l->x_norm,        &l->mean,    &l->variance, &l->mean_delta, &l->variance_delta, &l->loss,
        &l->squared,        &l->norms,        &l->rand,
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; ++i)
        give_back(arrays[i]);
    free(l->indexes);
    l->indexes = NULL;
    if (l->type == L2NORM) /* there `scales` holds one number for each output */
        give_back(&l->scales);
    l->workspace_size = 0;
}

status host_layer_check(const plugin_network *p, const graph_node *node, const layer *l)
{
    if ((size_t)l->outputs == shape_count(node->out))
        return STATUS_OK;
    return status_fail(STATUS_FAILED, "%s:%d:%d: error: Darknet builds this layer with %d outputs, the engine with %zu", p->config->path, node->where->line,
                       node->where->column, l->outputs, shape_count(node->out));
}

void host_layer_bind(const plugin_network *p, graph_node *node, layer *l)
{
    bind_parameters(node, l);
    give_back_scratch(l);
    /* A dropout layer of the host shares output and delta with the layer below it. */
    if (l->type != DROPOUT) {
        free(l->output);
        free(l->delta);
    }
    l->output = l->delta = NULL;
    /* With [sobolev] only losses cost something: Darknet prints the mean over the layers that have a cost. */
    if (p->objective && node->type->role == LAYER_PLAIN)
        give_back(&l->cost);
}

/* ---------------------------------------------------------------- sizes */

static void set_sides(tensor_shape shape, int *channels, int *height, int *width)
{
    *channels = shape.channels;
    *height = shape.height;
    *width = shape.width;
}

/* Types that know no images have zeros there. A shortcut's own input is the layer it adds. */
void host_layer_set_sizes(const graph_node *node, layer *l)
{
    l->inputs = (int)shape_count(node->in);
    l->outputs = (int)shape_count(node->out);
    if (l->h > 0)
        set_sides(l->type == SHORTCUT ? node->in_shapes[1] : node->in, &l->c, &l->h, &l->w);
    if (l->out_h > 0)
        set_sides(node->out, &l->out_c, &l->out_h, &l->out_w);
    if (l->type != ROUTE)
        return;
    l->inputs = l->outputs;
    for (int i = 0; i < l->n; ++i)
        l->input_sizes[i] = (int)shape_count(node->in_shapes[i]);
}

/* ---------------------------------------------------------------- output and delta */

/* In a network without a loss the client itself fills the delta of the output. */
static bool is_written_by_client(const plugin_network *p, int index)
{
    for (int i = 0; i < p->graph.n_nodes; ++i)
        if (node_is_loss(&p->graph.nodes[i]) || p->objective)
            return false;
    return index == p->graph.output_node;
}

/* The tape's own numbers where they lie as Darknet's; else a copy, when clients may look at it. */
static status take_output(plugin_network *p, const graph_node *node, layer *l, size_t count)
{
    bool plain = node->type->role == LAYER_PLAIN, same = plain && node->out_block == 1;
    l->output = same ? tape_jet(p->tape, node->index)->data : NULL;
    if (same || (plain && !p->layer_outputs))
        return STATUS_OK;
    l->output = allocate_zeroed(count, sizeof *l->output);
    return l->output ? STATUS_OK : STATUS_NO_MEMORY;
}

status host_layer_take_buffers(plugin_network *p, const graph_node *node, layer *l)
{
    size_t count = (size_t)p->host->batch * (size_t)l->outputs;
    status s = take_output(p, node, l, count);
    bool has_delta = node->type->role == LAYER_PLAIN && (graph_is_read_by_host(&p->graph, node->index) || is_written_by_client(p, node->index));
    if (s != STATUS_OK || !has_delta)
        return s;
    l->delta = allocate_zeroed(count, sizeof *l->delta);
    return l->delta ? STATUS_OK : STATUS_NO_MEMORY;
}

void host_layer_drop_buffers(plugin_network *p, const graph_node *node, layer *l)
{
    bool lent = p->tape && node->type->role == LAYER_PLAIN && l->output == tape_jet(p->tape, node->index)->data;
    if (!lent)
        free(l->output);
    free(l->delta);
    l->output = l->delta = NULL;
}
