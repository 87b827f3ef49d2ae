/* Stock Darknet is the judge: the same cfg, first weights and data through libdarknet alone and through the plugin. */
#include "stock_fixture.h"

#include "data/graph_weights.h"
#include "stock_cases.h"

/* Of the largest change that an array has made since the start: rounding of the gradients is relative to them, and a wrong
 * gradient shows in the change, whatever the size of the weights. 100 updates in float, summed in different orders. */
#define TOLERANCE 1e-5

enum { UPDATES = 100, BATCHES = 10 /* in the data set */ };

static int failures;

static void assert_no_failures(void)
{
    int count = failures;
    failures = 0;
    assert_int_equal(count, 0);
}

static double largest(const float *a, const float *b, size_t count)
{
    double result = 0;
    for (size_t i = 0; i < count; ++i)
        result = larger(result, fabs((double)a[i] - (b ? (double)b[i] : 0)));
    return result;
}

/* ---------------------------------------------------------------- twins */

typedef struct twins {
    const stock_case *c;
    const char *backend;
    network *stock;
    plugin_network *plugin;
    array_list stock_arrays, our_arrays;
    float *first; /* weights of the start */
    data examples;
} twins;

/* What stock's [batchnorm] needs on the CPU, and forgets to allocate. */
static void allocate_scratch(layer *l)
{
    const size_t count = (size_t)l->batch * (size_t)l->outputs;
    l->x = calloc(count, sizeof *l->x);
    l->x_norm = calloc(count, sizeof *l->x_norm);
    l->mean_delta = calloc((size_t)l->c, sizeof *l->mean_delta);
    l->variance_delta = calloc((size_t)l->c, sizeof *l->variance_delta);
}

static void free_scratch(layer *l)
{
    float **const arrays[] = {&l->x, &l->x_norm, &l->mean_delta, &l->variance_delta};
    for (size_t i = 0; i < COUNT_OF(arrays); ++i) {
        free(*arrays[i]);
        *arrays[i] = NULL;
    }
}

static void each_batchnorm(network *net, void (*what)(layer *l))
{
    for (int i = 0; i < net->n; ++i)
        if (net->layers[i].type == BATCHNORM)
            what(&net->layers[i]);
}

static network *stock_new(const char *net, const char *layers)
{
    memory_file cfg = cfg_new(net, layers);
    int kept = stderr_hide();
    network *result = stock_parse_network_cfg(cfg.path);
    stderr_show(kept);
    close(cfg.fd);
    each_batchnorm(result, allocate_scratch);
    return result;
}

static float random_label(generator *g, label_kind kind)
{
    if (kind == LABELS_MASKED && draw(g, 0, 3) < 1)
        return -1234;
    if (kind == LABELS_FAR)
        return draw(g, 40, 50) * (draw(g, -1, 1) < 0 ? -1 : 1);
    return draw(g, -1, 1);
}

static data draw_examples(generator *g, const network *net, int rows, label_kind kind)
{
    data d = {.X = make_matrix(rows, net->inputs), .y = make_matrix(rows, net->truths)};
    for (int i = 0; i < rows; ++i) {
        draw_array(g, -1, 1, d.X.vals[i], (size_t)net->inputs);
        for (int k = 0; kind != LABELS_ONE_HOT && k < net->truths; ++k)
            d.y.vals[i][k] = random_label(g, kind);
        if (kind == LABELS_ONE_HOT)
            d.y.vals[i][(int)draw(g, 0, net->truths - .01)] = 1;
    }
    return d;
}

static void assert_same_bits(const array_list *a, const float *expected)
{
    float *all = arrays_copy(a);
    assert_memory_equal(all, expected, arrays_total(a) * sizeof *all);
    free(all);
}

/* Both draw their first weights from rand(). What Darknet starts at zero is drawn here. */
static void draw_the_rest(generator *g, const array_list *a)
{
    for (int i = 0; i < a->n; ++i) {
        const array *it = &a->items[i];
        if (strcmp(it->name, "biases") == 0)
            draw_array(g, -.3, .3, it->values, it->count);
        if (strcmp(it->name, "rolling_mean") == 0)
            draw_array(g, -.3, .3, it->values, it->count);
        if (strcmp(it->name, "rolling_variance") == 0 || strcmp(it->name, "scales") == 0)
            draw_array(g, .5, 2, it->values, it->count);
    }
}

