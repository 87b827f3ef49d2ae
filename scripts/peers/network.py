"""A Darknet cfg as the peers see it: layers with their sizes, and what [sobolev] asks for."""

import math


class Section(dict):
    def __init__(self, name):
        super().__init__()
        self.name = name

    def number(self, key, default=0.0):
        return float(self.get(key, default))

    def integer(self, key, default=0):
        return int(float(self.get(key, default)))


def read_cfg(path):
    sections = []
    for line in open(path, encoding="ascii"):
        line = line.split("#")[0].strip()
        if line.startswith("["):
            sections.append(Section(line.strip("[]")))
        elif line:
            key, value = line.split("=")
            sections[-1][key.strip()] = value.strip()
    return sections


class Layer:
    """kind, and the shape (channels, height, width) of its output; its parameters are made by the peers."""

    def __init__(self, section, shape):
        self.kind = section.name
        self.activation = section.get("activation", "logistic" if section.name in ("convolutional", "connected") else "linear")
        self.normalize = section.integer("batch_normalize") == 1
        self.inputs = shape
        channels, height, width = shape
        if self.kind == "convolutional":
            self.filters, self.size, self.stride = section.integer("filters"), section.integer("size", 1), section.integer("stride", 1)
            self.pad = self.size // 2 if section.integer("pad") else section.integer("padding")
            side = lambda n: (n + 2 * self.pad - self.size) // self.stride + 1
            self.shape = (self.filters, side(height), side(width))
            self.deviation = math.sqrt(2 / (channels * self.size**2))
        elif self.kind == "connected":
            self.shape = (section.integer("output"), 1, 1)
            self.deviation = math.sqrt(2 / (channels * height * width) / 3)  # of Darknet's uniform numbers
        elif self.kind == "maxpool":
            self.size, self.stride = section.integer("size"), section.integer("stride")
            if self.size != self.stride or height % self.size or width % self.size:
                raise SystemExit("the peers only know [maxpool] whose windows do not overlap")
            self.shape = (channels, height // self.size, width // self.size)
        elif self.kind == "avgpool":
            self.shape = (channels, 1, 1)
        elif self.kind == "shortcut":
            self.origin = section.integer("from")  # relative to this layer
            self.shape = shape
        else:
            raise SystemExit(f"the peers do not know [{self.kind}]")


class Network:
    def __init__(self, path):
        sections = read_cfg(path)
        self.net, self.sobolev = sections[0], sections[-1]
        assert self.net.name == "net" and self.sobolev.name == "sobolev"
        inputs = self.net.integer("inputs")
        self.image = not inputs
        self.input = (inputs, 1, 1) if inputs else tuple(self.net.integer(key) for key in ("channels", "height", "width"))
        self.batch = self.net.integer("batch")
        self.layers = []
        for section in sections[1:-1]:
            self.layers.append(Layer(section, self.layers[-1].shape if self.layers else self.input))
        self.outputs = math.prod(self.layers[-1].shape)
        get = self.sobolev.get
        self.differentiate, self.target, self.loss_1 = get("differentiate", "output"), get("target", "data"), get("loss_1", "l2")
        self.projections = self.sobolev.integer("projections")
        known = {"loss": "l2", "objective_loss": "cross_entropy", "order": "1", "projection": "sphere"}
        for key, value in known.items():
            if get(key, value) != value:
                raise SystemExit(f"the peers do not know {key}={get(key)}")
        if self.differentiate == "output" and self.outputs != 1:
            raise SystemExit("the peers only know the full gradient of one output")
        self.adam = self.net.integer("adam") == 1
        self.rate, self.decay, self.momentum = self.net.number("learning_rate"), self.net.number("decay"), self.net.number("momentum", 0.9)
        self.beta_1, self.beta_2, self.epsilon = self.net.number("B1", 0.9), self.net.number("B2", 0.999), self.net.number("eps", 1e-7)
