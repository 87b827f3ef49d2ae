/* [data]: every way samples can come gives the same samples; what does not fit is refused in one sentence with its place. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "black_scholes_greeks.h"
#include "config/reader.h"
#include "data/data_source.h"
#include "data/file.h"
#include "data/functions.h"

enum { TEXT = 1024 };

#define NEEDS(...) {.inputs = 1, .outputs = 1, .seed = 1, .processes = 1, __VA_ARGS__}

/* A [data] section on its own, with a network's needs. */
typedef struct opened {
    config *config;
    data_source data;
} opened;

static void print_line(void *context, const char *line)
{
    (void)context;
    print_error("%s\n", line);
}

static status open_keys(opened *o, const char *keys, data_needs needs)
{
    char text[TEXT + 64];
    snprintf(text, sizeof text, "[net]\ninputs=%d\n[data]\n%s\n[connected]\noutput=1\n", needs.inputs, keys);
    assert_int_equal(config_parse("t.cfg", text, strlen(text), NULL, 0, print_line, NULL, &o->config), STATUS_OK);
    return data_source_open(&o->data, config_section(o->config, "data"), "t.cfg", &needs);
}

static void open_good(opened *o, const char *keys, data_needs needs)
{
    if (open_keys(o, keys, needs) != STATUS_OK)
        fail_msg("%s: %s", keys, status_text());
}

static void close_all(opened *o)
{
    data_source_free(&o->data);
    config_free(o->config);
}

static dataset training_of(const opened *o)
{
    dataset d;
    if (data_source_training(&o->data, &d) != STATUS_OK)
        fail_msg("%s", status_text());
    return d;
}

static dataset test_of(const opened *o)
{
    dataset d;
    if (data_source_test(&o->data, &d) != STATUS_OK)
        fail_msg("%s", status_text());
    return d;
}

/* ---------------------------------------------------------------- the same samples */

/* The sample with that x. */
static size_t find_sample(const dataset *d, const double *x)
{
    for (size_t s = 0; s < (size_t)d->points; ++s)
        if (memcmp(dataset_at(d, PART_X, s), x, (size_t)d->inputs * sizeof *x) == 0)
            return s;
    fail_msg("a sample is lost");
    return 0;
}

static void expect_same_samples(const dataset *got, const dataset *want)
{
    assert_int_equal(got->points, want->points);
    for (size_t s = 0; s < (size_t)got->points; ++s) {
        size_t t = find_sample(want, dataset_at(got, PART_X, s));
        for (dataset_part part = PART_Y; part <= PART_HESSIAN; ++part) {
            assert_int_equal(got->parts[part] != NULL, want->parts[part] != NULL);
            if (got->parts[part])
                assert_memory_equal(dataset_at(got, part, s), dataset_at(want, part, t), dataset_part_size(got, part) * sizeof(double));
        }
    }
}

/* One output after the other, one point after the other. */
static void expect_functions(const dataset *d, const char *const names[2])
{
    for (size_t s = 0; s < (size_t)d->points; ++s)
        for (size_t k = 0; k < 2; ++k) {
            double gradient[2], hessian[4];
            double y = function_find(names[k])->evaluate(dataset_at(d, PART_X, s), 2, gradient, hessian);
            assert_true(dataset_at(d, PART_Y, s)[k] == y);
            assert_memory_equal(dataset_at(d, PART_JACOBIAN, s) + 2 * k, gradient, sizeof gradient);
            if (d->parts[PART_HESSIAN])
                assert_memory_equal(dataset_at(d, PART_HESSIAN, s) + 4 * k, hessian, sizeof hessian);
        }
}

/* Between the limits, and in both halves of what lies between. */
static void expect_domain(const dataset *d, const double *limits)
{
    for (int j = 0; j < d->inputs; ++j) {
        double low = limits[2 * j], high = limits[2 * j + 1], middle = (low + high) / 2;
        int halves = 0;
        assert_true(d->low[j] == low && d->high[j] == high);
        for (size_t s = 0; s < (size_t)d->points; ++s) {
            double x = dataset_at(d, PART_X, s)[j];
            assert_true(x >= low && x <= high);
            halves |= x < middle ? 1 : 2;
        }
        assert_int_equal(halves, 3);
    }
}

