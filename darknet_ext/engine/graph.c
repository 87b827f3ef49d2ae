#include "engine/graph.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---------------------------------------------------------------- building */

static status config_error(const config *c, const section *s, const char *text)
{
    return section_fail(s, c->path, text);
}

/* `block` 0: of the network itself. */
static bool is_layer_of(const section *s, int block)
{
    return s->spec->role == SECTION_LAYER && s->block == block;
}

static int count_layers(const config *c, int block)
{
    int n = 0;
    for (int i = 0; i < c->n_sections; ++i)
        n += is_layer_of(&c->sections[i], block);
    return n;
}

/* Rejects sizes that would overflow the ints of Darknet and of the products. */
static bool shape_is_sane(tensor_shape s, const config *c)
{
    const size_t largest = (size_t)1 << 28, batch = (size_t)option_integer(&c->sections[0], "batch");
    bool positive = s.channels > 0 && s.height > 0 && s.width > 0;
    return positive && (size_t)s.channels * (size_t)s.height <= largest && shape_count(s) <= largest && shape_count(s) <= INT_MAX / batch;
}

status graph_input_shape(const config *c, tensor_shape *shape)
{
    const section *net = &c->sections[0];
    long inputs = option_integer(net, "inputs");
    tensor_shape image = {(int)option_integer(net, "channels"), (int)option_integer(net, "height"), (int)option_integer(net, "width")};
    *shape = image.height > 0 ? image : shape_vector((int)inputs);
    if (!shape_is_sane(*shape, c))
        return config_error(c, net, "batch times input has no size, or too large a one: give inputs=, or channels=, height= and width=");
    return STATUS_OK;
}

/* Behind a loss only another loss may stand: Darknet gives the errors of the samples as its output. */
static status check_order(const graph *g, const graph_node *node, const config *c)
{
    const graph_node *above = node->index > 0 ? &g->nodes[node->index - 1] : NULL;
    if (!above || !above->type || above->type->role == LAYER_PLAIN)
        return STATUS_OK;
    const layer_type *type = layer_for(node->where);
    if (above->type->role == LAYER_LOSS && type && type->role != LAYER_PLAIN)
        return STATUS_OK;
    char text[128];
    snprintf(text, sizeof text, "no layer may follow [%s] (line %d): it is the loss of the whole network", above->where->name, above->where->line);
    return config_error(c, node->where, text);
}

static tensor_shape shape_of(const graph *g, int node)
{
    return node < 0 ? g->input : g->nodes[node].out;
}

static status take_input_shapes(const graph *g, graph_node *node)
{
    for (int i = 0; i < node->n_inputs; ++i) {
        int below = node->inputs[i];
        if (below < -1 || below >= node->index)
            return status_fail(STATUS_BAD_CONFIG, "there is no layer %d below this one, which is layer %d", below, node->index);
        node->in_shapes[i] = shape_of(g, below);
    }
    node->in = node->in_shapes[0];
    return STATUS_OK;
}

/* Where there is no host. */
static status refuse_foreign(const section *where, const config *c)
{
    const char *reason = layer_stays(where);
    char what[192], text[768];
    layer_describe_foreign(where, what, sizeof what);
    snprintf(text, sizeof text, "%s cannot be differentiated%s%s", what, reason ? ": " : "", reason ? reason : "");
    return config_error(c, where, text);
}

static status node_configure(graph *g, graph_node *node, const config *c, foreign_shape foreign, void *context)
{
    const section *where = node->where;
    node->net = &c->sections[0];
    node->n_inputs = 1;
    node->inputs[0] = node->index - 1;
    node->learning_rate_scale = option_real(where, "learning_rate");
    node->stop_backward = option_boolean(where, "stopbackward");
    node->type = layer_for(where);
    if (!node->type) {
        if (!foreign)
            return refuse_foreign(where, c);
        return foreign(context, node->index, &node->out);
    }
    if (node->type->role != LAYER_PLAIN)
        node->inputs[0] = g->output_node;
    status s = node->type->connect ? node->type->connect(node) : STATUS_OK;
    if (s == STATUS_OK)
        s = take_input_shapes(g, node);
    if (s == STATUS_OK)
        s = node->type->configure(node);
    if (s != STATUS_OK)
        return config_error(c, where, strdupa(status_text()));
    if (node->type->role == LAYER_PLAIN && !shape_is_sane(node->out, c))
        return config_error(c, where, "the output of this layer, times batch, is too large");
    return STATUS_OK;
}

bool graph_is_foreign(const graph *g, int node)
{
    return node >= 0 && !g->nodes[node].type;
}

bool graph_is_read_by_host(const graph *g, int node)
{
    return node + 1 < g->n_nodes && graph_is_foreign(g, node + 1);
}

const section *graph_objective(const graph *g)
{
    for (int i = 0; i < g->n_nodes; ++i)
        if (g->nodes[i].type && g->nodes[i].type->role == LAYER_OBJECTIVE)
            return g->nodes[i].where;
    return NULL;
}