static twins twins_new(const stock_case *c, const char *be)
{
    generator g = {{20, 17, 9}};
    twins t = {.c = c, .backend = be};
    srand(3);
    t.stock = stock_new(c->net, c->layers);
    srand(3);
    const plugin_settings settings = {.backend = be, .threads = 2};
    t.plugin = plugin_new(c->net, c->plugin_layers ? c->plugin_layers : c->layers, settings);
    t.stock_arrays = arrays_of(t.stock);
    t.our_arrays = arrays_of(t.plugin->host);
    t.first = arrays_copy(&t.stock_arrays);
    assert_int_equal(arrays_total(&t.stock_arrays), arrays_total(&t.our_arrays));
    assert_same_bits(&t.our_arrays, t.first);
    free(t.first);
    draw_the_rest(&g, &t.stock_arrays);
    t.first = arrays_copy(&t.stock_arrays);
    arrays_set(&t.our_arrays, t.first);
    t.examples = draw_examples(&g, t.stock, BATCHES * t.stock->batch * t.stock->subdivisions, c->labels);
    return t;
}

static void twins_free(twins *t)
{
    free_data(t->examples);
    free(t->first);
    each_batchnorm(t->stock, free_scratch);
    plugin_free(t->plugin);
    stock_free_network(t->stock);
}

static void expect_near(const twins *t, const char *what, int index, double difference, double scale)
{
    double allowed = (t->c->tolerance > 0 ? t->c->tolerance : TOLERANCE) * scale;
    if (difference <= allowed)
        return;
    ++failures;
    print_error("'%s' on %s: layer %d: %s differ by %.2g, at most %.2g expected\n", t->c->name, t->backend, index, what,
                difference, allowed);
}

static void expect_same_weights(const twins *t)
{
    const float *first = t->first;
    for (int i = 0; i < t->stock_arrays.n; ++i) {
        const array *stock = &t->stock_arrays.items[i], *ours = &t->our_arrays.items[i];
        double change = largest(stock->values, first, stock->count);
        expect_near(t, stock->name, stock->layer, largest(ours->values, stock->values, stock->count), change);
        first += stock->count;
    }
}

static void expect_same_predictions(const twins *t)
{
    network *nets[] = {t->stock, t->plugin->host};
    size_t in = (size_t)t->stock->inputs, rows = (size_t)t->stock->batch, out = rows * (size_t)t->stock->outputs;
    float *input = calloc(rows * in, sizeof *input), *predicted[2];
    for (size_t r = 0; r < rows; ++r)
        memcpy(input + r * in, t->examples.X.vals[r], in * sizeof *input);
    for (int k = 0; k < 2; ++k) {
        predicted[k] = malloc(out * sizeof(float));
        srand(5);
        memcpy(predicted[k], network_predict(nets[k], input), out * sizeof(float));
    }
    assert_int_equal(t->plugin->host->outputs, t->stock->outputs);
    expect_near(t, "predictions", t->stock->n, largest(predicted[0], predicted[1], out), largest(predicted[0], NULL, out));
    free(input);
    free(predicted[0]);
    free(predicted[1]);
}

static float *train(const twins *t, network *net, int rounds)
{
    float *losses = calloc((size_t)rounds, sizeof *losses);
    srand(7);
    for (int i = 0; i < rounds; ++i)
        losses[i] = train_network(net, t->examples);
    return losses;
}

static void train_both(const twins *t)
{
    enum { ROUNDS = UPDATES / BATCHES };
    float *stock = train(t, t->stock, ROUNDS), *ours = train(t, t->plugin->host, ROUNDS);
    expect_near(t, "losses", t->stock->n, largest(stock, ours, ROUNDS), largest(stock, NULL, ROUNDS));
    assert_int_equal(get_current_batch(t->stock), UPDATES);
    assert_int_equal(plugin_updates(t->plugin), UPDATES);
    free(stock);
    free(ours);
}

