#include "program/contest.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/clock.h"
#include "train/training_check.h"

enum { SMALLEST_GEMM = 128, LARGEST_GEMM = 1024, FEWEST_ROUNDS = 5 };

/* ---------------------------------------------------------------- networks */

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
    return load_cfg(&changed, LOAD_TO_TRAIN, p);
}

static void fill(plugin_network *p)
{
    size_t inputs = (size_t)plugin_minibatch(p) * shape_count(plugin_graph(p)->input);
    random_uniform((random_stream){1, RANDOM_CHECK, 0}, 0, inputs, -1, 1, plugin_input(p));
    random_uniform((random_stream){1, RANDOM_CHECK, 1}, 0, (size_t)plugin_minibatch(p) * plugin_truth_count(p), -1, 1, plugin_truth(p));
}

/* A cfg without [data] can be timed: nothing is read from there. */
static bool can_be_trained(plugin_network *p)
{
    data_source data = {0};
    bool has_data = config_section(plugin_config(p), "data") != NULL;
    status s = training_check(p, has_data ? &data : NULL);
    if (has_data)
        data_source_free(&data);
    return s == STATUS_OK;
}

int contest_load(const arguments *a, contestant *sobolev, contestant *plain)
{
    *sobolev = (contestant){.name = "Sobolev"};
    *plain = (contestant){.name = "plain"};
    int result = load_cfg(a, LOAD_TO_TRAIN, &sobolev->net);
    if (!sobolev->net)
        return result;
    if (!can_be_trained(sobolev->net))
        return report_failure(STATUS_BAD_CONFIG);
    fill(sobolev->net);
    const objective_options *o = plugin_objective(sobolev->net);
    if (!o || o->order == 0) {
        sobolev->name = "plain";
        return EXIT_OK;
    }
    result = load_plain(a, &plain->net);
    if (plain->net)
        fill(plain->net);
    return result;
}

/* ---------------------------------------------------------------- costs */

/* Rows that the products of one update go through, for a node inside or below the differentiated segment: the four sweeps, and the gradients
 * of the parameters. Components and directions count as rows. */
static double step_rows(plugin_network *p, int node, int order, bool first)
{
    double batch = (double)plugin_minibatch(p) * plugin_subdivisions(p), directions = plugin_directions(p) * batch;
    double low = batch + (jet_low_half(order).last - 1) * directions, all = batch + (jet_components(order) - 1) * directions;
    int pair = plugin_scalar_pair(p);
    if (order > 0 && plugin_scalar_path(p))
        return (pair >= 0 && node >= pair ? low : all) + (all - low) + batch;
    return all + (all - low) + (first ? 0 : low) + all;
}

/* Values, and the seed sweep where derivatives are the teacher's: its directions and order are the student's. */
static double teacher_cost(plugin_network *p)
{
    const teacher_options *t = plugin_teacher(p);
    const objective_options *o = plugin_objective(p);
    double total = 0;
    for (int i = 0; t && i <= t->graph->output_node; ++i) {
        const graph_node *n = &t->graph->nodes[i];
        bool inside = o->target == TARGET_TEACHER && i > t->wrt;
        double batch = (double)plugin_minibatch(p) * plugin_subdivisions(p), directions = inside ? plugin_directions(p) * batch : 0;
        if (n->type && n->type->row_cost)
            total += n->type->row_cost(n) * (batch + (jet_components(o->order) - 1) * directions);
    }
    return total;
}

double contest_cost(plugin_network *p)
{
    const graph *g = plugin_graph(p);
    const objective_options *o = plugin_objective(p);
    double total = 0;
    bool first = true;
    for (int i = 0; i < g->n_nodes; ++i) {
        const graph_node *n = &g->nodes[i];
        if (!n->type || !n->type->row_cost)
            continue;
        total += n->type->row_cost(n) * step_rows(p, i, o && i > o->wrt ? o->order : 0, first);
        first = false;
    }
    return total + teacher_cost(p);
}

double contest_units(plugin_network *p)
{
    const double once = graph_row_cost(plugin_graph(p));
    return once > 0 ? contest_cost(p) / (once * plugin_minibatch(p) * plugin_subdivisions(p)) : 0;
}

/* ---------------------------------------------------------------- times */

double contest_time(contestant *c, long steps)
{
    double start = seconds_now();
    for (long i = 0; i < steps * plugin_subdivisions(c->net); ++i)
        plugin_train_minibatch(c->net);
    return seconds_now() - start;
}

int contest_run(contestant *const *c, int n, double seconds, void (*between)(void *context), void *context)
{
    double all = 1e-9; /* a step of each */
    for (int i = 0; i < n; ++i) {
        contest_time(c[i], 2);
        c[i]->seconds[0] = contest_time(c[i], 1);
        all += c[i]->seconds[0];
    }
    const double possible = seconds / all;
    const int rounds = possible > CONTEST_ROUNDS ? CONTEST_ROUNDS : possible < FEWEST_ROUNDS ? FEWEST_ROUNDS : (int)possible;
    for (int i = 0; i < n; ++i)
        c[i]->steps = (int)(seconds / (rounds * n) / (c[i]->seconds[0] + 1e-9)) + 1;
    for (int round = 0; round < rounds; ++round) {
        for (int i = 0; i < n; ++i)
            c[i]->seconds[round] = contest_time(c[i], c[i]->steps) / c[i]->steps;
        between(context);
    }
    return rounds;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

double median(const double *values, int n)
{
    double sorted[CONTEST_ROUNDS];
    memcpy(sorted, values, (size_t)n * sizeof *values);
    qsort(sorted, (size_t)n, sizeof *sorted, by_value);
    return sorted[n / 2];
}

/* ---------------------------------------------------------------- the yardstick */

static double gemm_rate(const yardstick *y)
{
    const int size = y->size;
    const size_t count = (size_t)size * (size_t)size;
    double start = seconds_now();
    y->be->gemm(false, false, size, size, size, 1, y->memory, size, y->memory + count, size, 0, y->memory + 2 * count, size);
    return 2. * size * size * size / (seconds_now() - start);
}

status yardstick_create(yardstick *y, const backend *be)
{
    const double patience = .2;
    size_t count = 3 * (size_t)LARGEST_GEMM * LARGEST_GEMM;
    double start = seconds_now();
    *y = (yardstick){.be = be, .size = SMALLEST_GEMM, .memory = be->allocate(count)};
    if (!y->memory)
        return STATUS_NO_MEMORY;
    random_uniform((random_stream){1, RANDOM_CHECK, 2}, 0, count, -1, 1, y->memory);
    for (; y->size < LARGEST_GEMM; y->size *= 2) {
        gemm_rate(y);
        gemm_rate(y);
        if (seconds_now() - start > patience)
            break;
    }
    return STATUS_OK;
}

void yardstick_free(yardstick *y)
{
    if (y->memory)
        y->be->release(y->memory);
}

void yardstick_measure(yardstick *y)
{
    y->rate = fmax(y->rate, gemm_rate(y));
}
