"""The Arcade Learning Environment as the paper's agents see it: 84x84 grey observations, every action repeated for 4 frames, no sticky actions."""

import cv2
import numpy as np
from ale_py import ALEInterface, LoggerMode
from ale_py.roms import get_rom_path

REPEAT = 4
SIDE = 84
HISTORY = 4
LONGEST = 10000  # actions of one episode; the trained agents knew no longer ones
NO_OPS = 30      # at most so many frames pass before the first action, else every episode would begin alike

# The games of the paper and their outputs, in its order: joystick actions by ALE's names. `same` of another action of the environment is the
# output that stands for it. In Pong the button drives the ball harder, and an agent that never presses it loses: the three outputs hold it.
GAMES = {
    "pong": {"actions": ["FIRE", "RIGHTFIRE", "LEFTFIRE"], "same": {"NOOP": "FIRE", "RIGHT": "RIGHTFIRE", "LEFT": "LEFTFIRE"}},
    "breakout": {"actions": ["NOOP", "FIRE", "RIGHT", "LEFT"], "same": {}},
    "space_invaders": {"actions": ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"], "same": {}},
}


ALL_ACTIONS = {  # ALE's minimal sets, in its order
    "pong": ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"],
    "breakout": ["NOOP", "FIRE", "RIGHT", "LEFT"],
    "space_invaders": ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"],
}


class Arcade:
    """One running game, of the outputs `actions`. With `random_repeat` every action is played for 2, 3 or 4 frames, drawn from the episode's seed,
    as the environments GAME-v4 do in which the A3C agents were trained. `screen` is the last raw frame in colour, `observation` what a network sees: uint8 [84, 84], the larger of each pixel in
    the last two raw frames (sprites flicker), whole screen, shrunk by areas."""

    def __init__(self, game, actions=None, random_repeat=False):
        ALEInterface.setLoggerMode(LoggerMode.Error)
        self.game = game
        self.names = actions or GAMES[game]["actions"]
        self.random_repeat = random_repeat
        self.ale = ALEInterface()
        self.ale.setFloat("repeat_action_probability", 0.0)
        self.grey = np.empty((2, 210, 160), np.uint8)

    def start(self, seed):
        """Begins the episode that belongs to this seed."""
        self.ale.setInt("random_seed", seed)
        self.ale.loadROM(get_rom_path(self.game))  # the seed counts from here
        by_name = {action.name: action for action in self.ale.getMinimalActionSet()}
        self.actions = [by_name[name] for name in self.names]
        self.random = np.random.default_rng(seed)
        self.score = 0.0
        self.steps = 0
        for _ in range(1 + seed % NO_OPS):
            self.ale.act(by_name["NOOP"])
        self.ale.getScreenGrayscale(self.grey[0])
        self.grey[1] = self.grey[0]

    def act(self, action):
        """Plays an output for REPEAT frames."""
        repeat = int(self.random.integers(2, REPEAT + 1)) if self.random_repeat else REPEAT
        for i in range(repeat):
            self.score += self.ale.act(self.actions[action])
            if i >= repeat - 2:
                self.ale.getScreenGrayscale(self.grey[i - (repeat - 2)])
        self.steps += 1

    @property
    def over(self):
        return self.ale.game_over() or self.steps >= LONGEST

    @property
    def screen(self):
        return self.ale.getScreenRGB()

    @property
    def observation(self):
        return cv2.resize(np.maximum(self.grey[0], self.grey[1]), (SIDE, SIDE), interpolation=cv2.INTER_AREA)
