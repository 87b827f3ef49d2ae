#include "data/stream_source.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "data/domain.h"
#include "data/picture_list.h"
#include "data/stream_split.h"

/* Keys that mean something for data read in pieces alone: a file beside them is read so. */
static const char *const own_keys[] = {"history", "scale", "split", "fraction", "labels", "loaders", "augment"};

static bool has_ending(const char *path, const char *ending)
{
    size_t length = strlen(path), n = strlen(ending);
    return length > n && strcasecmp(path + length - n, ending) == 0;
}

static bool is_hdf5(const char *path)
{
    return has_ending(path, ".h5") || has_ending(path, ".hdf5");
}

static uint64_t cache_bytes(const section *data)
{
    const long megabytes = option_integer_or(data, "cache_mb", 1024);
    return (uint64_t)megabytes << 20;
}

bool stream_source_is_asked_for(const section *data, unsigned parts)
{
    const char *file = option_text(data, "file");
    if (option_given(data, "list") || option_given(data, "train"))
        return true;
    for (size_t i = 0; *file && i < sizeof own_keys / sizeof *own_keys; ++i)
        if (option_given(data, own_keys[i]))
            return true;
    return is_hdf5(file) && stream_hdf5_is_needed(file, parts, cache_bytes(data));
}

/* ---------------------------------------------------------------- files */

typedef struct opening {
    stream_source *source;
    const section *data;
    const char *path;
    const stream_needs *needs;
    stream_request request;
} opening;

/* The status of a failed call, with its text at the place of a key. */
static status at_key(const opening *o, const char *key, status s)
{
    return s == STATUS_OK || s == STATUS_NO_MEMORY ? s : data_fail(o->data, o->path, key, strdupa(status_text()));
}

static stream_request make_request(const opening *o)
{
    const section *d = o->data;
    bool given = option_given(d, "labels");
    return (stream_request){
        .inputs = o->needs->inputs,
        .outputs = o->needs->outputs,
        .input = o->needs->input,
        .history = (int)option_integer(d, "history"),
        .scale = option_real(d, "scale"),
        .labels = given ? (label_kind)option_choice(d, "labels") : LABELS_LOGITS,
        .labels_given = given,
        .needs_labels = o->needs->needs_values,
        .parts = o->needs->parts,
        .needs_derivatives = o->needs->needs_derivatives,
        .missing = option_boolean(d, "missing"),
        .cache = cache_bytes(d),
        .pictures = o->needs->pictures,
        .view = picture_view_read(d),
    };
}

static status open_file(opening *o, const char *key, sample_stream **stream)
{
    o->request.path = option_text(o->data, key);
    if (!is_hdf5(o->request.path))
        return data_fail(o->data, o->path, key, "only HDF5 files (.h5, .hdf5) can be read in pieces, as history, scale, split, fraction, labels, loaders and augment ask "
                                                    "for, and a file= that is larger than cache_mb=");
    return at_key(o, key, stream_hdf5_open(stream, &o->request));
}

static status open_files(opening *o)
{
    status s = open_file(o, "file", &o->source->stream);
    return s == STATUS_OK && option_given(o->data, "test_file") ? open_file(o, "test_file", &o->source->test_stream) : s;
}

/* ---------------------------------------------------------------- pictures */

static status open_list(opening *o, const char *key, const char *list, const names_file *names, sample_stream **stream)
{
    o->request.path = list;
    return at_key(o, key, stream_images_open(stream, &o->request, names));
}

static status open_lists(opening *o, const picture_data *d, const char *train_key, const char *valid_key)
{
    names_file names = {0};
    status s = d->names ? at_key(o, option_given(o->data, "names") ? "names" : train_key, names_file_read(d->names, &names)) : STATUS_OK;
    if (s == STATUS_OK && d->names && d->classes && d->classes != names.n) {
        char text[160];
        snprintf(text, sizeof text, "classes = %d, but %s holds %d names", d->classes, d->names, names.n);
        s = data_fail(o->data, o->path, train_key, text);
    }
    if (s == STATUS_OK)
        s = open_list(o, train_key, d->train, d->names ? &names : NULL, &o->source->stream);
    if (s == STATUS_OK && d->valid)
        s = open_list(o, valid_key, d->valid, d->names ? &names : NULL, &o->source->test_stream);
    names_file_free(&names);
    return s;
}

static status refuse_for_pictures(const opening *o)
{
    static const char *const keys[] = {"history", "scale", "labels"};
    char text[128];
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i)
        if (option_given(o->data, keys[i])) {
            snprintf(text, sizeof text, "%s= means nothing for pictures", keys[i]);
            return data_fail(o->data, o->path, keys[i], text);
        }
    return STATUS_OK;
}

