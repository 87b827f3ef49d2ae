/* What stock Darknet and the plugin must agree on: one network a row. */
#ifndef DNX_TESTS_STOCK_CASES_H
#define DNX_TESTS_STOCK_CASES_H

#define TREE_FILE "test_stock.tree" /* of the directory the test runs in */
#define VECTOR "inputs=5 batch=6 learning_rate=.05 "
#define IMAGE "height=6 width=6 channels=2 batch=6 learning_rate=.02 "
#define SLOW_IMAGE "height=6 width=6 channels=2 batch=6 learning_rate=.001 "
#define DARKNETS_GRADIENT "batchnorm_gradient=darknet "
#define TANH_9 "connected output=9 activation=tanh"
#define TANH_8 "connected output=8 activation=tanh"
#define OUT_3 "connected output=3 activation=linear"
#define OUT_4 "connected output=4 activation=linear"
#define MLP TANH_9 " | connected output=7 activation=leaky | " OUT_3 " | cost"
#define HEAD TANH_9 " | " OUT_3 " | cost"
#define CONV "convolutional filters=4 size=3 pad=1 activation=leaky"
#define CONV_1x1 "convolutional filters=8 size=1 activation=tanh"
/* For what goes around it: with size=1 stock overwrites the delta below, to which others have added. */
#define CONV_3x3 "convolutional filters=8 size=3 pad=1 activation=tanh"

#define FAST_EXP 3e-5 /* e^x / sum e^x of -Ofast */

typedef enum label_kind {
    LABELS_UNIFORM, /* in (-1, 1) */
    LABELS_ONE_HOT,
    LABELS_MASKED,  /* uniform, one in three is -1234: "do not care" */
    LABELS_FAR      /* |label| between 40 and 50: every error is larger than 1 */
} label_kind;

typedef struct stock_case {
    const char *name, *net, *layers;
    const char *plugin_layers; /* NULL: the same */
    label_kind labels;
    double tolerance; /* 0: TOLERANCE */
    const char *values_only; /* why training is not compared; NULL: it is */
} stock_case;

/* Ours is. */
static const char not_its_derivative[] = "stock's backward is not the derivative of its forward";

#define ROW(name_, net_, ...) {.name = name_, .net = net_, .layers = __VA_ARGS__}

static const stock_case loss_cases[] = {
    ROW("sse", VECTOR, HEAD " type=sse"),
    ROW("sse, scale", VECTOR, HEAD " type=sse scale=.3"),
    ROW("masked", VECTOR, HEAD " type=masked", .labels = LABELS_MASKED),
    ROW("L1", VECTOR, HEAD " type=L1"),
    ROW("seg", VECTOR, HEAD " type=seg"),
    ROW("wgan", VECTOR, HEAD " type=wgan"),
    ROW("cost without keys", VECTOR, HEAD),
    ROW("masked, scale", VECTOR, HEAD " type=masked scale=.3", .labels = LABELS_MASKED),
    ROW("L1, scale", VECTOR, HEAD " type=L1 scale=.3"),
    ROW("keys for the GPU", VECTOR, HEAD " type=L1 ratio=.5 noobj=.3 thresh=.4"),
    ROW("seg, scale", VECTOR, HEAD " type=seg scale=2"),
    ROW("wgan, scale", VECTOR, HEAD " type=wgan scale=.1"),
    ROW("smooth, errors below 1, scale", VECTOR, TANH_9 " | connected output=3 activation=logistic | cost type=smooth scale=.2",
        .labels = LABELS_ONE_HOT),
    ROW("softmax", VECTOR, TANH_9 " | " OUT_4 " | softmax", .labels = LABELS_ONE_HOT),
    ROW("softmax, labels that are no classes", VECTOR, TANH_9 " | " OUT_4 " | softmax"),
    ROW("softmax, groups and temperature", VECTOR, TANH_9 " | connected output=6 activation=linear | softmax groups=2 temperature=3",
        .labels = LABELS_ONE_HOT),
    ROW("cost behind softmax", VECTOR, TANH_9 " | " OUT_4 " | softmax groups=1 | cost type=sse", .labels = LABELS_ONE_HOT, .tolerance = FAST_EXP),
    ROW("masked cost behind softmax", VECTOR, TANH_9 " | " OUT_4 " | softmax | cost type=masked scale=.5", .labels = LABELS_ONE_HOT,
        .tolerance = FAST_EXP),
    ROW("softmax in the middle, with its loss", VECTOR, TANH_9 " | " OUT_3 " | softmax | " TANH_8 " | " OUT_3 " | cost", .labels = LABELS_ONE_HOT,
        .tolerance = FAST_EXP),
    ROW("softmax without its loss", VECTOR, TANH_9 " | " OUT_4 " | softmax noloss=1 | cost", .values_only = not_its_derivative,
        .tolerance = FAST_EXP),
    ROW("softmax, spatial", IMAGE, CONV " | softmax spatial=1 noloss=1 | " HEAD, .values_only = not_its_derivative, .tolerance = FAST_EXP),
    ROW("logistic", VECTOR, TANH_9 " | " OUT_4 " | logistic", .labels = LABELS_ONE_HOT),
    ROW("logistic, labels between 0 and 1 and others", VECTOR, TANH_9 " | " OUT_4 " | logistic"),
    ROW("cost behind logistic", VECTOR, TANH_9 " | " OUT_4 " | logistic | cost scale=3", .labels = LABELS_ONE_HOT),
    ROW("logistic in the middle", VECTOR, TANH_9 " | " OUT_3 " | logistic | " TANH_8 " | " OUT_3 " | cost", .labels = LABELS_ONE_HOT),
    ROW("smooth, errors below 1", VECTOR, TANH_9 " | connected output=3 activation=logistic | cost type=smooth",
        .labels = LABELS_ONE_HOT),
};

