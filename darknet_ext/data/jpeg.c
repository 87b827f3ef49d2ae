/* A JPEG file is a chain of markers, 0xff and a code. Most are followed by a length and as many bytes; behind the start of a scan lie its coded
 * pixels, in which 0xff is followed by 0, or by the code of a restart. */
#include "data/jpeg.h"

#include <stdbool.h>
#include <stdio.h>

enum { MARKER = 0xff, START = 0xd8, END = 0xd9, SCAN = 0xda, FIRST_RESTART = 0xd0, LAST_RESTART = 0xd7 };

static bool has_length(int code)
{
    return code != 0x01 && !(code >= FIRST_RESTART && code <= END);
}

/* The code of the next marker, from wherever the file stands; EOF. Only this thread has the file: a lock for every byte would cost a tenth of
 * decoding. */
static int next_code(FILE *f)
{
    int byte = getc_unlocked(f);
    while (byte != EOF) {
        if (byte != MARKER) {
            byte = getc_unlocked(f);
            continue;
        }
        while ((byte = getc_unlocked(f)) == MARKER) {
        }
        if (byte > 0 && !(byte >= FIRST_RESTART && byte <= LAST_RESTART))
            return byte;
    }
    return EOF;
}

static bool comes_to_its_end(FILE *f)
{
    int code;
    while ((code = next_code(f)) != EOF && code != END)
        if (has_length(code)) {
            int high = getc_unlocked(f), low = getc_unlocked(f);
            if (high == EOF || low == EOF || fseek(f, 256L * high + low - 2, SEEK_CUR) != 0)
                return false;
        }
    return code == END;
}

status jpeg_check_end(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        return STATUS_OK; /* whoever reads it will say why */
    bool good = getc_unlocked(f) != MARKER || getc_unlocked(f) != START || comes_to_its_end(f);
    fclose(f);
    return good ? STATUS_OK : status_fail(STATUS_BAD_FILE, "%s: error: the picture is cut off", path);
}
