#include "program/arguments.h"

#include <inttypes.h>
#include <limits.h>
#include <popt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/messages.h"
#include "core/environment.h"
#include "data/picture_view.h"

enum { FLAG_COUNT = 22, VALUE_SET = 1000, VALUE_IMAGE };

/* Where popt puts the values of the verb being parsed; copied out afterwards. */
static struct {
    const char *set, *seed, *threads, *backend, *out, *every, *batch, *seconds, *column, *reader, *image, *names, *output_index, *crops;
    int force, print_cfg, no_chart, surface, critics, derivatives, hessian, requests;
} raw;

typedef struct flag_row {
    unsigned bit;
    struct poptOption option;
} flag_row;

#define TEXT_FLAG(bit, name, target, value, meaning, argument)                                                         \
    {bit, {name, 0, POPT_ARG_STRING | POPT_ARGFLAG_ONEDASH, target, value, meaning, argument}}
#define SWITCH(bit, name, target, meaning) {bit, {name, 0, POPT_ARG_NONE | POPT_ARGFLAG_ONEDASH, target, 0, meaning, NULL}}

static const flag_row flag_table[FLAG_COUNT] = {
    TEXT_FLAG(FLAG_SET, "set", &raw.set, VALUE_SET, "override a key of the cfg; may be repeated", "section.key=value"),
    TEXT_FLAG(FLAG_SEED, "seed", &raw.seed, 0, "seed of all random numbers", "N"),
    TEXT_FLAG(FLAG_THREADS, "threads", &raw.threads, 0, "processor threads", "N"),
    TEXT_FLAG(FLAG_BACKEND, "backend", &raw.backend, 0, "who computes: onednn or ref", "NAME"),
    TEXT_FLAG(FLAG_OUT, "out", &raw.out, 0, "folder of the run, or the file to write", "PATH"),
    SWITCH(FLAG_FORCE, "force", &raw.force, "replace the run that the folder holds, or the file"),
    SWITCH(FLAG_PRINT_CFG, "print-cfg", &raw.print_cfg, "print the effective cfg and stop"),
    TEXT_FLAG(FLAG_EVERY, "every", &raw.every, 0, "updates between evaluations (a hundredth of the run)", "N"),
    SWITCH(FLAG_NO_CHART, "no-chart", &raw.no_chart, "do not draw chart.png"),
    TEXT_FLAG(FLAG_BATCH, "batch", &raw.batch, 0, "samples per check (3)", "N"),
    TEXT_FLAG(FLAG_SECONDS, "seconds", &raw.seconds, 0, "how long to measure (3)", "S"),
    SWITCH(FLAG_REQUESTS, "requests", &raw.requests, "time what standard input asks for"),
    SWITCH(FLAG_CRITICS, "critics", &raw.critics, "how well the [critic] blocks of one run predict, instead of its losses"),
    SWITCH(FLAG_SURFACE, "surface", &raw.surface, "the functions and their gradients instead of training curves (two inputs)"),
    TEXT_FLAG(FLAG_COLUMN, "column", &raw.column, 0, "the column of metrics.csv to compare (test_value_mse)", "NAME"),
    SWITCH(FLAG_DERIVATIVES, "derivatives", &raw.derivatives, "also the Jacobian (dydx), and its and the Hessians' products with v"),
    SWITCH(FLAG_HESSIAN, "hessian", &raw.hessian, "also the full Hessians (d2ydx2)"),
    TEXT_FLAG(FLAG_READER, "reader", &raw.reader, 0, "who must be able to read it: darknet or opencv (both, if possible)", "NAME"),
    TEXT_FLAG(FLAG_IMAGE, "image", &raw.image, VALUE_IMAGE, "a picture, or a folder of them; may be repeated", "PATH"),
    TEXT_FLAG(FLAG_IMAGE, "names", &raw.names, 0, "the names of the outputs, one a line", "FILE"),
    TEXT_FLAG(FLAG_CROPS, "crops", &raw.crops, 0, "crops of each picture, 1 or 10: middle, corners and their mirror images (1)", "N"),
    TEXT_FLAG(FLAG_OUTPUT_INDEX, "output-index", &raw.output_index, 0, "this output alone, from 1, as y (of pictures: whose derivatives are taken, in place of the largest)", "K"),
};

