#include <stdio.h>
#include <string.h>

#include "config/variant.h"
#include "core/environment.h"
#include "program/arguments.h"

static const char *type_name(const option_spec *o)
{
    static const char *const names[] = {"integer", "number", "0 or 1", "", "integers", "numbers", "text", "path", "ignored"};
    return names[o->type];
}

static void print_option(const option_spec *o)
{
    printf("    %-22s ", o->key);
    if (o->type == OPTION_CHOICE)
        for (const char *const *choice = o->choices; *choice; ++choice)
            printf("%s%s", choice == o->choices ? "" : "|", *choice);
    else
        printf("%s", type_name(o));
    if (!o->fallback)
        printf(", required");
    else if (*o->fallback)
        printf(", default %s", o->fallback);
    printf(": %s\n", o->meaning);
}

static void print_section(const section_spec *s)
{
    printf("[%s]  %s\n", s->name, s->meaning);
    for (const option_spec *o = s->options; o->key; ++o)
        print_option(o);
}

static int print_section_named(const char *name)
{
    if (strcmp(name, variant_section.name) == 0) {
        print_section(&variant_section);
        return EXIT_OK;
    }
    for (const section_spec *const *s = config_sections(); *s; ++s)
        if (strcmp((*s)->name, name) == 0 || ((*s)->alias && strcmp((*s)->alias, name) == 0)) {
            print_section(*s);
            return EXIT_OK;
        }
    return EXIT_USAGE;
}

static void print_section_line(const section_spec *s)
{
    printf("[%s]%*s %s\n", s->name, (int)(16 - strlen(s->name)), "", s->meaning);
}

static int print_sections(void)
{
    for (const section_spec *const *s = config_sections(); *s; ++s)
        print_section_line(*s);
    print_section_line(&variant_section);
    printf("\ndarknet sobolev help SECTION lists its keys\n");
    return EXIT_OK;
}

/* A layer type computes a derivative on every backend, or on none. */
static void print_backends(void)
{
    char names[64] = "";
    for (const backend *const *be = backend_list; *be; ++be)
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", be == backend_list ? "" : ",", (*be)->name);
    printf(" %-11s", names);
}

static void print_layer_type(const layer_type *type)
{
    printf("%-16s", type->spec->name);
    for (int order = 0; order <= JET_MAX_ORDER; ++order)
        if (order <= type->max_order)
            print_backends();
        else
            printf(" %-11s", "-");
    printf(" %s", type->order_limit ? type->order_limit : "");
    if (type->stays)
        printf("darknet's own with %s: %s", type->stays_with, type->stays);
    printf("\n");
}

static void print_stock_layer(const section_spec *spec)
{
    printf("%-16s %-11s %-11s %-11s %s\n", spec->name, "darknet", "-", "-", spec->stays ? spec->stays : "");
}

static int print_layers(void)
{
    printf("%-16s %-11s %-11s %-11s remarks\n", "section", "order 0", "order 1", "order 2");
    for (const layer_type *const *type = layer_list; *type; ++type)
        print_layer_type(*type);
    for (const section_spec *const *s = config_sections(); *s; ++s)
        if ((*s)->role == SECTION_LAYER && !layer_find((*s)->name))
            print_stock_layer(*s);
    printf("\nA layer that darknet itself runs may stand outside the differentiated part of a network.\n");
    return EXIT_OK;
}

static int print_environment(void)
{
    for (const environment_variable *v = environment_table; v->name; ++v)
        printf("%-22s %s\n", v->name, v->meaning);
    return EXIT_OK;
}

static int print_overview(void)
{
    printf("darknet sobolev: training on values and derivatives, version %s\n\n", DNX_VERSION);
    for (const verb *const *v = verb_list; *v; ++v)
        printf("    %-10s %-16s %s\n", (*v)->name, (*v)->synopsis, (*v)->meaning);
    printf("\ndarknet sobolev help VERB        the flags of a verb\n"
           "darknet sobolev help sections    the sections of a cfg; help SECTION: its keys\n"
           "darknet sobolev help layers      the layers that can be differentiated, and how often\n"
           "darknet sobolev help environment the environment variables\n"
           "Every other first word is handed to the stock darknet.\n");
    return EXIT_OK;
}

static int refuse_topic(const char *topic)
{
    const char *names[128] = {"sections", "layers", "environment"};
    int n = 3;
    for (const verb *const *v = verb_list; *v; ++v)
        names[n++] = (*v)->name;
    for (const section_spec *const *s = config_sections(); *s && n < 128; ++s)
        names[n++] = (*s)->name;
    const char *nearest = nearest_name(topic, names, n);
    fprintf(stderr, "darknet sobolev help: error: '%s' is neither a verb nor a section of a cfg%s%s%s\n", topic, nearest ? ", did you mean '" : "",
            nearest ? nearest : "", nearest ? "'?" : "");
    return EXIT_USAGE;
}

static bool print_verb_named(const char *topic)
{
    for (const verb *const *v = verb_list; *v; ++v)
        if (strcmp((*v)->name, topic) == 0) {
            verb_print_help(*v, stdout);
            return true;
        }
    return false;
}

/* `data` is a verb and a section. */
static int print_verb_or_section(const char *topic)
{
    bool is_verb = print_verb_named(topic), is_section = print_section_named(topic) == EXIT_OK;
    return is_verb || is_section ? EXIT_OK : refuse_topic(topic);
}

static int help(const arguments *a)
{
    const char *topic = a->n_positional > 0 ? a->positional[0] : NULL;
    if (!topic)
        return print_overview();
    if (strcmp(topic, "sections") == 0)
        return print_sections();
    if (strcmp(topic, "layers") == 0)
        return print_layers();
    if (strcmp(topic, "environment") == 0)
        return print_environment();
    return print_verb_or_section(topic);
}

const verb verb_help = {
    .name = "help",
    .synopsis = "[TOPIC]",
    .meaning = "explain a verb, a section of a cfg, or the environment",
    .details = "",
    .most = 1,
    .run = help,
};
