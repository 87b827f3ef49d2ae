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