static void expect_same_after_smaller_batch(const twins *t)
{
    int batch = t->stock->batch;
    set_batch_network(t->stock, 1);
    set_batch_network(t->plugin->host, 1);
    expect_same_predictions(t);
    set_batch_network(t->stock, batch);
    set_batch_network(t->plugin->host, batch);
    expect_same_predictions(t);
}

static void run_case(const stock_case *c, const char *be)
{
    twins t = twins_new(c, be);
    expect_same_predictions(&t);
    if (!c->values_only) {
        train_both(&t);
        expect_same_weights(&t);
        expect_same_predictions(&t);
    }
    expect_same_after_smaller_batch(&t);
    twins_free(&t);
}

static void run_cases(const stock_case *cases, size_t n)
{
    for (size_t b = 0; b < COUNT_OF(backend_names); ++b)
        for (size_t i = 0; backend_is_built(backend_names[b]) && i < n; ++i)
            run_case(&cases[i], backend_names[b]);
    assert_no_failures();
}

/* ---------------------------------------------------------------- tests */

static void test_activations(void **state)
{
    for (int a = 0; a < ACTIVATION_COUNT; ++a) {
        const char *name = activation_table[a].name;
        char layers[256];
        const stock_case c = {.name = name, .net = VECTOR, .layers = layers};
        if (!activation_table[a].stock)
            continue;
        snprintf(layers, sizeof layers, "connected output=9 activation=%s | connected output=7 activation=%s | " HEAD, name,
                 name);
        run_cases(&c, 1);
    }
}

static void test_losses(void **state)
{
    run_cases(loss_cases, COUNT_OF(loss_cases));
}

static void test_layers(void **state)
{
    run_cases(layer_cases, COUNT_OF(layer_cases));
}

static void test_normalised(void **state)
{
    run_cases(normalised_cases, COUNT_OF(normalised_cases));
}

static void test_optimisers(void **state)
{
    run_cases(optimiser_cases, COUNT_OF(optimiser_cases));
}

/* Five classes: the first three exclude each other, the last two are kinds of the first. */
static void write_tree(void)
{
    FILE *out = fopen(TREE_FILE, "w");
    assert_non_null(out);
    fprintf(out, "a -1\nb -1\nc -1\nd 0\ne 0\n");
    assert_int_equal(fclose(out), 0);
}

static void test_mixed_networks(void **state)
{
    write_tree();
    run_cases(mixed_cases, COUNT_OF(mixed_cases));
    unlink(TREE_FILE);
}

static void test_objective_of_order_0(void **state)
{
    run_cases(sobolev_cases, COUNT_OF(sobolev_cases));
}

/* Stock's own `smooth` climbs where |e| > 1. There its gradient must be that of L1, and its cost 2|e| - 1. */
static void test_smooth_with_large_errors(void **state)
{
    const stock_case c = {
        .name = "smooth, errors above 1",
        .net = "inputs=5 batch=6 learning_rate=.005",
        .layers = HEAD " type=L1",
        .plugin_layers = HEAD " type=smooth",
        .labels = LABELS_FAR,
    };
    twins t = twins_new(&c, "ref");
    float *stock = train(&t, t.stock, 1), *ours = train(&t, t.plugin->host, 1);
    expect_same_weights(&t);
    expect_near(&t, "losses", t.stock->n, fabs(ours[0] - (2. * stock[0] - t.stock->outputs)), ours[0]);
    free(stock);
    free(ours);
    twins_free(&t);
    assert_no_failures();
}

static void test_dropout_predicts_without_zeros(void **state)
{
    const stock_case c = {.name = "dropout", .net = VECTOR, .layers = "connected output=9 | dropout probability=.7 | " HEAD};
    twins t = twins_new(&c, "ref");
    expect_same_predictions(&t);
    twins_free(&t);
    assert_no_failures();
}

static void test_backend_key_and_setting(void **state)
{
    if (!backend_is_built("onednn"))
        skip();
    plugin_network *by_key = plugin_new(VECTOR "backend=ref", MLP, (plugin_settings){0});
    plugin_network *by_setting = plugin_new(VECTOR "backend=ref", MLP, (plugin_settings){.backend = "onednn"});
    assert_string_equal(plugin_backend(by_key)->name, "ref");
    assert_string_equal(plugin_backend(by_setting)->name, "onednn");
    plugin_free(by_key);
    plugin_free(by_setting);
}

