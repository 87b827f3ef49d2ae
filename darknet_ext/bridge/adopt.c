/* Adoption: Darknet's layers keep their arrays and their place; what they compute comes from the engine.
 *
 * Darknet's loops call forward, backward and update of each layer in order. Each callback runs the engine's sweep for its
 * own node; the first adopted node of a pass also starts it, and [sobolev] runs the two sweeps in the middle. At a border to
 * a layer the engine does not know, values are copied and adjoints change their sign. */
#include <stdio.h>

#include "bridge/internal.h"
#include "engine/update.h"

/* `update` gets no network: a layer carries the index of its owner in this table, in the field `joint`, which no type of layer uses. */
typedef struct adopted {
    plugin_network *owner;
    int node;
} adopted;

static adopted *adopted_table;
static int adopted_count, adopted_capacity, adopted_freed; /* freed: rows without an owner */
static pthread_mutex_t adopted_lock = PTHREAD_MUTEX_INITIALIZER;

static status adopted_add(plugin_network *owner, int node, int *handle)
{
    pthread_mutex_lock(&adopted_lock);
    for (int i = 0; i < adopted_count && adopted_freed > 0; ++i)
        if (!adopted_table[i].owner) {
            adopted_table[i] = (adopted){owner, node};
            --adopted_freed;
            *handle = i;
            pthread_mutex_unlock(&adopted_lock);
            return STATUS_OK;
        }
    if (adopted_count == adopted_capacity) {
        int capacity = adopted_capacity ? 2 * adopted_capacity : 64;
        adopted *table = realloc(adopted_table, (size_t)capacity * sizeof *table);
        if (table) {
            adopted_table = table;
            adopted_capacity = capacity;
        }
    }
    bool room = adopted_count < adopted_capacity;
    if (room) {
        *handle = adopted_count;
        adopted_table[adopted_count++] = (adopted){owner, node};
    }
    pthread_mutex_unlock(&adopted_lock);
    return room ? STATUS_OK : status_fail(STATUS_NO_MEMORY, "out of memory (adopted layers)");
}

static void adopted_remove(const layer *l)
{
    pthread_mutex_lock(&adopted_lock);
    adopted_table[l->joint].owner = NULL;
    ++adopted_freed;
    pthread_mutex_unlock(&adopted_lock);
}

static adopted adopted_get(const layer *l)
{
    pthread_mutex_lock(&adopted_lock);
    adopted a = adopted_table[l->joint];
    pthread_mutex_unlock(&adopted_lock);
    return a;
}

/* Darknet has no way to report a failure from a layer: like its own assert(), this ends the program. */
static void require(bool condition, const char *text)
{
    if (condition)
        return;
    fprintf(stderr, "darknet_ext: error: %s\n", text);
    abort();
}

/* ---------------------------------------------------------------- forward */

/* Each minibatch has its own number, also after a restart from saved weights: Darknet counts the samples seen. */
static uint64_t step_of(const network *net)
{
    return *net->seen / (size_t)net->batch;
}

static void begin_pass(plugin_network *p, const network *net)
{
    tape *t = p->tape;
    require(net->batch <= t->capacity, "the batch was made larger than the cfg's: set batch= in the cfg instead");
    require((size_t)net->inputs == t->x.count, "the network was resized: layers of this plugin keep their size");
    require(!net->train || !p->objective || objective_can_train(p->objective),
            "the network cannot be trained: its [teacher] could not be read, or was left behind by another input size");
    require(!net->truth || !p->wrong_losses, p->wrong_losses);
    if (p->threads > 0)
        p->be->set_threads(p->threads);
    if (t->batch != net->batch)
        tape_set_batch(t, net->batch);
    t->input_adjoint = net->delta != NULL;
    if (p->critics)
        critics_begin(p->critics, (long)plugin_updates_at(p, *net->seen - (size_t)net->batch), net->train);
    /* Also when foreign layers come first: resample=0 draws from the sample's own numbers. */
    const float *x = p->first_adopted == 0 ? net->input : p->host->input;
    if (x != t->x.data)
        p->be->copy((size_t)net->batch * t->x.count, x, t->x.data);
    if (p->objective) {
        if (net->train)
            plugin_refresh_weights(p, *net->seen - (size_t)net->batch);
        objective_begin(p->objective, net->truth, net->train, p->seed, step_of(net));
        return;
    }
    t->training = net->train;
    t->derivatives = false;
    t->seed = p->seed;
    t->step = step_of(net);
    tape_clear_adjoints(t);
}

