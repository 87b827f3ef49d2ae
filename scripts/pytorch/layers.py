"""The layers of a cfg that have weights, with their shapes: what ../import_torch must find numbers for."""

import math
import subprocess
from dataclasses import dataclass

from failure import Failure

ALIASES = {"conv": "convolutional", "conn": "connected", "deconv": "deconvolutional", "max": "maxpool", "avg": "avgpool"}
SAME_SHAPE = {"dropout", "softmax", "activation", "normalization", "l2norm", "logistic", "cost", "sobolev", "batchnorm", "shortcut"}
WITH_WEIGHTS = {"convolutional", "deconvolutional", "connected", "batchnorm"}


@dataclass
class Layer:
    index: int
    where: str  # file:line
    kind: str
    channels: int  # of the output, or outputs
    weights: tuple  # shape as PyTorch has it: [filters, channels / groups, size, size] or [outputs, inputs]; () for [batchnorm]
    input: tuple  # channels, height, width
    normalize: bool

    def __str__(self):
        return f"layer {self.index} [{self.kind}]"

    def failure(self, text):
        return Failure(f"{self.where}: error: {self} {text}")


class Section(dict):
    def integer(self, key, default):
        return int(float(self.get(key, default)))


def read_sections(path, darknet):
    """[(name, file:line, keys)] of the effective cfg, as the program prints it; lines are those of the file, which a [variant] has not."""
    text = subprocess.run([darknet, "sobolev", "predict", path, "-print-cfg"], capture_output=True, text=True, check=True).stdout
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = [number for number, line in enumerate(file, 1) if line.lstrip().startswith("[")]
    if len(lines) != sum(line.startswith("[") for line in text.splitlines()):
        lines = None
    sections = []
    for line in text.splitlines():
        if line.startswith("["):
            name = line.strip("[]")
            sections.append((ALIASES.get(name, name), f"{path}:{lines[len(sections)]}" if lines else path, Section()))
        elif "=" in line:
            key, value = line.split("=", 1)
            sections[-1][2][key] = value
    return sections


def windows(side, size, stride, padding):
    """padding: of both sides together"""
    return (side + padding - size) // stride + 1


def image_size(keys):
    size, stride = keys.integer("size", 1), keys.integer("stride", 1)
    return size, stride, size // 2 if keys.integer("pad", 0) else keys.integer("padding", 0)


def route_shape(keys, index, shapes):
    parts = [shapes[int(n) if int(n) >= 0 else index + int(n)] for n in keys["layers"].split(",")]
    if len({part[1:] for part in parts}) == 1:
        return (sum(part[0] for part in parts), *parts[0][1:])
    return (sum(math.prod(part) for part in parts), 1, 1)


def reorg_shape(keys, channels, height, width):
    stride = keys.integer("stride", 1)
    if keys.integer("extra", 0):
        return channels * height * width + keys.integer("extra", 0), 1, 1
    if keys.integer("reverse", 0):
        return channels // stride**2, height * stride, width * stride
    return channels * stride**2, height // stride, width // stride


def upsample_shape(keys, channels, height, width):
    stride = keys.integer("stride", 2)
    return (channels, height * stride, width * stride) if stride > 0 else (channels, height // -stride, width // -stride)


def output_shape(kind, where, keys, index, shape, shapes):
    channels, height, width = shape
    if kind in SAME_SHAPE:
        return shape
    if kind == "convolutional":
        size, stride, pad = image_size(keys)
        return keys.integer("filters", 1), windows(height, size, stride, 2 * pad), windows(width, size, stride, 2 * pad)
    if kind == "deconvolutional":
        size, stride, pad = image_size(keys)
        return keys.integer("filters", 1), *((side - 1) * stride + size - 2 * pad for side in (height, width))
    if kind == "connected":
        return keys.integer("output", 1), 1, 1
    if kind == "maxpool":
        stride = keys.integer("stride", 1)
        size = keys.integer("size", stride)
        padding = keys.integer("padding", size - 1)
        return channels, windows(height, size, stride, padding), windows(width, size, stride, padding)
    if kind == "avgpool":
        return channels, 1, 1
    if kind == "route":
        return route_shape(keys, index, shapes)
    if kind == "reorg":
        return reorg_shape(keys, *shape)
    if kind == "upsample":
        return upsample_shape(keys, *shape)
    if kind == "crop":
        return channels, keys.integer("crop_height", 1), keys.integer("crop_width", 1)
    raise Failure(f"{where}: error: [{kind}] has no counterpart in PyTorch that could be imported")


def weights_shape(kind, keys, shape):
    channels, height, width = shape
    size = keys.integer("size", 1)
    if kind == "convolutional":
        return keys.integer("filters", 1), channels // keys.integer("groups", 1), size, size
    if kind == "deconvolutional":
        return channels, keys.integer("filters", 1), size, size
    if kind == "connected":
        return keys.integer("output", 1), channels * height * width
    return ()


def check_stored_plainly(where, keys):
    for key in ("binary", "xnor", "flipped", "numload", "dontload", "dontloadscales"):
        if keys.integer(key, 0):
            raise Failure(f"{where}: error: {key}={keys[key]}: these weights are not stored as PyTorch has them")


def read_network(path, darknet):
    """(shape of the input, layers with weights, name of the last section)"""
    sections = read_sections(path, darknet)
    net = sections[0][2]
    image = "channels" in net and "height" in net
    start = tuple(net.integer(key, 1) for key in ("channels", "height", "width")) if image else (net.integer("inputs", 1), 1, 1)
    layers, shapes, shape = [], [], start
    for name, where, keys in sections[1:]:
        if name == "data" or name == "teacher":
            continue
        result = output_shape(name, where, keys, len(shapes), shape, shapes)
        if name in WITH_WEIGHTS:
            check_stored_plainly(where, keys)
            normalize = name == "batchnorm" or keys.integer("batch_normalize", 0) == 1
            layers.append(Layer(len(shapes), where, name, result[0], weights_shape(name, keys, shape), shape, normalize))
        shapes.append(result)
        shape = result
    last = [name for name, _, _ in sections if name not in ("data", "teacher", "cost", "sobolev")][-1]
    return start, layers, last