/* ---------------------------------------------------------------- another input size */

static void resize_both(twins *t, int width, int height)
{
    generator g = {{(unsigned short)width, (unsigned short)height, 9}};
    stock_resize_network(t->stock, width, height);
    resize_network(t->plugin->host, width, height);
    for (int i = 0; i < t->stock->n; ++i)
        assert_int_equal(t->plugin->host->layers[i].outputs, t->stock->layers[i].outputs);
    assert_int_equal(t->plugin->host->inputs, t->stock->inputs);
    assert_int_equal(t->plugin->host->truths, t->stock->truths);
    assert_int_equal(t->plugin->host->w, width);
    assert_int_equal(t->plugin->host->h, height);
    free_data(t->examples);
    t->examples = draw_examples(&g, t->stock, BATCHES * t->stock->batch * t->stock->subdivisions, t->c->labels);
}

static void run_resize_case(const stock_case *c, const char *be)
{
    static const int sizes[][2] = {{9, 7}, {6, 8}, {12, 12}};
    twins t = twins_new(c, be);
    expect_same_predictions(&t);
    for (size_t i = 0; i < COUNT_OF(sizes); ++i) {
        resize_both(&t, sizes[i][0], sizes[i][1]);
        expect_same_predictions(&t);
        if (c->values_only)
            continue;
        float *stock = train(&t, t.stock, 1), *ours = train(&t, t.plugin->host, 1);
        expect_near(&t, "losses", t.stock->n, largest(stock, ours, 1), largest(stock, NULL, 1));
        free(stock);
        free(ours);
        expect_same_weights(&t);
        expect_same_predictions(&t);
    }
    twins_free(&t);
}

static void test_resized_networks(void **state)
{
    for (size_t b = 0; b < COUNT_OF(backend_names); ++b)
        for (size_t i = 0; backend_is_built(backend_names[b]) && i < COUNT_OF(resize_cases); ++i)
            run_resize_case(&resize_cases[i], backend_names[b]);
    assert_no_failures();
}

/* A network of another size from the start, with the same weights, is the judge where stock cannot resize. */
static void expect_resized_like_new(const char *layers, const char *be)
{
    const char *small = "height=6 width=6 channels=2 batch=4 learning_rate=.02", *large = "height=9 width=7 channels=2 batch=4 learning_rate=.02";
    const plugin_settings settings = {.backend = be, .has_seed = true, .seed = 3, .layer_outputs = true};
    plugin_network *nets[] = {plugin_new(small, layers, settings), plugin_new(large, layers, settings)};
    float *first[2], *last[2];
    assert_int_equal(plugin_resize(nets[0], 7, 9), STATUS_OK);
    array_list arrays[2];
    for (int k = 0; k < 2; ++k) {
        generator g = {{5, 6, 7}};
        arrays[k] = arrays_of(nets[k]->host);
        for (int i = 0; i < arrays[k].n; ++i)
            draw_array(&g, .1, .4, arrays[k].items[i].values, arrays[k].items[i].count);
        for (int i = 0; i < 5; ++i) {
            draw_array(&g, -1, 1, plugin_input(nets[k]), 4 * 9 * 7 * 2);
            draw_array(&g, -1, 1, plugin_truth(nets[k]), 4 * plugin_truth_count(nets[k]));
            plugin_train_minibatch(nets[k]);
        }
        first[k] = arrays_copy(&arrays[k]);
        last[k] = malloc(4 * (size_t)nets[k]->host->outputs * sizeof *last[k]);
        memcpy(last[k], plugin_predict(nets[k], plugin_input(nets[k])), 4 * (size_t)nets[k]->host->outputs * sizeof *last[k]);
    }
    assert_int_equal(nets[0]->host->outputs, nets[1]->host->outputs);
    assert_memory_equal(first[0], first[1], arrays_total(&arrays[0]) * sizeof(float));
    assert_memory_equal(last[0], last[1], 4 * (size_t)nets[0]->host->outputs * sizeof(float));
    for (int k = 0; k < 2; ++k) {
        free(first[k]);
        free(last[k]);
        plugin_free(nets[k]);
    }
}