int graph_block(const graph *g, int node)
{
    return node < 0 ? 1 : g->nodes[node].out_block;
}

static void node_choose_blocks(const graph *g, graph_node *node, const backend *be)
{
    node->out_block = 1;
    for (int i = 0; i < NODE_MAX_INPUTS; ++i)
        node->in_block[i] = 1;
    if (!node->type || !node->type->choose_blocks)
        return;
    for (int i = 0; i < node->n_inputs; ++i)
        node->in_block[i] = graph_block(g, node->inputs[i]);
    node->type->choose_blocks(node, be);
}

static void choose_all_blocks(graph *g, const backend *be)
{
    for (int i = 0; i < g->n_nodes; ++i)
        node_choose_blocks(g, &g->nodes[i], be);
}

/* Plain where others than layers read: the host, the objective. */
static void choose_layouts(graph *g, const backend *be)
{
    const section *objective = graph_objective(g);
    long wrt = objective ? option_integer(objective, "wrt") : -1;
    g->nodes[g->output_node].plain_output = true;
    for (int i = 0; i < g->n_nodes; ++i)
        g->nodes[i].plain_output |= i == wrt || graph_is_read_by_host(g, i);
    choose_all_blocks(g, be);
}

void graph_make_plain(graph *g, const backend *be, int node)
{
    if (node < 0 || g->nodes[node].plain_output)
        return;
    g->nodes[node].plain_output = true;
    choose_all_blocks(g, be);
}

/* The layers of a block behind `input`. */
static status lay_out(graph *g, const config *c, int block, tensor_shape input, const backend *be, foreign_shape foreign, void *context)
{
    *g = (graph){.output_node = -1, .input = input};
    int n = count_layers(c, block);
    g->nodes = allocate_zeroed((unsigned long)n + GRAPH_MAX_HEAD, sizeof *g->nodes);
    if (!g->nodes)
        return STATUS_NO_MEMORY;
    status s = STATUS_OK;
    for (int i = 0; i < c->n_sections && s == STATUS_OK; ++i) {
        if (!is_layer_of(&c->sections[i], block))
            continue;
        graph_node *node = &g->nodes[g->n_nodes];
        node->where = &c->sections[i];
        node->index = g->n_nodes++;
        s = check_order(g, node, c);
        if (s == STATUS_OK)
            s = node_configure(g, node, c, foreign, context);
        if (s == STATUS_OK && (!node->type || node->type->role == LAYER_PLAIN))
            g->output_node = node->index;
    }
    if (s == STATUS_OK && g->output_node < 0)
        s = config_error(c, &c->sections[block], "the network has no layer that gives an output");
    if (s == STATUS_OK)
        choose_layouts(g, be);
    if (s != STATUS_OK)
        graph_free(g, be);
    return s;
}

status graph_lay_out(graph *g, const config *c, const backend *be, foreign_shape foreign, void *context)
{
    tensor_shape input;
    *g = (graph){0};
    status s = graph_input_shape(c, &input);
    return s == STATUS_OK ? lay_out(g, c, 0, input, be, foreign, context) : s;
}

/* An array of the host's needs none of ours. */
static status parameter_allocate(parameter *p, const backend *be)
{
    if (!p->value) {
        p->value = be->allocate(p->count);
        p->owned = true;
    }
    if (!p->gradient && !p->statistic)
        p->gradient = be->allocate(p->count);
    return p->value && (p->gradient || p->statistic) ? STATUS_OK : STATUS_NO_MEMORY;
}

status graph_allocate(graph *g, const backend *be)
{
    status s = STATUS_OK;
    GRAPH_ARRAYS(g, p)
    {
        if (s == STATUS_OK)
            s = parameter_allocate(p, be);
    }
    return s;
}

status graph_build(graph *g, const config *c, const backend *be, foreign_shape foreign, void *context)
{
    status s = graph_lay_out(g, c, be, foreign, context);
    if (s == STATUS_OK)
        s = graph_allocate(g, be);
    if (s != STATUS_OK)
        graph_free(g, be);
    return s;
}

status graph_build_block(graph *g, const config *c, int block, tensor_shape input, const backend *be)
{
    status s = lay_out(g, c, block, input, be, NULL, NULL);
    if (s == STATUS_OK)
        s = graph_allocate(g, be);
    if (s != STATUS_OK)
        graph_free(g, be);
    return s;
}

/* ---------------------------------------------------------------- another input size */

static bool same_counts(const graph_node *node, const parameter *before, int n_before)
{
    bool same = node->n_parameters == n_before;
    for (int k = 0; same && k < n_before; ++k)
        same = node->parameters[k].count == before[k].count;
    return same;
}

