#include "engine/tape.h"

#include <stdlib.h>
#include <string.h>

#include "core/environment.h"
#include "engine/explain.h"

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

/* Of a foreign node the tape holds only what some layer of the engine reads. */
static bool is_used(const graph *g, int index)
{
    if (g->nodes[index].type)
        return g->nodes[index].type->role != LAYER_OBJECTIVE;
    for (int i = index + 1; i < total_nodes(g); ++i)
        for (int k = 0; g->nodes[i].type && k < g->nodes[i].n_inputs; ++k)
            if (g->nodes[i].inputs[k] == index)
                return true;
    return false;
}

/* Jets for the inputs that lie otherwise than the node reads them. */
static status conversions_create(tape *t, int index)
{
    const graph_node *node = &t->graph->nodes[index];
    tape_entry *entry = &t->entries[index];
    status s = STATUS_OK;
    for (int i = 0; node->type && i < node->n_inputs && s == STATUS_OK; ++i) {
        int below = node->inputs[i], order = storage_order(t, below);
        size_t count = layout_count(node_in_layout(node, i));
        if (node->in_block[i] == graph_block(t->graph, below))
            continue;
        s = jet_allocate(t, &entry->converted[i], count, order);
        if (s == STATUS_OK)
            s = jet_allocate(t, &entry->adj_converted[i], count, order);
    }
    return s;
}

static status convolution_prepare(tape *t, int index)
{
    const graph_node *node = &t->graph->nodes[index];
    if (!node->type || !node->type->convolution)
        return STATUS_OK;
    bool transposed = false;
    convolution_shape shape = node->type->convolution(node, &transposed);
    int x_block = transposed ? node->out_block : node->in_block[0], y_block = transposed ? node->in_block[0] : node->out_block;
    t->entries[index].convolution = t->be->convolution_create(&shape, x_block, y_block, (size_t)t->capacity);
    return t->entries[index].convolution ? STATUS_OK : STATUS_NO_MEMORY;
}

static size_t saved_elements(const tape *t, int index)
{
    const graph_node *node = &t->graph->nodes[index];
    return node->type->saved_count(node, t->capacity, t->directions, index > t->segment_input ? t->order : 0);
}

static status entry_create(tape *t, int index)
{
    const graph_node *node = &t->graph->nodes[index];
    tape_entry *entry = &t->entries[index];
    if (!is_used(t->graph, index))
        return STATUS_OK;
    int order = storage_order(t, index);
    size_t elements = layout_count(node_out_layout(node));
    status s = jet_allocate(t, &entry->y, elements, order);
    if (s == STATUS_OK)
        s = jet_allocate(t, &entry->adj_y, elements, order);
    if (s == STATUS_OK)
        s = conversions_create(t, index);
    if (s == STATUS_OK)
        s = convolution_prepare(t, index);
    if (s == STATUS_OK && node->type && node->type->saved_count) {
        size_t count = saved_elements(t, index);
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
    t->move_statistics = true;
    t->pair = -1;
    t->own_losses = order == 0 && !graph_objective(g);
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
    if (verbose_enabled())
        tape_explain(t, stderr);
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
        t->be->convolution_free(t->entries[i].convolution);
        for (int k = 0; k < NODE_MAX_INPUTS; ++k) {
            t->be->release(t->entries[i].converted[k].data);
            t->be->release(t->entries[i].adj_converted[k].data);
        }
    }
    t->be->release(t->x.data);
    t->be->release(t->adj_x.data);
    t->be->release(t->scratch);
    free(t->entries);
    *t = (tape){0};
}

status tape_share(tape *view, const tape *t)
{
    size_t n = (size_t)total_nodes(t->graph);
    *view = *t;
    view->entries = allocate_zeroed(n, sizeof *view->entries);
    if (!view->entries)
        return STATUS_NO_MEMORY;
    memcpy(view->entries, t->entries, n * sizeof *view->entries);
    return STATUS_OK;
}

void tape_unshare(tape *view)
{
    free(view->entries);
    *view = (tape){0};
}

