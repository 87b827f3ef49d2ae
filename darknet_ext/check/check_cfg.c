#include "check/check_cfg.h"

#include <string.h>

#include "check/critic_check.h"
#include "check/gradient_check.h"
#include "check/stand_in.h"
#include "data/data_source.h"
#include "data/graph_weights.h"
#include "data/teacher_network.h"
#include "engine/foreign_shape.h"
#include "engine/objective_check.h"
#include "layers/sobolev.h"

typedef struct checked_cfg {
    const check_request *request;
    config *config;
    const backend *be;
    graph graph;
    teacher_network teacher;
    critics *critics; /* NULL: no [critic] */
    data_source data; /* the domain, when there is a [data] section */
} checked_cfg;

static void print_message(void *context, const char *line)
{
    const check_request *request = ((checked_cfg *)context)->request;
    if (request->errors)
        fprintf(request->errors, "%s\n", line);
}

static void print_row(void *context, const check_row *row)
{
    const checked_cfg *c = context;
    fprintf(c->request->out, "%-6s  %-6s %-8s %-42s %-40s %9.2e  (at most %.0e)\n", row->passed ? "ok" : "FAILED",
            sizeof(real) == sizeof(double) ? "double" : "float", c->be->name, row->name, row->where, row->error, row->tolerance);
    fflush(c->request->out); /* the next may take minutes */
}

static void print_note(checked_cfg *c, const section *where, const char *text)
{
    char line[1024];
    snprintf(line, sizeof line, "%s:%d:%d: note: %s", c->config->path, where->line, where->column, text);
    print_message(c, line);
}

/* What a check still takes of the full Jacobian and Hessian: directions, and floating-point operations of a pass along all of them. */
enum { MOST_DIRECTIONS = 256 };
static const double most_work = 1e8;

/* Of more the loss is one of derivatives along one random direction: all would be too much, and so would labels for them. */
static void choose_directions(checked_cfg *c, objective_options *o)
{
    const graph *g = &c->graph;
    const double outputs = (double)shape_count(g->nodes[g->output_node].out), inputs = o->order > 1 ? (double)shape_count(g->input) : 1;
    if (o->order == 0 || (outputs * inputs <= MOST_DIRECTIONS && c->request->batch * graph_row_cost(g) * outputs * inputs <= most_work))
        return;
    o->projections = o->projections_2 = 1;
    o->target = TARGET_ZERO;
    print_note(c, &c->config->sections[0], "a network of many derivatives: the loss of this check compares those along one random direction with 0; smaller images "
                                           "(-set net.height=, -set net.width=) and fewer samples (-batch) take less time");
}

/* Without a [sobolev] section everything the layers can do is checked. */
static objective_options default_options(checked_cfg *c)
{
    objective_options o = {
        .order = gradient_check_order(&c->graph),
        .loss = {{.kind = LOSS_L2}, {.kind = LOSS_L2}, {.kind = LOSS_L2}},
        .weight = {1, 1, 1},
        .end_weight = {1, 1, 1},
        .resample = true,
        .wrt = -1,
        .allow_zero_curvature = true,
    };
    choose_directions(c, &o);
    return o;
}

/* Samples that are read in pieces have none that is known before. */
static status read_domain(checked_cfg *c)
{
    const section *s = config_section(c->config, "data");
    if (!s || stream_source_is_asked_for(s, 0))
        return STATUS_OK;
    const graph *g = &c->graph;
    data_needs needs = {.inputs = (int)shape_count(g->input), .outputs = (int)shape_count(g->nodes[g->output_node].out), .processes = 1};
    needs.teacher = config_section(c->config, "teacher") != NULL;
    return data_source_open(&c->data, s, c->config->path, &needs);
}

static status shape_of_foreign(void *context, int index, tensor_shape *out)
{
    const checked_cfg *c = context;
    return foreign_shape_of(&c->graph, c->config->path, index, out);
}

