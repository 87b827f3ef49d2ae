/* Samples of an HDF5 file, read in pieces (data/sample_stream.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/hdf5_column.h"
#include "data/sample_stream.h"
#include "data/stream_derivatives.h"

typedef struct hdf5_stream {
    sample_stream head;
    char *path;        /* owned */
    hdf5_column x, y;  /* x or frames; y or label; set 0: no labels */
    stream_derivatives derivatives; /* that somebody asks for */
    bool one_hot;      /* y is `label` */
    bool has_derivatives; /* the file has, wanted or not */
    bool missing, needs_labels;
    float scale;
} hdf5_stream;

/* ---------------------------------------------------------------- reading a sample */

/* Frames of the sample's episode from the oldest that its history reaches. */
static uint32_t first_frame(const sample_stream *s, uint32_t sample)
{
    uint32_t first = sample;
    while (first > 0 && sample - first + 1 < (uint32_t)s->history && (!s->episodes || s->episodes[first - 1] == s->episodes[sample]))
        --first;
    return first;
}

static status read_x(const hdf5_stream *s, uint32_t sample, void *scratch, float *x)
{
    const void *rows;
    uint32_t first = first_frame(&s->head, sample), n = sample - first + 1;
    size_t count = s->x.row_count, repeated = (uint32_t)s->head.history - n;
    status result = column_rows(&s->x, first, n, scratch, &rows);
    if (result != STATUS_OK)
        return result;
    for (size_t i = 0; i < repeated; ++i, x += count)
        column_to_floats(s->x.kind, rows, count, s->scale, x);
    column_to_floats(s->x.kind, rows, n * count, s->scale, x);
    return s->x.kind == COLUMN_BYTES ? STATUS_OK : column_check_finite(&s->x, first, n, x, false);
}

/* What is wrong with the labels of a sample, or NULL. */
static const char *convert_labels(const hdf5_stream *s, float *y)
{
    int outputs = s->head.outputs;
    const char *problem = s->one_hot ? labels_one_hot(*y, y, outputs) : labels_convert(s->head.labels, y, outputs);
    for (int k = 0; k < outputs && !problem; ++k)
        if (isinf(y[k]))
            problem = "is infinite, or too large for float";
        else if (isnan(y[k]) && !s->missing)
            problem = "is not given (missing=1 leaves such labels out)";
    return problem;
}

static status read_y(const hdf5_stream *s, uint32_t sample, void *scratch, float *y)
{
    const void *row;
    status result = column_rows(&s->y, sample, 1, scratch, &row);
    if (result != STATUS_OK)
        return result;
    column_to_floats(s->y.kind, row, s->y.row_count, 1, y);
    const char *problem = convert_labels(s, y);
    return problem ? status_fail(STATUS_BAD_FILE, "%s: error: %s[%lu] (counted from 0) %s", s->path, s->y.name, (unsigned long)sample, problem)
                   : STATUS_OK;
}

/* By x as the network sees it. */
static status read_derivatives(const hdf5_stream *s, uint32_t sample, void *scratch, float *labels)
{
    status result = STATUS_OK;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT && result == STATUS_OK; ++part)
        if (stream_has(&s->head, part))
            result = derivatives_read(&s->derivatives, part, sample, s->scale, s->missing, scratch, labels + stream_labels_before(&s->head, part));
    return result;
}

static status read_sample(const sample_stream *head, uint32_t sample, const sample_view *view, void *scratch, float *x, float *y)
{
    const hdf5_stream *s = (const hdf5_stream *)head;
    status result = x ? read_x(s, sample, scratch, x) : STATUS_OK;
    for (size_t k = 0; k < stream_labels(head); ++k)
        y[k] = NAN;
    if (result == STATUS_OK && head->has_labels)
        result = read_y(s, sample, scratch, y);
    return result == STATUS_OK && !(view && view->values_alone) ? read_derivatives(s, sample, scratch, y) : result;
}

/* ---------------------------------------------------------------- preparing */