/* A polynomial that is built in, through files of both kinds and back. */
static void test_functions_through_files(void **state)
{
    static const char *const files[] = {"samples.csv", "samples.h5"};
    data_needs needs = {.inputs = 2, .outputs = 2, .order = 2, .evaluation_order = 1, .needs_values = true, .seed = 3, .processes = 2};
    opened o;
    (void)state;
    open_good(&o, "function=booth,beale\npoints=40\ntest_points=7\n", needs);
    dataset training = training_of(&o), test = test_of(&o);
    assert_null(test.parts[PART_HESSIAN]); /* nobody asks for it */
    for (size_t s = 0; s < 7; ++s) /* other points */
        for (size_t t = 0; t < 40; ++t)
            assert_true(dataset_at(&test, PART_X, s)[0] != dataset_at(&training, PART_X, t)[0]);
    expect_functions(&training, (const char *const[]){"booth", "beale"});
    expect_functions(&test, (const char *const[]){"booth", "beale"});
    expect_domain(&training, (const double[]){-10, 10, -10, 10}); /* of the first function */
    double x[] = {1.5, -2};
    assert_true(data_source_is_function(&o.data));
    double y[2];
    assert_int_equal(data_source_evaluate(&o.data, x, 1, y, NULL), STATUS_OK);
    assert_true(fabs(y[0] - ((1.5 - 4 - 7) * (1.5 - 4 - 7) + (3. - 2 - 5) * (3. - 2 - 5))) < 1e-12);
    close_all(&o);
    for (int i = 0; i < 2; ++i) {
        char keys[TEXT];
        assert_int_equal(dataset_write(files[i], &training), STATUS_OK);
        assert_int_equal(dataset_write(i ? "test.h5" : "test.csv", &test), STATUS_OK);
        snprintf(keys, sizeof keys, "file=%s\ntest_file=%s\n", files[i], i ? "test.h5" : "test.csv");
        open_good(&o, keys, needs);
        assert_false(data_source_is_function(&o.data));
        dataset again = training_of(&o), test_again = test_of(&o);
        expect_same_samples(&again, &training);
        expect_same_samples(&test_again, &test);
        for (int j = 0; j < 2; ++j)
            for (size_t s = 0; s < 40; ++s)
                assert_true(o.data.low[j] <= dataset_at(&training, PART_X, s)[j] && dataset_at(&training, PART_X, s)[j] <= o.data.high[j]);
        dataset_free(&again);
        dataset_free(&test_again);
        close_all(&o);
        unlink(files[i]);
        unlink(i ? "test.h5" : "test.csv");
    }
    dataset_free(&training);
    dataset_free(&test);
}

/* Black-Scholes as a black box, against its greeks; and in a file with the greeks themselves. */
static void test_black_box(void **state)
{
    data_needs needs = {.inputs = 3, .outputs = 1, .order = 2, .evaluation_order = 2, .needs_values = true, .seed = 1, .processes = 2};
    opened o;
    (void)state;
    open_good(&o, "function=" BLACK_BOXES ":price\ndomain=60,140,.25,2,.1,.5\npoints=50\ntest_points=20\n", needs);
    dataset d = training_of(&o), exact = training_of(&o), test = test_of(&o);
    assert_int_equal(d.points, 50);
    assert_int_equal(test.points, 20);
    for (size_t s = 0; s < 50; ++s) {
        double *gradient = dataset_at(&exact, PART_JACOBIAN, s), *hessian = dataset_at(&exact, PART_HESSIAN, s);
        const double *x = dataset_at(&d, PART_X, s);
        assert_true(x[0] > 60 && x[0] < 140 && x[1] > .25 && x[1] < 2 && x[2] > .1 && x[2] < .5);
        *dataset_at(&exact, PART_Y, s) = black_scholes_greeks(x, gradient, hessian);
        assert_true(fabs(*dataset_at(&d, PART_Y, s) - *dataset_at(&exact, PART_Y, s)) < 1e-11);
        for (int j = 0; j < 3; ++j)
            assert_true(fabs(dataset_at(&d, PART_JACOBIAN, s)[j] - gradient[j]) < 1e-6);
        for (int j = 0; j < 9; ++j)
            assert_true(fabs(dataset_at(&d, PART_HESSIAN, s)[j] - hessian[j]) < 1e-3);
    }
    char *text = NULL;
    size_t length;
    FILE *out = open_memstream(&text, &length);
    data_source_describe(&o.data, out);
    fclose(out);
    assert_non_null(strstr(text, "first derivative by input 1: central differences of step "));
    assert_non_null(strstr(text, "second derivative by input 3: central differences of step "));
    free(text);
    close_all(&o);
    open_good(&o, "function=" BLACK_BOXES ":price\ndomain=60,140,.25,2,.1,.5\ndifference_step=.125\n", needs);
    out = open_memstream(&text, &length);
    data_source_describe(&o.data, out);
    fclose(out);
    assert_non_null(strstr(text, "first derivative by input 1: central differences of step 10,"));
    free(text);
    close_all(&o);
    assert_int_equal(dataset_write("greeks.h5", &exact), STATUS_OK);
    open_good(&o, "file=greeks.h5\ntest_file=greeks.h5\n", needs);
    dataset again = training_of(&o);
    expect_same_samples(&again, &exact);
    close_all(&o);
    unlink("greeks.h5");
    dataset_free(&d);
    dataset_free(&exact);
    dataset_free(&test);
    dataset_free(&again);
}

