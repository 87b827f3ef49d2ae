/* train/gnuplot.c, gnuplot_text.c: hostile words and names, disks and programs that fail, odd parents. */
#include "plot_fixture.h"

/* ---- users' words ---- */

typedef struct title_case {
    const char *title, *shown;
} title_case;

static const title_case title_cases[] = {
    {"a\"b'c_{d}\\n$x", "a\"b'c_{d}\\n$x"},
    {"two\nlines\ttab\r\x7f!", "two lines tab  !"},
    {"`touch oops` $(touch oops) @GPVAL_TERM %d ${x}", "`touch oops` $(touch oops) @GPVAL_TERM %d ${x}"},
    {"'; system('touch oops'); set title '", "'; system('touch oops'); set title '"},
    {"<b>&amp;</b> {/:Bold x}^2", "<b>&amp;</b> {/:Bold x}^2"},
    {"größer Ω → ∇f 日本 \xf0\x9f\x98\x80", "größer Ω → ∇f 日本 \xf0\x9f\x98\x80"},
    {"bad \xff \xc3 \xc0\x80 \xed\xa0\x80 \xf4\x90\x80\x80 \xef\xbf\xbf end\xe2\x82", "bad ? ? ?? ??? ???? ? end??"},
    {"trailing \\", "trailing \\"},
    {"'", "'"},
    {"''' x ''", "''' x ''"},
    {"\"\" . system(\"touch oops\") . \"\"", "\"\" . system(\"touch oops\") . \"\""},
    {"\\047 \\\"", "\\047 \\\""},
    {"#comment", "#comment"},
};

static void expect_title(status (*draw)(const char *, const char *), const title_case *c)
{
    expect_ok(draw(c->title, "picture.svg"));
    expect_svg("picture.svg", "<svg");
    expect_text("picture.svg", c->shown, true);
    expect_ok(draw(c->title, "picture.png"));
    if (access("oops", F_OK) == 0)
        fail_msg("the title %s ran a command", c->title);
}

static void test_titles(void **state)
{
    for (size_t i = 0; i < COUNT_OF(title_cases); i++)
        expect_title(draw_training, &title_cases[i]);
    expect_title(draw_comparison, &title_cases[0]);
    expect_title(draw_surfaces, &title_cases[0]);
}

static void test_labels(void **state)
{
    write_run("metrics.csv", 9);
    fill_surfaces(2);
    for (size_t i = 0; i < COUNT_OF(title_cases); i++) {
        const title_case *c = &title_cases[i];
        expect_ok(plot_comparison((const char *[]){"metrics.csv"}, &c->title, 1, "loss", "t", "picture.svg"));
        expect_svg("picture.svg", "<svg");
        expect_text("picture.svg", c->shown, true);
        expect_ok(plot_surfaces(&(surface){c->title, value[0], NULL}, 1, GRID, low, high, NULL, 0, NULL, "picture.svg"));
        expect_svg("picture.svg", "<svg");
        expect_text("picture.svg", c->shown, true);
        assert_int_not_equal(access("oops", F_OK), 0);
    }
}

static void test_long_title(void **state)
{
    char title[5001], shown[200];
    memset(title, 'a', sizeof title - 1);
    title[sizeof title - 1] = '\0';
    snprintf(shown, sizeof shown, "%.100s…", title);
    expect_ok(draw_training(title, "picture.svg"));
    expect_text("picture.svg", shown, true);
    title[100] = '\0';
    expect_ok(draw_training(title, "picture.svg"));
    expect_text("picture.svg", title, true);
}

/* pngcairo draws a character that no font has as a box over the whole picture. */
static void test_missing_glyph(void **state)
{
    size_t n, m;
    expect_ok(draw_training("a 日本 b", "glyphs.png"));
    expect_ok(draw_training("a ?? b", "marks.png"));
    char *glyphs = read_whole("glyphs.png", &n), *marks = read_whole("marks.png", &m);
    assert_int_equal(n, m);
    assert_memory_equal(glyphs, marks, n);
    free(glyphs);
    free(marks);
}

