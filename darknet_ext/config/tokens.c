#include "config/tokens.h"

#include <string.h>

cfg_text tokens_begin(const char *text, size_t length)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    size_t skipped = length >= 3 && !memcmp(text, byte_order_mark, 3) ? 3 : 0;
    return (cfg_text){text + skipped, text + length, 0};
}

/* A part of a line, and where its first byte stands. */
typedef struct span {
    const char *begin, *end;
    place where;
} span;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_comment(char c)
{
    return c == '#' || c == ';';
}

/* The place of a byte of the span; in an override all bytes have the same. */
static place place_of(span s, const char *byte)
{
    return (place){s.where.line, s.where.column + (s.where.line ? (int)(byte - s.begin) : 0)};
}

static span part(span s, const char *begin, const char *end)
{
    return (span){begin, end, place_of(s, begin)};
}

static span trimmed(span s)
{
    const char *begin = s.begin, *end = s.end;
    while (begin < end && is_blank(*begin))
        ++begin;
    while (end > begin && is_blank(end[-1]))
        --end;
    return part(s, begin, end);
}

static const char *find_byte(span s, char c)
{
    return memchr(s.begin, c, (size_t)(s.end - s.begin));
}

/* Copies the span without its blanks to *out, NUL-terminated, and moves *out behind it. */
static char *squeeze(span s, char **out)
{
    char *copy = *out, *next = copy;
    for (const char *c = s.begin; c < s.end; ++c)
        if (!is_blank(*c))
            *next++ = *c;
    *next++ = '\0';
    *out = next;
    return copy;
}

/* What is wrong with the byte at c, where no printable character begins. */
static const char *describe_byte(const char *c, const char *end)
{
    unsigned char first = (unsigned char)*c;
    if (first < 0x80)
        return first ? "control character" : "NUL byte";
    bool control = first == 0xC2 && end - c > 1 && ((unsigned char)c[1] & 0xE0) == 0x80; /* U+0080 to U+009F */
    return control ? "control character" : "byte that is not UTF-8";
}

static bool check_bytes(span s, messages *m)
{
    for (const char *c = s.begin; c < s.end;) {
        int length = printable_length(c, (size_t)(s.end - c));
        if (!length) {
            message_error(m, place_of(s, c), "%s (0x%02X)", describe_byte(c, s.end), (unsigned char)*c);
            return false;
        }
        c += length;
    }
    return true;
}

/* A comment sign after a blank, or at the beginning: somebody meant a comment. */
static const char *find_comment(span s)
{
    for (const char *c = s.begin; c < s.end; ++c)
        if (is_comment(*c) && (c == s.begin || is_blank(c[-1])))
            return c;
    return NULL;
}

/* True for blanks between two other characters, unless one of them is a comma. */
static bool has_inner_blank(span s)
{
    char before = ',';
    bool blank = false;
    for (const char *c = s.begin; c < s.end; ++c) {
        if (is_blank(*c)) {
            blank = true;
        } else {
            if (blank && before != ',' && *c != ',')
                return true;
            before = *c;
            blank = false;
        }
    }
    return false;
}

/* Squeezes a trimmed span; reports what Darknet would join. */
static char *take_word(span s, const char *what, messages *m, cfg_line *line, char **out)
{
    const char *comment = find_comment(s);
    char *word = squeeze(s, out);
    if (comment) {
        message_error(m, place_of(s, comment), "a comment must stand on its own line");
        line->wrong = true;
    } else if (has_inner_blank(s)) {
        message_error(m, s.where, "blank inside the %s: Darknet would read '%s'", what, shown(word).text);
        line->wrong = true;
    }
    return word;
}

static void take_section(span s, messages *m, cfg_line *line)
{
    char *out = line->buffer;
    span inside = part(s, s.begin + 1, s.end);
    const char *close = find_byte(inside, ']');
    line->kind = LINE_SECTION;
    line->name_place = s.where;
    if (!close) {
        message_error(m, s.where, "missing ']'");
        line->wrong = true;
    } else if (close + 1 < s.end) {
        span rest = trimmed(part(s, close + 1, s.end));
        message_error(m, rest.where, is_comment(*rest.begin) ? "a comment must stand on its own line" : "text after ']'");
        line->wrong = true;
    }
    inside = trimmed(part(inside, inside.begin, close ? close : inside.end));
    line->name = line->wrong ? squeeze(inside, &out) : take_word(inside, "section name", m, line, &out);
    line->value = out - 1;
}

