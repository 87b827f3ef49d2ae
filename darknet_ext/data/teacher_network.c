#include "data/teacher_network.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/graph_weights.h"
#include "engine/objective_check.h"

enum { DEFAULT_SEED = 2 }; /* not the student's: the same layers would have the same weights */

/* The [teacher] section that names a network; NULL: there is none, or it names a function. */
static const section *teacher_section(const config *student)
{
    const section *s = config_section(student, "teacher");
    return s && option_given(s, "cfg") ? s : NULL;
}

status teacher_network_describe(teacher_network *t, const config *student)
{
    const section *where = teacher_section(student);
    *t = (teacher_network){0};
    return where ? teacher_read_options(where, student->path, &t->options) : STATUS_OK;
}

bool teacher_network_is_readable(const teacher_network *t)
{
    const section *where = t->options.where;
    return where && access(option_text(where, "cfg"), R_OK) == 0 && (!option_given(where, "weights") || access(option_text(where, "weights"), R_OK) == 0);
}

/* The failure of a file, at the key that names it. */
static status at_key(const teacher_network *t, const config *student, const char *key, status s)
{
    if (s == STATUS_OK || s == STATUS_NO_MEMORY)
        return s;
    static const char mark[] = ": error: "; /* the sentence gets one of its own */
    char text[1024], *said = strdupa(status_text()), *at = strstr(said, mark);
    if (at)
        memmove(at + 2, at + strlen(mark), strlen(at + strlen(mark)) + 1);
    snprintf(text, sizeof text, "the teacher's %s: %s", key, said);
    option_fail(t->options.where, student->path, key, text);
    return s;
}

static status build(teacher_network *t, const config *student, message_sink sink, void *context)
{
    const section *where = t->options.where;
    status s = at_key(t, student, "cfg", config_read(option_text(where, "cfg"), NULL, 0, sink, context, &t->config));
    if (s != STATUS_OK)
        return s;
    s = graph_build(&t->graph, t->config, t->be, NULL, NULL);
    if (s != STATUS_OK)
        return s;
    if (option_given(where, "weights"))
        return at_key(t, student, "weights", graph_weights_read(&t->graph, option_text(where, "weights")));
    const section *net = &t->config->sections[0];
    graph_initialise(&t->graph, t->be, (uint64_t)option_integer_or(net, "seed", DEFAULT_SEED));
    return STATUS_OK;
}

status teacher_network_open(teacher_network *t, const config *student, const backend *be, message_sink sink, void *context)
{
    status s = teacher_network_describe(t, student);
    t->be = be;
    if (s != STATUS_OK || !t->options.where)
        return s;
    s = build(t, student, sink, context);
    if (s != STATUS_OK)
        return s;
    t->options.graph = &t->graph;
    t->options.path = t->config->path;
    return STATUS_OK;
}

void teacher_network_close(teacher_network *t)
{
    if (t->graph.nodes)
        graph_free(&t->graph, t->be);
    config_free(t->config);
    *t = (teacher_network){0};
}

/* A classifier of Darknet's ends with [softmax]: what it reads are the logits. */
static void take_logits(teacher_network *t)
{
    graph *g = &t->graph;
    const graph_node *last = &g->nodes[g->output_node];
    if (!objective_is_softmax(g) || option_integer(last->where, "groups") != 1 || option_real(last->where, "temperature") != 1 || last->inputs[0] < 0)
        return;
    g->output_node = last->inputs[0];
    graph_make_plain(g, t->be, g->output_node);
}

void teacher_network_join(objective_options *o, teacher_network *t)
{
    if (!t->options.where)
        return;
    teacher_join(o, &t->options);
    if (t->options.graph && objective_takes_logits(o))
        take_logits(t);
}
