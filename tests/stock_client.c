/* A program that knows Darknet alone, for comparisons of stock Darknet with the plugin: run once as it is, once with
 * LD_PRELOAD=libdarknet_ext.so. scripts/stock_cfgs does that for every cfg of Darknet's package.
 *
 *     stock_client load CFG
 *     stock_client first CFG OUT            random weights whose rolling statistics are those of a random minibatch
 *     stock_client copy CFG IN OUT          loads weights, saves them
 *     stock_client predict CFG IN OUT       predicts a random minibatch, writes the outputs of every layer
 *     stock_client step CFG IN OUT          one update from a random minibatch, saves the weights
 *     stock_client differ-outputs CFG A B   the largest difference of an output, over the largest output of its layer; layer; that of the last
 *                                           layer; how many outputs are NaN in both
 *     stock_client differ-weights CFG FIRST A B      the same of weights, over the largest change since FIRST of their array (or a
 *                                           thousandth of its largest number, if that is more: float resolves no less)
 *
 * Every number depends on the cfg alone: two processes get the same. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <darknet.h>

static void fail(const char *what, const char *name)
{
    fprintf(stderr, "stock_client: %s %s\n", what, name);
    exit(1);
}

/* ---------------------------------------------------------------- numbers */

static uint64_t state = 88172645463325252u;

static uint64_t next_state(void)
{
    return state = state * 6364136223846793005u + 1442695040888963407u;
}

/* Uniform in (low, high). */
static float draw(double low, double high)
{
    return (float)(low + (high - low) * ((double)(next_state() >> 40) + .5) / (1 << 24));
}

static void draw_array(float *values, size_t count, double low, double high)
{
    for (size_t i = 0; i < count; ++i)
        values[i] = draw(low, high);
}

/* The next two take the place of Darknet's own, which fill every layer on loading: rand() with logarithms and sines takes longer than a training
 * step, and a row of the table loads its network twenty times. The sum of four uniform numbers has the same mean and variance as the normal ones. */
__attribute__((visibility("default"))) float rand_uniform(float low, float high)
{
    return draw(low, high);
}

__attribute__((visibility("default"))) float rand_normal(void)
{
    const double r = 1.7320508075688772; /* the variance of each is r^2 / 12 = 1/4 */
    return draw(-r / 2, r / 2) + draw(-r / 2, r / 2) + draw(-r / 2, r / 2) + draw(-r / 2, r / 2);
}

/* ---------------------------------------------------------------- networks */

static network *load(char *cfg, char *weights)
{
    network *net = parse_network_cfg(cfg);
    if (weights)
        load_weights(net, weights);
    return net;
}

static layer *output_of(const network *net)
{
    int i = net->n - 1;
    while (i > 0 && net->layers[i].type == COST)
        --i;
    return &net->layers[i];
}

enum { SAMPLES_OF_STATISTICS = 1, SAMPLES_OF_STEP, SAMPLES_OF_PREDICTION };

/* Images, and classes or images as labels. */
static void draw_samples(network *net, uint64_t which)
{
    const layer *out = output_of(net);
    state = 12345 * which;
    draw_array(net->input, (size_t)net->batch * (size_t)net->inputs, 0, 1);
    if (out->type != SOFTMAX) {
        draw_array(net->truth, (size_t)net->batch * (size_t)net->truths, 0, 1);
        return;
    }
    memset(net->truth, 0, (size_t)net->batch * (size_t)net->truths * sizeof *net->truth);
    for (int b = 0; b < net->batch; ++b)
        net->truth[b * net->truths + (int)draw(0, net->truths - .01)] = 1;
}

static int has_statistics(const layer *l)
{
    return l->rolling_mean && l->mean && (l->batch_normalize || l->type == BATCHNORM);
}

/* A small network's last layers see few pixels, which hardly vary in some channels: a trained one's would. */
static void take_variance(const float *variance, int count, float *rolling)
{
    double sum = 0;
    for (int k = 0; k < count; ++k)
        sum += variance[k];
    for (int k = 0; k < count; ++k)
        rolling[k] = (float)(variance[k] + .1 * sum / count);
}

