#!/usr/bin/env python3
"""Writes sobolev_*.txt: jets, Sobolev losses and their parameter gradients of small networks, by JAX in float64.

    pip install jax xxhash            (0.10.2 and 4.1.0 were used; on the CPU)
    python3 make_golden.py            writes beside itself; names (losses heads) write these files only

golden_case.py says what is computed.

A file: a comment, `cases` and their number, then for each
    case NAME build any|float|double random SEED STEP cfg TEXT; arrays, each a name, its count and the numbers; end
"""
import pathlib
import sys

import numpy as np

from golden_case import (
    LINEAR, SMOOTH, LOSSES, Connected, Convolutional, Shortcut, Softmax, Logistic, Normalization,
    L2norm, Normalised, Case, BatchCase, TangentCase, FlipCase, DistillationCase, AttentionCase,
)

# ---------------------------------------------------------------- the cases


def network(activation, outputs, widths=(5, 4), last=LINEAR):
    return [(width, activation) for width in widths] + [(outputs, last)]


def activation_cases():
    for a in SMOOTH:
        yield Case(f"{a}_order1_full", 3, network(a, 2), order=1)
        yield Case(f"{a}_order1_one_output", 3, network(a, 1, last=a), order=1)
        yield Case(f"{a}_order1_projected", 3, network(a, 3), order=1, projections=2)
        yield Case(f"{a}_order2_full", 2, network(a, 2), order=2)
        yield Case(f"{a}_order2_one_output", 3, network(a, 1, last=a), order=2)
        yield Case(f"{a}_order2_projected", 3, network(a, 3, last=a), order=2, projections=2, projections_2=2)
        # More numbers than the widest vectors hold, and a rest.
        yield Case(f"{a}_order2_wide", 3, network(a, 2, widths=(17, 3)), batch=5, order=2, projections=1, projections_2=2)
    for a in ("relu", "leaky"):
        yield Case(f"{a}_order1_full", 3, network(a, 2), order=1)
        yield Case(f"{a}_order1_one_output", 3, network(a, 1), order=1)
        yield Case(f"{a}_order1_projected", 3, network(a, 3, widths=(17, 4)), batch=5, order=1, projections=2)
        yield Case(f"{a}_order2_zero_curvature", 3, network(a, 2), order=2, allow_zero_curvature=1)
    yield Case("mixed_activations", 3, [(4, "tanh"), (5, "leaky"), (4, "softplus"), (2, "sin")], order=1)
    yield Case("mixed_smooth_activations", 3, [(4, "tanh"), (5, "swish"), (4, "logistic"), (2, "sin")], order=2)
    yield Case("no_hidden_layer", 3, [(2, "tanh")], order=2)


def loss_cases():
    parameters = {"huber": {"huber_delta": .75}, "relative": {"relative_epsilon": .125}}
    for i, kind in enumerate(LOSSES):
        all_orders = {"loss": kind, "loss_1": kind, "loss_2": kind, **parameters.get(kind, {})}
        up_to_1 = {key: value for key, value in all_orders.items() if key != "loss_2"}
        yield Case(f"{kind}_order0", 3, network("tanh", 2), order=0, loss=kind, **parameters.get(kind, {}))
        yield Case(f"{kind}_order1_full", 3, network("tanh", 2), order=1, **up_to_1)
        yield Case(f"{kind}_order1_projected", 3, network("softplus", 3), order=1, projections=2, **up_to_1)
        yield Case(f"{kind}_order2_full", 3, network("tanh", 2), order=2, **all_orders)
        yield Case(f"{kind}_order2_projected", 3, network("swish", 3), order=2, projections=2, projections_2=2, **all_orders)
        mixed = {key: LOSSES[(i + k) % 5] for k, key in enumerate(("loss", "loss_1", "loss_2"))}
        yield Case(f"{kind}_mixed", 3, network("sin", 2), order=2, huber_delta=.5, relative_epsilon=.25, **mixed)
        yield Case(f"{kind}_target_zero", 3, network("tanh", 2), order=2, target="zero", **all_orders)


