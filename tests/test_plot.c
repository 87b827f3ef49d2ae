/* train/plot.c, chart.c, plot_surfaces.c, metrics_table.c: what is in the pictures, and what broken data gives. */
#include "plot_fixture.h"

/* ---- pictures ---- */

static void test_png(void **state)
{
    for (size_t i = 0; i < COUNT_OF(picture_cases); i++) {
        const picture_case *c = &picture_cases[i];
        expect_ok(c->draw("a title", "picture.png"));
        expect_png("picture.png", c->width, c->height, 15000);
        expect_ok(c->draw("a title", "LOUD.PNG"));
        expect_png("LOUD.PNG", c->width, c->height, 15000);
    }
    assert_int_equal(count_files(), 4);
}

static void test_svg(void **state)
{
    for (size_t i = 0; i < COUNT_OF(picture_cases); i++) {
        const picture_case *c = &picture_cases[i];
        expect_ok(c->draw("a title", "picture.svg"));
        expect_svg("picture.svg", c->svg_size);
        expect_text("picture.svg", "a title", true);
        for (int k = 0; c->shown[k]; k++)
            expect_text("picture.svg", c->shown[k], true);
    }
    assert_int_equal(count_files(), 3);
}

/* Colours of Okabe and Ito; the Hessian's loss is zero and its test error empty, so both are left out. */
static void test_left_out(void **state)
{
    expect_ok(draw_training("t", "picture.svg"));
    expect_text("picture.svg", "Hessian", false);
    assert_true(count_in_file("picture.svg", "rgb(  0, 114, 178)") > 40);
    assert_true(count_in_file("picture.svg", "rgb(213,  94,   0)") > 40);
    assert_int_equal(count_in_file("picture.svg", "rgb(  0, 158, 115)"), 0);
    assert_int_equal(count_in_file("picture.svg", "nan"), 0);
    write_text("metrics.csv", "step,loss\n1,5\n2,3\n");
    expect_ok(plot_training("metrics.csv", "t", "picture.svg"));
    expect_text("picture.svg", "loss per sample", true);
    expect_text("picture.svg", "test error (mean square)", false);
}

/* Two blocks, of which the first predicts no loss, as in mode=direct; the row before the first update is empty. */
static void test_critics(void **state)
{
    write_text("critics.csv", "step,layer,line,mode,loss_error,cosine,norm_ratio,staleness,most_stale\n"
                              "0,2,11,direct,,,,,\n0,7,30,sobolev,,,,,\n"
                              "5,2,11,direct,,-.25,2,0,0\n5,7,30,sobolev,.5,.125,.75,0,0\n"
                              "10,2,11,direct,,.5,1.5,0,0\n10,7,30,sobolev,.25,.875,.9,0,0\n");
    expect_ok(plot_critics("critics.csv", "t", "picture.svg"));
    expect_text("picture.svg", "cosine of synthetic and true gradient", true);
    expect_text("picture.svg", "error of the predicted loss", true);
    expect_text("picture.svg", "staleness, updates", false);
    expect_text("picture.svg", "-0.2", true);
    expect_text("picture.svg", "0.8", true);
    assert_int_equal(count_in_file("picture.svg", "<text>layer 2</text>"), 2);
    assert_int_equal(count_in_file("picture.svg", "<text>layer 7</text>"), 3);
    write_text("critics.csv", "step,layer,line,mode,loss_error,cosine,norm_ratio\n0,2,11,noprop,,,\n");
    expect_failure(plot_critics("critics.csv", "t", "none.svg"), "critics.csv: error: no block has predicted anything yet");
    write_text("metrics.csv", "step,loss\n1,5\n");
    expect_failure(plot_critics("metrics.csv", "t", "none.svg"), "metrics.csv: error: has no columns \"step\" and \"layer\"; a run's critics.csv is needed");
}

typedef struct tic_case {
    double first, last;
    const char *shown, *absent;
} tic_case;

static const tic_case tic_cases[] = {
    {1e-3, 1, "10⁻²", "0.5"},     {1e-12, 1, "10⁻⁸", "10⁻⁷"}, {1e-279, 1e279, "10⁻²⁰⁰", "10¹"},
    {2, 40, "20", "30"},          {0.31, 0.33, "0.32", "10⁻¹"}, {5, 5, "5", "10⁰"},
    {1e-7, 1.1e-7, "1.1e-07", "10⁻⁷"}, {2e5, 7e5, "600000", "10⁵"},
};

