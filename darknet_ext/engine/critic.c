#include "engine/critic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/tape.h"
#include "layers/heads.h"

struct critic {
    critic_options options;
    const graph_node *node;
    main_loss loss;
    const backend *be;
    size_t inputs;         /* numbers of h */
    graph graph;           /* nodes NULL: it predicts nothing */
    tape tape;             /* of the lessons */
    tape reader;           /* of critic_read_gradient */
    real *predicted;       /* [batch]: m; NULL in mode=direct */
    long updates;
    critic_report sums;    /* since the last report */
    long losses_known;     /* minibatches whose losses the sums hold */
};

/* ---------------------------------------------------------------- creating */

static bool is_direct(const critic *c)
{
    return c->options.mode == CRITIC_DIRECT;
}

/* What the block's first layer reads. */
static tensor_shape block_input(const critic *c)
{
    tensor_shape shape = c->node->in;
    if (is_direct(c) && c->options.label_input)
        shape.channels += c->loss.outputs;
    return shape;
}

static status check_output(const critic *c, const char *path)
{
    const graph_node *last = &c->graph.nodes[c->graph.output_node];
    tensor_shape out = last->out, h = c->node->in;
    char text[256];
    if (node_is_loss(last) || c->graph.output_node != c->graph.n_nodes - 1)
        return section_fail(c->graph.nodes[c->graph.n_nodes - 1].where, path,
                            "a [critic] ends with a layer whose outputs are logits, or values: its loss is that of the network");
    if (is_direct(c)) {
        if (out.channels == h.channels && out.height == h.height && out.width == h.width)
            return STATUS_OK;
        snprintf(text, sizeof text, "mode=direct (line %d) predicts a gradient of %d x %d x %d, and this last layer of the block gives %d x %d x %d",
                 c->node->where->line, h.channels, h.height, h.width, out.channels, out.height, out.width);
        return section_fail(last->where, path, text);
    }
    if (shape_count(out) == (size_t)c->loss.outputs)
        return STATUS_OK;
    snprintf(text, sizeof text, "the block of [critic] (line %d) predicts %zu outputs, and the network has %d", c->node->where->line, shape_count(out),
             c->loss.outputs);
    return section_fail(last->where, path, text);
}

/* Second derivatives of the block's layers: the gradient by h is differentiated by the parameters. */
static status check_layers(const critic *c, const char *path)
{
    status_list found = {.first = STATUS_OK};
    for (int i = 0; i < c->graph.n_nodes && !is_direct(c); ++i) {
        const graph_node *node = &c->graph.nodes[i];
        if (node->type->max_order < 1)
            status_collect(&found, section_fail(node->where, path, "this layer cannot be differentiated inside of a [critic]"));
    }
    return status_collected(&found);
}

static status append_loss(critic *c)
{
    if (is_direct(c))
        return STATUS_OK;
    if (c->loss.kind == MAIN_LOSS_SQUARED_ERROR)
        return graph_append_head(&c->graph, &squared_error_head);
    status s = graph_append_head(&c->graph, &log_probabilities_head);
    return s == STATUS_OK ? graph_append_head(&c->graph, &cross_entropy_head) : s;
}

static bool has_block(const config *cfg, int block)
{
    for (int i = 0; i < cfg->n_sections; ++i)
        if (cfg->sections[i].block == block && cfg->sections[i].spec->role == SECTION_LAYER)
            return true;
    return false;
}

static status create_tape(critic *c, tape *t, int capacity)
{
    int order = is_direct(c) ? 0 : 1;
    return tape_create(t, &c->graph, c->be, capacity, order, order, -1);
}

static status create_network(critic *c, const config *cfg, int capacity)
{
    int block = (int)(c->node->where - cfg->sections);
    const backend *be = c->be;
    if (!critic_predicts(c->options.mode))
        return STATUS_OK;
    if (!has_block(cfg, block))
        return section_fail(c->node->where, cfg->path, "[critic] needs layers of its own before [end], unless it is mode=noprop or mode=backprop");
    if (c->options.label_weight > 0 && c->loss.kind != MAIN_LOSS_CROSS_ENTROPY)
        return option_fail(c->node->where, cfg->path, "label_weight", "label_weight needs a network whose loss is cross-entropy");
    const critic_options *o = &c->options;
    if (!(o->weight > 0 || o->weight_1 > 0 || o->label_weight > 0))
        return section_fail(c->node->where, cfg->path, "[critic] learns nothing, and would send down what it predicts at first: the weights of its losses are 0");
    status s = graph_build_block(&c->graph, cfg, block, block_input(c), be);
    if (s == STATUS_OK)
        s = check_output(c, cfg->path);
    if (s == STATUS_OK)
        s = check_layers(c, cfg->path);
    if (s == STATUS_OK)
        s = append_loss(c);
    if (s == STATUS_OK)
        s = graph_allocate_moments(&c->graph, be);
    if (s == STATUS_OK)
        s = create_tape(c, &c->tape, capacity);
    if (s != STATUS_OK)
        return s;
    c->graph.nodes[graph_top(&c->graph)].seeded = true;
    c->predicted = is_direct(c) ? NULL : be->allocate((size_t)capacity);
    return c->predicted || is_direct(c) ? STATUS_OK : STATUS_NO_MEMORY;
}

