#include "config/messages.h"

#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Length announced by the first byte of a UTF-8 sequence, 0 for bytes that cannot begin one. */
static int sequence_length(unsigned char first)
{
    if (first < 0x80)
        return 1;
    if (first >= 0xC2 && first <= 0xDF)
        return 2;
    if (first >= 0xE0 && first <= 0xEF)
        return 3;
    return first >= 0xF0 && first <= 0xF4 ? 4 : 0;
}

int printable_length(const char *text, size_t available)
{
    const unsigned char *p = (const unsigned char *)text;
    int length = available ? sequence_length(p[0]) : 0;
    if (!length || (size_t)length > available)
        return 0;
    if (length == 1)
        return (p[0] >= 0x20 && p[0] != 0x7F) || p[0] == '\t';
    for (int i = 1; i < length; ++i)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    bool overlong = (p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xF0 && p[1] < 0x90);
    bool surrogate = p[0] == 0xED && p[1] >= 0xA0, too_large = p[0] == 0xF4 && p[1] >= 0x90;
    bool control = p[0] == 0xC2 && p[1] < 0xA0; /* U+0080 to U+009F */
    return overlong || surrogate || too_large || control ? 0 : length;
}

/* Writes the safe form of text, at most size - 1 bytes. */
static void show_text(char *out, size_t size, const char *text)
{
    static const char ellipsis[] = "...";
    size_t available = strlen(text), used = 0;
    while (available) {
        int length = *text == '\t' ? 0 : printable_length(text, available);
        size_t needed = length ? (size_t)length : strlen("\\xNN");
        if (used + needed + (available > 1 ? sizeof ellipsis : 1) > size) {
            memcpy(out + used, ellipsis, sizeof ellipsis);
            return;
        }
        if (length)
            memcpy(out + used, text, needed);
        else
            snprintf(out + used, size - used, "\\x%02X", (unsigned char)*text);
        used += needed;
        size_t consumed = length ? needed : 1;
        text += consumed;
        available -= consumed;
    }
    out[used] = '\0';
}

shown_text shown(const char *text)
{
    shown_text result;
    show_text(result.text, 64, text);
    return result;
}

shown_text did_you_mean(const char *name)
{
    shown_text result = {""};
    if (name)
        snprintf(result.text, sizeof result.text, ", did you mean '%s'?", name);
    return result;
}

shown_digits shown_number(double number)
{
    bool whole = fabs(number) < 1e18 && number == floor(number);
    locale_t c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    locale_t before = c_locale ? uselocale(c_locale) : (locale_t)0;
    shown_digits digits;
    snprintf(digits.text, sizeof digits.text, whole ? "%.0f" : "%.15g", number);
    if (c_locale) {
        uselocale(before);
        freelocale(c_locale);
    }
    return digits;
}

static void keep_message(messages *m, place where, const char *severity, const char *text)
{
    message *kept = &m->kept[m->n_kept];
    char source[512];
    int length;
    if (where.line) {
        show_text(source, sizeof source, m->path);
        length = asprintf(&kept->text, "%s:%d:%d: %s: %s", source, where.line, where.column, severity, text);
    } else {
        const override *o = &m->overrides[where.column - 1];
        show_text(source, sizeof source, o->origin ? o->origin : o->text);
        length = asprintf(&kept->text, "%s%s: %s: %s", o->origin ? "" : "-set ", source, severity, text);
    }
    if (length < 0) {
        m->no_memory = true;
        return;
    }
    kept->where = where;
    kept->order = m->n_kept++;
}

static void add_message(messages *m, long *count, place where, const char *severity, const char *format, va_list arguments)
{
    char text[1024];
    if ((*count)++ >= MESSAGES_SHOWN)
        return;
    vsnprintf(text, sizeof text, format, arguments);
    keep_message(m, where, severity, text);
}

void message_error(messages *m, place where, const char *format, ...)
{
    if (!m)
        return;
    va_list arguments;
    va_start(arguments, format);
    add_message(m, &m->n_errors, where, "error", format, arguments);
    va_end(arguments);
}

void message_warning(messages *m, place where, const char *format, ...)
{
    if (!m)
        return;
    va_list arguments;
    va_start(arguments, format);
    add_message(m, &m->n_warnings, where, "warning", format, arguments);
    va_end(arguments);
}

/* Order of the file; overrides (line 0) come last. */
static int compare_messages(const void *left, const void *right)
{
    const message *a = left, *b = right;
    if (a->where.line != b->where.line)
        return !a->where.line ? 1 : !b->where.line ? -1 : a->where.line < b->where.line ? -1 : 1;
    if (a->where.column != b->where.column)
        return a->where.column < b->where.column ? -1 : 1;
    return a->order - b->order;
}

static void deliver_rest(const messages *m, long count, const char *severity, message_sink sink, void *context)
{
    char source[512], line[640];
    long rest = count - MESSAGES_SHOWN;
    if (rest <= 0)
        return;
    show_text(source, sizeof source, m->path);
    snprintf(line, sizeof line, "%s: %s: %ld more %s%s", source, severity, rest, severity, rest > 1 ? "s" : "");
    sink(context, line);
}

void messages_deliver(messages *m, message_sink sink, void *context)
{
    qsort(m->kept, (size_t)m->n_kept, sizeof m->kept[0], compare_messages);
    for (int i = 0; i < m->n_kept; ++i) {
        sink(context, m->kept[i].text);
        free(m->kept[i].text);
    }
    m->n_kept = 0;
    deliver_rest(m, m->n_warnings, "warning", sink, context);
    deliver_rest(m, m->n_errors, "error", sink, context);
}
