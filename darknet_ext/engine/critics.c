#include "engine/critics.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/logit_loss_math.h"
#include "layers/sobolev.h"

/* One block, and what this step's sweep says of it. */
typedef struct cut {
    critic *critic;
    real *true_gradient; /* [batch, inputs], of target=true; else NULL */
} cut;

struct critics {
    const backend *be;
    graph *graph;
    main_loss loss;
    bool logits;         /* the network's outputs are logits; else probabilities, or values of the squared error */
    cut *cuts;
    int n;
    long update;         /* updates done before this step */
    bool learn;
    bool decoupled;      /* lessons are given elsewhere */
    bool passing;        /* the sweep of critics_note_true_gradients */
    bool measured;       /* the next two are those of this step */
    real *losses, *log_probabilities; /* [batch], [batch, outputs] */
    real *output_adjoint;             /* kept during that sweep; NULL where no block has target=true */
};

/* ---------------------------------------------------------------- checking */

static status check_objective(const graph *g, const section *where, const char *path, critics *s)
{
    objective_options o = sobolev_read_options(where);
    if (o.order > 0)
        return option_fail(where, path, "order", "a network with [critic] is trained on values: it needs [sobolev] order=0");
    bool squares = o.loss[0].kind == LOSS_L2, logits = o.loss[0].kind == LOSS_CROSS_ENTROPY && o.loss[0].parameter == 1 && o.weight[0] == 1;
    if ((!squares && !logits) || o.schedule != SCHEDULE_CONSTANT || o.balance != BALANCE_NONE)
        return option_fail(where, path, "loss",
                           "[critic] predicts loss=l2 with a constant weight, loss=cross_entropy with weight=1 and temperature=1, or the loss of [softmax] or "
                           "[cost] type=sse");
    s->logits = logits;
    s->loss = (main_loss){squares ? MAIN_LOSS_SQUARED_ERROR : MAIN_LOSS_CROSS_ENTROPY, (int)shape_count(g->nodes[g->output_node].out), o.weight[0]};
    return STATUS_OK;
}

static bool named(const graph_node *node, const char *name)
{
    return strcmp(node->where->spec->name, name) == 0;
}

/* The loss of a network without [sobolev]. Darknet's [cost] goes down the slope of half its squared error. */
static status check_own_loss(const graph *g, const graph_node *first, const char *path, critics *s)
{
    const graph_node *loss = NULL;
    s->loss = (main_loss){MAIN_LOSS_CROSS_ENTROPY, (int)shape_count(g->nodes[g->output_node].out), 1};
    for (int i = 0; i < g->n_nodes; ++i) {
        if (!node_is_loss(&g->nodes[i]))
            continue;
        if (loss)
            return section_fail(g->nodes[i].where, path, "a network with [critic] has one loss, and this is the second");
        loss = &g->nodes[i];
    }
    if (loss && named(loss, "softmax") && option_integer(loss->where, "groups") == 1 && loss->index == g->output_node)
        return STATUS_OK;
    if (loss && named(loss, "cost") && strcmp(option_text(loss->where, "type"), "sse") == 0) {
        s->loss.kind = MAIN_LOSS_SQUARED_ERROR;
        s->loss.scale = .5 * option_real(loss->where, "scale");
        return STATUS_OK;
    }
    return section_fail(first->where, path, "[critic] needs a network that ends with [softmax] groups=1, [cost] type=sse or [sobolev] order=0");
}

/* What a block cannot know: it sees the labels of the data alone, all of them, and weighs all outputs alike. */
static status check_labels(const graph *g, const config *c)
{
    const section *taught = config_section(c, "teacher"), *data = config_section(c, "data"), *objective = graph_objective(g);
    if (taught && option_given(taught, "cfg"))
        return section_fail(taught, c->path,
                            "[critic] predicts a loss on the labels of the data, and outputs that a teacher's are compared with have another: "
                            "beside [teacher] with cfg= only mode=noprop and mode=backprop");
    if (data && option_boolean(data, "missing"))
        return option_fail(data, c->path, "missing", "[critic] reads every label: beside missing=1 only mode=noprop and mode=backprop");
    if (objective && option_given(objective, "output_weights"))
        return option_fail(objective, c->path, "output_weights",
                           "[critic] predicts a loss that weighs all outputs alike: beside output_weights only mode=noprop and mode=backprop");
    return STATUS_OK;
}

static status check_loss(const graph *g, const graph_node *first, const char *path, critics *s)
{
    const section *objective = graph_objective(g);
    return objective ? check_objective(g, objective, path, s) : check_own_loss(g, first, path, s);
}