status critic_create(critic **result, const config *cfg, const graph_node *node, const main_loss *loss, const backend *be, int capacity)
{
    critic *c = *result = allocate_zeroed(1, sizeof *c);
    if (!c)
        return STATUS_NO_MEMORY;
    c->options = critic_read_options(node->where);
    c->node = node;
    c->loss = *loss;
    c->be = be;
    c->inputs = shape_count(node->in);
    return create_network(c, cfg, capacity);
}

void critic_free(critic *c)
{
    if (!c)
        return;
    tape_free(&c->tape);
    tape_free(&c->reader);
    graph_free(&c->graph, c->be);
    c->be->release(c->predicted);
    free(c);
}

const critic_options *critic_get_options(const critic *c)
{
    return &c->options;
}

const graph_node *critic_node(const critic *c)
{
    return c->node;
}

graph *critic_graph(critic *c)
{
    return c->graph.nodes ? &c->graph : NULL;
}

long *critic_updates(critic *c)
{
    return &c->updates;
}

/* ---------------------------------------------------------------- the sweeps */

/* h, and for mode=direct a channel for each label, the same at every pixel. */
static void place_input(const critic *c, tape *t, const critic_lesson *lesson)
{
    size_t count = t->x.count, pixels = (size_t)c->node->in.height * (size_t)c->node->in.width;
    for (size_t b = 0; b < (size_t)lesson->batch; ++b) {
        real *x = t->x.data + b * count;
        c->be->copy(c->inputs, lesson->h + b * c->inputs, x);
        for (size_t k = 0; c->inputs + (k + 1) * pixels <= count; ++k)
            c->be->fill(pixels, lesson->labels[b * (size_t)c->loss.outputs + k], x + c->inputs + k * pixels);
    }
}

static void begin(const critic *c, tape *t, const critic_lesson *lesson)
{
    if (t->batch != lesson->batch)
        tape_set_batch(t, lesson->batch);
    t->training = true;
    t->derivatives = t->order > 0;
    t->seed = lesson->seed;
    t->step = lesson->step;
    t->truth = is_direct(c) ? NULL : lesson->labels;
    tape_clear_adjoints(t);
    place_input(c, t, lesson);
}

/* Where it lies after the sweeps. */
static const real *synthetic_gradient(const critic *c, tape *t)
{
    return is_direct(c) ? tape_jet(t, graph_top(&c->graph))->data : jet_component(tape_adjoint(t, -1), 1);
}

static const real *predict(const critic *c, tape *t, const critic_lesson *lesson)
{
    int top = graph_top(&c->graph);
    begin(c, t, lesson);
    sweep_values(t, 0, top);
    if (is_direct(c))
        return synthetic_gradient(c, t);
    c->be->fill((size_t)lesson->batch, c->loss.kind == MAIN_LOSS_SQUARED_ERROR ? (real)c->loss.scale : 1, jet_component(tape_adjoint(t, top), 1));
    tape_seed_adjoint(t, top, HALF_UPPER);
    sweep_seeds(t);
    return synthetic_gradient(c, t);
}

const real *critic_synthetic_gradient(critic *c, const critic_lesson *lesson)
{
    return predict(c, &c->tape, lesson);
}

status critic_allow_reader(critic *c)
{
    status s = c->reader.be ? STATUS_OK : create_tape(c, &c->reader, c->tape.capacity);
    c->reader.move_statistics = false; /* the lesson on the same minibatch moves them */
    return s;
}

const real *critic_read_gradient(critic *c, const critic_lesson *lesson)
{
    return predict(c, &c->reader, lesson);
}

size_t critic_reader_bytes(const critic *c)
{
    return tape_bytes(&c->reader);
}

bool critic_needs_losses(const critic *c)
{
    return !is_direct(c) && c->options.mode != CRITIC_LOCAL && (c->options.weight > 0 || c->options.label_weight > 0);
}

/* ---------------------------------------------------------------- learning */

static void take_notes(critic *c, const critic_lesson *lesson)
{
    size_t n = (size_t)lesson->batch * c->inputs;
    const real *synthetic = synthetic_gradient(c, &c->tape), *m = lesson->losses ? critic_predicted_losses(c) : NULL;
    double ours = sqrt(c->be->dot(n, synthetic, synthetic)), theirs = sqrt(c->be->dot(n, lesson->gradient, lesson->gradient));
    double product = c->be->dot(n, synthetic, lesson->gradient), error = 0;
    for (int b = 0; b < lesson->batch && m; ++b)
        error += fabs((double)m[b] - (double)lesson->losses[b]);
    c->sums.minibatches++;
    c->losses_known += m != NULL;
    c->sums.loss_error += error / lesson->batch;
    c->sums.cosine += ours > 0 && theirs > 0 ? product / (ours * theirs) : 0;
    c->sums.norm_ratio += theirs > 0 ? ours / theirs : 0;
    c->sums.staleness += (double)lesson->staleness;
    c->sums.most_stale = lesson->staleness > c->sums.most_stale ? lesson->staleness : c->sums.most_stale;
}