/* The legend's layout counts characters, not bytes: the two pictures differ in the letters only. */
static void test_label_width(void **state)
{
    size_t n, m;
    write_run("metrics.csv", 9);
    const char *paths[] = {"metrics.csv", "metrics.csv"};
    expect_ok(plot_comparison(paths, (const char *[]){"öööööööööööööööö", "a"}, 2, "loss", "t", "umlauts.svg"));
    expect_ok(plot_comparison(paths, (const char *[]){"oooooooooooooooo", "a"}, 2, "loss", "t", "plain.svg"));
    char *umlauts = read_whole("umlauts.svg", &n), *plain = read_whole("plain.svg", &m);
    char *to = umlauts;
    for (char *from = umlauts; *from;) {
        bool umlaut = strncmp(from, "ö", 2) == 0;
        *to++ = umlaut ? 'o' : *from;
        from += umlaut ? 2 : 1;
    }
    *to = '\0';
    assert_true(strcmp(umlauts, plain) == 0);
    free(umlauts);
    free(plain);
}

static const char *const hostile_names[] = {"a b'c\"d,e", "$(touch oops)`touch oops`; touch oops #", "-e",
                                            "x\ny", "%s%n", "größe"};

static void test_paths(void **state)
{
    for (size_t i = 0; i < COUNT_OF(hostile_names); i++) {
        char metrics[100], picture[100];
        snprintf(metrics, sizeof metrics, "%s.csv", hostile_names[i]);
        snprintf(picture, sizeof picture, "%s.png", hostile_names[i]);
        write_run(metrics, 9);
        expect_ok(plot_training(metrics, "t", picture));
        expect_png(picture, 1200, 700, 10000);
        assert_int_equal(remove(metrics), 0);
        assert_int_equal(remove(picture), 0);
        assert_int_equal(count_files(), 0);
    }
}

/* ---- pictures that cannot be written ---- */

static const char *const bad_names[] = {"chart.gif", "chart", "chart.png.txt", ".png", ""};

static void test_bad_names(void **state)
{
    for (size_t i = 0; i < COUNT_OF(picture_cases); i++)
        for (size_t k = 0; k < COUNT_OF(bad_names); k++) {
            expect_failure(picture_cases[i].draw("t", bad_names[k]), ".png or .svg");
            assert_true(count_files() <= 2);
        }
}

static void test_unwritable(void **state)
{
    assert_int_equal(mkdir("folder.png", 0755), 0);
    for (size_t i = 0; i < COUNT_OF(picture_cases); i++) {
        const picture_case *c = &picture_cases[i];
        expect_failure(c->draw("t", "nowhere/chart.png"), "nowhere/chart.png");
        expect_failure(c->draw("t", "folder.png"), "folder.png: error: cannot be written");
        assert_int_equal(count_files(), c->files + 1 + (i == 2 ? 2 : 0));
    }
}

/* The limit stands for a full disk; gnuplot itself does not notice. */
static void test_full_disk(void **state)
{
    struct rlimit before, tight = {30000, RLIM_INFINITY};
    write_run("metrics.csv", 40);
    write_text("chart.png", "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight.rlim_max = before.rlim_max;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &tight);
    status ignored = plot_training("metrics.csv", "t", "chart.png");
    char text[500];
    snprintf(text, sizeof text, "%s", status_text());
    signal(SIGXFSZ, SIG_DFL);
    status killed = plot_training("metrics.csv", "t", "chart.png");
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, handler);
    expect_failure(killed, "gnuplot was killed by signal 25");
    assert_int_equal(ignored, STATUS_BAD_FILE);
    assert_non_null(strstr(text, "incomplete picture"));
    assert_int_equal(count_in_file("chart.png", "old"), 1);
    assert_int_equal(count_files(), 2);
}

/* ---- a gnuplot that is not there or fails ---- */

