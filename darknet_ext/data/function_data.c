#include "data/function_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/domain.h"
#include "data/functions.h"

enum { MAX_FUNCTIONS = sizeof(((function_data *)0)->functions) / sizeof(void *) };

/* ---------------------------------------------------------------- [data] */

static status unknown_function(const section *s, const char *path, const char *name)
{
    const char *names[256];
    int n = function_count < 256 ? function_count : 256;
    for (int i = 0; i < n; ++i)
        names[i] = function_list[i].name;
    const char *nearest = nearest_name(name, names, n);
    char text[256];
    snprintf(text, sizeof text, "unknown function '%.80s'%s%s%s", name, nearest ? ", did you mean '" : " (darknet sobolev functions lists them)",
             nearest ? nearest : "", nearest ? "'?" : "");
    return data_fail(s, path, "function", text);
}

/* Splits `function=` at its commas. */
static status find_functions(function_data *f, const section *s, const char *path)
{
    const char *at = option_text(s, "function"), *comma;
    do {
        char name[128];
        comma = strchr(at, ',');
        snprintf(name, sizeof name, "%.*s", comma ? (int)(comma - at) : 127, at);
        if (!*name)
            return data_fail(s, path, "function", "the name of a function is missing beside a comma");
        const target_function *found = function_find(name);
        if (!found)
            return unknown_function(s, path, name);
        if (f->n_functions == MAX_FUNCTIONS)
            return data_fail(s, path, "function", "names more than 64 functions");
        f->functions[f->n_functions++] = found;
        at = comma ? comma + 1 : at;
    } while (comma);
    return STATUS_OK;
}

static status check_dimensions(const function_data *f, const section *s, const char *path)
{
    char text[256];
    long dimension = option_integer(s, "dimension");
    if (dimension && dimension != f->inputs) {
        snprintf(text, sizeof text, "dimension=%ld, but the network has %d inputs", dimension, f->inputs);
        return data_fail(s, path, "dimension", text);
    }
    for (int k = 0; k < f->n_functions; ++k) {
        const target_function *t = f->functions[k];
        if (t->dimension ? t->dimension == f->inputs : f->inputs >= t->minimum_dimension)
            continue;
        int inputs = t->dimension ? t->dimension : t->minimum_dimension;
        snprintf(text, sizeof text, "function %s has %s%d inputs, the network %d: set [net] inputs=%d", t->name, t->dimension ? "" : "at least ", inputs,
                 f->inputs, inputs);
        return data_fail(s, path, "function", text);
    }
    return STATUS_OK;
}

static status read_domain(function_data *f, const section *s, const char *path)
{
    f->low = allocate_zeroed((unsigned long)f->inputs, sizeof *f->low);
    f->high = allocate_zeroed((unsigned long)f->inputs, sizeof *f->high);
    if (!f->low || !f->high)
        return STATUS_NO_MEMORY;
    for (int i = 0; i < f->inputs; ++i) {
        f->low[i] = function_low(f->functions[0], i);
        f->high[i] = function_high(f->functions[0], i);
    }
    return domain_read(s, path, f->inputs, f->low, f->high);
}

status function_data_read(function_data *f, const section *s, const char *path, int inputs, int outputs)
{
    *f = (function_data){.inputs = inputs};
    status result = find_functions(f, s, path);
    if (result == STATUS_OK && f->n_functions != outputs) {
        char text[160];
        snprintf(text, sizeof text, "names %d function%s, but the network has %d output%s", f->n_functions, f->n_functions == 1 ? "" : "s", outputs,
                 outputs == 1 ? "" : "s");
        result = data_fail(s, path, "function", text);
    }
    if (result == STATUS_OK)
        result = check_dimensions(f, s, path);
    if (result == STATUS_OK)
        result = read_domain(f, s, path);
    if (result != STATUS_OK)
        function_data_free(f);
    return result;
}

void function_data_free(function_data *f)
{
    free(f->low);
    free(f->high);
    *f = (function_data){0};
}

/* ---------------------------------------------------------------- sampling */

static void evaluate(const function_data *f, const double *x, size_t points, double *y, double *jacobian, double *hessian)
{
    size_t n = (size_t)f->inputs, outputs = (size_t)f->n_functions;
    for (size_t row = 0; row < points * outputs; ++row)
        y[row] = f->functions[row % outputs]->evaluate(x + row / outputs * n, f->inputs, jacobian ? jacobian + row * n : NULL,
                                                       hessian ? hessian + row * n * n : NULL);
}

void function_data_evaluate(const function_data *f, const double *x, int points, double *y, double *jacobian)
{
    evaluate(f, x, (size_t)points, y, jacobian, NULL);
}

status dataset_draw(dataset *d, const double *low, const double *high, int order, uint64_t seed, random_purpose purpose)
{
    size_t inputs = (size_t)d->inputs;
    random_stream stream = {seed, purpose, 0};
    status s = dataset_allocate(d, parts_to_order(order));
    if (s != STATUS_OK)
        return s;
    memcpy(d->low, low, inputs * sizeof *low);
    memcpy(d->high, high, inputs * sizeof *high);
    for (size_t i = 0; i < (size_t)d->points * inputs; ++i) {
        size_t k = i % inputs;
        d->parts[PART_X][i] = low[k] + (high[k] - low[k]) * random_one(stream, i);
    }
    return STATUS_OK;
}

status dataset_sample(dataset *d, const function_data *f, int points, int order, uint64_t seed, random_purpose purpose)
{
    *d = (dataset){.points = points, .inputs = f->inputs, .outputs = f->n_functions};
    status s = dataset_draw(d, f->low, f->high, order, seed, purpose);
    if (s != STATUS_OK) {
        dataset_free(d);
        return s;
    }
    evaluate(f, d->parts[PART_X], (size_t)points, d->parts[PART_Y], d->parts[PART_JACOBIAN], d->parts[PART_HESSIAN]);
    if (!dataset_is_finite(d)) {
        dataset_free(d);
        return status_fail(STATUS_BAD_CONFIG, "the function, or a derivative of it, is not finite everywhere on this domain");
    }
    return STATUS_OK;
}
