/* The cfg reader: broken files with the exact message, stock files, texts and limits, overrides, printing. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/reader.h"

#define STOCK_CFGS "/usr/share/darknet/cfg"

#define BEGIN "[net]\ninputs=2\n"
#define LAYER "[connected]\noutput=3\n"
#define DATA "[data]\nfunction=beale\n"

/* All lines of a run, each with its newline. */
typedef struct transcript {
    char text[64 * 1024];
    size_t length;
    int lines;
} transcript;

static void keep_line(void *context, const char *line)
{
    transcript *t = context;
    assert_null(strchr(line, '\n'));
    for (const char *c = line; *c; ++c)
        assert_true((unsigned char)*c >= 0x20 && *c != 0x7F);
    int n = snprintf(t->text + t->length, sizeof t->text - t->length, "%s\n", line);
    t->length += (size_t)n;
    t->lines++;
    assert_true(t->length < sizeof t->text);
}

static config *parse_length(const char *text, size_t length, const char *const *flags, transcript *t, status *code)
{
    override overrides[8] = {{NULL}};
    int n = 0;
    for (; flags && flags[n]; ++n)
        overrides[n].text = flags[n];
    config *c;
    memset(t, 0, sizeof *t);
    *code = config_parse("t.cfg", text, length, overrides, n, keep_line, t, &c);
    assert_true((*code == STATUS_OK) == (c != NULL));
    return c;
}

/* The text must be read without a message. */
static config *parse_good(const char *text)
{
    transcript t;
    status code;
    config *c = parse_length(text, strlen(text), NULL, &t, &code);
    assert_string_equal(t.text, "");
    assert_int_equal(code, STATUS_OK);
    return c;
}

/* ---- files ---- */

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Names of the .cfg files of a folder, sorted; returns how many, -1 without folder. */
static int list_cfgs(const char *folder, char *names[], int capacity)
{
    DIR *directory = opendir(folder);
    if (!directory)
        return -1;
    int n = 0;
    for (struct dirent *entry; (entry = readdir(directory));) {
        size_t length = strlen(entry->d_name);
        if (length > 4 && !strcmp(entry->d_name + length - 4, ".cfg")) {
            assert_true(n < capacity);
            names[n++] = strdup(entry->d_name);
        }
    }
    closedir(directory);
    qsort(names, (size_t)n, sizeof *names, compare_names);
    return n;
}

/* The message that the first line promises, with the path in front; false for expectations of another kind. */
static bool read_expectation(const char *path, char *expected, size_t size)
{
    static const char mark[] = "# expect: ";
    char line[1024] = "";
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    fclose(file);
    if (!strncmp(line, "# expect-late: ", 15))
        return false;
    if (strncmp(line, mark, strlen(mark)))
        fail_msg("%s: the first line must begin with '%s'", path, mark);
    snprintf(expected, size, "%s:%s", path, line + strlen(mark));
    return true;
}

static void test_broken_files(void **state)
{
    char *names[500], path[512], expected[1600];
    int n = list_cfgs(CFG_DIR "/broken", names, 500), checked = 0, wrong = 0;
    for (int i = 0; i < n; ++i) {
        snprintf(path, sizeof path, "%s/broken/%s", CFG_DIR, names[i]);
        free(names[i]);
        if (!read_expectation(path, expected, sizeof expected))
            continue;
        transcript t = {.length = 0};
        config *c;
        status code = config_read(path, NULL, 0, keep_line, &t, &c);
        bool equal = code == STATUS_BAD_CONFIG && !c && !strcmp(t.text, expected);
        if (!equal)
            print_error("status %d\nexpected %sfound    %s", code, expected, t.text);
        wrong += !equal;
        ++checked;
    }
    assert_int_equal(wrong, 0);
    assert_true(checked >= 55);
}

static char *print_to_text(const config *c, size_t *length)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, length);
    assert_non_null(out);
    config_print(c, out);
    fclose(out);
    return text;
}