static void popt_table(const verb *v, struct poptOption *table)
{
    int n = 0;
    for (int i = 0; i < FLAG_COUNT; ++i)
        if (v->flags & flag_table[i].bit)
            table[n++] = flag_table[i].option;
    table[n] = (struct poptOption)POPT_TABLEEND;
}

static shown_text usage_of(const verb *v)
{
    shown_text usage;
    snprintf(usage.text, sizeof usage.text, "usage: darknet sobolev %s%s%s", v->name, *v->synopsis ? " " : "", v->synopsis);
    return usage;
}

static void print_bad_flag(const verb *v, const char *word)
{
    const char *names[FLAG_COUNT];
    int n = 0;
    for (int i = 0; i < FLAG_COUNT; ++i)
        if (v->flags & flag_table[i].bit)
            names[n++] = flag_table[i].option.longName;
    char name[64];
    word += strspn(word, "-");
    snprintf(name, sizeof name, "%.*s", (int)strcspn(word, "="), word);
    const char *nearest = nearest_name(name, names, n);
    fprintf(stderr, "darknet sobolev %s: error: unknown flag '-%s'", v->name, name);
    if (nearest)
        fprintf(stderr, ", did you mean '-%s'?\n", nearest);
    else
        fprintf(stderr, ": %s (darknet sobolev help %s)\n", usage_of(v).text, v->name);
}

static bool take_override(arguments *a, const verb *v)
{
    if (a->n_overrides == MAX_OVERRIDES) {
        fprintf(stderr, "darknet sobolev %s: error: more than %d -set\n", v->name, MAX_OVERRIDES);
        return false;
    }
    a->overrides[a->n_overrides++].text = raw.set;
    return true;
}

static bool take_image(arguments *a, const verb *v)
{
    if (a->n_images == MAX_IMAGES) {
        fprintf(stderr, "darknet sobolev %s: error: more than %d -image: name their folder\n", v->name, MAX_IMAGES);
        return false;
    }
    a->images[a->n_images++] = raw.image;
    return true;
}

static bool read_flags(poptContext context, arguments *a, const verb *v)
{
    int code;
    while ((code = poptGetNextOpt(context)) > 0)
        if ((code == VALUE_SET && !take_override(a, v)) || (code == VALUE_IMAGE && !take_image(a, v)))
            return false;
    if (code == POPT_ERROR_BADOPT)
        print_bad_flag(v, poptBadOption(context, POPT_BADOPTION_NOALIAS));
    else if (code < -1)
        fprintf(stderr, "darknet sobolev %s: error: %s: %s\n", v->name, poptBadOption(context, POPT_BADOPTION_NOALIAS), poptStrerror(code));
    return code >= -1;
}

static bool whole_number(const verb *v, const char *name, const char *text, long low, long high, long *value)
{
    if (!text || (parse_integer(text, value) && *value >= low && *value <= high))
        return true;
    fprintf(stderr, "darknet sobolev %s: error: -%s: '%s' is not a whole number from %ld to %ld\n", v->name, name, text, low, high);
    return false;
}

