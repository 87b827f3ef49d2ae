#include "layer_cases.h"

#include <stddef.h>

#define INPUTS(n) "inputs=" #n "\n"
#define IMAGE(c, h, w) "channels=" #c "\nheight=" #h "\nwidth=" #w "\n"
#define CONVOLUTIONAL(keys) "[convolutional]\n" keys
#define DECONVOLUTIONAL(keys) "[deconvolutional]\n" keys
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
    {"connected", "one output, gaussian direction", INPUTS(2), CONNECTED(6, relu) CONNECTED(1, linear), "order=1\nprojections=1\nprojection=gaussian\n", 1, piecewise},
    {"convolutional", "padded, tanh", IMAGE(2, 5, 4), CONVOLUTIONAL("filters=3\nsize=3\npad=1\nactivation=tanh\n") CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"convolutional", "groups and strides", IMAGE(4, 6, 5), CONVOLUTIONAL("filters=6\nsize=3\nstride=2\npadding=1\ngroups=2\nactivation=logistic\n") CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"convolutional", "linear, wide padding", IMAGE(1, 3, 4), CONVOLUTIONAL("filters=2\nsize=2\npadding=2\nactivation=linear\n") CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"convolutional", "relu between smooth ones", IMAGE(2, 4, 4),
     CONVOLUTIONAL("filters=3\nsize=3\npad=1\nactivation=tanh\n") CONVOLUTIONAL("filters=4\nsize=2\nstride=2\nactivation=relu\n") CONNECTED(2, sin),
     "order=2\nallow_zero_curvature=1\n", 2, NULL},
    {"convolutional", "whole blocks of channels", IMAGE(16, 3, 3),
     CONVOLUTIONAL("filters=16\nsize=3\npad=1\nactivation=softplus\n") CONVOLUTIONAL("filters=16\nsize=1\nactivation=tanh\n") CONNECTED(2, linear),
     "order=2\nprojections=1\nprojections_2=1\nprojection=gaussian\n", 2, NULL},
    {"convolutional", "scalar path", IMAGE(3, 6, 5),
     CONVOLUTIONAL("filters=9\nsize=3\nstride=2\nactivation=leaky\n") CONVOLUTIONAL("filters=10\nsize=2\npadding=1\nactivation=plse\n") CONNECTED(1, linear), "order=1\n", 1,
     piecewise},
    {"deconvolutional", "stride 2, tanh", IMAGE(3, 3, 4), DECONVOLUTIONAL("filters=2\nsize=3\nstride=2\npad=1\nactivation=tanh\n") CONNECTED(2, linear), "order=2\n", 2, NULL},
    {"deconvolutional", "linear, gaps between kernels", IMAGE(2, 2, 3), DECONVOLUTIONAL("filters=3\nsize=2\nstride=3\nactivation=linear\n") CONNECTED(2, tanh), "order=2\n", 2, NULL},
    {"deconvolutional", "between convolutions of whole blocks", IMAGE(2, 4, 4),
     CONVOLUTIONAL("filters=16\nsize=3\nactivation=swish\n") DECONVOLUTIONAL("filters=17\nsize=2\nactivation=leaky\n") CONVOLUTIONAL("filters=2\nsize=2\nactivation=tanh\n")
         CONNECTED(2, linear),
     "order=2\nprojections=2\nprojections_2=1\nallow_zero_curvature=1\n", 2, NULL},
    {"deconvolutional", "scalar path", IMAGE(3, 3, 3), DECONVOLUTIONAL("filters=9\nsize=3\nstride=2\nactivation=relu\n") CONNECTED(1, linear), "order=1\n", 1, piecewise},
    {"cost", "beside the objective", INPUTS(3), MLP "[cost]\ntype=sse\n", "order=1\n", 2, NULL},
};

const int layer_case_count = sizeof layer_cases / sizeof *layer_cases;