/* Values of layers that the engine does not run, for the nodes that read them. */
static void import_foreign_inputs(plugin_network *p, const graph_node *node, const network *net)
{
    for (int i = 0; i < node->n_inputs; ++i)
        if (graph_is_foreign(&p->graph, node->inputs[i])) {
            jet *y = tape_jet(p->tape, node->inputs[i]);
            require((size_t)net->layers[node->inputs[i]].outputs == y->count, "the network was resized: layers of this plugin keep their size");
            p->be->copy((size_t)net->batch * y->count, net->layers[node->inputs[i]].output, y->data);
        }
}

/* For clients that look at it; the engine itself does not read it. */
static void show_output(plugin_network *p, const graph_node *node, float *output)
{
    jet *y = tape_jet(p->tape, node->index);
    if (node->out_block > 1)
        p->be->reorder((size_t)y->batch, node_out_layout(node), y->data, 1, output, false);
}

static void adopted_forward(layer l, network net)
{
    plugin_network *p = adopted_get(&l).owner;
    const graph_node *node = &p->graph.nodes[net.index];
    if (net.index == p->first_adopted)
        begin_pass(p, &net);
    import_foreign_inputs(p, node, &net);
    if (node->type->role == LAYER_OBJECTIVE) {
        p->losses = objective_forward(p->objective);
        l.cost[0] = (float)p->losses.total;
        return;
    }
    p->tape->cost = 0;
    if (!p->objective)
        p->tape->truth = net.truth;
    sweep_values(p->tape, net.index, net.index);
    if (node_is_loss(node) && l.cost && net.truth)
        l.cost[0] = (float)p->tape->cost;
    if (p->layer_outputs && !net.train)
        show_output(p, node, l.output);
}

/* ---------------------------------------------------------------- backward */

/* What stock layers above wrote into this layer's delta. */
static void import_delta(plugin_network *p, const layer *l, int index)
{
    if (!l->delta)
        return;
    jet *adjoint = tape_adjoint(p->tape, index);
    bool started = p->tape->entries[index].adjoint_started[HALF_LOW];
    p->be->axpby((size_t)adjoint->batch * adjoint->count, -1, l->delta, started, adjoint->data);
    tape_seed_adjoint(p->tape, index, HALF_LOW);
}

static void export_adjoint(plugin_network *p, const jet *adjoint, float *delta)
{
    if (delta)
        p->be->axpby((size_t)adjoint->batch * adjoint->count, -1, adjoint->data, 1, delta);
}

static void adopted_backward(layer l, network net)
{
    plugin_network *p = adopted_get(&l).owner;
    const graph_node *node = &p->graph.nodes[net.index];
    tape *t = p->tape;
    if (node->type->role == LAYER_OBJECTIVE) {
        objective_backward(p->objective);
    } else {
        if (node->type->role == LAYER_PLAIN)
            import_delta(p, &l, net.index);
        if (p->critics && net.index == p->graph.output_node)
            critics_note_true_gradients(p->critics, t);
        sweep_adjoints(t, net.index, net.index, true);
    }
    for (int i = 0; i < node->n_inputs; ++i) {
        int below = node->inputs[i];
        if (below < 0 && t->input_adjoint && net.index == 0)
            export_adjoint(p, &t->adj_x, net.delta);
        if (graph_is_foreign(&p->graph, below) && t->entries[below].adjoint_started[HALF_LOW]) {
            export_adjoint(p, tape_adjoint(t, below), net.layers[below].delta);
            t->entries[below].adjoint_started[HALF_LOW] = false;
        }
    }
}

/* ---------------------------------------------------------------- update */

static update_rule rule_of(const layer *l, const update_args *a)
{
    return (update_rule){
        .adam = a->adam,
        .rate = (double)(a->learning_rate * l->learning_rate_scale),
        .momentum = (double)a->momentum,
        .decay = (double)a->decay,
        .B1 = (double)a->B1,
        .B2 = (double)a->B2,
        .eps = (double)a->eps,
        .batch = a->batch,
        .adam_step = a->t,
    };
}

static void adopted_update(layer l, update_args a)
{
    adopted who = adopted_get(&l);
    update_rule rule = rule_of(&l, &a);
    node_update(&who.owner->graph.nodes[who.node], who.owner->be, &rule);
}

/* ---------------------------------------------------------------- taking over */

static status adopt_layer(plugin_network *p, graph_node *node, layer *l)
{
    int handle = 0;
    status s = adopted_add(p, node->index, &handle);
    if (s != STATUS_OK)
        return s;
    l->joint = handle;
    l->forward = adopted_forward;
    l->backward = adopted_backward;
    l->update = node->n_parameters > 0 ? adopted_update : NULL;
    host_layer_bind(p, node, l);
    return STATUS_OK;
}

