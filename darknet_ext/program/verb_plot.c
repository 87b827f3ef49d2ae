#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check/gradient_check.h"
#include "model/predictor.h"
#include "program/arguments.h"
#include "train/plot.h"
#include "train/point_sets.h"

enum { GRID = 61, MAX_SURFACES = MAX_POSITIONAL + 1, PATH_BYTES = 4096 };

/* ---------------------------------------------------------------- curves */

static const char *label_of(const char *run, char *buffer)
{
    snprintf(buffer, PATH_BYTES, "%s", run);
    size_t length = strlen(buffer);
    while (length > 1 && buffer[length - 1] == '/')
        buffer[--length] = 0;
    char *slash = strrchr(buffer, '/');
    return slash ? slash + 1 : buffer;
}

static status plot_blocks(const arguments *a, const char *picture)
{
    char path[PATH_BYTES], name[PATH_BYTES];
    if (a->n_positional > 1)
        return status_fail(STATUS_BAD_CONFIG, "-critics: error: one run is wanted, %s is a second", a->positional[1]);
    snprintf(path, sizeof path, "%s/critics.csv", a->positional[0]);
    return plot_critics(path, label_of(a->positional[0], name), picture);
}

static status plot_curves(const arguments *a, const char *picture)
{
    static char paths[MAX_POSITIONAL][PATH_BYTES], names[MAX_POSITIONAL][PATH_BYTES];
    const char *metrics[MAX_POSITIONAL], *labels[MAX_POSITIONAL];
    for (int i = 0; i < a->n_positional; ++i) {
        snprintf(paths[i], PATH_BYTES, "%s/metrics.csv", a->positional[i]);
        metrics[i] = paths[i];
        labels[i] = label_of(a->positional[i], names[i]);
    }
    if (a->n_positional == 1 && !a->column)
        return plot_training(metrics[0], labels[0], picture);
    const char *column = a->column ? a->column : "test_value_mse";
    return plot_comparison(metrics, labels, a->n_positional, column, column, picture);
}

/* ---------------------------------------------------------------- surfaces */

/* The grid, the functions on it, and what they were trained on. */
typedef struct surface_plot {
    surface surfaces[MAX_SURFACES];
    double *memory[MAX_SURFACES]; /* values, then gradients */
    char labels[MAX_SURFACES][PATH_BYTES];
    int n;
    double *grid; /* [GRID*GRID][2] */
    double low[2], high[2];
    dataset training;
} surface_plot;

static status find_weights(const char *run, char *path)
{
    static const char ending[] = "_final.weights";
    DIR *folder = opendir(run);
    if (!folder)
        return status_fail(STATUS_BAD_FILE, "%s: error: cannot be opened as a run's folder: %s", run, strerror(errno));
    struct dirent *entry;
    int n = 0;
    while ((entry = readdir(folder))) {
        size_t length = strlen(entry->d_name);
        if (length <= sizeof ending - 1 || strcmp(entry->d_name + length - (sizeof ending - 1), ending) != 0)
            continue;
        snprintf(path, PATH_BYTES, "%s/%s", run, entry->d_name);
        ++n;
    }
    closedir(folder);
    if (n == 1)
        return STATUS_OK;
    return status_fail(STATUS_BAD_FILE, n ? "%s: error: there are several *%s" : "%s: error: there is no *%s: is it the folder of a finished run?", run, ending);
}

static surface *add_surface(surface_plot *s, const char *label)
{
    size_t points = (size_t)GRID * GRID;
    double *memory = allocate_zeroed(3 * points, sizeof *memory);
    if (!memory)
        return NULL;
    snprintf(s->labels[s->n], PATH_BYTES, "%s", label);
    s->memory[s->n] = memory;
    s->surfaces[s->n] = (surface){.label = s->labels[s->n], .value = memory, .gradient = memory + points};
    return &s->surfaces[s->n++];
}

static status make_grid(surface_plot *s)
{
    s->grid = allocate_zeroed((size_t)GRID * GRID * 2, sizeof *s->grid);
    for (int j = 0; s->grid && j < GRID; ++j)
        for (int i = 0; i < GRID; ++i) {
            s->grid[2 * (j * GRID + i)] = s->low[0] + (s->high[0] - s->low[0]) * i / (GRID - 1);
            s->grid[2 * (j * GRID + i) + 1] = s->low[1] + (s->high[1] - s->low[1]) * j / (GRID - 1);
        }
    return s->grid ? STATUS_OK : STATUS_NO_MEMORY;
}

