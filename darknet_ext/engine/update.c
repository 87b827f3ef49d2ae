#include "engine/update.h"

static void parameter_update(parameter *p, const backend *be, const update_rule *r)
{
    double decay = p->decays ? r->decay : 0;
    if (r->adam)
        be->adam_update(adam_rule_at(r->rate, r->B1, r->B2, r->eps, decay, r->batch, r->adam_step), p->count, p->value, p->gradient, p->moment_1, p->moment_2);
    else
        be->sgd_update((sgd_rule){(real)r->rate, (real)r->momentum, (real)decay, (real)r->batch}, p->count, p->value, p->gradient);
}

void node_update(graph_node *node, const backend *be, const update_rule *rule)
{
    for (parameter *p = node->parameters; !node->frozen && p < node->parameters + node->n_parameters; ++p)
        if (!p->statistic)
            parameter_update(p, be, rule);
}