/* The domain of the function, or of the cfg; other points for another seed. */
static void test_domains(void **state)
{
    data_needs needs = {.inputs = 2, .outputs = 1, .order = 1, .needs_values = true, .seed = 3};
    opened o;
    (void)state;
    open_good(&o, "function=bukin\npoints=50\n", needs);
    dataset own = training_of(&o);
    expect_domain(&own, (const double[]){-15, -5, -3, 3});
    close_all(&o);
    open_good(&o, "function=bukin\npoints=50\ndomain=-9,-7,2,4\n", needs);
    dataset given = training_of(&o);
    expect_domain(&given, (const double[]){-9, -7, 2, 4});
    close_all(&o);
    needs.seed = 4;
    open_good(&o, "function=bukin\npoints=50\n", needs);
    dataset reseeded = training_of(&o);
    assert_memory_not_equal(own.parts[PART_X], reseeded.parts[PART_X], 100 * sizeof(double));
    close_all(&o);
    dataset *all[] = {&own, &given, &reseeded};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        dataset_free(all[i]);
}

static void test_usual_number(void **state)
{
    (void)state;
    opened o;
    open_good(&o, "function=sphere\n", (data_needs){.inputs = 1, .outputs = 1, .needs_values = true});
    dataset d = training_of(&o);
    assert_int_equal(d.points, 10000);
    dataset_free(&d);
    close_all(&o);
}

/* Finite as double, not as the float in which training computes. */
static void test_large_black_box(void **state)
{
    (void)state;
    opened o;
    dataset d;
    open_good(&o, "function=" BLACK_BOXES ":gives_huge\ndomain=-1,15\npoints=50\n", (data_needs)NEEDS(.needs_values = true));
    assert_int_equal(data_source_training(&o.data, &d), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), "t.cfg:4:10: error: [data] the function, or a derivative of it, is too large for float"));
    close_all(&o);
}

/* As many as there may be; the next is refused. */
static void test_many_functions(void **state)
{
    char keys[TEXT] = "function=booth";
    data_needs needs = {.inputs = 2, .outputs = 64, .seed = 1};
    opened o;
    (void)state;
    for (int k = 1; k < 64; ++k)
        strcat(keys, ",booth");
    open_good(&o, keys, needs);
    close_all(&o);
    strcat(keys, ",booth");
    assert_int_equal(open_keys(&o, keys, needs), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), "more than 64 functions"));
    close_all(&o);
}

/* ---------------------------------------------------------------- the split */

static void write_line(int points)
{
    FILE *f = fopen("line.csv", "w");
    fprintf(f, "x,y,dy_dx\n");
    for (int i = 0; i < points; ++i)
        fprintf(f, "%d,%d,2\n", i, 2 * i);
    fclose(f);
}

static const data_needs line_needs = {.inputs = 1, .outputs = 1, .order = 1, .evaluation_order = 1, .needs_values = true, .seed = 7};

