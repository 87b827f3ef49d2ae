/* What of a teacher does not fit the network that learns from it. */
#ifndef DNX_ENGINE_TEACHER_CHECK_H
#define DNX_ENGINE_TEACHER_CHECK_H

#include "engine/teacher.h"

/* STATUS_BAD_CONFIG with every contradiction, each with its place in `path` and in the teacher's cfg. `where` is the [sobolev] section. */
status teacher_check(const graph *student, const section *where, const char *path, const objective_options *o);

#endif