static bool take_values(arguments *a, const verb *v)
{
    long seed = 0, threads = 0, batch = 3, output_index = 0, crops = 1;
    a->seconds = 3;
    bool good = whole_number(v, "seed", raw.seed, 0, RANDOM_LARGEST_SEED, &seed) && whole_number(v, "threads", raw.threads, 1, 1024, &threads) &&
                whole_number(v, "every", raw.every, 1, LONG_MAX, &a->every) && whole_number(v, "batch", raw.batch, 1, 4096, &batch) &&
                whole_number(v, "output-index", raw.output_index, 1, INT_MAX, &output_index) && whole_number(v, "crops", raw.crops, 1, PICTURE_CROPS, &crops);
    if (good && crops > 1 && crops < PICTURE_CROPS) {
        fprintf(stderr, "darknet sobolev %s: error: -crops: '%s' is neither 1 nor %d\n", v->name, raw.crops, PICTURE_CROPS);
        good = false;
    }
    if (good && raw.seconds && (!parse_real(raw.seconds, &a->seconds) || a->seconds <= 0 || a->seconds > 1e6)) {
        fprintf(stderr, "darknet sobolev %s: error: -seconds: '%s' is not a number of seconds\n", v->name, raw.seconds);
        good = false;
    }
    a->has_seed = raw.seed != NULL;
    a->seed = seed;
    a->threads = (int)threads;
    a->batch = (int)batch;
    a->backend = raw.backend;
    a->out = raw.out;
    a->column = raw.column;
    a->reader = raw.reader;
    a->names = raw.names;
    a->output_index = (int)output_index;
    a->crops = (int)crops;
    a->force = raw.force;
    a->print_cfg = raw.print_cfg;
    a->no_chart = raw.no_chart;
    a->surface = raw.surface;
    a->critics = raw.critics;
    a->derivatives = raw.derivatives;
    a->hessian = raw.hessian;
    a->requests = raw.requests;
    return good;
}

static bool take_positional(poptContext context, arguments *a, const verb *v)
{
    const char *word;
    while ((word = poptGetArg(context))) {
        if (a->n_positional < MAX_POSITIONAL)
            a->positional[a->n_positional] = strdup(word);
        ++a->n_positional;
    }
    int least = a->print_cfg && v->least > 1 ? 1 : v->least; /* the cfg alone */
    if (a->n_positional >= least && a->n_positional <= v->most)
        return true;
    fprintf(stderr, "darknet sobolev %s: error: %s: %s\n", v->name, a->n_positional < least ? "words are missing" : "too many words", usage_of(v).text);
    return false;
}

/* popt replaces this text in the value of a flag by the next word, and hangs when there is none. */
static bool words_are_safe(const verb *v, int argc, char **argv)
{
    for (int i = 0; i < argc; ++i)
        if (strstr(argv[i], "!#:+")) {
            fprintf(stderr, "darknet sobolev %s: error: '%s': a word must not contain '!#:+'\n", v->name, argv[i]);
            return false;
        }
    return true;
}

bool arguments_parse(arguments *a, const verb *v, int argc, char **argv)
{
    struct poptOption table[FLAG_COUNT + 1];
    if (!words_are_safe(v, argc, argv))
        return false;
    popt_table(v, table);
    *a = (arguments){0};
    memset(&raw, 0, sizeof raw);
    poptContext context = poptGetContext(NULL, argc, (const char **)argv, table, POPT_CONTEXT_KEEP_FIRST);
    bool good = read_flags(context, a, v) && take_values(a, v) && take_positional(context, a, v);
    poptFreeContext(context);
    return good;
}

void verb_print_help(const verb *v, FILE *out)
{
    fprintf(out, "darknet sobolev %s %s\n    %s\n\n%s\n", v->name, v->synopsis, v->meaning, v->details);
    for (int i = 0; i < FLAG_COUNT; ++i)
        if (v->flags & flag_table[i].bit) {
            const struct poptOption *o = &flag_table[i].option;
            char head[64];
            snprintf(head, sizeof head, "-%s %s", o->longName, o->argDescrip ? o->argDescrip : "");
            fprintf(out, "    %-24s %s\n", head, o->descrip);
        }
}

