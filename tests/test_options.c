/* Options: getters and their defaults, numbers in every locale, nearest names, and the tables of all sections. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/reader.h"
#include "config/values.h"

/* Keeps the last line. */
static void keep_line(void *context, const char *line)
{
    snprintf(context, 256, "%s", line);
}

static config *parse_good(const char *text)
{
    char last[256] = "";
    config *c;
    assert_int_equal(config_parse("t.cfg", text, strlen(text), NULL, 0, keep_line, last, &c), STATUS_OK);
    assert_string_equal(last, "");
    return c;
}

static void test_getters(void **state)
{
    config *c = parse_good("[network]\ninputs=2\nbatch=6\nlearning_rate=2.5e-1\nadam=1\npolicy=steps\nsteps=1,20,300\n"
                           "scales=.5,2,1e-3\n"
                           "[data]\nfunction=beale,booth\n[conv]\nstopbackward=1\nlearning_rate=3\n[conv]\nfilters=2\n");
    const section *net = config_section(c, "net"), *conv = config_section(c, "convolutional"), *data = config_section(c, "data");
    assert_ptr_equal(net, config_section(c, "network"));
    assert_ptr_equal(conv, &c->sections[2]);
    assert_string_equal(conv->name, "conv");
    assert_ptr_equal(conv, config_section(c, "conv"));
    assert_null(config_section(c, "sobolev"));
    assert_string_equal(c->path, "t.cfg");

    assert_int_equal(option_integer(net, "batch"), 6);
    assert_true(option_real(net, "learning_rate") == .25);
    assert_true(option_boolean(net, "adam"));
    assert_int_equal(option_choice(net, "policy"), 4);
    assert_string_equal(option_text(data, "function"), "beale,booth");
    assert_true(option_boolean(conv, "stopbackward"));
    assert_true(option_real(conv, "learning_rate") == 3);

    /* defaults */
    assert_false(option_given(net, "momentum"));
    assert_true(option_real(net, "momentum") == .9);
    assert_int_equal(option_integer(data, "points"), 0);
    assert_int_equal(option_choice(data, "normalise"), 0);
    assert_false(option_boolean(&c->sections[3], "stopbackward"));
    assert_true(option_real(&c->sections[3], "learning_rate") == 1);
    assert_int_equal(option_integer(net, "seed"), 0);
    assert_string_equal(option_text(net, "backend"), "");
    assert_int_equal(option_reals(data, "domain", NULL, 0), 0);

    long steps[4] = {-7, -7, -7, -7};
    assert_int_equal(option_integers(net, "steps", steps, 2), 3);
    assert_true(steps[0] == 1 && steps[1] == 20 && steps[2] == -7);
    assert_int_equal(option_integers(net, "steps", steps, 4), 3);
    assert_true(steps[2] == 300 && steps[3] == -7);
    double scales[4] = {-7, -7, -7, -7};
    assert_int_equal(option_reals(net, "scales", scales, 4), 3);
    assert_true(scales[0] == .5 && scales[1] == 2 && scales[2] == 1e-3 && scales[3] == -7);

    assert_int_equal(option_line(net, "batch"), 3);
    assert_int_equal(option_line(conv, "learning_rate"), 13);
    assert_int_equal(option_line(data, "points"), 9);
    config_free(c);
    config_free(NULL);
}

static void check_numbers(void)
{
    static const struct {
        const char *text;
        bool good;
        double value;
    } reals[] = {
        {"0", true, 0},       {"-0", true, 0},      {"1.5", true, 1.5},     {".5", true, .5},    {"5.", true, 5},
        {"+2", true, 2},      {"1e-3", true, .001}, {"1E3", true, 1000},    {"-.25", true, -.25}, {"1e308", true, 1e308},
        {"4.9e-324", true, 4.9e-324}, {"", false, 0}, {".", false, 0}, {"e5", false, 0}, {"1e", false, 0},
        {"1,5", false, 0},    {"1.5.", false, 0},   {"1.5x", false, 0},     {" 1", false, 0},    {"1 ", false, 0},
        {"nan", false, 0},    {"inf", false, 0},    {"-infinity", false, 0}, {"0x10", false, 0}, {"1e309", false, 0},
        {"1e-400", false, 0}, {"--1", false, 0},    {"1.000.000", false, 0}, {"1'000", false, 0},
    };
    for (size_t i = 0; i < sizeof reals / sizeof *reals; ++i) {
        double value = 77;
        bool good = parse_real(reals[i].text, &value);
        if (good != reals[i].good || !(value == (good ? reals[i].value : 77)))
            fail_msg("parse_real('%s') = %d, %g", reals[i].text, good, value);
    }
    static const struct {
        const char *text;
        bool good;
        long value;
    } integers[] = {
        {"0", true, 0},        {"-12", true, -12},    {"+3", true, 3},
        {"007", true, 7},      {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},            {"-9223372036854775808", true, INT64_MIN},
        {"-9223372036854775809", false, 0},           {"", false, 0},
        {"-", false, 0},       {"1.0", false, 0},     {"1e3", false, 0},
        {"0x10", false, 0},    {" 1", false, 0},      {"1 ", false, 0},
        {"1,000", false, 0},   {"1-", false, 0},      {"1.000", false, 0},
    };
    for (size_t i = 0; i < sizeof integers / sizeof *integers; ++i) {
        long value = 77;
        bool good = parse_integer(integers[i].text, &value);
        if (good != integers[i].good || value != (good ? integers[i].value : 77))
            fail_msg("parse_integer('%s') = %d, %ld", integers[i].text, good, value);
    }
}