static void test_split(void **state)
{
    (void)state;
    write_line(40);
    opened o, other;
    data_needs reseeded = line_needs;
    reseeded.seed = 8;
    open_good(&o, "file=line.csv\ntest_fraction=.25\n", line_needs);
    open_good(&other, "file=line.csv\ntest_fraction=.25\n", reseeded);
    dataset training = training_of(&o), test = test_of(&o), again = test_of(&o), reseeded_test = test_of(&other);
    assert_int_equal(training.points, 30);
    assert_int_equal(test.points, 10);
    int seen[40] = {0};
    for (int i = 0; i < 40; ++i)
        ++seen[(int)(i < 30 ? training.parts[PART_X][i] : test.parts[PART_X][i - 30])];
    for (int i = 0; i < 40; ++i)
        assert_int_equal(seen[i], 1);
    assert_memory_equal(test.parts[PART_X], again.parts[PART_X], 10 * sizeof(double));
    assert_memory_not_equal(test.parts[PART_X], reseeded_test.parts[PART_X], 10 * sizeof(double));
    assert_true(training.low[0] == 0 && training.high[0] == 39);
    close_all(&other);
    close_all(&o);
    open_good(&o, "file=line.csv\ntest_fraction=.25\npoints=5\ntest_points=3\n", line_needs);
    dataset few = training_of(&o), few_tests = test_of(&o);
    assert_int_equal(few.points, 5);
    assert_int_equal(few_tests.points, 3);
    assert_memory_equal(few.parts[PART_X], training.parts[PART_X], 5 * sizeof(double)); /* the beginning of the same order */
    close_all(&o);
    open_good(&o, "file=line.csv\ntest_fraction=.19\npoints=1000\ntest_points=1000\n", line_needs);
    dataset rest = training_of(&o), nearest = test_of(&o);
    assert_int_equal(rest.points, 32);
    assert_int_equal(nearest.points, 8); /* of 7.6 */
    close_all(&o);
    open_good(&o, "file=line.csv\n", line_needs);
    dataset usual = test_of(&o);
    assert_int_equal(usual.points, 4); /* a tenth */
    close_all(&o);
    write_line(2);
    open_good(&o, "file=line.csv\n", line_needs);
    dataset one = training_of(&o), other_one = test_of(&o);
    assert_int_equal(one.points, 1);
    assert_int_equal(other_one.points, 1);
    close_all(&o);
    open_good(&o, "file=line.csv\ntest_fraction=.9\n", line_needs);
    dataset last = training_of(&o);
    assert_int_equal(last.points, 1);
    close_all(&o);
    dataset *all[] = {&training, &test, &again, &reseeded_test, &few, &few_tests, &rest, &nearest, &usual, &one, &other_one, &last};
    for (size_t i = 0; i < sizeof all / sizeof *all; ++i)
        dataset_free(all[i]);
    unlink("line.csv");
}

/* ---------------------------------------------------------------- what does not fit */

typedef struct bad_case {
    const char *keys, *content, *words; /* content of in.csv */
    data_needs needs;
} bad_case;

