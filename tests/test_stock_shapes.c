/* Layers that pool, move, join and add images, and [local], against stock Darknet, without the bridge: the same cfg as a network of libdarknet and as
 * a graph of the engine, the same input and the same adjoint of the output. Compared: the output of every layer, the adjoint of the input, and the
 * gradients of the parameters, on every backend. */
#include "stock_fixture.h"

#include "config/reader.h"
#include "engine/tape.h"

typedef struct shape_case {
    const char *name, *net, *layers;
    const char *values_only; /* why adjoints are not compared; NULL: they are */
} shape_case;

#define CASE(name_, net_, ...) {.name = name_, .net = net_, .layers = "activation activation=linear | " __VA_ARGS__}
#define IMAGE_3x7x6 "channels=3 height=7 width=6 batch=2"
#define IMAGE_4x4x4 "channels=4 height=4 width=4 batch=3"

static const shape_case cases[] = {
    CASE("2 x 2", IMAGE_3x7x6, "maxpool size=2 stride=2"),
    CASE("by stride alone", IMAGE_3x7x6, "maxpool stride=3"),
    CASE("overlapping", IMAGE_3x7x6, "maxpool size=3 stride=2"),
    CASE("of the same size", IMAGE_3x7x6, "maxpool size=5 stride=1"),
    CASE("of even size", IMAGE_3x7x6, "maxpool size=4 stride=1"),
    CASE("without padding", IMAGE_3x7x6, "maxpool size=3 stride=1 padding=0"),
    CASE("odd padding", IMAGE_3x7x6, "maxpool size=3 stride=2 padding=1"),
    CASE("much padding", IMAGE_3x7x6, "maxpool size=3 stride=1 padding=4"),
    CASE("windows apart", IMAGE_3x7x6, "maxpool size=2 stride=3 padding=2"),
    CASE("of one pixel", IMAGE_3x7x6, "maxpool size=1 stride=2"),
    CASE("chain", IMAGE_3x7x6, "maxpool size=2 stride=2 | maxpool size=3 stride=1 | maxpool size=2 stride=1"),
    CASE("avgpool", IMAGE_3x7x6, "avgpool"),
    CASE("avgpool of a vector", IMAGE_3x7x6, "connected output=5 activation=tanh | avgpool"),
    CASE("route of one", IMAGE_3x7x6, "maxpool size=2 stride=2 | route layers=0"),
    CASE("route", IMAGE_3x7x6, "maxpool size=3 stride=1 | maxpool size=2 stride=1 | route layers=-1,0,1"),
    CASE("route of one twice", IMAGE_3x7x6, "route layers=-1,-1"),
    CASE("route of sizes", IMAGE_3x7x6, "maxpool size=2 stride=2 | maxpool size=2 stride=1 | route layers=-2,-3,-1"),
    CASE("routes of routes", IMAGE_3x7x6, "route layers=0,0 | maxpool size=3 stride=1 | route layers=-1,1 | maxpool size=2 stride=2"),
    CASE("shortcut", IMAGE_3x7x6, "maxpool size=3 stride=1 | shortcut from=0"),
    CASE("shortcut, factors", IMAGE_3x7x6, "maxpool size=3 stride=1 | shortcut from=-2 alpha=.5 beta=-2"),
    CASE("shortcut from the layer below", IMAGE_3x7x6, "shortcut from=-1 alpha=.5 beta=-2 activation=leaky"),
    CASE("shortcut to half the size", IMAGE_4x4x4, "maxpool size=2 stride=2 | shortcut from=0 beta=3"),
    CASE("shortcut to twice the size", IMAGE_4x4x4, "maxpool size=2 stride=2 | upsample stride=4 | shortcut from=1 beta=3"),
    CASE("shortcut to less than half the size", "channels=2 height=5 width=5 batch=2", "maxpool size=3 stride=2 padding=0 | shortcut from=0 beta=3"),
    CASE("shortcut to slightly less", IMAGE_3x7x6, "maxpool size=2 stride=1 padding=0 | shortcut from=0 activation=tanh"),
    CASE("shortcut to more channels", IMAGE_3x7x6, "route layers=0,0 | shortcut from=0 activation=relu"),
    CASE("shortcut to fewer channels", IMAGE_3x7x6, "route layers=0,0 | maxpool size=3 stride=1 | route layers=0 | shortcut from=2"),
    CASE("shortcuts from one layer", IMAGE_3x7x6, "maxpool size=3 stride=1 | shortcut from=0 | shortcut from=0 beta=-2 | shortcut from=1"),
    {.name = "shortcut to twice the size, alpha", .net = IMAGE_4x4x4, .layers = "activation | upsample stride=2 | shortcut from=0 alpha=3",
     .values_only = "stock takes alpha where nothing is added"},
    CASE("upsample", IMAGE_3x7x6, "upsample"),
    CASE("upsample, factor", IMAGE_3x7x6, "upsample stride=3 scale=.5"),
    CASE("upsample the other way round", IMAGE_4x4x4, "upsample stride=-2 scale=.5"),
    CASE("reorg", IMAGE_4x4x4, "reorg stride=2"),
    CASE("reorg of many channels", "channels=12 height=6 width=4 batch=2", "reorg stride=2"),
    CASE("reorg by 3", "channels=9 height=3 width=6 batch=2", "reorg stride=3"),
    CASE("reorg by 1", IMAGE_3x7x6, "reorg"),
    CASE("reorg, reverse", IMAGE_4x4x4, "reorg stride=2 reverse=1"),
    CASE("reorg of many channels, reverse", "channels=12 height=3 width=5 batch=2", "reorg stride=2 reverse=1"),
    CASE("reorg, flatten", IMAGE_3x7x6, "reorg flatten=1"),
    CASE("reorg, flatten, reverse", IMAGE_3x7x6, "reorg flatten=1 reverse=1"),
    CASE("reorg, flatten by 2", IMAGE_4x4x4, "reorg flatten=1 stride=2"),
    CASE("reorg, flatten by 2, reverse", IMAGE_4x4x4, "reorg flatten=1 stride=2 reverse=1"),
    CASE("reorg, extra", IMAGE_3x7x6, "reorg extra=3"),
    /* Its patches need the room of a larger convolution. */
    CASE("local", IMAGE_3x7x6, "convolutional filters=2 size=7 pad=1 | local filters=3 size=2 activation=linear"),
    CASE("local, padded", IMAGE_3x7x6, "convolutional filters=2 size=7 pad=1 | local filters=3 size=3 pad=1 activation=tanh"),
    CASE("local, strided", IMAGE_3x7x6, "convolutional filters=2 size=7 pad=1 | local filters=2 size=3 stride=2 activation=leaky"),
    CASE("local, padded and strided", IMAGE_3x7x6, "convolutional filters=2 size=7 pad=1 | local filters=2 size=3 stride=2 pad=1"),
    CASE("local of even size, padded", "channels=2 height=7 width=5 batch=2", "convolutional filters=2 size=7 pad=1 | local size=2 stride=2 pad=1"),
};

