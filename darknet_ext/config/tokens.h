/* The text of a cfg, line by line. Blanks and tabs mean nothing, as in Darknet; what Darknet would join silently is refused. */
#ifndef DNX_CONFIG_TOKENS_H
#define DNX_CONFIG_TOKENS_H

#include "config/messages.h"

enum { LINE_LIMIT = 64 * 1024 }; /* bytes of a line without its end */

typedef enum line_kind {
    LINE_BLANK,   /* nothing, a comment, or a line that was refused as a whole */
    LINE_SECTION, /* [name] */
    LINE_OPTION   /* name=value */
} line_kind;

typedef enum value_form {
    VALUE_WORD,   /* without blanks */
    VALUE_PHRASE, /* with blanks inside, as they stand: what Darknet would join */
    VALUE_QUOTED  /* what stood within double quotes */
} value_form;

typedef struct cfg_line {
    line_kind kind;
    bool wrong;        /* reported already: `name` says what the line was about */
    value_form form;
    char *name, *value; /* value is "" if it is missing */
    place name_place, value_place;
    char buffer[LINE_LIMIT + 2]; /* where name and value point to */
} cfg_line;

typedef struct cfg_text {
    const char *next, *end;
    int line; /* number of the last line taken */
} cfg_text;

/* Skips a byte order mark. */
cfg_text tokens_begin(const char *text, size_t length);

/* Takes the next line; false at the end of the text. */
bool tokens_next(cfg_text *text, messages *m, cfg_line *line);

/* The same for name=value in one string at one place (an override). */
void tokens_option(const char *text, size_t length, place where, messages *m, cfg_line *line);

#endif
