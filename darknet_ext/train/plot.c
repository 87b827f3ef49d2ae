#include "train/plot.h"

#include <math.h>
#include <stdlib.h>

#include "train/chart.h"

enum { CHART_WIDTH = 1200, CHART_HEIGHT = 700, TITLE_LENGTH = 100 };

/* Told apart with any colour vision (Okabe and Ito); yellow is left out on white. */
static const char *const palette[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"};
enum { COLOURS = sizeof palette / sizeof *palette };

static status no_column(const metrics_table *t, const char *column)
{
    return status_fail(STATUS_BAD_FILE, "%s: error: has no column \"%s\"; a run's metrics.csv is needed", t->path, column);
}

static status draw(const chart *panels, int n, const char *title, const char *picture)
{
    gnuplot g;
    int legend = chart_least_height(panels->n_curves);
    status s = gnuplot_begin(&g, picture, CHART_WIDTH, legend > CHART_HEIGHT ? legend : CHART_HEIGHT);
    if (s != STATUS_OK)
        return s;
    gnuplot_panels(&g, 1, n, title, TITLE_LENGTH);
    for (int i = 0; i < n; i++)
        chart_draw(&g, &panels[i]);
    return gnuplot_finish(&g);
}

/* The index gives it a colour and a dash of its own. */
static curve coloured_curve(const char *label, int index, const metrics_table *t, const char *column)
{
    return (curve){.label = label, .colour = palette[index % COLOURS], .dash = 1 + index / COLOURS, .table = t, .x = metrics_table_column(t, "step"),
                   .y = metrics_table_column(t, column)};
}

/* ---- one run ---- */

typedef struct quantity {
    const char *column, *label, *colour;
} quantity;

static const quantity losses[] = {{"loss", "total", "#000000"},
                                  {"loss_value", "value", "#0072b2"},
                                  {"loss_gradient", "gradient", "#d55e00"},
                                  {"loss_hessian", "Hessian", "#009e73"}};
static const quantity test_errors[] = {{"test_value_mse", "value", "#0072b2"},
                                       {"test_gradient_mse", "gradient", "#d55e00"},
                                       {"test_hessian_mse", "Hessian", "#009e73"},
                                       {"test_directional_mse", "J v", "#cc79a7"},
                                       {"test_error", "wrong class", "#e69f00"},
                                       {"test_kl", "KL", "#56b4e9"}};
enum { LOSSES = sizeof losses / sizeof *losses, TEST_ERRORS = sizeof test_errors / sizeof *test_errors };

/* The quantities that the table has values of; returns how many. */
static int find_curves(const metrics_table *t, const quantity *quantities, int n, curve *curves)
{
    int found = 0;
    for (int i = 0; i < n; i++) {
        curve c = {.label = quantities[i].label, .colour = quantities[i].colour, .dash = 1, .table = t, .x = metrics_table_column(t, "step"),
                   .y = metrics_table_column(t, quantities[i].column)};
        if (c.y >= 0 && curve_points(&c) > 0)
            curves[found++] = c;
    }
    return found;
}

static status draw_training(const metrics_table *t, const char *title, const char *picture)
{
    if (metrics_table_column(t, "step") < 0)
        return no_column(t, "step");
    curve left[LOSSES], right[TEST_ERRORS];
    chart panels[2];
    int n = 0, n_left = find_curves(t, losses, LOSSES, left), n_right = find_curves(t, test_errors, TEST_ERRORS, right);
    if (n_left)
        panels[n++] = (chart){"loss per sample", "", left, n_left};
    if (n_right)
        panels[n++] = (chart){"test error (mean square)", "", right, n_right};
    if (n == 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: there is no loss and no test error above zero to draw", t->path);
    return draw(panels, n, title, picture);
}

typedef status draw_table(const metrics_table *t, const char *title, const char *picture);

static status read_and_draw(const char *path, draw_table *draw_it, const char *title, const char *picture)
{
    metrics_table t;
    status s = metrics_table_read(path, &t);
    if (s == STATUS_OK)
        s = draw_it(&t, title, picture);
    metrics_table_free(&t);
    return s;
}

status plot_training(const char *metrics, const char *title, const char *picture)
{
    return read_and_draw(metrics, draw_training, title, picture);
}

/* ---- its [critic] blocks ---- */

enum { MAX_BLOCKS = 32 };

typedef struct block_quantity {
    const char *column, *label;
    bool linear;
} block_quantity;

static const block_quantity block_quantities[] = {{"cosine", "cosine of synthetic and true gradient", true},
                                                  {"norm_ratio", "|synthetic| / |true|", false},
                                                  {"loss_error", "error of the predicted loss", false},
                                                  {"staleness", "staleness, updates", true}};
enum { BLOCK_QUANTITIES = sizeof block_quantities / sizeof *block_quantities };

/* The layers of the blocks, in the order of the file; returns how many. */
static int find_blocks(const metrics_table *t, int layer, double *blocks)
{
    int n = 0;
    for (int row = 0; row < t->n_rows && n < MAX_BLOCKS; row++) {
        double at = metrics_table_at(t, row, layer);
        if (n > 0 && at == blocks[0])
            break;
        blocks[n++] = at;
    }
    return n;
}

static bool differs_from_zero(const curve *c)
{
    for (int row = 0; row < c->table->n_rows; row++)
        if (fabs(metrics_table_at(c->table, row, c->y)) > 0)
            return true;
    return false;
}

/* One quantity of all blocks that have it. */
static int find_block_curves(const metrics_table *t, const block_quantity *q, const double *blocks, int n, char labels[][32], curve *curves)
{
    int found = 0;
    for (int i = 0; i < n; i++) {
        snprintf(labels[i], sizeof labels[i], "layer %g", blocks[i]);
        curve c = coloured_curve(labels[i], i, t, q->column);
        c.select = metrics_table_column(t, "layer");
        c.selected = blocks[i];
        c.linear = q->linear;
        if (c.y >= 0 && curve_points(&c) > 0 && differs_from_zero(&c))
            curves[found++] = c;
    }
    return found;
}

static status draw_critics(const metrics_table *t, const char *title, const char *picture)
{
    int layer = metrics_table_column(t, "layer"), n_panels = 0;
    if (layer <= 0 || metrics_table_column(t, "step") != 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: has no columns \"step\" and \"layer\"; a run's critics.csv is needed", t->path);
    double blocks[MAX_BLOCKS];
    char labels[MAX_BLOCKS][32];
    curve curves[BLOCK_QUANTITIES][MAX_BLOCKS];
    chart panels[BLOCK_QUANTITIES];
    int n = find_blocks(t, layer, blocks);
    for (int i = 0; i < BLOCK_QUANTITIES; i++) {
        int found = find_block_curves(t, &block_quantities[i], blocks, n, labels, curves[i]);
        if (found)
            panels[n_panels++] = (chart){block_quantities[i].label, "", curves[i], found};
    }
    if (n_panels == 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: no block has predicted anything yet", t->path);
    return draw(panels, n_panels, title, picture);
}

status plot_critics(const char *critics, const char *title, const char *picture)
{
    return read_and_draw(critics, draw_critics, title, picture);
}

/* ---- several runs ---- */

static status read_run(const char *path, const char *label, const char *column, int index, metrics_table *t, curve *c)
{
    status s = metrics_table_read(path, t);
    if (s != STATUS_OK)
        return s;
    *c = coloured_curve(label, index, t, column);
    return c->x < 0 ? no_column(t, "step") : c->y < 0 ? no_column(t, column) : STATUS_OK;
}

static status compare(const char *const *metrics, const char *const *labels, int n, const char *column, const char *title,
                      const char *picture, metrics_table *tables, curve *curves)
{
    int points = 0;
    for (int i = 0; i < n; i++) {
        status s = read_run(metrics[i], labels[i], column, i, &tables[i], &curves[i]);
        if (s != STATUS_OK)
            return s;
        points += curve_points(&curves[i]);
    }
    if (points == 0)
        return status_fail(STATUS_BAD_FILE, "%s: error: no run has a value of %s above zero to draw", picture, column);
    return draw(&(chart){"", column, curves, n}, 1, title, picture);
}

status plot_comparison(const char *const *metrics, const char *const *labels, int n, const char *column, const char *title,
                       const char *picture)
{
    metrics_table *tables = allocate_zeroed((unsigned long)n, sizeof *tables);
    curve *curves = tables ? allocate_zeroed((unsigned long)n, sizeof *curves) : NULL;
    status s = STATUS_NO_MEMORY;
    if (curves)
        s = compare(metrics, labels, n, column, title, picture, tables, curves);
    for (int i = 0; tables && i < n; i++)
        metrics_table_free(&tables[i]);
    free(curves);
    free(tables);
    return s;
}
