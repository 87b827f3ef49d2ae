/* Pictures, drawn by gnuplot: started with posix_spawnp, its script on standard input, never a shell.
 *
 * Every function returns STATUS_BAD_FILE with one clear sentence when gnuplot is missing (naming the Debian package
 * gnuplot-nox), fails, or the picture cannot be written; a picture appears under its name only when it is complete. The
 * format follows the ending of `picture`: .png or .svg. */
#ifndef DNX_TRAIN_PLOT_H
#define DNX_TRAIN_PLOT_H

#include "core/status.h"

/* Training curves of one run: losses and test errors over steps, logarithmic, from `metrics` (the run's metrics.csv, see
 * train/metrics.h for its columns). Columns that are empty or constant zero are left out. */
status plot_training(const char *metrics, const char *title, const char *picture);

/* How well the [critic] blocks of one run predict, from `critics` (the run's critics.csv, train/critic_log.h): cosine and ratio of the norms of
 * synthetic and true gradient, error of the predicted loss, and staleness where there was any, a curve for each block. */
status plot_critics(const char *critics, const char *title, const char *picture);

/* The same test error of several runs in one chart, a curve each. `column` is a header of metrics.csv. */
status plot_comparison(const char *const *metrics, const char *const *labels, int n, const char *column, const char *title, const char *picture);

/* One function of two inputs on a regular grid. */
typedef struct surface {
    const char *label;      /* "target", "regular", "Sobolev" */
    const double *value;    /* [n*n], value[j*n + i] at (x_i, y_j) */
    const double *gradient; /* [n*n][2], or NULL: no field drawn */
} surface;

/* Surfaces side by side on the same axes and colours, each with the vector field of its gradients underneath, as in
 * Figures 3 and 5 to 11 of the paper; `points` (n_points pairs, may be NULL) are the training points. */
status plot_surfaces(const surface *surfaces, int n_surfaces, int n, const double low[2], const double high[2],
                     const double *points, int n_points, const char *title, const char *picture);

#endif
