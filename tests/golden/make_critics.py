#!/usr/bin/env python3
"""Writes sobolev_critics.txt: what goes down from [critic] blocks, and what they learn, by JAX in float64.

    python3 make_critics.py > sobolev_critics.txt            (needs what make_golden.py needs)

A network in parts with a cut between any two; every cut has a block. Per sample, with y the labels:

    L = loss of the last part            m = L(p(h), y), SG = dm/dh          mode=direct: SG = p(h), or p(h, y)
    down = mix g + (1 - mix) SG          g what comes down from the part above (target=true: dL/dh)
    the block's loss = weight l(m, L) + weight_1 l1(SG, g) + label_weight l2(log p(h), log p)

jax.grad differentiates the block's loss by its parameters, through SG. Adam with eps=1 makes its first step, rate / (|d| + 1) * d, tell d.
The format is that of make_golden.py.
"""
import random
import sys

import jax
import jax.numpy as jnp
import numpy as np

from golden_case import ACTIVATIONS, Connected, Convolutional, loss_function

RATE, BATCH = .25, 3


def run(layers, theta, x):
    for layer, parameters in zip(layers, theta):
        x = ACTIVATIONS[layer.activation](layer.before(parameters, [x]))
    return x


def cross_entropy(logits, y):
    return -jnp.sum(y * jax.nn.log_softmax(logits.ravel()))


class Cut:
    def __init__(self, layers, mode, **keys):
        self.layers, self.mode, self.keys = layers, mode, {"loss": "l1", "loss_1": "l1", "weight": 1, "weight_1": 1, "label_weight": 0, "mix": 0, **keys}
        self.given = {"mode": mode, "learning_rate": RATE, "eps": 1, **keys}
        if mode in ("critic", "direct"):
            self.keys["weight_1" if mode == "critic" else "weight"] = 0
        if mode == "vfbn":
            self.keys["weight"] = 0


class Case:
    def __init__(self, name, parts, cuts, end=("[softmax]",), loss=cross_entropy, inputs=(2, 5, 5)):
        self.name, self.parts, self.cuts, self.end, self.loss = name, parts, cuts, end, loss
        self.rng = random.Random(name)
        self.x = self.numbers(BATCH, *inputs)
        self.theta, self.theta_cut, shape = [], [], inputs
        for i, part in enumerate(parts):
            theta, shape = self.draw(part, shape)
            self.theta.append(theta)
            if i < len(cuts):
                above = (shape[0] + self.n_labels() * cuts[i].given.get("label_input", 1), *shape[1:]) if cuts[i].mode == "direct" else shape
                self.theta_cut.append(self.draw(cuts[i].layers, above)[0])
        y = np.abs(self.numbers(BATCH, shape[0]))
        self.y = y / y.sum(1, keepdims=True) if loss is cross_entropy else self.numbers(BATCH, shape[0])

    def n_labels(self):
        return self.parts[-1][-1].keys["output"]

    def numbers(self, *shape):
        return np.array([self.rng.randrange(-64, 65) / 64 for _ in range(int(np.prod(shape)))]).reshape(shape)

    def draw(self, layers, shape):
        theta = []
        for layer in layers:
            shapes, _ = layer.parameters(shape)
            theta.append({name: self.numbers(*s) / (2 if name == "biases" else 1) for name, s in shapes.items()})
            shape = layer.shape(shape)
        return theta, shape

    def predict(self, i, theta, h, y):
        """The block's m, log p and SG for one sample."""
        cut = self.cuts[i]
        if cut.mode == "direct":
            planes = jnp.broadcast_to(y[:, None, None], (len(y), *h.shape[1:]))
            x = jnp.concatenate([h, planes]) if cut.given.get("label_input", 1) else h
            return 0., 0., run(cut.layers, theta, x)
        m = lambda h: self.loss(run(cut.layers, theta, h), y)
        return m(h), jax.nn.log_softmax(run(cut.layers, theta, h).ravel()), jax.grad(m)(h)

    def block_loss(self, i, theta, h, y, loss, log_p, g):
        keys = self.cuts[i].keys
        m, log_q, synthetic = self.predict(i, theta, h, y)
        if self.cuts[i].mode == "local":
            return keys["weight"] * m
        value, first = (loss_function(keys[k], 1, 1e-6) for k in ("loss", "loss_1"))
        return (keys["weight"] * value(m, loss) + keys["weight_1"] * first(synthetic.ravel(), g.ravel())
                + keys["label_weight"] * jnp.sum((log_q - log_p) ** 2))

    def compute(self):
        hs, backs = [jnp.array(self.x)], []
        for part, theta in zip(self.parts, self.theta):
            h, back = jax.vjp(lambda theta, x, part=part: jax.vmap(lambda s: run(part, theta, s))(x), theta, hs[-1])
            hs.append(h)
            backs.append(back)
        losses, down = jax.vmap(jax.value_and_grad(self.loss))(hs[-1], self.y)
        log_p = jax.vmap(lambda m: jax.nn.log_softmax(m.ravel()))(hs[-1])
        true, gradients, updated = down, [None] * len(self.parts), [None] * len(self.cuts)
        for k in reversed(range(len(self.parts))):
            if down is None:
                gradients[k] = jax.tree.map(jnp.zeros_like, self.theta[k])
                continue
            gradients[k], arrived = backs[k](down)
            true = backs[k](true)[1]
            down = arrived
            if k == 0:
                break
            i, cut = k - 1, self.cuts[k - 1]
            updated[i] = self.theta_cut[i]
            if cut.mode == "noprop":
                down = None
            if cut.mode in ("noprop", "backprop"):
                continue
            g = true if cut.keys.get("target") == "true" else arrived
            synthetic = jax.vmap(lambda h, y: self.predict(i, self.theta_cut[i], h, y)[2])(hs[k], self.y)
            down = cut.keys["mix"] * arrived + (1 - cut.keys["mix"]) * synthetic.reshape(arrived.shape)
            total = lambda theta: jnp.sum(jax.vmap(lambda *s: self.block_loss(i, theta, *s))(hs[k], self.y, losses, log_p, g))
            updated[i] = jax.tree.map(lambda w, d: w - RATE * (d / BATCH) / (jnp.abs(d / BATCH) + 1), updated[i], jax.grad(total)(updated[i]))
        return gradients, updated

    def cfg(self):
        c, h, w = self.x.shape[1:]
        lines = ["[net]", f"channels={c}", f"height={h}", f"width={w}", f"batch={BATCH}"]
        for i, part in enumerate(self.parts):
            for layer in part:
                lines += layer.section()
            if i < len(self.cuts):
                lines += ["[critic]"] + [f"{key}={value}" for key, value in self.cuts[i].given.items()]
                for layer in self.cuts[i].layers:
                    lines += layer.section()
                lines += ["[end]"]
        return "\n".join(lines + list(self.end)) + "\n"

    def write(self, out):
        gradients, updated = self.compute()
        out.write(f"case {self.name} build any random 1 1 cfg {self.cfg()};\n")
        put = lambda name, a: out.write(f"{name} {np.size(a)} " + " ".join(f"{v:.15g}" for v in np.ravel(a)) + "\n")
        put("inputs", self.x)
        put("labels", self.y)
        node = 0
        for i, part in enumerate(self.parts):
            for k in range(len(part)):
                for name, value in self.theta[i][k].items():
                    put(f"{name}_{node}", value)
                    put(f"gradient_{name}_{node}", gradients[i][k][name])
                node += 1
            if i < len(self.cuts):
                for k, theta in enumerate(self.theta_cut[i]):
                    for name, value in theta.items():
                        put(f"block{i}_{name}_{k}", value)
                        put(f"updated{i}_{name}_{k}", updated[i][k][name])
                node += 1
        out.write("end\n")


