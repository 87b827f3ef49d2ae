/* The reader's messages: kept until the end, then handed out in the order of the file. */
#ifndef DNX_CONFIG_MESSAGES_H
#define DNX_CONFIG_MESSAGES_H

#include "config/reader.h"

/* Where something stands, in bytes from 1. Line 0: in override number `column`. */
typedef struct place {
    int line, column;
} place;

enum { MESSAGES_SHOWN = 100 }; /* of each severity; the others are only counted */

typedef struct message {
    place where;
    int order;  /* of discovery */
    char *text; /* owned; the whole line */
} message;

typedef struct messages {
    const char *path;
    const override *overrides;
    message kept[2 * MESSAGES_SHOWN];
    int n_kept;
    long n_errors, n_warnings;
    bool no_memory; /* a message or a part of the config was lost */
} messages;

/* With m == NULL nothing is kept. */
void message_error(messages *m, place where, const char *format, ...) __attribute__((format(printf, 3, 4)));
void message_warning(messages *m, place where, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Hands out all lines and frees them. */
void messages_deliver(messages *m, message_sink sink, void *context);

/* Text that is safe to show: control characters and bytes that are not UTF-8 become \xNN, a long text ends with "...". */
typedef struct shown_text {
    char text[128];
} shown_text;

shown_text shown(const char *text);

/* With a decimal point in every locale; whole numbers with all their digits. */
typedef struct shown_digits {
    char text[32];
} shown_digits;

shown_digits shown_number(double number);

/* ", did you mean 'name'?", or "" when name is NULL. */
shown_text did_you_mean(const char *name);

/* Bytes of the well-formed, printable UTF-8 character at `text` (tab included), 0 if there is none. */
int printable_length(const char *text, size_t available);

#endif
