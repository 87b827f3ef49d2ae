#include "data/data_source.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/domain.h"
#include "data/file.h"

static const double default_test_fraction = .1;
enum { DEFAULT_POINTS = 10000 };

static bool is_file(const data_source *d)
{
    return d->samples.points > 0;
}

/* A sentence about one key, which becomes a message with its place. */
static status fail(const data_source *d, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));

static status fail(const data_source *d, const char *key, const char *format, ...)
{
    char text[1100];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    return data_fail(d->where, d->path, key, text);
}

/* The status of a failed call, with its text at the place of a key. */
static status at_key(const data_source *d, const char *key, status s)
{
    return s == STATUS_OK || s == STATUS_NO_MEMORY ? s : fail(d, key, "%s", strdupa(status_text()));
}

/* ---------------------------------------------------------------- functions */

static status check_no_directions(const data_source *d)
{
    if (d->needs.directions == 0)
        return STATUS_OK;
    return fail(d, "function", "label_directions=%d needs labels from a file: functions give full derivatives", d->needs.directions);
}

static status open_functions(data_source *d)
{
    status s = function_data_read(&d->functions, d->where, d->path, d->needs.inputs, d->needs.outputs);
    if (s != STATUS_OK)
        return s;
    memcpy(d->low, d->functions.low, (size_t)d->needs.inputs * sizeof *d->low);
    memcpy(d->high, d->functions.high, (size_t)d->needs.inputs * sizeof *d->high);
    if (option_given(d->where, "difference_step"))
        return fail(d, "difference_step", "built-in functions have exact derivatives: difference_step means nothing here");
    return check_no_directions(d);
}

/* ---------------------------------------------------------------- black boxes */

static int largest_order(const data_source *d)
{
    return d->needs.order > d->needs.evaluation_order ? d->needs.order : d->needs.evaluation_order;
}

static status open_black_box(data_source *d)
{
    const char *name = option_text(d->where, "function");
    if (!option_given(d->where, "domain"))
        return fail(d, "function", "%s needs domain=: low,high of every input", name);
    status s = domain_read(d->where, d->path, d->needs.inputs, d->low, d->high);
    if (s == STATUS_OK)
        s = check_no_directions(d);
    if (s == STATUS_OK && option_given(d->where, "dimension") && option_integer(d->where, "dimension") != d->needs.inputs)
        s = fail(d, "dimension", "dimension=%ld, but the network has %d inputs", option_integer(d->where, "dimension"), d->needs.inputs);
    if (s != STATUS_OK)
        return s;
    s = black_box_open(&d->box, name, d->needs.inputs, d->needs.outputs, d->needs.processes);
    if (s == STATUS_OK && largest_order(d) > 0)
        s = black_box_choose_steps(d->box, d->low, d->high, largest_order(d), option_real(d->where, "difference_step"), d->needs.seed);
    return at_key(d, "function", s);
}

static status evaluate_black_box(const data_source *d, dataset *set)
{
    double *const *parts = set->parts;
    return at_key(d, "function", black_box_evaluate(d->box, parts[PART_X], set->points, parts[PART_Y], parts[PART_JACOBIAN], parts[PART_HESSIAN]));
}

static status sample_black_box(const data_source *d, dataset *set, int points, int order, random_purpose purpose)
{
    *set = (dataset){.points = points, .inputs = d->needs.inputs, .outputs = d->needs.outputs};
    status s = dataset_draw(set, d->low, d->high, order, d->needs.seed, purpose);
    if (s == STATUS_OK)
        s = evaluate_black_box(d, set);
    if (s == STATUS_OK && !dataset_is_finite(set))
        s = fail(d, "function", "the function, or a derivative of it, is too large for float somewhere on the domain");
    if (s != STATUS_OK)
        dataset_free(set);
    return s;
}

/* ---------------------------------------------------------------- points without labels */

static status open_points(data_source *d)
{
    if (!d->needs.teacher)
        return fail(d, "domain", "needs one of the keys 'function' and 'file': points without labels are for training with a [teacher]");
    if (d->needs.needs_values || d->needs.head)
        return fail(d, "domain", "the points of a domain have no labels, which hard_weight= and differentiate=loss need");
    if (d->needs.directions > 0)
        return fail(d, "domain", "the points of a domain have no directions: label_directions=%d needs a file that holds v", d->needs.directions);
    return domain_read(d->where, d->path, d->needs.inputs, d->low, d->high);
}

