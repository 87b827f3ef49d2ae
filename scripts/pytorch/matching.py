"""Which module of the state dict each layer takes: in order, or by a map."""

import math
from dataclasses import dataclass

from failure import Failure
from layers import Layer
from state import Module


@dataclass
class Pair:
    layer: Layer
    linear: Module  # None for [batchnorm]
    norm: Module  # None without batch normalisation


def fits(layer, weight):
    """[connected] and a convolution over the whole image hold the same numbers in the same order, and so do 1x1 convolutions and Linear."""
    if weight is None or weight.ndim < 2:
        return False
    if weight.shape == layer.weights:
        return True
    if layer.kind == "connected":
        return weight.ndim == 4 and weight.shape == (layer.channels, *layer.input)
    whole = layer.weights[1:] == layer.input or layer.weights[2:] == (1, 1)
    return layer.kind == "convolutional" and whole and weight.shape == (layer.channels, math.prod(layer.weights[1:]))


def check_linear(layer, module, path):
    if module.normalizes or not fits(layer, module.weight):
        raise layer.failure(f"takes weights {list(layer.weights)}; {path} has {module.describe()}")
    if module.bias is not None and module.bias.shape != (layer.channels,):
        raise layer.failure(f"takes {layer.channels} biases; {path} has {module.name}.bias {list(module.bias.shape)}")


def check_norm(layer, module, path):
    if not module.normalizes:
        hint = ": a normalisation without running statistics has no counterpart" if module.weight is not None and module.weight.ndim == 1 else ""
        raise layer.failure(f"takes a batch normalisation of {layer.channels} channels; {path} has {module.describe()}{hint}")
    for numbers in (module.weight, module.bias, module.running_mean, module.running_var):
        if numbers is not None and numbers.shape != (layer.channels,):
            raise layer.failure(f"takes a batch normalisation of {layer.channels} channels; {path} has {module.describe()}")


def checked_pair(layer, modules, path):
    linear = None if layer.kind == "batchnorm" else modules.pop(0)
    norm = modules.pop(0) if layer.normalize else None
    if linear:
        check_linear(layer, linear, path)
    if norm:
        check_norm(layer, norm, path)
    return Pair(layer, linear, norm)


def wanted(layer):
    return (layer.kind != "batchnorm") + layer.normalize


def match_in_order(layers, modules, path):
    queue, pairs = list(modules.values()), []
    for layer in layers:
        if len(queue) < wanted(layer):
            left = "; left over is " + queue[0].describe() if queue else ""
            raise Failure(f"{path}: error: ends before the cfg does: nothing is left for {layer} and the layers behind it{left}")
        if layer.normalize and layer.kind != "batchnorm" and not queue[1].normalizes and not queue[0].normalizes:
            raise layer.failure(f"has batch_normalize=1, but behind {queue[0].name} {path} has {queue[1].describe()}")
        pairs.append(checked_pair(layer, queue, path))
    return pairs, queue


def read_map(path):
    """{layer number: names}, names that are not needed"""
    by_layer, unneeded = {}, []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0] == "-" and len(words) == 2:
                unneeded.append(words[1])
            elif words[0].isdigit() and 2 <= len(words) <= 3:
                if int(words[0]) in by_layer:
                    raise Failure(f"{path}:{number}: error: layer {words[0]} a second time")
                by_layer[int(words[0])] = words[1:]
            else:
                raise Failure(f"{path}:{number}: error: neither 'LAYER MODULE [BATCH_NORM]' nor '- MODULE'")
    return by_layer, unneeded


def match_by_map(layers, modules, path, map_path):
    by_layer, unneeded = read_map(map_path)
    pairs, left = [], dict(modules)
    for layer in layers:
        names = by_layer.pop(layer.index, None)
        if names is None:
            raise Failure(f"{map_path}: error: names no module for {layer} ({layer.where})")
        if len(names) != wanted(layer):
            raise Failure(f"{map_path}: error: {layer} takes {wanted(layer)} modules, {len(names)} are named")
        for name in names:
            if name not in modules:
                raise Failure(f"{map_path}: error: {path} has no module '{name}'")
            left.pop(name, None)
        pairs.append(checked_pair(layer, [modules[name] for name in names], path))
    if by_layer:
        raise Failure(f"{map_path}: error: layer {min(by_layer)} has no weights, or is none")
    for name in unneeded:
        below = [module for module in left if module == name or module.startswith(name + ".")]
        if not below:
            raise Failure(f"{map_path}: error: {path} has no module '{name}' that is left over")
        for module in below:
            del left[module]
    return pairs, list(left.values())


def match(layers, modules, path, map_path):
    pairs, left = match_by_map(layers, modules, path, map_path) if map_path else match_in_order(layers, modules, path)
    if left:
        raise Failure(f"{path}: error: left over, no layer of the cfg takes them: " + ", ".join(module.describe() for module in left))
    return pairs
