/* A network and its Sobolev objective from cfg text, without Darknet. Include after cmocka.h. */
#ifndef DNX_TESTS_OBJECTIVE_FIXTURE_H
#define DNX_TESTS_OBJECTIVE_FIXTURE_H

#include <string.h>

#include "config/reader.h"
#include "engine/objective.h"
#include "engine/teacher.h"
#include "layers/sobolev.h"

typedef struct trial {
    const backend *be;
    config *config;
    graph graph;
    objective *objective;
    tape *tape;
    int order, batch;
    size_t inputs, outputs; /* of the network */
    const jet *segment;     /* what is differentiated by; component 1: v2 */
    const jet *adj_segment; /* after trial_forward: last component: g; component 2: q */
    const jet *adj_top;     /* of what is differentiated; last component: v1 */
    int n_1, n_2;           /* directions v1, and v2 of each */
    real *x, *labels;
} trial;

static void print_line(void *context, const char *line)
{
    print_error("%s\n", line);
}

/* The objective points into *t, and to the teacher (NULL: none): they must stay where they are. */
static inline void trial_open_with(trial *t, const backend *be, const char *cfg, graph *master, teacher_options *taught)
{
    *t = (trial){.be = be};
    assert_int_equal(config_parse("golden", cfg, strlen(cfg), NULL, 0, print_line, NULL, &t->config), STATUS_OK);
    assert_int_equal(graph_build(&t->graph, t->config, be, NULL, NULL), STATUS_OK);
    const section *where = config_section(t->config, "sobolev");
    objective_options options = sobolev_read_options(where);
    if (taught) {
        assert_int_equal(teacher_read_options(config_section(t->config, "teacher"), "golden", taught), STATUS_OK);
        taught->graph = master;
        taught->path = "master";
        teacher_join(&options, taught);
    }
    t->batch = (int)option_integer(&t->config->sections[0], "batch");
    if (objective_create(&t->objective, &t->graph, be, where, "golden", &options, t->batch) != STATUS_OK)
        fail_msg("%s", status_text());
    t->tape = objective_tape(t->objective);
    t->order = options.order;
    t->segment = tape_jet(t->tape, options.wrt);
    t->adj_segment = tape_adjoint(t->tape, options.wrt);
    t->adj_top = tape_adjoint(t->tape, graph_top(&t->graph));
    t->inputs = shape_count(t->graph.input);
    t->outputs = shape_count(t->graph.nodes[t->graph.output_node].out);
    t->n_1 = options.projections > 0 ? options.projections : (int)t->adj_top->count;
    t->n_2 = options.order < 2 ? 1 : options.projections_2 > 0 ? options.projections_2 : (int)t->segment->count;
    t->x = be->allocate((size_t)t->batch * t->inputs);
    t->labels = be->allocate((size_t)t->batch * objective_truth_count(t->objective));
    assert_true(t->x && t->labels);
}

static inline void trial_open(trial *t, const backend *be, const char *cfg)
{
    trial_open_with(t, be, cfg, NULL, NULL);
}

static inline void trial_close(trial *t)
{
    t->be->release(t->x);
    t->be->release(t->labels);
    objective_free(t->objective);
    graph_free(&t->graph, t->be);
    config_free(t->config);
}

/* One step on the first `batch` samples up to the losses. */
static inline objective_losses trial_forward(trial *t, int batch, uint64_t seed, uint64_t step)
{
    if (t->tape->batch != batch)
        tape_set_batch(t->tape, batch);
    t->be->copy((size_t)batch * t->inputs, t->x, t->tape->x.data);
    objective_begin(t->objective, t->labels, true, seed, step);
    sweep_values(t->tape, 0, t->graph.n_nodes - 1);
    return objective_forward(t->objective);
}

static inline void trial_backward(trial *t)
{
    graph_clear_gradients(&t->graph, t->be);
    objective_backward(t->objective);
    sweep_adjoints(t->tape, t->graph.n_nodes - 1, 0, true);
}

#endif
