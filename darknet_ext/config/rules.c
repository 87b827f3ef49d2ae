#include "config/rules.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "config/sections.h"
#include "layers/critic.h"

/* One section, and its number among the layers; -1: it is none, or the number is unknown because sections are missing. */
typedef struct checked {
    const section *s;
    int layer;
    messages *m;
} checked;

static bool all_usable(const section *s, const char *const *keys)
{
    for (; *keys; ++keys)
        if (!section_usable(s, *keys))
            return false;
    return true;
}

#define USABLE(s, ...) all_usable(s, (const char *const[]){__VA_ARGS__, NULL})

static void check_batch(checked k)
{
    if (!USABLE(k.s, "batch", "subdivisions"))
        return;
    long batch = option_integer(k.s, "batch"), subdivisions = option_integer(k.s, "subdivisions");
    if (batch % subdivisions)
        message_error(k.m, section_place(k.s, option_given(k.s, "batch") ? "batch" : "subdivisions"),
                      "batch=%ld is not divisible by subdivisions=%ld", batch, subdivisions);
}

static void check_input_count(checked k)
{
    long count = option_integer(k.s, "height") * option_integer(k.s, "width") * option_integer(k.s, "channels");
    if (count > INT_MAX)
        message_error(k.m, section_place(k.s, "height"), "height * width * channels = %ld is more than %d", count, INT_MAX);
    else if (option_given(k.s, "inputs") && option_integer(k.s, "inputs") != count)
        message_error(k.m, section_place(k.s, "inputs"), "inputs=%ld, but height * width * channels = %ld",
                      option_integer(k.s, "inputs"), count);
}

static void check_input(checked k)
{
    static const char *const sides[] = {"height", "width", "channels"};
    if (!USABLE(k.s, "inputs", "height", "width", "channels"))
        return;
    int n_given = 0;
    const char *given = NULL, *absent = NULL;
    for (int i = 0; i < 3; ++i) {
        if (option_given(k.s, sides[i])) {
            given = given ? given : sides[i];
            ++n_given;
        } else {
            absent = sides[i];
        }
    }
    if (n_given == 3)
        check_input_count(k);
    else if (n_given)
        message_error(k.m, section_place(k.s, given), "height, width and channels go together: '%s' is missing", absent);
    else if (!option_given(k.s, "inputs"))
        message_error(k.m, section_place(k.s, "inputs"), "[net] needs inputs, or height, width and channels");
}

/* The numbers of a list of integers; the caller frees them. NULL without memory. */
static long *take_integers(checked k, const char *key, int *n)
{
    *n = option_integers(k.s, key, NULL, 0);
    long *values = calloc((size_t)*n + 1, sizeof *values);
    if (values)
        option_integers(k.s, key, values, *n);
    else
        k.m->no_memory = true;
    return values;
}

static void check_ascending(checked k, const char *key)
{
    int n;
    long *values = take_integers(k, key, &n);
    for (int i = 1; values && i < n; ++i) {
        if (values[i] <= values[i - 1]) {
            message_error(k.m, section_place(k.s, key), "%s must ascend: %ld follows %ld", key, values[i], values[i - 1]);
            break;
        }
    }
    free(values);
}

static void check_steps(checked k)
{
    if (!USABLE(k.s, "steps", "scales"))
        return;
    if (!option_given(k.s, "steps") || !option_given(k.s, "scales")) {
        message_error(k.m, section_place(k.s, "policy"), "policy=steps needs the key '%s'",
                      option_given(k.s, "steps") ? "scales" : "steps");
        return;
    }
    int n_steps = option_integers(k.s, "steps", NULL, 0), n_scales = option_reals(k.s, "scales", NULL, 0);
    if (n_steps != n_scales)
        message_error(k.m, section_place(k.s, "scales"), "%d steps, but %d scales", n_steps, n_scales);
    check_ascending(k, "steps");
}

static void check_policy(checked k)
{
    if (!USABLE(k.s, "policy"))
        return;
    const char *policy = option_text(k.s, "policy");
    if (!strcmp(policy, "steps"))
        check_steps(k);
    else if (!strcmp(policy, "poly") && USABLE(k.s, "max_batches") && option_integer(k.s, "max_batches") == 0)
        message_error(k.m, section_place(k.s, option_given(k.s, "max_batches") ? "max_batches" : "policy"),
                      "policy=poly needs max_batches > 0");
    else if (!strcmp(policy, "sigmoid") && USABLE(k.s, "step") && option_integer(k.s, "step") > 1)
        message_warning(k.m, section_place(k.s, "step"), "policy=sigmoid: Darknet's learning rate is 0 before update %ld, step", option_integer(k.s, "step"));
}