static void test_resized_like_new(void **state)
{
    for (size_t b = 0; b < COUNT_OF(backend_names); ++b)
        for (size_t i = 0; backend_is_built(backend_names[b]) && i < COUNT_OF(resized_like_new); ++i)
            expect_resized_like_new(resized_like_new[i], backend_names[b]);
}

static void test_sizes_that_are_refused(void **state)
{
    static const struct {
        const char *net, *layers, *message;
        int side;
    } cases[] = {
        {VECTOR, HEAD, ":1:1: error: the input of this network is not an image: it has no size to change", 8},
        {IMAGE, CONV " | " HEAD, ":12:1: error: the network cannot take another input size: the number of weights of this layer depends on it", 8},
        {IMAGE, CONV " | gru output=4 | " HEAD, ":12:1: error: the network cannot take another input size: Darknet cannot resize this layer", 8},
        {IMAGE, CONV " | convolutional filters=2 size=4 | cost", ":12:1: error: a kernel of side 4 does not fit into 3 x 3 pixels padded by 0", 3},
        {IMAGE, CONV " | cost", ": error: 0 x 0 is no size of an image", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); ++i) {
        plugin_network *p = plugin_new(cases[i].net, cases[i].layers, (plugin_settings){.backend = "ref"});
        assert_int_not_equal(plugin_resize(p, cases[i].side, cases[i].side), STATUS_OK);
        if (!strstr(status_text(), cases[i].message))
            fail_msg("%s: %s", cases[i].layers, status_text());
        plugin_free(p);
    }
}

/* ---------------------------------------------------------------- weights files */

static const stock_case file_cases[] = {
    ROW("connected", VECTOR, MLP),
    ROW("connected with batch_normalize", VECTOR, "connected output=6 | connected output=9 batch_normalize=1 | dropout | " HEAD),
    ROW("convolutional", IMAGE, CONV " batch_normalize=1 | convolutional filters=6 size=3 groups=2 | maxpool size=2 | " HEAD),
    ROW("batchnorm", IMAGE, CONV " | batchnorm | " HEAD),
    ROW("deconvolutional", IMAGE, "deconvolutional filters=2 size=2 stride=2 | deconvolutional filters=3 batch_normalize=1 | " HEAD),
    ROW("local", IMAGE, CONV " | local filters=3 size=1 | " HEAD),
    ROW("rnn", VECTOR, "connected output=6 | rnn output=5 batch_normalize=1 | " HEAD),
    ROW("gru", VECTOR, "connected output=6 | gru output=5 | " HEAD),
    ROW("lstm", VECTOR, "connected output=6 | lstm output=5 | " HEAD),
    ROW("crnn", IMAGE, "crnn output_filters=3 hidden_filters=2 | " HEAD),
    ROW("flipped", IMAGE, "convolutional filters=3 size=3 pad=1 flipped=1 | " HEAD),
    ROW("neither loaded nor saved", VECTOR, "connected output=6 dontload=1 dontsave=1 | " HEAD),
};

static void stock_save(network *net, char *path)
{
    int kept = stderr_hide();
    stock_save_weights_upto(net, path, net->n);
    stderr_show(kept);
}

/* Stock's loader divides by the groups of a convolution; a deconvolutional layer has 0 of them. */
static bool stock_can_load(const network *net)
{
    for (int i = 0; i < net->n; ++i)
        if (net->layers[i].type == DECONVOLUTIONAL)
            return false;
    return true;
}

static void stock_load(network *net, char *path)
{
    int kept = stderr_hide();
    stock_load_weights_upto(net, path, 0, net->n);
    stderr_show(kept);
}