def head_cases():
    heads = {
        "log_probabilities": {"differentiate": "log_probabilities"},
        "squared_error": {"differentiate": "loss", "objective_loss": "squared_error"},
        "cross_entropy": {"differentiate": "loss", "objective_loss": "cross_entropy"},
    }
    for head, what in heads.items():
        zero = {**what, "target": "zero"}
        for name, keys in ((f"{head}_data", what), (f"{head}_zero", zero)):
            yield Case(f"{name}_order1_full", 3, network("tanh", 3), order=1, **keys)
            yield Case(f"{name}_order1_projected", 3, network("tanh", 3), order=1, projections=2, projection="gaussian", **keys)
            yield Case(f"{name}_order2_full", 2, network("tanh", 3), order=2, **keys)
            yield Case(f"{name}_order2_projected", 3, network("sin", 3), order=2, projections=2, projections_2=3,
                       projection="gaussian", **keys)
        yield Case(f"{head}_many_outputs", 2, network("tanh", 19), batch=2, order=2, projections=1, projections_2=1, **what)
        # Differentiated by a hidden layer: the parameters below it count, too.
        for order in (1, 2):
            yield Case(f"{head}_wrt_0_order{order}", 3, network("swish", 3), order=order, wrt=0, **zero)


def segment_cases():
    zero = {"target": "zero"}
    for wrt in (0, 1):
        yield Case(f"wrt_{wrt}_order1_full", 3, network("tanh", 2), order=1, wrt=wrt, **zero)
        yield Case(f"wrt_{wrt}_order1_projected", 3, network("logistic", 3, widths=(5, 4, 4)), order=1, wrt=wrt, projections=2,
                   **zero)
        yield Case(f"wrt_{wrt}_order2_full", 2, network("tanh", 2, widths=(3, 3, 3)), order=2, wrt=wrt, **zero)
        yield Case(f"wrt_{wrt}_order2_projected", 3, network("swish", 3, widths=(5, 4, 4)), order=2, wrt=wrt, projections=2,
                   projections_2=2, **zero)
    yield Case("wrt_0_relu", 3, network("relu", 2), order=1, wrt=0, **zero)
    yield Case("wrt_1_norm", 3, network("tanh", 2), order=1, wrt=1, loss_1="norm", **zero)


def weight_cases():
    tanh = network("tanh", 2)
    yield Case("weights", 3, tanh, order=2, weight=.5, weight_1=2, weight_2=.25)
    yield Case("weights_projected", 3, tanh, order=2, weight=.5, weight_1=2, weight_2=.25, projections=3, projections_2=2)
    yield Case("no_values", 3, tanh, order=2, weight=0, weight_1=.125, weight_2=3)
    yield Case("no_gradient", 3, tanh, order=2, weight=.5, weight_1=0, weight_2=2)
    yield Case("no_gradient_projected", 3, tanh, order=2, weight_1=0, projections=2, projections_2=2)
    yield Case("no_hessian", 3, tanh, order=2, weight=2, weight_1=.5, weight_2=0)
    yield Case("values_only", 3, tanh, order=2, weight=2, weight_1=0, weight_2=0)
    yield Case("hessian_only", 3, tanh, order=2, weight=0, weight_1=0)


def projection_cases():
    for kind in ("sphere", "rademacher", "gaussian", "coordinate"):
        layers = network("softplus", 3)
        yield Case(f"{kind}_order1", 3, layers, order=1, projections=4, projection=kind)
        yield Case(f"{kind}_outputs_only", 2, layers, order=2, projections=2, projection=kind)
        yield Case(f"{kind}_relu", 3, network("relu", 1), order=1, projections=1, projection=kind)
        yield Case(f"{kind}_inputs_only", 3, network("softplus", 2), order=2, projections_2=2, projection=kind)
        yield Case(f"{kind}_both", 3, layers, order=2, projections=3, projections_2=2, projection=kind)
    for build in ("float", "double"):
        yield Case(f"fixed_for_each_sample_{build}", 3, network("tanh", 3), build=build, order=2, projections=2, projections_2=2,
                   resample=0)
    yield Case("one_sample", 3, network("tanh", 2), batch=1, order=2, projections=2, projections_2=1)
    yield Case("one_input", 1, network("tanh", 2), order=2)
    yield Case("many_samples", 5, network("tanh", 3, widths=(7, 9)), batch=11, order=2, projections=1, projections_2=1)