static void check_not_above(checked k, const char *low, const char *high)
{
    if (!option_given(k.s, low) || !option_given(k.s, high) || !USABLE(k.s, low, high))
        return;
    if (option_real(k.s, low) > option_real(k.s, high))
        message_error(k.m, section_place(k.s, low), "%s=%s is above %s=%s", low, shown(option_text(k.s, low)).text, high,
                      shown(option_text(k.s, high)).text);
}

/* Said, not refused, so that -set net.decoupled=0 turns the threads off. */
static void check_decoupled(checked k)
{
    static const char *const keys[] = {"queue", "queue_full", "lockstep"};
    if (!USABLE(k.s, "decoupled") || option_boolean(k.s, "decoupled"))
        return;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; ++i)
        if (option_given(k.s, keys[i]) && USABLE(k.s, keys[i]))
            message_warning(k.m, section_place(k.s, keys[i]), "'%s' means nothing without decoupled=1", keys[i]);
}

static void check_net(checked k)
{
    check_batch(k);
    check_input(k);
    check_policy(k);
    check_decoupled(k);
    check_not_above(k, "min_crop", "max_crop");
    check_not_above(k, "min_ratio", "max_ratio");
}

static void check_domain(checked k)
{
    if (!option_given(k.s, "domain") || !USABLE(k.s, "domain"))
        return;
    int n = option_reals(k.s, "domain", NULL, 0);
    double *limits = calloc((size_t)n + 1, sizeof *limits);
    k.m->no_memory |= !limits;
    if (limits)
        option_reals(k.s, "domain", limits, n);
    if (n % 2)
        message_error(k.m, section_place(k.s, "domain"), "domain: expected pairs of low,high, found %d number%s", n, n == 1 ? "" : "s");
    for (int i = 0; limits && i + 1 < n; i += 2)
        if (limits[i] >= limits[i + 1]) {
            message_error(k.m, section_place(k.s, "domain"), "domain: %s is not below %s", shown_number(limits[i]).text,
                          shown_number(limits[i + 1]).text);
            break;
        }
    free(limits);
}

/* Keys that something else of the section leaves without a meaning. */
static void check_meaningless(checked k, const char *const *keys, const char *beside)
{
    for (; *keys; ++keys)
        if (option_given(k.s, *keys) && USABLE(k.s, *keys))
            message_error(k.m, section_place(k.s, *keys), "'%s' means nothing beside '%s'", *keys, beside);
}

#define AUGMENT_KEYS "augment", "flip", "padding"
#define PICTURE_KEYS AUGMENT_KEYS, "min_area", "max_area", "aspect", "brightness", "contrast", "saturation", "hue", "view", "centre"

/* Where samples come from, and the keys that mean something there. */
static const struct {
    const char *key, *keys[32];
} sample_sources[] = {
    {"function", {"dimension", "domain", "difference_step"}},
    {"file", {"test_file", "test_fraction", "missing", "history", "scale", "labels", "split", "fraction", "loaders", "cache_mb", "top",
              AUGMENT_KEYS}},
    {"list", {"test_fraction", "missing", "split", "fraction", "loaders", "cache_mb", "top", PICTURE_KEYS}},
    {"train", {"valid", "names", "test_fraction", "missing", "split", "fraction", "loaders", "cache_mb", "top", PICTURE_KEYS}},
};
enum { SAMPLE_SOURCES = sizeof sample_sources / sizeof *sample_sources };

static bool is_key_of(int source, const char *key)
{
    for (int i = 0; sample_sources[source].keys[i]; ++i)
        if (!strcmp(sample_sources[source].keys[i], key))
            return true;
    return false;
}

static void check_source_keys(checked k, int source)
{
    for (int other = 0; other < SAMPLE_SOURCES; ++other)
        for (int i = 0; sample_sources[other].keys[i]; ++i) {
            const char *key = sample_sources[other].keys[i];
            bool said = false;
            for (int before = 0; before < other; ++before)
                said |= is_key_of(before, key);
            if (option_given(k.s, key) && USABLE(k.s, key) && !said && !is_key_of(source, key))
                message_error(k.m, section_place(k.s, key), "'%s' means nothing beside '%s'", key, sample_sources[source].key);
        }
}

/* Keys that say how tests are set aside, where they are named themselves. */
static void check_test_keys(checked k, const char *tests)
{
    static const char *const keys[] = {"test_fraction", "split"};
    for (int i = 0; i < 2; ++i)
        if (option_given(k.s, tests) && option_given(k.s, keys[i]) && USABLE(k.s, tests, keys[i]))
            message_error(k.m, section_place(k.s, keys[i]), "'%s' means nothing beside '%s'", keys[i], tests);
}

