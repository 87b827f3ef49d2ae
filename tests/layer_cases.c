#include "layer_cases.h"

#include <stddef.h>

#define INPUTS(n) "inputs=" #n "\n"
#define IMAGE(c, h, w) "channels=" #c "\nheight=" #h "\nwidth=" #w "\n"
#define CONVOLUTIONAL(keys) "[convolutional]\n" keys
#define DECONVOLUTIONAL(keys) "[deconvolutional]\n" keys
#define SOFTMAX(keys) "[softmax]\n" keys
#define CONNECTED(n, f) "[connected]\noutput=" #n "\nactivation=" #f "\n"

static const char piecewise[] = "its second derivative is zero wherever it exists";

/* One row per activation: alone, and inside a connected layer that is itself between two others. */
#define SMOOTH(f)                                                                                                      \
    {"activation", #f, INPUTS(3), CONNECTED(4, linear) "[activation]\nactivation=" #f "\n" CONNECTED(2, linear), "order=2\n", 2, NULL}, \
        {"connected", #f, INPUTS(2), CONNECTED(5, tanh) CONNECTED(3, f) CONNECTED(2, linear), "order=2\n", 2, NULL}
#define PIECEWISE(f)                                                                                                   \
    {"activation", #f, INPUTS(3), CONNECTED(4, linear) "[activation]\nactivation=" #f "\n" CONNECTED(2, linear), "order=1\n", 1, piecewise}, \
        {"connected", #f, INPUTS(2), CONNECTED(5, tanh) CONNECTED(3, f) CONNECTED(2, linear), "order=1\n", 1, piecewise}, \
    { "connected", #f " among smooth ones, order 2", INPUTS(2), CONNECTED(5, tanh) CONNECTED(3, f) CONNECTED(2, linear), "order=2\nallow_zero_curvature=1\n", 2, NULL }

#define MLP CONNECTED(5, tanh) CONNECTED(4, swish) CONNECTED(3, linear)

const layer_case layer_cases[] = {
    SMOOTH(logistic),
    SMOOTH(tanh),
    SMOOTH(elu),
    SMOOTH(loggy),
    SMOOTH(selu),
    SMOOTH(softplus),
    SMOOTH(swish),
    SMOOTH(sin),
    PIECEWISE(relu),
    PIECEWISE(relie),
    PIECEWISE(ramp),
    PIECEWISE(plse),
    PIECEWISE(leaky),
    PIECEWISE(stair),
    PIECEWISE(hardtan),
    PIECEWISE(lhtan),
    {"activation", "linear", INPUTS(3), CONNECTED(4, tanh) "[activation]\nactivation=linear\n", "order=2\n", 2, NULL},
    {"connected", "single layer, one input", INPUTS(1), CONNECTED(1, tanh), "order=2\n", 2, NULL},
    {"connected", "odd sizes", INPUTS(7), CONNECTED(13, softplus) CONNECTED(1, logistic), "order=2\n", 2, NULL},
    {"connected", "one unit in the middle", INPUTS(3), CONNECTED(1, sin) CONNECTED(4, tanh), "order=2\n", 2, NULL},
    {"dropout", "between layers", INPUTS(4), CONNECTED(9, tanh) "[dropout]\nprobability=.4\n" CONNECTED(3, sin), "order=2\n", 2, NULL},
    {"dropout", "of the input", INPUTS(6), "[dropout]\nprobability=.3\n" CONNECTED(3, tanh), "order=2\n", 2, NULL},
    {"dropout", "of the output", INPUTS(3), CONNECTED(6, tanh) "[dropout]\nprobability=.3\n", "order=1\n", 1, "the order-2 rows stand above"},
    {"sobolev", "values only", INPUTS(3), MLP, "order=0\n", 2, NULL},
    {"sobolev", "order 1, all losses differ", INPUTS(3), MLP, "order=1\nloss=huber\nloss_1=norm\nweight=.7\nweight_1=3\n", 2, NULL},
    {"sobolev", "relative and l1", INPUTS(3), MLP, "order=2\nloss=relative\nloss_1=l1\nloss_2=relative\nrelative_epsilon=.1\n", 2, NULL},
    {"sobolev", "huber with a small delta", INPUTS(3), MLP, "order=2\nloss=norm\nloss_1=huber\nloss_2=huber\nhuber_delta=.3\n", 2, NULL},
    {"sobolev", "sphere", INPUTS(3), MLP, "order=2\nprojections=3\nprojections_2=2\n", 2, NULL},
    {"sobolev", "rademacher, fixed", INPUTS(3), MLP, "order=2\nprojections=2\nprojections_2=3\nprojection=rademacher\nresample=0\n", 2, NULL},
    {"sobolev", "gaussian", INPUTS(3), MLP, "order=1\nprojections=4\nprojection=gaussian\n", 2, NULL},
    {"sobolev", "coordinate", INPUTS(3), MLP, "order=2\nprojections=2\nprojection=coordinate\nprojections_2=1\n", 2, NULL},
    {"sobolev", "full Jacobian, projected Hessian", INPUTS(3), MLP, "order=2\nprojections_2=2\n", 2, NULL},
    {"sobolev", "projected Jacobian, full Hessian", INPUTS(3), MLP, "order=2\nprojections=2\n", 2, NULL},
    {"sobolev", "derivatives only", INPUTS(3), MLP, "order=2\nweight=0\n", 2, NULL},
    {"sobolev", "second order only", INPUTS(3), MLP, "order=2\nweight=0\nweight_1=0\n", 2, NULL},
    {"sobolev", "first order by weight", INPUTS(3), MLP, "order=2\nweight_2=0\n", 2, NULL},
    {"sobolev", "log-probabilities", INPUTS(3), MLP, "order=2\ndifferentiate=log_probabilities\n", 2, NULL},
    {"sobolev", "log-probabilities, projected", INPUTS(3), MLP, "order=2\ndifferentiate=log_probabilities\nprojections=2\nprojections_2=2\nloss_1=norm\n", 2, NULL},
    {"sobolev", "squared error", INPUTS(3), MLP, "order=2\ndifferentiate=loss\n", 2, NULL},
    {"sobolev", "cross-entropy", INPUTS(3), MLP, "order=2\ndifferentiate=loss\nobjective_loss=cross_entropy\ntarget=zero\n", 2, NULL},
    {"sobolev", "Jacobian norm", INPUTS(3), MLP, "order=1\ntarget=zero\nprojections=1\n", 2, NULL},
    {"sobolev", "an inner layer", INPUTS(3), MLP, "order=2\nwrt=0\ntarget=zero\n", 2, NULL},
    {"sobolev", "an inner layer, the loss", INPUTS(3), MLP, "order=1\nwrt=1\ntarget=zero\ndifferentiate=loss\nobjective_loss=cross_entropy\n", 2, NULL},
    {"connected", "scalar path", INPUTS(2), CONNECTED(6, relu) CONNECTED(5, leaky) CONNECTED(1, linear), "order=1\n", 1, piecewise},
    {"dropout", "scalar path", INPUTS(4), CONNECTED(9, relu) "[dropout]\nprobability=.4\n[activation]\nactivation=ramp\n" CONNECTED(1, hardtan),
     "order=1\nprojections=1\nweight=.3\nloss=huber\nloss_1=norm\n", 1, piecewise},
    {"connected", "scalar path without a value loss", INPUTS(2), CONNECTED(6, plse) CONNECTED(1, linear), "order=1\nweight=0\n", 1, piecewise},
    {"connected", "scalar path, deeper", INPUTS(3), CONNECTED(7, ramp) CONNECTED(6, hardtan) CONNECTED(5, leaky) CONNECTED(1, linear), "order=1\n", 1, piecewise},
    {"connected", "scalar path, one hidden layer", INPUTS(2), CONNECTED(9, relie) CONNECTED(1, linear), "order=1\nprojections=1\n", 1, piecewise},
    {"connected", "scalar path, leaky output", INPUTS(2), CONNECTED(6, relu) CONNECTED(1, leaky), "order=1\n", 1, piecewise},
    {"convolutional", "scalar path", IMAGE(2, 5, 4), CONVOLUTIONAL("filters=3\nsize=3\nactivation=leaky\n") CONNECTED(6, relu) CONNECTED(1, linear),
     "order=1\n", 1, piecewise},
    {"connected", "leaky outputs", INPUTS(2), CONNECTED(6, tanh) CONNECTED(3, leaky), "order=2\nallow_zero_curvature=1\n", 2, NULL},
    {"convolutional", "leaky outputs", IMAGE(2, 3, 2), CONVOLUTIONAL("filters=2\nsize=2\nactivation=leaky\n"), "order=1\n", 1, piecewise},
    {"connected", "one output, gaussian direction", INPUTS(2), CONNECTED(6, relu) CONNECTED(1, linear), "order=1\nprojections=1\nprojection=gaussian\n", 1, piecewise},
    {"convolutional", "padded, tanh", IMAGE(2, 5, 4), CONVOLUTIONAL("filters=3\nsize=3\npad=1\nactivation=tanh\n") CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"convolutional", "groups and strides", IMAGE(4, 6, 5),
     CONVOLUTIONAL("filters=6\nsize=3\nstride=2\npadding=1\ngroups=2\nactivation=logistic\n") CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"convolutional", "linear, wide padding", IMAGE(1, 3, 4), CONVOLUTIONAL("filters=2\nsize=2\npadding=2\nactivation=linear\n") CONNECTED(2, tanh),
     "order=2\n", 2, NULL},
    {"convolutional", "relu between smooth ones", IMAGE(2, 4, 4),
     CONVOLUTIONAL("filters=3\nsize=3\npad=1\nactivation=tanh\n") CONVOLUTIONAL("filters=4\nsize=2\nstride=2\nactivation=relu\n") CONNECTED(2, sin),
     "order=2\nallow_zero_curvature=1\n", 2, NULL},
    {"convolutional", "whole blocks of channels", IMAGE(16, 3, 3),
     CONVOLUTIONAL("filters=16\nsize=3\npad=1\nactivation=softplus\n") CONVOLUTIONAL("filters=16\nsize=1\nactivation=tanh\n") CONNECTED(2, linear),
     "order=2\nprojections=1\nprojections_2=1\nprojection=gaussian\n", 2, NULL},
    {"convolutional", "scalar path, whole blocks", IMAGE(3, 6, 5),
     CONVOLUTIONAL("filters=9\nsize=3\nstride=2\nactivation=leaky\n") CONVOLUTIONAL("filters=10\nsize=2\npadding=1\nactivation=plse\n")
         CONNECTED(1, linear),
     "order=1\n", 1, piecewise},
    {"deconvolutional", "stride 2, tanh", IMAGE(3, 3, 4),
     DECONVOLUTIONAL("filters=2\nsize=3\nstride=2\npad=1\nactivation=tanh\n") CONNECTED(2, linear),
     "order=2\n", 2, NULL},
    {"deconvolutional", "linear, gaps between kernels", IMAGE(2, 2, 3),
     DECONVOLUTIONAL("filters=3\nsize=2\nstride=3\nactivation=linear\n") CONNECTED(2, tanh),
     "order=2\n", 2, NULL},
    {"deconvolutional", "between convolutions of whole blocks", IMAGE(2, 4, 4),
     CONVOLUTIONAL("filters=16\nsize=3\nactivation=swish\n") DECONVOLUTIONAL("filters=17\nsize=2\nactivation=leaky\n") CONVOLUTIONAL("filters=2\nsize=2\nactivation=tanh\n")
         CONNECTED(2, linear),
     "order=2\nprojections=2\nprojections_2=1\nallow_zero_curvature=1\n", 2, NULL},
    {"deconvolutional", "beside a shortcut", IMAGE(2, 3, 3),
     CONVOLUTIONAL("filters=3\nsize=2\nactivation=tanh\n") DECONVOLUTIONAL("filters=3\nsize=3\npad=1\nactivation=sin\n")
         "[shortcut]\nfrom=-2\nactivation=tanh\n" CONNECTED(2, linear),
     "order=2\n", 2, NULL},
    {"deconvolutional", "leaky outputs", IMAGE(2, 2, 1), DECONVOLUTIONAL("filters=1\nsize=2\nactivation=leaky\n"), "order=1\n", 1, piecewise},
    {"deconvolutional", "scalar path", IMAGE(3, 3, 3), DECONVOLUTIONAL("filters=9\nsize=3\nstride=2\nactivation=relu\n") CONNECTED(1, linear), "order=1\n", 1, piecewise},
#define CONV(filters_, f) CONVOLUTIONAL("filters=" #filters_ "\nsize=1\nactivation=" #f "\n")
#define SHAPE_CASE(layer_, name_, input_, sections_) {layer_, name_, input_, sections_, "order=2\nallow_zero_curvature=1\n", 2, NULL}
    SHAPE_CASE("maxpool", "2 x 2", IMAGE(2, 4, 5), CONV(3, tanh) "[maxpool]\nsize=2\nstride=2\n" CONNECTED(2, sin)),
    SHAPE_CASE("maxpool", "overlapping, no padding", IMAGE(1, 5, 4), CONV(2, sin) "[maxpool]\nsize=3\nstride=1\npadding=0\n" CONNECTED(2, tanh)),
    SHAPE_CASE("maxpool", "of the input", IMAGE(2, 3, 5), "[maxpool]\nsize=3\nstride=2\n" CONNECTED(2, tanh)),
    {"maxpool", "scalar path", IMAGE(1, 4, 4), "[maxpool]\nsize=2\nstride=2\n" CONNECTED(5, relu) CONNECTED(1, linear), "order=1\n", 1, piecewise},
    SHAPE_CASE("avgpool", "of an image", IMAGE(2, 3, 4), CONV(3, tanh) "[avgpool]\n" CONNECTED(2, sin)),
    SHAPE_CASE("avgpool", "of a vector", INPUTS(3), CONNECTED(4, tanh) "[avgpool]\n" CONNECTED(2, sin)),
    {"avgpool", "scalar path", IMAGE(3, 2, 3), CONV(4, leaky) "[avgpool]\n" CONNECTED(1, linear), "order=1\n", 1, piecewise},
    SHAPE_CASE("route", "joins images", IMAGE(2, 2, 3), CONV(3, tanh) CONV(1, sin) CONV(2, softplus) "[route]\nlayers=-1,0,1\n" CONNECTED(2, tanh)),
    SHAPE_CASE("route", "joins images that fill blocks of 2", IMAGE(2, 2, 3), CONV(4, tanh) CONV(2, sin) CONV(3, softplus) "[route]\nlayers=0,-2,-1\n" CONV(2, tanh)),
    SHAPE_CASE("route", "joins vectors", IMAGE(1, 3, 3), CONV(2, tanh) "[maxpool]\nsize=2\nstride=2\n" CONV(3, sin) "[route]\nlayers=0,-1,1\n" CONNECTED(2, tanh)),
    SHAPE_CASE("route", "one layer twice", INPUTS(3), CONNECTED(4, tanh) "[route]\nlayers=-1,-1\n" CONNECTED(3, sin) "[route]\nlayers=-3,-1,0\n" CONNECTED(2, tanh)),
    SHAPE_CASE("route", "past a layer", INPUTS(3), CONNECTED(4, tanh) CONNECTED(2, sin) "[route]\nlayers=0\n" CONNECTED(2, tanh)),
    SHAPE_CASE("shortcut", "linear", INPUTS(3), CONNECTED(4, tanh) CONNECTED(4, sin) "[shortcut]\nfrom=0\nalpha=.5\nbeta=-2\n" CONNECTED(2, tanh)),
    SHAPE_CASE("shortcut", "smooth", INPUTS(3), CONNECTED(4, tanh) CONNECTED(4, linear) "[shortcut]\nfrom=-2\nactivation=tanh\n" CONNECTED(2, sin)),
    SHAPE_CASE("shortcut", "leaky", INPUTS(3), CONNECTED(4, tanh) CONNECTED(4, linear) "[shortcut]\nfrom=-2\nactivation=leaky\n" CONNECTED(2, sin)),
    SHAPE_CASE("shortcut", "from the layer below", INPUTS(3), CONNECTED(4, tanh) "[shortcut]\nfrom=-1\nactivation=relu\nalpha=2\nbeta=3\n" CONNECTED(2, sin)),
    SHAPE_CASE("shortcut", "chain", INPUTS(3), CONNECTED(4, tanh) "[shortcut]\nfrom=-1\nactivation=plse\n[shortcut]\nfrom=-2\nactivation=sin\n[shortcut]\nfrom=0\n"),
    SHAPE_CASE("shortcut", "from a larger image", IMAGE(2, 4, 4), CONV(3, tanh) CONVOLUTIONAL("filters=2\nsize=2\nstride=2\nactivation=sin\n")
                   "[shortcut]\nfrom=0\nalpha=.5\nbeta=3\nactivation=leaky\n" CONNECTED(2, tanh)),
    SHAPE_CASE("shortcut", "from a smaller image", IMAGE(2, 2, 2), CONV(3, tanh) "[upsample]\nstride=2\n" CONV(2, sin)
                   "[shortcut]\nfrom=0\nalpha=.5\nbeta=3\nactivation=tanh\n" CONNECTED(2, tanh)),
    SHAPE_CASE("upsample", "up", IMAGE(2, 2, 3), CONV(2, tanh) "[upsample]\nstride=2\nscale=.7\n" CONNECTED(2, sin)),
    SHAPE_CASE("upsample", "down", IMAGE(1, 4, 6), CONV(2, tanh) "[upsample]\nstride=-2\nscale=.7\n" CONNECTED(2, sin)),
    SHAPE_CASE("reorg", "to channels", IMAGE(4, 2, 2), "[reorg]\nstride=2\n" CONNECTED(2, tanh)),
    SHAPE_CASE("reorg", "to channels, few of them", IMAGE(1, 4, 2), "[reorg]\nstride=2\n" CONNECTED(2, tanh)),
    SHAPE_CASE("reorg", "to pixels", IMAGE(4, 2, 1), "[reorg]\nstride=2\nreverse=1\n" CONNECTED(2, tanh)),
    SHAPE_CASE("reorg", "flattened", IMAGE(3, 2, 2), "[reorg]\nflatten=1\n[reorg]\nflatten=1\nreverse=1\n" CONNECTED(2, tanh)),
    SHAPE_CASE("reorg", "extra", INPUTS(3), CONNECTED(4, tanh) "[reorg]\nextra=2\n" CONNECTED(2, sin)),
    SHAPE_CASE("crop", "of the input", IMAGE(2, 4, 4), "[crop]\ncrop_height=2\ncrop_width=3\nflip=1\n" CONNECTED(2, tanh)),
    SHAPE_CASE("crop", "of layers", IMAGE(1, 3, 4), CONV(2, tanh) "[crop]\ncrop_height=2\ncrop_width=2\nnoadjust=1\n" CONNECTED(2, sin)),
    SHAPE_CASE("local", "padded, tanh", IMAGE(2, 4, 3), "[local]\nfilters=2\nsize=3\npad=1\nactivation=tanh\n" CONNECTED(2, linear)),
    SHAPE_CASE("local", "strided, leaky", IMAGE(1, 5, 4), CONV(2, sin) "[local]\nfilters=3\nsize=2\nstride=2\nactivation=leaky\n" CONNECTED(2, tanh)),
    {"local", "scalar path", IMAGE(2, 3, 3), "[local]\nfilters=2\nsize=2\nactivation=ramp\n" CONNECTED(1, linear), "order=1\n", 1, piecewise},

#define NORMALISED "batch_normalize=1\n"
    {"connected", "normalised, tanh", INPUTS(3), CONNECTED(5, tanh) NORMALISED CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"connected", "normalised, linear", INPUTS(3), CONNECTED(5, linear) NORMALISED CONNECTED(2, sin), "order=2\n", 2, NULL},
    {"connected", "normalised, relu", INPUTS(3), CONNECTED(5, relu) NORMALISED CONNECTED(2, sin), "order=2\n", 2, NULL},
    {"connected", "normalised, leaky, one output, one direction", INPUTS(3), CONNECTED(17, leaky) NORMALISED CONNECTED(1, linear),
     "order=1\nprojections=1\n", 2, NULL},
    {"connected", "normalised, hardtan", INPUTS(3), CONNECTED(5, hardtan) NORMALISED CONNECTED(2, sin), "order=2\n", 2, NULL},
    {"connected", "normalised output", INPUTS(3), CONNECTED(4, softplus) CONNECTED(2, linear) NORMALISED, "order=2\n", 2, NULL},
    {"connected", "normalised output, leaky, values", INPUTS(3), CONNECTED(4, softplus) CONNECTED(2, leaky) NORMALISED, "order=0\n", 2, NULL},
    {"connected", "normalised below an inner segment", INPUTS(3), CONNECTED(4, relu) NORMALISED CONNECTED(4, tanh) NORMALISED CONNECTED(2, sin),
     "order=2\nwrt=0\ntarget=zero\n", 2, NULL},
    {"connected", "normalised, log-probabilities", INPUTS(3), CONNECTED(4, softplus) NORMALISED CONNECTED(3, linear), "order=2\ndifferentiate=log_probabilities\n",
     2, NULL},
    {"convolutional", "normalised, leaky", IMAGE(2, 4, 3), CONVOLUTIONAL("filters=3\nsize=3\npad=1\nactivation=leaky\n") NORMALISED CONNECTED(2, sin), "order=2\n",
     2, NULL},
    {"convolutional", "normalised, swish, 17 filters", IMAGE(2, 3, 3), CONVOLUTIONAL("filters=17\nsize=2\nactivation=swish\n") NORMALISED CONNECTED(2, linear),
     "order=2\nprojections=2\nprojections_2=2\n", 2, NULL},
    {"convolutional", "two normalised, relu", IMAGE(1, 4, 4),
     CONVOLUTIONAL("filters=3\nsize=3\nactivation=relu\n") NORMALISED CONVOLUTIONAL("filters=4\nsize=1\nactivation=relu\n") NORMALISED CONNECTED(2, sin),
     "order=1\nprojections=2\n", 2, NULL},
    {"deconvolutional", "normalised, leaky", IMAGE(2, 2, 3), DECONVOLUTIONAL("filters=3\nsize=3\nstride=2\nactivation=leaky\n") NORMALISED CONNECTED(2, sin),
     "order=2\nprojections=1\nprojections_2=2\n", 2, NULL},
    {"deconvolutional", "normalised, tanh", IMAGE(2, 2, 2), DECONVOLUTIONAL("filters=2\nsize=2\nactivation=tanh\n") NORMALISED CONNECTED(2, linear), "order=2\n", 2,
     NULL},
    {"batchnorm", "of an image", IMAGE(2, 3, 2), CONVOLUTIONAL("filters=3\nsize=2\nactivation=sin\n") "[batchnorm]\n" CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"batchnorm", "of a vector", INPUTS(3), CONNECTED(5, tanh) "[batchnorm]\n" CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"batchnorm", "of the input", IMAGE(2, 2, 2), "[batchnorm]\n" CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"batchnorm", "of the output", INPUTS(3), CONNECTED(3, tanh) "[batchnorm]\n", "order=2\n", 2, NULL},

    {"softmax", "between layers", INPUTS(3), CONNECTED(5, tanh) SOFTMAX("") CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"softmax", "groups and a temperature", INPUTS(3), CONNECTED(6, linear) SOFTMAX("groups=2\ntemperature=.5\n") CONNECTED(2, sin), "order=2\n", 2, NULL},
    {"softmax", "of the output", INPUTS(3), CONNECTED(4, tanh) CONNECTED(3, linear) SOFTMAX("temperature=3\n"), "order=2\nprojections=2\n", 2, NULL},
    {"softmax", "of an image", IMAGE(2, 3, 2), CONVOLUTIONAL("filters=2\nsize=2\npadding=1\nactivation=tanh\n") SOFTMAX("groups=2\nnoloss=1\n") CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"softmax", "below its logarithm", INPUTS(3), CONNECTED(4, tanh) SOFTMAX(""), "order=2\ndifferentiate=log_probabilities\n", 2, NULL},
    {"logistic", "between layers", INPUTS(3), CONNECTED(5, linear) "[logistic]\n" CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"logistic", "of the output", INPUTS(3), CONNECTED(5, tanh) CONNECTED(2, linear) "[logistic]\n", "order=2\n", 2, NULL},
    {"normalization", "of an image", IMAGE(2, 2, 3), CONVOLUTIONAL("filters=7\nsize=1\nactivation=tanh\n") "[normalization]\nsize=3\nalpha=.5\n" CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"normalization", "even size", IMAGE(3, 2, 2), CONVOLUTIONAL("filters=5\nsize=2\nactivation=tanh\n") "[normalization]\nsize=4\nalpha=.3\nbeta=1.25\nkappa=2\n" CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"normalization", "of a vector", INPUTS(4), CONNECTED(5, tanh) "[normalization]\nsize=9\nalpha=1\n" CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"l2norm", "of an image", IMAGE(2, 3, 2), CONVOLUTIONAL("filters=4\nsize=2\nactivation=linear\n") "[l2norm]\n" CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"l2norm", "of a vector", INPUTS(4), CONNECTED(5, tanh) "[l2norm]\n" CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"cost", "beside the objective", INPUTS(3), MLP "[cost]\ntype=sse\n", "order=1\n", 2, NULL},
};

const int layer_case_count = sizeof layer_cases / sizeof *layer_cases;
