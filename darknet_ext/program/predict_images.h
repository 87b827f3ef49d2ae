/* `predict -image`: what a network says about pictures, and the gradients of its outputs by their pixels. */
#ifndef DNX_PROGRAM_PREDICT_IMAGES_H
#define DNX_PROGRAM_PREDICT_IMAGES_H

#include "program/arguments.h"

/* Flags that do not go together with -image. */
status predict_images_check(const arguments *a);

/* Prints the largest outputs of every picture; with -derivatives writes pictures of a gradient, and its numbers, into the folder -out. */
status predict_images(plugin_network *p, const arguments *a);

#endif
