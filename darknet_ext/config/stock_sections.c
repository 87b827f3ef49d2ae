/* Stock layer sections: their keys, types and defaults as the stock parser reads them. */
#include "config/extra_sections.h"

#include <limits.h>
#include <stddef.h>

#include "core/activation_math.h"

/* Activations that stock Darknet knows; the others it would silently take for relu. */
static const char *const stock_activations[] = {
#define KEEP_true(name) name,
#define KEEP_false(name)
#define STOCK_NAME(e, name, piecewise, stock) KEEP_##stock(name)
    ACTIVATION_TABLE(STOCK_NAME)
#undef STOCK_NAME
#undef KEEP_true
#undef KEEP_false
        NULL,
};

#define NO_RANGE 1, 0, NULL
#define COUNT 1, 1e6, NULL
#define FACTOR 0, 1e6, NULL
#define FLAG 0, 1, NULL
#define UNIT 0, 1, NULL
#define ACTIVATION_OPTION(fallback) {"activation", OPTION_CHOICE, fallback, 1, 0, stock_activations, "function of each output"}
#define BATCH_NORMALIZE {"batch_normalize", OPTION_BOOLEAN, "0", FLAG, "1: normalise over the batch before the activation"}
#define OUTPUT {"output", OPTION_INTEGER, "1", 1, INT_MAX, NULL, "number of outputs"}
#define CLASSES(fallback) {"classes", OPTION_INTEGER, fallback, COUNT, "number of classes"}
#define ANCHORS {"anchors", OPTION_REALS, "", FACTOR, "width,height of each box shape"}
#define BOX_SHAPES {"num", OPTION_INTEGER, "1", 1, 10000, NULL, "number of box shapes"}
#define JITTER {"jitter", OPTION_REAL, ".2", UNIT, "largest random shift and change of aspect, as a part of the side"}
#define RANDOM_SIZE {"random", OPTION_BOOLEAN, "0", FLAG, "1: the input size varies during training"}
#define MAP {"map", OPTION_TEXT, "", NO_RANGE, "file with the class number of each label"}
#define TREE {"tree", OPTION_TEXT, "", NO_RANGE, "file with the class hierarchy"}
#define SOFTMAX_CLASSES {"softmax", OPTION_BOOLEAN, "0", FLAG, "1: softmax over the classes"}
#define SCALE_OF(key, meaning) {key, OPTION_REAL, "1", FACTOR, meaning}

static const option_spec rnn_options[] = {
    OUTPUT,
    ACTIVATION_OPTION("logistic"),
    BATCH_NORMALIZE,
    {"shortcut", OPTION_BOOLEAN, "0", FLAG, "1: add the state of the step before"},
    {"hidden", OPTION_IGNORED, "", NO_RANGE, "the hidden state has `output` numbers"},
    {0},
};

static const option_spec gru_options[] = {
    OUTPUT, BATCH_NORMALIZE, {"tanh", OPTION_BOOLEAN, "0", FLAG, "1: candidate state by tanh, else logistic"}, {0},
};

static const option_spec lstm_options[] = {OUTPUT, BATCH_NORMALIZE, {0}};

static const option_spec crnn_options[] = {
    {"output_filters", OPTION_INTEGER, "1", COUNT, "output channels"},
    {"hidden_filters", OPTION_INTEGER, "1", COUNT, "channels of the hidden state"},
    ACTIVATION_OPTION("logistic"),
    BATCH_NORMALIZE,
    {"shortcut", OPTION_BOOLEAN, "0", FLAG, "1: add the state of the step before"},
    {0},
};

