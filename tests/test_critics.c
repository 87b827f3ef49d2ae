/* [critic] blocks: the gradients below them and what they learn, against an independent autodiff (golden/make_critics.py); a block that can be
 * exact becomes exact; sizes of batches; bitwise repetition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "golden_file.h"
#include "cut_network.h"

/* ---------------------------------------------------------------- golden values */

typedef struct golden_test {
    const backend *be;
    const golden_case *c;
    char name[160];
} golden_test;

static const array *block_array(const golden_case *c, const char *prefix, int block, const graph_node *node, const parameter *p)
{
    char with_block[32];
    snprintf(with_block, sizeof with_block, "%s%d_", prefix, block);
    return parameter_array(c, with_block, node, p);
}

static void fill_all(cut_network *n, const golden_case *c)
{
    GRAPH_ARRAYS(&n->graph, p) fill(p->value, parameter_array(c, "", &n->graph.nodes[node_], p), p->count);
    for (int i = 0; i < critics_count(n->critics); i++) {
        graph *g = critic_graph(critics_get(n->critics, i));
        if (g)
            GRAPH_ARRAYS(g, p) fill(p->value, block_array(c, "block", i, &g->nodes[node_], p), p->count);
    }
}

static void expect_case(const backend *be, const golden_case *c, const char *cfg)
{
    cut_network n;
    open_network(&n, be, cfg);
    real *x = n.be->allocate(get_array(c, "inputs")->count), *labels = n.be->allocate(get_array(c, "labels")->count);
    fill(x, get_array(c, "inputs"), get_array(c, "inputs")->count);
    fill(labels, get_array(c, "labels"), get_array(c, "labels")->count);
    fill_all(&n, c);
    step(&n, n.batch, x, labels);
    GRAPH_PARAMETERS(&n.graph, p)
    {
        const array *want = parameter_array(c, "gradient_", &n.graph.nodes[node_], p);
        expect_array(want->name, p->gradient, want->values, p->count, tolerance);
    }
    for (int i = 0; i < critics_count(n.critics); i++) {
        graph *g = critic_graph(critics_get(n.critics, i));
        if (!g)
            continue;
        GRAPH_PARAMETERS(g, p)
        {
            const array *want = block_array(c, "updated", i, &g->nodes[node_], p);
            expect_array(want->name, p->value, want->values, p->count, tolerance);
        }
    }
    n.be->release(x);
    n.be->release(labels);
    close_network(&n);
}

/* A network that ends with softmax is the same as one of logits whose loss is cross-entropy. */
static void golden_case_agrees(void **state)
{
    static const char softmax[] = "[softmax]\n";
    const golden_test *test = *state;
    const char *end = strstr(test->c->cfg, softmax);
    char cfg[sizeof test->c->cfg + 64];
    expect_case(test->be, test->c, test->c->cfg);
    if (end) {
        snprintf(cfg, sizeof cfg, "%.*s[sobolev]\norder=0\nloss=cross_entropy\n", (int)(end - test->c->cfg), test->c->cfg);
        expect_case(test->be, test->c, cfg);
    }
    assert_no_failures();
}

/* ---------------------------------------------------------------- other properties */

enum { INPUTS = 3, HIDDEN = 4, OUTPUTS = 2, BATCH = 8 };

/* Both parts are linear, and so can the block be: L(p(h), y) and its gradient are then the true ones. */
static const char linear_cfg[] = "[net]\ninputs=3\nbatch=8\n[connected]\noutput=4\nactivation=linear\n"
                                 "[critic]\nmode=%s\nlearning_rate=.03\nloss=l2\nloss_1=l2\n[connected]\noutput=2\nactivation=linear\n[end]\n"
                                 "[connected]\noutput=2\nactivation=linear\n[sobolev]\norder=0\nweight=1.5\n";

static void draw(uint32_t index, size_t count, real *out)
{
    random_normal((random_stream){SEED, RANDOM_CHECK, index}, 0, count, out);
}

static void a_block_that_can_be_exact_becomes_exact(void **state)
{
    static const char *const modes[] = {"sobolev", "vfbn"};
    for (const backend *const *be = backend_list; *be; be++)
        for (int mode = 0; mode < 2; mode++) {
            char cfg[sizeof linear_cfg + 16];
            real x[BATCH * INPUTS], labels[BATCH * OUTPUTS];
            cut_network n;
            snprintf(cfg, sizeof cfg, linear_cfg, modes[mode]);
            open_network(&n, *be, cfg);
            graph_initialise(&n.graph, *be, SEED);
            for (uint32_t i = 0; i < 3000; i++) {
                draw(2 * i, BATCH * INPUTS, x);
                draw(2 * i + 1, BATCH * OUTPUTS, labels);
                if (i == 2900)
                    critic_take_report(critics_get(n.critics, 0));
                step(&n, BATCH, x, labels);
            }
            critic_report r = critic_take_report(critics_get(n.critics, 0));
            assert_int_equal(r.minibatches, 100);
            assert_true(r.cosine > .999);
            assert_true(fabs(r.norm_ratio - 1) < .02);
            assert_true(r.loss_error < 1e-3);
            close_network(&n);
        }
}