def scalar_path_cases():
    """The form that the engine's scalar path takes (engine/tape.h)."""
    relu = network("relu", 1)
    for a in ("relu", "leaky"):
        yield Case(f"{a}", 3, network(a, 1), order=1)
        yield Case(f"{a}_everywhere", 3, network(a, 1, last=a), order=1)
        yield Case(f"{a}_wide", 5, network(a, 1, widths=(17, 9)), batch=7, order=1, weight=.5, weight_1=3)
    for kind in ("sphere", "rademacher", "coordinate"):
        yield Case(kind, 3, relu, order=1, projections=1, projection=kind, batch=5)
    for kind in LOSSES:
        yield Case(kind, 3, relu, order=1, loss=kind, loss_1=kind, huber_delta=.75, relative_epsilon=.125)
    yield Case("no_values", 3, relu, order=1, weight=0)
    yield Case("target_zero", 3, relu, order=1, target="zero")
    yield Case("no_hidden_layer", 3, [(1, LINEAR)], order=1)
    yield Case("one_sample", 3, relu, batch=1, order=1)


def probability_cases():
    """Softmax and logistic as layers among others, at the end, and under the heads."""
    groups = [(4, "tanh"), (6, LINEAR), Softmax(groups=2, temperature=.5), (2, "tanh")]
    end = [(4, "tanh"), (3, LINEAR), Softmax(temperature=2)]
    zero = {"target": "zero"}
    yield Case("softmax_order1", 3, [(4, "tanh"), Softmax(), (2, LINEAR)], order=1)
    yield Case("softmax_order2", 2, [(4, "tanh"), Softmax(), (2, "sin")], batch=2, order=2)
    yield Case("groups_order1", 3, groups, order=1)
    yield Case("groups_order2", 3, groups, batch=2, order=2, projections_2=2)
    yield Case("softmax_of_the_output_order1", 3, end, order=1)
    yield Case("softmax_of_the_output_order2", 3, end, batch=2, order=2, projections=2, projections_2=2)
    yield Case("logarithm_of_softmax_outputs", 3, end, batch=2, order=2, projections_2=1, differentiate="log_probabilities", **zero)
    yield Case("wide_softmax", 2, [(19, "tanh"), Softmax(), (1, LINEAR)], batch=2, order=2)
    yield Case("logistic_order1", 3, [(4, LINEAR), Logistic(), (2, LINEAR)], order=1)
    yield Case("logistic_order2", 3, [(4, "tanh"), (3, LINEAR), Logistic()], batch=2, order=2, projections=2, projections_2=2)


def channel_cases():
    """Layers that divide channels by powers of sums over them."""
    image, first = (2, 2, 2), Convolutional(5, size=2, padding=1, activation="tanh")
    layers = {
        "normalization": Normalization(size=3, alpha=.5),
        "normalization_even": Normalization(size=2, alpha=.25, beta=1.25, kappa=2),
        "normalization_all": Normalization(size=11, alpha=1, beta=.5),
        "l2norm": L2norm(),
    }
    for name, layer in layers.items():
        yield Case(f"{name}_order1", image, [first, layer, (2, LINEAR)], batch=2, order=1)
        yield Case(f"{name}_order2", image, [first, layer, (2, "tanh")], batch=2, order=2, projections=1, projections_2=2, target="zero")
        yield Case(f"{name}_of_a_vector", 3, [(7, "tanh"), layer, (2, LINEAR)], batch=2, order=2, projections_2=2)