static status sample_points(const data_source *d, dataset *set, int points, random_purpose purpose)
{
    *set = (dataset){.points = points, .inputs = d->needs.inputs, .outputs = d->needs.outputs};
    status s = dataset_draw(set, d->low, d->high, -1, d->needs.seed, purpose);
    if (s != STATUS_OK)
        dataset_free(set);
    return s;
}

/* ---------------------------------------------------------------- files */

static unsigned wanted_parts(const data_source *d)
{
    unsigned along = 1u << PART_V | 1u << PART_V_WEIGHT | 1u << PART_JVP | (largest_order(d) > 1 ? 1u << PART_HVP : 0);
    return parts_to_order(largest_order(d)) | along;
}

static status check_part(const data_source *d, bool needed, bool there, const char *what, const char *why)
{
    if (!needed || there)
        return STATUS_OK;
    return fail(d, "file", "%s has no %s, which %s", option_text(d->where, "file"), what, why);
}

/* Whether the file, which has these parts (bits) and v for so many directions, has what the loss looks at. */
static status check_parts(const data_source *d, unsigned parts, int directions)
{
    bool along = d->needs.directions > 0, missing = option_boolean(d->where, "missing");
    bool values = parts >> PART_Y & 1, first = parts >> PART_JACOBIAN & 1, second = parts >> PART_HESSIAN & 1;
    bool jvp = parts >> PART_JVP & 1, hvp = parts >> PART_HVP & 1;
    status s = check_part(d, d->needs.needs_values && !missing, values, "y", "the loss on values needs");
    if (s == STATUS_OK && along)
        s = check_part(d, true, parts >> PART_V & 1, "v", "[sobolev] label_directions needs");
    if (s == STATUS_OK)
        s = check_part(d, d->needs.head, values, "y", "differentiate=log_probabilities and differentiate=loss need");
    if (s == STATUS_OK && along && directions != d->needs.directions)
        s = fail(d, "file", "%s has v for %d direction%s: set [sobolev] label_directions=%d", option_text(d->where, "file"), directions,
                 directions == 1 ? "" : "s", directions);
    if (s == STATUS_OK && !along && d->needs.order > 1 && !second && hvp)
        s = fail(d, "file", "%s has v and hvp instead of d2ydx2: set [sobolev] label_directions=%d", option_text(d->where, "file"), directions);
    if (s == STATUS_OK && !along && d->needs.order > 0 && !first && jvp)
        s = fail(d, "file", "%s has v and jvp instead of dydx: set [sobolev] label_directions=%d", option_text(d->where, "file"), directions);
    if (s == STATUS_OK && along && d->needs.needs_first && d->needs.order < 2 && !d->needs.head && first && !jvp)
        s = fail(d, "file", "%s has v and no jvp: label_directions=%d would compare nothing (the loss on dydx needs no directions: leave it out)",
                 option_text(d->where, "file"), directions);
    if (s == STATUS_OK)
        s = check_part(d, d->needs.needs_first, first || (along && jvp), along ? "dydx and no jvp" : "dydx",
                       "the loss on first derivatives needs (weight_1=0 leaves it out)");
    if (s == STATUS_OK)
        s = check_part(d, d->needs.order > 1, along ? hvp : second, along ? "hvp" : "d2ydx2",
                       "the loss on second derivatives needs (weight_2=0 leaves it out)");
    if (s == STATUS_OK)
        s = check_part(d, along && d->needs.whole_jacobian, first, "dydx",
                       "order=2 of differentiate=log_probabilities or differentiate=loss needs beside hvp");
    return s;
}

/* The first number that is not given, or too large for float. */
static status check_numbers(const data_source *d, const char *key, const dataset *set)
{
    bool missing = option_boolean(d->where, "missing");
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        size_t size = dataset_part_size(set, part), count = set->parts[part] ? (size_t)set->points * size : 0;
        for (size_t i = 0; i < count; ++i) {
            double value = set->parts[part][i];
            if (part == PART_V_WEIGHT && value < 0)
                return fail(d, key, "%s: v_weight of sample %zu is negative: %g", option_text(d->where, key), i / size + 1, value);
            if (isnan(value) ? missing : fabs(value) <= FLT_MAX)
                continue;
            const char *name = dataset_part_names[part], *file = option_text(d->where, key);
            if (isnan(value))
                return fail(d, key, "%s: %s of sample %zu is not given (NaN): missing=1 leaves such labels out", file, name, i / size + 1);
            return fail(d, key, "%s: %s of sample %zu is too large for float: %g", file, name, i / size + 1, value);
        }
    }
    return STATUS_OK;
}