/* mode=direct: below the first step nothing moves; the block learns from it, and then something does. */
static void direct_blocks_begin_with_no_gradient(void **state)
{
    static const char cfg[] = "[net]\ninputs=3\nbatch=8\n[connected]\noutput=4\nactivation=linear\n"
                              "[critic]\nmode=direct\nlabel_input=0\nlearning_rate=.1\n[connected]\noutput=5\nactivation=tanh\n"
                              "[connected]\noutput=4\n%sactivation=linear\n[end]\n[connected]\noutput=2\nactivation=linear\n[sobolev]\norder=0\n";
    static const char *const normalised[] = {"", "batch_normalize=1\n"};
    real x[BATCH * INPUTS], labels[BATCH * OUTPUTS];
    draw(1, BATCH * INPUTS, x);
    draw(2, BATCH * OUTPUTS, labels);
    for (const backend *const *be = backend_list; *be; be++)
        for (int i = 0; i < 2; i++) {
            char text[sizeof cfg + 32];
            cut_network n;
            snprintf(text, sizeof text, cfg, normalised[i]);
            open_network(&n, *be, text);
            graph_initialise(&n.graph, *be, SEED);
            parameter *weights = &n.graph.nodes[0].parameters[0];
            for (int k = 0; k < 2; k++) {
                (*be)->fill(weights->count, 0, weights->gradient);
                step(&n, BATCH, x, labels);
                assert_true(((*be)->dot(weights->count, weights->gradient, weights->gradient) > 0) == (k > 0));
            }
            close_network(&n);
        }
}

/* What a smaller batch leaves behind does not show, and two runs are the same to the last bit. */
static void steps_repeat_whatever_came_before(void **state)
{
    static const char cfg[] = "[net]\ninputs=3\nbatch=8\n[connected]\noutput=4\nactivation=tanh\n[critic]\nlabel_weight=.5\nlearning_rate=0\n"
                              "[connected]\noutput=5\nactivation=tanh\n[dropout]\nprobability=.3\n[connected]\noutput=2\nactivation=linear\n[end]\n"
                              "[connected]\noutput=2\nactivation=linear\n[softmax]\n";
    real x[BATCH * INPUTS], labels[BATCH * OUTPUTS], first[INPUTS * HIDDEN];
    draw(1, BATCH * INPUTS, x);
    for (int b = 0; b < BATCH; b++)
        labels[b * OUTPUTS] = b % 2, labels[b * OUTPUTS + 1] = (b + 1) % 2;
    for (const backend *const *be = backend_list; *be; be++) {
        cut_network n;
        open_network(&n, *be, cfg);
        graph_initialise(&n.graph, *be, SEED);
        const parameter *weights = NULL;
        GRAPH_PARAMETERS(&n.graph, p)
        if (!weights && p->count == INPUTS * HIDDEN)
            weights = p;
        step(&n, BATCH, x, labels);
        memcpy(first, weights->gradient, sizeof first);
        step(&n, 3, x, labels);
        step(&n, BATCH, x, labels);
        assert_memory_equal(first, weights->gradient, sizeof first);
        close_network(&n);
    }
}

/* ---------------------------------------------------------------- all of it */

int main(int argc, char **argv)
{
    read_golden_file("critics");
    size_t n_backends = 0, n = 0;
    while (backend_list[n_backends])
        n_backends++;
    golden_test golden[n_backends * (size_t)n_cases];
    struct CMUnitTest tests[n_backends * (size_t)n_cases + 3];
    for (size_t i = 0; i < n_backends * (size_t)n_cases; i++) {
        golden_test *test = &golden[n];
        *test = (golden_test){.be = backend_list[i / (size_t)n_cases], .c = &cases[i % (size_t)n_cases]};
        snprintf(test->name, sizeof test->name, "%s %s", test->be->name, test->c->name);
        tests[n++] = (struct CMUnitTest){.name = test->name, .test_func = golden_case_agrees, .initial_state = test};
    }
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(a_block_that_can_be_exact_becomes_exact);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(direct_blocks_begin_with_no_gradient);
    tests[n++] = (struct CMUnitTest)cmocka_unit_test(steps_repeat_whatever_came_before);
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return _cmocka_run_group_tests("critics", tests, n, NULL, NULL) > 0;
}