/* Stock's own layers alone: the plugin's keep no mean of the minibatch here. */
static void take_statistics(network *net)
{
    draw_samples(net, SAMPLES_OF_STATISTICS);
    net->train = 1;
    forward_network(net);
    net->train = 0;
    for (int i = 0; i < net->n; ++i) {
        layer *l = &net->layers[i];
        int count = l->type == CONNECTED ? l->outputs : l->out_c;
        if (!has_statistics(l))
            continue;
        memcpy(l->rolling_mean, l->mean, (size_t)count * sizeof(float));
        take_variance(l->variance, count, l->rolling_variance);
    }
}

static void draw_first_weights(network *net)
{
    for (int i = 0; i < net->n; ++i) {
        layer *l = &net->layers[i];
        int count = l->type == CONNECTED || l->type == LOCAL ? l->outputs : l->n;
        if (l->weights && l->biases)
            draw_array(l->biases, (size_t)count, -.2, .2);
        if (l->weights && l->batch_normalize)
            draw_array(l->scales, (size_t)count, .7, 1.3);
    }
    take_statistics(net);
}

/* ---------------------------------------------------------------- outputs */

static void write_numbers(FILE *f, const float *values, size_t count)
{
    if (fwrite(values, sizeof *values, count, f) != count)
        fail("cannot write", "outputs");
}

static void predict(network *net, const char *path)
{
    FILE *f = fopen(path, "wb");
    if (!f)
        fail("cannot write", path);
    draw_samples(net, SAMPLES_OF_PREDICTION);
    network_predict(net, net->input);
    for (int i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        if (l->type != COST)
            write_numbers(f, l->output, (size_t)net->batch * (size_t)l->outputs);
    }
    fclose(f);
}

static void read_numbers(FILE *f, float *values, size_t count, const char *path)
{
    if (fread(values, sizeof *values, count, f) != count)
        fail("too short:", path);
}

/* NaN counts as infinitely far. */
static double difference(const float *a, const float *b, size_t count)
{
    double largest = 0;
    for (size_t i = 0; i < count; ++i) {
        double d = fabs((double)a[i] - (b ? (double)b[i] : 0));
        largest = d <= largest ? largest : isnan(d) ? INFINITY : d;
    }
    return largest;
}

/* Numbers that are NaN in both become 0; how many there were. */
static size_t clear_common_nans(size_t count, float *a, float *b)
{
    size_t n = 0;
    for (size_t i = 0; i < count; ++i)
        if (isnan(a[i]) && isnan(b[i])) {
            a[i] = b[i] = 0;
            ++n;
        }
    return n;
}

static void differ_outputs(const network *net, char **paths)
{
    FILE *f[2] = {fopen(paths[0], "rb"), fopen(paths[1], "rb")};
    double worst = 0, last = 0;
    int where = 0;
    size_t nans = 0;
    if (!f[0] || !f[1])
        fail("cannot read", paths[!f[0] ? 0 : 1]);
    for (int i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        size_t count = (size_t)net->batch * (size_t)l->outputs;
        float *x[2] = {malloc(count * sizeof(float)), malloc(count * sizeof(float))};
        for (int k = 0; k < 2 && l->type != COST; ++k)
            read_numbers(f[k], x[k], count, paths[k]);
        nans += l->type == COST ? 0 : clear_common_nans(count, x[0], x[1]);
        double relative = l->type == COST ? 0 : difference(x[0], x[1], count) / (difference(x[0], NULL, count) + 1e-30);
        if (!(relative <= worst)) {
            worst = relative;
            where = i;
        }
        last = l->type == COST ? last : relative;
        free(x[0]);
        free(x[1]);
    }
    printf("%.2g %d %.2g %zu\n", worst, where, last, nans);
    fclose(f[0]);
    fclose(f[1]);
}

/* ---------------------------------------------------------------- weights */

/* As train_network_datum; a network without a loss gets a random delta at its output. */
static void step(network *net)
{
    int has_cost = 0;
    draw_samples(net, SAMPLES_OF_STEP);
    *net->seen += (size_t)net->batch;
    net->train = 1;
    forward_network(net);
    for (int i = 0; i < net->n; ++i)
        has_cost |= net->layers[i].cost != NULL;
    layer *out = output_of(net);
    if (!has_cost)
        draw_array(out->delta, (size_t)net->batch * (size_t)out->outputs, -1, 1);
    backward_network(net);
    update_network(net);
    printf("%.9g\n", has_cost ? (double)*net->cost : 0);
}

