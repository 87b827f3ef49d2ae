#include "train/plot.h"

#include <math.h>

#include "train/gnuplot.h"

enum { PANEL_WIDTH = 500, PANEL_HEIGHT = 520, TITLE_HEIGHT = 40, PANELS_PER_ROW = 4, ARROWS = 15, LABEL_LENGTH = 50 };

/* What all surfaces of a picture share. */
typedef struct scene {
    int n;
    const double *low, *high; /* of x and y */
    double z_low, z_high;     /* of the first surface, which is the target */
    double ground;            /* height of the plane with the vector field */
    double arrow_scale;       /* length on the unit square of an arrow per unit of gradient on the unit square */
    const double *points;
    int n_points;
} scene;

static double grid_position(const scene *s, int axis, int index)
{
    return s->low[axis] + (s->high[axis] - s->low[axis]) * index / (s->n - 1);
}

/* ---- what is shared ---- */

/* False when the target has no finite value. */
static bool measure_heights(scene *s, const double *value)
{
    double low = INFINITY, high = -INFINITY;
    for (long i = 0; i < (long)s->n * s->n; i++)
        if (fabs(value[i]) < 1e300) {
            low = fmin(low, value[i]);
            high = fmax(high, value[i]);
        }
    if (!(low <= high))
        return false;
    double middle = low / 2 + high / 2, half = fmax(high / 2 - low / 2, 1e-3 * fabs(middle));
    if (half < 1e-290)
        half = 1;
    s->z_low = middle - half;
    s->z_high = middle + half;
    s->ground = middle - 2.4 * half;
    return true;
}

/* The gradient as it looks on the square that is drawn: with u = (x - low) / (high - low), df/du = df/dx (high - low). So
 * arrows stand at right angles to level lines also where x and y have other ranges. */
static void gradient_on_square(const scene *s, const double *gradient, double on_square[2])
{
    for (int axis = 0; axis < 2; axis++)
        on_square[axis] = gradient[axis] * (s->high[axis] - s->low[axis]);
}

/* Index on the grid of the k-th of `arrows` positions, in the middles of equal parts. */
static int arrow_index(const scene *s, int k, int arrows)
{
    return (int)((2L * k + 1) * s->n / (2 * arrows));
}

static int arrow_count(const scene *s)
{
    return s->n < ARROWS ? s->n : ARROWS;
}

static double longest_arrow(const scene *s, const double *gradient)
{
    double longest = 0;
    for (int k = 0; k < arrow_count(s) * arrow_count(s); k++) {
        int i = arrow_index(s, k % arrow_count(s), arrow_count(s)), j = arrow_index(s, k / arrow_count(s), arrow_count(s));
        double arrow[2];
        gradient_on_square(s, gradient + 2 * ((long)j * s->n + i), arrow);
        double length = hypot(arrow[0], arrow[1]);
        if (length < 1e300)
            longest = fmax(longest, length);
    }
    return longest;
}

/* The target's longest arrow is 1.6 cells long; where no target has a gradient, that of the first surface with one. */
static double choose_arrow_scale(const scene *s, const surface *surfaces, int n_surfaces)
{
    for (int i = 0; i < n_surfaces; i++) {
        double longest = surfaces[i].gradient ? longest_arrow(s, surfaces[i].gradient) : 0;
        if (longest > 0)
            return 1.6 / arrow_count(s) / longest;
    }
    return 0;
}

/* ---- data ---- */

static void write_heights(FILE *script, const scene *s, const surface *f)
{
    fputs("$heights << EOD\n", script);
    for (int j = 0; j < s->n; j++) {
        for (int i = 0; i < s->n; i++) {
            double z = f->value[(long)j * s->n + i];
            fprintf(script, "%.9g %.9g %.9g\n", grid_position(s, 0, i), grid_position(s, 1, j), fabs(z) < 1e300 ? z : NAN);
        }
        fputs("\n", script);
    }
    fputs("EOD\n", script);
}

/* One arrow with its middle at the grid point; one that is out of all proportion keeps its direction. */
static void write_arrow(FILE *script, const scene *s, const double *gradient, int i, int j)
{
    double arrow[2], at[2] = {grid_position(s, 0, i), grid_position(s, 1, j)}, longest_drawn = 2.4 / arrow_count(s);
    gradient_on_square(s, gradient, arrow);
    double length = s->arrow_scale * hypot(arrow[0], arrow[1]);
    if (!(length > 0 && length < 1e300))
        return;
    double scale = s->arrow_scale * fmin(1, longest_drawn / length), delta[2];
    for (int axis = 0; axis < 2; axis++)
        delta[axis] = scale * arrow[axis] * (s->high[axis] - s->low[axis]);
    fprintf(script, "%.9g %.9g %.9g %.9g\n", at[0] - delta[0] / 2, at[1] - delta[1] / 2, delta[0], delta[1]);
}

static void write_field(FILE *script, const scene *s, const surface *f)
{
    int arrows = arrow_count(s);
    fputs("$field << EOD\n", script);
    for (int k = 0; f->gradient && k < arrows * arrows; k++) {
        int i = arrow_index(s, k % arrows, arrows), j = arrow_index(s, k / arrows, arrows);
        write_arrow(script, s, f->gradient + 2 * ((long)j * s->n + i), i, j);
    }
    fputs("EOD\n", script);
}

