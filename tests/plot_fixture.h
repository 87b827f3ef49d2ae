/* What the tests of pictures share: a folder for each test, looks into pictures, and data to draw. */
#ifndef DNX_TESTS_PLOT_FIXTURE_H
#define DNX_TESTS_PLOT_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <locale.h>
#include <math.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "train/metrics.h"
#include "train/plot.h"

#define COUNT_OF(a) (sizeof(a) / sizeof *(a))

/* ---- each test has an empty folder, and leaves no child behind ---- */

static char folder[64], search_path[4096];

static int enter_folder(void **state)
{
    snprintf(folder, sizeof folder, "/tmp/test_plot.XXXXXX");
    snprintf(search_path, sizeof search_path, "%s", getenv("PATH"));
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    return remove(path);
}

static int leave_folder(void **state)
{
    setenv("PATH", search_path, 1);
    bool no_child = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    if (!no_child)
        print_error("a child process is left\n");
    return chdir("/") == 0 && nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS) == 0 && no_child ? 0 : -1;
}

/* ---- files ---- */

static void write_bytes(const char *path, const char *text, size_t n)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void write_text(const char *path, const char *text)
{
    write_bytes(path, text, strlen(text));
}

/* The whole file, with '\0' after it; to be freed. */
static char *read_whole(const char *path, size_t *n)
{
    FILE *f = fopen(path, "r");
    if (!f)
        fail_msg("%s does not exist", path);
    fseek(f, 0, SEEK_END);
    *n = (size_t)ftell(f);
    rewind(f);
    char *text = calloc(1, *n + 1);
    assert_non_null(text);
    assert_int_equal(fread(text, 1, *n, f), *n);
    fclose(f);
    return text;
}

