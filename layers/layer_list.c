/* The one list of layers. A new layer is a file in this folder, a line here, and a row in tests/layer_cases.c. */
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "layers/layer.h"

extern const layer_type convolutional_layer_type;
extern const layer_type deconvolutional_layer_type;
extern const layer_type connected_layer_type;
extern const layer_type batchnorm_layer_type;
extern const layer_type activation_layer_type;
extern const layer_type dropout_layer_type;
extern const layer_type normalization_layer_type;
extern const layer_type l2norm_layer_type;
extern const layer_type softmax_layer_type;
extern const layer_type logistic_layer_type;
extern const layer_type maxpool_layer_type;
extern const layer_type avgpool_layer_type;
extern const layer_type route_layer_type;
extern const layer_type shortcut_layer_type;
extern const layer_type upsample_layer_type;
extern const layer_type reorg_layer_type;
extern const layer_type crop_layer_type;
extern const layer_type local_layer_type;
extern const layer_type cost_layer_type;
extern const layer_type critic_layer_type;
extern const layer_type sobolev_layer_type;

const layer_type *const layer_list[] = {
    &convolutional_layer_type,
    &deconvolutional_layer_type,
    &connected_layer_type,
    &batchnorm_layer_type,
    &activation_layer_type,
    &dropout_layer_type,
    &normalization_layer_type,
    &l2norm_layer_type,
    &softmax_layer_type,
    &logistic_layer_type,
    &maxpool_layer_type,
    &avgpool_layer_type,
    &route_layer_type,
    &shortcut_layer_type,
    &upsample_layer_type,
    &reorg_layer_type,
    &crop_layer_type,
    &local_layer_type,
    &cost_layer_type,
    &critic_layer_type,
    &sobolev_layer_type,
    NULL,
};

const layer_type *layer_find(const char *name)
{
    for (const layer_type *const *type = layer_list; *type; ++type) {
        const section_spec *spec = (*type)->spec;
        if (strcmp(spec->name, name) == 0 || (spec->alias && strcmp(spec->alias, name) == 0))
            return *type;
    }
    return NULL;
}

const layer_type *layer_for(const section *where)
{
    const layer_type *type = where->spec->role == SECTION_LAYER ? layer_find(where->spec->name) : NULL;
    return type && (!type->takes || type->takes(where)) ? type : NULL;
}

const char *layer_stays(const section *where)
{
    const layer_type *type = layer_find(where->spec->name);
    if (layer_for(where))
        return NULL;
    return type ? type->stays : where->spec->stays;
}

void layer_describe_foreign(const section *where, char *text, size_t size)
{
    static const char *const keys[] = {"batch_normalize", "binary", "xnor", "tree", NULL};
    snprintf(text, size, "[%s]", where->name);
    for (const char *const *key = keys; layer_find(where->spec->name) && *key; ++key)
        if (section_option(where->spec, *key) && option_given(where, *key) && strcmp(option_text(where, *key), "0") != 0)
            snprintf(text, size, "[%s] with %s=%s", where->name, *key, option_text(where, *key));
}