static void expect_same_files(const twins *t, const char *what, const char *a, const char *b)
{
    FILE *files[] = {fopen(a, "rb"), fopen(b, "rb")};
    assert_true(files[0] && files[1]);
    int x, y;
    long at = 0;
    do {
        x = getc(files[0]);
        y = getc(files[1]);
        ++at;
    } while (x == y && x != EOF);
    if (x != y || at < 20) {
        ++failures;
        print_error("'%s' on %s: %s: the files differ at byte %ld\n", t->c->name, t->backend, what, at - 1);
    }
    fclose(files[0]);
    fclose(files[1]);
}

static void draw_all(unsigned short number, const array_list *a)
{
    generator g = {{number, 1, 2}};
    for (int i = 0; i < a->n; ++i)
        draw_array(&g, strcmp(a->items[i].name, "rolling_variance") == 0 ? 0 : -2, 2, a->items[i].values, a->items[i].count);
}

/* What the plugin's network has read from a file, a graph that lives without Darknet reads too. */
static void expect_read_by_a_graph(const twins *t, const char *path)
{
    graph alone;
    const backend *be = plugin_backend(t->plugin);
    if (graph_build(&alone, plugin_config(t->plugin), be, NULL, NULL) != STATUS_OK)
        return; /* a layer is Darknet's own */
    if (graph_weights_read(&alone, path) != STATUS_OK)
        fail_msg("'%s': %s", t->c->name, status_text());
    GRAPH_ARRAYS(&alone, p)
    {
        const graph_node *node = &alone.nodes[node_];
        const parameter *ours = &plugin_graph(t->plugin)->nodes[node_].parameters[p - node->parameters];
        if (option_boolean(node->where, "dontload") || memcmp(p->value, ours->value, p->count * sizeof *p->value) == 0)
            continue;
        ++failures;
        print_error("'%s': a graph reads other %s of layer %d\n", t->c->name, p->name, node_);
    }
    graph_free(&alone, be);
}

/* Both networks, each through its own file and the other's. */
static void exchange_files(twins *t, const char *folder)
{
    char from_stock[256], from_plugin[256], again[256];
    snprintf(from_stock, sizeof from_stock, "%s/stock.weights", folder);
    snprintf(from_plugin, sizeof from_plugin, "%s/plugin.weights", folder);
    snprintf(again, sizeof again, "%s/again.weights", folder);
    draw_all(1, &t->stock_arrays);
    draw_all(1, &t->our_arrays);
    *t->stock->seen = *t->plugin->host->seen = 12345678901;
    stock_save(t->stock, from_stock);
    assert_int_equal(plugin_save_weights(t->plugin, from_plugin), STATUS_OK);
    expect_same_files(t, "saved", from_stock, from_plugin);

    draw_all(2, &t->stock_arrays);
    draw_all(2, &t->our_arrays);
    *t->stock->seen = *t->plugin->host->seen = 0;
    if (plugin_load_weights(t->plugin, from_stock) != STATUS_OK)
        fail_msg("'%s': %s", t->c->name, status_text());
    expect_read_by_a_graph(t, from_stock);
    stock_save(t->plugin->host, again);
    if (stock_can_load(t->stock)) { /* flipped=1 transposes while loading: what was loaded is not what is saved */
        stock_load(t->stock, from_plugin);
        stock_save(t->stock, from_stock);
    }
    expect_same_files(t, "loaded by the plugin and by stock", again, from_stock);
    unlink(from_stock);
    unlink(from_plugin);
    unlink(again);
}

static void test_weights_files(void **state)
{
    char folder[] = "stock_XXXXXX";
    assert_non_null(mkdtemp(folder));
    for (size_t i = 0; i < COUNT_OF(file_cases); ++i) {
        twins t = twins_new(&file_cases[i], "ref");
        exchange_files(&t, folder);
        twins_free(&t);
    }
    rmdir(folder);
    assert_no_failures();
}

/* Clients' load_weights_upto and save_weights_upto, against stock's on the twin. */
static void expect_same_as_stock_loads(const twins *t, char *path, int start, int cutoff)
{
    draw_all(5, &t->stock_arrays);
    draw_all(5, &t->our_arrays);
    *t->stock->seen = *t->plugin->host->seen = 0;
    int kept = stderr_hide();
    stock_load_weights_upto(t->stock, path, start, cutoff);
    load_weights_upto(t->plugin->host, path, start, cutoff);
    stderr_show(kept);
    float *expected = arrays_copy(&t->stock_arrays);
    assert_same_bits(&t->our_arrays, expected);
    assert_int_equal(*t->plugin->host->seen, *t->stock->seen);
    free(expected);
}