static status adopt_layers(plugin_network *p)
{
    status s = STATUS_OK;
    p->first_adopted = -1;
    for (int i = 0; i < p->host->n && s == STATUS_OK; ++i) {
        s = host_layer_check(p, &p->graph.nodes[i], &p->host->layers[i]);
        if (s != STATUS_OK || graph_is_foreign(&p->graph, i))
            continue;
        if (p->first_adopted < 0)
            p->first_adopted = i;
        s = adopt_layer(p, &p->graph.nodes[i], &p->host->layers[i]);
    }
    return s;
}

status plugin_set_truth(plugin_network *p, size_t count)
{
    network *net = p->host;
    float *truth = allocate_zeroed((size_t)net->batch * count, sizeof *truth);
    if (!truth)
        return STATUS_NO_MEMORY;
    free(net->truth);
    net->truth = truth;
    net->truths = (int)count;
    return STATUS_OK;
}

static status resize_truth(plugin_network *p)
{
    if (!p->objective)
        return STATUS_OK;
    p->host->layers[p->host->n - 1].truths = (int)objective_truth_count(p->objective);
    return plugin_set_truth(p, objective_truth_count(p->objective));
}

/* Only layers that stay Darknet's need its workspace: images unrolled for its convolutions. */
static status resize_workspace(plugin_network *p)
{
    network *net = p->host;
    size_t size = 0;
    for (int i = 0; i < net->n; ++i)
        if (graph_is_foreign(&p->graph, i) && net->layers[i].workspace_size > size)
            size = net->layers[i].workspace_size;
    free(net->workspace);
    net->workspace = size ? allocate_zeroed(size, 1) : NULL;
    return net->workspace || !size ? STATUS_OK : STATUS_NO_MEMORY;
}

status plugin_take_buffers(plugin_network *p)
{
    network *net = p->host;
    status s = STATUS_OK;
    free(net->input);
    net->input = p->tape->x.data; /* lent: whoever fills it spares the engine a copy */
    for (int i = 0; i < net->n && s == STATUS_OK; ++i)
        if (!graph_is_foreign(&p->graph, i))
            s = host_layer_take_buffers(p, &p->graph.nodes[i], &net->layers[i]);
    net->output = net->layers[p->graph.output_node].output;
    net->outputs = net->layers[p->graph.output_node].outputs;
    if (s == STATUS_OK)
        s = resize_truth(p);
    return s == STATUS_OK ? resize_workspace(p) : s;
}

void plugin_drop_buffers(plugin_network *p)
{
    for (int i = 0; i < p->host->n; ++i)
        if (p->host->layers[i].forward == adopted_forward)
            host_layer_drop_buffers(p, &p->graph.nodes[i], &p->host->layers[i]);
    if (p->tape && p->host->input == p->tape->x.data)
        p->host->input = NULL;
}

/* Layers that are losses themselves read as many labels as they have outputs; in training, Darknet would read past the end. */
static status check_own_losses(const plugin_network *p)
{
    for (int i = 0; i < p->graph.n_nodes && !p->objective; ++i) {
        const graph_node *node = &p->graph.nodes[i];
        size_t outputs = shape_count(node->out);
        if (!node_is_loss(node) || node->type->role == LAYER_LOSS || outputs == (size_t)p->host->truths)
            continue;
        char text[160];
        snprintf(text, sizeof text, "[%s] is a loss on %zu labels, and the network has %d: use %s", node->where->name, outputs, p->host->truths,
                 strcmp(node->type->spec->name, "softmax") == 0 ? "noloss=1" : "[activation] activation=logistic");
        return section_fail(node->where, p->config->path, text);
    }
    return STATUS_OK;
}

/* A network that only predicts needs no labels. */
static status keep_wrong_losses(plugin_network *p)
{
    status s = check_own_losses(p);
    if (s == STATUS_OK || p->trains)
        return s;
    p->wrong_losses = strdup(status_text());
    return p->wrong_losses ? STATUS_OK : STATUS_NO_MEMORY;
}

status plugin_adopt(plugin_network *p)
{
    status s = keep_wrong_losses(p);
    if (s == STATUS_OK)
        s = adopt_layers(p);
    if (s == STATUS_OK)
        s = plugin_take_buffers(p);
    if (s == STATUS_OK)
        s = graph_allocate(&p->graph, p->be);
    if (s == STATUS_OK && p->host->adam)
        s = graph_allocate_moments(&p->graph, p->be);
    return s;
}

void plugin_release_layers(plugin_network *p)
{
    plugin_drop_buffers(p);
    for (int i = 0; i < p->host->n; ++i)
        if (p->host->layers[i].forward == adopted_forward)
            adopted_remove(&p->host->layers[i]);
}