static void test_tics(void **state)
{
    for (size_t i = 0; i < COUNT_OF(tic_cases); i++) {
        const tic_case *c = &tic_cases[i];
        char text[200];
        snprintf(text, sizeof text, "step,loss\n1000,%g\n2000,%g\n", c->first, c->last);
        write_text("metrics.csv", text);
        expect_ok(plot_training("metrics.csv", "t", "picture.svg"));
        expect_text("picture.svg", c->shown, true);
        expect_text("picture.svg", c->absent, false);
    }
}

/* How far down the picture a label stands, in pixels. */
static double height_of(const char *path, const char *label)
{
    size_t size;
    char *text = read_whole(path, &size), words[64];
    snprintf(words, sizeof words, "<text>%s</text>", label);
    char *end = strstr(text, words), *at = NULL;
    assert_non_null(end);
    for (char *c = text; (c = strstr(c, "translate(")) != NULL && c < end; c++)
        at = c;
    double y = NAN;
    assert_non_null(at);
    assert_int_equal(sscanf(at, "translate(%*f,%lf)", &y), 1);
    free(text);
    return y;
}

static void test_logarithmic(void **state)
{
    write_text("metrics.csv", "step,loss\n1,1e-3\n2,1\n");
    expect_ok(plot_training("metrics.csv", "t", "picture.svg"));
    double first = height_of("picture.svg", "10⁻³"), second = height_of("picture.svg", "10⁻²");
    double third = height_of("picture.svg", "10⁻¹");
    assert_true(first - second > 100);
    assert_true(fabs((first - second) - (second - third)) <= 0.1);
}

/* A zero interrupts the curve. */
static void test_gap(void **state)
{
    write_text("metrics.csv", "step,loss\n1,1\n2,0\n3,1\n4,1\n");
    expect_ok(plot_training("metrics.csv", "t", "gap.svg"));
    write_text("metrics.csv", "step,loss\n1,1\n2,1\n3,1\n4,1\n");
    expect_ok(plot_training("metrics.csv", "t", "line.svg"));
    assert_int_equal(count_in_file("line.svg", " L"), count_in_file("gap.svg", " L") + 2);
}

static void test_long_run(void **state)
{
    write_run("metrics.csv", 1000);
    expect_ok(plot_training("metrics.csv", "t", "picture.svg"));
    assert_true(count_in_file("picture.svg", "rgb(  0, 114, 178)") > 1700); /* value: losses, and test errors but for the zeros */
    expect_text("picture.svg", "80000", true);
}

/* ---- CSVs ---- */

typedef struct csv_case {
    const char *text;
    const char *words; /* of the failure; NULL: a picture */
} csv_case;

#define ROW "100,3200,1,0.001,5,2,3,,0.5,0.25,,,1,1,,0.5,,,"