static const stock_case layer_cases[] = {
    ROW("dropout of nothing", VECTOR, TANH_9 " | dropout probability=0 | dropout probability=0 | " HEAD),
    ROW("activation", VECTOR,
        "connected output=9 activation=linear | activation activation=tanh | activation activation=leaky | " HEAD),
    ROW("default activation", VECTOR, "connected output=9 | connected output=3 | cost"),
    ROW("learning_rate of layers", VECTOR,
        TANH_9 " learning_rate=.25 | connected output=7 activation=tanh learning_rate=0 | " OUT_3 " learning_rate=2 | cost"),
    ROW("stopbackward", VECTOR "decay=.01", TANH_9 " | " TANH_8 " stopbackward=1 | " HEAD),
    ROW("output as truth", VECTOR, "connected output=3 activation=tanh truth=1 | " TANH_9 " | " HEAD),
    ROW("odd sizes", "inputs=67 batch=33 learning_rate=.02",
        "connected output=131 activation=tanh | connected output=17 activation=leaky | " OUT_3 " | cost"),
    ROW("normalization", IMAGE, CONV " | normalization | " HEAD, .values_only = not_its_derivative),
    ROW("normalization, even size", IMAGE, CONV " | normalization size=2 alpha=.04 beta=.6 kappa=2 | " HEAD, .values_only = not_its_derivative),
    ROW("normalization, many channels", IMAGE, CONV_1x1 " | normalization size=3 alpha=.3 kappa=2 | " HEAD, .values_only = not_its_derivative),
    ROW("normalization, many channels, even size", IMAGE, CONV_1x1 " | normalization size=4 alpha=.3 kappa=2 | " HEAD,
        .values_only = not_its_derivative),
    ROW("normalization of single channels", IMAGE, CONV_1x1 " | normalization size=1 alpha=.3 kappa=2 | " HEAD, .values_only = not_its_derivative),
    ROW("normalization, window larger than the image", IMAGE, CONV " | normalization size=7 alpha=1 | " HEAD, .values_only = not_its_derivative),
    ROW("normalization of a vector", VECTOR, TANH_9 " | normalization alpha=.3 kappa=2 | " HEAD, .values_only = not_its_derivative),
    ROW("l2norm", IMAGE, CONV_1x1 " | l2norm | " HEAD, .values_only = not_its_derivative),
    ROW("l2norm of a vector", VECTOR, TANH_9 " | l2norm | " HEAD, .values_only = not_its_derivative),
    ROW("one of each", "inputs=1 batch=1 learning_rate=.05",
        "connected output=1 activation=tanh | connected output=1 activation=linear | cost"),
};