static status check_labels(hdf5_stream *s)
{
    float *y = allocate_zeroed((unsigned long)s->head.outputs, sizeof *y);
    status result = y ? STATUS_OK : STATUS_NO_MEMORY;
    for (uint32_t i = 0; i < s->head.samples && result == STATUS_OK; ++i)
        result = read_y(s, i, NULL, y);
    free(y);
    return result;
}

static status prepare(sample_stream *head)
{
    hdf5_stream *s = (hdf5_stream *)head;
    status result = s->y.set ? column_load(&s->y, true) : STATUS_OK;
    if (result == STATUS_OK && s->y.memory)
        result = check_labels(s);
    if (result == STATUS_OK)
        result = column_load(&s->x, false);
    return result == STATUS_OK ? derivatives_load(&s->derivatives, s->missing) : result;
}

static void free_stream(sample_stream *head)
{
    hdf5_stream *s = (hdf5_stream *)head;
    column_close(&s->x);
    column_close(&s->y);
    derivatives_close(&s->derivatives);
    free(head->episodes);
    free(s->path);
    free(s);
}

static const sample_stream_type hdf5_stream_type = {prepare, read_sample, free_stream};

/* ---------------------------------------------------------------- opening */

static bool exists(hid_t file, const char *name)
{
    return H5Lexists(file, name, H5P_DEFAULT) > 0;
}

static bool holds_derivatives(hid_t file)
{
    bool any = false;
    for (dataset_part part = PART_JACOBIAN; part < PART_COUNT; ++part)
        any |= exists(file, dataset_part_names[part]);
    return any;
}

/* They share the memory with x (or frames). */
static status open_derivatives(hdf5_stream *s, hid_t file, const stream_request *r, uint64_t *left)
{
    const uint64_t frames = column_bytes_of(file, s->path, "frames"), x = frames > 0 ? frames : column_bytes_of(file, s->path, "x");
    if (!r->needs_derivatives && (frames > 0 || s->one_hot || r->labels != LABELS_LOGITS))
        return STATUS_OK;
    return derivatives_open(&s->derivatives, file, s->path, r->parts, x, left);
}

/* y, or label. */
static status open_labels(hdf5_stream *s, hid_t file, const stream_request *r)
{
    bool labels = r->labels == LABELS_CLASSES || !r->labels_given;
    if (r->unlabelled)
        return STATUS_OK;
    status result = column_open(&s->y, file, s->path, "y", r->cache);
    if (result == STATUS_OK && labels && (!s->y.set || r->labels_given)) {
        hdf5_column label;
        result = column_open(&label, file, s->path, "label", r->cache);
        s->one_hot = label.set > 0;
        if (s->one_hot) {
            column_close_within(&s->y);
            s->y = label;
        }
    }
    return result;
}

/* y is small beside x: what it leaves of the memory is for x, and the derivatives. */
static status open_columns(hdf5_stream *s, hid_t file, const stream_request *r, hdf5_column *episode)
{
    s->has_derivatives = holds_derivatives(file);
    status result = open_labels(s, file, r);
    uint64_t left = s->y.set > 0 && s->y.fits ? r->cache - column_bytes(&s->y) : r->cache;
    if (result == STATUS_OK)
        result = open_derivatives(s, file, r, &left);
    if (result == STATUS_OK)
        result = column_open(&s->x, file, s->path, "frames", left);
    if (result == STATUS_OK && !s->x.set)
        result = column_open(&s->x, file, s->path, "x", left);
    if (result == STATUS_OK && !s->x.set)
        result = status_fail(STATUS_BAD_FILE, "%s: error: holds neither x nor frames", s->path);
    return result == STATUS_OK ? column_open(episode, file, s->path, "episode", COLUMN_LOOK) : result;
}

static status open_file(hdf5_stream *s, const stream_request *r, hdf5_column *episode)
{
    hid_t file;
    hdf5_session session = hdf5_begin();
    status result = hdf5_open(s->path, &file);
    if (result == STATUS_OK) {
        result = open_columns(s, file, r, episode);
        H5Fclose(file); /* the data sets keep it open */
    }
    hdf5_end(session);
    return result;
}

static bool is_frames(const hdf5_stream *s)
{
    return strcmp(s->x.name, "frames") == 0;
}

