#include "train/gradients.h"

#include <math.h>
#include <stdlib.h>

bool gradient_probe_applies(plugin_network *net)
{
    const objective_options *o = plugin_objective(net);
    return o && o->order > 0 && sobolev_has_loss(o, 0) && plugin_has_loss_gradient(net);
}

status gradient_probe_create(gradient_probe *g, plugin_network *net)
{
    *g = (gradient_probe){.net = net, .count = graph_parameter_count(plugin_graph(net))};
    g->value_gradient = allocate_zeroed(2 * g->count, sizeof *g->value_gradient);
    g->derivative_gradient = g->value_gradient ? g->value_gradient + g->count : NULL;
    return g->value_gradient ? STATUS_OK : STATUS_NO_MEMORY;
}

void gradient_probe_free(gradient_probe *g)
{
    free(g->value_gradient);
    *g = (gradient_probe){0};
}

/* The present weights of the orders first..last alone. */
static status gradient_of(gradient_probe *g, int first, int last, float *gradient)
{
    double weights[JET_MAX_ORDER + 1] = {0};
    for (int k = first; k <= last; ++k)
        weights[k] = plugin_weights(g->net)[k];
    return plugin_loss_gradient(g->net, weights, gradient);
}

static double dot(size_t count, const float *a, const float *b)
{
    double sum = 0;
    for (size_t i = 0; i < count; ++i)
        sum += (double)a[i] * (double)b[i];
    return sum;
}

status gradient_probe_cosine(gradient_probe *g, double *cosine)
{
    status s = gradient_of(g, 0, 0, g->value_gradient);
    if (s == STATUS_OK)
        s = gradient_of(g, 1, JET_MAX_ORDER, g->derivative_gradient);
    double squares = dot(g->count, g->value_gradient, g->value_gradient) * dot(g->count, g->derivative_gradient, g->derivative_gradient);
    *cosine = squares > 0 ? dot(g->count, g->value_gradient, g->derivative_gradient) / sqrt(squares) : NAN;
    return s;
}

status gradient_probe_norms(gradient_probe *g, double norms[JET_MAX_ORDER + 1])
{
    status s = STATUS_OK;
    for (int k = 0; k <= JET_MAX_ORDER && s == STATUS_OK; ++k) {
        s = gradient_of(g, k, k, g->value_gradient);
        norms[k] = sqrt(dot(g->count, g->value_gradient, g->value_gradient));
    }
    return s;
}
