/* Users' words inside a gnuplot script. */
#include "train/gnuplot.h"

#include <ctype.h>
#include <stdint.h>

/* Code point and length in bytes of the character at s; length 0 where the bytes are not UTF-8 (RFC 3629). */
static int decode(const unsigned char *s, uint32_t *code)
{
    if (s[0] < 0x80) {
        *code = s[0];
        return 1;
    }
    int length = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    if (s[0] < 0xc0 || s[0] > 0xf7)
        return 0;
    *code = s[0] & (0x7fu >> length);
    for (int i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3f);
    }
    bool surrogate = *code >= 0xd800 && *code <= 0xdfff;
    return *code < smallest[length] || *code > 0x10ffff || surrogate ? 0 : length;
}

static bool is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x2028 || code == 0x2029;
}

/* Latin, Greek, Cyrillic, punctuation, arrows, mathematics. A character that no font has is drawn by pngcairo as a box
 * that covers the whole picture; a viewer of SVG has more fonts and a sane box. */
static bool is_drawable(uint32_t code, bool svg)
{
    static const uint32_t ranges[][2] = {
        {0x20, 0x7e},     {0xa0, 0x2e9},    {0x384, 0x38a},   {0x38e, 0x3a1},   {0x3a3, 0x525},
        {0x1e00, 0x1efb}, {0x2010, 0x2064}, {0x2070, 0x2071}, {0x2074, 0x208e}, {0x2190, 0x22ff},
    };
    if (svg)
        return (code & 0xfffe) != 0xfffe; /* not a character, and forbidden in XML */
    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (code >= ranges[i][0] && code <= ranges[i][1])
            return true;
    return false;
}

static bool is_plain(uint32_t code)
{
    return code >= 0x80 || code == ' ' || isalnum((int)code);
}

/* Other characters of ASCII are written by their octal numbers: gnuplot looks for quotes, backquotes, backslashes, @macros
 * and comments before it replaces these. (Its single quotes are no help: '' is no quote at the start of a string.)
 * Returns the bytes taken from s. */
static int write_character(gnuplot *g, const unsigned char *s)
{
    uint32_t code = 0;
    int length = decode(s, &code);
    if (length > 0 && is_control(code))
        putc(' ', g->script);
    else if (length == 0 || !is_drawable(code, g->svg))
        putc('?', g->script);
    else if (is_plain(code))
        fwrite(s, 1, (size_t)length, g->script);
    else
        fprintf(g->script, "\\%03o", (unsigned)code);
    return length > 0 ? length : 1;
}

void gnuplot_text(gnuplot *g, const char *text, int limit)
{
    const unsigned char *s = (const unsigned char *)(text ? text : "");
    fputs(" \"", g->script);
    for (int n = 0; *s && n < limit; n++)
        s += write_character(g, s);
    fputs(*s ? "…\"" : "\"", g->script);
}
