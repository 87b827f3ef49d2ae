#include "engine/foreign_shape.h"

#include <stdlib.h>
#include <string.h>

typedef struct boxes {
    long number, numbers_each; /* of a pixel */
} boxes;

static status check_boxes(tensor_shape in, boxes b, const char *formula)
{
    if (in.channels == b.number * b.numbers_each)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "it needs %ld input channels, %s = %ld * %ld, and gets %d", b.number * b.numbers_each, formula, b.number, b.numbers_each,
                       in.channels);
}

static status region_shape(const section *s, tensor_shape in, tensor_shape *out)
{
    *out = in;
    boxes b = {option_integer(s, "num"), option_integer(s, "classes") + option_integer(s, "coords") + 1};
    return check_boxes(in, b, "num * (classes + coords + 1)");
}

static status yolo_shape(const section *s, tensor_shape in, tensor_shape *out)
{
    *out = in;
    bool all = !option_given(s, "mask");
    boxes b = {all ? option_integer(s, "num") : option_integers(s, "mask", NULL, 0), option_integer(s, "classes") + 4 + 1};
    return check_boxes(in, b, all ? "num * (classes + 5)" : "numbers of mask * (classes + 5)");
}

static status iseg_shape(const section *s, tensor_shape in, tensor_shape *out)
{
    *out = in;
    return check_boxes(in, (boxes){1, option_integer(s, "classes") + option_integer(s, "ids")}, "1 * (classes + ids)");
}

static status detection_shape(const section *s, tensor_shape in, tensor_shape *out)
{
    long side = option_integer(s, "side"), cell = (1 + option_integer(s, "coords")) * option_integer(s, "num") + option_integer(s, "classes");
    *out = in;
    if ((long)shape_count(in) == side * side * cell)
        return STATUS_OK;
    return status_fail(STATUS_BAD_CONFIG, "it needs %ld inputs, side * side * ((1 + coords) * num + classes), and gets %zu", side * side * cell, shape_count(in));
}

static status vector_shape(const section *s, tensor_shape in, tensor_shape *out)
{
    *out = shape_vector((int)option_integer(s, "output"));
    return STATUS_OK;
}

static status crnn_shape(const section *s, tensor_shape in, tensor_shape *out)
{
    *out = (tensor_shape){(int)option_integer(s, "output_filters"), in.height, in.width};
    return STATUS_OK;
}

/* A variant that a type of layers/ does not take has the sizes of those it takes. */
static status shape_of_type(const layer_type *type, const graph_node *foreign, tensor_shape in, tensor_shape *out)
{
    graph_node node = {.where = foreign->where, .net = foreign->net, .index = foreign->index, .in = in, .n_inputs = 1, .in_shapes = {in}};
    status s = type->configure(&node);
    *out = node.out;
    free(node.options);
    return s;
}

static status find_shape(const graph_node *node, tensor_shape in, tensor_shape *out)
{
    static const struct {
        const char *name;
        status (*shape)(const section *s, tensor_shape in, tensor_shape *out);
    } table[] = {
        {"rnn", vector_shape},    {"gru", vector_shape}, {"lstm", vector_shape}, {"crnn", crnn_shape},
        {"region", region_shape}, {"yolo", yolo_shape},  {"iseg", iseg_shape},   {"detection", detection_shape},
    };
    const layer_type *type = layer_find(node->where->spec->name);
    if (type)
        return shape_of_type(type, node, in, out);
    for (size_t i = 0; i < sizeof table / sizeof *table; ++i)
        if (strcmp(table[i].name, node->where->spec->name) == 0)
            return table[i].shape(node->where, in, out);
    return status_fail(STATUS_BAD_CONFIG, "nothing is known about this type of layer");
}

status foreign_shape_of(const graph *g, const char *path, int index, tensor_shape *out)
{
    const graph_node *node = &g->nodes[index];
    status s = find_shape(node, index > 0 ? g->nodes[index - 1].out : g->input, out);
    return s == STATUS_OK ? s : section_fail(node->where, path, strdupa(status_text()));
}