/* ---------------------------------------------------------------- both networks */

typedef struct both {
    network *stock;
    config *config;
    graph graph;
    tape tape;
    const backend *be;
    float *seed; /* the adjoint of the output */
} both;

static network *stock_new(const shape_case *c)
{
    memory_file cfg = cfg_new(c->net, c->layers);
    int kept = stderr_hide();
    network *result = stock_parse_network_cfg(cfg.path);
    stderr_show(kept);
    close(cfg.fd);
    return result;
}

static config *config_new(const shape_case *c)
{
    memory_file cfg = cfg_new(c->net, c->layers);
    char text[2048];
    ssize_t length = pread(cfg.fd, text, sizeof text, 0);
    config *result = NULL;
    assert_true(length > 0 && length < (ssize_t)sizeof text);
    assert_int_equal(config_parse(c->name, text, (size_t)length, NULL, 0, print_line, NULL, &result), STATUS_OK);
    close(cfg.fd);
    return result;
}

/* Stock's parameters, drawn anew, become the engine's. */
static void share_parameters(both *b, generator *g)
{
    for (int i = 0; i < b->graph.n_nodes; ++i)
        for (int k = 0; k < b->graph.nodes[i].n_parameters; ++k) {
            parameter *p = &b->graph.nodes[i].parameters[k];
            float *values = strcmp(p->name, "biases") == 0 ? b->stock->layers[i].biases : b->stock->layers[i].weights;
            draw_array(g, -1, 1, values, p->count);
            memcpy(p->value, values, p->count * sizeof *values);
        }
}