def convolution_cases():
    """Convolutions with groups, strides and padding, among themselves and below a connected layer."""
    image, zero = (4, 3, 3), {"target": "zero"}
    for a in ("leaky", "tanh"):
        layers = [Convolutional(4, size=3, padding=1, groups=2, activation=a), Convolutional(2, size=2, stride=2, padding=1, activation=a),
                  (2, LINEAR)]
        yield Case(f"{a}_order1", image, layers, batch=2, order=1)
        yield Case(f"{a}_order1_projected", image, layers, order=1, projections=2, **zero)
    yield Case("tanh_order2", image, layers, batch=2, order=2, projections_2=2, **zero)
    yield Case("images_as_outputs_order1", image, [Convolutional(4, size=1, groups=4, activation="softplus"), Convolutional(2, size=3)], batch=2,
               order=1)
    yield Case("images_as_outputs_order2", (2, 3, 2), [Convolutional(4, size=2, groups=2, activation="sin"), Convolutional(1, size=1, stride=2)],
               batch=2, order=2)
    yield Case("large_stride", (1, 5, 4), [Convolutional(3, size=2, stride=3, padding=1, activation="swish"), (2, LINEAR)], batch=2, order=2,
               projections=1, projections_2=2, **zero)
    yield Case("wrt_0", image, layers, batch=2, order=2, wrt=0, projections=1, projections_2=2, **zero)


def residual_cases():
    """Two 3x3 convolutions around which a shortcut goes."""
    image, zero = (2, 3, 3), {"target": "zero"}

    def block(activation, last, **keys):
        convolution = {"size": 3, "padding": 1}
        return [Convolutional(3, activation=activation, **convolution), Convolutional(4, activation=activation, **convolution),
                Convolutional(3, **convolution), Shortcut(3, activation=last, **keys), (2, LINEAR)]

    yield Case("leaky_order1", image, block("leaky", "leaky"), batch=2, order=1)
    yield Case("tanh_order1", image, block("tanh", LINEAR, alpha=.5, beta=-2), batch=2, order=1)
    yield Case("tanh_order2", image, block("tanh", "tanh"), batch=2, order=2, projections=1, projections_2=2, **zero)
    yield Case("swish_order2", image, block("swish", LINEAR), batch=2, order=2, projections_2=1, **zero)


def batchnorm_cases():
    zero = {"target": "zero"}

    def mlp(f, outputs=2):
        return [Normalised(Connected(5, f)), (outputs, LINEAR)]

    for f in ("tanh", "softplus", "relu", "leaky"):
        yield BatchCase(f"{f}_order1", 3, mlp(f), batch=4, order=1)
        yield BatchCase(f"{f}_order2", 3, mlp(f), batch=4, order=2, projections=1, projections_2=2)
    yield BatchCase("linear_order2_full", 2, [Normalised(Connected(4, LINEAR)), (3, "sin"), (2, LINEAR)], batch=3, order=2)
    yield BatchCase("order0", 3, mlp("tanh"), batch=5, order=0)
    yield BatchCase("two_order2", 3, [Normalised(Connected(4, "tanh")), Normalised(Connected(17, "swish")), (2, LINEAR)], batch=5, order=2, projections=1,
                    projections_2=1)
    yield BatchCase("output_order2", 3, [(4, "tanh"), Normalised(Connected(2, LINEAR))], batch=4, order=2, projections=2, projections_2=1)
    yield BatchCase("wrt_0_order2", 3, [(4, "tanh"), *mlp("swish")], batch=4, order=2, wrt=0, projections=1, projections_2=2, **zero)
    yield BatchCase("wrt_0_below_order1", 3, [*mlp("leaky", 4), (2, "sin")], batch=4, order=1, wrt=0, **zero)
    yield BatchCase("log_probabilities_order2", 3, mlp("tanh", 3), batch=4, order=2, differentiate="log_probabilities", projections=1, projections_2=1)
    yield BatchCase("section_order2", 3, [(4, "tanh"), Normalised(), (2, LINEAR)], batch=4, order=2, projections=1, projections_2=2)
    image = (2, 3, 3)
    yield BatchCase("convolutional_leaky_order1", image, [Normalised(Convolutional(3, size=2, activation="leaky")), (2, LINEAR)], batch=2, order=1,
                    projections=2)
    yield BatchCase("convolutional_tanh_order2", image, [Normalised(Convolutional(3, size=3, padding=1, activation="tanh")), (2, LINEAR)], batch=2, order=2,
                    projections=1, projections_2=2, **zero)
    yield BatchCase("convolutional_groups_order2", image, [Normalised(Convolutional(4, size=2, groups=2, activation="swish")), (2, LINEAR)], batch=3, order=2,
                    projections=1, projections_2=1, **zero)
    yield BatchCase("convolutional_one_sample", image, [Normalised(Convolutional(2, size=2, activation="sin")), (2, LINEAR)], batch=1, order=2, projections=1,
                    projections_2=1, **zero)
    yield BatchCase("image_section_order2", image, [Convolutional(3, size=2, activation="tanh"), Normalised(), (2, LINEAR)], batch=2, order=2, projections=1,
                    projections_2=1, **zero)


