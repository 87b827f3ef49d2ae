/* A [data] section whose samples are read in pieces: its files, and which of their samples are for training and which for tests. */
#ifndef DNX_DATA_STREAM_SOURCE_H
#define DNX_DATA_STREAM_SOURCE_H

#include "core/options.h"
#include "data/sample_stream.h"

/* Some samples of a stream, by number. */
typedef struct sample_set {
    const sample_stream *stream; /* NULL: no set */
    uint32_t *samples;           /* [n], owned */
    uint32_t n;
    augmentation augment;        /* of training samples */
    bool values_alone;           /* of training samples: derivatives are for tests */
    const struct normaliser *normaliser; /* what training samples are rewritten by (data/normalise.h), borrowed; NULL: nothing */
} sample_set;

typedef struct stream_source {
    sample_stream *stream, *test_stream; /* owned; test_stream NULL: tests are samples of `stream`, or there is no source at all */
    sample_set training, test;
    char *backup; /* of a .data file, owned: the folder of all runs; NULL: not given */
    int top;      /* of a .data file; 0: not given */
} stream_source;

/* What a network asks of such data. */
typedef struct stream_needs {
    int inputs, outputs;
    tensor_shape input;           /* channels 0: nobody looks at the shape */
    bool needs_values;            /* y is looked at */
    unsigned parts;               /* bits of the derivatives, and of v, that somebody looks at where they are there */
    bool needs_derivatives;       /* the training does, at some of them */
    uint64_t seed;
    const struct picture_tools *pictures; /* of the program; NULL: there are no pictures */
} stream_needs;

/* Whether the section names pictures, or a file that is read in pieces: for a key that says so, or for what it holds of `parts` (bits). */
bool stream_source_is_asked_for(const section *data, unsigned parts);

/* The key that names the source: file, list or train. */
const char *stream_source_key(const section *data);

/* Opens and checks the files, and divides their samples. STATUS_BAD_CONFIG at the place of a key. Freed by the caller also on failure. */
status stream_source_open(stream_source *s, const section *data, const char *path, const stream_needs *needs);
void stream_source_free(stream_source *s);

/* Takes into memory what cache_mb allows, and checks labels: before samples are read. */
status stream_source_prepare(stream_source *s, const section *data, const char *path);

#endif
