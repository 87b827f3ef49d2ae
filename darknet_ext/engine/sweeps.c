/* The four sweeps: the only place that orders the calls of layers (engine/tape.h). */
#include "engine/tape.h"

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
    if (half == HALF_UPPER)
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
    if (!is_runnable(node) || (starts && half == HALF_UPPER) || (!starts && !t->entries[index].adjoint_started[half]))
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
        bool *started = tape_adjoint_started(t, below, half);
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
        node_backward(t, i, HALF_UPPER, jet_upper_half(t->order), false);
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
        node_backward(t, i, HALF_LOW, low_range(t, i), parameters);
}
