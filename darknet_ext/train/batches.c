#include "train/batches.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "engine/mirror.h"

status batches_create(batches *b, plugin_network *net, const dataset *set)
{
    *b = (batches){.net = net, .set = set, .truth_count = plugin_truth_count(net)};
    const section *data = config_section(plugin_config(net), "data");
    b->mirror = data && option_boolean(data, "mirror");
    b->permutation = allocate_zeroed((unsigned long)set->points, sizeof *b->permutation);
    return b->permutation ? STATUS_OK : STATUS_NO_MEMORY;
}

void batches_free(batches *b)
{
    free(b->permutation);
    *b = (batches){0};
}

/* The sample at position `i` of the endless sequence of shuffled epochs. */
static uint32_t sample_at(batches *b, uint64_t i)
{
    uint64_t points = (uint64_t)b->set->points, epoch = i / points;
    if (b->permuted_epoch != epoch + 1) {
        random_permutation((random_stream){plugin_seed(b->net), RANDOM_SHUFFLE, (uint32_t)epoch}, (uint32_t)points, b->permutation);
        b->permuted_epoch = epoch + 1;
    }
    return b->permutation[i % points];
}

/* Elements first..first+count-1 of a part of a sample, or `absent` when the set has no such part. */
static float *put(float *to, const dataset *d, dataset_part part, size_t sample, size_t first, size_t count, double absent)
{
    const double *from = d->parts[part] ? dataset_at(d, part, sample) + first : NULL;
    for (size_t i = 0; i < count; ++i)
        to[i] = (float)(from ? from[i] : absent);
    return to + count;
}

static float *put_direction(float *to, const dataset *d, const label_layout *l, size_t sample, size_t r)
{
    size_t m = l->outputs, n = l->inputs;
    to = put(to, d, PART_V, sample, r * n, n, 0);
    to = put(to, d, PART_V_WEIGHT, sample, r, 1, 1);
    if (l->order > 0)
        to = put(to, d, PART_JVP, sample, r * m, m, NAN);
    return l->order > 1 ? put(to, d, PART_HVP, sample, r * m * n, m * n, NAN) : to;
}

/* engine/labels.h */
static void put_labels(float *to, const dataset *d, const label_layout *l, size_t sample)
{
    to = put(to, d, PART_Y, sample, 0, (size_t)d->outputs, NAN);
    if (l && l->order > 0)
        to = put(to, d, PART_JACOBIAN, sample, 0, l->outputs * l->inputs, NAN);
    if (l && l->directions == 0 && l->order > 1)
        put(to, d, PART_HESSIAN, sample, 0, l->outputs * l->inputs * l->inputs, NAN);
    for (size_t r = 0; l && r < (size_t)l->directions; ++r)
        to = put_direction(to, d, l, sample, r);
}

/* mirror=1: the second half of the minibatch becomes the mirror images of the first. Labels of values stay what they are. */
static void mirror_second_half(batches *b)
{
    size_t half = (size_t)plugin_minibatch(b->net) / 2;
    tensor_shape shape = plugin_graph(b->net)->input;
    float *x = plugin_input(b->net), *truth = plugin_truth(b->net);
    for (size_t i = 0; i < half; ++i)
        mirror_image(shape, x + i * shape_count(shape), x + (half + i) * shape_count(shape));
    memcpy(truth + half * b->truth_count, truth, half * b->truth_count * sizeof *truth);
}

void batches_fill(batches *b)
{
    const dataset *d = b->set;
    uint64_t first = plugin_seen(b->net);
    for (size_t i = 0; i < (size_t)plugin_minibatch(b->net); ++i) {
        size_t sample = sample_at(b, first + (uint64_t)i);
        put(plugin_input(b->net) + i * (size_t)d->inputs, d, PART_X, sample, 0, (size_t)d->inputs, 0);
        put_labels(plugin_truth(b->net) + i * b->truth_count, d, plugin_labels(b->net), sample);
    }
    if (b->mirror)
        mirror_second_half(b);
}