static void write_training_points(FILE *script, const scene *s)
{
    fputs("$points << EOD\n", script);
    for (int i = 0; s->points && i < s->n_points; i++) {
        double x = s->points[2 * i], y = s->points[2 * i + 1];
        if (x >= s->low[0] && x <= s->high[0] && y >= s->low[1] && y <= s->high[1])
            fprintf(script, "%.9g %.9g\n", x, y);
    }
    fputs("EOD\n", script);
}

/* ---- panels ---- */

/* Instead of gnuplot's border, which also joins the plane's corners with the surface's: the plane's edge, and the z axis at
 * the corner that is seen at the left. */
static void write_frame(FILE *script, const scene *s)
{
    const double *a = s->low, *b = s->high;
    const double corners[5][2] = {{a[0], a[1]}, {b[0], a[1]}, {b[0], b[1]}, {a[0], b[1]}, {a[0], a[1]}};
    fputs("set border 0\n", script);
    for (int i = 0; i < 4; i++)
        fprintf(script, "set arrow from %.12g,%.12g,%.12g to %.12g,%.12g,%.12g nohead linecolor rgb '#606060'\n", corners[i][0],
                corners[i][1], s->ground, corners[i + 1][0], corners[i + 1][1], s->ground);
    fprintf(script, "set arrow from %.12g,%.12g,%.12g to %.12g,%.12g,%.12g nohead linecolor rgb '#606060'\n", a[0], b[1],
            s->z_low, a[0], b[1], s->z_high);
}

static void write_axes(FILE *script, const scene *s)
{
    double height = s->z_high - s->z_low, step = gnuplot_tic_step(height / 7);
    double first_tic = step * ceil(s->z_low / step) + 0.0; /* not -0 */
    fprintf(script, "set xrange [%.12g:%.12g]\nset yrange [%.12g:%.12g]\n", s->low[0], s->high[0], s->low[1], s->high[1]);
    fprintf(script, "set zrange [%.12g:%.12g]\nset cbrange [%.12g:%.12g]\n", s->ground, s->z_high + 0.1 * height, s->z_low,
            s->z_high);
    fprintf(script, "set ztics %.12g, %.12g, %.12g\nset xyplane at %.12g\n", first_tic, step, s->z_high, s->ground);
    fputs("set xlabel 'x'\nset ylabel 'y'\nset format z '%.6g'\nset tics nomirror scale 0.5 textcolor rgb '#303030'\n"
          "set xtics offset 0.6,-0.2\nset ytics offset -0.6,-0.2\n",
          script);
}

static void write_style(FILE *script, const scene *s)
{
    write_axes(script, s);
    write_frame(script, s);
    fputs("unset key\nunset colorbox\n"
          "set palette defined (0 '#440154', 1 '#472d7b', 2 '#3b528b', 3 '#2c728e', 4 '#21918c', 5 '#28ae80', 6 '#5ec962', "
          "7 '#addc30', 8 '#fde725')\n" /* viridis */
          "set pm3d depthorder lighting primary 0.35 specular 0.2\n"
          "set view 55,320,1.05,1.2\n",
          script);
}

static void write_panel(gnuplot *g, const scene *s, const surface *f)
{
    write_heights(g->script, s, f);
    write_field(g->script, s, f);
    bool many = s->n_points > 200;
    fputs("set title", g->script);
    gnuplot_text(g, f->label, LABEL_LENGTH);
    fputs(" offset 0,0.7", g->script);
    fprintf(g->script,
            "\nsplot $points using 1:2:(%.12g) with points pointtype 7 pointsize %g linecolor rgb '%s', \\\n"
            "  $field using 1:2:(%.12g):3:4:(0) with vectors head filled size graph 0.02,20 linecolor rgb '#404040', \\\n"
            "  $heights using 1:2:3 with pm3d\n",
            s->ground, many ? 0.25 : 0.7, many ? "#eba582" : "#d55e00", s->ground);
}

static status draw(const scene *s, const surface *surfaces, int n_surfaces, const char *title, const char *picture)
{
    int columns = n_surfaces < PANELS_PER_ROW ? n_surfaces : PANELS_PER_ROW, rows = (n_surfaces + columns - 1) / columns;
    gnuplot g;
    status result = gnuplot_begin(&g, picture, columns * PANEL_WIDTH, rows * PANEL_HEIGHT + TITLE_HEIGHT);
    if (result != STATUS_OK)
        return result;
    write_style(g.script, s);
    write_training_points(g.script, s);
    gnuplot_panels(&g, rows, columns, title, columns * PANEL_WIDTH / 10);
    for (int i = 0; i < n_surfaces; i++)
        write_panel(&g, s, &surfaces[i]);
    return gnuplot_finish(&g);
}

status plot_surfaces(const surface *surfaces, int n_surfaces, int n, const double low[2], const double high[2],
                     const double *points, int n_points, const char *title, const char *picture)
{
    scene s = {.n = n, .low = low, .high = high, .points = points, .n_points = n_points};
    if (n_surfaces < 1 || n < 2 || !(low[0] < high[0] && low[1] < high[1]))
        return status_fail(STATUS_BAD_FILE, "%s: error: a surface needs at least 2 x 2 points and ranges with low < high",
                           picture);
    if (!measure_heights(&s, surfaces[0].value))
        return status_fail(STATUS_BAD_FILE, "%s: error: the surface \"%s\" has no finite value to draw", picture,
                           surfaces[0].label);
    s.arrow_scale = choose_arrow_scale(&s, surfaces, n_surfaces);
    return draw(&s, surfaces, n_surfaces, title, picture);
}
