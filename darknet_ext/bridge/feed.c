/* Decoupled training: what Darknet's train_network does around forward and backward, counting samples and updates, is done here, when a minibatch
 * is fed; what its layers do, in the parts' threads (engine/decoupled.h). */
#include "bridge/internal.h"

#include <limits.h>

long plugin_decouples_at(const plugin_network *p)
{
    bool wanted;
    decoupled_read_options(&p->config->sections[0], &wanted);
    return wanted ? critics_warm_up(p->critics) : LONG_MAX;
}

status plugin_decouple(plugin_network *p)
{
    bool wanted;
    decoupled_options options = decoupled_read_options(&p->config->sections[0], &wanted);
    options.threads = plugin_threads(p);
    if (p->objective)
        plugin_refresh_weights(p, *p->host->seen); /* which stay: the schedule is constant */
    return decoupled_create(&p->decoupled, p->tape, p->objective, p->critics, &options);
}

decoupled *plugin_decoupled(const plugin_network *p)
{
    return p->decoupled;
}

/* That of Darknet's update_network, which counts it. */
static update_rule next_rule(const plugin_network *p)
{
    network *net = p->host;
    return (update_rule){
        .adam = net->adam,
        .rate = plugin_rate(p),
        .momentum = (double)net->momentum,
        .decay = (double)net->decay,
        .B1 = (double)net->B1,
        .B2 = (double)net->B2,
        .eps = (double)net->eps,
        .batch = net->batch * net->subdivisions,
        .adam_step = ++*net->t,
    };
}

void plugin_feed_minibatch(plugin_network *p)
{
    network *net = p->host;
    *net->seen += (size_t)net->batch;
    uint64_t step = *net->seen / (size_t)net->batch;
    fed_minibatch m = {.x = net->input, .truth = net->truth, .seed = p->seed, .step = step, .updates = step % (size_t)net->subdivisions == 0};
    if (m.updates)
        m.rule = next_rule(p);
    decoupled_feed(p->decoupled, &m);
}
