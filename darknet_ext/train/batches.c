#include "train/batches.h"

#include <math.h>
#include <string.h>

#include "engine/mirror.h"

static bool wants_mirror(const plugin_network *net)
{
    const section *data = config_section(plugin_config(net), "data");
    return data && option_boolean(data, "mirror");
}

static batches start(plugin_network *net)
{
    bool mirror = wants_mirror(net);
    return (batches){.net = net, .mirror = mirror, .drawn = plugin_minibatch(net) / (mirror ? 2 : 1), .truth_count = plugin_truth_count(net)};
}

status batches_create(batches *b, plugin_network *net, const dataset *set)
{
    *b = start(net);
    b->set = set;
    return epochs_create(&b->epochs, (uint32_t)set->points, plugin_seed(net));
}

status batches_create_streamed(batches *b, plugin_network *net, const sample_set *set, int loaders)
{
    *b = start(net);
    return loader_create(&b->loader, set, b->drawn, plugin_seed(net), loaders);
}

void batches_free(batches *b)
{
    epochs_free(&b->epochs);
    loader_free(b->loader);
    *b = (batches){0};
}

/* A sample of a data set, or of a stream. */
typedef struct labelled {
    const dataset *set;
    size_t sample;
    const sample_stream *stream; /* NULL: of a data set */
    const float *labels;
} labelled;

static bool has_part(const labelled *s, dataset_part part)
{
    return s->stream ? part == PART_Y || stream_has(s->stream, part) : s->set->parts[part] != NULL;
}

/* Elements first..first+count-1 of a part of a sample, or `absent` when it has no such part. */
static float *put(float *to, const labelled *s, dataset_part part, size_t first, size_t count, double absent)
{
    bool there = has_part(s, part);
    const float *row = there && s->stream ? s->labels + stream_labels_before(s->stream, part) + first : NULL;
    const double *from = there && !s->stream ? dataset_at(s->set, part, s->sample) + first : NULL;
    for (size_t i = 0; i < count; ++i)
        to[i] = row ? row[i] : (float)(from ? from[i] : absent);
    return to + count;
}

static float *put_direction(float *to, const labelled *s, const label_layout *l, size_t r)
{
    size_t m = l->outputs, n = l->inputs;
    to = put(to, s, PART_V, r * n, n, 0);
    to = put(to, s, PART_V_WEIGHT, r, 1, 1);
    if (l->order > 0)
        to = put(to, s, PART_JVP, r * m, m, NAN);
    return l->order > 1 ? put(to, s, PART_HVP, r * m * n, m * n, NAN) : to;
}

/* engine/labels.h */
static void put_labels(float *to, const labelled *s, const label_layout *l, size_t outputs)
{
    to = put(to, s, PART_Y, 0, outputs, NAN);
    if (l && l->order > 0)
        to = put(to, s, PART_JACOBIAN, 0, l->outputs * l->inputs, NAN);
    if (l && l->directions == 0 && l->order > 1)
        put(to, s, PART_HESSIAN, 0, l->outputs * l->inputs * l->inputs, NAN);
    for (size_t r = 0; l && r < (size_t)l->directions; ++r)
        to = put_direction(to, s, l, r);
}

/* mirror=1: the second half of the minibatch becomes the mirror images of the first. Labels of values stay what they are. */
static void mirror_second_half(batches *b)
{
    size_t half = (size_t)b->drawn;
    tensor_shape shape = plugin_graph(b->net)->input;
    float *x = plugin_input(b->net), *truth = plugin_truth(b->net);
    for (size_t i = 0; i < half; ++i)
        mirror_image(shape, x + i * shape_count(shape), x + (half + i) * shape_count(shape));
    memcpy(truth + half * b->truth_count, truth, half * b->truth_count * sizeof *truth);
}

static void fill_from_memory(batches *b, uint64_t first)
{
    const dataset *d = b->set;
    for (size_t i = 0; i < (size_t)b->drawn; ++i) {
        size_t sample = epochs_at(&b->epochs, first + (uint64_t)i);
        const labelled s = {.set = d, .sample = sample};
        put(plugin_input(b->net) + i * (size_t)d->inputs, &s, PART_X, 0, (size_t)d->inputs, 0);
        put_labels(plugin_truth(b->net) + i * b->truth_count, &s, plugin_labels(b->net), (size_t)d->outputs);
    }
}

static status fill_from_loader(batches *b, uint64_t first)
{
    loaded_samples m;
    status s = loader_take(b->loader, first, &m);
    if (s != STATUS_OK)
        return s;
    memcpy(plugin_input(b->net), m.x, (size_t)b->drawn * (size_t)m.stream->inputs * sizeof *m.x);
    for (size_t i = 0; i < (size_t)b->drawn; ++i) {
        const labelled sample = {.stream = m.stream, .labels = m.y + i * stream_labels(m.stream)};
        put_labels(plugin_truth(b->net) + i * b->truth_count, &sample, plugin_labels(b->net), (size_t)m.stream->outputs);
    }
    return STATUS_OK;
}

status batches_fill(batches *b)
{
    uint64_t first = plugin_seen(b->net) / (b->mirror ? 2 : 1); /* of the samples drawn */
    status s = STATUS_OK;
    if (b->loader)
        s = fill_from_loader(b, first);
    else
        fill_from_memory(b, first);
    if (s == STATUS_OK && b->mirror)
        mirror_second_half(b);
    return s;
}

double batches_waited(const batches *b)
{
    return b->loader ? loader_waited(b->loader) : NAN;
}