typedef struct worst_array {
    double difference;
    int layer;
    const char *name;
} worst_array;

static void compare_array(worst_array *worst, int index, const char *name, size_t count, FILE *f[3], char **paths)
{
    float *w[3];
    for (int k = 0; k < 3; ++k) {
        w[k] = malloc((count + 1) * sizeof(float));
        read_numbers(f[k], w[k], count, paths[k]);
    }
    double relative = difference(w[1], w[2], count) / fmax(difference(w[1], w[0], count), 1e-3 * difference(w[1], NULL, count) + 1e-30);
    fprintf(stderr, "layer %d %s %.2g\n", index, name, relative);
    if (difference(w[1], w[2], count) > 0 && !(relative <= worst->difference))
        *worst = (worst_array){relative, index, name};
    for (int k = 0; k < 3; ++k)
        free(w[k]);
}

/* The arrays of a weights file, in its order, for the types that Darknet's own cfgs have in front of their heads. */
static void differ_weights(const network *net, char **paths)
{
    FILE *f[3];
    worst_array worst = {0, 0, "none"};
    for (int k = 0; k < 3; ++k) {
        f[k] = fopen(paths[k], "rb");
        if (!f[k] || fseek(f[k], 20, SEEK_SET) != 0)
            fail("cannot read", paths[k]);
    }
    for (int i = 0; i < net->n; ++i) {
        const layer *l = &net->layers[i];
        size_t outputs = (size_t)(l->type == CONVOLUTIONAL || l->type == DECONVOLUTIONAL ? l->n : l->outputs);
        size_t weights = l->type == CONNECTED ? (size_t)l->inputs * outputs
                         : l->type == LOCAL   ? (size_t)(l->size * l->size * l->c * l->n) * (size_t)(l->out_w * l->out_h)
                                              : (size_t)l->nweights;
        if (l->type != CONVOLUTIONAL && l->type != DECONVOLUTIONAL && l->type != CONNECTED && l->type != LOCAL)
            continue;
        compare_array(&worst, i, "biases", outputs, f, paths);
        if (l->type == CONNECTED || l->type == LOCAL)
            compare_array(&worst, i, "weights", weights, f, paths);
        for (int k = 0; k < 3 && l->batch_normalize; ++k)
            compare_array(&worst, i, k == 0 ? "scales" : k == 1 ? "rolling_mean" : "rolling_variance", outputs, f, paths);
        if (l->type == CONVOLUTIONAL || l->type == DECONVOLUTIONAL)
            compare_array(&worst, i, "weights", weights, f, paths);
    }
    for (int k = 0; k < 3; ++k) {
        if (getc(f[k]) != EOF)
            fail("too long:", paths[k]);
        fclose(f[k]);
    }
    printf("%.2g %d %s\n", worst.difference, worst.layer, worst.name);
}

int main(int argc, char **argv)
{
    const char *verb = argc > 2 ? argv[1] : "";
    int needed = strcmp(verb, "load") == 0 ? 3 : strcmp(verb, "first") == 0 ? 4 : strcmp(verb, "differ-weights") == 0 ? 6 : 5;
    if (argc != needed) {
        fprintf(stderr, "usage: stock_client load|first|copy|predict|step|differ-outputs|differ-weights CFG FILE...\n");
        return 64;
    }
    srand(7);
    if (strcmp(verb, "differ-outputs") == 0) {
        differ_outputs(load(argv[2], NULL), argv + 3);
        return 0;
    }
    if (strcmp(verb, "differ-weights") == 0) {
        differ_weights(load(argv[2], NULL), argv + 3);
        return 0;
    }
    network *net = load(argv[2], argc == 5 ? argv[3] : NULL);
    if (argc == 3)
        return 0;
    if (strcmp(verb, "first") == 0)
        draw_first_weights(net);
    if (strcmp(verb, "step") == 0)
        step(net);
    if (strcmp(verb, "predict") == 0)
        predict(net, argv[4]);
    else
        save_weights(net, argv[argc - 1]);
    return 0; /* stock's free_network crashes on recurrent layers */
}
