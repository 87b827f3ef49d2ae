"""The Sobolev loss of a small network, in float64 by JAX: what a cfg's words mean, and the cases that make_golden.py writes.

What the engine does with jets, sweeps and adjoints is written here as mathematics: jax.jacfwd and jax.hessian give the
derivatives of the network and of its target, jax.grad differentiates the whole loss by the parameters. Only the random
directions repeat the engine's own recipe (Philox4x32-10), since a loss is a function of them.

With m(h) the network above the layer that `wrt` names, phi what `differentiate` names, y, J, H the labels of a sample:

    s(h) = phi(m(h))                 g_i  = v1_i . ds/dh       q_ij = (v1_i . d2s/dh2) v2_ij
    T(d) = phi(y + J d + d H d / 2)  t1_i = v1_i . dT/dd(0)    t2_ij likewise;  both 0 for target=zero

Inputs, labels and parameters are multiples of 1/128: the float engine gets the very same problem.
"""
import hashlib
import math
import random

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_platforms", "cpu")

import jax.numpy as jnp
import numpy as np
import xxhash

LINEAR = "linear"
SMOOTH = ("logistic", "tanh", "loggy", "elu", "selu", "softplus", "swish", "sin")
LOSSES = ("l2", "norm", "l1", "huber", "relative")
KINKED = ("relu", "leaky", "elu", "selu")  # not smooth at 0: pre-activations must keep away from it
OUTPUT_DIRECTIONS, INPUT_DIRECTIONS = 6, 7  # the purposes of core/random.h

# ---------------------------------------------------------------- what the cfg's words mean

ACTIVATIONS = {
    LINEAR: lambda x: x,
    "relu": lambda x: jnp.where(x > 0, x, 0),
    "leaky": lambda x: jnp.where(x > 0, x, x / 10),
    "logistic": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "loggy": lambda x: jnp.tanh(x / 2),
    "elu": jax.nn.elu,
    "selu": lambda x: 1.0507 * jnp.where(x > 0, x, 1.6732 * jnp.expm1(x)),  # Darknet's rounded constants
    "softplus": lambda x: jnp.logaddexp(x, 0),
    "swish": lambda x: x * jax.nn.sigmoid(x),
    "sin": jnp.sin,
}


class Layer:
    """A section of the cfg as a function of one sample: `before` gives the argument of `activation`, as an array of the output's shape.
    Shapes are (channels, height, width); `outputs` are those of the layers below, the first one being the input."""

    activation = LINEAR

    def __init__(self, name, **keys):
        self.name, self.keys = name, keys

    def parameters(self, shape):
        """Shapes by name, in the order in which they are drawn, and the number of inputs of one output."""
        return {}, 1

    def shape(self, shape):
        return shape

    def section(self):
        return [f"[{self.name}]"] + [f"{key}={value}" for key, value in self.keys.items()]


class Connected(Layer):
    def __init__(self, outputs, activation):
        super().__init__("connected", output=outputs, activation=activation)
        self.outputs, self.activation = outputs, activation

    def parameters(self, shape):
        below = math.prod(shape)
        return {"weights": (self.outputs, below), "biases": (self.outputs,)}, below

    def shape(self, shape):
        return self.outputs, 1, 1

    def before(self, theta, outputs):
        return (theta["weights"] @ outputs[-1].ravel() + theta["biases"]).reshape(-1, 1, 1)


