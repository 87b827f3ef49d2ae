"""A policy that is a Darknet network, computed by the plugin's library (darknet_ext.h) through ctypes."""

import ctypes
import os

import numpy as np

from arcade import GAMES, HISTORY, SIDE
from common import Failure

LIBRARY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "build", "darknet_ext", "libdarknet_ext.so")
DOUBLES = ctypes.POINTER(ctypes.c_double)


class DarknetPolicy:
    """The softmax of a network of 4x84x84 inputs, the last four observations from the oldest to the newest, from 0 to 1. A network that ends
    with a [softmax] of its own says probabilities, one that ends with a linear layer logits."""

    def __init__(self, cfg, weights, game, players, library=None):
        path = library or os.path.normpath(LIBRARY)
        try:
            self.lib = ctypes.CDLL(path)
        except OSError as error:
            raise Failure(f"the plugin's library cannot be loaded: {error}; build with scripts/build, or name it with -library") from None
        self.lib.dnx_error_text.restype = ctypes.c_char_p
        self.lib.dnx_model_predict.argtypes = [ctypes.c_void_p, ctypes.c_int, DOUBLES, DOUBLES]
        for size in (self.lib.dnx_model_inputs, self.lib.dnx_model_outputs):
            size.argtypes = [ctypes.c_void_p]
        self.model = ctypes.c_void_p()
        if self.lib.dnx_model_load(os.fsencode(cfg), os.fsencode(weights), ctypes.byref(self.model)):
            raise Failure(self.lib.dnx_error_text().decode(errors="replace").rstrip())
        self.outputs = len(GAMES[game]["actions"])
        inputs, outputs = self.lib.dnx_model_inputs(self.model), self.lib.dnx_model_outputs(self.model)
        if inputs != HISTORY * SIDE * SIDE:
            raise Failure(f"{cfg}: the network has {inputs} inputs; a player of Atari games sees {HISTORY}x{SIDE}x{SIDE} = {HISTORY * SIDE * SIDE}")
        if outputs != self.outputs:
            raise Failure(f"{cfg}: the network has {outputs} outputs; {game} has {self.outputs} actions ({' '.join(GAMES[game]['actions'])})")
        self.logits = last_section(cfg) != "softmax"
        self.history = [None] * players

    def forget(self, player):
        self.history[player] = None

    def log_probabilities(self, players, arcades):
        """float32 [players, outputs]."""
        x = np.empty((len(players), HISTORY, SIDE, SIDE))
        for i, player in enumerate(players):
            now = arcades[player].observation
            past = self.history[player] if self.history[player] is not None else [now] * HISTORY
            self.history[player] = [*past[1:], now]
            x[i] = self.history[player]
        x *= 1 / 255
        y = np.empty((len(players), self.outputs))
        if self.lib.dnx_model_predict(self.model, len(players), x.ctypes.data_as(DOUBLES), y.ctypes.data_as(DOUBLES)):
            raise Failure(self.lib.dnx_error_text().decode(errors="replace").rstrip())
        if not self.logits:
            return np.log(np.maximum(y, 1e-8)).astype(np.float32)
        y -= y.max(1, keepdims=True)
        return (y - np.log(np.exp(y).sum(1, keepdims=True))).astype(np.float32)


def last_section(cfg):
    """The name of a cfg's last section that is a layer of the network."""
    with open(cfg, encoding="utf-8", errors="replace") as file:
        names = [line.strip()[1:].partition("]")[0] for line in file if line.strip().startswith("[")]
    return [name for name in names if name not in ("net", "network", "data", "teacher", "sobolev", "cost")][-1]