static const stock_case optimiser_cases[] = {
    ROW("momentum 0", VECTOR "momentum=0", MLP),
    ROW("momentum .97", VECTOR "momentum=.97", MLP),
    ROW("decay", VECTOR "decay=.05", MLP),
    ROW("subdivisions", "inputs=5 batch=12 subdivisions=3 learning_rate=.05 momentum=.8 decay=.01", MLP),
    ROW("policy step", VECTOR "policy=step step=30 scale=.3", MLP),
    ROW("policy steps", VECTOR "policy=steps steps=20,50,70 scales=.5,2,.1", MLP),
    ROW("policy poly", VECTOR "policy=poly power=2 max_batches=120", MLP),
    ROW("policy exp", VECTOR "policy=exp gamma=.97", MLP),
    ROW("policy sigmoid", VECTOR "policy=sigmoid gamma=.1 step=50", MLP),
    ROW("policy random", VECTOR "policy=random power=.5", MLP),
    ROW("burn_in", VECTOR "burn_in=40 power=2", MLP),
};

/* Training agrees with Darknet's own gradient. */
#define NORMALISED_ROW(name_, net_, ...) ROW(name_, net_ " " DARKNETS_GRADIENT, __VA_ARGS__, .tolerance = 3e-5 /* divides by small deviations */)

static const stock_case normalised_cases[] = {
    NORMALISED_ROW("connected, leaky", VECTOR, "connected output=12 activation=tanh | connected output=10 batch_normalize=1 activation=leaky | " HEAD),
    NORMALISED_ROW("connected, tanh", VECTOR, "connected output=12 batch_normalize=1 activation=tanh | " HEAD),
    NORMALISED_ROW("connected, linear", VECTOR "decay=.01", "connected output=12 batch_normalize=1 activation=linear | " HEAD),
    NORMALISED_ROW("connected, output", VECTOR, TANH_8 " | connected output=3 batch_normalize=1 activation=linear | cost"),
    NORMALISED_ROW("connected, batch of three", "inputs=5 batch=3 learning_rate=.002", "connected output=10 batch_normalize=1 activation=logistic | " HEAD),
    NORMALISED_ROW("convolutional, leaky", IMAGE, CONV " batch_normalize=1 | " CONV " batch_normalize=1 | " HEAD),
    NORMALISED_ROW("convolutional, relu", IMAGE, "convolutional filters=17 size=3 activation=relu batch_normalize=1 | " HEAD),
    NORMALISED_ROW("convolutional, tanh", IMAGE, "convolutional filters=5 size=3 stride=2 pad=1 activation=tanh batch_normalize=1 | " HEAD),
    NORMALISED_ROW("convolutional, many pixels, tanh", IMAGE, "convolutional filters=5 size=1 activation=tanh batch_normalize=1 | " HEAD),
    NORMALISED_ROW("convolutional, few pixels", IMAGE, CONV " | convolutional filters=7 size=5 activation=leaky batch_normalize=1 | " HEAD),
    NORMALISED_ROW("convolutional, one sample", "height=6 width=6 channels=2 batch=1 learning_rate=.005", CONV " batch_normalize=1 | " HEAD),
    NORMALISED_ROW("convolutional, subdivisions", IMAGE "subdivisions=3 momentum=.7", CONV " batch_normalize=1 | " HEAD),
    NORMALISED_ROW("deconvolutional", IMAGE, "deconvolutional filters=3 size=2 stride=2 activation=leaky batch_normalize=1 | " HEAD),
    NORMALISED_ROW("batchnorm", IMAGE, CONV " | batchnorm learning_rate=0 | " HEAD), /* stock never trains its scales */
    NORMALISED_ROW("batchnorm of a vector", VECTOR, TANH_9 " | batchnorm learning_rate=0 | " HEAD),
};

