/* A cfg file in memory, and the description of the keys a section may hold.
 *
 * The reader (config/reader.h) fills these from text and checks every key against its option_spec: known name, type,
 * range, no duplicates. After that the getters below cannot fail: an absent key has its documented default. */
#ifndef DNX_CORE_OPTIONS_H
#define DNX_CORE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "core/status.h"

typedef enum option_type {
    OPTION_INTEGER,
    OPTION_REAL,
    OPTION_BOOLEAN,  /* 0 or 1 */
    OPTION_CHOICE,   /* one of `choices` */
    OPTION_INTEGERS, /* comma-separated */
    OPTION_REALS,    /* comma-separated */
    OPTION_TEXT,     /* the rest of the line */
    OPTION_PATH,     /* of a file; the only values that may have blanks, within double quotes */
    OPTION_IGNORED   /* stock files carry it, nobody reads it: accepted with a warning */
} option_type;

typedef struct option_spec {
    const char *key;
    option_type type;
    const char *fallback;       /* default as text; NULL: the key must be given; "": none */
    double low, high;           /* inclusive range of numbers (of each number of a list); ignored if low > high */
    const char *const *choices; /* NULL-terminated, for OPTION_CHOICE */
    const char *meaning;        /* one line for `help` and cfg/README.md; units where there are any */
} option_spec;

typedef enum section_role {
    SECTION_NET,   /* [net]: exactly one, first */
    SECTION_LAYER, /* becomes a layer of the network */
    SECTION_EXTRA, /* describes the run ([data]); it is not a layer */
    SECTION_END    /* [end]: the sections since [critic] are that block's */
} section_role;

typedef struct section_spec {
    const char *name;  /* as in the cfg, without brackets */
    const char *alias; /* Darknet's short form, or NULL */
    section_role role;
    bool stock;                 /* the stock parser knows the section */
    const option_spec *options; /* ends with key == NULL */
    const char *meaning;        /* one line */
    const char *stays;          /* a layer that only the host runs: why it cannot be differentiated */
} section_spec;

typedef struct option {
    const option_spec *spec;
    char *key, *value; /* owned */
    int line, column;  /* of the value, 1-based, in bytes; line 0: from a flag or a [variant], and column is its number */
    char *origin;      /* owned; path:line:column in a [variant]; NULL: from the cfg itself or a flag */
} option;

typedef struct section {
    const section_spec *spec;
    char *name; /* owned; as written */
    int line, column;
    option *options; /* owned */
    int n_options;
    int block;       /* 0: of the network itself; else the section stands in a block, which the section of this number (from 0) begins */
} section;

typedef struct config {
    char *path;       /* owned; where the sections stand, for messages */
    char *named_path; /* owned; as the user named it: path, or that of the [variant] that changes it */
    section *sections;
    int n_sections;
} config;

/* Keys that every layer section may hold besides its own (Darknet's truth, stopbackward, …), ends with key == NULL. */
extern const option_spec common_layer_options[];

void config_free(config *c);

/* The description of a key of that section, common layer keys included, or NULL. */
const option_spec *section_option(const section_spec *spec, const char *key);

/* First section of that name (or alias), or NULL; of those that are not in a block. */
const section *config_section(const config *c, const char *name);

/* True when the key was given (in the file or by -set). */
bool option_given(const section *s, const char *key);

/* Where the key's value stands, or where its section does when the key is absent: line for messages. */
int option_line(const section *s, const char *key);

/* Gives a key another value, in memory: programs that change a network keep its cfg true. */
status option_set_integer(section *s, const char *key, long value);

/* STATUS_BAD_CONFIG with a text that begins where the key's value stands: path:line, or the -set it comes from. */
status option_fail(const section *s, const char *path, const char *key, const char *text);

/* The same at the place of the section itself. */
status section_fail(const section *s, const char *path, const char *text);

/* Values of checked keys; absent keys give the fallback of the spec, and 0 (choices: -1) where that is "". Asking for a
 * key the spec does not know, or of a section that is NULL, is a programming error and aborts. */
long option_integer(const section *s, const char *key);
double option_real(const section *s, const char *key);
bool option_boolean(const section *s, const char *key);
int option_choice(const section *s, const char *key);       /* index into `choices` */
const char *option_text(const section *s, const char *key); /* "" when absent without default; owned by s or the spec */
/* Lists: writes up to `capacity` numbers, returns how many there are in the value. */
int option_integers(const section *s, const char *key, long *values, int capacity);
int option_reals(const section *s, const char *key, double *values, int capacity);

/* The same as the getters above, with a fallback of the caller's own where the key is absent: for defaults that depend on something, or stand in the
 * code that has them. */
long option_integer_or(const section *s, const char *key, long fallback);
double option_real_or(const section *s, const char *key, double fallback);
bool option_boolean_or(const section *s, const char *key, bool fallback);
int option_choice_or(const section *s, const char *key, int fallback);

/* Locale-independent parsing of one whole token; false when anything is left over, out of range, or not finite. */
bool parse_integer(const char *text, long *value);
bool parse_real(const char *text, double *value);

/* The nearest of n names by edit distance (transpositions count once), or NULL when none is near enough to suggest. */
const char *nearest_name(const char *word, const char *const *names, int n);

#endif
