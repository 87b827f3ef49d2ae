/* One weight update of a node, by the rule that Darknet's loop follows (core/optimizer_math.h). */
#ifndef DNX_ENGINE_UPDATE_H
#define DNX_ENGINE_UPDATE_H

#include "engine/graph.h"

typedef struct update_rule {
    bool adam;     /* else SGD with momentum */
    double rate;   /* as the policy says, times the node's own factor */
    double momentum, decay, B1, B2, eps;
    int batch;     /* samples behind the gradients */
    int adam_step; /* 1 for the first */
} update_rule;

/* Moves the node's parameters along its gradients, which are 0 afterwards, or what momentum keeps of them. Frozen nodes stay what they are. */
void node_update(graph_node *node, const backend *be, const update_rule *rule);

#endif
