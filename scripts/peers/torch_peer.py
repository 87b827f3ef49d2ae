"""PyTorch on the processor, tuned: threads set, images in channels_last, fused optimisers, gradients of the parameters alone; eager and, where that
compiles, torch.compile of the whole gradient, whichever is faster.
    torch_peer.py CFG THREADS [-eager]"""

import math
import signal
import statistics
import sys
import time

import torch
import torch.nn.functional as F

from network import Network
from serve import best_rate, serve

PATIENCE = 300  # seconds that a compilation may take
ACTIVATIONS = {"relu": F.relu, "linear": lambda x: x, "leaky": lambda x: F.leaky_relu(x, 0.1)}


class Model:
    def __init__(self, network):
        self.network = network
        self.parameters, self.first = [], []  # first[i]: where the parameters of layer i begin
        torch.manual_seed(1)
        for layer in network.layers:
            self.first.append(len(self.parameters))
            if layer.kind == "convolutional":
                weights = torch.randn(layer.filters, layer.inputs[0], layer.size, layer.size) * layer.deviation
                self.add(weights.to(memory_format=torch.channels_last), torch.zeros(layer.filters))
            elif layer.kind == "connected":
                self.add(torch.randn(layer.shape[0], math.prod(layer.inputs)) * layer.deviation, torch.zeros(layer.shape[0]))
            if layer.normalize:
                self.add(torch.ones(layer.shape[0]))
        self.x = torch.rand(network.batch, *(network.input if network.image else network.input[:1])) * 2 - 1
        if network.image:
            self.x = self.x.to(memory_format=torch.channels_last)
        self.y = torch.rand(network.batch, network.outputs) * 2 - 1
        self.t = torch.rand(self.x.shape) * 2 - 1 if network.target == "data" else 0

    def add(self, *tensors):
        self.parameters += [tensor.requires_grad_() for tensor in tensors]

    def outputs(self, parameters, x):
        found = []
        for i, layer in enumerate(self.network.layers):
            own = parameters[self.first[i]:]
            if layer.kind == "convolutional":
                x = F.conv2d(x, own[0], None if layer.normalize else own[1], layer.stride, layer.pad)
            elif layer.kind == "connected":
                x = F.linear(x.flatten(1), own[0], own[1])
            elif layer.kind == "maxpool":
                x = F.max_pool2d(x, layer.size, layer.stride)
            elif layer.kind == "avgpool":
                x = x.mean((2, 3), keepdim=True)
            elif layer.kind == "shortcut":
                other = found[i + layer.origin]
                step, common = other.shape[2] // x.shape[2], min(x.shape[1], other.shape[1])
                other = other[:, :common, ::step, ::step]
                x = x + other if common == x.shape[1] else torch.cat((x[:, :common] + other, x[:, common:]), 1)
            if layer.normalize:
                x = F.batch_norm(x, None, None, own[2], own[1], training=True, eps=1e-6)
            x = ACTIVATIONS[layer.activation](x)
            found.append(x)
        return x.flatten(1)

    def differentiated(self, m):
        """The number whose gradient by the input the loss compares."""
        if self.network.differentiate == "output":
            return m.sum()
        if self.network.differentiate == "loss":
            return -(F.log_softmax(m, 1) * self.y).sum()
        v = torch.randn(m.shape)
        return (F.log_softmax(m, 1) * (v / v.norm(dim=1, keepdim=True))).sum()

    def loss(self, m, g):
        total = ((m - self.y) ** 2).sum()
        if g is not None:
            e = (g - self.t).flatten(1)
            total = total + (e.norm(dim=1).sum() if self.network.loss_1 == "norm" else (e * e).sum())
        return total / self.network.batch

    def eager(self, sobolev):
        """One graph, and the graph of its gradient."""
        x = self.x.detach().requires_grad_(sobolev)
        m = self.outputs(self.parameters, x)
        g = torch.autograd.grad(self.differentiated(m), x, create_graph=True)[0] if sobolev else None
        self.loss(m, g).backward(inputs=self.parameters)

    def functional(self, parameters, x, sobolev):
        """The same as a function, which torch.compile can differentiate twice."""
        if not sobolev:
            return self.loss(self.outputs(parameters, x), None)

        def differentiated(z):
            m = self.outputs(parameters, z)
            return self.differentiated(m), m

        g, m = torch.func.grad(differentiated, has_aux=True)(x)
        return self.loss(m, g)

    def compiled(self, sobolev):
        gradients = torch.compile(lambda parameters, x: torch.func.grad(self.functional)(parameters, x, sobolev))

        def run():
            with torch.no_grad():
                for p, g in zip(self.parameters, gradients([p.detach() for p in self.parameters], self.x)):
                    p.grad = g

        return run

    def optimiser(self):
        n = self.network
        if n.adam:
            return torch.optim.Adam(self.parameters, lr=n.rate, betas=(n.beta_1, n.beta_2), eps=n.epsilon, weight_decay=n.decay, fused=True)
        return torch.optim.SGD(self.parameters, lr=n.rate, momentum=n.momentum, weight_decay=n.decay, fused=True)


def time_of(run, n):
    start = time.perf_counter()
    run(n)
    return (time.perf_counter() - start) / n


def out_of_patience(*_):
    raise TimeoutError


def stepper(model, gradients):
    optimiser = model.optimiser()

    def run(n):
        for _ in range(n):
            optimiser.zero_grad(set_to_none=True)
            gradients()
            optimiser.step()

    return run


def fastest(model, sobolev, may_compile):
    eager = stepper(model, lambda: model.eager(sobolev))
    eager(2)
    if not may_compile:
        return eager, "eager"
    try:
        signal.signal(signal.SIGALRM, out_of_patience)
        signal.alarm(PATIENCE)
        compiled = stepper(model, model.compiled(sobolev))
        compiled(2)
        signal.alarm(0)
    except Exception as error:  # whatever a compiler may say
        signal.alarm(0)
        print(f"torch.compile of a {'Sobolev' if sobolev else 'plain'} step: {type(error).__name__}", file=sys.stderr)
        return eager, "eager"
    n = max(1, int(0.3 / time_of(eager, 2)))
    times = [(time_of(eager, n), time_of(compiled, n)) for _ in range(5)]
    slow, fast = (statistics.median(t[k] for t in times) for k in (0, 1))
    return (compiled, "compiled") if fast < slow else (eager, "eager")


def main():
    network, threads = Network(sys.argv[1]), int(sys.argv[2])
    torch.set_num_threads(threads)
    model = Model(network)
    found = {name: fastest(model, sobolev, "-eager" not in sys.argv) for name, sobolev in (("plain", False), ("sobolev", True))}
    size = 1024
    a, b, c = (torch.rand(size, size) for _ in range(3))
    serve(sum(p.numel() for p in model.parameters), {name: run for name, (run, _) in found.items()},
          lambda: best_rate(lambda: torch.mm(a, b, out=c), size), ",".join(how for _, how in found.values()))


main()
