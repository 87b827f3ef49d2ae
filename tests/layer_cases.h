/* The table of layer cases: adding a layer means adding a row here (layers/README.md). */
#ifndef DNX_TESTS_LAYER_CASES_H
#define DNX_TESTS_LAYER_CASES_H

typedef struct layer_case {
    const char *layer;     /* the type the case is about */
    const char *name;
    const char *input;     /* keys of [net]: inputs, or channels, height and width */
    const char *sections;  /* cfg text of the layers */
    const char *objective; /* keys of [sobolev] */
    int order;             /* to which derivatives are checked */
    const char *no_order_2; /* why not 2; NULL when order is 2 */
} layer_case;

extern const layer_case layer_cases[];
extern const int layer_case_count;

#endif
