/* Verbs and flags of `darknet sobolev`. */
#ifndef DNX_PROGRAM_ARGUMENTS_H
#define DNX_PROGRAM_ARGUMENTS_H

#include "bridge/plugin.h"

enum { MAX_OVERRIDES = 64, MAX_POSITIONAL = 16, MAX_IMAGES = 256 };

/* Exit statuses of the program. */
enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_SIGNAL = 130 };

typedef enum flag {
    FLAG_SET = 1 << 0,
    FLAG_SEED = 1 << 1,
    FLAG_THREADS = 1 << 2,
    FLAG_BACKEND = 1 << 3,
    FLAG_OUT = 1 << 4,
    FLAG_FORCE = 1 << 5,
    FLAG_PRINT_CFG = 1 << 6,
    FLAG_EVERY = 1 << 7,
    FLAG_NO_CHART = 1 << 8,
    FLAG_BATCH = 1 << 9,
    FLAG_SECONDS = 1 << 10,
    FLAG_SURFACE = 1 << 11,
    FLAG_COLUMN = 1 << 12,
    FLAG_DERIVATIVES = 1 << 13,
    FLAG_HESSIAN = 1 << 14,
    FLAG_READER = 1 << 15,
    FLAG_IMAGE = 1 << 16, /* and what belongs to it: -names */
    FLAG_OUTPUT_INDEX = 1 << 17,
    FLAG_REQUESTS = 1 << 18,
    FLAG_CROPS = 1 << 19,
    FLAG_CRITICS = 1 << 20,
    FLAG_CFG = FLAG_SET | FLAG_SEED | FLAG_THREADS | FLAG_BACKEND | FLAG_PRINT_CFG /* every verb that reads a cfg */
} flag;

typedef struct arguments {
    const char *positional[MAX_POSITIONAL];
    int n_positional;
    override overrides[MAX_OVERRIDES];
    int n_overrides;
    bool has_seed;
    long long seed;
    int threads;      /* 0: not given */
    const char *backend, *out, *column, *reader, *names;
    const char *images[MAX_IMAGES]; /* files and folders */
    int n_images;
    int output_index; /* from 1; 0: not given */
    int crops;        /* 1 or 10 */
    int force, print_cfg, no_chart, surface, critics, derivatives, hessian, requests;
    long every;       /* 0: not given */
    int batch;
    double seconds;
} arguments;

typedef struct verb {
    const char *name;
    const char *synopsis;  /* of the positional words */
    const char *meaning;   /* one line */
    const char *details;   /* a paragraph for `help VERB` */
    int least, most;       /* positional words */
    unsigned flags;
    bool takes_long;       /* many steps, by several threads */
    int (*run)(const arguments *a); /* returns the exit status */
} verb;

extern const verb verb_train, verb_valid, verb_predict, verb_export, verb_check, verb_bench, verb_functions, verb_plot, verb_data, verb_version,
    verb_help;
extern const verb *const verb_list[]; /* NULL-terminated */

/* Parses the words behind the verb. On failure prints one message with a suggestion and returns false. */
bool arguments_parse(arguments *a, const verb *v, int argc, char **argv);

/* The manual of one verb. */
void verb_print_help(const verb *v, FILE *out);

/* Finds a verb, or prints a message with a suggestion and returns NULL. */
const verb *verb_find(const char *name);

/* Settings of the plugin: environment, then flags; its overrides are valid until the next call. Messages about the cfg go to
 * stderr. False: a message was printed. */
bool settings_from_arguments(plugin_settings *settings, const arguments *a);

/* What a network is loaded for: whether the teacher that its cfg names is left alone, read where its files can be read, or needed. */
typedef enum load_purpose { LOAD_TO_PREDICT, LOAD_TO_TEST, LOAD_TO_TRAIN } load_purpose;

/* Loads the first positional word as cfg, or prints it (-print-cfg). Returns the exit status; *p is NULL unless loaded. */
int load_cfg(const arguments *a, load_purpose purpose, plugin_network **p);

/* The message_sink of the program: a line on standard error. */
void print_message(void *context, const char *line);

/* Prints the text of a failed status; the exit status that goes with it. */
int report_failure(status s);

#endif
