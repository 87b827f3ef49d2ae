/* The order of things: what stock Darknet lacks is refused, the rest said with layers that the readers have, then written.
 *
 * Keys are written where they were given, and always where readers have different defaults. */
#include "model/export.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bridge/lower.h"
#include "core/file.h"
#include "model/export_darknet.h"
#include "model/export_fold.h"
#include "model/export_opencv.h"

typedef struct exporter {
    const export_request *request;
    plugin_network *network;
    plan plan;
    const char *kind; /* of the next complaint: error or note */
    int complaints;
} exporter;

static void complain(void *context, const plan_layer *l, const char *text)
{
    exporter *e = context;
    char line[512];
    snprintf(line, sizeof line, "%s:%d:%d: %s: %s", e->plan.config->path, l->where->line, l->where->column, e->kind, text);
    e->request->sink(e->request->context, line);
    ++e->complaints;
}

/* ---------------------------------------------------------------- what the readers can run */

static status refuse(const exporter *e, const char *reader)
{
    return status_fail(STATUS_BAD_CONFIG, "%s: error: %s cannot run this network as it is: nothing was written", e->plan.config->path, reader);
}

static status prepare(exporter *e)
{
    const export_reader reader = e->request->reader;
    e->kind = "error";
    darknet_read_plan(&e->plan, complain, e);
    if (e->complaints > 0)
        return refuse(e, "stock Darknet");
    e->kind = "note";
    darknet_note_plan(&e->plan, complain, e);
    e->complaints = 0;
    status s = export_fold(&e->plan, reader != EXPORT_FOR_DARKNET);
    if (reader == EXPORT_FOR_DARKNET || s != STATUS_OK)
        return s;
    e->kind = reader == EXPORT_FOR_OPENCV ? "error" : "note";
    s = opencv_read_plan(&e->plan, complain, e);
    if (s == STATUS_OK && e->complaints > 0 && reader == EXPORT_FOR_OPENCV)
        s = refuse(e, "OpenCV");
    return s;
}

/* ---------------------------------------------------------------- the cfg */

static bool is_one_of(const char *key, const char *const *keys)
{
    for (; *keys; ++keys)
        if (strcmp(*keys, key) == 0)
            return true;
    return false;
}

static void write_net(const plan *p, FILE *out)
{
    static const char *const sizes[] = {"inputs", "height", "width", "channels", NULL};
    const section *net = &p->config->sections[0];
    fprintf(out, "[net]\nheight=%d\nwidth=%d\nchannels=%d\n", p->input.height, p->input.width, p->input.channels);
    for (const option *o = net->options; o < net->options + net->n_options; ++o)
        if (!is_one_of(o->key, sizes) && !lower_is_own_key(net, o->key) && o->spec->type != OPTION_IGNORED)
            fprintf(out, "%s=%s\n", o->key, o->value);
}

static bool is_default(const section *s, const option *o)
{
    const char *fallback = o->spec->fallback;
    double value;
    if (!fallback || !*fallback)
        return false;
    return parse_real(fallback, &value) ? option_real(s, o->key) == value : strcmp(fallback, o->value) == 0;
}

/* Keys of weights files that were written otherwise, and those that write_own_keys() writes. Others are not in other readers' way. */
static void write_given_keys(const plan_layer *l, FILE *out)
{
    static const char *const left_out[] = {"dontload", "dontsave", "dontloadscales", "numload",     "flipped", "activation", "batch_normalize", "filters", "output",
                                           "size",     "stride",   "pad",            "padding",     "groups",  "layers",     "from",            "temperature", NULL};
    for (const option *o = l->where->options; o < l->where->options + l->where->n_options; ++o)
        if (!is_one_of(o->key, left_out) && o->spec->type != OPTION_IGNORED && !is_default(l->where, o))
            fprintf(out, "%s=%s\n", o->key, o->value);
}

enum { THINNING_SECTIONS = 3 };

