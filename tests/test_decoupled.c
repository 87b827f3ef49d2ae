/* Decoupled training: in lockstep the weights of locked training, to the last bit; else parts that go on while those above stand still, and whose
 * queues and lessons come out even. Also for the thread sanitizer (tests/README.md): the critics' parameters are all that threads share unlocked. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdio.h>

#include "cut_network.h"
#include "engine/decoupled.h"

enum { SAMPLES = 6, SIDE = 6, CHANNELS = 3, CLASSES = 4, INPUTS = CHANNELS * SIDE * SIDE, UPDATES = 8, SUBDIVISIONS = 2 };

#define NET "[net]\nheight=6\nwidth=6\nchannels=3\nbatch=6\n"
#define CONVOLUTION(filters) "[convolutional]\nfilters=" filters "\nsize=3\npad=1\nactivation=leaky\n"
#define LOWER NET CONVOLUTION("8") "[dropout]\nprobability=.2\n"
#define MIDDLE CONVOLUTION("8") "[maxpool]\nsize=2\nstride=2\n"
#define UPPER "[connected]\noutput=12\nactivation=tanh\n[connected]\noutput=4\nactivation=linear\n"
#define BLOCK(keys, layers) "[critic]\nlearning_rate=.01\n" keys layers "[end]\n"
#define PREDICTS "[convolutional]\nbatch_normalize=1\nfilters=5\nsize=3\npad=1\nactivation=tanh\n[dropout]\nprobability=.3\n[connected]\noutput=4\nactivation=linear\n"
#define DIRECT "[convolutional]\nfilters=8\nsize=3\npad=1\nactivation=linear\n"
#define SOFTMAX "[softmax]\n"
#define LOGITS "[sobolev]\norder=0\nloss=cross_entropy\n"

typedef struct equal_case {
    const char *name, *cfg;
    bool adam;
} equal_case;

static const equal_case equal_cases[] = {
    {"direct below sobolev", LOWER BLOCK("mode=direct\n", DIRECT) MIDDLE BLOCK("mode=sobolev\n", PREDICTS) UPPER SOFTMAX, false},
    {"sobolev twice, labels", LOWER BLOCK("label_weight=.5\n", PREDICTS) MIDDLE BLOCK("updates=2\n", PREDICTS) UPPER LOGITS, true},
    {"critic below vfbn", LOWER BLOCK("mode=critic\n", PREDICTS) MIDDLE BLOCK("mode=vfbn\n", PREDICTS) UPPER LOGITS, false},
    {"vfbn below critic", LOWER BLOCK("mode=vfbn\n", PREDICTS) MIDDLE BLOCK("mode=critic\n", PREDICTS) UPPER SOFTMAX, true},
    {"true target above", LOWER BLOCK("", PREDICTS) MIDDLE BLOCK("target=true\n", PREDICTS) UPPER SOFTMAX, false},
    {"noprop below sobolev", LOWER BLOCK("mode=noprop\n", "") MIDDLE BLOCK("", PREDICTS) UPPER SOFTMAX, false},
    {"noprop below noprop", LOWER BLOCK("mode=noprop\n", "") MIDDLE BLOCK("mode=noprop\n", "") UPPER SOFTMAX, false},
    {"backprop inside of a part", LOWER BLOCK("mode=backprop\n", "") MIDDLE BLOCK("", PREDICTS) UPPER LOGITS, true},
    {"squares", LOWER BLOCK("loss=l2\n", PREDICTS) MIDDLE BLOCK("loss_1=l2\n", PREDICTS) UPPER "[cost]\ntype=sse\n", false},
    {"stopbackward", NET CONVOLUTION("8") "stopbackward=1\n" CONVOLUTION("8") BLOCK("", PREDICTS) MIDDLE BLOCK("", PREDICTS) UPPER LOGITS, false},
};

/* ---------------------------------------------------------------- minibatches and rules */

typedef struct samples {
    real x[SAMPLES * INPUTS], labels[SAMPLES * CLASSES];
} samples;

