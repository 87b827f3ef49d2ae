#include "data/sample_stream.h"

/* The kind's own bytes, then an image before it is changed. */
static size_t own_scratch(const sample_stream *s)
{
    return (s->scratch + sizeof(double) - 1) / sizeof(double) * sizeof(double);
}

size_t stream_scratch(const sample_stream *s)
{
    return own_scratch(s) + (size_t)s->inputs * sizeof(float);
}

status stream_read(const sample_stream *s, uint32_t sample, const sample_view *view, void *scratch, float *x, float *y)
{
    if (!x || !view || view->augment.kind != AUGMENT_PAD_CROP)
        return s->type->read(s, sample, view, scratch, x, y);
    float *whole = (float *)(void *)((char *)scratch + own_scratch(s));
    status result = s->type->read(s, sample, view, scratch, whole, y);
    if (result == STATUS_OK)
        augment_pad_crop(&view->augment, view->position, s->input, whole, x);
    return result;
}

size_t stream_part_size(const sample_stream *s, dataset_part part)
{
    const dataset sizes = stream_dataset(s, 1);
    return dataset_part_size(&sizes, part);
}

size_t stream_labels_before(const sample_stream *s, dataset_part part)
{
    size_t n = 0;
    for (dataset_part p = PART_Y; p < part; ++p)
        n += p == PART_Y || stream_has(s, p) ? stream_part_size(s, p) : 0;
    return n;
}

/* ---------------------------------------------------------------- to data sets and back */

void stream_row_to_dataset(const sample_stream *s, const float *x, const float *y, dataset *d, size_t sample)
{
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        const float *from = part == PART_X ? x : y + stream_labels_before(s, part);
        const size_t count = d->parts[part] ? stream_part_size(s, part) : 0;
        for (size_t i = 0; i < count; ++i)
            dataset_at(d, part, sample)[i] = (double)from[i];
    }
}

void stream_row_from_dataset(const sample_stream *s, const dataset *d, size_t sample, float *x, float *y)
{
    for (dataset_part part = 0; part < PART_COUNT; ++part) {
        float *to = part == PART_X ? x : y + stream_labels_before(s, part);
        const size_t count = d->parts[part] ? stream_part_size(s, part) : 0;
        for (size_t i = 0; i < count; ++i)
            to[i] = (float)dataset_at(d, part, sample)[i];
    }
}