/* Layers the engine does not know, in every place around those it runs. */
static const stock_case mixed_cases[] = {
    ROW("convolutional in front", IMAGE, CONV " | maxpool size=2 stride=2 | " HEAD),
    ROW("hierarchical softmax behind", VECTOR, TANH_9 " | connected output=5 activation=linear | softmax tree=" TREE_FILE, .labels = LABELS_ONE_HOT,
        .tolerance = FAST_EXP),
    ROW("convolutional between", VECTOR, "connected output=12 activation=tanh | " CONV_1x1 " | " HEAD),
    ROW("alternating", IMAGE DARKNETS_GRADIENT "subdivisions=3 decay=.01",
        "convolutional filters=3 size=3 stride=2 batch_normalize=1 activation=leaky | " TANH_8 " | " CONV_1x1
        " | connected output=8 activation=leaky | " CONV_1x1 " | " OUT_4 " | softmax",
        .labels = LABELS_ONE_HOT),
    ROW("shortcut around", VECTOR,
        TANH_8 " | " TANH_8 " | connected output=8 activation=linear | shortcut from=-3 activation=leaky | " HEAD),
    ROW("shortcuts from one layer", VECTOR,
        TANH_8 " | " TANH_8 " | shortcut from=0 | shortcut from=0 alpha=.5 beta=-1 | " TANH_8 " | shortcut from=0 | " HEAD),
    ROW("shortcut over two layers", IMAGE, CONV " | " TANH_8 " | " CONV_3x3 " | shortcut from=-2 activation=linear | " HEAD),
    ROW("shortcut from a foreign layer", VECTOR, TANH_8 " | " CONV_1x1 " | " TANH_8 " | shortcut from=-2 | " HEAD),
    ROW("shortcut from dropout", VECTOR, TANH_8 " | dropout probability=0 | " TANH_8 " | shortcut from=1 | " HEAD),
    ROW("route joins", VECTOR,
        "connected output=6 activation=tanh | connected output=5 activation=tanh | connected output=4 activation=leaky | "
        "route layers=-1,-2,0 | " HEAD),
    ROW("route takes one layer twice", VECTOR, "connected output=6 activation=tanh | route layers=-1,-1 | " HEAD),
    ROW("route past a layer", VECTOR "decay=.01",
        "connected output=6 activation=tanh | connected output=5 activation=tanh | route layers=0 | " HEAD),
    ROW("dropout behind convolutional", IMAGE, CONV " | dropout probability=0 | maxpool size=2 stride=2 | " HEAD),
    ROW("dropout before convolutional", VECTOR,
        "connected output=12 activation=tanh | dropout probability=0 | " CONV_1x1 " | " HEAD),
    ROW("activation between foreign layers", IMAGE,
        "convolutional filters=4 size=3 pad=1 activation=linear | activation activation=tanh | maxpool size=2 stride=2 | " HEAD),
    ROW("local", IMAGE, CONV " | local filters=3 size=1 activation=leaky | " HEAD),
    ROW("reorg", IMAGE, CONV " | reorg stride=2 | " HEAD),
    ROW("reorg, reverse", IMAGE, CONV " | reorg stride=2 reverse=1 | " HEAD),
    ROW("reorg, flatten", IMAGE, CONV " | reorg stride=2 flatten=1 | " HEAD),
    ROW("reorg, extra", IMAGE, CONV " | reorg extra=5 | " HEAD),
    ROW("maxpool", IMAGE, CONV " | maxpool size=3 stride=2 | maxpool size=2 stride=1 | " HEAD),
    /* A window changes its mind; which one, and when, depends on the order of sums, that is on the processor. */
    ROW("maxpool, padding", IMAGE, CONV " | maxpool size=3 stride=1 padding=3 | " HEAD, .tolerance = 3e-4),
    ROW("shortcut with other channels", IMAGE, CONV " | convolutional filters=7 size=3 pad=1 activation=tanh | shortcut from=-2 | " HEAD),
    ROW("shortcut with other sizes", IMAGE, CONV " | convolutional filters=4 size=3 pad=1 stride=2 activation=tanh | shortcut from=-2 | " HEAD),
    ROW("upsample", IMAGE, CONV " | upsample stride=2 | " HEAD),
    ROW("avgpool", IMAGE, CONV " | avgpool | " HEAD),
    ROW("deconvolutional", IMAGE, "deconvolutional filters=2 size=2 stride=2 activation=leaky | " HEAD),
    ROW("crop of everything", IMAGE, "crop crop_height=6 crop_width=6 | " HEAD),
    ROW("crop", IMAGE, "crop crop_height=4 crop_width=5 flip=1 noadjust=1 | " HEAD, .values_only = "the random numbers are others"),
    ROW("gru", VECTOR, "connected output=6 activation=tanh | gru output=5 | " HEAD),
    ROW("stopbackward below", IMAGE "decay=.01", CONV " stopbackward=1 | " TANH_8 " | " HEAD),
    ROW("stopbackward above", IMAGE "decay=.01", CONV " | " TANH_8 " stopbackward=1 | " HEAD),
};

