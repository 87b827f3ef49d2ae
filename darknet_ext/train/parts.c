#include "train/parts.h"

#include <json-c/json.h>

static double percent(double part, double whole)
{
    return whole > 0 ? 100 * part / whole : 0;
}

static void print_part(decoupled *d, int i, FILE *out)
{
    part_report r = decoupled_report(d, i);
    double seconds = decoupled_seconds(d);
    fprintf(out, "part %d, layers %d to %d, %d thread%s: %ld minibatches, %ld updates, busy %.1f%%, waited %.1f%% for minibatches", i, r.first, r.last, r.threads,
            r.threads == 1 ? "" : "s", r.minibatches, r.updates, percent(r.busy, seconds), percent(seconds - r.busy - r.blocked, seconds));
    if (i + 1 < decoupled_parts(d))
        fprintf(out, " and %.1f%% for room above", percent(r.blocked, seconds));
    fprintf(out, ", had the processor %.1f%%, %.2g in its queue", percent(r.processor, seconds), r.waiting);
    if (r.dropped > 0)
        fprintf(out, ", dropped %ld", r.dropped);
    fputc('\n', out);
}

void parts_print(decoupled *d, FILE *out)
{
    if (!d)
        return;
    fprintf(out, "decoupled: %d parts, queue %d, %.1f seconds, %.2f MB more than locked training\n", decoupled_parts(d), decoupled_get_options(d)->queue,
            decoupled_seconds(d), 1e-6 * (double)decoupled_bytes(d));
    for (int i = 0; i < decoupled_parts(d); ++i)
        print_part(d, i, out);
}

static void add_integer(json_object *o, const char *key, long value)
{
    json_object_object_add(o, key, json_object_new_int64(value));
}

static void add_number(json_object *o, const char *key, double value)
{
    json_object_object_add(o, key, json_object_new_double(value));
}

static json_object *part_json(decoupled *d, int i)
{
    part_report r = decoupled_report(d, i);
    json_object *o = json_object_new_object();
    add_integer(o, "first", r.first);
    add_integer(o, "last", r.last);
    add_integer(o, "threads", r.threads);
    add_integer(o, "minibatches", r.minibatches);
    add_integer(o, "updates", r.updates);
    add_integer(o, "dropped", r.dropped);
    add_number(o, "busy_seconds", r.busy);
    add_number(o, "blocked_seconds", r.blocked);
    add_number(o, "processor_seconds", r.processor);
    add_number(o, "queue", r.waiting);
    return o;
}

json_object *parts_json(decoupled *d)
{
    const decoupled_options *options = decoupled_get_options(d);
    json_object *o = json_object_new_object(), *parts = json_object_new_array();
    add_integer(o, "queue", options->queue);
    json_object_object_add(o, "queue_full", json_object_new_string(options->drops ? "drop" : "wait"));
    json_object_object_add(o, "lockstep", json_object_new_boolean(options->lockstep));
    add_number(o, "seconds", decoupled_seconds(d));
    add_integer(o, "bytes", (long)decoupled_bytes(d));
    for (int i = 0; i < decoupled_parts(d); ++i)
        json_object_array_add(parts, part_json(d, i));
    json_object_object_add(o, "parts", parts);
    return o;
}
