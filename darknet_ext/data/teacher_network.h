/* The network that a [teacher] section names: its cfg and weights, read as strictly as the student's, without a Darknet network around it. */
#ifndef DNX_DATA_TEACHER_NETWORK_H
#define DNX_DATA_TEACHER_NETWORK_H

#include "config/reader.h"
#include "engine/teacher.h"

typedef struct teacher_network {
    const backend *be;
    config *config;
    graph graph;
    teacher_options options; /* where NULL: there is no [teacher] with cfg= */
} teacher_network;

/* Of the student's cfg: the options of its [teacher] section alone, without the teacher. Enough for a student that only predicts. */
status teacher_network_describe(teacher_network *t, const config *student);

/* Whether the files that a described teacher names can be read; false when there is none. */
bool teacher_network_is_readable(const teacher_network *t);

/* The same with the teacher. Without weights= its weights are random, from the seed of its own cfg. Messages about its cfg go to `sink`; one that
 * cannot be read, and bad weights, are a failure whose text names the student's line too. Freed with teacher_network_close() also then. */
status teacher_network_open(teacher_network *t, const config *student, const backend *be, message_sink sink, void *context);
void teacher_network_close(teacher_network *t);

/* Lets the objective learn from the teacher, if there is one. Where it compares logits, those of a teacher that ends with [softmax] are what that
 * reads. */
void teacher_network_join(objective_options *o, teacher_network *t);

#endif
