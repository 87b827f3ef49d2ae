#include "engine/graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOW = 0, UPPER = 1 };

/* ---------------------------------------------------------------- building */

static status config_error(const config *c, const section *s, const char *text)
{
    return status_fail(STATUS_BAD_CONFIG, "%s:%d:%d: error: %s", c->path, s->line, s->column, text);
}

static bool is_network_layer(const section *s)
{
    return s->spec->role == SECTION_LAYER;
}

static int count_layers(const config *c)
{
    int n = 0;
    for (int i = 0; i < c->n_sections; ++i)
        n += is_network_layer(&c->sections[i]);
    return n;
}

/* Rejects sizes that would overflow the ints and products of the backends. */
static bool shape_is_sane(tensor_shape s)
{
    const size_t largest = (size_t)1 << 28;
    return s.channels > 0 && s.height > 0 && s.width > 0 && (size_t)s.channels * (size_t)s.height <= largest && shape_count(s) <= largest;
}

static status network_input_shape(const config *c, tensor_shape *shape)
{
    const section *net = &c->sections[0];
    long inputs = option_given(net, "inputs") ? option_integer(net, "inputs") : 0;
    tensor_shape image = {(int)option_integer(net, "channels"), (int)option_integer(net, "height"), (int)option_integer(net, "width")};
    *shape = inputs > 0 ? shape_vector((int)inputs) : image;
    if (!shape_is_sane(*shape))
        return config_error(c, net, "the input has no size, or too large a one: give inputs=, or channels=, height= and width=");
    return STATUS_OK;
}