static const csv_case csv_cases[] = {
    {"", "no header line"},
    {"step,loss", "no header line"},
    {METRICS_HEADER "\n", "to draw"},
    {METRICS_HEADER "\n100,", "to draw"},
    {METRICS_HEADER "\n" ROW "\n", NULL},
    {METRICS_HEADER "\n" ROW "\n" ROW, NULL},
    {METRICS_HEADER "\n" ROW "\n200,32", NULL},
    {METRICS_HEADER "\n" ROW "\n200,gar", NULL},
    {METRICS_HEADER "\n" ROW "\n200,32\n", "metrics.csv:3: error: fewer fields"},
    {METRICS_HEADER "\n" ROW ",7\n", "metrics.csv:2: error: more fields"},
    {METRICS_HEADER "\n" ROW "\n" ROW "\nx" ROW "\n", "metrics.csv:4: error: not a row of numbers"},
    {METRICS_HEADER "\n" ROW "\n\n", "metrics.csv:3: error: fewer fields"},
    {METRICS_HEADER "\r\n" ROW "\r\n", NULL},
    {METRICS_HEADER "\n100,1,1,1,nan,inf,-inf,1e999,-5,0,,,,,,,,,\n", "to draw"},
    {METRICS_HEADER "\n100,1,1,1,nan,inf,-inf,1e999,-5,1e-320,,,,,,,,,\n" ROW "\n", NULL},
    {METRICS_HEADER "\n,1,1,1,1,1,1,1,1,1,1,,,,,,,,\n", "to draw"},
    {METRICS_HEADER "\n1,1,1,1,0,0,0,0,0,0,0,,,,,,,,\n2,1,1,1,0,0,0,0,0,0,0,,,,,,,,\n", "to draw"},
    {METRICS_HEADER "\n1,1,1,1,1 2,0,0,0,0,0,0\n", "metrics.csv:2: error: not a row of numbers"},
    {METRICS_HEADER "\n1;1;1;1;1;1;1;1;1;1;1\n", "metrics.csv:2: error: not a row of numbers"},
    {"images,loss\n1,2\n", "has no column \"step\""},
    {"step,images\n1,2\n", "to draw"},
    {"step\n1\n", "to draw"},
    {"loss,step\n5,1\n4,2\n", NULL},
    {"loss,step,step,loss,,\n5,1,9,9,,\n4,2,9,9,,\n", NULL},
    {"step,loss\n1e14,5\n-1e300,6\n1e308,7\n", NULL},
    {"step,loss\n1,1e-279\n2,1e307\n3,1\n", NULL},
    {"step,loss\n5,5\n3,4\n3,1\n", NULL},
    {"\n\n\n", "has no column \"step\""},
    {"\033[31m,\033[32m\n\033[1m,2\n", "metrics.csv:2: error: not a row of numbers"},
};

static void test_csv(void **state)
{
    for (size_t i = 0; i < COUNT_OF(csv_cases); i++) {
        const csv_case *c = &csv_cases[i];
        write_text("metrics.csv", c->text);
        status s = plot_training("metrics.csv", "t", "picture.png");
        if (c->words) {
            if (s == STATUS_OK)
                fail_msg("case %zu is accepted instead of \"%s\"", i, c->words);
            expect_failure(s, c->words);
            assert_int_equal(count_files(), 1);
        } else {
            expect_ok(s);
            expect_png("picture.png", 1200, 700, 8000);
            assert_int_equal(remove("picture.png"), 0);
        }
    }
}

static void test_csv_files(void **state)
{
    expect_failure(plot_training("missing.csv", "t", "picture.png"), "missing.csv: error: cannot be opened: No such file");
    expect_failure(plot_training(".", "t", "picture.png"), "not a file");
    write_bytes("metrics.csv", "step,loss\n1,2\0oops\n", 19);
    expect_failure(plot_training("metrics.csv", "t", "picture.png"), "metrics.csv:2: error: not a row of numbers");
    unsigned short random[3] = {1, 2, 3};
    for (int i = 0; i < 200; i++) {
        char bytes[400] = "step,loss\n";
        for (size_t k = i % 2 ? 10 : 0; k < sizeof bytes; k++)
            bytes[k] = i % 3 ? "0123456789.,,,-e\n\n"[nrand48(random) % 18] : (char)nrand48(random);
        write_bytes("metrics.csv", bytes, sizeof bytes);
        setenv("PATH", "/nonexistent", 1);
        expect_failure(plot_training("metrics.csv", "t", "picture.png"), "");
    }
}

/* ---- comparison ---- */

static void test_comparison(void **state)
{
    const char *paths[] = {"metrics.csv", "other.csv", "none.csv"}, *labels[] = {"a", "b", "c"};
    expect_ok(draw_comparison("t", "picture.svg"));
    assert_true(count_in_file("picture.svg", "rgb(  0, 114, 178)") > 30);
    assert_true(count_in_file("picture.svg", "rgb(213,  94,   0)") > 15);
    expect_text("picture.svg", "3000", true); /* the longer run's steps are on the axis */
    write_text("none.csv", "step,test_value_mse\n1,0\n2,\n");
    expect_ok(plot_comparison(paths, labels, 3, "test_value_mse", "t", "picture.svg"));
    expect_text("picture.svg", "(no values) c", true);
    expect_text("picture.svg", "b", true);
    expect_failure(plot_comparison(paths + 2, labels, 1, "test_value_mse", "t", "picture.png"),
                   "no run has a value of test_value_mse");
    expect_failure(plot_comparison(paths, labels, 0, "loss", "t", "picture.png"), "no run has a value of loss");
    expect_failure(plot_comparison(paths, labels, 3, "loss", "t", "picture.png"), "none.csv: error: has no column \"loss\"");
    expect_failure(plot_comparison(paths, labels, 2, "los", "t", "picture.png"), "metrics.csv: error: has no column \"los\"");
    write_text("none.csv", "images,loss\n1,2\n");
    expect_failure(plot_comparison(paths, labels, 3, "loss", "t", "picture.png"), "none.csv: error: has no column \"step\"");
    assert_int_equal(remove("other.csv"), 0);
    expect_failure(plot_comparison(paths, labels, 2, "loss", "t", "picture.png"), "other.csv: error: cannot be opened");
}