static bool is_cut(const graph_node *node)
{
    return node->type && node->type->critic;
}

/* Everything above a cut must come through it. */
static status check_cut(const graph *g, const graph_node *node, const critic_options *o, const char *path)
{
    char text[192];
    for (int i = node->index + 1; i < g->n_nodes; ++i) {
        const graph_node *above = &g->nodes[i];
        if (!above->type && o->target == CRITIC_TARGET_TRUE)
            return option_fail(node->where, path, "target", "target=true needs layers of the engine above the cut, and Darknet runs one of them itself");
        for (int k = 0; above->type && k < above->n_inputs; ++k)
            if (above->inputs[k] < node->index) {
                snprintf(text, sizeof text, "this cut is not a cut: [%s] (line %d) reads layer %d, which lies below it", above->where->name,
                         above->where->line, above->inputs[k]);
                return section_fail(node->where, path, text);
            }
    }
    if (node->index == 0)
        return section_fail(node->where, path, "there is no layer below this [critic]: nothing would learn from it");
    for (int i = node->index + 1; i < g->n_nodes && critic_predicts(o->mode); ++i)
        if (is_cut(&g->nodes[i]) && critic_read_options(g->nodes[i].where).mode == CRITIC_NOPROP) {
            snprintf(text, sizeof text, "nothing below mode=noprop (line %d) learns: this block must have mode=noprop or mode=backprop", g->nodes[i].where->line);
            return option_fail(node->where, path, "mode", text);
        }
    for (int i = 0; i < node->index && o->mode == CRITIC_NOPROP; ++i)
        if (!g->nodes[i].type)
            return option_fail(node->where, path, "mode", "mode=noprop above a layer that Darknet runs itself: its weight decay would go on");
    return STATUS_OK;
}

/* ---------------------------------------------------------------- creating */

static void freeze_below(graph *g, int node)
{
    for (int i = 0; i < node; ++i)
        g->nodes[i].frozen = true;
}

/* What a block of mode=direct predicts at first: nothing, as in Jaderberg et al. (2017). Random predictions would be steps in random directions. */
static void begin_with_zeros(graph *g, const backend *be)
{
    graph_node *last = &g->nodes[g->output_node];
    while (last->n_parameters == 0 && last > g->nodes)
        --last;
    const char *factor = "weights";
    for (parameter *p = last->parameters; p < last->parameters + last->n_parameters; ++p)
        if (strcmp(p->name, "scales") == 0)
            factor = p->name;
    for (parameter *p = last->parameters; p < last->parameters + last->n_parameters; ++p)
        if (strcmp(p->name, factor) == 0)
            be->fill(p->count, 0, p->value);
}

static status create_cut(critics *s, const config *c, const graph_node *node, int capacity, uint64_t seed)
{
    cut *made = &s->cuts[s->n++];
    status result = critic_create(&made->critic, c, node, &s->loss, s->be, capacity);
    if (result != STATUS_OK)
        return result;
    const critic_options *o = critic_get_options(made->critic);
    if (o->mode == CRITIC_NOPROP)
        freeze_below(s->graph, node->index);
    if (critic_graph(made->critic)) /* numbers of its own: not those that the network's layers of the same places get */
        graph_initialise(critic_graph(made->critic), s->be, seed + (uint64_t)node->where->line * 1000003);
    if (o->mode == CRITIC_DIRECT)
        begin_with_zeros(critic_graph(made->critic), s->be);
    if (o->target == CRITIC_TARGET_TRUE && critic_predicts(o->mode)) {
        made->true_gradient = s->be->allocate((size_t)capacity * shape_count(node->in));
        if (!made->true_gradient)
            return STATUS_NO_MEMORY;
    }
    return STATUS_OK;
}

static int count_cuts(const graph *g, const graph_node **first)
{
    int n = 0;
    for (int i = 0; i < g->n_nodes; ++i)
        if (is_cut(&g->nodes[i]) && n++ == 0)
            *first = &g->nodes[i];
    return n;
}

static status check_all(critics *s, const graph_node *first, const config *c)
{
    status_list found = {.first = STATUS_OK};
    const graph *g = s->graph;
    bool any_predicts = false;
    status_collect(&found, check_loss(g, first, c->path, s));
    for (int i = 0; i < g->n_nodes; ++i) {
        if (!is_cut(&g->nodes[i]))
            continue;
        critic_options o = critic_read_options(g->nodes[i].where);
        any_predicts |= critic_predicts(o.mode);
        status_collect(&found, check_cut(g, &g->nodes[i], &o, c->path));
    }
    if (any_predicts)
        status_collect(&found, check_labels(g, c));
    return status_collected(&found);
}