def convolution(filters, activation="tanh", stride=1):
    return Convolutional(filters, 3, stride, 1, 1, activation)


def block(outputs=3):
    return [convolution(4), Connected(outputs, "linear")]


def parts():
    return [[convolution(3)], [convolution(2, stride=2), Connected(3, "linear")]]


def three_parts():
    return [[convolution(3)], [convolution(2, "swish")], [convolution(2, stride=2), Connected(3, "linear")]]


def squared(scale):
    return lambda m, y: scale * jnp.sum((m.ravel() - y) ** 2)


CASES = [
    Case("noprop", parts(), [Cut([], "noprop")]),
    Case("backprop", parts(), [Cut([], "backprop")]),
    Case("direct_labels", parts(), [Cut([convolution(4), convolution(3, "linear")], "direct")]),
    Case("direct_l2", parts(), [Cut([convolution(4), convolution(3, "linear")], "direct", label_input=0, loss_1="l2")]),
    Case("vfbn", parts(), [Cut(block(), "vfbn", weight_1=1.5)]),
    Case("critic", parts(), [Cut(block(), "critic", weight=.75)]),
    Case("sobolev", parts(), [Cut(block(), "sobolev")]),
    Case("local", parts(), [Cut(block(), "local", weight=.75)]),
    Case("local_squared", parts(), [Cut(block(), "local", mix=.25)], ("[sobolev]", "order=0", "weight=1.5"), squared(1.5)),
    Case("sobolev_l2_norm", parts(), [Cut(block(), "sobolev", loss="l2", loss_1="norm", weight=.5, weight_1=2)]),
    Case("sobolev_mix", parts(), [Cut(block(), "sobolev", mix=.25)]),
    Case("sobolev_labels", parts(), [Cut(block(), "sobolev", label_weight=.5)]),
    Case("labels_alone", parts(), [Cut(block(), "critic", weight=0, label_weight=1)]),
    Case("sobolev_squared", parts(), [Cut(block(), "sobolev")], ("[sobolev]", "order=0", "weight=1.5"), squared(1.5)),
    Case("critic_cost", parts(), [Cut(block(), "critic")], ("[cost]", "type=sse"), squared(.5)),
    Case("two_bootstrap", three_parts(), [Cut(block(), "sobolev"), Cut(block(), "vfbn", mix=.5)]),
    Case("two_true", three_parts(), [Cut(block(), "sobolev", target="true"), Cut(block(), "critic")]),
    Case("two_true_squared", three_parts(), [Cut(block(), "vfbn", target="true"), Cut(block(), "sobolev")], ("[sobolev]", "order=0"), squared(1)),
    Case("true_above_noprop", three_parts(), [Cut(block(), "backprop"), Cut(block(), "sobolev", target="true")]),
]


def main():
    sys.stdout.write(f"# Synthetic gradients and first updates of [critic] blocks; made by make_critics.py\ncases {len(CASES)}\n")
    for case in CASES:
        case.write(sys.stdout)


if __name__ == "__main__":
    main()