static void both_init(both *b, const shape_case *c, const backend *be, bool training)
{
    generator g = {{1, 2, 3}};
    *b = (both){.be = be, .stock = stock_new(c), .config = config_new(c)};
    if (graph_build(&b->graph, b->config, be, NULL, NULL) != STATUS_OK)
        fail_msg("'%s': %s", c->name, status_text());
    assert_int_equal(tape_create(&b->tape, &b->graph, be, b->stock->batch, 0, 0, -1), STATUS_OK);
    share_parameters(b, &g);
    size_t inputs = (size_t)(b->stock->inputs * b->stock->batch), outputs = (size_t)(b->stock->layers[b->stock->n - 1].outputs * b->stock->batch);
    for (size_t i = 0; i < inputs; ++i) /* of a few values: often several are the largest */
        b->tape.x.data[i] = b->stock->input[i] = floorf(draw(&g, -4, 4));
    b->seed = calloc(outputs, sizeof *b->seed);
    draw_array(&g, -1, 1, b->seed, outputs);
    b->stock->train = b->tape.training = training;
    b->stock->delta = calloc(inputs, sizeof *b->stock->delta);
    b->tape.input_adjoint = true;
}

static void both_free(both *b)
{
    free(b->stock->delta);
    b->stock->delta = NULL;
    stock_free_network(b->stock);
    tape_free(&b->tape);
    graph_free(&b->graph, b->be);
    config_free(b->config);
    free(b->seed);
}

static void run_forward(both *b)
{
    forward_network(b->stock);
    sweep_values(&b->tape, 0, b->graph.n_nodes - 1);
}

static void run_backward(both *b)
{
    int last = b->stock->n - 1;
    size_t count = (size_t)(b->stock->layers[last].outputs * b->stock->batch);
    memcpy(b->stock->layers[last].delta, b->seed, count * sizeof *b->seed);
    backward_network(b->stock);
    tape_clear_adjoints(&b->tape);
    memcpy(tape_adjoint(&b->tape, last)->data, b->seed, count * sizeof *b->seed);
    tape_seed_adjoint(&b->tape, last, HALF_LOW);
    sweep_adjoints(&b->tape, last, 0, true);
}

/* ---------------------------------------------------------------- comparison */

static void expect_near(const shape_case *c, const both *b, const char *what, int layer, const float *stock, const real *ours, size_t count)
{
    double largest = 1e-3;
    for (size_t i = 0; i < count; ++i)
        largest = larger(largest, fabs((double)stock[i]));
    for (size_t i = 0; i < count; ++i)
        if (!(fabs((double)stock[i] - (double)ours[i]) <= 1e-5 * largest))
            fail_msg("'%s' on %s: %s of layer %d: %zu is %g, stock's %g", c->name, b->be->name, what, layer, i, (double)ours[i], (double)stock[i]);
}

/* A node's values in the plain layout. */
static real *plain_values(both *b, int node)
{
    const jet *y = tape_jet(&b->tape, node);
    real *plain = b->be->allocate((size_t)y->batch * shape_count(b->graph.nodes[node].out));
    b->be->reorder((size_t)y->batch, node_out_layout(&b->graph.nodes[node]), y->data, 1, plain, false);
    return plain;
}

static void expect_same_values(const shape_case *c, both *b)
{
    for (int i = 0; i < b->stock->n; ++i) {
        const layer *l = &b->stock->layers[i];
        const tensor_shape out = b->graph.nodes[i].out;
        bool image = l->out_c > 0 && l->out_h > 0 && l->out_w > 0;
        assert_int_equal(l->outputs, shape_count(out));
        if (image && (l->out_c != out.channels || l->out_h != out.height || l->out_w != out.width))
            fail_msg("'%s': layer %d has another shape than stock's", c->name, i);
        real *plain = plain_values(b, i);
        expect_near(c, b, "output", i, l->output, plain, (size_t)(l->outputs * l->batch));
        b->be->release(plain);
    }
}

static void expect_same_gradients(const shape_case *c, both *b)
{
    expect_near(c, b, "input adjoint", -1, b->stock->delta, b->tape.adj_x.data, (size_t)(b->stock->inputs * b->stock->batch));
    for (int i = 0; i < b->graph.n_nodes; ++i)
        for (int k = 0; k < b->graph.nodes[i].n_parameters; ++k) {
            const parameter *p = &b->graph.nodes[i].parameters[k];
            const layer *l = &b->stock->layers[i];
            expect_near(c, b, p->name, i, strcmp(p->name, "biases") == 0 ? l->bias_updates : l->weight_updates, p->gradient, p->count);
        }
}

static void test_layers(void **state)
{
    for (size_t i = 0; i < COUNT_OF(cases); ++i)
        for (const backend *const *be = backend_list; *be; ++be) {
            both b;
            both_init(&b, &cases[i], *be, true);
            run_forward(&b);
            expect_same_values(&cases[i], &b);
            if (!cases[i].values_only) {
                run_backward(&b);
                expect_same_gradients(&cases[i], &b);
            }
            both_free(&b);
        }
}

