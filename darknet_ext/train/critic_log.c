#include "train/critic_log.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/metrics.h"

status critic_log_open(critic_log *l, plugin_network *p, const run_folder *folder)
{
    int n = critics_count(plugin_critics(p));
    if (n == 0)
        return STATUS_OK;
    l->latest = allocate_zeroed((unsigned long)n, sizeof *l->latest);
    if (!l->latest)
        return STATUS_NO_MEMORY;
    char last[RUN_ROW_BYTES];
    status s = run_folder_table(folder, "critics.csv", "step,layer,line,mode,loss_error,cosine,norm_ratio,staleness,most_stale", &l->file, last);
    run_folder_file(folder, "critics.csv", l->path);
    l->last_step = *last ? strtol(last, NULL, 10) : -1;
    return s;
}

status critic_log_write(critic_log *l, plugin_network *p, long step)
{
    for (int i = 0; l->file && i < critics_count(plugin_critics(p)); ++i) {
        critic *c = critics_get(plugin_critics(p), i);
        const graph_node *node = critic_node(c);
        critic_report r = critic_take_report(c);
        if (step == l->last_step)
            continue;
        fprintf(l->file, "%ld,%d,%d,%s", step, node->index, node->where->line, option_text(node->where, "mode"));
        metrics_put(l->file, r.loss_error);
        metrics_put(l->file, r.cosine);
        metrics_put(l->file, r.norm_ratio);
        metrics_put(l->file, r.staleness);
        metrics_put(l->file, r.minibatches > 0 ? (double)r.most_stale : NAN);
        fputc('\n', l->file);
        if (r.minibatches > 0)
            l->latest[i] = r;
    }
    if (l->file && fflush(l->file) != 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be written: %s", l->path, strerror(errno));
    return STATUS_OK;
}

void critic_log_report(const critic_log *l, plugin_network *p, FILE *out)
{
    for (int i = 0; l->file && i < critics_count(plugin_critics(p)); ++i) {
        const graph_node *node = critic_node(critics_get(plugin_critics(p), i));
        const critic_report *r = &l->latest[i];
        if (r->minibatches == 0)
            continue;
        fprintf(out, "critic of layer %d: gradient cosine %.3g, norm ratio %.3g", node->index, r->cosine, r->norm_ratio);
        if (isfinite(r->loss_error))
            fprintf(out, ", loss error %.3g", r->loss_error);
        if (plugin_decoupled(p))
            fprintf(out, ", staleness %.3g updates (at most %ld)", r->staleness, r->most_stale);
        fputc('\n', out);
    }
}

bool critic_log_has_predictions(const critic_log *l, plugin_network *p)
{
    for (int i = 0; l->file && i < critics_count(plugin_critics(p)); ++i)
        if (l->latest[i].minibatches > 0)
            return true;
    return false;
}

void critic_log_close(critic_log *l)
{
    if (l->file)
        fclose(l->file);
    free(l->latest);
    *l = (critic_log){0};
}