/* [sobolev] must not differentiate through layers that only Darknet runs. */
static status check_segment(const graph *g, const char *path)
{
    status_list found = {.first = STATUS_OK};
    const section *where = graph_objective(g);
    if (!where)
        return STATUS_OK;
    char asker[64];
    snprintf(asker, sizeof asker, "line %d", where->line);
    const objective_options options = sobolev_read_options(where);
    objective_check_segment(g, asker, path, &options, &found);
    return status_collected(&found);
}

static bool has_weights(const section *where)
{
    static const char *const without[] = {"region", "yolo", "detection", "iseg", "softmax"};
    for (size_t i = 0; i < sizeof without / sizeof *without; ++i)
        if (strcmp(without[i], where->spec->name) == 0)
            return false;
    return true;
}

static status replace_foreign(checked_cfg *c)
{
    for (int i = 0; i < c->graph.n_nodes; ++i) {
        graph_node *node = &c->graph.nodes[i];
        if (node->type)
            continue;
        char what[192], text[512];
        layer_describe_foreign(node->where, what, sizeof what);
        if (c->request->weights && has_weights(node->where)) {
            snprintf(text, sizeof text, "%s runs in Darknet alone, and its weights stand among the others: check this network with random ones", what);
            return section_fail(node->where, c->config->path, text);
        }
        snprintf(text, sizeof text, "%s runs in Darknet alone: a linear layer of its sizes stands in its place, and what it does itself is not checked", what);
        print_note(c, node->where, text);
        node->type = &stand_in_layer_type;
    }
    return STATUS_OK;
}

static status build(checked_cfg *c)
{
    const check_request *q = c->request;
    status s = config_read(q->cfg, q->overrides, q->n_overrides, print_message, c, &c->config);
    if (s == STATUS_OK && !(c->be = backend_open(q->backend)))
        s = STATUS_BAD_CONFIG;
    if (s == STATUS_OK)
        s = graph_build(&c->graph, c->config, c->be, shape_of_foreign, c);
    if (s == STATUS_OK)
        s = check_segment(&c->graph, c->config->path);
    if (s == STATUS_OK)
        s = replace_foreign(c);
    if (s == STATUS_OK)
        s = teacher_network_open(&c->teacher, c->config, c->be, print_message, c);
    if (s == STATUS_OK)
        s = critics_create(&c->critics, &c->graph, c->config, c->be, q->batch, q->seed);
    if (s == STATUS_OK)
        s = read_domain(c);
    if (s != STATUS_OK)
        return s;
    graph_initialise(&c->graph, c->be, q->seed);
    return q->weights ? graph_weights_read(&c->graph, q->weights) : STATUS_OK;
}

static status run(checked_cfg *c)
{
    const section *where = config_section(c->config, "sobolev");
    objective_options options = where ? sobolev_read_options(where) : default_options(c);
    if (where)
        teacher_network_join(&options, &c->teacher);
    check_settings settings = {
        .batch = c->request->batch,
        .seed = c->request->seed,
        .differences = sizeof(real) == sizeof(double),
        .low = c->data.low,
        .high = c->data.high,
    };
    status s = gradient_check_run(&c->graph, c->be, &options, where ? where : &c->config->sections[0], c->config->path, &settings, print_row, c);
    status of_blocks = critic_check_run(c->critics, c->be, &settings, print_row, c);
    return s == STATUS_OK ? of_blocks : s;
}

int check_cfg(const check_request *request, char *message, size_t size)
{
    checked_cfg c = {.request = request};
    status s = build(&c);
    if (s == STATUS_OK)
        s = run(&c);
    snprintf(message, size, "%s%s", s == STATUS_OK ? "" : status_text(),
             s == STATUS_NO_MEMORY ? ": smaller images (-set net.height=, -set net.width=) and fewer samples (-batch) need less" : "");
    critics_free(c.critics);
    if (c.be)
        graph_free(&c.graph, c.be);
    teacher_network_close(&c.teacher);
    data_source_free(&c.data);
    config_free(c.config);
    return s;
}

#ifdef DNX_DOUBLE
int dnx_check_double(const check_request *request, char *message, size_t size)
{
    return check_cfg(request, message, size);
}
#endif