static void test_many_runs(void **state)
{
    const char *paths[40], *labels[40];
    char text[40][32];
    write_run("metrics.csv", 20);
    for (int i = 0; i < 40; i++) {
        paths[i] = "metrics.csv";
        snprintf(text[i], sizeof text[i], "run number %d", i);
        labels[i] = text[i];
    }
    expect_ok(plot_comparison(paths, labels, 40, "loss", "t", "picture.svg"));
    expect_svg("picture.svg", "viewBox=\"0 0 1200 1012\"");
    for (int i = 0; i < 40; i++)
        expect_text("picture.svg", text[i], true);
}

/* ---- surfaces: the script itself ---- */

/* The lines of a data block, two panels in turn; returns how many lines it has. */
static int read_block(const char *script, const char *name, int panel, double rows[][4])
{
    char start[40];
    snprintf(start, sizeof start, "%s << EOD\n", name);
    for (int i = 0; i <= panel; i++) {
        script = strstr(script, start);
        assert_non_null(script);
        script += strlen(start);
    }
    int n = 0;
    for (; strncmp(script, "EOD", 3) != 0; script = strchr(script, '\n') + 1)
        n += *script != '\n' && sscanf(script, "%lf %lf %lf %lf", &rows[n][0], &rows[n][1], &rows[n][2], &rows[n][3]) > 0;
    return n;
}

static char *drawn_script(void)
{
    size_t size;
    use_program("#!/bin/sh\ncat > script; PATH=${PATH#*:} exec gnuplot \"$@\" < script\n");
    expect_ok(draw_surfaces("t", "picture.png"));
    return read_whole("script", &size);
}

static void test_field(void **state)
{
    static double rows[2][GRID * GRID][4];
    char *script = drawn_script();
    assert_int_equal(read_block(script, "$field", 0, rows[0]), 225);
    assert_int_equal(read_block(script, "$field", 1, rows[1]), 225);
    double longest = 0;
    for (int k = 0; k < 225; k++) {
        const double *a = rows[0][k], *b = rows[1][k], x = a[0] + a[2] / 2, y = a[1] + a[3] / 2;
        /* along (df/dx 4^2, df/dy 40^2) at its middle, and 1.25 times as long in the model */
        double factor = a[3] / (y / 200 * 1600);
        assert_true(factor > 0);
        assert_true(fabs(a[2] - factor * 2 * x * 16) <= 1e-6);
        assert_true(fabs(b[2] - 1.25 * a[2]) <= 1e-6 && fabs(b[3] - 1.25 * a[3]) <= 1e-6);
        longest = fmax(longest, hypot(a[2] / 4, a[3] / 40));
    }
    assert_true(fabs(longest - 1.6 / 15) <= 1e-6);
    free(script);
}

static void test_shared_axes(void **state)
{
    static double rows[GRID * GRID + 8][4];
    char *script = drawn_script();
    assert_int_equal(count_in(script, "set zrange ["), 1);
    assert_int_equal(count_in(script, "set cbrange [0:8]"), 1); /* of the target; the model reaches 10 */
    assert_int_equal(count_in(script, "with pm3d"), 2);
    assert_int_equal(read_block(script, "$heights", 1, rows), GRID * GRID);
    assert_true(fabs(rows[GRID - 1][0] - 2) <= 1e-9 && fabs(rows[GRID - 1][1]) <= 1e-9 && fabs(rows[GRID - 1][2] - 5) <= 1e-9);
    assert_int_equal(read_block(script, "$points", 0, rows), 2); /* NaN and those outside are left out */
    free(script);
}

