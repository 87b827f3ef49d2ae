#include "engine/teacher_check.h"

#include <stdio.h>
#include <string.h>

#include "engine/objective_check.h"

/* "2 x 6 x 6", or "24 numbers". */
static void write_shape(tensor_shape s, char *text, size_t size)
{
    size_t count = shape_count(s);
    if (s.height > 1 || s.width > 1)
        snprintf(text, size, "%d x %d x %d", s.channels, s.height, s.width);
    else
        snprintf(text, size, "%zu number%s", count, count == 1 ? "" : "s");
}

static bool is_vector(tensor_shape s)
{
    return s.height == 1 && s.width == 1;
}

/* A vector is whatever has as many numbers. */
static bool fits(tensor_shape a, tensor_shape b)
{
    bool same = a.channels == b.channels && a.height == b.height && a.width == b.width;
    return same || ((is_vector(a) || is_vector(b)) && shape_count(a) == shape_count(b));
}

/* "layer 3 ([connected], line 20)"; `path`, for another file than the message's, stands before the line. */
static void write_node(const graph *g, int node, const char *path, char *text, size_t size)
{
    const section *s = node < 0 ? g->nodes[0].net : g->nodes[node].where;
    char name[32] = "input";
    if (node >= 0)
        snprintf(name, sizeof name, "layer %d", node);
    snprintf(text, size, "%s ([%s], %s%s%d)", name, s->name, path ? path : "line", path ? ":" : " ", s->line);
}

static tensor_shape shape_of(const graph *g, int node)
{
    return node < 0 ? g->input : g->nodes[node].out;
}

/* A pair of layers whose outputs are compared; the message stands at a key of `where`. */
static status check_pair(const graph *student, int a, const teacher_options *t, int b, const section *where, const char *path, const char *key)
{
    char text[1400], node_a[96], node_b[1100], shape_a[64], shape_b[64];
    if (fits(shape_of(student, a), shape_of(t->graph, b)))
        return STATUS_OK;
    write_node(student, a, NULL, node_a, sizeof node_a);
    write_node(t->graph, b, t->path, node_b, sizeof node_b);
    write_shape(shape_of(student, a), shape_a, sizeof shape_a);
    write_shape(shape_of(t->graph, b), shape_b, sizeof shape_b);
    snprintf(text, sizeof text, "%s has %s, but the teacher's %s has %s", node_a, shape_a, node_b, shape_b);
    return key ? option_fail(where, path, key, text) : section_fail(where, path, text);
}

static status check_hint(const graph *student, const teacher_options *t, const char *path, const int hint[2])
{
    char text[256];
    if (hint[0] > student->output_node || hint[1] > t->graph->output_node) {
        bool own = hint[0] > student->output_node;
        bool softmax = !own && hint[1] < t->graph->n_nodes && strcmp(t->graph->nodes[hint[1]].where->name, "softmax") == 0;
        snprintf(text, sizeof text, "hint: %d names %s of the %s, whose output is layer %d%s%s%s", own ? hint[0] : hint[1],
                 softmax ? "the [softmax]" : "no layer", own ? "student" : "teacher", own ? student->output_node : t->graph->output_node,
                 softmax ? ", the logits, where these are compared" : "", own ? "" : ": ", own ? "" : t->path);
        return option_fail(t->where, path, "hint", text);
    }
    if (graph_is_foreign(student, hint[0])) {
        snprintf(text, sizeof text, "hint: layer %d ([%s], line %d) is run by Darknet itself, which takes no gradient from here", hint[0],
                 student->nodes[hint[0]].where->name, student->nodes[hint[0]].where->line);
        return option_fail(t->where, path, "hint", text);
    }
    return check_pair(student, hint[0], t, hint[1], t->where, path, "hint");
}

/* Derivatives on both sides by layers of the same shape, through layers that have them. */
static status check_derivatives(const graph *student, const section *where, const char *path, const objective_options *o)
{
    const teacher_options *t = o->teacher;
    status_list found = {.first = STATUS_OK};
    char text[256];
    if (t->wrt >= t->graph->output_node) {
        snprintf(text, sizeof text, "wrt=%d must name a layer below the teacher's output, which is layer %d: %s", t->wrt, t->graph->output_node,
                 t->path);
        return option_given(t->where, "wrt") ? option_fail(t->where, path, "wrt", text) : section_fail(t->where, path, text);
    }
    if (o->wrt < student->output_node && (o->wrt >= 0 || t->wrt >= 0)) /* the inputs have been compared */
        status_collect(&found, check_pair(student, o->wrt, t, t->wrt, option_given(t->where, "wrt") ? t->where : where, path, "wrt"));
    objective_options theirs = *o;
    theirs.wrt = t->wrt;
    snprintf(text, sizeof text, "%s:%d", path, where->line);
    objective_check_segment(t->graph, text, t->path, &theirs, &found);
    return status_collected(&found);
}

static status check_loss(const section *where, const char *path, const objective_options *o)
{
    if (o->loss[0].kind != LOSS_CROSS_ENTROPY || !sobolev_has_loss(o, 0))
        return STATUS_OK;
    return option_fail(where, path, "loss",
                       "cross_entropy compares with probabilities, and the teacher's outputs are logits: kl_reverse, which differs by a constant, "
                       "takes those");
}

/* A [softmax] whose inputs are not its logits (data/teacher_network.c), or one of the student's. */
static status check_logits(const graph *student, const section *where, const char *path, const objective_options *o)
{
    const teacher_options *t = o->teacher;
    char text[1400];
    if (!objective_takes_logits(o))
        return STATUS_OK;
    if (objective_is_softmax(student))
        return objective_refuse_softmax(student, where, path);
    if (!objective_is_softmax(t->graph))
        return STATUS_OK;
    snprintf(text, sizeof text,
             "[sobolev] takes outputs for logits, and those of the teacher are probabilities, of a [softmax] that is alone or has temperature= or "
             "groups=: %s:%d",
             t->path, t->graph->nodes[t->graph->output_node].where->line);
    return section_fail(where, path, text);
}

static status check_weights(const teacher_options *t, const char *path)
{
    if (option_given(t->where, "hint_weight") && t->n_hints == 0)
        return option_fail(t->where, path, "hint_weight", "hint_weight means nothing without hint=");
    return STATUS_OK;
}

status teacher_check(const graph *student, const section *where, const char *path, const objective_options *o)
{
    const teacher_options *t = o->teacher;
    const section *output = student->nodes[student->output_node].where;
    status_list found = {.first = STATUS_OK};
    status_collect(&found, check_weights(t, path));
    if (!t->graph)
        return status_collected(&found);
    status_collect(&found, check_loss(where, path, o));
    status_collect(&found, check_logits(student, where, path, o));
    status_collect(&found, check_pair(student, -1, t, -1, student->nodes[0].net, path, NULL));
    status_collect(&found, check_pair(student, student->output_node, t, t->graph->output_node, output, path, NULL));
    for (int i = 0; i < t->n_hints; ++i)
        status_collect(&found, check_hint(student, t, path, t->hints[i]));
    if (o->order > 0 && o->target == TARGET_TEACHER)
        status_collect(&found, check_derivatives(student, where, path, o));
    return status_collected(&found);
}