static status shape_fail(const hdf5_stream *s, const hdf5_column *c, const char *expected)
{
    return status_fail(STATUS_BAD_FILE, "%s: error: %s has the shape %s, expected %s", s->path, c->name, hdf5_shape(c->sizes, c->rank).text,
                       expected);
}

static status check_frames(hdf5_stream *s, const stream_request *r)
{
    const hdf5_column *c = &s->x;
    char expected[160];
    s->head.history = r->history ? r->history : 1;
    if (c->rank != 3)
        return shape_fail(s, c, "[frames, height, width]");
    bool image = r->input.channels > 0 && r->input.height * r->input.width > 1, same = !image;
    if (image)
        same = r->input.channels == s->head.history && c->sizes[1] == (hsize_t)r->input.height && c->sizes[2] == (hsize_t)r->input.width;
    if (same && c->row_count * (size_t)s->head.history == (size_t)r->inputs)
        return STATUS_OK;
    snprintf(expected, sizeof expected, "%d frames of %llu x %llu (history=%d) are %zu numbers, the network takes %d: %d x %d x %d", s->head.history,
             (unsigned long long)c->sizes[1], (unsigned long long)c->sizes[2], s->head.history, c->row_count * (size_t)s->head.history, r->inputs,
             r->input.channels, r->input.height, r->input.width);
    return status_fail(STATUS_BAD_FILE, "%s: error: %s", s->path, expected);
}

static status check_x(hdf5_stream *s, const stream_request *r)
{
    const hdf5_column *c = &s->x;
    char expected[160];
    s->head.history = 1;
    if (r->history)
        return status_fail(STATUS_BAD_FILE, "%s: error: history= needs frames, and the file holds x", s->path);
    bool same = c->row_count == (size_t)r->inputs;
    if (same && c->rank == 4 && r->input.height * r->input.width > 1)
        same = c->sizes[1] == (hsize_t)r->input.channels && c->sizes[2] == (hsize_t)r->input.height && c->sizes[3] == (hsize_t)r->input.width;
    if (same)
        return STATUS_OK;
    snprintf(expected, sizeof expected, "[%lu, %d]: samples, inputs of the network (%d x %d x %d)", (unsigned long)c->rows, r->inputs,
             r->input.channels, r->input.height, r->input.width);
    return shape_fail(s, c, expected);
}

static status check_y(hdf5_stream *s, const stream_request *r)
{
    const hdf5_column *c = &s->y;
    char expected[160];
    if (!c->set) {
        if (!r->needs_labels || r->missing)
            return STATUS_OK;
        return status_fail(STATUS_BAD_FILE, "%s: error: holds no %s, which the loss on values needs", s->path,
                           r->labels_given && r->labels != LABELS_CLASSES ? "y" : "y and no label");
    }
    s->head.has_labels = true;
    size_t count = s->one_hot ? 1 : (size_t)r->outputs;
    if (c->rows == s->x.rows && c->row_count == count)
        return STATUS_OK;
    if (s->one_hot)
        snprintf(expected, sizeof expected, "[%lu]: one class per sample", (unsigned long)s->x.rows);
    else
        snprintf(expected, sizeof expected, "[%lu, %d]: samples, outputs of the network", (unsigned long)s->x.rows, r->outputs);
    return shape_fail(s, c, expected);
}

static status check_derivatives(hdf5_stream *s, const stream_request *r)
{
    if (s->one_hot && derivatives_parts(&s->derivatives))
        return status_fail(STATUS_BAD_FILE, "%s: error: derivatives and v stand beside y, and the file holds label", s->path);
    status result = derivatives_check(&s->derivatives, s->x.rows, r->inputs, r->outputs, r->input);
    s->head.parts = derivatives_parts(&s->derivatives);
    s->head.directions = s->derivatives.directions;
    return result;
}

