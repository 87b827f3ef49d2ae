/* A network with [critic] blocks from cfg text, without Darknet, and its step of locked training. Include after cmocka.h. */
#ifndef DNX_TESTS_CUT_NETWORK_H
#define DNX_TESTS_CUT_NETWORK_H

#include "engine/critics.h"
#include "objective_fixture.h"

enum { SEED = 5 };

/* A network with blocks, with [sobolev] or with a loss of its own. */
typedef struct cut_network {
    const backend *be;
    config *config;
    graph graph;
    objective *objective; /* NULL: the network's own loss */
    tape own_tape, *tape;
    critics *critics;
    int batch;
} cut_network;

static inline void open_network(cut_network *n, const backend *be, const char *cfg)
{
    *n = (cut_network){.be = be};
    assert_int_equal(config_parse("cfg", cfg, strlen(cfg), NULL, 0, print_line, NULL, &n->config), STATUS_OK);
    assert_int_equal(graph_build(&n->graph, n->config, be, NULL, NULL), STATUS_OK);
    n->batch = (int)option_integer(&n->config->sections[0], "batch");
    const section *where = config_section(n->config, "sobolev");
    if (where) {
        objective_options options = sobolev_read_options(where);
        assert_int_equal(objective_create(&n->objective, &n->graph, be, where, "cfg", &options, n->batch), STATUS_OK);
        n->tape = objective_tape(n->objective);
    } else {
        assert_int_equal(tape_create(&n->own_tape, &n->graph, be, n->batch, 0, 0, -1), STATUS_OK);
        n->tape = &n->own_tape;
    }
    if (critics_create(&n->critics, &n->graph, n->config, be, n->batch, SEED) != STATUS_OK)
        fail_msg("%s", status_text());
    n->tape->critics = n->critics;
}

static inline void close_network(cut_network *n)
{
    critics_free(n->critics);
    objective_free(n->objective);
    tape_free(&n->own_tape);
    graph_free(&n->graph, n->be);
    config_free(n->config);
}

/* A training step but for the update of the network: adds to its gradients, and updates the blocks. `number`: of the minibatch. */
static inline void add_step(cut_network *n, int batch, const real *x, const real *labels, uint64_t number)
{
    tape *t = n->tape;
    if (t->batch != batch)
        tape_set_batch(t, batch);
    n->be->copy((size_t)batch * t->x.count, x, t->x.data);
    critics_begin(n->critics, 0, true);
    if (n->objective) {
        objective_begin(n->objective, labels, true, SEED, number);
    } else {
        t->training = true;
        t->seed = SEED;
        t->step = number;
        t->truth = labels;
        tape_clear_adjoints(t);
    }
    sweep_values(t, 0, n->graph.n_nodes - 1);
    if (n->objective) {
        objective_forward(n->objective);
        objective_backward(n->objective);
    }
    for (int i = n->graph.n_nodes - 1; i >= 0; i--) {
        if (i == n->graph.output_node)
            critics_note_true_gradients(n->critics, t);
        sweep_adjoints(t, i, i, true);
    }
}

static inline void step(cut_network *n, int batch, const real *x, const real *labels)
{
    graph_clear_gradients(&n->graph, n->be);
    add_step(n, batch, x, labels, 1);
}

#endif