/* Stock Darknet keeps 30 labels per image for [region] and 90 for [yolo]: more would be read past their end. */
static const option_spec region_options[] = {
    ANCHORS,
    BOX_SHAPES,
    CLASSES("20"),
    {"coords", OPTION_INTEGER, "4", 4, 10000, NULL, "numbers per box: 4, more with masks"},
    SOFTMAX_CLASSES,
    {"log", OPTION_BOOLEAN, "0", FLAG, "1: logarithmic loss"},
    {"sqrt", OPTION_BOOLEAN, "0", FLAG, "1: compare roots of width and height"},
    {"background", OPTION_BOOLEAN, "0", FLAG, "1: background is a class"},
    {"max", OPTION_INTEGER, "30", 1, 30, NULL, "labels per image"},
    JITTER,
    {"rescore", OPTION_BOOLEAN, "0", FLAG, "1: the object score is the overlap"},
    {"thresh", OPTION_REAL, ".5", UNIT, "overlap above which a box is not background"},
    {"classfix", OPTION_INTEGER, "0", -1, 1, NULL, "use of classes without a box"},
    {"absolute", OPTION_BOOLEAN, "0", FLAG, "1: absolute coordinates"},
    RANDOM_SIZE,
    SCALE_OF("coord_scale", "weight of the coordinates"),
    SCALE_OF("object_scale", "weight of boxes with an object"),
    SCALE_OF("noobject_scale", "weight of boxes without one"),
    SCALE_OF("mask_scale", "weight of the masks"),
    SCALE_OF("class_scale", "weight of the classes"),
    {"bias_match", OPTION_BOOLEAN, "0", FLAG, "1: match labels to box shapes by size"},
    TREE,
    MAP,
    {0},
};

static const option_spec yolo_options[] = {
    ANCHORS,
    BOX_SHAPES,
    {"mask", OPTION_INTEGERS, "", 0, 9999, NULL, "numbers of the box shapes this layer predicts; none: all"},
    CLASSES("20"),
    {"max", OPTION_INTEGER, "90", 1, 90, NULL, "labels per image"},
    JITTER,
    {"ignore_thresh", OPTION_REAL, ".5", UNIT, "overlap above which a box without label costs nothing"},
    {"truth_thresh", OPTION_REAL, "1", UNIT, "overlap above which a box counts as found"},
    RANDOM_SIZE,
    MAP,
    {0},
};

static const option_spec iseg_options[] = {
    CLASSES("20"), {"ids", OPTION_INTEGER, "32", COUNT, "numbers per instance embedding"}, {0},
};

static const option_spec detection_options[] = {
    CLASSES("1"),
    {"coords", OPTION_INTEGER, "1", 1, 10000, NULL, "numbers per box"},
    {"num", OPTION_INTEGER, "1", 1, 10000, NULL, "boxes per cell"},
    {"side", OPTION_INTEGER, "7", 1, 65536, NULL, "cells per side"},
    {"rescore", OPTION_BOOLEAN, "0", FLAG, "1: the object score is the overlap"},
    SOFTMAX_CLASSES,
    {"sqrt", OPTION_BOOLEAN, "0", FLAG, "1: predict roots of width and height"},
    {"max", OPTION_INTEGER, "90", 1, 65536, NULL, "labels per image"},
    {"forced", OPTION_BOOLEAN, "0", FLAG, "1: every label takes the same box of its cell"},
    SCALE_OF("coord_scale", "weight of the coordinates"),
    SCALE_OF("object_scale", "weight of boxes with an object"),
    SCALE_OF("noobject_scale", "weight of boxes without one"),
    SCALE_OF("class_scale", "weight of the classes"),
    JITTER,
    RANDOM_SIZE,
    {"reorg", OPTION_BOOLEAN, "0", FLAG, "1: the input is an image of cells"},
    {0},
};

static const char recurrent[] = "its state runs from sample to sample, so that no sample has a derivative of its own";
static const char boxes[] = "it is a loss on boxes, which it matches to its outputs by their overlap";
static const char instances[] = "it is a loss on the instances of an image, whose means it compares";

#define STAYS(name, alias, options, meaning, why) (&(const section_spec){name, alias, SECTION_LAYER, true, options, meaning, why})

const section_spec *const stock_sections[] = {
    STAYS("rnn", NULL, rnn_options, "recurrent layer", recurrent),
    STAYS("gru", NULL, gru_options, "gated recurrent unit", recurrent),
    STAYS("lstm", NULL, lstm_options, "long short-term memory", recurrent),
    STAYS("crnn", NULL, crnn_options, "convolutional recurrent layer", recurrent),
    STAYS("region", NULL, region_options, "object detection (YOLO 2)", boxes),
    STAYS("yolo", NULL, yolo_options, "object detection (YOLO 3)", boxes),
    STAYS("iseg", NULL, iseg_options, "instance segmentation", instances),
    STAYS("detection", NULL, detection_options, "object detection (YOLO 1)", boxes),
    NULL,
};