static status read_episodes(hdf5_stream *s, const hdf5_column *c)
{
    char expected[64];
    if (!c->set)
        return STATUS_OK;
    snprintf(expected, sizeof expected, "[%lu]: one number per sample", (unsigned long)s->x.rows);
    if (c->rows != s->x.rows || c->row_count != 1)
        return shape_fail(s, c, expected);
    int32_t *e = s->head.episodes = allocate_zeroed(c->rows, sizeof *e);
    status result = e ? column_integers(c, false, e) : STATUS_NO_MEMORY;
    for (uint32_t i = 1; i < c->rows && result == STATUS_OK; ++i)
        if (e[i] < e[i - 1])
            result = status_fail(STATUS_BAD_FILE, "%s: error: episode[%lu] (counted from 0) is %d after %d: episodes must not decrease", s->path,
                                 (unsigned long)i, e[i], e[i - 1]);
    return result;
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

/* Derivatives say what the unit of x is: the numbers as they stand. */
static float default_scale(const hdf5_stream *s)
{
    return s->x.kind == COLUMN_BYTES && (is_frames(s) || !s->has_derivatives) ? 1.f / 255 : 1;
}

static status check_columns(hdf5_stream *s, const stream_request *r, const hdf5_column *episode)
{
    status result = is_frames(s) ? check_frames(s, r) : check_x(s, r);
    if (result == STATUS_OK)
        result = check_y(s, r);
    if (result == STATUS_OK)
        result = check_derivatives(s, r);
    if (result == STATUS_OK)
        result = read_episodes(s, episode);
    s->head.samples = s->x.rows;
    s->head.crops = 1;
    s->head.inputs = r->inputs;
    s->head.outputs = r->outputs;
    s->head.input = r->input;
    s->head.labels = s->one_hot ? LABELS_CLASSES : r->labels;
    s->head.of_classes = s->one_hot || r->labels_given;
    s->head.sample_bytes = (double)s->x.row_bytes + derivatives_row_bytes(&s->derivatives);
    s->head.scratch = larger(larger(s->x.row_bytes * (size_t)s->head.history, s->y.row_bytes), derivatives_scratch(&s->derivatives));
    s->scale = r->scale > 0 ? (float)r->scale : default_scale(s);
    s->missing = r->missing;
    return result;
}

status stream_hdf5_open(sample_stream **result, const stream_request *request)
{
    hdf5_column episode = {.descriptor = -1};
    hdf5_stream *s = allocate_zeroed(1, sizeof *s);
    *result = s ? &s->head : NULL;
    if (!s)
        return STATUS_NO_MEMORY;
    s->head.type = &hdf5_stream_type;
    s->path = strdup(request->path);
    status opened = s->path ? open_file(s, request, &episode) : STATUS_NO_MEMORY;
    if (opened == STATUS_OK)
        opened = check_columns(s, request, &episode);
    column_close(&episode);
    if (opened != STATUS_OK) {
        free_stream(&s->head);
        *result = NULL;
    }
    return opened;
}

/* ---------------------------------------------------------------- whether it is needed */

/* x of pictures or, where it has no derivatives, of bytes. */
static bool x_is_of_a_stream(hid_t file, const char *path)
{
    hdf5_column x;
    bool is = column_open(&x, file, path, "x", COLUMN_LOOK) == STATUS_OK && x.set > 0 &&
              (x.rank > 2 || (x.kind == COLUMN_BYTES && !holds_derivatives(file)));
    column_close_within(&x);
    return is;
}

/* Too many numbers for the memory that they would take in double. */
static bool is_large(hid_t file, const char *path, unsigned parts, uint64_t cache)
{
    hdf5_column x;
    bool is = column_open(&x, file, path, "x", COLUMN_LOOK) == STATUS_OK && x.set > 0;
    uint64_t numbers = is ? (uint64_t)x.rows * x.row_count : 0;
    column_close_within(&x);
    return is && numbers + derivatives_numbers(file, path, parts) > cache / sizeof(double);
}

bool stream_hdf5_is_needed(const char *path, unsigned parts, uint64_t cache)
{
    hid_t file;
    hdf5_session session = hdf5_begin();
    bool needed = false;
    if (hdf5_open(path, &file) == STATUS_OK) {
        needed = exists(file, "frames") || (exists(file, "label") && !exists(file, "y")) || is_large(file, path, parts, cache) ||
                 x_is_of_a_stream(file, path);
        H5Fclose(file);
    }
    hdf5_end(session);
    return needed;
}