static status node_lay_out_again(graph *g, graph_node *node, const config *c, foreign_shape foreign, void *context)
{
    parameter before[NODE_MAX_PARAMETERS];
    int n_before = node->n_parameters;
    memcpy(before, node->parameters, sizeof before);
    free(node->options);
    *node = (graph_node){.where = node->where, .index = node->index};
    status s = node_configure(g, node, c, foreign, context);
    bool same = same_counts(node, before, n_before);
    memcpy(node->parameters, before, sizeof before);
    node->n_parameters = n_before;
    if (s == STATUS_OK && !same)
        s = config_error(c, node->where, "the network cannot take another input size: the number of weights of this layer depends on it");
    return s;
}

status graph_resize(graph *g, const config *c, const backend *be, foreign_shape foreign, void *context)
{
    graph_drop_heads(g);
    status s = graph_input_shape(c, &g->input);
    for (int i = 0; i < g->n_nodes && s == STATUS_OK; ++i)
        s = node_lay_out_again(g, &g->nodes[i], c, foreign, context);
    if (s == STATUS_OK)
        choose_layouts(g, be);
    return s;
}

/* ---------------------------------------------------------------- heads */

void graph_drop_heads(graph *g)
{
    for (; g->n_head > 0; --g->n_head)
        free(g->nodes[g->n_nodes + g->n_head - 1].options);
}

status graph_append_head(graph *g, const layer_type *type)
{
    graph_node *node = &g->nodes[g->n_nodes + g->n_head];
    int below = graph_top(g);
    *node = (graph_node){.type = type, .index = g->n_nodes + g->n_head, .inputs = {below}, .n_inputs = 1, .learning_rate_scale = 1};
    node->in = node->in_shapes[0] = shape_of(g, below);
    node->in_block[0] = node->out_block = 1;
    ++g->n_head;
    return type->configure(node);
}

int graph_top(const graph *g)
{
    return g->n_head > 0 ? g->n_nodes + g->n_head - 1 : g->output_node;
}

void graph_free(graph *g, const backend *be)
{
    for (int i = 0; g->nodes && i < g->n_nodes + g->n_head; ++i) {
        graph_node *node = &g->nodes[i];
        for (int k = 0; k < node->n_parameters; ++k) {
            parameter *p = &node->parameters[k];
            if (p->owned)
                be->release(p->value);
            be->release(p->gradient);
            be->release(p->moment_1);
            be->release(p->moment_2);
        }
        free(node->options);
    }
    free(g->nodes);
    *g = (graph){0};
}

/* ---------------------------------------------------------------- parameters */

enum { DRAWN_PER_NODE = 4 }; /* streams: of a node's arrays few are random, and never two that are this far apart */

static void initialise(parameter *p, const backend *be, random_stream stream)
{
    if (p->initial_deviation > 0) {
        be->normal(stream, 0, p->count, p->value);
        be->axpby(p->count, (real)p->initial_deviation, p->value, 0, p->value);
    } else if (p->initial_range > 0) {
        be->uniform(stream, 0, p->count, -p->initial_range, p->initial_range, p->value);
    } else {
        be->fill(p->count, (real)p->initial_value, p->value);
    }
}

void graph_initialise(graph *g, const backend *be, uint64_t seed)
{
    GRAPH_ARRAYS(g, p)
    {
        uint32_t which = (uint32_t)(p - g->nodes[node_].parameters);
        random_stream stream = {seed, RANDOM_INITIALISATION, (uint32_t)node_ * DRAWN_PER_NODE + which % DRAWN_PER_NODE};
        initialise(p, be, stream);
    }
}

size_t graph_parameter_count(const graph *g)
{
    size_t count = 0;
    GRAPH_PARAMETERS(g, p) count += p->count;
    return count;
}

size_t graph_array_count(const graph *g)
{
    size_t count = 0;
    GRAPH_ARRAYS(g, p) count += p->count;
    return count;
}

double graph_row_cost(const graph *g)
{
    double cost = 0;
    for (int i = 0; i < g->n_nodes; ++i)
        if (g->nodes[i].type && g->nodes[i].type->row_cost)
            cost += g->nodes[i].type->row_cost(&g->nodes[i]);
    return cost;
}

bool graph_has_statistics(const graph *g)
{
    return graph_array_count(g) > graph_parameter_count(g);
}

status graph_check_batch(const graph *g, int batch, const char *path)
{
    status_list found = {.first = STATUS_OK};
    for (int i = 0; i < g->n_nodes; ++i) {
        const graph_node *node = &g->nodes[i];
        if (node->type && node->type->least_batch && node->type->least_batch(node) > batch)
            status_collect(&found, section_fail(node->where, path, "batch normalisation cannot be trained with one sample, and one pixel, at a time: "
                                                                   "they have no variance (batch= / subdivisions= must be 2 or more)"));
    }
    return status_collected(&found);
}

void graph_clear_gradients(graph *g, const backend *be)
{
    GRAPH_PARAMETERS(g, p) be->fill(p->count, 0, p->gradient);
}

status graph_allocate_moments(graph *g, const backend *be)
{
    GRAPH_PARAMETERS(g, p)
    {
        p->moment_1 = be->allocate(p->count);
        p->moment_2 = be->allocate(p->count);
        if (!p->moment_1 || !p->moment_2)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}