static int count_files(void)
{
    DIR *d = opendir(".");
    int n = -2; /* . and .. */
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static int count_in(const char *text, const char *word)
{
    int n = 0;
    for (; (text = strstr(text, word)) != NULL; text += strlen(word))
        n++;
    return n;
}

static int count_in_file(const char *path, const char *word)
{
    size_t size;
    char *text = read_whole(path, &size);
    int n = count_in(text, word);
    free(text);
    return n;
}

static void write_program(const char *path, const char *text)
{
    write_text(path, text);
    assert_int_equal(chmod(path, 0755), 0);
}

/* A program named gnuplot that is found first. */
static void use_program(const char *text)
{
    char path[8192];
    assert_int_equal(mkdir("programs", 0755), 0);
    write_program("programs/gnuplot", text);
    snprintf(path, sizeof path, "%s/programs:%s", folder, search_path);
    setenv("PATH", path, 1);
}

/* ---- expectations ---- */

static void expect_ok(status s)
{
    if (s != STATUS_OK)
        fail_msg("status %d: %s", s, status_text());
}

static void expect_failure(status s, const char *words)
{
    if (s != STATUS_BAD_FILE)
        fail_msg("status %d instead of STATUS_BAD_FILE with \"%s\"", s, words);
    if (!strstr(status_text(), words))
        fail_msg("\"%s\" does not hold \"%s\"", status_text(), words);
    if (strpbrk(status_text(), "\n\t\033"))
        fail_msg("the message is more than one line: %s", status_text());
}

static unsigned big_endian(const unsigned char *p)
{
    return (unsigned)p[0] << 24 | (unsigned)p[1] << 16 | (unsigned)p[2] << 8 | p[3];
}

static void expect_png(const char *path, unsigned width, unsigned height, size_t least_bytes)
{
    size_t size;
    char *bytes = read_whole(path, &size);
    assert_true(size >= least_bytes);
    assert_memory_equal(bytes, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", 16);
    assert_int_equal(big_endian((unsigned char *)bytes + 16), width);
    assert_int_equal(big_endian((unsigned char *)bytes + 20), height);
    assert_memory_equal(bytes + size - 8, "IEND\xae\x42\x60\x82", 8);
    free(bytes);
}

static void expect_svg(const char *path, const char *size_attributes)
{
    size_t size;
    char *text = read_whole(path, &size);
    assert_int_equal(strlen(text), size);
    assert_memory_equal(text, "<?xml", 5);
    assert_int_equal(count_in(text, "<svg"), 1);
    assert_int_equal(count_in(text, "</svg>\n"), 1);
    assert_int_equal(count_in(text, size_attributes), 1);
    for (const char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' && *c != '\n' && *c != '\t' && *c != '\r')
            fail_msg("%s holds the control character %d", path, *c);
    free(text);
}

/* The text between the tags <text …>…</text> without XML's escapes; true when one of them is `words` exactly. */
static bool shows_text(const char *path, const char *words)
{
    static const char *const escapes[][2] = {{"&lt;", "<"}, {"&gt;", ">"}, {"&amp;", "&"}, {"&quot;", "\""}, {"&apos;", "'"}};
    size_t size;
    char *text = read_whole(path, &size), *at = text;
    bool found = false;
    while (!found && (at = strstr(at, "<text")) != NULL) {
        char *end = strstr(at, "</text>"), plain[4096];
        size_t n = 0;
        for (at = strchr(at, '>') + 1; at < end && n < sizeof plain - 1;) {
            size_t e = 0;
            while (e < COUNT_OF(escapes) && strncmp(at, escapes[e][0], strlen(escapes[e][0])) != 0)
                e++;
            plain[n++] = e < COUNT_OF(escapes) ? *escapes[e][1] : *at;
            at += e < COUNT_OF(escapes) ? strlen(escapes[e][0]) : 1;
        }
        plain[n] = '\0';
        found = strcmp(plain + strspn(plain, " "), words) == 0;
    }
    free(text);
    return found;
}

static void expect_text(const char *path, const char *words, bool wanted)
{
    if (shows_text(path, words) != wanted)
        fail_msg("%s %s the text \"%s\"", path, wanted ? "lacks" : "shows", words);
}

/* ---- data ---- */

/* A run with all columns but those of order 2 and of directions, whose loss_hessian is zero and which has some zeros elsewhere. */
static void write_run(const char *path, int rows)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fprintf(f, "%s\n", METRICS_HEADER);
    for (int i = 0; i < rows; i++) {
        double e = exp(-0.15 * i);
        fprintf(f, "%d,%d,%g,0.001,%g,%g,%g,0,%g,%g,,,1,1,,-.5,,,\n", 100 * i, 3200 * i, 0.5 * i, 6 * e, 2 * e, 4 * e, i % 7 == 3 ? 0 : e,
                9 * e);
    }
    assert_int_equal(fclose(f), 0);
}

static status draw_training(const char *title, const char *picture)
{
    write_run("metrics.csv", 40);
    return plot_training("metrics.csv", title, picture);
}

static status draw_comparison(const char *title, const char *picture)
{
    write_run("metrics.csv", 40);
    write_run("other.csv", 20);
    const char *paths[] = {"metrics.csv", "other.csv"}, *labels[] = {"regular", "Sobolev"};
    return plot_comparison(paths, labels, 2, "test_value_mse", title, picture);
}

enum { GRID = 31 };
static double value[2][GRID * GRID], gradient[2][2 * GRID * GRID];
static const double low[2] = {-2, 0}, high[2] = {2, 40};

/* x^2 + y^2/400, and the same times `factor`, with their gradients. */
static void fill_surfaces(double factor)
{
    for (int k = 0; k < GRID * GRID; k++) {
        double x = -2 + 4.0 * (k % GRID) / (GRID - 1), y = 40.0 * (k / GRID) / (GRID - 1);
        for (int s = 0; s < 2; s++) {
            double scale = s ? factor : 1;
            value[s][k] = scale * (x * x + y * y / 400);
            gradient[s][2 * k] = scale * 2 * x;
            gradient[s][2 * k + 1] = scale * y / 200;
        }
    }
}

static const surface two_surfaces[] = {{"target", value[0], gradient[0]}, {"model", value[1], gradient[1]}};

static status draw_surfaces(const char *title, const char *picture)
{
    static const double points[] = {0, 10, 1, 20, NAN, 3, 99, 20, 1, 99};
    fill_surfaces(1.25);
    return plot_surfaces(two_surfaces, 2, GRID, low, high, points, 5, title, picture);
}

typedef struct picture_case {
    const char *name;
    status (*draw)(const char *title, const char *picture);
    unsigned width, height;
    const char *svg_size;
    int files; /* that it reads */
    const char *shown[6];
} picture_case;

static const picture_case picture_cases[] = {
    {"training", draw_training, 1200, 700, "viewBox=\"0 0 1200 700\"", 1,
     {"total", "value", "gradient", "loss per sample", "10⁻¹"}},
    {"comparison", draw_comparison, 1200, 700, "viewBox=\"0 0 1200 700\"", 2, {"regular", "Sobolev", "test_value_mse", "step"}},
    {"surfaces", draw_surfaces, 1000, 560, "viewBox=\"0 0 1000 560\"", 0, {"target", "model", "x", "y"}},
};

#define PLOT_TEST(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

#endif
