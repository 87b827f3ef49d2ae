/* ms per plain and per Sobolev step of the same network, beside the machine's own matrix-product rate, all in one run. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/arguments.h"
#include "train/progress.h"
#include "train/training_check.h"

enum { ROUNDS = 21, SMALLEST_GEMM = 128, LARGEST_GEMM = 1024 };

typedef struct contestant {
    const char *name;
    plugin_network *net;
    int steps;               /* per round, so that a round is long enough to measure */
    double seconds[ROUNDS];  /* of one step */
} contestant;

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values, int n)
{
    double sorted[ROUNDS];
    memcpy(sorted, values, (size_t)n * sizeof *values);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    return sorted[n / 2];
}

/* Random inputs and labels: the time of a step does not depend on them. */
static void fill(plugin_network *p)
{
    size_t inputs = (size_t)plugin_minibatch(p) * shape_count(plugin_graph(p)->input);
    random_uniform((random_stream){1, RANDOM_CHECK, 0}, 0, inputs, -1, 1, plugin_input(p));
    random_uniform((random_stream){1, RANDOM_CHECK, 1}, 0, (size_t)plugin_minibatch(p) * plugin_truth_count(p), -1, 1, plugin_truth(p));
}

static double time_steps(contestant *c)
{
    double start = seconds_now();
    for (int i = 0; i < c->steps * plugin_subdivisions(c->net); ++i)
        plugin_train_minibatch(c->net);
    return (seconds_now() - start) / c->steps;
}

static void choose_steps(contestant *c, double round_seconds)
{
    c->steps = 3;
    fill(c->net);
    time_steps(c);
    double one = time_steps(c);
    c->steps = (int)(round_seconds / (one + 1e-9)) + 1;
}

/* Rows that the matrix products of one update go through, for a node inside or below the differentiated segment: the four
 * sweeps, and the gradients of the parameters. Components and directions count as rows. */
static double step_rows(plugin_network *p, int order, bool first)
{
    double batch = (double)plugin_minibatch(p) * plugin_subdivisions(p), directions = plugin_directions(p) * batch;
    double low = batch + (jet_low_half(order).last - 1) * directions, all = batch + (jet_components(order) - 1) * directions;
    if (order > 0 && plugin_scalar_path(p))
        return all + (all - low) + batch;
    return all + (all - low) + (first ? 0 : low) + all;
}

/* Floating-point operations of the matrix products of one update. */
static double step_cost(plugin_network *p)
{
    const graph *g = plugin_graph(p);
    const objective_options *o = plugin_objective(p);
    double total = 0;
    bool first = true;
    for (int i = 0; i < g->n_nodes; ++i) {
        const graph_node *n = &g->nodes[i];
        if (!n->type || !n->type->row_cost)
            continue;
        total += n->type->row_cost(n) * step_rows(p, o && i > o->wrt ? o->order : 0, first);
        first = false;
    }
    return total;
}

/* The best rate of five matrix products, operations per second. */
static double gemm_rate(const backend *be, int size, real *memory)
{
    size_t count = (size_t)size * (size_t)size;
    double best = INFINITY;
    for (int i = 0; i < 5; ++i) {
        double start = seconds_now();
        be->gemm(false, false, size, size, size, 1, memory, size, memory + count, size, 0, memory + 2 * count, size);
        best = fmin(best, seconds_now() - start);
    }
    return 2. * size * size * size / best;
}

/* The machine's matrix product, as large as does not take long: `ref` is slow. */
typedef struct yardstick {
    int size;
    double rate; /* the best seen */
    real *memory;
} yardstick;

static status yardstick_create(yardstick *y, const backend *be)
{
    const double patience = .2;
    size_t count = 3 * (size_t)LARGEST_GEMM * LARGEST_GEMM;
    double start = seconds_now();
    *y = (yardstick){.size = SMALLEST_GEMM, .memory = be->allocate(count)};
    if (!y->memory)
        return STATUS_NO_MEMORY;
    random_uniform((random_stream){1, RANDOM_CHECK, 2}, 0, count, -1, 1, y->memory);
    for (; y->size < LARGEST_GEMM; y->size *= 2) {
        gemm_rate(be, y->size, y->memory);
        if (seconds_now() - start > patience)
            break;
    }
    return STATUS_OK;
}

