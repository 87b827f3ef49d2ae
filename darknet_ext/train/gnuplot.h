/* One picture in the making: a script is written, then a gnuplot process draws it. Private to train/plot*.c.
 *
 * Neither a shell nor a file name comes near the script: gnuplot reads it on standard input and draws to standard output,
 * which is the picture's temporary file. The script lies in memory, so a gnuplot that stops reading cannot stop us. */
#ifndef DNX_TRAIN_GNUPLOT_H
#define DNX_TRAIN_GNUPLOT_H

#include <locale.h>
#include <stdbool.h>
#include <stdio.h>

#include "core/status.h"

typedef struct gnuplot {
    FILE *script;        /* commands and data go here; numbers get a decimal point in every locale */
    const char *picture; /* borrowed */
    bool svg;
    locale_t numbers, before;
} gnuplot;

/* Starts a script for a picture of that many pixels; the format follows the ending of `picture`. After STATUS_OK the
 * caller must call gnuplot_finish() on the same thread: until then the thread's locale is "C". */
status gnuplot_begin(gnuplot *g, const char *picture, int width, int height);

/* Writes a space and the text as a string in which gnuplot interprets nothing (NULL: the empty string). Control
 * characters become spaces; bytes that are not UTF-8, and in a PNG characters that usual fonts lack, become '?'; what is
 * longer than `limit` characters is cut. */
void gnuplot_text(gnuplot *g, const char *text, int limit);

/* Splits the picture into rows x columns panels, filled from the left, under a title of at most `limit` characters. */
void gnuplot_panels(gnuplot *g, int rows, int columns, const char *title, int limit);

/* The next larger 1, 2 or 5 times a power of ten. */
double gnuplot_tic_step(double rough);

/* Draws the script, gives the picture its name once it is whole, and frees everything. */
status gnuplot_finish(gnuplot *g);

#endif