static const bad_case bad_cases[] = {
    {"file=nowhere.csv", NULL, "t.cfg:4:6: error: [data] nowhere.csv: error: ", NEEDS(.needs_values = true)},
    {"file=in.csv", "x,z\n1,2\n2,3\n", "in.csv has no y, which the loss on values needs", NEEDS(.needs_values = true)},
    {"file=in.csv", "x,y\n1,2\n2,3\n", "in.csv has no dydx, which the loss on first derivatives needs", NEEDS(.order = 1, .needs_values = true, .needs_first = true)},
    {"file=in.csv", "x,y,dy_dx\n1,2,3\n2,3,4\n", "in.csv has no d2ydx2, which the loss on second derivatives needs", NEEDS(.order = 2)},
    {"file=in.csv\nmissing=1", "x,dy_dx\n1,2\n2,3\n", "in.csv has no y, which differentiate=log_", NEEDS(.order = 1, .head = true)},
    {"file=in.csv", "x,y,v,hvp\n1,2,1,3\n2,3,1,4\n", "in.csv has no dydx, which order=2 of differentiate=",
     NEEDS(.order = 2, .directions = 1, .whole_jacobian = true)},
    {"file=in.csv", "x,y,v,hvp\n1,2,1,3\n2,3,1,4\n", "in.csv has v and hvp instead of d2ydx2: set [sobolev] label_directions=1", NEEDS(.order = 2)},
    {"file=in.csv", "x,y,v,jvp\n1,2,1,3\n2,3,1,4\n", "in.csv has v and jvp instead of dydx: set [sobolev] label_directions=1", NEEDS(.order = 1)},
    {"file=in.csv", "x,y,v,jvp\n1,2,1,3\n2,3,1,4\n", "in.csv has v for 1 direction: set [sobolev] label_directions=1", NEEDS(.order = 1, .directions = 3)},
    {"file=in.csv", "x,y,dy_dx\n1,2,3\n2,3,4\n", "in.csv has no v, which [sobolev] label_directions needs", NEEDS(.order = 1, .directions = 3)},
    {"file=in.csv", "x,y,v,jvp\n1,2,1,3\n2,3,1,4\n", "in.csv has no hvp, which", NEEDS(.order = 2, .directions = 1)},
    {"file=in.csv", "x,y,v,hvp\n1,2,1,3\n2,3,1,4\n", "in.csv has no dydx and no jvp, which the loss on first", NEEDS(.order = 2, .directions = 1, .needs_first = true)},
    {"file=in.csv", "x,y,v,jvp,v_weight\n1,2,1,3,1\n2,3,1,4,-2\n", "v_weight of sample 2 is negative: -2", NEEDS(.order = 1, .directions = 1)},
    {"file=in.csv", "x,y\n1,2\n2,\n", "in.csv: y of sample 2 is not given (NaN): missing=1 leaves such labels out", NEEDS(.needs_values = true)},
    {"file=in.csv", "x,y\n1,2\n2,3.41e38\n", "y of sample 2 is too large for float", NEEDS(.needs_values = true)},
    {"file=in.csv", "x,y\n1,2\n2,1e39\n", "in.csv: y of sample 2 is too large for float: 1e+39", NEEDS(.needs_values = true)},
    {"file=in.csv\nmissing=1", "x,y\n1,2\n2,-1e39\n", "y of sample 2 is too large for float", NEEDS(.needs_values = true)},
    {"file=in.csv", "x,y\n1,2\n", "in.csv has one sample: none is left for tests", NEEDS(.needs_values = true)},
    {"file=in.csv\ntest_file=nowhere.h5", "x,y\n1,2\n2,3\n", "t.cfg:5:11: error: [data] nowhere.h5: error: ", NEEDS(.needs_values = true)},
    {"file=in.csv", "x1,x2,y\n1,2,3\n2,3,4\n", "in.csv", NEEDS(.needs_values = true)},
    {"function=sphere", NULL, "label_directions=2 needs labels from a file", NEEDS(.order = 1, .directions = 2)},
    {"function=sphere\ndifference_step=.1", NULL, "built-in functions have exact derivatives", NEEDS(.order = 1)},
    {"function=sphere\ndomain=1,2,3,4", NULL, "t.cfg:5:8: error: [data] domain has 4 numbers: give low,high, or a pair for each of the 1 inputs", NEEDS(.order = 1)},
    {"function=booth\ndomain=1,2,3,4,5,6", NULL, "domain has 6 numbers", {.inputs = 2, .outputs = 1, .seed = 1, .processes = 1}},
    {"function=sphere\ndomain=1,2,3,4", NULL, "or a pair for each of the 3 inputs", {.inputs = 3, .outputs = 1, .seed = 1, .processes = 1}},
    {"function=" BLACK_BOXES ":price\ndomain=1,2", NULL, "label_directions=2 needs labels from a file", NEEDS(.order = 1, .directions = 2)},
    {"function=" BLACK_BOXES ":price", NULL, ":price needs domain=: low,high of every input", NEEDS(.order = 1)},
    {"function=" BLACK_BOXES ":prise\ndomain=1,2", NULL, "prise", NEEDS(.order = 1)},
    {"function=./nowhere.so:price\ndomain=1,2", NULL, "nowhere.so", NEEDS(.order = 1)},
    {"function=" BLACK_BOXES ":price\ndomain=1,2\ndimension=3", NULL, "dimension=3, but the network has 1 inputs", NEEDS(.order = 1)},
    {"function=" BLACK_BOXES ":price\ndomain=1,2", NULL, "price", NEEDS(.order = 1)}, /* returns an error: one input is not three */
};

static void test_bad_data(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; ++i) {
        const bad_case *c = &bad_cases[i];
        opened o;
        if (c->content) {
            FILE *f = fopen("in.csv", "w");
            fputs(c->content, f);
            fclose(f);
        }
        status s = open_keys(&o, c->keys, c->needs);
        if (s != STATUS_BAD_CONFIG || !strstr(status_text(), c->words) || !strstr(status_text(), "t.cfg:") || strchr(status_text(), '\n'))
            fail_msg("%s, %s: status %d\nshould hold: %s\nfound:       %s", c->keys, c->content ? c->content : "", s, c->words, status_text());
        close_all(&o);
    }
    unlink("in.csv");
}