const verb *verb_find(const char *name)
{
    const char *names[32];
    int n = 0;
    for (const verb *const *v = verb_list; *v; ++v) {
        if (strcmp((*v)->name, name) == 0)
            return *v;
        names[n++] = (*v)->name;
    }
    const char *nearest = nearest_name(name, names, n);
    fprintf(stderr, "darknet sobolev: error: unknown verb '%s'%s%s%s\n", name, nearest ? ", did you mean '" : " (darknet sobolev help)", nearest ? nearest : "",
            nearest ? "'?" : "");
    return NULL;
}

/* ---------------------------------------------------------------- loading */

void print_message(void *context, const char *line)
{
    (void)context;
    fprintf(stderr, "%s\n", line);
}

/* Settings as -set keys, so that a printed cfg and run.cfg hold them too. */
static int setting_overrides(const plugin_settings *s, char texts[][128], override *out)
{
    int n = 0;
    if (s->has_seed)
        snprintf(texts[n++], sizeof *texts, "net.seed=%" PRIu64, s->seed);
    if (s->threads)
        snprintf(texts[n++], sizeof *texts, "net.threads=%d", s->threads);
    if (s->backend)
        snprintf(texts[n++], sizeof *texts, "net.backend=%s", s->backend);
    for (int i = 0; i < n; ++i)
        out[i].text = texts[i];
    return n;
}

/* The environment first, then -set, then the flags: the last one wins. What is left in `settings` wins over all. */
static void add_own_overrides(plugin_settings *settings, const plugin_settings *environment, const plugin_settings *flags)
{
    enum { OWN = 3 };
    static override all[MAX_OVERRIDES + 2 * OWN];
    static char environment_texts[OWN][128], flag_texts[OWN][128];
    int n = setting_overrides(environment, environment_texts, all);
    memcpy(all + n, settings->overrides, (size_t)settings->n_overrides * sizeof *all);
    n += settings->n_overrides;
    n += setting_overrides(flags, flag_texts, all + n);
    settings->overrides = all;
    settings->n_overrides = n;
}

static bool backend_is_known(const plugin_settings *settings, const char *source)
{
    if (!settings->backend || backend_open(settings->backend))
        return true;
    fprintf(stderr, "%s: error: %s\n", source, status_text());
    return false;
}

bool settings_from_arguments(plugin_settings *settings, const arguments *a)
{
    plugin_settings environment = {0}, flags = {.backend = a->backend, .threads = a->threads, .has_seed = a->has_seed, .seed = (uint64_t)a->seed};
    *settings = (plugin_settings){.sink = print_message, .quiet = true, .initialise = true, .overrides = a->overrides, .n_overrides = a->n_overrides};
    if (plugin_settings_from_environment(&environment) != STATUS_OK) {
        fprintf(stderr, "%s\n", status_text());
        return false;
    }
    if (!backend_is_known(&environment, ENVIRONMENT_BACKEND) || !backend_is_known(&flags, "-backend"))
        return false;
    add_own_overrides(settings, &environment, &flags);
    return true;
}

static status print_config(const char *path, const plugin_settings *settings)
{
    config *c;
    status s = config_read(path, settings->overrides, settings->n_overrides, settings->sink, settings->context, &c);
    if (s != STATUS_OK)
        return s;
    config_print(c, stdout);
    config_free(c);
    return STATUS_OK;
}

int load_cfg(const arguments *a, load_purpose purpose, plugin_network **p)
{
    plugin_settings settings;
    *p = NULL;
    if (!settings_from_arguments(&settings, a))
        return EXIT_USAGE;
    settings.trains = purpose == LOAD_TO_TRAIN;
    settings.may_train = purpose == LOAD_TO_TEST;
    status s = a->print_cfg ? print_config(a->positional[0], &settings) : plugin_load(a->positional[0], &settings, p);
    return s == STATUS_OK ? EXIT_OK : report_failure(s);
}

int report_failure(status s)
{
    if (s == STATUS_INTERRUPTED)
        return EXIT_SIGNAL;
    fprintf(stderr, "%s\n", status_text());
    return s == STATUS_BAD_CONFIG ? EXIT_USAGE : EXIT_FAILED;
}