static status read_file(const data_source *d, const char *key, dataset *set)
{
    status s = dataset_read(option_text(d->where, key), d->needs.inputs, d->needs.outputs, wanted_parts(d), set);
    s = at_key(d, key, s);
    return s == STATUS_OK ? check_numbers(d, key, set) : s;
}

static status open_files(data_source *d)
{
    status s = read_file(d, "file", &d->samples);
    if (s == STATUS_OK)
        s = check_parts(d, dataset_parts(&d->samples), d->samples.directions);
    if (s == STATUS_OK && option_given(d->where, "test_file"))
        s = read_file(d, "test_file", &d->test_samples);
    else if (s == STATUS_OK && d->samples.points < 2)
        s = fail(d, "file", "%s has one sample: none is left for tests without test_file=", option_text(d->where, "file"));
    if (s != STATUS_OK)
        return s;
    memcpy(d->low, d->samples.low, (size_t)d->needs.inputs * sizeof *d->low);
    memcpy(d->high, d->samples.high, (size_t)d->needs.inputs * sizeof *d->high);
    return STATUS_OK;
}

/* A part of which nothing is given is as good as not there. */
static void forget_empty_parts(dataset *set)
{
    for (dataset_part part = PART_Y; part < PART_COUNT; ++part) {
        if (dataset_has_given(set, part))
            continue;
        free(set->parts[part]);
        set->parts[part] = NULL;
    }
}

/* Samples first..first+n-1 of the file in an order that the seed decides. */
static status take_shuffled(const data_source *d, const dataset *from, int first, int n, dataset *set)
{
    uint32_t *order = allocate_zeroed((unsigned long)from->points, sizeof *order);
    if (!order)
        return STATUS_NO_MEMORY;
    random_permutation((random_stream){d->needs.seed, RANDOM_SPLIT, 0}, (uint32_t)from->points, order);
    status s = dataset_select(from, order + first, n, set);
    free(order);
    if (s == STATUS_OK)
        forget_empty_parts(set);
    return s;
}

/* Whether the loss finds a label in the training samples. */
static bool can_train(const data_source *d, const dataset *set)
{
    double *const *parts = set->parts;
    bool first = parts[PART_JACOBIAN] || parts[PART_JVP], second = parts[PART_HESSIAN] || parts[PART_HVP];
    return (d->needs.needs_values && parts[PART_Y]) || (d->needs.order > 0 && first) || (d->needs.order > 1 && second) ||
           (d->needs.order == 0 && !d->needs.needs_values);
}

/* Whether there is something to measure the network by. */
static bool can_test(const data_source *d, const dataset *set)
{
    double *const *parts = set->parts;
    return parts[PART_Y] || d->needs.teacher || (d->needs.evaluation_order > 0 && (parts[PART_JACOBIAN] || parts[PART_JVP])) ||
           (d->needs.evaluation_order > 1 && (parts[PART_HESSIAN] || parts[PART_HVP]));
}

static status check_labels(const data_source *d, const char *key, const char *use, bool found, dataset *set)
{
    if (found)
        return STATUS_OK;
    status s = fail(d, key, "%s: none of its %d %s sample%s has a label that could be used", option_text(d->where, key), set->points, use,
                    set->points == 1 ? "" : "s");
    dataset_free(set);
    return s;
}

/* Of `there` samples: as many as the key allows. */
static int at_most(const data_source *d, const char *key, int there)
{
    long wanted = option_integer_or(d->where, key, there);
    return wanted < there ? (int)wanted : there;
}

/* Samples of `file` that are set aside: they come first in the shuffled order. */
static int set_aside(const data_source *d)
{
    if (d->test_samples.points > 0)
        return 0;
    double fraction = option_real_or(d->where, "test_fraction", default_test_fraction);
    int points = d->samples.points, n = (int)lround(fraction * points);
    return n < 1 ? 1 : n > points - 1 ? points - 1 : n;
}

static status training_from_file(const data_source *d, dataset *set)
{
    int first = set_aside(d);
    status s = take_shuffled(d, &d->samples, first, at_most(d, "points", d->samples.points - first), set);
    return s == STATUS_OK ? check_labels(d, "file", "training", can_train(d, set), set) : s;
}

static status test_from_file(const data_source *d, dataset *set)
{
    const dataset *from = d->test_samples.points > 0 ? &d->test_samples : &d->samples;
    int there = d->test_samples.points > 0 ? d->test_samples.points : set_aside(d);
    status s = take_shuffled(d, from, 0, at_most(d, "test_points", there), set);
    return s == STATUS_OK ? check_labels(d, d->test_samples.points > 0 ? "test_file" : "file", "test", can_test(d, set), set) : s;
}

