#include "program/read_points.h"

#include <stdlib.h>

#include "data/file.h"
#include "train/sample_pieces.h"

/* Options of [data] that say how x is read; 0 where there is no such section. */
typedef struct reading {
    int history;
    double scale;
} reading;

static reading reading_of(plugin_network *p)
{
    const section *data = config_section(plugin_config(p), "data");
    return data ? (reading){(int)option_integer(data, "history"), option_real(data, "scale")} : (reading){0};
}

/* Frames overlap, and all of their samples may not fit. */
static status check_memory(const char *path, const sample_stream *s)
{
    const double most = machine_memory() / 2, bytes = (double)s->samples * (double)s->inputs * sizeof(double);
    if (bytes <= most)
        return STATUS_OK;
    return status_fail(STATUS_FAILED, "%s: error: x of %lu samples takes %.3g GB, more than half of the memory of this machine: take fewer samples", path,
                       (unsigned long)s->samples, bytes / 1e9);
}

static status gather_all(const char *path, sample_stream *stream, dataset *d)
{
    sample_set all = {.stream = stream, .n = stream->samples};
    status s = check_memory(path, stream);
    if (s == STATUS_OK)
        s = stream_prepare(stream);
    if (s != STATUS_OK)
        return s;
    all.samples = allocate_zeroed(all.n, sizeof *all.samples);
    for (uint32_t i = 0; all.samples && i < all.n; ++i)
        all.samples[i] = i;
    s = all.samples ? sample_pieces_gather(&all, PART_X_BIT | 1u << PART_V, SIZE_MAX, d) : STATUS_NO_MEMORY;
    free(all.samples);
    return s;
}

static status read_stream(plugin_network *p, const char *path, unsigned wanted, reading how, dataset *d)
{
    enum { CACHE = 1 << 30 };
    const graph *g = plugin_graph(p);
    const bool v = (wanted >> PART_V & 1) != 0;
    const stream_request request = {
        .path = path,
        .inputs = (int)shape_count(g->input),
        .outputs = (int)shape_count(g->nodes[g->output_node].out),
        .input = g->input,
        .history = how.history,
        .scale = how.scale,
        .unlabelled = true,
        .parts = v ? 1u << PART_V : 0,
        .needs_derivatives = v,
        .cache = CACHE,
    };
    sample_stream *stream;
    status s = stream_hdf5_open(&stream, &request);
    if (s == STATUS_OK)
        s = gather_all(path, stream, d);
    stream_free(stream);
    return s;
}

static void scale_part(dataset *d, dataset_part part, double scale)
{
    double *numbers = d->parts[part];
    for (size_t i = 0; numbers && i < (size_t)d->points * dataset_part_size(d, part); ++i)
        numbers[i] *= scale;
}

status read_points(plugin_network *p, const char *path, unsigned wanted, dataset *d)
{
    const graph *g = plugin_graph(p);
    const reading how = reading_of(p);
    *d = (dataset){0};
    if (stream_hdf5_is_needed(path, 0, UINT64_MAX))
        return read_stream(p, path, wanted, how, d);
    status s = dataset_read(path, (int)shape_count(g->input), (int)shape_count(g->nodes[g->output_node].out), wanted, d);
    if (s == STATUS_OK && how.scale > 0) {
        scale_part(d, PART_X, how.scale);
        scale_part(d, PART_V, how.scale);
    }
    return s;
}
