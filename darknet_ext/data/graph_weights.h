/* A .weights file into a graph that lives without Darknet, in either number type. */
#ifndef DNX_DATA_GRAPH_WEIGHTS_H
#define DNX_DATA_GRAPH_WEIGHTS_H

#include "engine/graph.h"

/* Nothing changes unless the whole file is good: its header, its length, every number finite. */
status graph_weights_read(graph *g, const char *path);

#endif
