/* Twins: one cfg as a network of stock Darknet and as a network of the plugin, in one process, on the same numbers.
 *
 * The cfg is written in short form: "name key=value key=value | name key=value" becomes one section per name. */
#ifndef DNX_TESTS_STOCK_FIXTURE_H
#define DNX_TESTS_STOCK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bridge/internal.h"

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

static const char *const backend_names[] = {"ref", "onednn"};

static inline bool backend_is_built(const char *name)
{
    for (const backend *const *be = backend_list; *be; ++be)
        if (strcmp((*be)->name, name) == 0)
            return true;
    return false;
}

/* ---------------------------------------------------------------- files in memory */

typedef struct memory_file {
    int fd;
    char path[64]; /* opens it anew */
} memory_file;

static memory_file memory_file_new(void)
{
    memory_file f = {.fd = memfd_create("test", MFD_CLOEXEC)};
    assert_true(f.fd >= 0);
    snprintf(f.path, sizeof f.path, "/proc/self/fd/%d", f.fd);
    return f;
}

/* A cfg of [net] with the keys of `net`, and the sections of `layers`. */
static memory_file cfg_new(const char *net, const char *layers)
{
    memory_file f = memory_file_new();
    FILE *out = fopen(f.path, "w");
    char *text = NULL, *rest_of_sections, *rest_of_words;
    assert_non_null(out);
    assert_true(asprintf(&text, "net %s | %s", net, layers) > 0);
    for (char *part = strtok_r(text, "|", &rest_of_sections); part; part = strtok_r(NULL, "|", &rest_of_sections)) {
        char *word = strtok_r(part, " ", &rest_of_words);
        fprintf(out, "[%s]\n", word);
        while ((word = strtok_r(NULL, " ", &rest_of_words)))
            fprintf(out, "%s\n", word);
    }
    free(text);
    assert_int_equal(fclose(out), 0);
    return f;
}

/* ---------------------------------------------------------------- quiet Darknet */

/* Stock Darknet writes tables to stderr, whoever asks. */
static inline int stderr_hide(void)
{
    fflush(stderr);
    int kept = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    assert_true(kept >= 0 && nowhere >= 0 && dup2(nowhere, STDERR_FILENO) >= 0);
    close(nowhere);
    return kept;
}

static inline void stderr_show(int kept)
{
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
}

/* ---------------------------------------------------------------- networks */

static void print_line(void *context, const char *line)
{
    (void)context;
    print_error("%s\n", line);
}

/* Fails the test, with the plugin's message, when the cfg is refused. */
static inline plugin_network *plugin_new(const char *net, const char *layers, plugin_settings settings)
{
    memory_file cfg = cfg_new(net, layers);
    plugin_network *p = NULL;
    settings.sink = print_line;
    settings.quiet = true;
    status s = plugin_load(cfg.path, &settings, &p);
    close(cfg.fd);
    if (s != STATUS_OK)
        fail_msg("%s | %s: %s", net, layers, status_text());
    return p;
}

/* ---------------------------------------------------------------- trainable arrays */

typedef struct array {
    float *values;
    size_t count;
    int layer;
    const char *name;
} array;

enum { MAX_ARRAYS = 64 };

typedef struct array_list {
    array items[MAX_ARRAYS];
    int n;
} array_list;

static inline void arrays_add(array_list *a, float *values, int count, int index, const char *name)
{
    if (!values || count == 0)
        return;
    assert_true(a->n < MAX_ARRAYS);
    a->items[a->n++] = (array){values, (size_t)count, index, name};
}

static inline int weight_count(const layer *l)
{
    switch (l->type) {
    case CONNECTED:
        return l->inputs * l->outputs;
    case LOCAL:
        return l->size * l->size * l->c * l->n * l->out_w * l->out_h;
    case CONVOLUTIONAL:
    case DECONVOLUTIONAL:
        return l->nweights;
    default:
        return 0;
    }
}

static inline void arrays_of_layer(array_list *a, const layer *l, int index)
{
    const layer *parts[] = {l->input_layer, l->self_layer, l->output_layer, l->wi, l->wf, l->wo, l->wg, l->ui, l->uf,
                            l->uo,          l->ug,         l->wz,           l->wr, l->wh, l->uz, l->ur, l->uh};
    int filters = l->type == CONVOLUTIONAL || l->type == DECONVOLUTIONAL ? l->n : l->outputs;
    for (size_t i = 0; i < COUNT_OF(parts); ++i)
        if (parts[i])
            arrays_of_layer(a, parts[i], index);
    if (l->type == BATCHNORM)
        filters = l->c;
    else if (weight_count(l) == 0)
        return;
    arrays_add(a, l->weights, weight_count(l), index, "weights");
    if (l->type != BATCHNORM) /* there they are always 0 */
        arrays_add(a, l->biases, filters, index, "biases");
    arrays_add(a, l->scales, filters, index, "scales");
    arrays_add(a, l->rolling_mean, filters, index, "rolling_mean");
    arrays_add(a, l->rolling_variance, filters, index, "rolling_variance");
}

static inline array_list arrays_of(const network *net)
{
    array_list a = {.n = 0};
    for (int i = 0; i < net->n; ++i)
        arrays_of_layer(&a, &net->layers[i], i);
    return a;
}

static inline size_t arrays_total(const array_list *a)
{
    size_t total = 0;
    for (int i = 0; i < a->n; ++i)
        total += a->items[i].count;
    return total;
}

/* All numbers one after the other; the caller frees them. */
static inline float *arrays_copy(const array_list *a)
{
    float *all = malloc((arrays_total(a) + 1) * sizeof *all), *to = all;
    assert_non_null(all);
    for (int i = 0; i < a->n; to += a->items[i++].count)
        memcpy(to, a->items[i].values, a->items[i].count * sizeof *to);
    return all;
}

static inline void arrays_set(const array_list *a, const float *from)
{
    for (int i = 0; i < a->n; from += a->items[i++].count)
        memcpy(a->items[i].values, from, a->items[i].count * sizeof *from);
}

/* ---------------------------------------------------------------- numbers */

typedef struct generator {
    unsigned short state[3];
} generator;

/* The larger one; NaN if one is NaN. */
static double larger(double a, double b)
{
    return isnan(a) || a >= b ? a : b;
}

static float draw(generator *g, double low, double high)
{
    return (float)(low + (high - low) * erand48(g->state));
}

static void draw_array(generator *g, double low, double high, float *values, size_t count)
{
    for (size_t i = 0; i < count; ++i)
        values[i] = draw(g, low, high);
}

#endif
