/* The four sweeps: the only place that orders the calls of layers (engine/tape.h). */
#include "engine/critics.h"
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

/* Losses and heads; plain layers where they are Darknet's losses. */
static bool reads_truth(const tape *t, const graph_node *node)
{
    bool is_head = node->index >= t->graph->n_nodes;
    return is_head || node->type->role != LAYER_PLAIN || t->own_losses;
}

static void call_prepare(call *c, tape *t, int index, component_range range)
{
    graph_node *node = &t->graph->nodes[index];
    tape_entry *entry = &t->entries[index];
    int order = running_order(t, index);
    c->y = jet_of_order(&entry->y, order);
    c->adj_y = jet_of_order(&entry->adj_y, order);
    for (int i = 0; i < node->n_inputs; ++i) {
        const jet *x = entry->converted[i].data ? &entry->converted[i] : tape_jet(t, node->inputs[i]);
        c->x[i] = jet_of_order(x, order);
        c->adj_x[i] = (jet){0};
    }
    c->pass = (layer_pass){
        .be = t->be,
        .node = node,
        .range = range,
        .training = t->training,
        .move_statistics = t->move_statistics,
        .random = {t->seed, RANDOM_DROPOUT, (uint32_t)index},
        .position = t->step * (uint64_t)t->capacity * (uint64_t)shape_count(node->out),
        .x = c->x,
        .y = &c->y,
        .saved = entry->saved,
        .convolution = entry->convolution,
        .adj_y = &c->adj_y,
        .adj_x = c->adj_x,
        .truth = reads_truth(t, node) ? t->truth : NULL,
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

/* The components of `range` of the inputs that lie otherwise than the node reads them. */
static void convert_inputs(tape *t, int index, component_range range)
{
    const graph_node *node = &t->graph->nodes[index];
    for (int i = 0; i < node->n_inputs; ++i) {
        const jet *from = tape_jet(t, node->inputs[i]), *to = &t->entries[index].converted[i];
        tensor_layout layout = {node->in_shapes[i], graph_block(t->graph, node->inputs[i])};
        if (to->data)
            t->be->reorder(jet_range_rows(from, range), layout, jet_component(from, range.first), node->in_block[i], jet_component(to, range.first), false);
    }
}

static void convert_input_adjoint(tape *t, int index, int i, component_range range, bool accumulate)
{
    const graph_node *node = &t->graph->nodes[index];
    const jet *from = &t->entries[index].adj_converted[i], *to = tape_adjoint(t, node->inputs[i]);
    t->be->reorder(jet_range_rows(from, range), node_in_layout(node, i), jet_component(from, range.first), graph_block(t->graph, node->inputs[i]),
                   jet_component(to, range.first), accumulate);
}

static void node_forward(tape *t, int index, component_range range)
{
    const graph_node *node = &t->graph->nodes[index];
    if (!is_runnable(node) || (node->type->role == LAYER_LOSS && range.first > 0))
        return;
    call c;
    call_prepare(&c, t, index, range);
    convert_inputs(t, index, range);
    node->type->forward(&c.pass);
}

/* Whether a node begins the adjoint of the network itself: a loss, or a layer that is one as well. */
static bool starts_adjoint(tape *t, int index, int half)
{
    const graph_node *node = &t->graph->nodes[index];
    return half == HALF_LOW && node_is_loss(node) && (node->type->role == LAYER_LOSS || (t->own_losses && t->truth));
}

static void clear_unstarted(tape *t, int index)
{
    jet *adjoint = tape_adjoint(t, index);
    bool *started = tape_adjoint_started(t, index, HALF_LOW);
    if (!*started && adjoint->data)
        t->be->fill((size_t)adjoint->batch * adjoint->count, 0, adjoint->data);
    *started = true;
}

static void node_backward(tape *t, int index, int half, component_range range, bool parameters)
{
    const graph_node *node = &t->graph->nodes[index];
    if (!is_runnable(node) || (half == HALF_LOW && critics_cut(t->critics, index)))
        return;
    bool loss = node->type->role == LAYER_LOSS, starts = starts_adjoint(t, index, half);
    if (!starts && (loss || !t->entries[index].adjoint_started[half]))
        return;
    if (starts && !loss)
        clear_unstarted(t, index);
    call c;
    call_prepare(&c, t, index, range);
    c.pass.parameters = parameters && !node->stop_backward;
    bool started[NODE_MAX_INPUTS] = {false};
    for (int i = 0; i < node->n_inputs; ++i) {
        int below = node->inputs[i];
        if (!adjoint_wanted(t, below, half))
            continue;
        jet *converted = &t->entries[index].adj_converted[i];
        c.adj_x[i] = jet_of_order(converted->data ? converted : tape_adjoint(t, below), loss ? 0 : c.y.order);
        started[i] = *tape_adjoint_started(t, below, half);
        c.pass.accumulate[i] = started[i] && !converted->data;
        *tape_adjoint_started(t, below, half) = true;
    }
    if (node->type->critic && t->critics)
        critics_backward(t->critics, t, &c.pass);
    else
        node->type->backward(&c.pass);
    for (int i = 0; i < node->n_inputs; ++i)
        if (c.adj_x[i].data && t->entries[index].adj_converted[i].data)
            convert_input_adjoint(t, index, i, range, started[i]);
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
    const bool pair = t->row_scale && t->pair >= 0;
    const int last = pair ? t->pair - 1 : graph_top(t->graph);
    for (int i = t->segment_input + 1; i <= last; ++i)
        node_forward(t, i, jet_upper_half(t->order));
    if (pair) /* its tangents are not needed, those of its input are */
        convert_inputs(t, t->pair, jet_upper_half(t->order));
}

/* Sweep 4 of one node on the scalar path: its parameters, from what sweep 2 left. */
static void node_scalar_backward(tape *t, int index)
{
    const graph_node *node = &t->graph->nodes[index];
    bool done_by_pair = t->pair >= 0 && index == t->pair + 1;
    if (!is_runnable(node) || node->n_parameters == 0 || done_by_pair)
        return;
    call c;
    call_prepare(&c, t, index, (component_range){0, 0});
    c.pass.parameters = true;
    c.pass.row_scale = t->row_scale;
    c.pass.scratch = t->scratch;
    if (index == t->pair) {
        c.pass.above = &t->graph->nodes[index + 1];
        c.pass.above_delta = jet_component(tape_adjoint(t, index + 1), 1);
    }
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
