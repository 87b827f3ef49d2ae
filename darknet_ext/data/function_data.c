#include "data/function_data.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/functions.h"

enum { MAX_FUNCTIONS = sizeof(((function_data *)0)->functions) / sizeof(void *) };

/* ---------------------------------------------------------------- [data] */

static status data_error(const section *s, const char *path, const char *key, const char *text)
{
    char sentence[320];
    snprintf(sentence, sizeof sentence, "[data] %s", text);
    return option_fail(s, path, key, sentence);
}

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
    return data_error(s, path, "function", text);
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
            return data_error(s, path, "function", "the name of a function is missing beside a comma");
        const target_function *found = function_find(name);
        if (!found)
            return unknown_function(s, path, name);
        if (f->n_functions == MAX_FUNCTIONS)
            return data_error(s, path, "function", "names more than 64 functions");
        f->functions[f->n_functions++] = found;
        at = comma ? comma + 1 : at;
    } while (comma);
    return STATUS_OK;
}

static status check_dimensions(const function_data *f, const section *s, const char *path)
{
    char text[256];
    long dimension = option_given(s, "dimension") ? option_integer(s, "dimension") : 0;
    if (dimension && dimension != f->inputs) {
        snprintf(text, sizeof text, "dimension=%ld, but the network has %d inputs", dimension, f->inputs);
        return data_error(s, path, "dimension", text);
    }
    for (int k = 0; k < f->n_functions; ++k) {
        const target_function *t = f->functions[k];
        if (t->dimension ? t->dimension == f->inputs : f->inputs >= t->minimum_dimension)
            continue;
        int inputs = t->dimension ? t->dimension : t->minimum_dimension;
        snprintf(text, sizeof text, "function %s has %s%d inputs, the network %d: set [net] inputs=%d", t->name, t->dimension ? "" : "at least ", inputs,
                 f->inputs, inputs);
        return data_error(s, path, "function", text);
    }
    return STATUS_OK;
}

static status read_domain(function_data *f, const section *s)
{
    double given[2] = {0, 0};
    bool own = option_given(s, "domain");
    if (own)
        option_reals(s, "domain", given, 2); /* the reader has checked that they are two, and ascend */
    f->low = allocate_zeroed((unsigned long)f->inputs, sizeof *f->low);
    f->high = allocate_zeroed((unsigned long)f->inputs, sizeof *f->high);
    if (!f->low || !f->high)
        return STATUS_NO_MEMORY;
    for (int i = 0; i < f->inputs; ++i) {
        f->low[i] = own ? given[0] : function_low(f->functions[0], i);
        f->high[i] = own ? given[1] : function_high(f->functions[0], i);
    }
    return STATUS_OK;
}

status function_data_read(function_data *f, const section *s, const char *path, int inputs, int outputs)
{
    *f = (function_data){.inputs = inputs};
    status result = find_functions(f, s, path);
    if (result == STATUS_OK && f->n_functions != outputs) {
        char text[160];
        snprintf(text, sizeof text, "names %d function%s, but the network has %d output%s", f->n_functions, f->n_functions == 1 ? "" : "s", outputs,
                 outputs == 1 ? "" : "s");
        result = data_error(s, path, "function", text);
    }
    if (result == STATUS_OK)
        result = check_dimensions(f, s, path);
    if (result == STATUS_OK)
        result = read_domain(f, s);
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

/* Training computes in float. */
static bool all_finite(const double *values, size_t count)
{
    for (size_t i = 0; values && i < count; ++i)
        if (!(fabs(values[i]) <= FLT_MAX))
            return false;
    return true;
}

static bool dataset_is_finite(const dataset *d)
{
    for (dataset_part part = PART_Y; part <= PART_HESSIAN; ++part)
        if (!all_finite(d->parts[part], (size_t)d->points * dataset_part_size(d, part)))
            return false;
    return true;
}

status dataset_sample(dataset *d, const function_data *f, int points, int order, uint64_t seed, random_purpose purpose)
{
    static const unsigned parts_of_order[] = {1 << PART_X | 1 << PART_Y, 1 << PART_X | 1 << PART_Y | 1 << PART_JACOBIAN,
                                              1 << PART_X | 1 << PART_Y | 1 << PART_JACOBIAN | 1 << PART_HESSIAN};
    *d = (dataset){.points = points, .inputs = f->inputs, .outputs = f->n_functions};
    status s = dataset_allocate(d, parts_of_order[order]);
    if (s != STATUS_OK) {
        dataset_free(d);
        return s;
    }
    memcpy(d->low, f->low, (size_t)f->inputs * sizeof *d->low);
    memcpy(d->high, f->high, (size_t)f->inputs * sizeof *d->high);
    random_stream stream = {seed, purpose, 0};
    for (size_t i = 0; i < (size_t)points * (size_t)f->inputs; ++i) {
        size_t k = i % (size_t)f->inputs;
        d->parts[PART_X][i] = f->low[k] + (f->high[k] - f->low[k]) * random_one(stream, i);
    }
    evaluate(f, d->parts[PART_X], (size_t)points, d->parts[PART_Y], d->parts[PART_JACOBIAN], d->parts[PART_HESSIAN]);
    if (!dataset_is_finite(d)) {
        dataset_free(d);
        return status_fail(STATUS_BAD_CONFIG, "the function, or a derivative of it, is not finite everywhere on this domain");
    }
    return STATUS_OK;
}