static status open_pictures(opening *o)
{
    bool list = option_given(o->data, "list");
    picture_data d = {
        .train = (char *)option_text(o->data, "train"),
        .valid = option_given(o->data, "valid") ? (char *)option_text(o->data, "valid") : NULL,
        .names = option_given(o->data, "names") ? (char *)option_text(o->data, "names") : NULL,
    };
    status s = refuse_for_pictures(o);
    if (s != STATUS_OK || !list)
        return s == STATUS_OK ? open_lists(o, &d, "train", "valid") : s;
    s = at_key(o, "list", picture_data_read(option_text(o->data, "list"), &d));
    if (s == STATUS_OK)
        s = open_lists(o, &d, "list", "list");
    o->source->top = d.top;
    o->source->backup = d.backup;
    d.backup = NULL;
    picture_data_free(&d);
    return s;
}

/* ---------------------------------------------------------------- sets */

const char *stream_source_key(const section *data)
{
    return option_given(data, "list") ? "list" : option_given(data, "train") ? "train" : "file";
}

/* Of n samples: as many as the keys allow. */
static uint32_t at_most(const section *data, uint32_t n, double fraction, const char *key)
{
    long part = lround(fraction * n), most = option_integer_or(data, key, LONG_MAX);
    return (uint32_t)(part < most ? part : most);
}

static status divide(opening *o)
{
    stream_source *s = o->source;
    const section *d = o->data;
    uint64_t seed = o->needs->seed;
    double tests = option_real_or(d, "test_fraction", .1);
    split_kind kind = (split_kind)option_choice_or(d, "split", SPLIT_SAMPLES);
    status result;
    if (s->test_stream) {
        result = split_all(s->stream, &s->training);
        if (result == STATUS_OK)
            result = split_all(s->test_stream, &s->test);
    } else
        result = at_key(o, stream_source_key(d), split_divide(s->stream, kind, tests, seed, &s->training, &s->test));
    if (result == STATUS_OK)
        result = split_draw(&s->training, at_most(d, s->training.n, option_real_or(d, "fraction", 1), "points"), seed, 1);
    if (result == STATUS_OK)
        result = split_draw(&s->test, at_most(d, s->test.n, 1, "test_points"), seed, 2);
    split_sort(&s->test); /* the order in which they lie in the file */
    return result;
}

/* What would change x, or y, but not the derivatives. */
static status check_derivatives(const opening *o)
{
    const section *d = o->data;
    if (!option_given(d, "file"))
        return data_fail(d, o->path, stream_source_key(d), "pictures have no derivatives and no v: a loss on them needs another target than the data, without label_directions=");
    const char *key = option_given(d, "labels") && option_choice(d, "labels") != LABELS_LOGITS ? "labels"
                      : option_choice_or(d, "augment", AUGMENT_NONE) != AUGMENT_NONE           ? "augment"
                                                                                               : NULL;
    char text[160];
    if (!key)
        return STATUS_OK;
    snprintf(text, sizeof text, "%s= cannot stand beside derivatives from the data, or v, which belong to x and y as the file has them", key);
    return data_fail(d, o->path, key, text);
}

status stream_source_open(stream_source *s, const section *data, const char *path, const stream_needs *needs)
{
    opening o = {s, data, path, needs, {0}};
    *s = (stream_source){0};
    o.request = make_request(&o);
    augmentation augment = {.kind = AUGMENT_NONE};
    status result = needs->needs_derivatives ? check_derivatives(&o) : STATUS_OK;
    if (result == STATUS_OK)
        result = augment_read(&augment, data, path, needs->input, needs->seed);
    if (result == STATUS_OK)
        result = option_given(data, "file") ? open_files(&o) : open_pictures(&o);
    if (result == STATUS_OK)
        result = divide(&o);
    s->training.augment = augment;
    s->training.values_alone = !needs->needs_derivatives;
    return result;
}

void stream_source_free(stream_source *s)
{
    free(s->training.samples);
    free(s->test.samples);
    stream_free(s->stream);
    stream_free(s->test_stream);
    free(s->backup);
    *s = (stream_source){0};
}

status stream_source_prepare(stream_source *s, const section *data, const char *path)
{
    opening o = {.source = s, .data = data, .path = path};
    status result = at_key(&o, stream_source_key(data), stream_prepare(s->stream));
    if (result != STATUS_OK || !s->test_stream)
        return result;
    return at_key(&o, option_given(data, "test_file") ? "test_file" : stream_source_key(data), stream_prepare(s->test_stream));
}