class Convolutional(Layer):
    def __init__(self, filters, size=1, stride=1, padding=0, groups=1, activation=LINEAR):
        super().__init__("convolutional", filters=filters, size=size, stride=stride, padding=padding, groups=groups, activation=activation)
        self.activation = activation

    def parameters(self, shape):
        filters, patch = self.keys["filters"], (shape[0] // self.keys["groups"], self.keys["size"], self.keys["size"])
        return {"weights": (filters, *patch), "biases": (filters,)}, math.prod(patch)

    def shape(self, shape):
        side = [(n + 2 * self.keys["padding"] - self.keys["size"]) // self.keys["stride"] + 1 for n in shape[1:]]
        return self.keys["filters"], *side

    def before(self, theta, outputs):
        pad, stride = self.keys["padding"], self.keys["stride"]
        y = jax.lax.conv_general_dilated(outputs[-1][None], theta["weights"], (stride, stride), ((pad, pad), (pad, pad)),
                                         feature_group_count=self.keys["groups"])
        return y[0] + theta["biases"][:, None, None]


class Shortcut(Layer):
    """f(alpha x + beta z), z being the output of the layer `back` steps before this one."""

    def __init__(self, back, activation=LINEAR, alpha=1, beta=1):
        super().__init__("shortcut", **{"from": -back, "activation": activation, "alpha": alpha, "beta": beta})
        self.back, self.activation, self.alpha, self.beta = back, activation, alpha, beta

    def before(self, theta, outputs):
        return self.alpha * outputs[-1] + self.beta * outputs[-self.back]


class Softmax(Layer):
    def __init__(self, groups=1, temperature=1):
        super().__init__("softmax", groups=groups, temperature=temperature)

    def shape(self, shape):
        return math.prod(shape), 1, 1

    def before(self, theta, outputs):
        return jax.nn.softmax(outputs[-1].reshape(self.keys["groups"], -1) / self.keys["temperature"], axis=1).reshape(-1, 1, 1)


class Logistic(Layer):
    def __init__(self):
        super().__init__("logistic")

    def before(self, theta, outputs):
        return jax.nn.sigmoid(outputs[-1])


class Normalization(Layer):
    """As Darknet has it: channel size / 2 is missing in every sum that should hold it, and taken off all others."""

    def __init__(self, size=5, alpha=.0001, beta=.75, kappa=1):
        super().__init__("normalization", size=size, alpha=alpha, beta=beta, kappa=kappa)

    def before(self, theta, outputs):
        size, x = self.keys["size"], outputs[-1]
        window = np.array([[float(-((size - 1) // 2) <= j - c <= size // 2) for j in range(len(x))] for c in range(len(x))])
        if size // 2 < len(x):
            window[:, size // 2] -= 1
        sums = self.keys["kappa"] + self.keys["alpha"] * jnp.einsum("cj,jhw->chw", window, x**2)
        return x * sums ** -self.keys["beta"]


class L2norm(Layer):
    def __init__(self):
        super().__init__("l2norm")

    def before(self, theta, outputs):
        return outputs[-1] / jnp.sqrt(jnp.sum(outputs[-1] ** 2, axis=0))


class Normalised(Layer):
    """A layer with batch_normalize=1, or [batchnorm]: of the linear map z of each sample, a function of the whole batch."""

    def __init__(self, linear=None):
        self.linear, self.activation = linear, linear.activation if linear else LINEAR

    def parameters(self, shape):
        shapes, fan_in = self.linear.parameters(shape) if self.linear else ({}, 1)
        return {**shapes, "scales": self.shape(shape)[:1]}, fan_in

    def shape(self, shape):
        return self.linear.shape(shape) if self.linear else shape

    def section(self):
        return self.linear.section() + ["batch_normalize=1"] if self.linear else ["[batchnorm]"]

    def of_batch(self, theta, outputs):
        z = outputs[-1]
        if self.linear:
            z = jax.vmap(lambda x: self.linear.before({**theta, "biases": 0 * theta["biases"]}, [x]))(z)
        mean, variance = jnp.mean(z, (0, 2, 3)), jnp.var(z, (0, 2, 3), ddof=1)
        channels = [n[None, :, None, None] for n in (mean, jnp.sqrt(variance) + 1e-6, theta["scales"], theta.get("biases", 0 * mean))]
        return (z - channels[0]) / channels[1] * channels[2] + channels[3]


def divergence(p, q):
    """KL(softmax(p) || softmax(q))."""
    return jnp.sum(jax.nn.softmax(p) * (jax.nn.log_softmax(p) - jax.nn.log_softmax(q)))


def loss_function(kind, delta, epsilon, temperature=1, norm=1):
    return {
        "kl": lambda p, t: temperature**2 * divergence(p / temperature, t / temperature),
        "kl_reverse": lambda p, t: temperature**2 * divergence(t / temperature, p / temperature),
        "cross_entropy": lambda p, t: -(temperature**2) * jnp.sum(t * jax.nn.log_softmax(p / temperature)),
        "penalty": lambda p, t: (jnp.linalg.norm(p - t) - norm) ** 2,
        "l2": lambda p, t: jnp.sum((p - t) ** 2),
        "norm": lambda p, t: jnp.linalg.norm(p - t),
        "l1": lambda p, t: jnp.sum(jnp.abs(p - t)),
        "huber": lambda p, t: jnp.sum(jnp.where(jnp.abs(p - t) <= delta, (p - t) ** 2 / 2, delta * (jnp.abs(p - t) - delta / 2))),
        "relative": lambda p, t: jnp.sum((p - t) ** 2) / (jnp.sum(t**2) + epsilon),
    }[kind]


def head_function(keys):
    """phi(m, y): what is differentiated, as a vector."""
    if keys.get("differentiate", "output") == "output":
        return lambda m, y: m
    if keys["differentiate"] == "log_probabilities":
        return lambda m, y: jax.nn.log_softmax(m)
    if keys["objective_loss"] == "squared_error":
        return lambda m, y: jnp.sum((m - y) ** 2)[None]
    return lambda m, y: -jnp.sum(y * jax.nn.log_softmax(m))[None]


# ---------------------------------------------------------------- the engine's random directions

MASK = 0xFFFFFFFF


def philox(counter, key):
    """Philox4x32-10 of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011)."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        a, b = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = b >> 32 ^ c1 ^ k0, b & MASK, a >> 32 ^ c3 ^ k1, a & MASK
        k0, k1 = k0 + 0x9E3779B9 & MASK, k1 + 0xBB67AE85 & MASK
    return c0, c1, c2, c3


def uniform(seed, purpose, position):
    block = position // 4
    return (philox((block & MASK, block >> 32, purpose, 0), (seed & MASK, seed >> 32))[position % 4] + .5) / 2**32


def normal(seed, purpose, position):
    even = position & ~1
    radius, angle = math.sqrt(-2 * math.log(uniform(seed, purpose, even))), 2 * math.pi * uniform(seed, purpose, even + 1)
    return radius * (math.sin(angle) if position & 1 else math.cos(angle))


def direction(kind, seed, purpose, position, count):
    if kind == "class":  # chosen when the labels are known
        return np.zeros(count)
    if kind == "coordinate":
        return np.eye(count)[int(uniform(seed, purpose, position) * count)]
    if kind == "rademacher":
        return np.array([-1. if uniform(seed, purpose, position + k) < .5 else 1. for k in range(count)])
    v = np.array([normal(seed, purpose, position + k) for k in range(count)])
    return v / np.linalg.norm(v) if kind == "sphere" else v


def random_directions(case, purpose, n, count):
    """[n][batch][count]; resample=0 makes them a function of the bytes of the sample."""
    batch, kind, out = len(case.x), case.keys.get("projection", "sphere"), []
    for i in range(n):
        for b in range(batch):
            seed, slot = case.seed, (case.step * n + i) * batch + b
            if case.keys.get("resample", 1) == 0:
                sample = case.x[b].astype(np.float32 if case.build == "float" else np.float64)
                seed, slot = xxhash.xxh3_64_intdigest(sample.tobytes(), seed=case.seed), i
            out.append(direction(kind, seed, purpose, slot * 2 * count, count))
    return np.array(out).reshape(n, batch, count)


def unit_directions(n, batch):
    return np.repeat(np.eye(n)[:, None, :], batch, axis=1)


# ---------------------------------------------------------------- one case


class Case:
    """A network, [sobolev] keys and a batch. `inputs`: a number, or (channels, height, width). In `layers`, (outputs, activation) stands
    for Connected."""

    def __init__(self, name, inputs, layers, batch=3, build="any", **keys):
        self.name, self.build, self.keys = name, build, keys
        self.shapes = [inputs if isinstance(inputs, tuple) else (inputs, 1, 1)]
        self.layers = [layer if isinstance(layer, Layer) else Connected(*layer) for layer in layers]
        for layer in self.layers:
            self.shapes.append(layer.shape(self.shapes[-1]))
        self.inputs, self.outputs = math.prod(self.shapes[0]), math.prod(self.shapes[-1])
        digest = hashlib.sha256(name.encode()).digest()
        self.seed, self.step = int.from_bytes(digest[:8], "little"), digest[8]
        self.order = keys["order"]
        while self.order > 0 and self.weight(self.order) == 0:
            self.order -= 1
        self.evaluate(batch)

    def evaluate(self, batch):
        """Draws until no number stands at a kink, where float and double would take different sides."""
        mathematics = jax.jit(self.mathematics)
        for attempt in range(200):
            self.rng = random.Random(f"{self.name} {attempt}")
            self.draw(batch)
            self.choose_directions()
            self.results, errors, before_activation = mathematics(self.parameters, *self.batch())
            if self.off_kinks(errors, before_activation):
                return
        raise SystemExit(f"{self.name}: every draw stands at a kink")

    def weight(self, order):
        return self.keys.get(f"weight_{order}" if order else "weight", 1)

    def numbers(self, *shape):
        return np.array([self.rng.randrange(-64, 65) / 64 for _ in range(math.prod(shape))]).reshape(shape)

    def draw(self, batch):
        self.x = 1.5 * self.numbers(batch, self.inputs)
        self.parameters = []
        for layer, below in zip(self.layers, self.shapes):
            shapes, fan_in = layer.parameters(below)
            scales = {"weights": 1 if fan_in < 8 else 1 / 2, "biases": 1 / 2, "scales": 1}
            self.parameters.append({name: scales[name] * self.numbers(*shape) for name, shape in shapes.items()})
        y = self.numbers(batch, self.outputs)
        if self.keys.get("objective_loss") == "cross_entropy":
            y = np.array([[1, *[2] * (self.outputs - 1)]] * batch) / 16 + np.abs(y) / 2
        self.labels = [y]
        if self.keys.get("target", "data") == "data":
            half = self.numbers(batch, self.outputs, self.inputs, self.inputs) / 2
            self.labels += [self.numbers(batch, self.outputs, self.inputs), half + half.swapaxes(2, 3)][:self.order]

    def choose_directions(self):
        if self.order == 0:
            return
        batch, wrt = len(self.x), self.keys.get("wrt", -1)
        self.segment_inputs = math.prod(self.shapes[wrt + 1])
        top = 1 if self.keys.get("differentiate") == "loss" else self.outputs
        n1, n2 = self.keys.get("projections", 0), self.keys.get("projections_2", 0)
        self.v1 = random_directions(self, OUTPUT_DIRECTIONS, n1, top) if n1 else unit_directions(top, batch)
        if self.keys.get("projection") == "class":
            self.v1 = np.eye(top)[np.argmax(self.labels[0], axis=1)][None]
        if self.order == 1:
            return
        h, pairs = self.segment_inputs, len(self.v1) * (n2 or self.segment_inputs)
        units = np.tile(unit_directions(h, batch), (len(self.v1), 1, 1))
        v2 = random_directions(self, INPUT_DIRECTIONS, pairs, h) if n2 else units
        self.v2 = v2.reshape(len(self.v1), -1, batch, h)

    # -- cfg

    def cfg(self):
        image = [f"{key}={n}" for key, n in zip(("channels", "height", "width"), self.shapes[0])]
        lines = ["[net]"] + (image if self.shapes[0][1:] != (1, 1) else [f"inputs={self.inputs}"]) + [f"batch={len(self.x)}"]
        for layer in self.layers:
            lines += layer.section()
        return lines + ["[sobolev]"] + [f"{key}={value}" for key, value in self.keys.items()]

    # -- mathematics, one sample

    def run_layers(self, theta, h, first, last):
        """The outputs of the layers first to last - 1, h in front of them, and the arguments of their activations."""
        outputs, before = [h.reshape(self.shapes[first])], []
        for layer, parameters in zip(self.layers[first:last], theta[first:last]):
            before.append(layer.before(parameters, outputs))
            outputs.append(ACTIVATIONS[layer.activation](before[-1]))
        return outputs, before

    def output(self, theta, h, first, last):
        return self.run_layers(theta, h, first, last)[0][-1].ravel()

    def split(self, theta, x):
        """The output h of the layer wrt, and the network above it."""
        above = self.keys.get("wrt", -1) + 1
        return self.output(theta, x, 0, above), lambda h: self.output(theta, h, above, len(self.layers))

    def contract(self, s, at, v1, v2):
        """g [n1, inputs] and q [n1, n2, inputs] of the vector function s."""
        g = v1 @ jax.jacfwd(s)(at)
        return (g,) if self.order == 1 else (g, jnp.einsum("it,tab,ijb->ija", v1, jax.hessian(s)(at), v2))

    def derivatives(self, theta, x, labels, v1, v2):
        phi, (h, m) = head_function(self.keys), self.split(theta, x)
        return self.contract(lambda at: phi(m(at), labels[0]), h, v1, v2)

    def targets(self, labels, v1, v2):
        if self.keys.get("target") == "zero":
            return self.contract(lambda d: jnp.zeros(v1.shape[-1]), jnp.zeros(self.segment_inputs), v1, v2)
        phi, y, jacobian = head_function(self.keys), labels[0], labels[1]

        def along(d):
            curved = jnp.einsum("a,kab,b->k", d, labels[2], d) / 2 if self.order > 1 else 0
            return phi(y + jacobian @ d + curved, y)

        return self.contract(along, jnp.zeros(self.inputs), v1, v2)

    def loss(self, order):
        return loss_function(self.keys.get(f"loss_{order}" if order else "loss", "l2"), self.keys.get("huber_delta", 1),
                             self.keys.get("relative_epsilon", 1e-6), self.keys.get("temperature", 1), self.keys.get("penalty_norm", 1))

    def sample_losses(self, theta, x, labels, v1, v2):
        """Of orders 0 to self.order, weighted."""
        losses = [self.weight(0) * self.loss(0)(self.output(theta, x, 0, len(self.layers)), labels[0])]
        if self.order > 0:
            derivatives, targets = self.derivatives(theta, x, labels, v1, v2), self.targets(labels, v1, v2)
            losses += [self.derivative_loss(*of_order) for of_order in zip((1, 2), derivatives, targets)]
        return jnp.stack(losses)

    def derivative_loss(self, order, value, target):
        n1, n2 = self.keys.get("projections", 0), self.keys.get("projections_2", 0)
        each = jax.vmap(self.loss(order))(value.reshape(-1, value.shape[-1]), target.reshape(-1, value.shape[-1]))
        draws = (n1 or 1) * (n2 or 1 if order == 2 else 1)  # random draws are averaged, unit vectors summed
        return self.weight(order) * jnp.sum(each) / draws

    # -- the batch

    def batch(self):
        """The arguments of a sample's functions after theta, each with the batch first."""
        v1 = self.v1.swapaxes(0, 1) if self.order > 0 else np.zeros((len(self.x), 0))
        v2 = np.moveaxis(self.v2, 2, 0) if self.order > 1 else np.zeros((len(self.x), 0))
        return self.x, self.labels, v1, v2

    def mathematics(self, theta, *batch):
        """The results by name; for off_kinks the errors p - t of each order and the arguments of each activation."""
        def losses(parameters):
            return jax.vmap(lambda *sample: self.sample_losses(parameters, *sample))(*batch)

        layers, before = jax.vmap(lambda x: self.run_layers(theta, x, 0, len(theta)))(batch[0])
        outputs = layers[-1].reshape(len(batch[0]), -1)
        results, errors = {"outputs": outputs, "losses": losses(theta)}, [outputs - batch[1][0]]
        if self.order > 0:
            derivatives = jax.vmap(lambda *sample: self.derivatives(theta, *sample))(*batch)
            targets = jax.vmap(lambda x, labels, v1, v2: self.targets(labels, v1, v2))(*batch)
            errors += [value - target for value, target in zip(derivatives, targets)]
            results["gradient"] = derivatives[0].swapaxes(0, 1)
        if self.order > 1:
            results["hessian"] = jnp.moveaxis(derivatives[1], 0, 2)
        for i, gradients in enumerate(jax.grad(lambda parameters: jnp.sum(losses(parameters)))(theta)):
            for name in self.parameters[i]:
                results[f"gradient_{name}_{i}"] = gradients[name]
        return results, errors, before

    def off_kinks(self, errors, before_activation):
        margin = 1e-3
        for layer, z in zip(self.layers, before_activation):
            if layer.activation in KINKED and np.min(np.abs(z)) < margin:
                return False
        for order, error in enumerate(errors):
            kind, delta = self.keys.get(f"loss_{order}" if order else "loss", "l2"), self.keys.get("huber_delta", 1)
            size = np.abs(error)
            if kind == "l1" and np.min(size) < margin:
                return False
            if kind == "huber" and (np.min(np.abs(size - delta)) < margin or not np.min(size) < delta < np.max(size)):
                return False
        return True

    def arrays(self):
        yield "inputs", self.x
        for order, label in enumerate(self.labels):
            yield f"labels_{order}", label
        for i, parameters in enumerate(self.parameters):
            for name, values in parameters.items():
                yield f"{name}_{i}", values
        if self.order > 0:
            yield "directions_1", self.v1
        if self.order > 1:
            yield "directions_2", self.v2
        yield from self.results.items()


class BatchCase(Case):
    """A network with Normalised layers: s, and so its derivatives, are those of the batch as a whole: s_b(h_1, h_2, …)."""

    def run_batch(self, theta, h, first, last):
        outputs, before = [h.reshape(len(h), *self.shapes[first])], []
        for layer, parameters in zip(self.layers[first:last], theta[first:last]):
            normalised = isinstance(layer, Normalised)
            run = layer.of_batch if normalised else lambda p, o: jax.vmap(lambda *sample: layer.before(p, sample))(*o)
            before.append(run(parameters, outputs))
            outputs.append(ACTIVATIONS[layer.activation](before[-1]))
        return outputs, before

    def batch_output(self, theta, h, first, last):
        return self.run_batch(theta, h, first, last)[0][-1].reshape(len(h), -1)

    def batch_derivatives(self, theta, x, labels, v1, v2):
        """With the batch first: g [batch, n1, inputs], q [batch, n1, n2, inputs]."""
        above, phi = self.keys.get("wrt", -1) + 1, head_function(self.keys)

        def gradient(v):
            def contracted(h):
                m = self.batch_output(theta, h, above, len(self.layers))
                return jnp.sum(v * jax.vmap(phi)(m, labels[0]))
            return jax.grad(contracted)

        h, n1 = self.batch_output(theta, x, 0, above), v1.shape[1]
        g = jnp.stack([gradient(v1[:, i])(h) for i in range(n1)], 1)
        if self.order == 1:
            return (g,)
        rows = [[jax.jvp(gradient(v1[:, i]), (h,), (v2[:, i, j],))[1] for j in range(v2.shape[2])] for i in range(n1)]
        return g, jnp.stack([jnp.stack(row, 1) for row in rows], 1)

    def batch_losses(self, theta, x, labels, v1, v2):
        losses = [self.weight(0) * jax.vmap(self.loss(0))(self.batch_output(theta, x, 0, len(self.layers)), labels[0])]
        if self.order > 0:
            targets = jax.vmap(self.targets)(labels, v1, v2)
            for order, value, target in zip((1, 2), self.batch_derivatives(theta, x, labels, v1, v2), targets):
                losses.append(jax.vmap(lambda p, t, order=order: self.derivative_loss(order, p, t))(value, target))
        return jnp.stack(losses, 1)

    def mathematics(self, theta, *batch):
        x, labels, v1, v2 = batch
        outputs, before = self.run_batch(theta, x, 0, len(theta))
        output = outputs[-1].reshape(len(x), -1)
        results, errors = {"outputs": output, "losses": self.batch_losses(theta, *batch)}, [output - labels[0]]
        if self.order > 0:
            derivatives = self.batch_derivatives(theta, *batch)
            errors += [value - target for value, target in zip(derivatives, jax.vmap(self.targets)(labels, v1, v2))]
            results["gradient"] = derivatives[0].swapaxes(0, 1)
        if self.order > 1:
            results["hessian"] = jnp.moveaxis(derivatives[1], 0, 2)
        for i, gradients in enumerate(jax.grad(lambda parameters: jnp.sum(self.batch_losses(parameters, *batch)))(theta)):
            for name in self.parameters[i]:
                results[f"gradient_{name}_{i}"] = gradients[name]
        return results, errors, before

    def arrays(self):
        yield from super().arrays()
        for i, layer in enumerate(self.layers):
            if isinstance(layer, Normalised):
                for name in ("rolling_mean", "rolling_variance"):  # of no account in training
                    yield f"{name}_{i}", np.ones(self.parameters[i]["scales"].shape)


def tangent(kind, image):
    """d/d eps of the transformed image, [channels, height, width]: engine/transformations.h."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
    by_column, by_row = (padded[:, 1:-1, 2:] - padded[:, 1:-1, :-2]) / 2, (padded[:, 2:, 1:-1] - padded[:, :-2, 1:-1]) / 2
    height, width = image.shape[1:]
    w, u = np.meshgrid(np.arange(height) - (height - 1) / 2, np.arange(width) - (width - 1) / 2, indexing="ij")
    reach = max(height, width) / 2
    return {"translate_x": -by_column, "translate_y": -by_row, "rotate": (w * by_column - u * by_row) / reach,
            "scale": -(u * by_column + w * by_row) / reach}[kind]


class TangentCase(Case):
    """tangents=: products of first derivatives with directions that belong to the image. Those stand among the labels, for `batch`."""

    def batch(self):
        x, labels, v1, v2 = super().batch()
        kinds = self.keys["tangents"].split(",")
        images = self.x.reshape(-1, *self.shapes[0])
        return x, [*labels, np.array([[tangent(kind, image).ravel() for kind in kinds] for image in images])], v1, v2

    def sample_losses(self, theta, x, labels, v1, v2):
        (g,), (t,) = self.derivatives(theta, x, labels, v1, v2), self.targets(labels, v1, v2)
        value = self.weight(0) * self.loss(0)(self.output(theta, x, 0, len(self.layers)), labels[0])
        along, wanted = (g @ labels[-1].T).reshape(-1, 1), (t @ labels[-1].T).reshape(-1, 1)
        return jnp.stack([value, self.derivative_loss(1, along, wanted)])


class FlipCase(Case):
    """target=flip: the second half of the batch holds the mirror images of the first, and g at an image is compared with g at its partner, mirrored."""

    def draw(self, batch):
        super().draw(batch)
        images = self.x.reshape(-1, *self.shapes[0])
        images[batch // 2:] = images[:batch // 2, :, :, ::-1]
        self.labels = [np.concatenate([self.labels[0][:batch // 2]] * 2)]

    def choose_directions(self):
        super().choose_directions()
        half = len(self.x) // 2
        self.v1[:, half:] = self.v1[:, :half]

    def partners(self, theta, x, labels, v1, v2):
        """g of every sample, and what it is compared with: [batch, n1, inputs] both."""
        g = jax.vmap(lambda *sample: self.derivatives(theta, *sample)[0])(x, labels, v1, v2)
        half, images = len(x) // 2, g.reshape(*g.shape[:2], *self.shapes[0])[..., ::-1].reshape(g.shape)
        return g, jnp.concatenate([images[half:], images[:half]])

    def batch_losses(self, theta, *batch):
        x, labels = batch[:2]
        values = self.weight(0) * jax.vmap(lambda x, y: self.loss(0)(self.output(theta, x, 0, len(self.layers)), y))(x, labels[0])
        return jnp.stack([values, jax.vmap(lambda g, t: self.derivative_loss(1, g, t))(*self.partners(theta, *batch))], 1)

    def mathematics(self, theta, *batch):
        layers, before = jax.vmap(lambda x: self.run_layers(theta, x, 0, len(theta)))(batch[0])
        outputs = layers[-1].reshape(len(batch[0]), -1)
        g, t = self.partners(theta, *batch)
        results = {"outputs": outputs, "losses": self.batch_losses(theta, *batch), "gradient": g.swapaxes(0, 1)}
        for i, gradients in enumerate(jax.grad(lambda parameters: jnp.sum(self.batch_losses(parameters, *batch)))(theta)):
            for name in self.parameters[i]:
                results[f"gradient_{name}_{i}"] = gradients[name]
        return results, [outputs - batch[1][0], g - t], before


class DistillationCase(Case):
    """The objective of section 4.2, from the two networks themselves: KL(student || teacher) + alpha E_v ||grad <log pi_t, v> - grad <log pi, v>||,
    v on the sphere. The engine is given the teacher as labels: its logits and their Jacobian."""

    def teacher(self, x):
        return self.output(self.taught, x, 0, len(self.layers))

    def draw(self, batch):
        super().draw(batch)
        self.taught, own = self.parameters, self.labels[0]
        super().draw(batch)
        self.labels = self.teacher_labels(own)

    def teacher_labels(self, own):
        return [np.array([self.teacher(x) for x in self.x]), np.array([jax.jacfwd(self.teacher)(x) for x in self.x])]

    def sample_losses(self, theta, x, labels, v1, v2):
        def along(network):
            return jnp.stack([jax.grad(lambda at: jax.nn.log_softmax(network(at)) @ v)(x) for v in v1])

        def student(at):
            return self.output(theta, at, 0, len(self.layers))

        distances = jnp.linalg.norm(along(self.teacher) - along(student), axis=1)
        return jnp.stack([divergence(student(x), self.teacher(x)), self.keys["weight_1"] * jnp.mean(distances)])


class AttentionCase(DistillationCase):
    """Equation 3 of the supplement: L(g(x)) + alpha ||dL(g)/dx - dL(f)/dx||, L the cross-entropy with the class of x, f the teacher. Labels are the
    class, and a Jacobian J that leads to the teacher's dL(f)/dx: J^T c, c = softmax(y) - y being what the engine contracts it with."""

    def teacher_labels(self, own):
        y = np.eye(self.outputs)[np.argmax(own, axis=1)]
        c = jax.nn.softmax(y) - y
        wanted = np.array([jax.grad(lambda at, k=k: self.entropy(self.teacher(at), k))(x) for x, k in zip(self.x, y)])
        return [y, np.einsum("bk,bj->bkj", c / np.sum(c**2, 1, keepdims=True), wanted)]

    @staticmethod
    def entropy(logits, y):
        return -jnp.sum(y * jax.nn.log_softmax(logits))

    def sample_losses(self, theta, x, labels, v1, v2):
        def loss(network, at):
            return self.entropy(network(at), labels[0])

        def student(at):
            return self.output(theta, at, 0, len(self.layers))

        distance = jax.grad(lambda at: loss(student, at))(x) - jax.grad(lambda at: loss(self.teacher, at))(x)
        return jnp.stack([loss(student, x), self.keys["weight_1"] * jnp.linalg.norm(distance)])