/* Labels that may be missing, and parts that nobody needs. */
static void test_lenient_data(void **state)
{
    static const bad_case cases[] = {
        {"file=in.csv\nmissing=1", "x,y\n1,2\n2,\n3,4\n", NULL, NEEDS(.needs_values = true)},
        {"file=in.csv\nmissing=1", "x,y,dy_dx\n1,2,\n2,,3\n3,4,5\n", NULL, NEEDS(.order = 1, .needs_values = true, .head = true)},
        {"file=in.csv", "x,y,dy_dx,v,hvp\n1,2,1,1,3\n2,3,1,1,4\n5,6,1,7,8\n", NULL, NEEDS(.order = 2, .directions = 1, .whole_jacobian = true)},
        {"file=in.csv\nmissing=1", "x,dy_dx\n1,2\n2,3\n3,4\n", NULL, NEEDS(.order = 1, .needs_values = true)},
        {"file=in.csv", "x,dy_dx\n1,2\n2,3\n3,4\n", NULL, NEEDS(.order = 1)},
        {"file=in.csv", "x,y\n1,2\n2,3\n3,4\n", NULL, NEEDS(.needs_values = true, .evaluation_order = 2)},
        {"file=in.csv", "x,y,v,jvp\n1,2,1,3\n2,3,1,4\n5,6,7,8\n", NULL, NEEDS(.order = 1, .directions = 1)},
        {"file=in.csv", "x,y,v,hvp\n1,2,1,3\n2,3,1,4\n5,6,7,8\n", NULL, NEEDS(.order = 2, .directions = 1)},
        {"file=in.csv", "x,y,v,hvp\n1,2,1,3\n2,3,1,4\n5,6,7,8\n", NULL, NEEDS(.needs_values = true, .evaluation_order = 2)},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        opened o;
        FILE *f = fopen("in.csv", "w");
        fputs(cases[i].content, f);
        fclose(f);
        open_good(&o, cases[i].keys, cases[i].needs);
        dataset d = training_of(&o);
        assert_int_equal(d.points, 2);
        dataset_free(&d);
        close_all(&o);
    }
    unlink("in.csv");
}

/* Tests measure what the training does not look at. */
static void test_parts_for_tests(void **state)
{
    const data_needs needs = NEEDS(.order = 1, .evaluation_order = 2);
    opened o;
    FILE *f = fopen("in.csv", "w");
    (void)state;
    fprintf(f, "x,y,dy_dx,d2y_dx_dx,v,jvp,hvp\n1,2,3,4,1,3,4\n2,3,4,5,1,4,5\n");
    fclose(f);
    open_good(&o, "file=in.csv", needs);
    dataset d = test_of(&o);
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        assert_int_equal(d.parts[part] != NULL, part != PART_V_WEIGHT);
    dataset_free(&d);
    close_all(&o);
    unlink("in.csv");
}

/* Directions of which the loss would see only the first. */
static void test_too_many_directions(void **state)
{
    dataset d = {.points = 2, .inputs = 1, .outputs = 1, .directions = 2};
    opened o;
    (void)state;
    assert_int_equal(dataset_allocate(&d, 1u << PART_X | 1u << PART_Y | 1u << PART_V | 1u << PART_JVP), STATUS_OK);
    assert_int_equal(dataset_write("in.h5", &d), STATUS_OK);
    dataset_free(&d);
    assert_int_equal(open_keys(&o, "file=in.h5", (data_needs)NEEDS(.order = 1, .directions = 1)), STATUS_BAD_CONFIG);
    assert_non_null(strstr(status_text(), "in.h5 has v for 2 directions: set [sobolev] label_directions=2"));
    close_all(&o);
    unlink("in.h5");
}

/* Every part of it. */
static void test_finite(void **state)
{
    (void)state;
    for (dataset_part part = PART_Y; part <= PART_HESSIAN; ++part) {
        dataset d = {.points = 2, .inputs = 2, .outputs = 1};
        assert_int_equal(dataset_allocate(&d, parts_to_order(2)), STATUS_OK);
        assert_true(dataset_is_finite(&d));
        d.parts[part][2 * dataset_part_size(&d, part) - 1] = -1e39; /* not in float */
        assert_false(dataset_is_finite(&d));
        dataset_free(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_through_files), cmocka_unit_test(test_black_box),       cmocka_unit_test(test_domains),
        cmocka_unit_test(test_usual_number),            cmocka_unit_test(test_large_black_box), cmocka_unit_test(test_many_functions),
        cmocka_unit_test(test_split),                   cmocka_unit_test(test_bad_data),        cmocka_unit_test(test_lenient_data),
        cmocka_unit_test(test_parts_for_tests),         cmocka_unit_test(test_finite),          cmocka_unit_test(test_too_many_directions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