/* Keys of `augment=` and `view=` beside another value of them. */
static void check_augment(checked k)
{
    static const struct {
        const char *key, *of, *values[3];
    } table[] = {
        {"flip", "augment", {"pad_crop", "inception"}}, {"padding", "augment", {"pad_crop"}},    {"min_area", "augment", {"inception"}},
        {"max_area", "augment", {"inception"}},         {"aspect", "augment", {"inception"}},     {"brightness", "augment", {"inception"}},
        {"contrast", "augment", {"inception"}},         {"saturation", "augment", {"inception"}}, {"hue", "augment", {"inception"}},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; ++i) {
        bool fits = false;
        for (int j = 0; table[i].values[j]; ++j)
            fits |= !strcmp(option_text(k.s, table[i].of), table[i].values[j]);
        if (!fits && option_given(k.s, table[i].key) && USABLE(k.s, table[i].key, table[i].of))
            message_error(k.m, section_place(k.s, table[i].key), "'%s' means nothing without %s=%s%s%s", table[i].key, table[i].of, table[i].values[0],
                          table[i].values[1] ? " or " : "", table[i].values[1] ? table[i].values[1] : "");
    }
    check_not_above(k, "min_area", "max_area");
    if (option_given(k.s, "file") && USABLE(k.s, "augment") && !strcmp(option_text(k.s, "augment"), "inception"))
        message_error(k.m, section_place(k.s, "augment"), "augment=inception takes parts of pictures: beside 'file' there is pad_crop");
    if (option_given(k.s, "centre") && !strcmp(option_text(k.s, "view"), "letterbox") && USABLE(k.s, "centre", "view"))
        message_error(k.m, section_place(k.s, "centre"), "'centre' means nothing beside view=letterbox");
}

/* With a teacher samples may be the points of a domain alone. */
static void check_data(checked k)
{
    static const char *const of_labels[] = {"dimension", "difference_step", "test_file", "test_fraction", "missing", "history", "scale", "labels",
                                            "split", "fraction", "loaders", "cache_mb", "top", PICTURE_KEYS, NULL};
    int source = -1, n = 0;
    check_domain(k);
    if (!USABLE(k.s, "file", "function", "list", "train"))
        return; /* said already: a misspelt key may have meant any of them */
    for (int i = 0; i < SAMPLE_SOURCES; ++i)
        if (option_given(k.s, sample_sources[i].key)) {
            source = i;
            ++n;
        }
    if (n == 0 && option_given(k.s, "domain")) { /* points without labels, for a teacher */
        check_meaningless(k, of_labels, "domain");
        return;
    }
    if (n != 1) {
        message_error(k.m, section_place(k.s, n ? sample_sources[source].key : "file"),
                      "[data] needs %s of the keys 'function', 'file', 'list' and 'train'", n ? "only one" : "one");
        return;
    }
    check_source_keys(k, source);
    check_test_keys(k, "test_file");
    check_test_keys(k, "valid");
    check_augment(k);
}

/* Keys of a [teacher] of one kind, which mean nothing beside the other's. */
static const char *const of_networks[] = {"weights", "wrt", "hint", "hint_weight", "hint_loss", "hard_weight", "hard_loss", NULL};
static const char *const of_functions[] = {"difference_step", NULL};

/* A teacher is a network or a function. */
static void check_teacher(checked k)
{
    if (!USABLE(k.s, "cfg", "function"))
        return;
    bool function = option_given(k.s, "function");
    if (function == option_given(k.s, "cfg")) {
        message_error(k.m, section_place(k.s, "cfg"), "[teacher] needs %s of the keys 'cfg' and 'function'", function ? "only one" : "one");
        return;
    }
    check_meaningless(k, function ? of_networks : of_functions, function ? "function" : "cfg");
    if (option_given(k.s, "hard_loss") && !option_given(k.s, "hard_weight"))
        message_error(k.m, section_place(k.s, "hard_loss"), "hard_loss means nothing without hard_weight");
}

/* Layers named by number, from 0, or negative, from this one back. */
static void check_references(checked k, const char *key)
{
    if (k.layer < 0 || !option_given(k.s, key) || !USABLE(k.s, key))
        return;
    int n;
    long *references = take_integers(k, key, &n);
    for (int i = 0; references && i < n; ++i) {
        long target = references[i] < 0 ? k.layer + references[i] : references[i];
        if (target < 0 || target >= k.layer)
            message_error(k.m, section_place(k.s, key), "%s: %ld names no layer before this one, which is layer %d", key,
                          references[i], k.layer);
    }
    free(references);
}

static void check_route(checked k)
{
    check_references(k, "layers");
}

static void check_shortcut(checked k)
{
    check_references(k, "from");
}

/* Stock Darknet writes as many anchors as there are, whatever num says. */
static void check_anchors(checked k)
{
    if (!option_given(k.s, "anchors") || !USABLE(k.s, "anchors", "num"))
        return;
    int n = option_reals(k.s, "anchors", NULL, 0);
    long shapes = option_integer(k.s, "num");
    if (n != 2 * shapes)
        message_error(k.m, section_place(k.s, "anchors"), "anchors: expected 2 * num = %ld numbers, found %d", 2 * shapes, n);
}