static size_t jet_bytes(const tape *t, const jet *j)
{
    return j->data ? jet_elements(j->count, t->capacity, t->directions, j->order) * sizeof *j->data : 0;
}

size_t tape_bytes(const tape *t)
{
    size_t bytes = jet_bytes(t, &t->x) + jet_bytes(t, &t->adj_x);
    for (int i = 0; t->be && i < total_nodes(t->graph); ++i) {
        const tape_entry *entry = &t->entries[i];
        bytes += jet_bytes(t, &entry->y) + jet_bytes(t, &entry->adj_y);
        for (int k = 0; k < NODE_MAX_INPUTS; ++k)
            bytes += jet_bytes(t, &entry->converted[k]) + jet_bytes(t, &entry->adj_converted[k]);
        if (entry->saved)
            bytes += saved_elements(t, i) * sizeof *entry->saved;
    }
    return bytes;
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

/* The node below the output, when it can give the gradients of both. */
static int find_pair(const graph *g)
{
    const graph_node *above = &g->nodes[g->output_node], *node = above - 1;
    return above->index > 0 && node->type->scalar_pair && node->type->scalar_pair(node, above) ? node->index : -1;
}

status tape_allow_scalar_path(tape *t, bool *possible)
{
    const graph *g = t->graph;
    size_t largest = 0;
    *possible = t->order == 1 && t->directions == 1 && t->segment_input < 0 && graph_is_scalar_and_piecewise_linear(g);
    if (!*possible || t->scratch)
        return STATUS_OK;
    t->pair = find_pair(g);
    for (int i = 0; i < g->n_nodes; ++i) {
        size_t in = layout_count(node_in_layout(&g->nodes[i], 0)), out = layout_count(node_out_layout(&g->nodes[i]));
        largest = in > largest ? in : largest;
        largest = out > largest ? out : largest;
    }
    t->scratch = t->be->allocate((size_t)t->capacity * largest);
    return t->scratch ? STATUS_OK : STATUS_NO_MEMORY;
}

jet *tape_jet(tape *t, int node)
{
    return node < 0 ? &t->x : &t->entries[node].y;
}

jet *tape_adjoint(tape *t, int node)
{
    return node < 0 ? &t->adj_x : &t->entries[node].adj_y;
}

static void jet_set_rows(jet *j, int batch, int directions)
{
    j->batch = batch;
    j->directions = j->order > 0 ? directions : 0;
}

/* What a tape holds grows with the batch and with batch * directions: whatever exceeds neither fits. */
void tape_set_rows(tape *t, int batch, int directions)
{
    t->batch = batch;
    t->directions = t->order > 0 ? directions : 0;
    ++t->layout;
    for (int i = -1; i < total_nodes(t->graph); ++i) {
        jet_set_rows(tape_jet(t, i), batch, directions);
        jet_set_rows(tape_adjoint(t, i), batch, directions);
        for (int k = 0; i >= 0 && k < t->graph->nodes[i].n_inputs; ++k) {
            jet_set_rows(&t->entries[i].converted[k], batch, directions);
            jet_set_rows(&t->entries[i].adj_converted[k], batch, directions);
        }
    }
}

void tape_set_batch(tape *t, int batch)
{
    tape_set_rows(t, batch, t->directions);
}

bool *tape_adjoint_started(tape *t, int node, int half)
{
    return node < 0 ? &t->adj_x_started[half] : &t->entries[node].adjoint_started[half];
}

void tape_seed_adjoint(tape *t, int node, int half)
{
    *tape_adjoint_started(t, node, half) = true;
}

void tape_zero_low(tape *t, int node)
{
    const jet *adjoint = tape_adjoint(t, node);
    component_range low = jet_low_half(t->derivatives ? adjoint->order : 0);
    t->be->fill(jet_range_rows(adjoint, low) * adjoint->count, 0, adjoint->data);
    tape_seed_adjoint(t, node, HALF_LOW);
}

void tape_clear_adjoints(tape *t)
{
    for (int i = -1; i < total_nodes(t->graph); ++i)
        *tape_adjoint_started(t, i, HALF_LOW) = *tape_adjoint_started(t, i, HALF_UPPER) = false;
}