/* What stock can resize. */
static const stock_case resize_cases[] = {
    ROW("convolutions", SLOW_IMAGE, CONV " | convolutional filters=5 size=3 stride=2 activation=tanh | " CONV_1x1 " | cost"),
    ROW("maxpool", SLOW_IMAGE, CONV " | maxpool size=3 stride=2 | " CONV_3x3 " | cost"),
    ROW("avgpool", SLOW_IMAGE, CONV " | maxpool size=2 | " CONV_3x3 " | avgpool | cost"),
    ROW("yolo", SLOW_IMAGE, CONV " | convolutional filters=12 size=1 activation=linear | yolo classes=1 num=2", .values_only = "labels are boxes"),
    ROW("region", SLOW_IMAGE, CONV " | convolutional filters=14 size=1 activation=linear | region classes=2 num=2 softmax=1",
        .values_only = "labels are boxes"),
    ROW("layers behind avgpool", IMAGE, CONV " | avgpool | " HEAD),
    ROW("shortcut and route", SLOW_IMAGE, CONV " | convolutional filters=4 size=3 pad=1 activation=tanh | shortcut from=0 | route layers=-1,1 | " CONV_3x3 " | cost"),
    ROW("upsample and reorg", SLOW_IMAGE, CONV " | upsample stride=2 | reorg stride=2 | " CONV_3x3 " | cost"),
    ROW("normalization", SLOW_IMAGE, CONV " | normalization size=3 alpha=.02 | " CONV_3x3 " | cost",
        .values_only = not_its_derivative),
    ROW("crop", SLOW_IMAGE, "crop crop_height=4 crop_width=3 | " CONV " | cost", .values_only = "the random numbers are others"),
};

/* More than stock can. */
static const char *const resized_like_new[] = {
    CONV " | dropout probability=.3 | " CONV_3x3 " | activation activation=tanh | cost",
    CONV " | " CONV_1x1 " | sobolev order=1 target=zero projections=2",
    CONV " | l2norm | avgpool | " HEAD,
    CONV " | maxpool size=2 stride=2 | reorg stride=1 | logistic",
    CONV " | upsample stride=2 | route layers=-1,-1 | softmax noloss=1 | cost",
    CONV " | " CONV_3x3 " | sobolev order=2 target=zero projections=1 projections_2=1 wrt=0",
};

/* [cost] takes half of the derivative of sum e^2, [sobolev] the whole; a derivative loss of next to no weight sends jets
 * through the network and leaves the gradient as it is. */
#define TINY "target=zero weight_1=1e-20 weight_2=1e-20"
#define TO_COST(layers_) layers_ " | cost scale=2", .plugin_layers = layers_
#define SMOOTH_HEAD TANH_9 " | " OUT_3

static const stock_case sobolev_cases[] = {
    ROW("sobolev order 0", VECTOR, TO_COST(SMOOTH_HEAD) " | sobolev order=0"),
    ROW("sobolev order 1", VECTOR "subdivisions=2 decay=.01", TO_COST(SMOOTH_HEAD) " | sobolev order=1 " TINY),
    ROW("sobolev order 2", VECTOR, TO_COST(SMOOTH_HEAD) " | sobolev order=2 " TINY),
    ROW("sobolev order 1, projections", VECTOR, TO_COST(SMOOTH_HEAD) " | sobolev order=1 projections=2 " TINY),
    ROW("sobolev order 2, dropout of nothing", VECTOR,
        TO_COST(TANH_8 " | dropout probability=0 | " SMOOTH_HEAD) " | sobolev order=2 " TINY),
    ROW("sobolev order 1 on convolutional", IMAGE, TO_COST(CONV " | " SMOOTH_HEAD) " | sobolev order=1 wrt=0 " TINY),
    ROW("sobolev order 2 on convolutional", IMAGE,
        TO_COST(CONV " | " SMOOTH_HEAD) " | sobolev order=2 projections_2=3 wrt=0 " TINY),
    ROW("sobolev order 1 above adopted and foreign layers", VECTOR,
        TO_COST("connected output=12 activation=tanh | " CONV_1x1 " | connected output=6 activation=leaky | " SMOOTH_HEAD)
        " | sobolev order=1 wrt=2 " TINY),
    ROW("sobolev order 0 on a foreign layer", VECTOR, TO_COST(SMOOTH_HEAD " | gru output=3") " | sobolev order=0"),
};

#endif
