"""Numbers of PyTorch's modules as those of a Darknet .weights file (darknet_ext/data/weights_file.h, darknet_ext/bridge/weights.c)."""

import numpy

EPSILON = 1e-6  # Darknet's: (x - mean) / (sqrt(var) + EPSILON) scale + bias


def darknet_statistics(pair, eps):
    """(scales, biases, means, variances) with which Darknet's formula gives PyTorch's (x - mean) / sqrt(var + eps) scale + bias."""
    norm, linear = pair.norm, pair.linear
    deviation = numpy.sqrt(norm.running_var + eps)
    variances = numpy.maximum(deviation - EPSILON, 0) ** 2
    scales = numpy.ones_like(deviation) if norm.weight is None else norm.weight
    biases = numpy.zeros_like(deviation) if norm.bias is None else norm.bias
    means = norm.running_mean
    if linear is not None and linear.bias is not None:  # (z + bias) - mean
        means = means - linear.bias
    return scales, biases, means, variances


def batchnorm_alone(pair, eps):
    """[batchnorm] has no biases: they go into the means, (x - mean) / d scale + bias = (x - (mean - bias d / scale)) / d scale."""
    scales, biases, means, variances = darknet_statistics(pair, eps)
    if ((scales == 0) & (biases != 0)).any():
        raise pair.layer.failure(f"has no biases, and those of {pair.norm.name} cannot go into its means where its scale is 0")
    shift = numpy.divide(biases * (numpy.sqrt(variances) + EPSILON), scales, out=numpy.zeros_like(biases), where=scales != 0)
    return [scales, means - shift, variances]


def blocks_of(pair, eps):
    """In the order of the file."""
    layer, linear = pair.layer, pair.linear
    if layer.kind == "batchnorm":
        return batchnorm_alone(pair, eps)
    weights = linear.weight
    biases = numpy.zeros(layer.channels) if linear.bias is None else linear.bias
    statistics = []
    if pair.norm:
        scales, biases, means, variances = darknet_statistics(pair, eps)
        statistics = [scales, means, variances]
    return [biases, weights, *statistics] if layer.kind == "connected" else [biases, *statistics, weights]


def write_weights(path, pairs, eps_of):
    """eps_of: name of a batch normalisation -> its eps. Returns how many numbers were written."""
    count = 0
    with open(path, "wb") as file:
        file.write(numpy.array([0, 2, 0], "<i4").tobytes())
        file.write(numpy.array([0], "<u8").tobytes())  # samples seen
        for pair in pairs:
            for block in blocks_of(pair, eps_of(pair.norm.name) if pair.norm else 0):
                with numpy.errstate(over="ignore"):
                    numbers = numpy.ascontiguousarray(block, "<f4")
                if not numpy.isfinite(numbers).all():
                    raise pair.layer.failure("holds a number that is too large for a float")
                file.write(numbers.tobytes())
                count += numbers.size
    return count
