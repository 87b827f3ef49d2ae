#include "train/sample_pieces.h"

#include <stdio.h>
#include <stdlib.h>

enum { MOST_NUMBERS = 1 << 22 /* of x in a piece */ };

status sample_pieces_create(sample_pieces *p, const sample_set *set, size_t rows)
{
    const sample_stream *stream = set->stream;
    size_t most = MOST_NUMBERS / (size_t)stream->inputs;
    most = most < rows ? most : rows;
    *p = (sample_pieces){.set = set, .most = most ? (uint32_t)most : 1};
    p->samples = (dataset){.points = (int)p->most, .inputs = stream->inputs, .outputs = stream->outputs};
    return dataset_allocate(&p->samples, parts_to_order(stream->has_derivatives));
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

static status read_sample(const sample_pieces *p, const reader *r, uint32_t i, int crop)
{
    const sample_stream *stream = p->set->stream;
    if (!r->scratch || !r->x || !r->y)
        return status_fail(STATUS_NO_MEMORY, "out of memory (test samples)");
    status s = stream_read(stream, p->set->samples[p->first + i], &(sample_view){.crop = crop}, r->scratch, r->x, r->y);
    double *x = dataset_at(&p->samples, PART_X, i), *y = dataset_at(&p->samples, PART_Y, i);
    for (int j = 0; j < stream->inputs && s == STATUS_OK; ++j)
        x[j] = (double)r->x[j];
    for (int k = 0; k < stream->outputs && s == STATUS_OK; ++k)
        y[k] = (double)r->y[k];
    double *jacobian = stream->has_derivatives ? dataset_at(&p->samples, PART_JACOBIAN, i) : NULL;
    for (size_t k = (size_t)stream->outputs; k < stream_labels(stream) && s == STATUS_OK; ++k)
        jacobian[k - (size_t)stream->outputs] = (double)r->y[k];
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
