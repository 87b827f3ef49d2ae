#include "data/stream_split.h"

#include <math.h>
#include <stdlib.h>

#include "core/random.h"

static status allocate(sample_set *set, const sample_stream *stream)
{
    *set = (sample_set){.stream = stream, .samples = allocate_zeroed(stream->samples, sizeof *set->samples)};
    return set->samples ? STATUS_OK : STATUS_NO_MEMORY;
}

static void add_range(sample_set *set, uint32_t first, uint32_t last)
{
    for (uint32_t i = first; i < last; ++i)
        set->samples[set->n++] = i;
}

static void divide_samples(const sample_stream *stream, uint32_t tests, uint64_t seed, sample_set *training, sample_set *test)
{
    random_permutation((random_stream){seed, RANDOM_SPLIT, 0}, stream->samples, training->samples);
    for (test->n = 0; test->n < tests; ++test->n)
        test->samples[test->n] = training->samples[test->n];
    training->n = stream->samples - tests;
    for (uint32_t i = 0; i < training->n; ++i)
        training->samples[i] = training->samples[i + tests];
}

static void divide_time(const sample_stream *stream, uint32_t tests, sample_set *training, sample_set *test)
{
    uint32_t border = stream->samples - tests, first = border;
    while (first < stream->samples && first - border + 1 < (uint32_t)stream->history &&
           (!stream->episodes || stream->episodes[first] == stream->episodes[border - 1]))
        ++first;
    add_range(training, 0, border);
    add_range(test, first, stream->samples);
}

/* Where each episode begins, and behind them where the last one ends; returns how many there are. */
static uint32_t find_episodes(const sample_stream *stream, uint32_t *starts)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < stream->samples; ++i)
        if (i == 0 || stream->episodes[i] != stream->episodes[i - 1])
            starts[n++] = i;
    starts[n] = stream->samples;
    return n;
}

static status divide_episodes(const sample_stream *stream, uint32_t tests, uint64_t seed, sample_set *training, sample_set *test)
{
    if (!stream->episodes)
        return status_fail(STATUS_FAILED, "split=episode needs `episode`, the number of each sample's episode");
    uint32_t *starts = allocate_zeroed((unsigned long)stream->samples + 1, sizeof *starts), *order = allocate_zeroed(stream->samples, sizeof *order);
    unsigned char *is_test = allocate_zeroed(stream->samples, 1);
    status s = starts && order && is_test ? STATUS_OK : STATUS_NO_MEMORY;
    uint32_t n = s == STATUS_OK ? find_episodes(stream, starts) : 0, drawn = 0;
    if (s == STATUS_OK && n < 2)
        s = status_fail(STATUS_FAILED, "split=episode: there is one episode: none would be left for tests");
    if (s == STATUS_OK)
        random_permutation((random_stream){seed, RANDOM_SPLIT, 0}, n, order);
    for (uint32_t i = 0; s == STATUS_OK && i + 1 < n && drawn < tests; ++i) {
        is_test[order[i]] = 1;
        drawn += starts[order[i] + 1] - starts[order[i]];
    }
    for (uint32_t i = 0; s == STATUS_OK && i < n; ++i)
        add_range(is_test[i] ? test : training, starts[i], starts[i + 1]);
    free(starts);
    free(order);
    free(is_test);
    return s;
}

status split_divide(const sample_stream *stream, split_kind kind, double fraction, uint64_t seed, sample_set *training, sample_set *test)
{
    long wanted = lround(fraction * stream->samples);
    uint32_t tests = wanted < 1 ? 1 : (uint32_t)wanted;
    if (stream->samples < 2)
        return status_fail(STATUS_FAILED, "there is one sample: none would be left for tests");
    if (tests >= stream->samples)
        tests = stream->samples - 1;
    status s = allocate(training, stream);
    if (s == STATUS_OK)
        s = allocate(test, stream);
    if (s != STATUS_OK)
        return s;
    if (kind == SPLIT_EPISODE)
        s = divide_episodes(stream, tests, seed, training, test);
    else if (kind == SPLIT_TIME)
        divide_time(stream, tests, training, test);
    else
        divide_samples(stream, tests, seed, training, test);
    if (s == STATUS_OK && test->n == 0)
        s = status_fail(STATUS_FAILED, "the history of every test sample reaches into the training samples: a larger test_fraction is needed");
    return s;
}

status split_all(const sample_stream *stream, sample_set *set)
{
    status s = allocate(set, stream);
    if (s == STATUS_OK)
        add_range(set, 0, stream->samples);
    return s;
}

status split_draw(sample_set *set, uint32_t n, uint64_t seed, uint32_t index)
{
    n = n < 1 ? 1 : n;
    if (n >= set->n)
        return STATUS_OK;
    uint32_t *order = allocate_zeroed(set->n, sizeof *order);
    if (!order)
        return STATUS_NO_MEMORY;
    random_permutation((random_stream){seed, RANDOM_SPLIT, index}, set->n, order);
    for (uint32_t i = 0; i < n; ++i)
        order[i] = set->samples[order[i]];
    free(set->samples);
    set->samples = order;
    set->n = n;
    return STATUS_OK;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void split_sort(sample_set *set)
{
    qsort(set->samples, set->n, sizeof *set->samples, ascending);
}