static int sections_of(const plan_layer *l)
{
    return l->dropped ? 0 : 1 + (l->thinning > 1 ? THINNING_SECTIONS : 0);
}

/* Of the section whose output is the layer's. */
static int written_number(const plan *p, int layer)
{
    int n = 0;
    for (int i = 0; i <= layer; ++i)
        n += sections_of(&p->layers[i]);
    return n - 1;
}

/* The layer that is added, every so many-th pixel of it; and again the layer below. */
static void write_thinning(const plan *p, const plan_layer *l, FILE *out)
{
    fprintf(out, "\n[route]\nlayers=%d\n\n[maxpool]\nsize=1\nstride=%d\n\n[route]\nlayers=%d\n", written_number(p, l->inputs[1]), l->thinning,
            written_number(p, l->inputs[0]));
}

static void write_number(const plan_layer *l, const char *key, FILE *out)
{
    if (section_option(l->where->spec, key))
        fprintf(out, "%s=%ld\n", key, option_integer(l->where, key));
}

/* tkDNN takes every key that contains `pad` for pad=: padding= is written where pad=1, or the default, does not say the same. */
static void write_window(const plan_layer *l, FILE *out)
{
    const plan_window w = l->window;
    fprintf(out, "size=%d\nstride=%d\n", w.size, w.stride);
    if (plan_is(l, "maxpool") ? w.padding != w.size - 1 : w.padding && w.padding != w.size / 2)
        fprintf(out, "padding=%d\n", w.padding);
    else if (!plan_is(l, "maxpool"))
        fprintf(out, "pad=%d\n", w.padding > 0);
}

static void write_references(const plan *p, const plan_layer *l, FILE *out)
{
    bool route = plan_is(l, "route");
    if (l->thinning > 1) {
        fprintf(out, "from=%d\n", written_number(p, l->index) - THINNING_SECTIONS + 1);
        return;
    }
    fprintf(out, "%s=", route ? "layers" : "from");
    for (int i = !route; i < l->n_inputs; ++i)
        fprintf(out, "%d%c", written_number(p, l->inputs[i]), i + 1 < l->n_inputs ? ',' : '\n');
}

static void write_own_keys(const plan *p, const plan_layer *l, FILE *out)
{
    bool window = plan_is(l, "convolutional") || plan_is(l, "maxpool");
    size_t groups = l->made ? l->arrays.filters : section_option(l->where->spec, "groups") ? (size_t)option_integer(l->where, "groups") : 1;
    if (plan_is(l, "convolutional"))
        fprintf(out, "filters=%zu\n", l->arrays.filters);
    else
        write_number(l, "filters", out);
    write_number(l, "output", out);
    if (window) {
        write_window(l, out);
    } else {
        write_number(l, "size", out);
        write_number(l, "stride", out);
        write_number(l, "pad", out);
        write_number(l, "padding", out);
    }
    if (groups > 1)
        fprintf(out, "groups=%zu\n", groups);
    if (plan_is(l, "route") || plan_is(l, "shortcut"))
        write_references(p, l, out);
    if (l->temperature != 1)
        fprintf(out, "temperature=%s\n", option_text(l->where, "temperature"));
    if (l->arrays.weights ? l->arrays.scales != NULL : section_option(l->where->spec, "batch_normalize") && option_boolean(l->where, "batch_normalize"))
        fprintf(out, "batch_normalize=1\n");
    if (l->activation)
        fprintf(out, "activation=%s\n", l->activation);
}

static void write_cfg(const plan *p, FILE *out)
{
    write_net(p, out);
    for (const plan_layer *l = p->layers; l < p->layers + p->n; ++l) {
        if (l->dropped)
            continue;
        if (l->thinning > 1)
            write_thinning(p, l, out);
        fprintf(out, "\n[%s]\n", l->type);
        write_own_keys(p, l, out);
        if (!l->made)
            write_given_keys(l, out);
    }
}