static void check_yolo(checked k)
{
    check_anchors(k);
    if (!option_given(k.s, "mask") || !USABLE(k.s, "mask", "num"))
        return;
    int n;
    long *mask = take_integers(k, "mask", &n), shapes = option_integer(k.s, "num");
    for (int i = 0; mask && i < n; ++i)
        if (mask[i] >= shapes)
            message_error(k.m, section_place(k.s, "mask"), "mask: %ld, but the box shapes are 0 to %ld", mask[i], shapes - 1);
    free(mask);
}

/* A lower order by -set is for a run, and leaves what the cfg says of higher ones. */
static bool is_lower_for_once(const section *s, const char *key)
{
    return !strcmp(key, "order") && option_given(s, key) && !section_place(s, key).line;
}

/* The key of [sobolev] means nothing while `needs` has that value; a '!' before it: any other. */
static const struct sobolev_condition {
    const char *key, *needs, *without;
} sobolev_conditions[] = {
    {"weight_end", "weight_schedule", "constant"}, {"weight_1_end", "weight_schedule", "constant"}, {"weight_2_end", "weight_schedule", "constant"},
    {"swap_at", "weight_schedule", "!swap"},       {"balance_strength", "balance", "none"},         {"balance_every", "balance", "none"},
    {"weight_2", "order", "!2"},                   {"loss_2", "order", "!2"},                       {"projections_2", "order", "!2"},
};
enum { SOBOLEV_CONDITIONS = sizeof sobolev_conditions / sizeof *sobolev_conditions };

static bool is_meaningless(const section *s, const struct sobolev_condition *c)
{
    const bool other = *c->without == '!';
    return !strcmp(option_text(s, c->needs), c->without + other) != other;
}

/* Keys that would change nothing: said, not refused, so that a variant can turn a schedule off. */
static void check_sobolev(checked k)
{
    for (int i = 0; i < SOBOLEV_CONDITIONS; ++i) {
        const struct sobolev_condition *c = &sobolev_conditions[i];
        if (option_given(k.s, c->key) && USABLE(k.s, c->key, c->needs) && !is_lower_for_once(k.s, c->needs) && is_meaningless(k.s, c))
            message_warning(k.m, section_place(k.s, c->key), "'%s' means nothing with %s=%s", c->key, c->needs, option_text(k.s, c->needs));
    }
}

/* Likewise in a mode that does not read them. */
static void check_critic(checked k)
{
    if (!USABLE(k.s, "mode"))
        return;
    for (const option_spec *o = k.s->spec->options; o->key; ++o)
        if (option_given(k.s, o->key) && !critic_mode_reads(k.s, o->key))
            message_warning(k.m, section_place(k.s, o->key), "'%s' means nothing with mode=%s", o->key, option_text(k.s, "mode"));
    if (option_given(k.s, "label_loss") && critic_mode_reads(k.s, "label_loss") && !option_given(k.s, "label_weight"))
        message_warning(k.m, section_place(k.s, "label_loss"), "'label_loss' means nothing without label_weight");
}

static const struct {
    const char *name;
    void (*check)(checked k);
} section_checks[] = {
    {"net", check_net},           {"data", check_data}, {"route", check_route},
    {"shortcut", check_shortcut}, {"yolo", check_yolo}, {"region", check_anchors},
    {"sobolev", check_sobolev},   {"teacher", check_teacher}, {"critic", check_critic},
};

static bool sobolev_reads(const section *s, const char *key)
{
    for (int i = 0; i < SOBOLEV_CONDITIONS; ++i)
        if (!strcmp(sobolev_conditions[i].key, key) && is_meaningless(s, &sobolev_conditions[i]))
            return false;
    return true;
}

static bool teacher_reads(const section *s, const char *key)
{
    const char *const *meaningless = option_given(s, "function") ? of_networks : of_functions;
    while (*meaningless && strcmp(*meaningless, key))
        ++meaningless;
    return !*meaningless;
}

bool rules_reads(const section *s, const char *key)
{
    static const struct {
        const char *name;
        bool (*reads)(const section *s, const char *key);
    } table[] = {{"critic", critic_mode_reads}, {"sobolev", sobolev_reads}, {"teacher", teacher_reads}};
    for (size_t i = 0; i < sizeof table / sizeof *table; ++i)
        if (!strcmp(table[i].name, s->spec->name))
            return table[i].reads(s, key);
    return true;
}

void rules_check(const section *s, int layer, messages *m)
{
    checked k = {s, layer, m};
    for (size_t i = 0; i < sizeof section_checks / sizeof *section_checks; ++i)
        if (!strcmp(section_checks[i].name, k.s->spec->name))
            section_checks[i].check(k);
}
