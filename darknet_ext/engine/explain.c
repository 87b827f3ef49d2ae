#include "engine/explain.h"

static void print_images(FILE *out, tensor_shape s, int block)
{
    fprintf(out, "%d x %d x %d", s.channels, s.height, s.width);
    if (block > 1)
        fprintf(out, " in blocks of %d", block);
}

static void print_head(const graph_node *node, FILE *out)
{
    fprintf(out, "%4d ", node->index);
    if (node->where)
        fprintf(out, "[%s] (line %d): ", node->where->name, node->where->line);
    else
        fprintf(out, "head: ");
    print_images(out, node->in, node->in_block[0]);
    fprintf(out, " -> ");
    print_images(out, node->out, node->out_block);
    fputc('\n', out);
}

/* Where an input lies otherwise than the node reads it. */
static void print_borders(const tape *t, const graph_node *node, FILE *out)
{
    for (int i = 0; i < node->n_inputs; ++i) {
        int below = node->inputs[i], from = graph_block(t->graph, below);
        if (from == node->in_block[i])
            continue;
        if (below < 0)
            fprintf(out, "       the network's input");
        else
            fprintf(out, "       the output of layer %d", below);
        fprintf(out, " is reordered from blocks of %d to blocks of %d, its adjoint back\n", from, node->in_block[i]);
    }
}

static void print_convolution(const tape *t, const graph_node *node, FILE *out)
{
    static const char *const names[CONVOLUTION_DIRECTIONS] = {"forward", "backward data", "backward weights"};
    const convolution *c = t->entries[node->index].convolution;
    bool transposed = false;
    node->type->convolution(node, &transposed);
    for (int d = 0; d < CONVOLUTION_DIRECTIONS; ++d) {
        convolution_direction direction = (convolution_direction)d;
        if (transposed && d != CONVOLUTION_BACKWARD_WEIGHTS)
            direction = d == CONVOLUTION_FORWARD ? CONVOLUTION_BACKWARD_DATA : CONVOLUTION_FORWARD;
        fprintf(out, "       %s: %s\n", names[d], t->be->convolution_report(c, direction));
    }
}

static void print_node(const tape *t, const graph_node *node, FILE *out)
{
    print_head(node, out);
    print_borders(t, node, out);
    if (t->entries[node->index].convolution)
        print_convolution(t, node, out);
    else if (node->type->fully_connected)
        fprintf(out, "       matrix products (sgemm) in all directions\n");
}

void tape_explain(const tape *t, FILE *out)
{
    const graph *g = t->graph;
    fprintf(out, "darknet_ext: a tape of %d samples on %s, order %d, %d directions\n", t->capacity, t->be->name, t->order, t->directions);
    for (int i = 0; i < g->n_nodes + g->n_head; ++i)
        if (g->nodes[i].type && g->nodes[i].type->role == LAYER_PLAIN)
            print_node(t, &g->nodes[i], out);
}