static status create_cuts(critics *s, const config *c, int n, int capacity, uint64_t seed)
{
    status_list found = {.first = STATUS_OK};
    bool any_true = false;
    s->cuts = allocate_zeroed((unsigned long)n, sizeof *s->cuts);
    if (!s->cuts)
        return STATUS_NO_MEMORY;
    for (int i = 0; i < s->graph->n_nodes; ++i) {
        if (!is_cut(&s->graph->nodes[i]))
            continue;
        status_collect(&found, create_cut(s, c, &s->graph->nodes[i], capacity, seed));
        any_true |= s->cuts[s->n - 1].true_gradient != NULL;
    }
    size_t outputs = (size_t)capacity * (size_t)s->loss.outputs;
    s->losses = s->be->allocate((size_t)capacity);
    s->log_probabilities = s->be->allocate(outputs);
    s->output_adjoint = any_true ? s->be->allocate(outputs) : NULL;
    if (!s->losses || !s->log_probabilities || (any_true && !s->output_adjoint))
        return STATUS_NO_MEMORY;
    return status_collected(&found);
}

status critics_create(critics **result, graph *g, const config *c, const backend *be, int capacity, uint64_t seed)
{
    const graph_node *first = NULL;
    int n = count_cuts(g, &first);
    *result = NULL;
    if (n == 0)
        return STATUS_OK;
    critics *s = *result = allocate_zeroed(1, sizeof *s);
    if (!s)
        return STATUS_NO_MEMORY;
    s->be = be;
    s->graph = g;
    status found = check_all(s, first, c);
    return found == STATUS_OK ? create_cuts(s, c, n, capacity, seed) : found;
}

void critics_free(critics *s)
{
    if (!s)
        return;
    for (int i = 0; i < s->n; ++i) {
        critic_free(s->cuts[i].critic);
        s->be->release(s->cuts[i].true_gradient);
    }
    s->be->release(s->losses);
    s->be->release(s->log_probabilities);
    s->be->release(s->output_adjoint);
    free(s->cuts);
    free(s);
}

int critics_count(const critics *s)
{
    return s ? s->n : 0;
}

critic *critics_get(critics *s, int i)
{
    return s->cuts[i].critic;
}

const main_loss *critics_main_loss(const critics *s)
{
    return &s->loss;
}

static cut *cut_of(const critics *s, int node)
{
    for (int i = 0; s && i < s->n; ++i)
        if (critic_node(s->cuts[i].critic)->index == node)
            return &s->cuts[i];
    return NULL;
}

critic *critics_at(const critics *s, int node)
{
    const cut *at = cut_of(s, node);
    return at ? at->critic : NULL;
}

status critics_decouple(critics *s)
{
    status result = STATUS_OK;
    for (int i = 0; i < s->n && result == STATUS_OK; ++i)
        if (critic_graph(s->cuts[i].critic))
            result = critic_allow_reader(s->cuts[i].critic);
    s->decoupled = s->learn = true;
    return result;
}

void critics_couple(critics *s)
{
    s->decoupled = false;
}

bool critics_cut(const critics *s, int node)
{
    const cut *at = cut_of(s, node);
    return at && !s->passing && critic_get_options(at->critic)->mode == CRITIC_NOPROP;
}

/* ---------------------------------------------------------------- a step */

void critics_begin(critics *s, long update, bool learn)
{
    s->update = update;
    s->learn = learn;
    s->measured = false;
}

void critics_note_true_gradients(critics *s, tape *t)
{
    const graph *g = s->graph;
    int lowest = g->n_nodes, output = g->output_node;
    jet *adjoint = tape_adjoint(t, output);
    bool *started = tape_adjoint_started(t, output, HALF_LOW), was_started = *started;
    for (int i = s->n - 1; i >= 0; --i)
        if (s->cuts[i].true_gradient)
            lowest = critic_node(s->cuts[i].critic)->index;
    if (!s->learn || lowest == g->n_nodes)
        return;
    if (was_started)
        s->be->copy((size_t)adjoint->batch * adjoint->count, adjoint->data, s->output_adjoint);
    s->passing = true;
    sweep_adjoints(t, output, lowest, false);
    s->passing = false;
    for (int i = 0; i < g->n_nodes; ++i)
        *tape_adjoint_started(t, i, HALF_LOW) = false;
    *started = was_started;
    if (was_started)
        s->be->copy((size_t)adjoint->batch * adjoint->count, s->output_adjoint, adjoint->data);
}

