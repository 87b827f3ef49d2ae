"""JAX on the processor: one compiled function for the whole step, update included, which gives its arrays away; images as NHWC.
    jax_peer.py CFG THREADS"""

import math
import os
import sys

# XLA takes a thread for each processor that the process may use.
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[2])])
os.environ.setdefault("JAX_PLATFORMS", "cpu")

import jax
import jax.numpy as jnp
import numpy as np

from network import Network
from serve import best_rate, serve

ACTIVATIONS = {"relu": jax.nn.relu, "linear": lambda x: x, "leaky": lambda x: jnp.where(x > 0, x, 0.1 * x)}


def initial(network):
    random = np.random.default_rng(1)
    parameters = []
    for layer in network.layers:
        own = {}
        if layer.kind == "convolutional":
            shape = (layer.size, layer.size, layer.inputs[0], layer.filters)
        elif layer.kind == "connected":
            shape = (math.prod(layer.inputs), layer.shape[0])
        if layer.kind in ("convolutional", "connected"):
            own = {"w": random.standard_normal(shape) * layer.deviation, "b": np.zeros(layer.shape[0])}
        if layer.normalize:
            own["scale"] = np.ones(layer.shape[0])
        parameters.append({key: jnp.asarray(value, jnp.float32) for key, value in own.items()})
    return parameters


def outputs_of(network, parameters, x):
    found = []
    for i, (layer, own) in enumerate(zip(network.layers, parameters)):
        if layer.kind == "convolutional":
            pads = [(layer.pad, layer.pad)] * 2
            x = jax.lax.conv_general_dilated(x, own["w"], (layer.stride,) * 2, pads, dimension_numbers=("NHWC", "HWIO", "NHWC"))
        elif layer.kind == "connected":
            x = x.reshape(x.shape[0], -1) @ own["w"]
        elif layer.kind == "maxpool":
            window = (1, layer.size, layer.size, 1)
            x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")
        elif layer.kind == "avgpool":
            x = x.mean((1, 2), keepdims=True)
        elif layer.kind == "shortcut":
            other = found[i + layer.origin]
            step, common = other.shape[1] // x.shape[1], min(x.shape[3], other.shape[3])
            other = other[:, ::step, ::step, :common]
            x = x + other if common == x.shape[3] else x.at[..., :common].add(other)
        if layer.normalize:
            axes = tuple(range(x.ndim - 1))
            x = (x - x.mean(axes)) * jax.lax.rsqrt(x.var(axes) + 1e-6) * own["scale"]
        if own:
            x = x + own["b"]
        x = ACTIVATIONS[layer.activation](x)
        found.append(x)
    return x.reshape(x.shape[0], -1)


def differentiated(network, m, y, key):
    """The number whose gradient by the input the loss compares."""
    if network.differentiate == "output":
        return m.sum()
    if network.differentiate == "loss":
        return -(jax.nn.log_softmax(m) * y).sum()
    v = jax.random.normal(key, m.shape)
    return (jax.nn.log_softmax(m) * (v / jnp.linalg.norm(v, axis=1, keepdims=True))).sum()


def loss_of(network, sobolev, parameters, x, y, t, key):
    if sobolev:

        def scalar(z):
            m = outputs_of(network, parameters, z)
            return differentiated(network, m, y, key), m

        g, m = jax.grad(scalar, has_aux=True)(x)
        e = (g - t).reshape(x.shape[0], -1)
        derivative = jnp.sqrt((e * e).sum(1)).sum() if network.loss_1 == "norm" else (e * e).sum()
    else:
        m, derivative = outputs_of(network, parameters, x), 0
    return (((m - y) ** 2).sum() + derivative) / network.batch


def update(network, parameters, gradients, state):
    n, first, second = state["n"] + 1, state["first"], state["second"]
    gradients = jax.tree.map(lambda g, w: g + network.decay * w, gradients, parameters)
    if not network.adam:
        first = jax.tree.map(lambda m, g: network.momentum * m + g, first, gradients)
        return jax.tree.map(lambda w, m: w - network.rate * m, parameters, first), {"n": n, "first": first, "second": second}
    b1, b2 = network.beta_1, network.beta_2
    first = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, first, gradients)
    second = jax.tree.map(lambda v, g: b2 * v + (1 - b2) * g * g, second, gradients)
    correction_1, correction_2 = 1 / (1 - b1**n), 1 / (1 - b2**n)
    parameters = jax.tree.map(
        lambda w, m, v: w - network.rate * m * correction_1 / (jnp.sqrt(v * correction_2) + network.epsilon), parameters, first, second
    )
    return parameters, {"n": n, "first": first, "second": second}


def stepper(network, sobolev, x, y, t):
    def step(parameters, state, key, x, y, t):
        key, own = jax.random.split(key) if network.projections else (key, key)
        gradients = jax.grad(lambda p: loss_of(network, sobolev, p, x, y, t, own))(parameters)
        return *update(network, parameters, gradients, state), key

    compiled = jax.jit(step, donate_argnums=(0, 1, 2))
    parameters = initial(network)
    zeros = lambda: jax.tree.map(jnp.zeros_like, parameters)
    kept = [parameters, {"n": jnp.float32(0), "first": zeros(), "second": zeros() if network.adam else 0}, jax.random.key(1)]

    def run(n):
        for _ in range(n):
            kept[:] = compiled(*kept, x, y, t)
        jax.block_until_ready(kept)

    run(2)
    return run


def main():
    network = Network(sys.argv[1])
    random = np.random.default_rng(2)
    shape = tuple(network.input[k] for k in ((1, 2, 0) if network.image else (0,)))
    uniform = lambda *sizes: jnp.asarray(random.uniform(-1, 1, sizes), jnp.float32)
    x, y = uniform(network.batch, *shape), uniform(network.batch, network.outputs)
    t = uniform(*x.shape) if network.target == "data" else jnp.float32(0)
    steps = {name: stepper(network, sobolev, x, y, t) for name, sobolev in (("plain", False), ("sobolev", True))}
    size = 1024
    a = uniform(size, size)
    product = jax.jit(lambda a: a @ a)
    product(a).block_until_ready()
    count = sum(w.size for own in initial(network) for w in own.values())
    serve(count, steps, lambda: best_rate(lambda: product(a).block_until_ready(), size), "jit")


main()
