#include "train/chart.h"

#include <math.h>

enum { LABEL_LENGTH = 60, CURVES_ABOVE = 6, LABEL_LENGTH_BESIDE = 36, LEGEND_ROW = 23 };

static bool is_row(const curve *c, int row)
{
    return c->select == 0 || metrics_table_at(c->table, row, c->select) == c->selected;
}

/* The point of a row. Numbers so small or so large that the margins of an axis would leave the range of a double have no place on it, and no run has
 * that many steps. */
static bool point_of(const curve *c, int row, double *x, double *y)
{
    *x = metrics_table_at(c->table, row, c->x);
    *y = metrics_table_at(c->table, row, c->y);
    return fabs(*x) < 1e15 && (c->linear ? fabs(*y) < 1e280 : *y > 1e-280 && *y < 1e280);
}

int curve_points(const curve *c)
{
    int n = 0;
    double x, y;
    for (int row = 0; row < c->table->n_rows; row++)
        n += is_row(c, row) && point_of(c, row, &x, &y);
    return n;
}

static bool legend_beside(int n_curves)
{
    return n_curves > CURVES_ABOVE;
}

int chart_least_height(int n_curves)
{
    return legend_beside(n_curves) ? LEGEND_ROW * (n_curves + 4) : 0;
}

/* ---- axes ---- */

typedef struct interval {
    double low, high;
} interval;

static void include(interval *i, double value)
{
    i->low = fmin(i->low, value);
    i->high = fmax(i->high, value);
}

/* `y` of the values, or of their logarithms. */
static void include_curve(const curve *c, interval *x, interval *y)
{
    double step, value;
    for (int row = 0; row < c->table->n_rows; row++) {
        if (!is_row(c, row) || !point_of(c, row, &step, &value))
            continue;
        include(x, step);
        include(y, c->linear ? value : log10(value));
    }
}

/* Room above, below and beside the curves, also where all values are equal. */
static void widen(interval *x, interval *y)
{
    double beside = x->high > x->low ? 0.01 * (x->high - x->low) : 0.5 + 0.01 * fabs(x->high);
    double above = fmax(0.04 * (y->high - y->low), 0.04);
    *x = (interval){x->low - beside, x->high + beside};
    *y = (interval){y->low - above, y->high + above};
}

/* 10 to the power of k as a reader writes it; the terminals draw no markup. */
static void write_power(FILE *script, int k)
{
    static const char *const digits[] = {"⁰", "¹", "²", "³", "⁴", "⁵", "⁶", "⁷", "⁸", "⁹"};
    char text[16];
    snprintf(text, sizeof text, "%d", k);
    fputs("10", script);
    for (const char *c = text; *c; c++)
        fputs(*c == '-' ? "⁻" : digits[*c - '0'], script);
}

static void write_decades(FILE *script, int first, int last)
{
    int step = (int)gnuplot_tic_step(fmax((last - first) / 8.0, 1));
    bool minor = step == 1;
    for (int k = first - 1; k <= last; k++) {
        if (k >= first && k % step == 0) {
            fputs("'", script);
            write_power(script, k);
            fprintf(script, "' 1e%d, ", k);
        }
        for (int digit = 2; minor && digit < 10; digit++)
            fprintf(script, "'' %de%d 1, ", digit, k);
    }
}

/* Less than two whole decades: 1, 2 and 5 of each have a label. */
static void write_halves(FILE *script, interval log_y)
{
    for (int k = (int)floor(log_y.low); k <= (int)floor(log_y.high); k++)
        for (int digit = 1; digit < 10; digit++)
            if (digit == 1 || digit == 2 || digit == 5)
                fprintf(script, "'%g' %de%d, ", digit * pow(10, k), digit, k);
            else
                fprintf(script, "'' %de%d 1, ", digit, k);
}

/* Less than a decade: round numbers at equal distances. */
static void write_round_steps(FILE *script, interval log_y)
{
    double low = pow(10, log_y.low), high = pow(10, log_y.high), step = gnuplot_tic_step((high - low) / 5);
    for (double k = ceil(low / step); k * step <= high; k++)
        fprintf(script, "'%g' %.12g, ", k * step, k * step);
}

