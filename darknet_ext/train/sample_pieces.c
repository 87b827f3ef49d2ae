#include "train/sample_pieces.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/stream_split.h"

enum { MOST_NUMBERS = 1 << 22 /* of x, or of labels, in a piece */ };

status sample_pieces_create(sample_pieces *p, const sample_set *set, size_t rows)
{
    const sample_stream *stream = set->stream;
    size_t labels = stream_labels(stream), inputs = (size_t)stream->inputs, most = MOST_NUMBERS / (labels > inputs ? labels : inputs);
    most = most < rows ? most : rows;
    *p = (sample_pieces){.set = set, .most = most ? (uint32_t)most : 1};
    p->samples = stream_dataset(stream, (int)p->most);
    return dataset_allocate(&p->samples, stream_all_parts(stream));
}

void sample_pieces_free(sample_pieces *p)
{
    dataset_free(&p->samples);
}

/* What one thread reads a sample with. */
typedef struct reader {
    void *scratch;
    float *x, *y;
} reader;

static reader reader_create(const sample_stream *s)
{
    return (reader){malloc(stream_scratch(s)), malloc((size_t)s->inputs * sizeof(float)), malloc(stream_labels(s) * sizeof(float))};
}

static void reader_free(reader *r)
{
    free(r->scratch);
    free(r->x);
    free(r->y);
}

static status read_sample(sample_pieces *p, const reader *r, uint32_t i, int crop)
{
    const sample_stream *stream = p->set->stream;
    if (!r->scratch || !r->x || !r->y)
        return status_fail(STATUS_NO_MEMORY, "out of memory (test samples)");
    status s = stream_read(stream, p->set->samples[p->first + i], &(sample_view){.crop = crop}, r->scratch, r->x, r->y);
    if (s == STATUS_OK)
        stream_row_to_dataset(stream, r->x, r->y, &p->samples, i);
    return s;
}

status sample_pieces_read(sample_pieces *p)
{
    uint32_t left = p->set->n - p->next, n = left < p->most ? left : p->most;
    p->samples.points = (int)n;
    p->first = p->next;
    p->next += n;
    return sample_pieces_crop(p, 0);
}

status sample_pieces_crop(sample_pieces *p, int crop)
{
    uint32_t n = (uint32_t)p->samples.points, failed = n;
    status result = STATUS_OK;
    char text[1200];
#pragma omp parallel
    {
        reader r = reader_create(p->set->stream);
#pragma omp for schedule(static)
        for (uint32_t i = 0; i < n; ++i) {
            status s = read_sample(p, &r, i, crop);
            if (s == STATUS_OK)
                continue;
#pragma omp critical(sample_pieces_failure)
            if (i < failed) {
                failed = i;
                result = s;
                snprintf(text, sizeof text, "%s", status_text());
            }
        }
        reader_free(&r);
    }
    return result == STATUS_OK ? STATUS_OK : status_fail(result, "%s", text);
}

/* ---------------------------------------------------------------- all at once */

/* As many of a set as `most`, at equal distances, sorted, for chunks are best read one after the other; its samples are to be freed. */
static sample_set choose_some(const sample_set *all, size_t most)
{
    sample_set some = *all;
    some.n = all->n < most ? all->n : (uint32_t)most;
    some.samples = allocate_zeroed(some.n, sizeof *some.samples);
    for (uint32_t i = 0; some.samples && i < some.n; ++i)
        some.samples[i] = all->samples[(uint64_t)i * all->n / some.n];
    if (some.samples)
        split_sort(&some);
    return some;
}

static status gather(const sample_set *set, unsigned parts, dataset *all)
{
    sample_pieces p = {0};
    status s = sample_pieces_create(&p, set, set->n);
    *all = stream_dataset(set->stream, (int)set->n);
    if (s == STATUS_OK)
        s = dataset_allocate(all, dataset_parts(&p.samples) & parts);
    while (s == STATUS_OK && p.next < set->n) {
        s = sample_pieces_read(&p);
        for (dataset_part part = 0; part < PART_COUNT && s == STATUS_OK; ++part) {
            size_t numbers = all->parts[part] ? (size_t)p.samples.points * dataset_part_size(all, part) : 0;
            if (numbers > 0)
                memcpy(dataset_at(all, part, p.first), p.samples.parts[part], numbers * sizeof **all->parts);
        }
    }
    sample_pieces_free(&p);
    return s;
}

status sample_pieces_gather(const sample_set *set, unsigned parts, size_t numbers, dataset *some)
{
    size_t each = 0;
    for (dataset_part part = 0; part < PART_COUNT; ++part)
        each += stream_all_parts(set->stream) & parts & 1u << part ? stream_part_size(set->stream, part) : 0;
    sample_set chosen = choose_some(set, numbers / each + 1);
    status s = chosen.samples ? gather(&chosen, parts, some) : STATUS_NO_MEMORY;
    free(chosen.samples);
    return s;
}