static void test_arrow_outliers(void **state)
{
    static double rows[GRID * GRID][4];
    size_t size;
    use_program("#!/bin/sh\ncat > script; PATH=${PATH#*:} exec gnuplot \"$@\" < script\n");
    fill_surfaces(1000);
    for (int k = 0; k < 2 * GRID; k++)
        gradient[1][2 * k] = INFINITY;
    expect_ok(plot_surfaces(two_surfaces, 2, GRID, low, high, NULL, 0, "t", "picture.png"));
    char *script = read_whole("script", &size);
    int n = read_block(script, "$field", 1, rows);
    assert_true(n > 100);
    assert_int_equal(count_in(script, "nan"), 0);
    for (int k = 0; k < n; k++)
        assert_true(hypot(rows[k][2] / 4, rows[k][3] / 40) <= 2.4 / 15 + 1e-6);
    free(script);
}

static void test_odd_surfaces(void **state)
{
    const surface no_field[] = {{"target", value[0], NULL}, {"model", value[1], gradient[1]}};
    fill_surfaces(3);
    expect_ok(plot_surfaces(no_field, 2, GRID, low, high, NULL, 0, "t", "picture.png"));
    expect_png("picture.png", 1000, 560, 15000);
    const surface five[] = {no_field[0], no_field[1], no_field[0], no_field[1], no_field[0]};
    expect_ok(plot_surfaces(five, 5, GRID, low, high, NULL, 7, "t", "picture.png"));
    expect_png("picture.png", 2000, 1080, 15000);
    double flat[4] = {3, 3, 3, 3}, nearly_flat[4] = {3, 3, 3, nextafter(3, 4)}, zero[8] = {0};
    expect_ok(plot_surfaces(&(surface){"nearly flat", nearly_flat, NULL}, 1, 2, low, high, NULL, 0, "t", "picture.png"));
    expect_ok(plot_surfaces(&(surface){"flat", flat, zero}, 1, 2, low, high, NULL, 0, "t", "picture.png"));
    expect_ok(plot_surfaces(&(surface){"zero", zero, zero}, 1, 2, low, high, NULL, 0, "t", "picture.png"));
    for (int k = 0; k < GRID * GRID; k++)
        value[1][k] = k % 2 ? NAN : INFINITY;
    expect_ok(plot_surfaces(two_surfaces, 2, GRID, low, high, NULL, 0, "t", "picture.png"));
    expect_failure(plot_surfaces(two_surfaces + 1, 1, GRID, low, high, NULL, 0, "t", "picture.png"), "no finite value");
}

static void test_bad_surfaces(void **state)
{
    const char *words = "at least 2 x 2 points and ranges with low < high";
    fill_surfaces(3);
    expect_failure(plot_surfaces(two_surfaces, 0, GRID, low, high, NULL, 0, "t", "picture.png"), words);
    expect_failure(plot_surfaces(two_surfaces, 2, 1, low, high, NULL, 0, "t", "picture.png"), words);
    expect_failure(plot_surfaces(two_surfaces, 2, GRID, high, low, NULL, 0, "t", "picture.png"), words);
    expect_failure(plot_surfaces(two_surfaces, 2, GRID, low, (double[]){2, NAN}, NULL, 0, "t", "picture.png"), words);
    assert_int_equal(count_files(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLOT_TEST(test_png),
        PLOT_TEST(test_svg),
        PLOT_TEST(test_left_out),
        PLOT_TEST(test_critics),
        PLOT_TEST(test_tics),
        PLOT_TEST(test_logarithmic),
        PLOT_TEST(test_gap),
        PLOT_TEST(test_long_run),
        PLOT_TEST(test_csv),
        PLOT_TEST(test_csv_files),
        PLOT_TEST(test_comparison),
        PLOT_TEST(test_many_runs),
        PLOT_TEST(test_field),
        PLOT_TEST(test_shared_axes),
        PLOT_TEST(test_arrow_outliers),
        PLOT_TEST(test_odd_surfaces),
        PLOT_TEST(test_bad_surfaces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