static void yardstick_measure(yardstick *y, const backend *be)
{
    y->rate = fmax(y->rate, gemm_rate(be, y->size, y->memory));
}

/* The same network trained on values alone; the weight counts for nothing in a time, but 0 would leave nothing to do. */
static int load_plain(const arguments *a, plugin_network **p)
{
    static const char *const plain[] = {"sobolev.order=0", "sobolev.weight=1"};
    enum { KEYS = sizeof plain / sizeof *plain };
    arguments changed = *a;
    if (changed.n_overrides > MAX_OVERRIDES - KEYS) {
        fprintf(stderr, "darknet sobolev bench: error: more than %d -set\n", MAX_OVERRIDES - KEYS);
        return EXIT_USAGE;
    }
    for (int i = 0; i < KEYS; ++i)
        changed.overrides[changed.n_overrides++].text = plain[i];
    return load_cfg(&changed, p);
}

static void print_contestant(const contestant *c, double rate)
{
    double step = median(c->seconds, ROUNDS), speed = step_cost(c->net) / step;
    printf("%-8s %9.4f ms per step  %8.1f GF/s  %5.1f%% of the matrix-product rate\n", c->name, 1e3 * step, 1e-9 * speed, 100 * speed / rate);
}

static void compete(contestant *c, int n, double seconds)
{
    for (int i = 0; i < n; ++i)
        choose_steps(&c[i], seconds / (ROUNDS * n));
    for (int round = 0; round < ROUNDS; ++round)
        for (int i = 0; i < n; ++i)
            c[i].seconds[round] = time_steps(&c[i]);
}

static status run_contest(const arguments *a, contestant *c)
{
    bool sobolev = plugin_objective(c[1].net) && plugin_objective(c[1].net)->order > 0;
    const backend *be = plugin_backend(c[1].net);
    yardstick y;
    status s = yardstick_create(&y, be);
    if (s != STATUS_OK)
        return s;
    yardstick_measure(&y, be);
    compete(sobolev ? c : c + 1, sobolev ? 2 : 1, a->seconds);
    yardstick_measure(&y, be);
    be->release(y.memory);
    printf("backend %s, %d threads, batch %d, matrix product %d: %.1f GF/s\n", be->name, plugin_threads(c[1].net),
           plugin_minibatch(c[1].net) * plugin_subdivisions(c[1].net), y.size, 1e-9 * y.rate);
    if (sobolev)
        print_contestant(&c[0], y.rate);
    else
        c[1].name = "plain";
    print_contestant(&c[1], y.rate);
    if (sobolev) {
        double ratios[ROUNDS];
        for (int i = 0; i < ROUNDS; ++i)
            ratios[i] = c[1].seconds[i] / c[0].seconds[i];
        printf("Sobolev step / plain step: %.2f (median of %d alternating rounds)\n", median(ratios, ROUNDS), ROUNDS);
    }
    return STATUS_OK;
}

static int bench(const arguments *a)
{
    contestant c[2] = {{.name = "plain"}, {.name = "Sobolev"}};
    int result = load_cfg(a, &c[1].net);
    if (!c[1].net)
        return result;
    data_source data;
    if (training_check(c[1].net, &data) != STATUS_OK)
        result = report_failure(STATUS_BAD_CONFIG);
    else if (plugin_objective(c[1].net))
        result = load_plain(a, &c[0].net);
    if (result == EXIT_OK && run_contest(a, c) != STATUS_OK)
        result = report_failure(STATUS_NO_MEMORY);
    data_source_free(&data);
    plugin_free(c[0].net);
    plugin_free(c[1].net);
    return result;
}

const verb verb_bench = {
    .name = "bench",
    .synopsis = "CFG",
    .meaning = "time plain and Sobolev steps of a network",
    .details = "Alternates rounds of plain steps (the same network with order=0) and Sobolev steps, update included, on random data, and\n"
               "prints medians, their ratio, and the fraction of the matrix-product rate of the same backend in the same run.\n",
    .least = 1,
    .most = 1,
    .flags = FLAG_CFG | FLAG_SECONDS,
    .run = bench,
};
