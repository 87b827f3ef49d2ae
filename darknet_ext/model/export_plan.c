#include "model/export_plan.h"

#include <stdlib.h>
#include <string.h>

bool plan_is(const plan_layer *l, const char *type)
{
    return strcmp(l->type, type) == 0;
}

/* ---------------------------------------------------------------- building */

/* Layers by number: from 0, or negative, from this one. */
static status take_numbers(plan_layer *l, const char *key, int first)
{
    int n = option_integers(l->where, key, NULL, 0);
    long *numbers = allocate_zeroed((unsigned long)n, sizeof *numbers);
    l->n_inputs = first + n;
    l->inputs = allocate_zeroed((unsigned long)l->n_inputs, sizeof *l->inputs);
    if (numbers && l->inputs) {
        option_integers(l->where, key, numbers, n);
        l->inputs[0] = l->index - 1;
        for (int i = 0; i < n; ++i)
            l->inputs[first + i] = (int)(numbers[i] < 0 ? numbers[i] + l->index : numbers[i]);
    }
    free(numbers);
    return numbers && l->inputs ? STATUS_OK : STATUS_NO_MEMORY;
}

static status take_inputs(plan_layer *l)
{
    if (plan_is(l, "route"))
        return take_numbers(l, "layers", 0);
    if (plan_is(l, "shortcut"))
        return take_numbers(l, "from", 1);
    l->inputs = allocate_zeroed(1, sizeof *l->inputs);
    if (!l->inputs)
        return STATUS_NO_MEMORY;
    l->inputs[0] = l->index - 1;
    l->n_inputs = 1;
    return STATUS_OK;
}

/* With Darknet's defaults. */
static plan_window window_of(const plan_layer *l)
{
    plan_window w = {(int)option_integer(l->where, "size"), (int)option_integer(l->where, "stride"), (int)option_integer(l->where, "padding")};
    if (plan_is(l, "maxpool")) {
        w.size = option_given(l->where, "size") ? w.size : w.stride;
        w.padding = option_given(l->where, "padding") ? w.padding : w.size - 1;
    } else if (option_boolean(l->where, "pad")) {
        w.padding = w.size / 2;
    }
    return w;
}

tensor_shape plan_shape(const plan *p, int layer)
{
    return layer < 0 ? p->input : p->layers[layer].out;
}

static bool reads_shapeless(const plan *p, const plan_layer *l)
{
    return l->inputs[0] >= 0 && p->layers[l->inputs[0]].shapeless;
}

static bool joins_sizes(const plan *p, const plan_layer *l)
{
    for (int i = 1; i < l->n_inputs; ++i)
        if (plan_shape(p, l->inputs[i]).height != l->in.height || plan_shape(p, l->inputs[i]).width != l->in.width)
            return true;
    return false;
}

static bool is_shapeless(const plan *p, const plan_layer *l)
{
    static const char *const keep_it[] = {"dropout", "activation", "logistic", "shortcut", "critic", NULL};
    if (plan_is(l, "softmax"))
        return true;
    if (plan_is(l, "route"))
        return reads_shapeless(p, l) || joins_sizes(p, l);
    for (const char *const *type = keep_it; *type; ++type)
        if (plan_is(l, *type))
            return reads_shapeless(p, l);
    return false;
}

static status add_layer(plan *p, plugin_network *network, const section *where)
{
    plan_layer *l = &p->layers[p->n];
    const graph_node *node = &plugin_graph(network)->nodes[p->n];
    *l = (plan_layer){.where = where, .type = where->spec->name, .index = p->n, .temperature = 1, .thinning = 1};
    l->adopted = node->type != NULL;
    l->dropped = node->type && node->type->role == LAYER_OBJECTIVE;
    ++p->n;
    status s = take_inputs(l);
    if (s != STATUS_OK || l->dropped)
        return s;
    l->out = node->out;
    l->in = plan_shape(p, l->inputs[0]);
    l->shapeless = is_shapeless(p, l);
    if (section_option(where->spec, "activation"))
        l->activation = option_text(where, "activation");
    if (plan_is(l, "convolutional") || plan_is(l, "maxpool"))
        l->window = window_of(l);
    if (plan_is(l, "softmax"))
        l->temperature = option_real(where, "temperature");
    l->arrays = plugin_layer_arrays(network, l->index);
    return STATUS_OK;
}

