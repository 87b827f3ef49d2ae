#include "check/check_cfg.h"

#include "check/critic_check.h"
#include "check/gradient_check.h"
#include "config/reader.h"
#include "data/data_source.h"
#include "data/graph_weights.h"
#include "data/teacher_network.h"
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
}

/* Without a [sobolev] section everything the layers can do is checked. */
static objective_options default_options(const graph *g)
{
    return (objective_options){
        .order = gradient_check_order(g),
        .loss = {{.kind = LOSS_L2}, {.kind = LOSS_L2}, {.kind = LOSS_L2}},
        .weight = {1, 1, 1},
        .end_weight = {1, 1, 1},
        .resample = true,
        .wrt = -1,
        .allow_zero_curvature = true,
    };
}

static status read_domain(checked_cfg *c)
{
    const section *s = config_section(c->config, "data");
    if (!s)
        return STATUS_OK;
    const graph *g = &c->graph;
    data_needs needs = {.inputs = (int)shape_count(g->input), .outputs = (int)shape_count(g->nodes[g->output_node].out), .processes = 1};
    needs.teacher = config_section(c->config, "teacher") != NULL;
    return data_source_open(&c->data, s, c->config->path, &needs);
}

static status build(checked_cfg *c)
{
    const check_request *q = c->request;
    override overrides[64];
    int n = q->n_overrides < 64 ? q->n_overrides : 64;
    for (int i = 0; i < n; ++i)
        overrides[i].text = q->overrides[i];
    status s = config_read(q->cfg, overrides, n, print_message, c, &c->config);
    if (s == STATUS_OK && !(c->be = backend_open(q->backend)))
        s = STATUS_BAD_CONFIG;
    if (s == STATUS_OK)
        s = graph_build(&c->graph, c->config, c->be, NULL, NULL);
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
    objective_options options = where ? sobolev_read_options(where) : default_options(&c->graph);
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
    snprintf(message, size, "%s", s == STATUS_OK ? "" : status_text());
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