/* ---------------------------------------------------------------- the weights */

static size_t own_blocks(const plan_layer *l, weights_block *blocks)
{
    const layer_arrays *a = &l->arrays;
    const weights_block weights = {.values = a->weights, .count = a->filters * a->filter_size};
    size_t n = 0;
    blocks[n++] = (weights_block){.values = a->biases, .count = a->filters};
    if (plan_is(l, "connected"))
        blocks[n++] = weights;
    if (a->scales) {
        blocks[n++] = (weights_block){.values = a->scales, .count = a->filters};
        blocks[n++] = (weights_block){.values = a->rolling_mean, .count = a->filters};
        blocks[n++] = (weights_block){.values = a->rolling_variance, .count = a->filters};
    }
    if (plan_is(l, "convolutional"))
        blocks[n++] = weights;
    return n;
}

/* Appends the blocks of one layer. */
static status add_blocks(exporter *e, const plan_layer *l, weights_block **all, size_t *n)
{
    weights_block own[5], *blocks = NULL;
    size_t count = 0;
    status s = STATUS_OK;
    if (l->arrays.weights)
        count = own_blocks(l, own);
    else
        s = plugin_layer_blocks(e->network, l->index, &blocks, &count);
    weights_block *grown = s == STATUS_OK ? realloc(*all, (*n + count + 1) * sizeof *grown) : NULL;
    if (grown) {
        if (count > 0)
            memcpy(grown + *n, blocks ? blocks : own, count * sizeof *grown);
        *all = grown;
        *n += count;
    } else if (s == STATUS_OK) {
        s = status_fail(STATUS_NO_MEMORY, "out of memory (list of weights)");
    }
    free(blocks);
    return s;
}

static status list_blocks(exporter *e, weights_block **all, size_t *n)
{
    status s = STATUS_OK;
    for (int i = 0; i < e->plan.n && s == STATUS_OK; ++i)
        if (!e->plan.layers[i].dropped)
            s = add_blocks(e, &e->plan.layers[i], all, n);
    return s;
}

/* ---------------------------------------------------------------- both files */

static status write_both(exporter *e, const weights_block *blocks, size_t n)
{
    char temporary[2][4096];
    FILE *cfg = NULL, *weights = NULL;
    status s = file_begin(e->request->cfg, temporary[0], sizeof temporary[0], &cfg);
    if (s != STATUS_OK)
        return s;
    write_cfg(&e->plan, cfg);
    s = file_flush(cfg, e->request->cfg);
    if (s == STATUS_OK)
        s = file_begin(e->request->weights, temporary[1], sizeof temporary[1], &weights);
    if (s == STATUS_OK) {
        weights_file_print(weights, plugin_seen(e->network), blocks, n);
        s = file_commit(weights, temporary[1], e->request->weights);
    }
    if (s == STATUS_OK)
        return file_commit(cfg, temporary[0], e->request->cfg);
    file_abandon(cfg, temporary[0]);
    return s;
}

static status write_files(exporter *e, const weights_block *blocks, size_t n)
{
    const char *folder = e->request->folder;
    bool made = access(folder, F_OK) != 0;
    status s = file_make_folders(folder);
    if (s == STATUS_OK)
        s = write_both(e, blocks, n);
    if (s != STATUS_OK && made)
        rmdir(folder);
    return s;
}

status export_network(plugin_network *network, const export_request *r)
{
    exporter e = {.request = r, .network = network};
    weights_block *blocks = NULL;
    size_t n = 0;
    status s = plan_create(&e.plan, network);
    if (s == STATUS_OK)
        s = prepare(&e);
    if (s == STATUS_OK)
        s = list_blocks(&e, &blocks, &n);
    if (s == STATUS_OK)
        s = write_files(&e, blocks, n);
    free(blocks);
    plan_free(&e.plan);
    return s;
}
