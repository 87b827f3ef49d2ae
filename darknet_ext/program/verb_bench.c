/* ms per plain and per Sobolev step of the same network, beside the machine's own matrix-product rate, all in one run. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/arguments.h"
#include "program/contest.h"
#include "program/loader_contest.h"
#include "program/machine_load.h"

enum { ROUNDS_PER_YARDSTICK = 10 };

static const double DISTURBED = .05; /* of the processors' time, used by others */

/* ---------------------------------------------------------------- for people */

static void print_contestant(const contestant *c, int rounds, double rate)
{
    double step = median(c->seconds, rounds), speed = contest_cost(c->net) / step;
    printf("%-8s %9.4f ms per step  %5.2f units  %8.1f GF/s  %5.1f%% of the matrix-product rate\n", c->name, 1e3 * step, contest_units(c->net), 1e-9 * speed,
           100 * speed / rate);
}

static void measure_between(void *context)
{
    static int round;
    if (round++ % ROUNDS_PER_YARDSTICK == 0)
        yardstick_measure(context);
}

static void print_contest(const arguments *a, contestant *sobolev, contestant *plain, yardstick *y)
{
    contestant *const all[] = {plain, sobolev}, *const *c = plain->net ? all : all + 1;
    const int n = plain->net ? 2 : 1;
    machine_load before = machine_load_now();
    int rounds = contest_run(c, n, a->seconds, measure_between, y);
    double others = machine_load_of_others(before);
    printf("backend %s, %d threads, batch %d, matrix product %d: %.1f GF/s\n", y->be->name, plugin_threads(sobolev->net),
           plugin_minibatch(sobolev->net) * plugin_subdivisions(sobolev->net), y->size, 1e-9 * y->rate);
    for (int i = 0; i < n; ++i)
        print_contestant(c[i], rounds, y->rate);
    if (n == 2) {
        double ratios[CONTEST_ROUNDS];
        for (int i = 0; i < rounds; ++i)
            ratios[i] = sobolev->seconds[i] / plain->seconds[i];
        printf("Sobolev step / plain step: %.2f (median of %d alternating rounds)\n", median(ratios, rounds), rounds);
    }
    if (others > DISTURBED)
        printf("other programs used %.0f%% of the processors' time meanwhile: the times are too long\n", 100 * others);
}

static status print_loader(const arguments *a, plugin_network *p)
{
    loader_contest c;
    loader_time t;
    status s = loader_contest_open(&c, p);
    if (s == STATUS_OK && c.loader) {
        double bytes = c.data.streams.training.stream->sample_bytes;
        s = loader_contest_run(&c, a->seconds / 3, &t);
        if (s == STATUS_OK)
            printf("loader   %9.0f samples/s  %9.0f per core", t.samples / t.seconds, t.samples / t.processor);
        if (s == STATUS_OK && bytes > 0)
            printf("  %8.1f MB/s of the file", 1e-6 * bytes * t.samples / t.seconds);
        if (s == STATUS_OK)
            printf(", %d thread%s, nothing else at work\n", c.threads, c.threads == 1 ? "" : "s");
    }
    loader_contest_close(&c);
    return s;
}

/* ---------------------------------------------------------------- for programs */

/* False: there is no loader, or it failed. */
static bool answer_loader(loader_contest *l, double samples, plugin_network *p)
{
    loader_time t = {.samples = 0};
    if (!l->loader && loader_contest_open(l, p) != STATUS_OK)
        return false;
    if (!l->loader || loader_contest_take(l, samples, &t) != STATUS_OK)
        return false;
    printf("%.9g %.9g %.0f\n", t.seconds, t.processor, t.samples);
    return true;
}

static void answer(const char *request, contestant *const *c, yardstick *y, loader_contest *l)
{
    char word[16], rest;
    long steps = 0;
    int read = sscanf(request, "%15s %ld %c", word, &steps, &rest);
    if (read == 1 && strcmp(word, "roof") == 0) {
        y->rate = 0;
        yardstick_measure(y);
        printf("%.6g\n", y->rate);
        return;
    }
    if (read == 2 && steps > 0 && strcmp(word, "loader") == 0 && answer_loader(l, (double)steps, c[1]->net))
        return;
    for (int i = 0; i < 2; ++i)
        if (read == 2 && steps > 0 && c[i]->net && strcasecmp(word, c[i]->name) == 0) {
            printf("%.9g\n", contest_time(c[i], steps));
            return;
        }
    printf("error\n");
}

/* First a line with the cost of each kind of step, then a line for each request. */
static void serve(contestant *const *c, yardstick *y)
{
    char *request = NULL;
    size_t size = 0;
    loader_contest l = {.loader = NULL};
    printf("ready");
    for (int i = 0; i < 2; ++i)
        if (c[i]->net)
            printf(" %s %.6g %.3f", c[i]->name, contest_cost(c[i]->net), contest_units(c[i]->net));
    printf("\n");
    while (fflush(stdout) == 0 && getline(&request, &size, stdin) > 0)
        answer(request, c, y, &l);
    loader_contest_close(&l);
    free(request);
}

static int bench(const arguments *a)
{
    contestant sobolev, plain;
    yardstick y = {0};
    int result = contest_load(a, &sobolev, &plain);
    if (result == EXIT_OK && sobolev.net) {
        if (yardstick_create(&y, plugin_backend(sobolev.net)) != STATUS_OK)
            result = report_failure(STATUS_NO_MEMORY);
        else if (a->requests)
            serve((contestant *const[]){&plain, &sobolev}, &y);
        else {
            print_contest(a, &sobolev, &plain, &y);
            status s = print_loader(a, sobolev.net);
            result = s == STATUS_OK ? result : report_failure(s);
        }
        yardstick_free(&y);
    }
    plugin_free(plain.net);
    plugin_free(sobolev.net);
    return result;
}

const verb verb_bench = {
    .name = "bench",
    .synopsis = "CFG",
    .meaning = "time plain and Sobolev steps of a network",
    .details = "Alternates rounds of plain steps (the same network with order=0) and Sobolev steps, update included, on random data, and\n"
               "prints medians, their ratio, and the fraction of the matrix-product rate of the same backend in the same run. A unit is\n"
               "one application of the network's linear layers to the batch. Where [data] is read in pieces, also the rate of the loader,\n"
               "augmentation included, by the clock and by the processor time that all its threads used (per core).\n"
               "-requests is for programs that compare: each line `plain N`, `sobolev N` or `roof` on standard input is answered by the\n"
               "seconds that N steps took, or by the matrix-product rate, `loader N` by the seconds, the processor seconds and the number of\n"
               "about N samples. The first line names the kinds of steps, each with its floating-point operations and units.\n",
    .least = 1,
    .most = 1,
    .flags = FLAG_CFG | FLAG_SECONDS | FLAG_REQUESTS,
    .takes_long = true,
    .run = bench,
};
