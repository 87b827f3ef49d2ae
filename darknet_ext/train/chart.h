/* Curves over training steps, on a logarithmic axis or a linear one. Private to train/plot*.c. */
#ifndef DNX_TRAIN_CHART_H
#define DNX_TRAIN_CHART_H

#include "train/gnuplot.h"
#include "train/metrics_table.h"

typedef struct curve {
    const char *label;
    const char *colour; /* "#rrggbb" */
    int dash;           /* gnuplot's dash type; 1 is solid */
    const metrics_table *table;
    int x, y; /* columns of the table */
    int select;      /* column whose rows with `selected` in it are the curve's; 0: all rows (the first column is the step) */
    double selected;
    bool linear;     /* the axis; all curves of a chart alike */
} curve;

typedef struct chart {
    const char *title, *y_label; /* "" for none */
    const curve *curves;
    int n_curves;
} chart;

/* How many of its rows have a place on the axis; the others (on a logarithmic axis zeros above all) are gaps in the curve. */
int curve_points(const curve *c);

/* Pixels that a chart with so many curves needs for its legend, which stands above a few and beside many. */
int chart_least_height(int n_curves);

/* Draws the curves that have points; the others only appear in the legend, as "(no values) label". At least one curve
 * must have points. */
void chart_draw(gnuplot *g, const chart *c);

#endif