static bool has_value(const section *s, const option_spec *spec)
{
    return option_given(s, spec->key) || (spec->fallback && *spec->fallback);
}

static void assert_same_options(const section *a, const section *b, const option_spec *table)
{
    for (; table->key; ++table) {
        assert_int_equal(has_value(a, table), has_value(b, table));
        assert_string_equal(option_text(a, table->key), option_text(b, table->key));
    }
}

static void assert_same_config(const config *a, const config *b)
{
    assert_int_equal(a->n_sections, b->n_sections);
    for (int i = 0; i < a->n_sections; ++i) {
        const section *s = &a->sections[i], *t = &b->sections[i];
        assert_ptr_equal(s->spec, t->spec);
        assert_same_options(s, t, s->spec->options);
        if (s->spec->role == SECTION_LAYER)
            assert_same_options(s, t, common_layer_options);
    }
}

static void assert_prints_the_same(const config *c)
{
    transcript t;
    status code;
    size_t length;
    char *text = print_to_text(c, &length);
    config *again = parse_length(text, length, NULL, &t, &code);
    if (code != STATUS_OK)
        print_error("%s%s", text, t.text);
    assert_int_equal(code, STATUS_OK);
    assert_same_config(c, again);
    config_free(again);
    free(text);
}

static void test_stock_files(void **state)
{
    char *names[200], path[512];
    int n = list_cfgs(STOCK_CFGS, names, 200);
    if (n < 0) {
        print_message("SKIPPED: no " STOCK_CFGS " (package darknet)\n");
        skip();
    }
    assert_true(n >= 45);
    for (int i = 0; i < n; ++i) {
        snprintf(path, sizeof path, "%s/%s", STOCK_CFGS, names[i]);
        free(names[i]);
        transcript t = {.length = 0};
        config *c;
        status code = config_read(path, NULL, 0, keep_line, &t, &c);
        if (code != STATUS_OK || strstr(t.text, ": error: "))
            fail_msg("%s: %s", path, t.text);
        assert_prints_the_same(c);
        config_free(c);
    }
}

