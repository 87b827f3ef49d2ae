/* What of a [sobolev] section does not fit the network it stands in. */
#ifndef DNX_ENGINE_OBJECTIVE_CHECK_H
#define DNX_ENGINE_OBJECTIVE_CHECK_H

#include "engine/graph.h"
#include "layers/sobolev.h"

/* STATUS_BAD_CONFIG with every contradiction, each with its place in `path`: of the options with each other, with the graph, and
 * layers of the differentiated segment that cannot be differentiated as often as asked. `where` is the section. */
status objective_check(const graph *g, const section *where, const char *path, const objective_options *o);

#endif
