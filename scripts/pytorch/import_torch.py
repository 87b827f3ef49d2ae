"""The body of ../import_torch: import_torch.py DARKNET NET.cfg STATE.pt OUT.weights EPS MAP MODULE; the last two may be empty."""

import importlib.util
import math
import os
import subprocess
import sys
import tempfile

import h5py
import numpy
import torch

from convert import write_weights
from failure import Failure
from layers import read_network
from matching import match
from state import PREFIXES, load_state, modules_of

TOLERANCE = 1e-4  # largest difference of an output / largest output
SAMPLES = 4


def build_module(words, state):
    """The user's nn.Module with the numbers of the state dict."""
    path, _, name = words.rpartition(":")
    spec = importlib.util.spec_from_file_location("network_to_import", path)
    source = importlib.util.module_from_spec(spec)
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    spec.loader.exec_module(source)
    if not callable(getattr(source, name, None)):
        raise Failure(f"-module: error: {path} has no function '{name}'")
    module = getattr(source, name)()
    if not isinstance(module, torch.nn.Module):
        raise Failure(f"-module: error: {name}() returns {type(module).__name__}, not an nn.Module")
    for prefix in PREFIXES:  # which load_state() has taken off the names
        if all(name.startswith(prefix) for name in module.state_dict()):
            module = getattr(module, prefix[:-1])
    try:
        module.load_state_dict(state)
    except RuntimeError as error:
        raise Failure("-module: error: the module does not take this state dict: " + " ".join(str(error).split())) from None
    return module.float().eval()


def norms_of(module):
    """name -> eps"""
    return {name: part.eps for name, part in module.named_modules() if hasattr(part, "running_mean") and hasattr(part, "eps")}


def predict(darknet, cfg, weights, x, folder):
    """Our outputs [samples, outputs]."""
    points, result = os.path.join(folder, "x.h5"), os.path.join(folder, "y.h5")
    with h5py.File(points, "w") as file:
        file["x"] = x.reshape(len(x), -1)
    done = subprocess.run([darknet, "sobolev", "predict", cfg, weights, points, "-out", result], capture_output=True, text=True)
    if done.returncode:
        raise Failure(done.stderr.strip())
    with h5py.File(result) as file:
        return file["y"][()].reshape(len(x), -1)


def outputs_of(module, x):
    try:
        with torch.no_grad():
            y = module(torch.from_numpy(x))
    except Exception as error:
        raise Failure(f"-module: error: the module does not take inputs of shape {list(x.shape)} ({error})") from None
    y = y[0] if isinstance(y, (tuple, list)) else y
    return y.reshape(len(x), -1).double().numpy()


def softmax(y):
    e = numpy.exp(y - y.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def compare(ours, theirs, last):
    """Prints the largest difference; fails above the tolerance."""
    if ours.shape != theirs.shape:
        raise Failure(f"error: the cfg has {ours.shape[1]} outputs, the module {theirs.shape[1]}")
    remark = ""
    if last == "softmax" and not numpy.allclose(theirs.sum(axis=1), 1, atol=1e-3):
        theirs, remark = softmax(theirs), ", after the softmax that the cfg ends with"
    largest = numpy.abs(theirs).max()
    difference = numpy.abs(ours - theirs).max() / largest if largest > 0 else numpy.abs(ours).max()
    text = f"largest difference {difference:.2g} of the largest output {largest:.4g}, {len(ours)} random inputs, {ours.shape[1]} outputs{remark}"
    if not difference <= TOLERANCE:
        raise Failure(f"error: the outputs differ from PyTorch's: {text}. Are the cfg's activations (Darknet's leaky has a slope of .1), paddings "
                      "and poolings the module's?")
    print(f"verified against PyTorch: {text}")


def run(darknet, cfg, state_path, out, eps, map_path, module_words):
    start, layers, last = read_network(cfg, darknet)
    state = load_state(state_path)
    pairs = match(layers, modules_of(state, state_path), state_path, map_path)
    module = build_module(module_words, state) if module_words else None
    norms = norms_of(module) if module else {}
    with tempfile.TemporaryDirectory(dir=os.path.dirname(os.path.abspath(out)), prefix=".import_torch_") as folder:
        weights = os.path.join(folder, "new.weights")
        count = write_weights(weights, pairs, lambda name: norms.get(name, eps))
        shape = start if math.prod(start[1:]) > 1 else start[:1]
        x = numpy.random.default_rng(1).standard_normal((SAMPLES, *shape)).astype(numpy.float32)
        ours = predict(darknet, cfg, weights, x, folder)
        if not numpy.isfinite(ours).all():
            raise Failure("error: outputs of the network are not finite at random inputs")
        if module:
            compare(ours, outputs_of(module, x), last)
        os.replace(weights, out)
    print(f"{out}: {count} numbers for {len(pairs)} layers")
    if not module:
        print("not verified against PyTorch: name the module with -module FILE.py:FUNCTION")


def main(words):
    try:
        eps = float(words[4])
        if not 0 <= eps < 1:
            raise ValueError
    except ValueError:
        raise Failure(f"-eps: error: '{words[4]}' is not a number from 0 to 1") from None
    run(*words[:4], eps, *words[5:])


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Failure as failure:
        print(failure, file=sys.stderr)
        sys.exit(1)