/* log p of a sample, from probabilities or logits. A probability of 0 is that of the smallest normal number. */
static void log_probabilities_of(const critics *s, const real *output, real *log_p)
{
    size_t n = (size_t)s->loss.outputs;
    logit_scale scale = s->logits ? logit_scale_of(n, output, 1) : (logit_scale){0, 0};
    for (size_t k = 0; k < n; ++k)
        log_p[k] = (real)(s->logits ? (double)output[k] - scale.largest - scale.log_sum : log(fmax((double)output[k], (double)REAL_SMALLEST)));
}

void critics_losses(const critics *s, tape *t, real *losses, real *log_probabilities)
{
    size_t n = (size_t)s->loss.outputs;
    const real *output = tape_jet(t, s->graph->output_node)->data;
    for (size_t b = 0; b < (size_t)t->batch; ++b) {
        const real *p = output + b * n, *y = t->truth + b * n;
        real *log_p = log_probabilities + b * n;
        double sum = 0;
        if (s->loss.kind == MAIN_LOSS_CROSS_ENTROPY)
            log_probabilities_of(s, p, log_p);
        for (size_t k = 0; k < n; ++k) {
            double e = (double)p[k] - (double)y[k];
            double term = s->loss.kind == MAIN_LOSS_SQUARED_ERROR ? s->loss.scale * e * e : y[k] == 0 ? 0 : -(double)y[k] * (double)log_p[k];
            sum += isnan(y[k]) ? 0 : term;
        }
        losses[b] = (real)sum;
    }
}

long critics_warm_up(const critics *s)
{
    long last = 0;
    for (int i = 0; i < critics_count(s); ++i) {
        const critic_options *o = critic_get_options(s->cuts[i].critic);
        if (critic_predicts(o->mode) && o->warm_up > last)
            last = o->warm_up;
    }
    return last;
}

/* Once a step. */
static void measure_losses(critics *s, tape *t)
{
    if (!s->measured)
        critics_losses(s, t, s->losses, s->log_probabilities);
    s->measured = true;
}

/* SG goes down as `mix` says, and then the block learns: what goes down is that of the weights before. */
static void teach(critics *s, tape *t, cut *at, const layer_pass *pass)
{
    const critic_options *o = critic_get_options(at->critic);
    size_t n = (size_t)t->batch * pass->x->count;
    bool pure = s->update < o->warm_up;
    measure_losses(s, t);
    critic_lesson lesson = {
        .batch = t->batch,
        .h = pass->x->data,
        .labels = t->truth,
        .losses = s->losses,
        .log_probabilities = s->log_probabilities,
        .gradient = at->true_gradient ? at->true_gradient : pass->adj_y->data,
        .seed = t->seed,
        .step = t->step,
    };
    const real *synthetic = critic_synthetic_gradient(at->critic, &lesson);
    real mix = pure ? 1 : (real)o->mix;
    if (pass->adj_x->data) {
        s->be->axpby(n, 1 - mix, synthetic, pass->accumulate[0], pass->adj_x->data);
        if (mix > 0)
            s->be->axpby(n, mix, pass->adj_y->data, 1, pass->adj_x->data);
    }
    critic_learn(at->critic, &lesson);
}

/* SG goes down; what the block learns from this minibatch it learns when the part above has seen it. */
static void send_down(const critics *s, const tape *t, const cut *at, const layer_pass *pass)
{
    critic_lesson question = {.batch = t->batch, .h = pass->x->data, .labels = t->truth, .seed = t->seed, .step = t->step};
    const real *synthetic = critic_read_gradient(at->critic, &question);
    if (pass->adj_x->data)
        s->be->axpby((size_t)t->batch * pass->x->count, 1, synthetic, pass->accumulate[0], pass->adj_x->data);
}

void critics_backward(critics *s, tape *t, const layer_pass *pass)
{
    cut *at = cut_of(s, pass->node->index);
    bool predicts = critic_predicts(critic_get_options(at->critic)->mode);
    if (s->passing && at->true_gradient)
        s->be->copy((size_t)t->batch * pass->x->count, pass->adj_y->data, at->true_gradient);
    if (s->passing || !s->learn || !predicts || !t->truth)
        pass->node->type->backward(pass);
    else if (s->decoupled)
        send_down(s, t, at, pass);
    else
        teach(s, t, at, pass);
}
