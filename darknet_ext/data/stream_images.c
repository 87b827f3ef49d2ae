/* Samples of a list of pictures (data/sample_stream.h). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "data/augment_inception.h"
#include "data/picture_list.h"
#include "data/sample_stream.h"

typedef struct image_stream {
    sample_stream head;
    picture_list list;
    const picture_tools *tools;
    picture_view view;
} image_stream;

static status see(const image_stream *s, const picture *p, const sample_view *view, float *x)
{
    if (view && view->augment.kind == AUGMENT_INCEPTION)
        return augment_inception(&view->augment, view->position, s->tools, p, s->head.input, x);
    return picture_see(&s->view, s->tools, p, view ? view->crop : 0, s->head.input, x);
}

static status decode(const image_stream *s, uint32_t sample, const sample_view *view, float *x)
{
    picture p;
    status result = s->tools->read(s->list.files.lines[sample], s->head.input.channels, &p);
    if (result == STATUS_OK) {
        result = see(s, &p, view, x);
        picture_free(&p);
    }
    if (result == STATUS_OK || result == STATUS_NO_MEMORY)
        return result;
    const char *text = strdupa(status_text());
    return status_fail(STATUS_BAD_FILE, "%s:%d: error: %s", s->list.path, s->list.lines[sample], text);
}

static status read_sample(const sample_stream *head, uint32_t sample, const sample_view *view, void *scratch, float *x, float *y)
{
    const image_stream *s = (const image_stream *)head;
    (void)scratch;
    if (x) {
        status result = decode(s, sample, view, x);
        if (result != STATUS_OK)
            return result;
    }
    labels_one_hot(head->has_labels ? (float)s->list.classes[sample] : -1, y, head->outputs);
    return STATUS_OK;
}

/* Pictures are read when they are wanted: decoded they may be larger than any memory. One is read at once, by one thread: OpenCV's readers (GDAL
 * among them) register themselves then, taking locks in an order that is not always the same. */
static status prepare(sample_stream *head)
{
    float *x = malloc((size_t)head->inputs * sizeof *x);
    status result = x ? decode((const image_stream *)head, 0, NULL, x) : status_fail(STATUS_NO_MEMORY, "out of memory (pictures)");
    free(x);
    return result;
}

static void free_stream(sample_stream *head)
{
    image_stream *s = (image_stream *)head;
    free((char *)s->list.path);
    picture_list_free(&s->list);
    free(s);
}

static const sample_stream_type image_stream_type = {prepare, read_sample, free_stream};

static status check(const image_stream *s, const stream_request *r, const names_file *names)
{
    tensor_shape i = r->input;
    if (i.channels != 1 && i.channels != 3)
        return status_fail(STATUS_BAD_CONFIG, "pictures have 1 or 3 channels, the network takes %d x %d x %d: set [net] channels, height and width",
                           i.channels, i.height, i.width);
    if (names && names->n != r->outputs)
        return status_fail(STATUS_BAD_CONFIG, "%d names of classes, but the network has %d outputs", names->n, r->outputs);
    if (!names && r->needs_labels && !r->missing)
        return status_fail(STATUS_BAD_CONFIG, "%s: the loss on values needs classes: names= says what they are called", s->list.path);
    return STATUS_OK;
}

status stream_images_open(sample_stream **result, const stream_request *r, const names_file *names)
{
    image_stream *s = allocate_zeroed(1, sizeof *s);
    *result = s ? &s->head : NULL;
    if (!s)
        return STATUS_NO_MEMORY;
    s->tools = r->pictures;
    s->view = r->view;
    s->head = (sample_stream){
        .type = &image_stream_type,
        .inputs = r->inputs,
        .outputs = r->outputs,
        .input = r->input,
        .has_labels = names != NULL,
        .of_classes = names != NULL,
        .labels = LABELS_CLASSES,
        .crops = r->view.centred ? PICTURE_CROPS : 1,
        .history = 1,
    };
    char *path = strdup(r->path);
    status opened = path ? picture_list_read(path, names, &s->list) : STATUS_NO_MEMORY;
    s->list.path = path;
    s->head.samples = (uint32_t)s->list.files.n;
    if (opened == STATUS_OK)
        opened = check(s, r, names);
    if (opened != STATUS_OK) {
        free_stream(&s->head);
        *result = NULL;
    }
    return opened;
}
