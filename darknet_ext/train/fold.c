#include "train/fold.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static bool is_linear(const graph_node *node)
{
    const layer_type *type = node->type;
    return !(type->curved && type->curved(node)) && !(type->zero_curvature && type->zero_curvature(node));
}

static status refuse(plugin_network *p, const graph_node *node, const char *text)
{
    return section_fail(node->where, plugin_config(p)->path, text);
}

status fold_check(plugin_network *p, normalise_kind kind)
{
    graph *g = plugin_graph(p);
    const objective_options *o = plugin_objective(p);
    const graph_node *first = first_node(g), *last = last_node(g);
    if (!first->type || !first->type->fully_connected)
        return refuse(p, first, "normalise= in [data] is folded into the first layer, which must be [connected]");
    if (kind != NORMALISE_ALL)
        return STATUS_OK;
    if (!last->type || !last->type->fully_connected || !is_linear(last))
        return refuse(p, last, "normalise=all in [data] is folded into the last layer, which must be [connected] with activation=linear");
    if (!o || o->differentiated != DIFFERENTIATE_OUTPUT || o->target != TARGET_DATA)
        return option_fail(config_section(plugin_config(p), "data"), plugin_config(p)->path, "normalise",
                           "[data] normalise=all scales outputs: it needs [sobolev] with differentiate=output and target=data (normalise=inputs does not)");
    return STATUS_OK;
}

/* ---------------------------------------------------------------- a pair of layers */

status fold_create(fold *f, graph *g, const normaliser *n)
{
    *f = (fold){.graph = g, .normaliser = n};
    if (!n)
        return STATUS_OK;
    f->kept = allocate_zeroed(graph_parameter_count(g), sizeof *f->kept);
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
    GRAPH_PARAMETERS(g, p)
    {
        memcpy(to_parameters ? p->value : values, to_parameters ? values : p->value, p->count * sizeof *values);
        values += p->count;
    }
}

/* row = row M, M [n, n]; `row` in double. */
static void row_times(size_t n, const double *row, const double *m, bool diagonal, double *out)
{
    for (size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (size_t i = diagonal ? j : 0; i < (diagonal ? j + 1 : n); ++i)
            sum += row[i] * m[i * n + j];
        out[j] = sum;
    }
}

/* W = W M for every row; `shift` times the new (before: the old) row is added to the bias. */
static void change_inputs(fold *f, const double *matrix, double sign, bool shift_by_old)
{
    const normaliser *n = f->normaliser;
    parameter *weights = find_parameter(first_node(f->graph), "weights"), *biases = find_parameter(first_node(f->graph), "biases");
    size_t inputs = (size_t)n->inputs;
    double *old = f->rows, *new = f->rows + inputs;
    for (size_t r = 0; r < biases->count; ++r) {
        float *row = weights->value + r * inputs;
        double bias = (double)biases->value[r];
        for (size_t j = 0; j < inputs; ++j)
            old[j] = (double)row[j];
        row_times(inputs, old, matrix, n->diagonal, new);
        for (size_t j = 0; j < inputs; ++j) {
            bias += sign * (shift_by_old ? old : new)[j] * n->mean_x[j];
            row[j] = (float)new[j];
        }
        biases->value[r] = (float)bias;
    }
}

static void scale_outputs(fold *f, bool inverse)
{
    const normaliser *n = f->normaliser;
    parameter *weights = find_parameter(last_node(f->graph), "weights"), *biases = find_parameter(last_node(f->graph), "biases");
    size_t inputs = weights->count / biases->count;
    for (size_t k = 0; k < biases->count; ++k) {
        double scale = inverse ? 1 / n->scale_y[k] : n->scale_y[k], bias = (double)biases->value[k];
        for (size_t j = 0; j < inputs; ++j)
            weights->value[k * inputs + j] = (float)(scale * (double)weights->value[k * inputs + j]);
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