static status parameters_allocate(graph_node *node, const backend *be)
{
    for (int i = 0; i < node->n_parameters; ++i) {
        parameter *p = &node->parameters[i];
        p->value = be->allocate(p->count);
        p->gradient = be->allocate(p->count);
        p->owned = true;
        if (!p->value || !p->gradient)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* Nothing may stand behind [sobolev]: it is the loss of everything above it. */
static status check_order(const graph *g, const graph_node *node, const config *c)
{
    const graph_node *above = node->index > 0 ? &g->nodes[node->index - 1] : NULL;
    if (!above || !above->type || above->type->role != LAYER_OBJECTIVE)
        return STATUS_OK;
    char text[128];
    snprintf(text, sizeof text, "no layer may follow [sobolev] (line %d): it is the loss of the whole network", above->where->line);
    return config_error(c, node->where, text);
}

static status node_configure(graph *g, graph_node *node, const config *c, const backend *be, foreign_shape foreign, void *context)
{
    const section *where = node->where;
    node->n_inputs = 1;
    node->inputs[0] = node->index - 1;
    node->in = node->index == 0 ? g->input : g->nodes[node->index - 1].out;
    node->learning_rate_scale = option_real(where, "learning_rate");
    node->stop_backward = option_boolean(where, "stopbackward");
    node->type = layer_find(where->spec->name);
    if (node->type && node->type->takes && !node->type->takes(where))
        node->type = NULL;
    if (!node->type) {
        if (!foreign)
            return config_error(c, where, "this layer type is not one the engine can differentiate");
        return foreign(context, node->index, &node->out);
    }
    if (node->type->role != LAYER_PLAIN) {
        node->inputs[0] = g->output_node;
        node->in = g->output_node < 0 ? g->input : g->nodes[g->output_node].out;
    }
    status s = node->type->configure(node);
    if (s != STATUS_OK)
        return config_error(c, where, strdupa(status_text()));
    if (node->type->role == LAYER_PLAIN && !shape_is_sane(node->out))
        return config_error(c, where, "the output of this layer is too large");
    return parameters_allocate(node, be);
}

status graph_build(graph *g, const config *c, const backend *be, foreign_shape foreign, void *context)
{
    *g = (graph){.output_node = -1};
    int n = count_layers(c);
    g->nodes = allocate_zeroed((unsigned long)n + GRAPH_MAX_HEAD, sizeof *g->nodes);
    if (!g->nodes)
        return STATUS_NO_MEMORY;
    status s = network_input_shape(c, &g->input);
    for (int i = 0; i < c->n_sections && s == STATUS_OK; ++i) {
        if (!is_network_layer(&c->sections[i]))
            continue;
        graph_node *node = &g->nodes[g->n_nodes];
        node->where = &c->sections[i];
        node->index = g->n_nodes++;
        s = check_order(g, node, c);
        if (s == STATUS_OK)
            s = node_configure(g, node, c, be, foreign, context);
        if (s == STATUS_OK && (!node->type || node->type->role == LAYER_PLAIN))
            g->output_node = node->index;
    }
    if (s == STATUS_OK && g->output_node < 0)
        s = config_error(c, &c->sections[0], "the network has no layer that gives an output");
    if (s != STATUS_OK)
        graph_free(g, be);
    return s;
}

status graph_append_head(graph *g, const layer_type *type)
{
    graph_node *node = &g->nodes[g->n_nodes + g->n_head];
    int below = graph_top(g);
    *node = (graph_node){.type = type, .index = g->n_nodes + g->n_head, .inputs = {below}, .n_inputs = 1, .learning_rate_scale = 1};
    node->in = below < 0 ? g->input : g->nodes[below].out;
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

#define FOR_EACH_PARAMETER(g, p)                                                                                       \
    for (int node_ = 0; node_ < (g)->n_nodes; ++node_)                                                                 \
        for (parameter *p = (g)->nodes[node_].parameters; p < (g)->nodes[node_].parameters + (g)->nodes[node_].n_parameters; ++p)

void graph_initialise(graph *g, const backend *be, uint64_t seed)
{
    FOR_EACH_PARAMETER(g, p)
    {
        uint32_t which = (uint32_t)(p - g->nodes[node_].parameters);
        random_stream stream = {seed, RANDOM_INITIALISATION, (uint32_t)node_ * NODE_MAX_PARAMETERS + which};
        if (p->initial_range > 0)
            be->uniform(stream, 0, p->count, -p->initial_range, p->initial_range, p->value);
        else
            be->fill(p->count, 0, p->value);
    }
}

size_t graph_parameter_count(const graph *g)
{
    size_t count = 0;
    FOR_EACH_PARAMETER(g, p) count += p->count;
    return count;
}

void graph_clear_gradients(graph *g, const backend *be)
{
    FOR_EACH_PARAMETER(g, p) be->fill(p->count, 0, p->gradient);
}

status graph_allocate_moments(graph *g, const backend *be)
{
    FOR_EACH_PARAMETER(g, p)
    {
        p->moment_1 = be->allocate(p->count);
        p->moment_2 = be->allocate(p->count);
        if (!p->moment_1 || !p->moment_2)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

/* ---------------------------------------------------------------- tapes */

static int total_nodes(const graph *g)
{
    return g->n_nodes + g->n_head;
}

/* The order a node's own jets have: derivatives exist from the segment's input upwards. */
static int storage_order(const tape *t, int node)
{
    return node >= t->segment_input ? t->order : 0;
}

static status jet_allocate(tape *t, jet *j, size_t count, int order)
{
    *j = (jet){.count = count, .batch = t->capacity, .order = order, .directions = order > 0 ? t->directions : 0};
    j->data = t->be->allocate(jet_elements(count, t->capacity, j->directions, order));
    return j->data ? STATUS_OK : STATUS_NO_MEMORY;
}

static status entry_create(tape *t, int index)
{
    const graph_node *node = &t->graph->nodes[index];
    tape_entry *entry = &t->entries[index];
    if (node->type && node->type->role == LAYER_OBJECTIVE)
        return STATUS_OK;
    int order = storage_order(t, index);
    status s = jet_allocate(t, &entry->y, shape_count(node->out), order);
    if (s == STATUS_OK)
        s = jet_allocate(t, &entry->adj_y, shape_count(node->out), order);
    if (s == STATUS_OK && node->type && node->type->saved_count) {
        int node_order = index > t->segment_input ? t->order : 0;
        size_t count = node->type->saved_count(node, t->capacity, t->directions, node_order);
        entry->saved = count ? t->be->allocate(count) : NULL;
        if (count && !entry->saved)
            s = STATUS_NO_MEMORY;
    }
    return s;
}

status tape_create(tape *t, graph *g, const backend *be, int capacity, int order, int directions, int segment_input)
{
    *t = (tape){.graph = g, .be = be, .capacity = capacity, .order = order, .segment_input = order > 0 ? segment_input : -1};
    t->directions = order > 0 ? directions : 0;
    t->entries = allocate_zeroed((unsigned long)total_nodes(g), sizeof *t->entries);
    status s = t->entries ? STATUS_OK : STATUS_NO_MEMORY;
    if (s == STATUS_OK)
        s = jet_allocate(t, &t->x, shape_count(g->input), storage_order(t, -1));
    if (s == STATUS_OK)
        s = jet_allocate(t, &t->adj_x, shape_count(g->input), storage_order(t, -1));
    for (int i = 0; i < total_nodes(g) && s == STATUS_OK; ++i)
        s = entry_create(t, i);
    if (s != STATUS_OK) {
        tape_free(t);
        return s;
    }
    tape_set_batch(t, capacity);
    return STATUS_OK;
}

void tape_free(tape *t)
{
    if (!t->be)
        return;
    for (int i = 0; t->entries && i < total_nodes(t->graph); ++i) {
        t->be->release(t->entries[i].y.data);
        t->be->release(t->entries[i].adj_y.data);
        t->be->release(t->entries[i].saved);
    }
    t->be->release(t->x.data);
    t->be->release(t->adj_x.data);
    t->be->release(t->scratch);
    free(t->entries);
    *t = (tape){0};
}

static bool node_is_piecewise_linear(const graph_node *node)
{
    const layer_type *type = node->type;
    bool chained = node->n_inputs == 1 && node->inputs[0] == node->index - 1;
    return type && type->role == LAYER_PLAIN && type->scalar_path && chained && !node->stop_backward;
}

static bool graph_is_scalar_and_piecewise_linear(const graph *g)
{
    if (g->n_head > 0 || shape_count(g->nodes[g->output_node].out) != 1)
        return false;
    for (int i = 0; i < g->n_nodes; ++i) {
        const graph_node *node = &g->nodes[i];
        bool objective = node->type && node->type->role == LAYER_OBJECTIVE;
        if (!objective && (!node_is_piecewise_linear(node) || (node->type->curved && node->type->curved(node))))
            return false;
    }
    return true;
}

status tape_allow_scalar_path(tape *t, bool *possible)
{
    const graph *g = t->graph;
    size_t widest = 0;
    *possible = t->order == 1 && t->directions == 1 && t->segment_input < 0 && graph_is_scalar_and_piecewise_linear(g);
    if (!*possible || t->scratch)
        return STATUS_OK;
    for (int i = 0; i < g->n_nodes; ++i)
        widest = shape_count(g->nodes[i].in) > widest ? shape_count(g->nodes[i].in) : widest;
    t->scratch = t->be->allocate((size_t)t->capacity * widest);
    return t->scratch ? STATUS_OK : STATUS_NO_MEMORY;
}

void tape_set_batch(tape *t, int batch)
{
    t->batch = t->x.batch = t->adj_x.batch = batch;
    for (int i = 0; i < total_nodes(t->graph); ++i)
        t->entries[i].y.batch = t->entries[i].adj_y.batch = batch;
}

jet *tape_jet(tape *t, int node)
{
    return node < 0 ? &t->x : &t->entries[node].y;
}

jet *tape_adjoint(tape *t, int node)
{
    return node < 0 ? &t->adj_x : &t->entries[node].adj_y;
}

static bool *adjoint_started(tape *t, int node, int half)
{
    return node < 0 ? &t->adj_x_started[half] : &t->entries[node].adjoint_started[half];
}

void tape_seed_adjoint(tape *t, int node, int half)
{
    *adjoint_started(t, node, half) = true;
}

void tape_clear_adjoints(tape *t)
{
    for (int i = -1; i < total_nodes(t->graph); ++i)
        *adjoint_started(t, i, LOW) = *adjoint_started(t, i, UPPER) = false;
}

/* ---------------------------------------------------------------- one call of a layer */

typedef struct call {
    layer_pass pass;
    jet x[NODE_MAX_INPUTS], adj_x[NODE_MAX_INPUTS];
    jet y, adj_y;
} call;

/* The order in which a node runs for this batch. */
static int running_order(const tape *t, int node)
{
    return t->derivatives && node > t->segment_input ? t->order : 0;
}

/* A jet as a node of lower order sees it: the same memory, fewer components. */
static jet jet_of_order(const jet *j, int order)
{
    jet view = *j;
    if (order == 0) {
        view.order = 0;
        view.directions = 0;
    }
    return view;
}

static void call_prepare(call *c, tape *t, int index, component_range range)
{
    graph_node *node = &t->graph->nodes[index];
    tape_entry *entry = &t->entries[index];
    int order = running_order(t, index);
    c->y = jet_of_order(&entry->y, order);
    c->adj_y = jet_of_order(&entry->adj_y, order);
    for (int i = 0; i < node->n_inputs; ++i) {
        c->x[i] = jet_of_order(tape_jet(t, node->inputs[i]), order);
        c->adj_x[i] = (jet){0};
    }
    c->pass = (layer_pass){
        .be = t->be,
        .node = node,
        .range = range,
        .training = t->training,
        .random = {t->seed, RANDOM_DROPOUT, (uint32_t)index},
        .position = t->step * (uint64_t)t->capacity * (uint64_t)shape_count(node->out),
        .x = c->x,
        .y = &c->y,
        .saved = entry->saved,
        .adj_y = &c->adj_y,
        .adj_x = c->adj_x,
        .truth = t->truth,
        .cost = &t->cost,
    };
}

static bool is_runnable(const graph_node *node)
{
    return node->type && node->type->role != LAYER_OBJECTIVE;
}

/* Whether the adjoint of a node's output in this half has a use. */
static bool adjoint_wanted(const tape *t, int node, int half)
{
    if (half == UPPER)
        return node >= t->segment_input;
    if (node < 0)
        return t->input_adjoint;
    return !t->graph->nodes[node].stop_backward;
}

static void node_forward(tape *t, int index, component_range range)
{
    const graph_node *node = &t->graph->nodes[index];
    if (!is_runnable(node) || (node->type->role == LAYER_LOSS && range.first > 0))
        return;
    call c;
    call_prepare(&c, t, index, range);
    node->type->forward(&c.pass);
}

static void node_backward(tape *t, int index, int half, component_range range, bool parameters)
{
    const graph_node *node = &t->graph->nodes[index];
    bool starts = node->type && node->type->role == LAYER_LOSS;
    if (!is_runnable(node) || (starts && half == UPPER) || (!starts && !t->entries[index].adjoint_started[half]))
        return;
    call c;
    call_prepare(&c, t, index, range);
    c.pass.parameters = parameters && !node->stop_backward;
    for (int i = 0; i < node->n_inputs; ++i) {
        int below = node->inputs[i];
        if (!adjoint_wanted(t, below, half))
            continue;
        c.adj_x[i] = jet_of_order(tape_adjoint(t, below), c.y.order);
        if (starts)
            c.adj_x[i] = jet_of_order(tape_adjoint(t, below), 0);
        bool *started = adjoint_started(t, below, half);
        c.pass.accumulate[i] = *started;
        *started = true;
    }
    node->type->backward(&c.pass);
}

/* ---------------------------------------------------------------- the sweeps */

/* The part of a half that a node runs: below the segment there are values only. */
static component_range low_range(const tape *t, int node)
{
    return jet_low_half(running_order(t, node));
}

void sweep_values(tape *t, int first, int last)
{
    for (int i = first; i <= last; ++i)
        node_forward(t, i, low_range(t, i));
}

void sweep_seeds(tape *t)
{
    for (int i = graph_top(t->graph); i > t->segment_input; --i)
        node_backward(t, i, UPPER, jet_upper_half(t->order), false);
}

void sweep_tangents(tape *t)
{
    for (int i = t->segment_input + 1; i <= graph_top(t->graph); ++i)
        node_forward(t, i, jet_upper_half(t->order));
}

/* Sweep 4 of one node on the scalar path: its parameters, from what sweep 2 left. */
static void node_scalar_backward(tape *t, int index)
{
    const graph_node *node = &t->graph->nodes[index];
    if (!is_runnable(node) || node->n_parameters == 0)
        return;
    call c;
    call_prepare(&c, t, index, (component_range){0, 0});
    c.pass.parameters = true;
    c.pass.row_scale = t->row_scale;
    c.pass.scratch = t->scratch;
    node->type->backward(&c.pass);
}

void sweep_adjoints(tape *t, int last, int first, bool parameters)
{
    if (t->row_scale && t->derivatives) {
        for (int i = last; i >= first && parameters; --i)
            node_scalar_backward(t, i);
        return;
    }
    for (int i = last; i >= first; --i)
        node_backward(t, i, LOW, low_range(t, i), parameters);
}