static samples samples_of(uint32_t number)
{
    samples s = {.labels = {0}};
    random_normal((random_stream){SEED, RANDOM_CHECK, number}, 0, SAMPLES * INPUTS, s.x);
    for (uint32_t b = 0; b < SAMPLES; b++)
        s.labels[b * CLASSES + (b + number) % CLASSES] = 1;
    return s;
}

static update_rule rule_of(bool adam, int number)
{
    const float rate = .002f / (float)number; /* Darknet's precision */
    return (update_rule){
        .adam = adam, .rate = (double)rate, .momentum = .9, .decay = .01, .B1 = .9, .B2 = .99, .eps = 1e-6, .batch = SAMPLES * SUBDIVISIONS, .adam_step = number,
    };
}

static void open_drawn(cut_network *n, const backend *be, const char *cfg, bool adam)
{
    open_network(n, be, cfg);
    graph_initialise(&n->graph, be, SEED);
    if (adam)
        assert_int_equal(graph_allocate_moments(&n->graph, be), STATUS_OK);
    be->set_threads(1);
}

/* Minibatches first to last, from 1. */
static void train_locked(cut_network *n, bool adam, int first, int last)
{
    for (int i = first; i <= last; i++) {
        samples s = samples_of((uint32_t)i);
        update_rule rule = rule_of(adam, i / SUBDIVISIONS);
        add_step(n, SAMPLES, s.x, s.labels, (uint64_t)i);
        for (int k = 0; k < n->graph.n_nodes && i % SUBDIVISIONS == 0; k++)
            node_update(&n->graph.nodes[k], n->be, &rule);
    }
}

static decoupled *start(cut_network *n, decoupled_options options)
{
    decoupled *d;
    assert_int_equal(decoupled_create(&d, n->tape, n->objective, n->critics, &options), STATUS_OK);
    return d;
}

static void feed(decoupled *d, bool adam, int number, int subdivisions)
{
    samples s = samples_of((uint32_t)number);
    fed_minibatch m = {.x = s.x, .truth = s.labels, .seed = SEED, .step = (uint64_t)number, .updates = number % subdivisions == 0};
    if (m.updates)
        m.rule = rule_of(adam, number / subdivisions);
    decoupled_feed(d, &m);
}

/* ---------------------------------------------------------------- lockstep */

static void expect_same_arrays(const char *what, const graph *want, const graph *found)
{
    GRAPH_ARRAYS(want, p)
    {
        const parameter *q = &found->nodes[node_].parameters[p - want->nodes[node_].parameters];
        if (memcmp(p->value, q->value, p->count * sizeof(real)) != 0 ||
            (p->gradient && memcmp(p->gradient, q->gradient, p->count * sizeof(real)) != 0))
            fail_msg("%s: layer %d, %s differ", what, node_, p->name);
    }
}

static void expect_same(const char *name, cut_network *locked, cut_network *unlocked)
{
    char what[160];
    snprintf(what, sizeof what, "%s on %s", name, locked->be->name);
    expect_same_arrays(what, &locked->graph, &unlocked->graph);
    for (int i = 0; i < critics_count(locked->critics); i++) {
        critic *a = critics_get(locked->critics, i), *b = critics_get(unlocked->critics, i);
        snprintf(what, sizeof what, "%s on %s, block %d", name, locked->be->name, i);
        if (!critic_graph(a))
            continue;
        expect_same_arrays(what, critic_graph(a), critic_graph(b));
        critic_report want = critic_take_report(a), found = critic_take_report(b);
        assert_int_equal(want.minibatches, found.minibatches);
        if (want.minibatches > 0 && (want.cosine != found.cosine || want.norm_ratio != found.norm_ratio))
            fail_msg("%s: cosine %g and %g, norm ratio %g and %g", what, want.cosine, found.cosine, want.norm_ratio, found.norm_ratio);
    }
}