static void test_shortcut_activations(void **state)
{
    for (int a = 0; a < ACTIVATION_COUNT; ++a) {
        char layers[160];
        const shape_case c = {.name = activation_table[a].name, .net = IMAGE_3x7x6, .layers = layers};
        snprintf(layers, sizeof layers, "activation | maxpool size=3 stride=1 | shortcut from=-2 alpha=.07 beta=.11 activation=%s", c.name);
        for (const backend *const *be = backend_list; *be && activation_table[a].stock; ++be) {
            both b;
            both_init(&b, &c, *be, true);
            run_forward(&b);
            expect_same_values(&c, &b);
            run_backward(&b);
            expect_same_gradients(&c, &b);
            both_free(&b);
        }
    }
}

/* ---------------------------------------------------------------- crop */

static const shape_case crops[] = {
    CASE("crop", IMAGE_3x7x6, "crop crop_height=4 crop_width=3 flip=1"),
    CASE("crop of everything", IMAGE_3x7x6, "crop crop_height=7 crop_width=6"),
    CASE("crop without adjustment", IMAGE_3x7x6, "crop crop_height=2 crop_width=6 noadjust=1 angle=10 shift=.1 exposure=1.5 saturation=1.5"),
};

static void test_crop_predicts_from_the_centre(void **state)
{
    for (size_t i = 0; i < COUNT_OF(crops); ++i)
        for (const backend *const *be = backend_list; *be; ++be) {
            both b;
            both_init(&b, &crops[i], *be, false);
            run_forward(&b);
            expect_same_values(&crops[i], &b);
            both_free(&b);
        }
}

enum { CUT_HEIGHT = 5, CUT_WIDTH = 4, CUTS = 3 * 3 * 2, DRAWS = 400 };

/* Which part of the 7 x 6 images the output shows, the same for all of the batch; -1: none. */
static int shown_part(const real *x, const float *y)
{
    for (int part = 0; part < CUTS; ++part) {
        bool same = true;
        for (int k = 0; k < 2 * 3 * CUT_HEIGHT * CUT_WIDTH && same; ++k) {
            int j = k % CUT_WIDTH, row = k / CUT_WIDTH % CUT_HEIGHT + part / 2 / 3, channel = k / CUT_WIDTH / CUT_HEIGHT, left = part / 2 % 3;
            int column = part % 2 ? 6 - left - j - 1 : left + j;
            same = y[k] == 2 * (float)x[(channel * 7 + row) * 6 + column] - 1;
        }
        if (same)
            return part;
    }
    return -1;
}

/* While training both draw from the same parts, each about as often; ours as a function of seed and step. */
static void test_crop_trains_on_random_parts(void **state)
{
    const shape_case c = CASE("crop", IMAGE_3x7x6, "crop crop_height=5 crop_width=4 flip=1");
    both b;
    both_init(&b, &c, backend_list[0], true);
    int counts[2][CUTS] = {{0}}, parts[DRAWS];
    generator g = {{4, 5, 6}};
    for (int i = 0; i < b.stock->inputs * b.stock->batch; ++i)
        b.tape.x.data[i] = b.stock->input[i] = draw(&g, -1, 1);
    for (int i = 0; i < DRAWS; ++i) {
        b.tape.step = (uint64_t)i;
        run_forward(&b);
        int stock = shown_part(b.tape.x.data, b.stock->layers[1].output), ours = shown_part(b.tape.x.data, tape_jet(&b.tape, 1)->data);
        assert_true(stock >= 0 && ours >= 0);
        ++counts[0][stock];
        ++counts[1][ours];
        parts[i] = ours;
    }
    for (int k = 0; k < 2; ++k)
        for (int i = 0; i < CUTS; ++i) /* the binomial deviation is 4.6 */
            assert_true(abs(counts[k][i] - DRAWS / CUTS) < 24);
    for (int i = DRAWS - 1; i >= 0; --i) {
        b.tape.step = (uint64_t)i;
        sweep_values(&b.tape, 0, 1);
        assert_int_equal(shown_part(b.tape.x.data, tape_jet(&b.tape, 1)->data), parts[i]);
    }
    both_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_shortcut_activations),
        cmocka_unit_test(test_crop_predicts_from_the_centre),
        cmocka_unit_test(test_crop_trains_on_random_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
