/* Whether the losses, directions and targets that a [sobolev] section chooses go with each other and with the network. */
#ifndef DNX_ENGINE_CHOICE_CHECK_H
#define DNX_ENGINE_CHOICE_CHECK_H

#include "engine/graph.h"
#include "layers/sobolev.h"

/* Of any order. Messages name the line of a key in `path`. */
status choice_check_losses(const graph *g, const section *where, const char *path, const objective_options *o);

/* Of order 1 and above. */
void choice_check_directions(const graph *g, const section *where, const char *path, const objective_options *o, status_list *found);

#endif