static void lockstep_is_locked_training(void **state)
{
    for (const backend *const *be = backend_list; *be; be++)
        for (size_t i = 0; i < sizeof equal_cases / sizeof *equal_cases; i++) {
            const equal_case *c = &equal_cases[i];
            cut_network locked, unlocked;
            open_drawn(&locked, *be, c->cfg, c->adam);
            open_drawn(&unlocked, *be, c->cfg, c->adam);
            train_locked(&locked, c->adam, 1, UPDATES * SUBDIVISIONS);
            decoupled *d = start(&unlocked, (decoupled_options){.queue = 1, .lockstep = true, .threads = 1});
            for (int k = 1; k <= UPDATES * SUBDIVISIONS; k++)
                feed(d, c->adam, k, SUBDIVISIONS);
            long minibatches;
            decoupled_take_losses(d, &minibatches);
            assert_int_equal(minibatches, UPDATES * SUBDIVISIONS);
            decoupled_free(d);
            expect_same(c->name, &locked, &unlocked);
            /* Afterwards it can be trained as ever. */
            train_locked(&locked, c->adam, UPDATES * SUBDIVISIONS + 1, (UPDATES + 1) * SUBDIVISIONS);
            train_locked(&unlocked, c->adam, UPDATES * SUBDIVISIONS + 1, (UPDATES + 1) * SUBDIVISIONS);
            expect_same(c->name, &locked, &unlocked);
            close_network(&locked);
            close_network(&unlocked);
        }
}

/* ---------------------------------------------------------------- parts that do not wait */

static const char three_parts[] = LOWER BLOCK("", PREDICTS) MIDDLE BLOCK("mode=critic\n", PREDICTS) UPPER LOGITS;

/* A gate in the forward pass of a layer: closed, it lets nobody pass. */
static pthread_mutex_t gate_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_changed = PTHREAD_COND_INITIALIZER;
static bool gate_closed, gate_reached;
static const layer_type *behind_gate;

static void set_gate(bool closed)
{
    pthread_mutex_lock(&gate_lock);
    gate_closed = closed;
    gate_reached = false;
    pthread_cond_broadcast(&gate_changed);
    pthread_mutex_unlock(&gate_lock);
}