static char *copy_verbatim(span s, value_form form, cfg_line *line, char **out)
{
    const size_t length = (size_t)(s.end - s.begin);
    char *copy = memcpy(*out, s.begin, length);
    copy[length] = '\0';
    *out = copy + length + 1;
    line->form = form;
    return copy;
}

/* Of a trimmed span. Whether a value may have blanks is for the key to say; within quotes it holds anything, quotes as well. */
static char *take_value(span s, messages *m, cfg_line *line, char **out)
{
    const bool opened = s.begin < s.end && *s.begin == '"', closed = opened && s.end - s.begin > 1 && s.end[-1] == '"';
    if (closed)
        return copy_verbatim(part(s, s.begin + 1, s.end - 1), VALUE_QUOTED, line, out);
    if (opened) {
        message_error(m, s.where, "missing '\"' at the end of the value");
        line->wrong = true;
        return squeeze(s, out);
    }
    if (has_inner_blank(s) && !find_comment(s))
        return copy_verbatim(s, VALUE_PHRASE, line, out);
    return take_word(s, "value", m, line, out);
}

/* A line without '=': its first word is taken for the name, so that the mistake is reported once. */
static void take_incomplete(span s, messages *m, cfg_line *line)
{
    char *out = line->buffer;
    const char *end = s.begin;
    while (end < s.end && !is_blank(*end))
        ++end;
    line->name = squeeze(part(s, s.begin, end), &out);
    message_error(m, s.where, "missing '=' after '%s'", shown(line->name).text);
    line->wrong = true;
    line->value = out - 1;
}

static void take_option(span s, messages *m, cfg_line *line)
{
    char *out = line->buffer;
    const char *equals = find_byte(s, '=');
    line->kind = LINE_OPTION;
    line->name_place = line->value_place = s.where;
    if (!equals) {
        take_incomplete(s, m, line);
        return;
    }
    span name = trimmed(part(s, s.begin, equals)), value = trimmed(part(s, equals + 1, s.end));
    line->name = take_word(name, "key", m, line, &out);
    line->value_place = value.begin < value.end ? value.where : place_of(s, equals);
    if (!line->wrong)
        line->value = take_value(value, m, line, &out);
    if (line->wrong)
        line->value = out - 1;
}

static void begin_line(cfg_line *line)
{
    line->kind = LINE_BLANK;
    line->wrong = false;
    line->form = VALUE_WORD;
    line->buffer[0] = '\0';
    line->name = line->value = line->buffer;
    line->name_place = line->value_place = (place){0, 0};
}

/* A line with bad bytes is still taken apart, silently, so that nobody misses its key or section. */
static void take_line(span all, messages *m, cfg_line *line)
{
    bool good = check_bytes(all, m);
    span s = trimmed(all);
    if (s.begin == s.end || is_comment(*s.begin))
        return;
    if (*s.begin == '[')
        take_section(s, good ? m : NULL, line);
    else
        take_option(s, good ? m : NULL, line);
    line->wrong = line->wrong || !good;
}

bool tokens_next(cfg_text *text, messages *m, cfg_line *line)
{
    begin_line(line);
    if (text->next == text->end)
        return false;
    const char *begin = text->next, *newline = memchr(begin, '\n', (size_t)(text->end - begin));
    const char *end = newline ? newline : text->end;
    text->next = newline ? newline + 1 : text->end;
    if (end > begin && end[-1] == '\r')
        --end;
    span all = {begin, end, {++text->line, 1}};
    if (end - begin > LINE_LIMIT) {
        message_error(m, all.where, "line of %ld bytes, longer than %d", (long)(end - begin), LINE_LIMIT);
        return true;
    }
    take_line(all, m, line);
    return true;
}

void tokens_option(const char *text, size_t length, place where, messages *m, cfg_line *line)
{
    span s = {text, text + length, where};
    begin_line(line);
    line->wrong = true;
    if (length > LINE_LIMIT)
        message_error(m, where, "%ld bytes, more than %d", (long)length, LINE_LIMIT);
    else if (check_bytes(s, m)) {
        line->wrong = false;
        take_option(trimmed(s), m, line);
    }
}