static void expect_no_picture(const picture_case *c, const char *words)
{
    expect_failure(c->draw("t", "new.png"), words);
    if (access("new.png", F_OK) == 0 || access("new.png.part", F_OK) == 0)
        fail_msg("%s: a failed picture is left", c->name);
    write_text("old.svg", "old");
    expect_failure(c->draw("t", "old.svg"), words);
    assert_int_equal(count_in_file("old.svg", "old"), 1);
    assert_int_not_equal(access("old.svg.part", F_OK), 0);
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
}

static void test_missing_gnuplot(void **state)
{
    setenv("PATH", folder, 1);
    for (size_t i = 0; i < COUNT_OF(picture_cases); i++)
        expect_no_picture(&picture_cases[i], "gnuplot-nox");
}

typedef struct program_case {
    const char *program, *words;
} program_case;

static const program_case program_cases[] = {
    {"#!/bin/sh\nprintf '\\ngnuplot> set x\\n         ^\\n line 3: no\\tsuch option\\n' >&2; exit 1\n",
     "gnuplot failed: gnuplot> set x; line 3: no such option"},
    {"#!/bin/sh\necho 'line 0: warning: degree sign' >&2; echo out of memory >&2; exit 2\n", "gnuplot failed: out of memory"},
    {"#!/bin/sh\nyes 'the same line' | head -n 100000 >&2; exit 1\n", "the same line; the same line; the same line"},
    {"#!/bin/sh\nfor i in 1 2 3; do head -c 100000 /dev/zero | tr '\\0' x >&2; echo >&2; done; exit 1\n",
     "gnuplot failed: xxxxxxxxx"},
    {"#!/bin/sh\nPATH=${PATH#*:} gnuplot \"$@\"; exit 3\n", "gnuplot failed: it did not say why"},
    {"#!/bin/sh\nexit 1\n", "gnuplot failed: it did not say why"},
    {"#!/bin/sh\nexec 0<&-; echo closed >&2; exit 1\n", "gnuplot failed: closed"},
    {"#!/bin/sh\nkill -9 $$\n", "gnuplot was killed by signal 9"},
    {"#!/bin/sh\nexit 0\n", "incomplete picture"},
    {"#!/bin/sh\nPATH=${PATH#*:} gnuplot \"$@\" | head -c 2000\n", "incomplete picture"},
    {"#!/bin/sh\ncat\n", "incomplete picture"},
};

static void test_failing_gnuplot(void **state)
{
    use_program("");
    for (size_t i = 0; i < COUNT_OF(program_cases); i++) {
        write_program("programs/gnuplot", program_cases[i].program);
        for (size_t k = 0; k < COUNT_OF(picture_cases); k++)
            expect_no_picture(&picture_cases[k], program_cases[i].words);
    }
    setenv("PATH", "programs", 1);
    write_program("programs/gnuplot", "#!/no/such/interpreter\n");
    expect_no_picture(&picture_cases[0], "gnuplot-nox");
    assert_int_equal(chmod("programs/gnuplot", 0644), 0);
    expect_no_picture(&picture_cases[0], "gnuplot-nox");
}

/* A gnuplot without cairo. */
static void test_plain_png(void **state)
{
    use_program("#!/bin/sh\nsed s/pngcairo/nocairo/g > script; PATH=${PATH#*:} exec gnuplot \"$@\" < script\n");
    expect_ok(draw_training("a title", "picture.png"));
    expect_png("picture.png", 1200, 700, 5000);
    assert_int_equal(count_in_file("script", "set terminal nocairo"), 1);
}

