/* Shapes of layers that only Darknet runs, from their sections: so the whole network is checked before Darknet's parser sees it, which has
 * no way to say what does not fit. */
#ifndef DNX_ENGINE_FOREIGN_SHAPE_H
#define DNX_ENGINE_FOREIGN_SHAPE_H

#include "engine/graph.h"

/* Of node `index`, which reads the one below it. STATUS_BAD_CONFIG, with the section's place in the file `path`, when its sizes do not fit. */
status foreign_shape_of(const graph *g, const char *path, int index, tensor_shape *out);

#endif