status plan_create(plan *p, plugin_network *network)
{
    const graph *g = plugin_graph(network);
    *p = (plan){.config = plugin_config(network), .output = g->output_node, .input = g->input};
    p->layers = allocate_zeroed((unsigned long)g->n_nodes, sizeof *p->layers);
    status s = p->layers ? STATUS_OK : STATUS_NO_MEMORY;
    for (int i = 0; i < p->config->n_sections && s == STATUS_OK; ++i)
        if (p->config->sections[i].spec->role == SECTION_LAYER && p->config->sections[i].block == 0)
            s = add_layer(p, network, &p->config->sections[i]);
    return s;
}

void plan_free(plan *p)
{
    for (int i = 0; i < p->n; ++i) {
        free(p->layers[i].inputs);
        free(p->layers[i].made_weights);
        free(p->layers[i].made_biases);
    }
    free(p->layers);
    *p = (plan){0};
}

/* ---------------------------------------------------------------- changing */

static int count_references(const plan *p, int layer, bool by_number)
{
    int n = 0;
    for (int i = layer + 1; i < p->n; ++i) {
        const plan_layer *l = &p->layers[i];
        for (int k = !by_number || plan_is(l, "route") ? 0 : 1; !l->dropped && k < l->n_inputs; ++k)
            n += l->inputs[k] == layer;
    }
    return n;
}

int plan_readers(const plan *p, int layer)
{
    return count_references(p, layer, false);
}

plan_layer *plan_own_input(const plan *p, const plan_layer *l)
{
    int below = l->inputs[0];
    return l->n_inputs == 1 && below >= 0 && plan_readers(p, below) == 1 ? &p->layers[below] : NULL;
}

status plan_drop(plan *p, plan_layer *l)
{
    int below = l->inputs[0];
    if (below < 0 && (l->index == p->output || count_references(p, l->index, true) > 0))
        return plan_make_convolution(l, NULL, NULL, NULL);
    l->dropped = true;
    if (p->output == l->index)
        p->output = below;
    for (int i = l->index + 1; i < p->n; ++i)
        for (int k = 0; k < p->layers[i].n_inputs; ++k)
            if (p->layers[i].inputs[k] == l->index)
                p->layers[i].inputs[k] = below;
    return STATUS_OK;
}

status plan_make_convolution(plan_layer *l, const double *factors, const double *shifts, const char *f)
{
    size_t channels = (size_t)l->in.channels;
    float *weights = allocate_zeroed(channels, sizeof *weights), *biases = allocate_zeroed(channels, sizeof *biases);
    for (size_t c = 0; weights && biases && c < channels; ++c) {
        weights[c] = factors ? (float)factors[c] : 1;
        biases[c] = shifts ? (float)shifts[c] : 0;
    }
    l->type = "convolutional";
    l->activation = f ? f : "linear";
    l->window = (plan_window){1, 1, 0};
    l->arrays = (layer_arrays){.filters = channels, .filter_size = 1, .biases = biases, .weights = weights};
    l->made = true;
    l->made_weights = weights;
    l->made_biases = biases;
    return weights && biases ? STATUS_OK : STATUS_NO_MEMORY;
}

status plan_widen_kernel(plan_layer *l)
{
    enum { KERNEL = 9, MIDDLE = 4 };
    size_t count = l->arrays.filters * l->arrays.filter_size;
    l->made_weights = allocate_zeroed(count, KERNEL * sizeof *l->made_weights);
    for (size_t i = 0; l->made_weights && i < count; ++i)
        l->made_weights[i * KERNEL + MIDDLE] = l->arrays.weights[i];
    l->arrays.weights = l->made_weights;
    l->arrays.filter_size *= KERNEL;
    l->window.size = 3;
    ++l->window.padding;
    return l->made_weights ? STATUS_OK : STATUS_NO_MEMORY;
}