/* gnuplot's own numbers and words must not depend on the user's settings. */
static void test_environment(void **state)
{
    use_program("#!/bin/sh\nenv > environment; echo \"$@\" > arguments; PATH=${PATH#*:} exec gnuplot \"$@\"\n");
    setenv("LC_ALL", "de_DE.UTF-8", 1);
    setenv("LC_ALLOWED", "kept", 1);
    status s = draw_training("t", "picture.png");
    unsetenv("LC_ALL");
    unsetenv("LC_ALLOWED");
    expect_ok(s);
    assert_int_equal(count_in_file("environment", "LC_ALL="), 1);
    assert_int_equal(count_in_file("environment", "LC_ALL=C\n"), 1);
    assert_int_equal(count_in_file("environment", "LC_ALLOWED=kept\n"), 1);
    assert_int_equal(count_in_file("arguments", "-d"), 1);
    assert_int_equal(count_files(), 5);
}

/* The decimal comma of the program's locale must reach neither the CSV's reader nor the script. */
static void test_locale(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE", "fr_FR.UTF-8", "ru_RU.UTF-8"};
    const char *found = NULL;
    for (size_t i = 0; i < COUNT_OF(names) && !found; i++)
        found = setlocale(LC_ALL, names[i]);
    if (!found) {
        print_message("no locale with a decimal comma is installed\n");
        skip();
    }
    write_text("metrics.csv", "step,loss\n1,0.0031\n2,0.0033\n");
    status s = plot_training("metrics.csv", "t", "picture.svg");
    bool comma = strcmp(localeconv()->decimal_point, ",") == 0;
    status surfaces = draw_surfaces("t", "surfaces.png");
    setlocale(LC_ALL, "C");
    assert_true(comma);
    expect_ok(s);
    expect_ok(surfaces);
    expect_text("picture.svg", "0.0032", true);
}

/* Returns the status of a child that draws after `prepare`; cmocka's own failures would not reach us from there. */
static int drawn_in_child(void (*prepare)(void))
{
    pid_t child = fork();
    if (child == 0) {
        prepare();
        status s = draw_training("t", "picture.png");
        if (s == STATUS_OK)
            s = draw_surfaces("t", "picture.svg");
        _exit(s);
    }
    int outcome = -1;
    assert_int_equal(waitpid(child, &outcome, 0), child);
    return outcome;
}

static void close_streams(void)
{
    for (int i = 0; i < 3; i++)
        close(i);
}

static void ignore_children(void)
{
    signal(SIGCHLD, SIG_IGN);
}

static void test_odd_parents(void **state)
{
    assert_int_equal(drawn_in_child(close_streams), 0);
    expect_png("picture.png", 1200, 700, 15000);
    assert_int_equal(drawn_in_child(ignore_children), 0);
    expect_svg("picture.svg", "viewBox=\"0 0 1000 560\"");
}

static int count_descriptors(void)
{
    DIR *d = opendir("/proc/self/fd");
    assert_non_null(d);
    int n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static void test_descriptors(void **state)
{
    int before = count_descriptors();
    for (size_t i = 0; i < COUNT_OF(picture_cases); i++) {
        expect_ok(picture_cases[i].draw("t", "picture.png"));
        assert_int_equal(count_descriptors(), before);
        expect_failure(picture_cases[i].draw("t", "nowhere/chart.png"), "nowhere");
        assert_int_equal(count_descriptors(), before);
    }
    setenv("PATH", folder, 1);
    expect_failure(draw_training("t", "picture.png"), "gnuplot-nox");
    assert_int_equal(count_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLOT_TEST(test_titles),
        PLOT_TEST(test_labels),
        PLOT_TEST(test_long_title),
        PLOT_TEST(test_missing_glyph),
        PLOT_TEST(test_label_width),
        PLOT_TEST(test_paths),
        PLOT_TEST(test_bad_names),
        PLOT_TEST(test_unwritable),
        PLOT_TEST(test_full_disk),
        PLOT_TEST(test_missing_gnuplot),
        PLOT_TEST(test_failing_gnuplot),
        PLOT_TEST(test_plain_png),
        PLOT_TEST(test_environment),
        PLOT_TEST(test_locale),
        PLOT_TEST(test_odd_parents),
        PLOT_TEST(test_descriptors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
