/* Stock Darknet is the judge: the same cfg, first weights and data through libdarknet alone and through the plugin. */
#include "stock_fixture.h"

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
    for (size_t i = 0; i < count; ++i) {
        double d = fabs((double)a[i] - (b ? (double)b[i] : 0));
        if (!(d <= result))
            result = d;
    }
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
        if (strcmp(it->name, "rolling_variance") == 0)
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
    t.plugin = plugin_new(c->net, c->layers, (plugin_settings){.backend = be, .threads = 2});
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
    plugin_free(t->plugin);
    stock_free_network(t->stock);
}

static void expect_near(const twins *t, const char *what, int index, double difference, double scale)
{
    double tolerance = (t->c->tolerance > 0 ? t->c->tolerance : TOLERANCE) * scale;
    if (difference <= tolerance)
        return;
    ++failures;
    print_error("'%s' on %s: layer %d: %s differ by %.2g, at most %.2g expected\n", t->c->name, t->backend, index, what, difference, tolerance);
}

static void expect_same_weights(const twins *t)
{
    const float *first = t->first;
    for (int i = 0; i < t->stock_arrays.n; ++i) {
        const array *stock = &t->stock_arrays.items[i], *ours = &t->our_arrays.items[i];
        expect_near(t, stock->name, stock->layer, largest(ours->values, stock->values, stock->count), largest(stock->values, first, stock->count));
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

/* Stock Darknet keeps nothing of a batch size but the number: so does the plugin, downwards. */
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
    if (getenv("V")) print_message("%s %s\n", be, c->name);
    twins t = twins_new(c, be);
    expect_same_predictions(&t);
    train_both(&t);
    expect_same_weights(&t);
    expect_same_predictions(&t);
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
    (void)state;
    for (int a = 0; a < ACTIVATION_COUNT; ++a) {
        char layers[256];
        const stock_case c = {.name = activation_table[a].name, .net = VECTOR, .layers = layers};
        if (!activation_table[a].stock)
            continue;
        snprintf(layers, sizeof layers, "connected output=9 activation=%s | connected output=7 activation=%s | " HEAD, c.name, c.name);
        run_cases(&c, 1);
    }
}

static void test_losses(void **state)
{
    (void)state;
    run_cases(loss_cases, COUNT_OF(loss_cases));
}

static void test_layers(void **state)
{
    (void)state;
    run_cases(layer_cases, COUNT_OF(layer_cases));
}

static void test_optimisers(void **state)
{
    (void)state;
    run_cases(optimiser_cases, COUNT_OF(optimiser_cases));
}

static void test_mixed_networks(void **state)
{
    (void)state;
    run_cases(mixed_cases, COUNT_OF(mixed_cases));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_losses),
        cmocka_unit_test(test_layers),
        cmocka_unit_test(test_optimisers),
        cmocka_unit_test(test_mixed_networks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
