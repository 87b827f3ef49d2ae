#include "train/point_sets.h"

#include <string.h>

#include "check/gradient_check.h"

status training_set_functions(plugin_network *p, function_data *f)
{
    const config *c = plugin_config(p);
    const graph *g = plugin_graph(p);
    const section *s = config_section(c, "data");
    if (!s)
        return status_fail(STATUS_BAD_CONFIG, "%s:%d: error: there is no [data] section: nothing says what to train on", c->path, c->sections[0].line);
    return function_data_read(f, s, c->path, (int)shape_count(g->input), (int)shape_count(g->nodes[g->output_node].out));
}

int evaluation_order(plugin_network *p)
{
    const section *s = config_section(plugin_config(p), "sobolev");
    int wanted = s && option_integer(s, "order") > 1 ? 2 : 1, possible = gradient_check_order(plugin_graph(p));
    return wanted < possible ? wanted : possible;
}

static status create_set(dataset *d, plugin_network *p, const char *count_key, int order, random_purpose purpose)
{
    function_data f;
    status result = training_set_functions(p, &f);
    if (result != STATUS_OK)
        return result;
    const section *s = config_section(plugin_config(p), "data");
    result = dataset_sample(d, &f, (int)option_integer(s, count_key), order, plugin_seed(p), purpose);
    function_data_free(&f);
    return result == STATUS_BAD_CONFIG ? option_fail(s, plugin_config(p)->path, "domain", strdupa(status_text())) : result;
}

status training_set_create(dataset *d, plugin_network *p, int order)
{
    return create_set(d, p, "points", order, RANDOM_TRAINING_POINTS);
}

status test_set_create(dataset *d, plugin_network *p, int order)
{
    return create_set(d, p, "test_points", order, RANDOM_TEST_POINTS);
}