/* Until somebody stands before it. */
static void wait_for_gate(void)
{
    pthread_mutex_lock(&gate_lock);
    while (!gate_reached)
        pthread_cond_wait(&gate_changed, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
}

static void gated_forward(const layer_pass *pass)
{
    pthread_mutex_lock(&gate_lock);
    gate_reached = true;
    pthread_cond_broadcast(&gate_changed);
    while (gate_closed)
        pthread_cond_wait(&gate_changed, &gate_lock);
    pthread_mutex_unlock(&gate_lock);
    behind_gate->forward(pass);
}

/* The last layer gets a gate, so that the last part stands still while it is closed. */
static void put_gate(cut_network *n, layer_type *gated)
{
    graph_node *node = &n->graph.nodes[n->graph.output_node];
    behind_gate = node->type;
    *gated = *node->type;
    gated->forward = gated_forward;
    node->type = gated;
    set_gate(true);
}

/* Until part 0 has had so many updates, or did not get on for a while: their number. */
static long updates_of_first(decoupled *d, long wanted)
{
    part_report r = decoupled_report(d, 0);
    for (int i = 0; i < 2000 && r.updates < wanted; i++) {
        nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
        r = decoupled_report(d, 0);
    }
    return r.updates;
}

/* The thread that feeds, since it waits too when the first queue is full. */
typedef struct feeder {
    decoupled *d;
    int minibatches;
} feeder;

/* The last part stands still at the first one, on a busy machine, too, where others might be dropped before it is reached. */
static void *feed_all(void *context)
{
    const feeder *f = context;
    feed(f->d, false, 1, 1);
    wait_for_gate();
    for (int i = 2; i <= f->minibatches; i++)
        feed(f->d, false, i, 1);
    return NULL;
}

static void lower_parts_go_on_while_the_last_one_stands_still(void **state)
{
    enum { QUEUE = 2, MINIBATCHES = 40 };
    for (const backend *const *be = backend_list; *be; be++)
        for (int drops = 0; drops <= 1; drops++) {
            cut_network n;
            layer_type gated;
            pthread_t thread;
            open_drawn(&n, *be, three_parts, false);
            put_gate(&n, &gated);
            decoupled *d = start(&n, (decoupled_options){.queue = QUEUE, .drops = drops, .threads = 1});
            feeder f = {d, MINIBATCHES};
            assert_int_equal(pthread_create(&thread, NULL, feed_all, &f), 0);
            /* In each of the two parts above as many as wait and one in work; and one that part 0 has done with, but for which there is no room. */
            const long wanted = drops ? MINIBATCHES : 2 * (QUEUE + 1) + 1;
            assert_int_equal(updates_of_first(d, wanted), wanted);
            assert_int_equal(updates_of_first(d, wanted), wanted);
            assert_int_equal(decoupled_report(d, 2).updates, 0);
            set_gate(false);
            pthread_join(thread, NULL);
            decoupled_drain(d);
            assert_int_equal(decoupled_report(d, 0).updates, MINIBATCHES);
            long last = decoupled_report(d, 2).updates;
            assert_int_equal(last + decoupled_report(d, 0).dropped + decoupled_report(d, 1).dropped, MINIBATCHES);
            assert_true(drops ? last >= QUEUE + 1 : last == MINIBATCHES);
            critic_report r = critic_take_report(critics_get(n.critics, 0));
            assert_int_equal(r.minibatches, last); /* who learns from losses learns from what the last part has seen */
            assert_true(r.most_stale >= 2 * (QUEUE + 1));
            decoupled_free(d);
            close_network(&n);
        }
}

/* Whatever the threads do: every part and block sees every minibatch, and the network learns. */
static void free_parts_learn(void **state)
{
    static const char *const modes[] = {"noprop", "direct", "vfbn", "critic", "sobolev"};
    enum { MINIBATCHES = 80 };
    for (const backend *const *be = backend_list; *be; be++)
        for (size_t mode = 0; mode < sizeof modes / sizeof *modes; mode++) {
            char cfg[2048];
            cut_network n;
            const char *layers = mode == 0 ? "" : mode == 1 ? DIRECT : PREDICTS;
            snprintf(cfg, sizeof cfg, LOWER "[critic]\nmode=%s\n%s[end]\n" CONVOLUTION("8") "[critic]\nmode=%s\n%s[end]\n" UPPER LOGITS, modes[mode], layers, modes[mode],
                     layers);
            open_drawn(&n, *be, cfg, true);
            decoupled *d = start(&n, (decoupled_options){.queue = 3, .threads = 3});
            double first = 0, last = 0;
            for (int i = 0; i < MINIBATCHES; i++) {
                long minibatches;
                feed(d, true, i % 2 + 1, 1);
                if (i != MINIBATCHES / 4 && i != MINIBATCHES / 2)
                    continue;
                decoupled_drain(d);
                objective_losses l = decoupled_take_losses(d, &minibatches);
                first = first > 0 ? first : l.total / (double)minibatches;
            }
            decoupled_drain(d);
            long minibatches;
            last = decoupled_take_losses(d, &minibatches).total / (double)minibatches;
            for (int i = 0; i < decoupled_parts(d); i++) {
                part_report r = decoupled_report(d, i);
                assert_int_equal(r.minibatches, MINIBATCHES);
                assert_int_equal(r.updates, mode == 0 && i < 2 ? 0 : MINIBATCHES);
                assert_true(r.busy > 0 && r.busy + r.blocked <= decoupled_seconds(d));
            }
            for (int i = 0; i < 2 && mode > 0; i++)
                assert_int_equal(critic_take_report(critics_get(n.critics, i)).minibatches, MINIBATCHES);
            if (!(last < .7 * first))
                fail_msg("%s on %s: loss %g, then %g", modes[mode], (*be)->name, first, last);
            decoupled_free(d);
            close_network(&n);
        }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lockstep_is_locked_training),
        cmocka_unit_test(lower_parts_go_on_while_the_last_one_stands_still),
        cmocka_unit_test(free_parts_learn),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests_name("decoupled", tests, NULL, NULL) > 0;
}
