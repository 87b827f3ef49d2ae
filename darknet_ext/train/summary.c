#include "train/summary.h"

#include <json-c/json.h>
#include <math.h>
#include <sys/resource.h>

#include "core/file.h"
#include "train/parts.h"

static void add_measure(json_object *o, const char *key, double value)
{
    if (isfinite(value))
        json_object_object_add(o, key, json_object_new_double(value));
}

static json_object *evaluation_json(const evaluation *e)
{
    json_object *o = json_object_new_object();
    char name[TOP_NAME];
    add_measure(o, "value_mse", e->value_mse);
    add_measure(o, "gradient_mse", e->gradient_mse);
    add_measure(o, "hessian_mse", e->hessian_mse);
    add_measure(o, "directional_mse", e->directional_mse);
    add_measure(o, "error", e->error);
    add_measure(o, evaluation_top_name(e, name), e->top_error);
    add_measure(o, "kl", e->kl);
    return o;
}

/* What the guard saw of the losses on derivatives. */
static json_object *guard_json(const summary *s)
{
    json_object *o = json_object_new_object();
    add_measure(o, "gradient_cosine", s->cosine);
    json_object_object_add(o, "collapses", json_object_new_int(s->guard->collapses));
    if (s->guard->collapses > 0)
        json_object_object_add(o, "first_collapse", json_object_new_int64(s->guard->first_collapse));
    json_object_object_add(o, "trust", json_object_new_double(s->trust));
    json_object_object_add(o, "rate_factor", json_object_new_double(s->rate_factor));
    return o;
}

/* Its files as the cfg names them. */
static void add_teacher(json_object *o, const teacher_options *t)
{
    if (!t)
        return;
    json_object_object_add(o, "teacher", json_object_new_string(t->path));
    if (option_given(t->where, "weights"))
        json_object_object_add(o, "teacher_weights", json_object_new_string(option_text(t->where, "weights")));
}

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + 1e-6 * (double)t.tv_usec;
}

/* What the process took from the machine: seconds of processors, and the most memory it ever had. */
static void add_resources(json_object *o)
{
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    json_object_object_add(o, "processor_seconds", json_object_new_double(seconds_of(used.ru_utime) + seconds_of(used.ru_stime)));
    json_object_object_add(o, "peak_memory_mb", json_object_new_double(1e-3 * 1.024 * (double)used.ru_maxrss));
}

static json_object *summary_json(const summary *s)
{
    json_object *o = json_object_new_object(), *best = evaluation_json(&s->best);
    json_object_object_add(o, "version", json_object_new_string(DNX_VERSION));
    json_object_object_add(o, "cfg", json_object_new_string(s->cfg));
    add_teacher(o, plugin_teacher(s->net));
    json_object_object_add(o, "seed", json_object_new_int64((int64_t)plugin_seed(s->net)));
    json_object_object_add(o, "threads", json_object_new_int(plugin_threads(s->net)));
    json_object_object_add(o, "backend", json_object_new_string(plugin_backend(s->net)->name));
    json_object_object_add(o, "steps", json_object_new_int64(s->steps));
    json_object_object_add(o, "seconds", json_object_new_double(s->seconds));
    add_resources(o);
    json_object_object_add(o, "stopped", json_object_new_string(s->stopped));
    json_object_object_add(o, "parameters", json_object_new_int64((int64_t)graph_parameter_count(plugin_graph(s->net))));
    json_object_object_add(o, "training_points", json_object_new_int(s->training_points));
    add_measure(o, "waited_seconds", s->waited);
    json_object_object_add(o, "test", evaluation_json(&s->test));
    json_object_object_add(best, "step", json_object_new_int64(s->best_step));
    json_object_object_add(o, "best", best);
    if (s->guard)
        json_object_object_add(o, "derivatives", guard_json(s));
    if (plugin_decoupled(s->net))
        json_object_object_add(o, "decoupled", parts_json(plugin_decoupled(s->net)));
    json_object_object_add(o, "kept_inputs", json_object_new_int(s->kept_inputs));
    return o;
}

status summary_write(const summary *s, const char *path)
{
    char temporary[4096];
    FILE *f;
    status result = file_begin(path, temporary, sizeof temporary, &f);
    if (result != STATUS_OK)
        return result;
    json_object *o = summary_json(s);
    fprintf(f, "%s\n", json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(o);
    return file_commit(f, temporary, path);
}
