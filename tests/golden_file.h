/* Cases that an independent autodiff has computed (golden/), and comparing with them. Include after cmocka.h. */
#ifndef DNX_TESTS_GOLDEN_FILE_H
#define DNX_TESTS_GOLDEN_FILE_H

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine/graph.h"

#ifdef DNX_DOUBLE
static const char other_build[] = "float";
static const double tolerance = 1e-12; /* the files have 15 digits */
#else
static const char other_build[] = "double";
static const double tolerance = 2e-5;
#endif

enum { MAX_ARRAYS = 40, MAX_CASES = 400 };

typedef struct array {
    char name[32];
    size_t count;
    double *values;
} array;

typedef struct golden_case {
    const char *file;
    char name[64], build[8], cfg[2048];
    unsigned long seed, step;
    array arrays[MAX_ARRAYS];
    int n_arrays;
} golden_case;

static golden_case cases[MAX_CASES]; /* needed to the end, so that nobody frees them */
static int n_cases;

static void require(bool holds, const golden_case *c, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "golden/sobolev_%s.txt, case %s: %s\n", c->file, c->name, what);
    exit(1);
}

static void read_array(FILE *in, golden_case *c, const char *name)
{
    require(c->n_arrays < MAX_ARRAYS, c, "too many arrays");
    array *a = &c->arrays[c->n_arrays++];
    snprintf(a->name, sizeof a->name, "%s", name);
    require(fscanf(in, "%zu", &a->count) == 1, c, name);
    a->values = calloc(a->count + 1, sizeof *a->values);
    require(a->values != NULL, c, "no memory");
    for (size_t i = 0; i < a->count; i++)
        require(fscanf(in, "%lf", &a->values[i]) == 1, c, name);
}

static void read_case(FILE *in, golden_case *c)
{
    char word[32];
    int found = fscanf(in, " case %63s build %7s random %lu %lu cfg %2047[^;];", c->name, c->build, &c->seed, &c->step, c->cfg);
    require(found == 5, c, "is not understood");
    while (fscanf(in, "%31s", word) == 1 && strcmp(word, "end") != 0)
        read_array(in, c, word);
    require(!feof(in), c, "has no end");
}

static void read_golden_file(const char *file)
{
    char path[512];
    const golden_case none = {.file = file};
    int count;
    snprintf(path, sizeof path, TEST_DIR "/golden/sobolev_%s.txt", file);
    FILE *in = fopen(path, "r");
    require(in && fscanf(in, "#%*[^\n] cases %d", &count) == 1 && count <= MAX_CASES - n_cases, &none, "is not a file of cases");
    for (int i = 0; i < count; i++) {
        cases[n_cases] = none;
        read_case(in, &cases[n_cases++]);
    }
    fclose(in);
}

static const array *get_array(const golden_case *c, const char *name)
{
    for (int i = 0; i < c->n_arrays; i++)
        if (strcmp(c->arrays[i].name, name) == 0)
            return &c->arrays[i];
    fail_msg("golden/sobolev_%s.txt, case %s has no %s", c->file, c->name, name);
    return NULL;
}

/* The array that belongs to a parameter: "weights_2", "gradient_biases_0". */
static const array *parameter_array(const golden_case *c, const char *prefix, const graph_node *node, const parameter *p)
{
    char name[64];
    snprintf(name, sizeof name, "%s%s_%d", prefix, p->name, node->index);
    const array *a = get_array(c, name);
    assert_int_equal(a->count, p->count);
    return a;
}

/* ---------------------------------------------------------------- comparing */

static int failures;

static void assert_no_failures(void)
{
    int count = failures;
    failures = 0;
    assert_int_equal(count, 0);
}

/* Entries of one array share a scale, the largest; NaN fails. */
static void expect_array(const char *what, const real *got, const double *want, size_t count, double relative)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs(want[i]));
    for (size_t i = 0; i < count; i++) {
        double error = fabs((double)got[i] - want[i]);
        if (error <= relative * largest)
            continue;
        failures++;
        print_error("%s[%zu] is %.17g, should be %.17g: off by %.2g of the largest entry\n", what, i, (double)got[i], want[i],
                    error / largest);
        return;
    }
}

static inline void expect_number(const char *what, double got, double want)
{
    if (fabs(got - want) <= tolerance * fabs(want))
        return;
    failures++;
    print_error("%s is %.17g, should be %.17g: off by %.2g\n", what, got, want, fabs(got - want) / fabs(want));
}

static void fill(real *out, const array *from, size_t count)
{
    assert_int_equal(from->count, count);
    for (size_t i = 0; i < count; i++)
        out[i] = (real)from->values[i];
}

#endif
