"""The trained A3C agents: PyTorch checkpoints of four convolutions (3x3, stride 2, ELU), a GRU of 256 and a linear layer of actions."""

import os

import numpy as np
import torch
import torch.nn.functional as F

from arcade import ALL_ACTIONS, GAMES

ROWS = slice(35, 195)  # of the screen: the playing field, 160x160
SIDE = 80
MEMORY = 256
CHECKPOINTS = {"pong": "pong-v4.model.80.tar", "breakout": "breakout-v4.model.80.tar", "space_invaders": "spaceinvaders-v4.model.80.tar"}
SHAPES = {
    "conv1.weight": (32, 1, 3, 3), "conv2.weight": (32, 32, 3, 3), "conv3.weight": (32, 32, 3, 3), "conv4.weight": (32, 32, 3, 3),
    "conv1.bias": (32,), "conv2.bias": (32,), "conv3.bias": (32,), "conv4.bias": (32,),
    "gru.weight_ih": (3 * MEMORY, 800), "gru.weight_hh": (3 * MEMORY, MEMORY), "gru.bias_ih": (3 * MEMORY,), "gru.bias_hh": (3 * MEMORY,),
}


class WrongCheckpoint(Exception):
    """One sentence: the file, and what is wrong with it."""


def halves():
    """[80, 160]: the triangle filter that the agents' frames were shrunk by (scipy's imresize, bilinear: 1 3 3 1 over 8, cut at the border)."""
    w = np.zeros((SIDE, 2 * SIDE), np.float32)
    for i in range(SIDE):
        for tap, weight in zip(range(2 * i - 1, 2 * i + 3), (1, 3, 3, 1)):
            if 0 <= tap < 2 * SIDE:
                w[i, tap] = weight
    return w / w.sum(1, keepdims=True)


SHRINK = halves()
SUM = np.ones(3, np.float32)  # of red, green and blue


def agent_frame(screen):
    """float32 [80, 80] of uint8 [210, 160, 3]: grey, shrunk, stretched by the darkest and the brightest pixel (imresize did that to floats)."""
    grey = screen[ROWS].astype(np.float32) @ SUM
    low, high = grey.min(), grey.max()
    return (SHRINK @ grey @ SHRINK.T - low) / max(high - low, 1)


torch.set_num_threads(1)


class Agent:
    """Several players of one game at once, each with a memory of its own; `all_actions`: the outputs are those of the checkpoint."""

    def __init__(self, folder, game, players, all_actions=False):
        path = os.path.join(folder, CHECKPOINTS[game])
        self.weights = load(path, len(ALL_ACTIONS[game]))
        self.gru = torch.nn.GRUCell(800, MEMORY)
        self.gru.load_state_dict({key[4:]: value for key, value in self.weights.items() if key.startswith("gru.")})
        self.memory = torch.zeros(players, MEMORY)
        outputs = ALL_ACTIONS[game] if all_actions else GAMES[game]["actions"]
        same = {} if all_actions else GAMES[game]["same"]
        self.merge = torch.zeros(len(ALL_ACTIONS[game]), len(outputs), dtype=torch.float64)
        for i, action in enumerate(ALL_ACTIONS[game]):
            self.merge[i, outputs.index(same.get(action, action))] = 1

    def forget(self, player):
        self.memory[player] = 0

    def log_probabilities(self, players, arcades):
        """float32 [players, outputs], of actions that do the same the logarithm of the sum."""
        with torch.no_grad():
            x = torch.from_numpy(np.stack([agent_frame(arcades[player].screen) for player in players]))[:, None]
            for i in range(1, 5):
                x = F.elu(F.conv2d(x, self.weights[f"conv{i}.weight"], self.weights[f"conv{i}.bias"], stride=2, padding=1))
            self.memory[players] = self.gru(x.flatten(1), self.memory[players])
            z = F.linear(self.memory[players], self.weights["actor_linear.weight"], self.weights["actor_linear.bias"])
            return torch.log(torch.softmax(z.double(), 1) @ self.merge).float().numpy()


def load(path, actions):
    """The tensors of a checkpoint by name, or WrongCheckpoint."""
    try:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise WrongCheckpoint(f"{path}: no such file") from None
    except Exception as error:  # torch raises what its unpicklers raise
        raise WrongCheckpoint(f"{path}: not a PyTorch checkpoint ({(str(error) or type(error).__name__).splitlines()[0]})") from None
    shapes = dict(SHAPES, **{"actor_linear.weight": (actions, MEMORY), "actor_linear.bias": (actions,)})
    for name, shape in shapes.items():
        found = tuple(weights[name].shape) if isinstance(weights, dict) and name in weights else None
        if found is None:
            raise WrongCheckpoint(f"{path}: not one of the A3C agents: it has no tensor '{name}'")
        if found != shape:
            raise WrongCheckpoint(f"{path}: '{name}' is {list(found)} where this game's agent has {list(shape)}")
    return weights