/* m: what comes out of the loss head, times the factor that it leaves out. */
const real *critic_predicted_losses(critic *c)
{
    const jet *m = tape_jet(&c->tape, graph_top(&c->graph));
    if (is_direct(c))
        return NULL;
    c->be->axpby((size_t)m->batch, (real)c->loss.scale, m->data, 0, c->predicted);
    return c->predicted;
}

/* weight * m: the derivative by m is that of every sample. */
static double local_loss(critic *c, const critic_lesson *lesson, real *adjoint)
{
    const real *m = critic_predicted_losses(c);
    double sum = 0;
    c->be->fill((size_t)lesson->batch, (real)c->options.weight, adjoint);
    for (int b = 0; b < lesson->batch; ++b)
        sum += (double)m[b];
    return c->options.weight * sum;
}

static double seed_value(critic *c, const critic_lesson *lesson)
{
    tape *t = &c->tape;
    int top = graph_top(&c->graph);
    real *adjoint = tape_adjoint(t, top)->data;
    double loss = c->options.mode == CRITIC_LOCAL
                      ? local_loss(c, lesson, adjoint)
                      : c->be->loss(c->options.loss, (size_t)lesson->batch, 1, critic_predicted_losses(c), lesson->losses, (real)c->options.weight, adjoint);
    c->be->axpby((size_t)lesson->batch, 0, adjoint, (real)c->loss.scale, adjoint);
    tape_seed_adjoint(t, top, HALF_LOW);
    return loss;
}

/* log p(h) against log p of the main network: what lies below the cross-entropy head. */
static double seed_labels(critic *c, const critic_lesson *lesson)
{
    tape *t = &c->tape;
    int node = graph_top(&c->graph) - 1;
    if (c->options.label_weight == 0)
        return 0;
    tape_seed_adjoint(t, node, HALF_LOW);
    return c->be->loss(c->options.label_loss, (size_t)lesson->batch, (size_t)c->loss.outputs, tape_jet(t, node)->data, lesson->log_probabilities,
                       (real)c->options.label_weight, tape_adjoint(t, node)->data);
}

/* The loss on the synthetic gradient, and its derivative by it. */
static double gradient_loss(critic *c, const critic_lesson *lesson, real *derivative)
{
    const real *synthetic = synthetic_gradient(c, &c->tape);
    return c->be->loss(c->options.loss_1, (size_t)lesson->batch, c->inputs, synthetic, lesson->gradient, (real)c->options.weight_1, derivative);
}

double critic_add_gradients(critic *c, const critic_lesson *lesson)
{
    tape *t = &c->tape;
    int top = graph_top(&c->graph);
    double loss;
    if (is_direct(c)) {
        loss = gradient_loss(c, lesson, tape_adjoint(t, top)->data);
        tape_seed_adjoint(t, top, HALF_LOW);
    } else {
        loss = gradient_loss(c, lesson, jet_component(&t->x, 1));
        sweep_tangents(t);
        loss += seed_value(c, lesson);
        loss += seed_labels(c, lesson);
    }
    sweep_adjoints(t, top, 0, true);
    return loss;
}

/* In decoupled training the part below reads the parameters meanwhile: the one place where threads share numbers without a lock (tests/tsan.supp). */
static void critic_update(critic *c, int batch)
{
    const critic_options *o = &c->options;
    ++c->updates;
    for (int i = 0; i < c->graph.n_nodes; ++i) {
        graph_node *node = &c->graph.nodes[i];
        for (parameter *p = node->parameters; p < node->parameters + node->n_parameters; ++p) {
            if (p->statistic)
                continue;
            double rate = o->learning_rate * node->learning_rate_scale;
            adam_rule rule = adam_rule_at(rate, o->B1, o->B2, o->eps, p->decays ? o->decay : 0, batch, c->updates);
            c->be->adam_update(rule, p->count, p->value, p->gradient, p->moment_1, p->moment_2);
        }
    }
}

void critic_learn(critic *c, const critic_lesson *lesson)
{
    take_notes(c, lesson);
    for (int i = 0; i < c->options.updates; ++i) {
        if (i > 0)
            critic_synthetic_gradient(c, lesson);
        critic_add_gradients(c, lesson);
        critic_update(c, lesson->batch);
    }
}

critic_report critic_take_report(critic *c)
{
    critic_report r = c->sums;
    double n = (double)r.minibatches;
    long losses_known = c->losses_known;
    c->sums = (critic_report){0};
    c->losses_known = 0;
    return (critic_report){
        .minibatches = r.minibatches,
        .loss_error = losses_known > 0 ? r.loss_error / (double)losses_known : NAN,
        .cosine = n > 0 ? r.cosine / n : NAN,
        .norm_ratio = n > 0 ? r.norm_ratio / n : NAN,
        .staleness = n > 0 ? r.staleness / n : NAN,
        .most_stale = r.most_stale,
    };
}