static void test_unreadable_paths(void **state)
{
    static const struct {
        const char *path;
        status code;
        const char *text;
    } cases[] = {
        {"/tmp", STATUS_BAD_FILE, "/tmp: Is a directory"},
        {"/nonexistent/a.cfg", STATUS_BAD_FILE, "/nonexistent/a.cfg: No such file or directory"},
        {"/dev/null/a.cfg", STATUS_BAD_FILE, "/dev/null/a.cfg: Not a directory"},
        {"/dev/null", STATUS_BAD_CONFIG, "/dev/null: 1 error"},
        {"/dev/zero", STATUS_BAD_CONFIG, "/dev/zero: 1 error"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        transcript t = {.length = 0};
        config *c = (config *)&t;
        assert_int_equal(config_read(cases[i].path, NULL, 0, keep_line, &t, &c), cases[i].code);
        assert_null(c);
        assert_string_equal(status_text(), cases[i].text);
        assert_int_equal(t.lines, cases[i].code == STATUS_BAD_CONFIG);
    }
}

/* ---- texts ---- */

static void test_texts(void **state)
{
    static const struct {
        const char *text, *messages;
    } cases[] = {
        {BEGIN LAYER, ""},
        {"[net]\r\ninputs=2\r\n\r\n[connected]\r\noutput=3\r\n", ""},
        {"\xEF\xBB\xBF" BEGIN LAYER, ""},
        {"[net]\ninputs=2\n[connected]\noutput=3", ""},
        {"  [ net ]\t\n\tinputs \t=  2 \n ; note\n\t# note = 1\n[connected]\noutput=3\n", ""},
        {"[network]\ninputs=2\n[conn]\noutput=3\n", ""},
        {"[net]\ninputs=2\npolicy=steps\nsteps = -1 , 100,\t200\nscales= .1,10 ,.1\n" LAYER, ""},
        {"# gr\xC3\xBC\xC3\x9F"
         "e \xE2\x82\xAC \xF0\x9F\x98\x80\n" BEGIN LAYER,
         ""},
        {BEGIN DATA LAYER, ""},
        {BEGIN "seen=0\n" LAYER, "t.cfg:3:1: warning: 'seen' is ignored: kept in the weights file\n"},
        {BEGIN "batch=4\nbatch=8\n" LAYER, "t.cfg:4:1: warning: duplicate key 'batch', Darknet takes the first, at line 3\n"},
        {BEGIN "batch=4\nbatch=8\n" DATA LAYER, "t.cfg:4:1: error: duplicate key 'batch', first given at line 3\n"},
        {"", "t.cfg:1:1: error: no sections: a cfg begins with [net]\n"},
        {"\xEF\xBB\xBF", "t.cfg:1:1: error: no sections: a cfg begins with [net]\n"},
        {"\xEF\xBB", "t.cfg:1:1: error: byte that is not UTF-8 (0xEF)\nt.cfg:1:1: error: no sections: a cfg begins with [net]\n"},
        {"[net]\xEF\xBB\xBFx\ninputs=2\n" LAYER, "t.cfg:1:6: error: text after ']'\n"},
        {"[\n" BEGIN LAYER, "t.cfg:1:1: error: missing ']'\n"},
        {BEGIN LAYER "\xED\xA0\x80=1\n", "t.cfg:5:1: error: byte that is not UTF-8 (0xED)\n"},
        {BEGIN LAYER "\xE0\x9F\xBF=1\n", "t.cfg:5:1: error: byte that is not UTF-8 (0xE0)\n"},
        {BEGIN LAYER "\xF0\x8F\xBF\xBF=1\n", "t.cfg:5:1: error: byte that is not UTF-8 (0xF0)\n"},
        {"[net]\xFF\ninputs=2\n" LAYER, "t.cfg:1:6: error: byte that is not UTF-8 (0xFF)\n"},
        {BEGIN LAYER "\xF4\x90\x80\x80=1\n", "t.cfg:5:1: error: byte that is not UTF-8 (0xF4)\n"},
        {BEGIN LAYER "a\x7F=1\n", "t.cfg:5:2: error: control character (0x7F)\n"},
        {BEGIN LAYER "truth=2\ntruth=1\n", "t.cfg:5:7: error: truth: expected 0 or 1, found '2'\n"
                                           "t.cfg:6:1: warning: duplicate key 'truth', Darknet takes the first, at line 5\n"},
        /* one mistake, one message: what depends on a wrong value is not reported on top */
        {"[net]\ninputs=x\n" LAYER, "t.cfg:2:8: error: inputs: expected an integer from 1 to 2147483647, found 'x'\n"},
        {"[net]\ninpust=2\n" LAYER, "t.cfg:2:1: error: unknown key 'inpust' in [net], did you mean 'inputs'?\n"},
        {"[net]\ninpust=2\ninputs=2\n" LAYER, "t.cfg:2:1: error: unknown key 'inpust' in [net], did you mean 'inputs'?\n"},
        {"[nett]\ninputs=2\n" LAYER, "t.cfg:1:1: error: unknown section 'nett', did you mean 'net'?\n"},
        {BEGIN "[conected]\noutput=1\n[route]\nlayers=-1\n",
         "t.cfg:3:1: error: unknown section 'conected', did you mean 'connected'?\n"},
        {BEGIN "[data]\nfunction = a # b\n" LAYER, "t.cfg:4:14: error: a comment must stand on its own line\n"},
        /* several mistakes, in the order of the file */
        {"[net]\nbatch=3\nsubdivisions=2\nmomentum=2\ninputs=2\nlearning_rat=1\n[conected]\n",
         "t.cfg:2:7: error: batch=3 is not divisible by subdivisions=2\n"
         "t.cfg:4:10: error: momentum: expected a number from 0 to 1, found '2'\n"
         "t.cfg:6:1: error: unknown key 'learning_rat' in [net], did you mean 'learning_rate'?\n"
         "t.cfg:7:1: error: unknown section 'conected', did you mean 'connected'?\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        transcript t;
        status code;
        config *c = parse_length(cases[i].text, strlen(cases[i].text), NULL, &t, &code);
        if (strcmp(t.text, cases[i].messages))
            fail_msg("case %zu:\n%sexpected\n%sfound\n%s", i, cases[i].text, cases[i].messages, t.text);
        assert_int_equal(code, strstr(t.text, " error: ") ? STATUS_BAD_CONFIG : STATUS_OK);
        if (c)
            assert_prints_the_same(c);
        config_free(c);
    }
}

static void test_nothing_after_the_text(void **state)
{
    static const char text[] = BEGIN LAYER;
    size_t length = strlen(text);
    char *exact = malloc(length); /* not terminated: the sanitizer sees a read behind it */
    memcpy(exact, text, length);
    for (size_t n = 0; n <= length; ++n) {
        transcript t;
        status code;
        char *begin = malloc(n ? n : 1);
        memcpy(begin, exact, n);
        config_free(parse_length(begin, n, NULL, &t, &code));
        free(begin);
    }
    free(exact);
}

/* A comment of `length` bytes behind a good cfg. */
static char *with_long_line(size_t length)
{
    static const char before[] = BEGIN LAYER;
    char *text = malloc(sizeof before + length);
    memcpy(text, before, sizeof before - 1);
    memset(text + sizeof before - 1, '#', length);
    text[sizeof before - 1 + length] = '\0';
    return text;
}

static void test_limits(void **state)
{
    transcript t;
    status code;
    char *text = with_long_line(65536);
    config_free(parse_good(text));
    free(text);

    text = with_long_line(65537);
    assert_null(parse_length(text, strlen(text), NULL, &t, &code));
    assert_string_equal(t.text, "t.cfg:5:1: error: line of 65537 bytes, longer than 65536\n");
    free(text);

    size_t limit = 16 * 1024 * 1024;
    text = malloc(limit + 1);
    memset(text, '\n', limit + 1);
    memcpy(text, BEGIN LAYER, strlen(BEGIN LAYER));
    config *c = parse_length(text, limit, NULL, &t, &code);
    assert_int_equal(code, STATUS_OK);
    config_free(c);
    assert_null(parse_length(text, limit + 1, NULL, &t, &code));
    assert_string_equal(t.text, "t.cfg:1:1: error: file of more than 16 MiB\n");
    free(text);
}

static void test_error_cap(void **state)
{
    transcript t;
    char *text = NULL, last[100];
    size_t length;
    FILE *out = open_memstream(&text, &length);
    fputs(BEGIN LAYER, out);
    for (int i = 0; i < 10000; ++i)
        fprintf(out, "nonsense_%d=1\n", i);
    fclose(out);
    status code;
    assert_null(parse_length(text, length, NULL, &t, &code));
    assert_int_equal(t.lines, 101);
    assert_string_equal(status_text(), "t.cfg: 10000 errors");
    assert_non_null(strstr(t.text, "t.cfg:104:1: error: unknown key 'nonsense_99' in [connected]\n"));
    snprintf(last, sizeof last, "\nt.cfg: error: %d more errors\n", 9900);
    assert_string_equal(t.text + t.length - strlen(last), last);
    free(text);
}

static void test_shown_text(void **state)
{
    static const char beginning[] = "\na\\x0A\\x1B[31m\\xC2\\x9B\\xFF.cfg:3:1: error: missing '=' after 'xxxxxxxxxxxxxxxxxxxx";
    transcript t = {.length = 0};
    config *c;
    char word[400] = BEGIN;
    memset(word + strlen(word), 'x', 300);
    config_parse("a\n\x1b[31m\xC2\x9B\xFF.cfg", word, strlen(word), NULL, 0, keep_line, &t, &c);
    assert_non_null(strstr(t.text, beginning));
    assert_non_null(strstr(t.text, "xxx...'\n"));
    assert_true(t.length < 250);
}

/* ---- overrides ---- */

#define OVERRIDDEN                                                                                                     \
    "[net]\ninputs=2\nbatch=4\nsubdivisions=2\n[data]\nfunction=beale\n[connected]\noutput=8\n[connected]\noutput=1\n"

static void test_overrides(void **state)
{
    static const struct {
        const char *flags[4];
        int section;
        const char *key, *value;
    } cases[] = {
        {{"net.batch=8"}, 0, "batch", "8"},
        {{"network.batch = 8"}, 0, "batch", "8"},
        {{"net.momentum=.5"}, 0, "momentum", ".5"},
        {{"net.batch=8", "net.batch=16"}, 0, "batch", "16"},
        {{"net.batch=9", "net.subdivisions=3"}, 0, "batch", "9"},
        {{"connected[0].output=3"}, 2, "output", "3"},
        {{"conn[0].output=3"}, 2, "output", "3"},
        {{"connected[1].output=3"}, 3, "output", "3"},
        {{"data.points=20"}, 1, "points", "20"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        transcript t;
        status code;
        config *c = parse_length(OVERRIDDEN, strlen(OVERRIDDEN), cases[i].flags, &t, &code);
        assert_string_equal(t.text, "");
        assert_string_equal(option_text(&c->sections[cases[i].section], cases[i].key), cases[i].value);
        assert_prints_the_same(c);
        config_free(c);
    }
}

static void test_wrong_overrides(void **state)
{
    static const struct {
        const char *flags[4], *messages;
    } cases[] = {
        {{"connnected.output=3"}, "-set connnected.output=3: error: unknown section 'connnected', did you mean 'connected'?\n"},
        {{"connected.output=3"},
         "-set connected.output=3: error: the cfg has 2 sections [connected]: write connected[0] to connected[1], or connected[*] for all\n"},
        {{"connected.outptu=3"},
         "-set connected.outptu=3: error: the cfg has 2 sections [connected]: write connected[0] to connected[1], or connected[*] for all\n"},
        {{"connected[2].output=3"},
         "-set connected[2].output=3: error: no section connected[2]: the cfg has 2, counted from 0\n"},
        {{"connected[-1].output=3"}, "-set connected[-1].output=3: error: expected connected[number], counted from 0, or connected[*]\n"},
        {{"connected[].output=3"}, "-set connected[].output=3: error: expected connected[number], counted from 0, or connected[*]\n"},
        {{"connected[1.output=3"}, "-set connected[1.output=3: error: expected connected[number], counted from 0, or connected[*]\n"},
        {{"connected[9999999999].output=3"},
         "-set connected[9999999999].output=3: error: no section connected[9999999999]: the cfg has 2, counted from 0\n"},
        {{"sobolev.order=1"}, "-set sobolev.order=1: error: the cfg has no section [sobolev]\n"},
        {{"net.bacth=3"}, "-set net.bacth=3: error: unknown key 'bacth' in [net], did you mean 'batch'?\n"},
        {{"net.batch=0"}, "-set net.batch=0: error: batch: expected an integer from 1 to 1000000, found '0'\n"},
        {{"net.batch=7"}, "-set net.batch=7: error: batch=7 is not divisible by subdivisions=2\n"},
        {{"net.seed=3", "net.subdivisions=3"}, "t.cfg:3:7: error: batch=4 is not divisible by subdivisions=3\n"},
        {{"net.seed=3", "net.policy=poly"}, "-set net.policy=poly: error: policy=poly needs max_batches > 0\n"},
        {{"connected[*].output=no"}, "-set connected[*].output=no: error: output: expected an integer from 1 to 16777216, found 'no'\n"
                                     "-set connected[*].output=no: error: output: expected an integer from 1 to 16777216, found 'no'\n"},
        {{"net.batch"}, "-set net.batch: error: missing '=' after 'net.batch'\n"},
        {{"net.batch="}, "-set net.batch=: error: 'batch' has no value\n"},
        {{"batch=8"}, "-set batch=8: error: expected section.key=value\n"},
        {{"net.=8"}, "-set net.=8: error: missing key before '='\n"},
        {{".batch=8"}, "-set .batch=8: error: unknown section ''\n"},
        {{""}, "-set : error: missing '=' after ''\n"},
        {{"net.batch=8\n"}, "-set net.batch=8\\x0A: error: control character (0x0A)\n"},
        {{"net.bacth=1", "data.x=1"}, "-set net.bacth=1: error: unknown key 'bacth' in [net], did you mean 'batch'?\n"
                                      "-set data.x=1: error: unknown key 'x' in [data]\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        transcript t;
        status code;
        assert_null(parse_length(OVERRIDDEN, strlen(OVERRIDDEN), cases[i].flags, &t, &code));
        if (strcmp(t.text, cases[i].messages))
            fail_msg("-set %s:\nexpected %sfound    %s", cases[i].flags[0], cases[i].messages, t.text);
    }
}

/* ---- printing ---- */

static char *read_and_print(const char *path, const override *changes, int n)
{
    size_t length;
    config *c;
    transcript t = {.length = 0};
    assert_int_equal(config_read(path, changes, n, keep_line, &t, &c), STATUS_OK);
    assert_string_equal(c->path, CFG_DIR "/tiny/critic.cfg");
    assert_string_equal(c->named_path, path);
    char *text = print_to_text(c, &length);
    assert_prints_the_same(c);
    config_free(c);
    return text;
}

/* A [variant] is its cfg with these keys set, then those of flags, and is called by its own name. */
static void test_variant(void **state)
{
    static const override changes[] = {{.text = "critic[*].mode=local"}, {.text = "net.max_batches=7"}};
    char *by_flags = read_and_print(CFG_DIR "/tiny/critic.cfg", changes, 2);
    char *by_variant = read_and_print(CFG_DIR "/tiny/critic_local.cfg", changes + 1, 1);
    assert_string_equal(by_flags, by_variant);
    assert_non_null(strstr(by_flags, "mode=local"));
    assert_null(strstr(by_flags, "mode=vfbn"));
    free(by_flags);
    free(by_variant);
}

static void test_print(void **state)
{
    static const char beginning[] = "[net]\ninputs=2\n# defaults\nbatch=1\nsubdivisions=1\n";
    static const char middle[] = "hue=0\nbatchnorm_gradient=exact\n\n[data]\npoints=5\nfunction=beale\n# defaults\nnormalise=none\ndifferential_pca=0\n\n"
                                 "[soft]\ntree=a#b=c\n"
                                 "# defaults\ngroups=1\ntemperature=1\nspatial=0\nnoloss=0\nlearning_rate=1\nstopbackward=0\n";
    static const char end[] = "truth=0\nsmooth=0\n";
    config *c = parse_good("[net]\ninputs = 2\n[data]\npoints=5\nfunction=beale\n# note\n[soft]\ntree = a#b=c\n");
    size_t length;
    char *text = print_to_text(c, &length);
    assert_memory_equal(text, beginning, strlen(beginning));
    assert_non_null(strstr(text, middle));
    assert_string_equal(text + length - strlen(end), end);
    assert_null(strstr(text, "seed"));
    assert_prints_the_same(c);
    free(text);
    config_free(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_broken_files),
        cmocka_unit_test(test_stock_files),
        cmocka_unit_test(test_unreadable_paths),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_nothing_after_the_text),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_error_cap),
        cmocka_unit_test(test_shown_text),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_variant),
        cmocka_unit_test(test_wrong_overrides),
        cmocka_unit_test(test_print),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
