/* What of a [sobolev] section does not fit the network it stands in. */
#ifndef DNX_ENGINE_OBJECTIVE_CHECK_H
#define DNX_ENGINE_OBJECTIVE_CHECK_H

#include "engine/graph.h"
#include "layers/sobolev.h"

/* STATUS_BAD_CONFIG with every contradiction, each with its place in `path`: of the options with each other, with the graph, and
 * layers of the differentiated segment that cannot be differentiated as often as asked. `where` is the section. */
status objective_check(const graph *g, const section *where, const char *path, const objective_options *o);

/* Whether anything but derivatives is compared: values, labels, or layers. */
bool objective_has_values(const objective_options *o);

/* Whether the outputs stand for logits: in the loss on values or on hard labels, or in what is differentiated. */
bool objective_takes_logits(const objective_options *o);

/* Whether a graph's outputs are the probabilities of a [softmax]. */
bool objective_is_softmax(const graph *g);

/* The failure of a network that ends so, where [sobolev], `where`, takes its outputs for logits: they would be squashed twice. */
status objective_refuse_softmax(const graph *g, const section *where, const char *path);

/* Adds to `found` every layer above o->wrt that cannot be differentiated as asked. `asker`: where [sobolev] stands, "line 12"; `path`: of
 * the graph's cfg. */
void objective_check_segment(const graph *g, const char *asker, const char *path, const objective_options *o, status_list *found);

#endif
