/* Samples that are read one by one, from data sets larger than memory: any sample, in any order, by any number of threads. */
#ifndef DNX_DATA_SAMPLE_STREAM_H
#define DNX_DATA_SAMPLE_STREAM_H

#include <stdbool.h>
#include <stdint.h>

#include "core/shape.h"
#include "core/status.h"
#include "data/augment.h"
#include "data/dataset.h"
#include "data/names_file.h"
#include "data/picture_view.h"
#include "data/stream_labels.h"

typedef struct sample_stream sample_stream;
struct picture_tools;

/* How a sample is looked at. */
typedef struct sample_view {
    augmentation augment; /* of a training sample */
    uint64_t position;    /* and its place in the sequence of epochs */
    bool values_alone;    /* derivatives are not asked for: NaN */
    int crop;             /* of a test picture: which of PICTURE_CROPS */
} sample_view;

typedef struct sample_stream_type {
    status (*prepare)(sample_stream *s);
    status (*read)(const sample_stream *s, uint32_t sample, const sample_view *view, void *scratch, float *x, float *y);
    void (*free)(sample_stream *s);
} sample_stream_type;

/* The head of each kind of stream. */
struct sample_stream {
    const sample_stream_type *type;
    uint32_t samples;
    int inputs, outputs;
    tensor_shape input;      /* channels 0: nobody looks at the shape */
    bool has_labels;         /* else every y is NaN */
    unsigned parts;          /* bits of the parts (data/dataset.h) that follow y among the labels of a sample */
    int directions;          /* of v among them */
    bool of_classes;         /* labels are classes, or scores of classes */
    label_kind labels;
    size_t scratch;          /* bytes that `read` needs */
    double sample_bytes;     /* of a sample in its file, about; 0: not known */
    int32_t *episodes;       /* [samples], not decreasing, owned; NULL: no episodes */
    int crops;               /* that a sample has: 1, of pictures in the middle of which a network looks PICTURE_CROPS */
    int history;             /* frames of a sample: it reads up to history - 1 samples before it */
};

/* What is asked of a stream. */
typedef struct stream_request {
    const char *path;
    int inputs, outputs;
    tensor_shape input;      /* channels 0: nobody looks at the shape */
    int history;             /* 0: not given */
    double scale;            /* of the numbers of x; 0: 1/255 for bytes, but for x with derivatives beside it; else 1 */
    label_kind labels;
    bool labels_given;       /* the cfg says what they are */
    bool needs_labels;       /* somebody looks at y */
    bool unlabelled;         /* nobody does: y and label are left alone */
    unsigned parts;          /* bits of those wanted beside x and y, where they are there */
    bool needs_derivatives;  /* the training looks at some of them */
    bool missing;            /* labels may be missing */
    uint64_t cache;          /* bytes of memory */
    const struct picture_tools *pictures; /* of the program; NULL: there are no pictures */
    picture_view view;
} stream_request;

/* The numbers of a sample's labels before `part`: y [outputs], then s->parts in the order of dataset_part, each as data/dataset.h has it.
 * PART_COUNT: all of them. */
size_t stream_labels_before(const sample_stream *s, dataset_part part);

static inline size_t stream_labels(const sample_stream *s)
{
    return stream_labels_before(s, PART_COUNT);
}

/* Of so many of its samples, with no parts yet. */
static inline dataset stream_dataset(const sample_stream *s, int points)
{
    return (dataset){.points = points, .inputs = s->inputs, .outputs = s->outputs, .directions = s->directions};
}

/* Numbers of a part of a sample. */
size_t stream_part_size(const sample_stream *s, dataset_part part);

static inline bool stream_has(const sample_stream *s, dataset_part part)
{
    return (s->parts >> part & 1) != 0;
}

/* Whether derivatives are among them. */
static inline bool stream_has_derivatives(const sample_stream *s)
{
    return (s->parts & (1u << PART_JACOBIAN | 1u << PART_HESSIAN | 1u << PART_JVP | 1u << PART_HVP)) != 0;
}

/* A sample, as stream_read() left it, into a data set of the same sizes, and back: the parts that the data set has. */
void stream_row_to_dataset(const sample_stream *s, const float *x, const float *y, dataset *d, size_t sample);
void stream_row_from_dataset(const sample_stream *s, const dataset *d, size_t sample, float *x, float *y);

/* The bits of x, y and its other parts. */
static inline unsigned stream_all_parts(const sample_stream *s)
{
    return 1u << PART_X | 1u << PART_Y | s->parts;
}

/* An HDF5 file:
 *     x       uint8 or any other type of numbers, [N, inputs] or [N, channels, height, width]
 *     frames  instead of x: uint8 [N, height, width]; sample i is the frames i-history+1 .. i of its episode, the oldest first, with the
 *             episode's first frame in place of those before it
 *     episode integers [N], not decreasing; optional
 *     y       [N, outputs], or
 *     label   [N], the number of the class from 0; negative: not given
 *     dydx, d2ydx2, v, v_weight, jvp, hvp   where derivatives are looked at: as data/dataset.h has them, or of as many numbers, of y by x as it
 *             stands in the file
 * STATUS_BAD_FILE with one sentence. Nothing is read yet but the shapes and the episodes. */
status stream_hdf5_open(sample_stream **result, const stream_request *request);

/* A list of pictures (data/picture_list.h), each put into the network's input as the request's `view` says. `names` are the classes; NULL: there
 * are no labels. */
status stream_images_open(sample_stream **result, const stream_request *request, const names_file *names);

/* Whether that file is to be read in pieces whatever the cfg says: it holds frames, label, pictures or (without derivatives) bytes, or more numbers
 * of x and `parts` (bits) than `cache` bytes hold in double (no bytes, beside derivatives). False also when it cannot be read: whoever reads it whole
 * says why. */
bool stream_hdf5_is_needed(const char *path, unsigned parts, uint64_t cache);

/* Reads what is to lie in memory, and checks what can be checked once; before the first stream_read. */
static inline status stream_prepare(sample_stream *s)
{
    return s->type->prepare(s);
}

/* Bytes that each reading thread needs. */
size_t stream_scratch(const sample_stream *s);

/* x [inputs] and the labels y [stream_labels()] of a sample; x NULL: the labels alone. `view` NULL: the sample as it is, of pictures crop 0.
 * `scratch` is this thread's, of stream_scratch() bytes. */
status stream_read(const sample_stream *s, uint32_t sample, const sample_view *view, void *scratch, float *x, float *y);

/* NULL is allowed. */
static inline void stream_free(sample_stream *s)
{
    if (s)
        s->type->free(s);
}

#endif
