/* Labels that [teacher] gives for whole data sets: those of a function, once for all training and test points; what a teacher network says at
 * the test points, where the data has no labels for them (in training it teaches batch by batch, engine/teacher.h). */
#ifndef DNX_TRAIN_TEACHER_LABELS_H
#define DNX_TRAIN_TEACHER_LABELS_H

#include "bridge/plugin.h"
#include "data/black_box.h"
#include "data/data_source.h"

/* The [teacher] section that names a function; NULL: there is none. */
const section *teacher_function(plugin_network *p);

/* Finds the function and chooses the steps of its finite differences on the box of the data; *box stays NULL without one, else is freed by
 * the caller. */
status teacher_function_open(plugin_network *p, const data_source *data, black_box **box);

/* Values and derivatives of the function, to the order that the loss looks at (`test`: the test errors), in place of the set's labels. */
status teacher_function_label(plugin_network *p, black_box *box, bool test, dataset *set);

/* What data_source_describe() says of a function that the data come from. */
void teacher_function_describe(plugin_network *p, const black_box *box, FILE *out);

/* A test set without a single label gets the values of the teacher network, and derivatives up to `order` that it has, as long as they fit
 * into some hundred megabytes. Nothing happens without one that was read. */
status teacher_network_label(plugin_network *p, int order, dataset *set);

/* A test set as it is measured: with the labels of the function, or of the network where it has none; as it is without a teacher. */
status teacher_label_tests(plugin_network *p, black_box *box, dataset *test);

#endif
