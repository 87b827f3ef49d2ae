#include "train/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/logit_loss_math.h"

static graph_node *first_node(graph *g)
{
    return &g->nodes[0];
}

static graph_node *last_node(graph *g)
{
    return &g->nodes[g->output_node];
}

static parameter *find_parameter(graph_node *node, const char *name)
{
    for (int i = 0; i < node->n_parameters; ++i)
        if (strcmp(node->parameters[i].name, name) == 0)
            return &node->parameters[i];
    return NULL;
}

/* ---------------------------------------------------------------- checking */

/* Of a fully connected one: whether its output is. */
static bool is_linear(const graph_node *node)
{
    return option_choice(node->where, "activation") == ACTIVATION_LINEAR;
}

/* First and last layer of the network that stands in the file at `path`. */
static status check_layers(graph *g, const char *path, normalise_kind kind)
{
    const graph_node *first = first_node(g), *last = last_node(g);
    if (!first->type || !first->type->fully_connected)
        return section_fail(first->where, path, "normalise= in [data] is folded into the first layer, which must be [connected]");
    if (kind == NORMALISE_ALL && (!last->type || !last->type->fully_connected || !is_linear(last)))
        return section_fail(last->where, path, "normalise=all in [data] is folded into the last layer, which must be [connected] with activation=linear");
    return STATUS_OK;
}

status fold_check(plugin_network *p, normalise_kind kind)
{
    const objective_options *o = plugin_objective(p);
    status s = check_layers(plugin_graph(p), plugin_config(p)->path, kind);
    if (s == STATUS_OK && plugin_teacher_graph(p))
        s = check_layers(plugin_teacher_graph(p), plugin_teacher(p)->path, kind);
    if (s != STATUS_OK || kind != NORMALISE_ALL)
        return s;
    if (o && loss_is_of_logits(o->loss[0].kind))
        return option_fail(o->where, plugin_config(p)->path, "loss", "this loss takes the outputs for logits, which [data] normalise=all would scale");
    if (!o || o->differentiated != DIFFERENTIATE_OUTPUT || o->target == TARGET_ZERO || o->target == TARGET_FLIP)
        return option_fail(config_section(plugin_config(p), "data"), plugin_config(p)->path, "normalise",
                           "[data] normalise=all scales outputs: it needs [sobolev] with differentiate=output and the derivatives of labels or a teacher (normalise=inputs does not)");
    return STATUS_OK;
}

/* ---------------------------------------------------------------- a pair of layers */

status fold_create(fold *f, graph *g, const normaliser *n)
{
    *f = (fold){.graph = g, .normaliser = n};
    if (!n)
        return STATUS_OK;
    f->kept = allocate_zeroed(graph_array_count(g), sizeof *f->kept);
    f->rows = allocate_zeroed(2 * (unsigned long)n->inputs, sizeof *f->rows);
    return f->kept && f->rows ? STATUS_OK : STATUS_NO_MEMORY;
}

void fold_free(fold *f)
{
    free(f->kept);
    free(f->rows);
    *f = (fold){0};
}

static void copy_parameters(graph *g, float *values, bool to_parameters)
{
    GRAPH_ARRAYS(g, p)
    {
        memcpy(to_parameters ? p->value : values, to_parameters ? values : p->value, p->count * sizeof *values);
        values += p->count;
    }
}

/* row = row M, M [n, n] or its diagonal; `row` in double. */
static void row_times(size_t n, const double *row, const double *m, bool diagonal, double *out)
{
    for (size_t j = 0; j < n; ++j) {
        double sum = diagonal ? row[j] * m[j] : 0;
        for (size_t i = 0; i < n && !diagonal; ++i)
            sum += row[i] * m[i * n + j];
        out[j] = sum;
    }
}

/* What a shift of a node's W x is added to, and its sign: its biases, or the mean that is subtracted. */
static float *shifted_array(graph_node *node, double *sign)
{
    parameter *mean = find_parameter(node, "rolling_mean");
    *sign = mean ? -1 : 1;
    return mean ? mean->value : find_parameter(node, "biases")->value;
}

/* W = W M for every row; `sign` times the new (before: the old) row's product with mean_x shifts W x. */
static void change_inputs(fold *f, const double *matrix, double sign, bool shift_by_old)
{
    const normaliser *n = f->normaliser;
    graph_node *node = first_node(f->graph);
    parameter *weights = find_parameter(node, "weights");
    size_t inputs = (size_t)n->inputs;
    double *old = f->rows, *new = f->rows + inputs, direction;
    float *shifted = shifted_array(node, &direction);
    for (size_t r = 0; r < weights->count / inputs; ++r) {
        float *row = weights->value + r * inputs;
        double sum = (double)shifted[r];
        for (size_t j = 0; j < inputs; ++j)
            old[j] = (double)row[j];
        row_times(inputs, old, matrix, n->diagonal, new);
        for (size_t j = 0; j < inputs; ++j) {
            sum += direction * sign * (shift_by_old ? old : new)[j] * n->mean_x[j];
            row[j] = (float)new[j];
        }
        shifted[r] = (float)sum;
    }
}

static void scale_outputs(fold *f, bool inverse)
{
    const normaliser *n = f->normaliser;
    graph_node *node = last_node(f->graph);
    parameter *biases = find_parameter(node, "biases"), *scales = find_parameter(node, "scales");
    parameter *factors = scales ? scales : find_parameter(node, "weights");
    size_t row = factors->count / biases->count;
    for (size_t k = 0; k < biases->count; ++k) {
        double scale = inverse ? 1 / n->scale_y[k] : n->scale_y[k], bias = (double)biases->value[k];
        for (size_t j = 0; j < row; ++j)
            factors->value[k * row + j] = (float)(scale * (double)factors->value[k * row + j]);
        biases->value[k] = (float)(inverse ? (bias - n->mean_y[k]) * scale : bias * scale + n->mean_y[k]);
    }
}

/* ---------------------------------------------------------------- public */

void fold_in(fold *f)
{
    if (!f->normaliser)
        return;
    copy_parameters(f->graph, f->kept, false);
    change_inputs(f, f->normaliser->forward, -1, false);
    if (f->normaliser->scales_outputs)
        scale_outputs(f, false);
}

void fold_out(fold *f)
{
    if (f->normaliser)
        copy_parameters(f->graph, f->kept, true);
}

void fold_inverse(fold *f)
{
    if (!f->normaliser)
        return;
    if (f->normaliser->scales_outputs)
        scale_outputs(f, true);
    change_inputs(f, f->normaliser->inverse, 1, true);
}