/* ---------------------------------------------------------------- samples in pieces */

static status open_streams(data_source *d)
{
    const data_needs *n = &d->needs;
    bool derivatives = n->needs_first || n->order > 1 || n->directions > 0;
    stream_needs needs = {
        .inputs = n->inputs,
        .outputs = n->outputs,
        .input = n->input,
        .needs_values = n->needs_values || n->head,
        .parts = wanted_parts(d) & ~(1u << PART_X | 1u << PART_Y),
        .needs_derivatives = derivatives,
        .seed = n->seed,
        .pictures = n->pictures,
    };
    for (int j = 0; j < n->inputs; ++j)
        d->high[j] = 1;
    status s = stream_source_open(&d->streams, d->where, d->path, &needs);
    const sample_stream *stream = d->streams.stream;
    unsigned values = s == STATUS_OK && stream->has_labels ? 1u << PART_Y : 0;
    return s == STATUS_OK && derivatives ? check_parts(d, values | stream->parts, stream->directions) : s;
}

bool data_source_is_streamed(const data_source *d)
{
    return d->streams.stream != NULL;
}

static status refuse_streams(const data_source *d)
{
    if (!data_source_is_streamed(d))
        return STATUS_OK;
    return fail(d, stream_source_key(d->where), "this needs all samples in memory, and they are read in pieces");
}

/* ---------------------------------------------------------------- all of them */

static status open_source(data_source *d)
{
    const char *function = option_text(d->where, "function");
    d->low = allocate_zeroed((unsigned long)d->needs.inputs, sizeof *d->low);
    d->high = allocate_zeroed((unsigned long)d->needs.inputs, sizeof *d->high);
    if (!d->low || !d->high)
        return STATUS_NO_MEMORY;
    if (stream_source_is_asked_for(d->where, wanted_parts(d)))
        return open_streams(d);
    if (option_given(d->where, "file"))
        return open_files(d);
    if (!option_given(d->where, "function"))
        return open_points(d);
    return black_box_is_named(function) ? open_black_box(d) : open_functions(d);
}

status data_source_open(data_source *d, const section *where, const char *path, const data_needs *needs)
{
    *d = (data_source){.where = where, .path = path, .needs = *needs};
    status s = open_source(d);
    if (s != STATUS_OK)
        data_source_free(d);
    return s;
}

void data_source_free(data_source *d)
{
    function_data_free(&d->functions);
    black_box_free(d->box);
    dataset_free(&d->samples);
    dataset_free(&d->test_samples);
    stream_source_free(&d->streams);
    free(d->low);
    free(d->high);
    *d = (data_source){0};
}

static status sample_functions(const data_source *d, dataset *set, int points, int order, random_purpose purpose)
{
    status s = dataset_sample(set, &d->functions, points, order, d->needs.seed, purpose);
    return at_key(d, "domain", s);
}

static status sample(const data_source *d, dataset *set, const char *count_key, int order, random_purpose purpose)
{
    int points = (int)option_integer_or(d->where, count_key, DEFAULT_POINTS);
    if (d->box)
        return sample_black_box(d, set, points, order, purpose);
    return d->functions.n_functions > 0 ? sample_functions(d, set, points, order, purpose) : sample_points(d, set, points, purpose);
}

status data_source_training(const data_source *d, dataset *set)
{
    status s = refuse_streams(d);
    return s != STATUS_OK ? s : is_file(d) ? training_from_file(d, set) : sample(d, set, "points", d->needs.order, RANDOM_TRAINING_POINTS);
}

status data_source_test(const data_source *d, dataset *set)
{
    status s = refuse_streams(d);
    return s != STATUS_OK ? s : is_file(d) ? test_from_file(d, set) : sample(d, set, "test_points", d->needs.evaluation_order, RANDOM_TEST_POINTS);
}

bool data_source_is_function(const data_source *d)
{
    return d->box || d->functions.n_functions > 0;
}

status data_source_evaluate(const data_source *d, const double *x, int points, double *y, double *jacobian)
{
    if (d->box)
        return at_key(d, "function", black_box_evaluate(d->box, x, points, y, jacobian, NULL));
    function_data_evaluate(&d->functions, x, points, y, jacobian);
    return STATUS_OK;
}

void data_source_describe(const data_source *d, FILE *out)
{
    if (d->box)
        black_box_describe(d->box, largest_order(d), out);
}