static void test_parts_of_weights_files(void **state)
{
    static const stock_case c = ROW("parts", IMAGE, CONV " | " CONV " batch_normalize=1 | dropout | " CONV_1x1 " | " HEAD);
    char folder[] = "stock_XXXXXX", whole[64], part[64], ours[64];
    assert_non_null(mkdtemp(folder));
    snprintf(whole, sizeof whole, "%s/whole", folder);
    snprintf(part, sizeof part, "%s/part", folder);
    snprintf(ours, sizeof ours, "%s/ours", folder);
    twins t = twins_new(&c, "ref");
    draw_all(4, &t.stock_arrays);
    draw_all(4, &t.our_arrays);
    *t.stock->seen = *t.plugin->host->seen = 99;
    int kept = stderr_hide();
    stock_save_weights_upto(t.stock, whole, t.stock->n);
    stock_save_weights_upto(t.stock, part, 2);
    save_weights_upto(t.plugin->host, ours, 2);
    stderr_show(kept);
    expect_same_files(&t, "the first two layers", part, ours);
    expect_same_as_stock_loads(&t, whole, 0, t.stock->n);
    expect_same_as_stock_loads(&t, whole, 0, 1);
    expect_same_as_stock_loads(&t, whole, 0, 100);
    expect_same_as_stock_loads(&t, part, 0, t.stock->n);
    expect_same_as_stock_loads(&t, part, 1, 2);

    float *before = arrays_copy(&t.our_arrays);
    loaded_weights loaded;
    assert_int_equal(plugin_load_some_weights(t.plugin, part, 0, t.stock->n, &loaded), STATUS_OK);
    assert_int_equal(loaded.last, 3); /* the dropout layer has no weights to wait for */
    assert_int_equal(loaded.left, 0);
    assert_int_equal(plugin_load_some_weights(t.plugin, whole, 0, 3, &loaded), STATUS_OK);
    assert_true(loaded.last == 3 && loaded.left > 0);
    arrays_set(&t.our_arrays, before);
    assert_int_equal(truncate(part, 20 + 4 * 100), 0);
    assert_int_equal(plugin_load_some_weights(t.plugin, part, 0, t.stock->n, &loaded), STATUS_BAD_FILE);
    assert_non_null(strstr(status_text(), "part: error: ends in the middle of the weights of layer 1"));
    assert_int_equal(truncate(part, 20 + 4 * 100 + 2), 0);
    assert_int_equal(plugin_load_some_weights(t.plugin, part, 0, t.stock->n, &loaded), STATUS_BAD_FILE);
    assert_non_null(strstr(status_text(), "part: error: ends in the middle of a number"));
    assert_int_equal(truncate(part, 20), 0);
    assert_int_equal(plugin_load_some_weights(t.plugin, part, 0, t.stock->n, &loaded), STATUS_BAD_FILE);
    assert_non_null(strstr(status_text(), "part: error: holds no weights"));
    assert_same_bits(&t.our_arrays, before);
    free(before);
    twins_free(&t);
    unlink(whole);
    unlink(part);
    unlink(ours);
    rmdir(folder);
    assert_no_failures();
}

/* A word is a filter of tests, as test_res*. */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_normalised),
        cmocka_unit_test(test_optimisers),
        cmocka_unit_test(test_mixed_networks),
        cmocka_unit_test(test_objective_of_order_0),
        cmocka_unit_test(test_smooth_with_large_errors),
        cmocka_unit_test(test_dropout_predicts_without_zeros),
        cmocka_unit_test(test_backend_key_and_setting),
        cmocka_unit_test(test_resized_networks),
        cmocka_unit_test(test_resized_like_new),
        cmocka_unit_test(test_sizes_that_are_refused),
        cmocka_unit_test(test_weights_files),
        cmocka_unit_test(test_parts_of_weights_files),
    };
    if (argc > 1)
        cmocka_set_test_filter(argv[1]);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