static void test_numbers(void **state)
{
    check_numbers();
}

static bool set_german_locale(void)
{
    return setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
}

/* Sets a German locale, installed or made for the test; false when there is none. */
static bool make_german_locale(void)
{
    char folder[] = "/tmp/dnx_locale_XXXXXX", command[200];
    if (set_german_locale() || !mkdtemp(folder))
        return set_german_locale();
    snprintf(command, sizeof command, "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >%s/log 2>&1", folder, folder);
    int code = system(command);
    setenv("LOCPATH", folder, 1);
    bool made = code == 0 && set_german_locale();
    unsetenv("LOCPATH");
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
    return made;
}

static void check_message_of_reals(void)
{
    static const char text[] = "[net]\ninputs=2\nB1=0,5\n[l2norm]\n";
    char last[256] = "";
    config *c;
    assert_int_equal(config_parse("t.cfg", text, strlen(text), NULL, 0, keep_line, last, &c), STATUS_BAD_CONFIG);
    assert_string_equal(last, "t.cfg:3:4: error: B1: expected a number from 0 to 0.9999999, found '0,5'");
}

static void check_in_german(void)
{
    char comma[8];
    snprintf(comma, sizeof comma, "%.1f", .5);
    assert_string_equal(comma, "0,5");
    check_numbers();
    check_message_of_reals();
}

/* As the process's locale, and as this thread's alone. */
static void test_german_numbers(void **state)
{
    if (!make_german_locale()) {
        print_message("SKIPPED: no locale de_DE.UTF-8, and localedef cannot make it\n");
        skip();
    }
    check_in_german();
    locale_t german = duplocale(LC_GLOBAL_LOCALE);
    setlocale(LC_ALL, "C");
    locale_t before = uselocale(german);
    check_in_german();
    uselocale(before);
    freelocale(german);
}

static void test_nearest_name(void **state)
{
    static const char *const names[] = {"batch", "learning_rate", "momentum", "decay", "B1", "output"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"batch", "batch"},         {"bacth", "batch"},    {"abtch", "batch"},  {"BATCH", "batch"},      {"bath", "batch"},
        {"batchs", "batch"},        {"learningrate", "learning_rate"},          {"learning-rate", "learning_rate"},
        {"learn_rate", "learning_rate"}, {"mometnum", "momentum"}, {"ouptut", "output"}, {"out", NULL},   {"b1", "B1"},
        {"1B", "B1"},
        {"B2", "B1"},               {"x", NULL},           {"", NULL},          {"b", NULL},             {"xyzzy", NULL},
        {"cabth", NULL},            {"temperature", NULL},
        {"0123456789012345678901234567890123456789012345678901234567890123456789", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; ++i) {
        const char *found = nearest_name(cases[i].word, names, 6);
        if (found != cases[i].nearest && (!found || !cases[i].nearest || strcmp(found, cases[i].nearest)))
            fail_msg("nearest_name('%s') = %s", cases[i].word, found ? found : "NULL");
    }
    assert_null(nearest_name("batch", names, 0));
}

static void ignore_line(void *context, const char *line)
{
}

static void assert_good_table(const section_spec *s, const option_spec *table)
{
    for (; table->key; ++table) {
        const option_spec *o = table;
        messages m = {.path = s->name};
        bool good = section_option(s, o->key) && strlen(o->meaning) > 0;
        good = good && (o->type == OPTION_CHOICE) == (o->choices != NULL);
        good = good && (!o->fallback || !*o->fallback || value_check(&m, (place){1, 1}, o, o->fallback));
        for (const option_spec *other = table + 1; other->key; ++other)
            good = good && strcmp(other->key, o->key);
        messages_deliver(&m, ignore_line, NULL);
        if (!good)
            fail_msg("[%s] %s: bad description", s->name, o->key);
    }
}

static void test_descriptions(void **state)
{
    static const char *const expected[] = {"net",         "network", "data",     "sobolev",   "connected", "conn",   "activation",
                                           "dropout",     "cost",    "conv",     "deconv",    "local",     "l2norm", "logistic",
                                           "rnn",         "gru",     "lstm",     "crnn",      "crop",      "region", "yolo",
                                           "iseg",        "soft",    "lrn",      "batchnorm", "max",       "reorg",  "avg",
                                           "route",       "detection", "upsample", "shortcut"};
    int n = 0;
    for (const section_spec *const *spec = config_sections(); *spec; ++spec, ++n) {
        assert_good_table(*spec, (*spec)->options);
        if ((*spec)->role == SECTION_LAYER)
            assert_good_table(*spec, common_layer_options);
    }
    assert_true(n >= 30);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; ++i) {
        int found = 0;
        for (const section_spec *const *spec = config_sections(); *spec; ++spec)
            found += !strcmp((*spec)->name, expected[i]) || ((*spec)->alias && !strcmp((*spec)->alias, expected[i]));
        if (found != 1)
            fail_msg("[%s] is described %d times", expected[i], found);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_getters),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_german_numbers),
        cmocka_unit_test(test_nearest_name),
        cmocka_unit_test(test_descriptions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