/* gnuplot draws a tic outside the range not at all, so the lists may be too long. */
static void write_tics(FILE *script, interval log_y)
{
    int first = (int)ceil(log_y.low), last = (int)floor(log_y.high);
    fputs("set ytics (", script);
    if (last - first >= 2)
        write_decades(script, first, last);
    else if (log_y.high - log_y.low > 0.8)
        write_halves(script, log_y);
    else
        write_round_steps(script, log_y);
    fprintf(script, "'' %.12g 1)\n", pow(10, log_y.low)); /* ends the list; lies on the frame */
}

static void write_axes(FILE *script, const chart *c)
{
    interval x = {INFINITY, -INFINITY}, y = {INFINITY, -INFINITY};
    for (int i = 0; i < c->n_curves; i++)
        include_curve(&c->curves[i], &x, &y);
    widen(&x, &y);
    double step = gnuplot_tic_step(fmax((x.high - x.low) / 7, 1));
    fprintf(script, "set xrange [%.12g:%.12g]\nset xtics %.12g\n", x.low, x.high, step);
    if (c->curves->linear) {
        fprintf(script, "unset logscale y\nset yrange [%.12g:%.12g]\nset ytics %.12g\n", y.low, y.high, gnuplot_tic_step((y.high - y.low) / 7));
        return;
    }
    fprintf(script, "set logscale y\nset yrange [%.12g:%.12g]\n", pow(10, y.low), pow(10, y.high));
    write_tics(script, y);
}

/* ---- curves ---- */

static void write_points(FILE *script, const curve *c, int index)
{
    fprintf(script, "$curve%d << EOD\n", index);
    double x, y;
    for (int row = 0; row < c->table->n_rows; row++) {
        if (!is_row(c, row))
            continue;
        if (point_of(c, row, &x, &y))
            fprintf(script, "%.12g %.9g\n", x, y);
        else
            fputs("NaN NaN\n", script);
    }
    fputs("EOD\n", script);
}

/* Points as well as lines: a single value between two gaps stays visible. */
static void write_curve(gnuplot *g, const curve *c, int index, int label_length)
{
    int points = curve_points(c);
    char label[8 * LABEL_LENGTH];
    snprintf(label, sizeof label, "%s%s", points ? "" : "(no values) ", c->label);
    bool dense = points > 100;
    fprintf(g->script, "$curve%d using 1:2 with linespoints pointtype 7 pointsize %g", index, dense ? 0.15 : 0.6);
    fprintf(g->script, " linewidth %g linecolor rgb '%s' dashtype %d title", dense ? 1.5 : 2, c->colour, c->dash);
    gnuplot_text(g, label, label_length);
}

static void write_style(gnuplot *g, const chart *c)
{
    fputs("set border 3 linecolor rgb '#606060'\n"
          "set tics nomirror textcolor rgb '#303030'\n"
          "set grid xtics ytics linetype 1 linewidth 0.5 linecolor rgb '#d8d8d8'\n"
          "set key Left reverse samplen 2.5 width 2 spacing 1.3\n"
          "set xlabel 'step'\n"
          "set format x '%.10g'\n"
          "set ylabel",
          g->script);
    gnuplot_text(g, c->y_label, LABEL_LENGTH);
    if (legend_beside(c->n_curves))
        fputs("\nset key rmargin top vertical", g->script);
    else
        fputs("\nset key tmargin center horizontal\nset rmargin 4", g->script);
    fputs("\nset key title", g->script); /* unlike a title it stands above the legend */
    gnuplot_text(g, c->title, LABEL_LENGTH);
    fputs("\n", g->script);
}

void chart_draw(gnuplot *g, const chart *c)
{
    write_style(g, c);
    write_axes(g->script, c);
    for (int i = 0; i < c->n_curves; i++)
        write_points(g->script, &c->curves[i], i);
    fputs("plot ", g->script);
    for (int i = 0; i < c->n_curves; i++) {
        fputs(i ? ", \\\n  " : "", g->script);
        write_curve(g, &c->curves[i], i, legend_beside(c->n_curves) ? LABEL_LENGTH_BESIDE : LABEL_LENGTH);
    }
    fputs("\n", g->script);
}