def choice_cases():
    """Losses on logits, other directions and other targets: small convolutional networks."""
    image, zero = (2, 4, 5), {"target": "zero"}

    def layers(f, outputs=3):
        return [Convolutional(3, size=3, stride=2, padding=1, activation=f), Convolutional(4, size=2, activation=f), (outputs, LINEAR)]

    for kind in ("kl", "kl_reverse", "cross_entropy"):
        yield Case(f"{kind}_order0", image, layers("tanh"), order=0, loss=kind)
        yield Case(f"{kind}_order1", image, layers("softplus"), order=1, loss=kind, temperature=2.5, projections=1, differentiate="log_probabilities", **zero)
    for f in ("tanh", "leaky"):
        yield Case(f"penalty_{f}", image, layers(f), order=1, loss_1="penalty", penalty_norm=.75, **zero)
        yield Case(f"penalty_projected_{f}", image, layers(f), order=1, loss_1="penalty", projections=2, weight_1=.5, **zero)
        yield Case(f"class_{f}", image, layers(f), order=1, projections=1, projection="class")
        yield FlipCase(f"flip_{f}", image, layers(f), batch=4, order=1, target="flip")
        yield FlipCase(f"flip_projected_{f}", image, layers(f), batch=4, order=1, target="flip", loss_1="norm", projections=2)
        yield FlipCase(f"flip_of_the_loss_{f}", image, layers(f), batch=6, order=1, target="flip", loss="cross_entropy", loss_1="norm", differentiate="loss",
                       objective_loss="cross_entropy", weight_1=.25)
        yield TangentCase(f"tangents_{f}", image, layers(f), order=1, tangents="translate_x,translate_y,rotate,scale", **zero)
        yield TangentCase(f"tangents_of_labels_{f}", image, layers(f), order=1, tangents="scale,rotate", projections=2, loss_1="norm")
        yield DistillationCase(f"distillation_{f}", image, layers(f), order=1, loss="kl", loss_1="norm", weight_1=.5, differentiate="log_probabilities",
                               projections=3)
        yield AttentionCase(f"attention_{f}", image, layers(f), order=1, loss="cross_entropy", loss_1="norm", weight_1=.75, differentiate="loss",
                            objective_loss="cross_entropy")
    yield Case("class_order2", image, layers("tanh"), batch=2, order=2, wrt=0, projections=1, projection="class", **zero)


FILES = {
    "choices": choice_cases,
    "activations": activation_cases,
    "losses": loss_cases,
    "heads": head_cases,
    "segments": segment_cases,
    "weights": weight_cases,
    "projections": projection_cases,
    "scalar_path": scalar_path_cases,
    "probabilities": probability_cases,
    "channels": channel_cases,
    "convolutions": convolution_cases,
    "residual": residual_cases,
    "batchnorm": batchnorm_cases,
}


def write(case, out):
    print(f"case {case.name}\nbuild {case.build}\nrandom {case.seed} {case.step}\ncfg", *case.cfg(), ";", sep="\n", file=out)
    for name, array in case.arrays():
        flat = np.asarray(array, dtype=np.float64).ravel()
        assert np.all(np.isfinite(flat)), f"{case.name}: {name}"
        print(name, len(flat), file=out)
        print(*[f"{number:.15g}" for number in flat], file=out)
    print("end", file=out)


def main():
    folder = pathlib.Path(__file__).parent
    for name in sys.argv[1:] or FILES:
        with open(folder / f"sobolev_{name}.txt", "w", encoding="ascii") as out:
            cases = list(FILES[name]())
            print("# made by make_golden.py\ncases", len(cases), file=out)
            for case in cases:
                write(case, out)


if __name__ == "__main__":
    main()