/* Values and gradients of the function behind the data, when there is one. */
static status add_target(surface_plot *s, const data_source *data)
{
    if (!data_source_is_function(data))
        return STATUS_OK;
    surface *target = add_surface(s, "target");
    return target ? data_source_evaluate(data, s->grid, GRID * GRID, s->memory[0], s->memory[0] + (size_t)GRID * GRID) : STATUS_NO_MEMORY;
}

/* The box, the training points and the target of the first run's [data]. */
static status add_data(surface_plot *s, plugin_network *p)
{
    data_source data;
    status result = training_data_open(&data, p);
    if (result != STATUS_OK)
        return result;
    for (int i = 0; i < 2; ++i) {
        s->low[i] = data.low[i];
        s->high[i] = data.high[i];
    }
    result = make_grid(s);
    if (result == STATUS_OK)
        result = add_target(s, &data);
    if (result == STATUS_OK)
        result = data_source_training(&data, &s->training);
    data_source_free(&data);
    return result;
}

static status add_model(surface_plot *s, plugin_network *p, const char *run)
{
    char weights[PATH_BYTES], label[PATH_BYTES];
    predictor *m = NULL;
    status result = find_weights(run, weights);
    if (result == STATUS_OK)
        result = plugin_load_weights(p, weights);
    if (result == STATUS_OK)
        result = predictor_create(&m, p, 1);
    surface *model = result == STATUS_OK ? add_surface(s, label_of(run, label)) : NULL;
    if (model)
        predictor_run(m, s->grid, GRID * GRID, &(prediction){.y = s->memory[s->n - 1], .jacobian = s->memory[s->n - 1] + (size_t)GRID * GRID});
    predictor_free(m);
    return result == STATUS_OK && !model ? STATUS_NO_MEMORY : result;
}

static status check_surface(plugin_network *p, const char *run)
{
    const graph *g = plugin_graph(p);
    if (shape_count(g->input) == 2 && shape_count(g->nodes[g->output_node].out) == 1 && gradient_check_order(g) > 0)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "%s: error: a surface needs a network with two inputs and one output that can be differentiated", run);
}

static status add_run(surface_plot *s, const plugin_settings *settings, const char *run)
{
    char cfg[PATH_BYTES];
    plugin_network *p;
    snprintf(cfg, sizeof cfg, "%s/run.cfg", run);
    status result = plugin_load(cfg, settings, &p);
    if (result != STATUS_OK)
        return result;
    result = check_surface(p, run);
    if (result == STATUS_OK && !s->grid)
        result = add_data(s, p);
    if (result == STATUS_OK)
        result = add_model(s, p, run);
    plugin_free(p);
    return result;
}

static status plot_runs_as_surfaces(const arguments *a, const plugin_settings *settings, const char *picture)
{
    surface_plot *s = allocate_zeroed(1, sizeof *s);
    status result = s ? STATUS_OK : STATUS_NO_MEMORY;
    for (int i = 0; i < a->n_positional && result == STATUS_OK; ++i)
        result = add_run(s, settings, a->positional[i]);
    if (result == STATUS_OK)
        result = plot_surfaces(s->surfaces, s->n, GRID, s->low, s->high, s->training.parts[PART_X], s->training.points <= 1000 ? s->training.points : 0, "", picture);
    for (int i = 0; s && i < s->n; ++i)
        free(s->memory[i]);
    if (s) {
        free(s->grid);
        dataset_free(&s->training);
    }
    free(s);
    return result;
}

static int plot(const arguments *a)
{
    const char *picture = a->out ? a->out : a->surface ? "surface.png" : "curves.png";
    plugin_settings settings;
    if (!settings_from_arguments(&settings, a))
        return EXIT_USAGE;
    status s = a->surface ? plot_runs_as_surfaces(a, &settings, picture) : a->critics ? plot_blocks(a, picture) : plot_curves(a, picture);
    if (s != STATUS_OK)
        return report_failure(s);
    printf("%s\n", picture);
    return EXIT_OK;
}

const verb verb_plot = {
    .name = "plot",
    .synopsis = "RUN [RUN...]",
    .meaning = "draw training curves, or the learned surfaces, of one or several runs",
    .details = "RUN is the folder of a run. One run: its losses and test errors. Several: one column of metrics.csv for each. With -surface:\n"
               "target and models side by side with their gradient fields. With -critics: how well the [critic] blocks of one run predict.\n"
               "-out names the picture, .png or .svg.\n",
    .least = 1,
    .most = MAX_POSITIONAL,
    .flags = FLAG_OUT | FLAG_SURFACE | FLAG_CRITICS | FLAG_COLUMN | FLAG_BACKEND | FLAG_THREADS,
    .run = plot,
};
