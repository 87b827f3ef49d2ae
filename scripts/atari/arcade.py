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

# The games of the paper and their outputs, in its order: joystick actions by ALE's names. In Pong the button does nothing, so that the six
# actions of the environment are three: `same` of an action of the environment is the output that stands for it.
GAMES = {
    "pong": {"actions": ["NOOP", "RIGHT", "LEFT"], "same": {"FIRE": "NOOP", "RIGHTFIRE": "RIGHT", "LEFTFIRE": "LEFT"}},
    "breakout": {"actions": ["NOOP", "FIRE", "RIGHT", "LEFT"], "same": {}},
    "space_invaders": {"actions": ["NOOP", "FIRE", "RIGHT", "LEFT", "RIGHTFIRE", "LEFTFIRE"], "same": {}},
}


class Arcade:
    """One running game. `screen` is the last raw frame in colour, `observation` what a network sees: uint8 [84, 84], the larger of each pixel in
    the last two raw frames (sprites flicker), whole screen, shrunk by areas."""

    def __init__(self, game):
        ALEInterface.setLoggerMode(LoggerMode.Error)
        self.game = game
        self.ale = ALEInterface()
        self.ale.setFloat("repeat_action_probability", 0.0)
        self.grey = np.empty((2, 210, 160), np.uint8)

    def start(self, seed):
        """Begins the episode that belongs to this seed."""
        self.ale.setInt("random_seed", seed)
        self.ale.loadROM(get_rom_path(self.game))  # the seed counts from here
        by_name = {action.name: action for action in self.ale.getMinimalActionSet()}
        self.actions = [by_name[name] for name in GAMES[self.game]["actions"]]
        self.score = 0.0
        self.steps = 0
        for _ in range(1 + seed % NO_OPS):
            self.ale.act(by_name["NOOP"])
        self.ale.getScreenGrayscale(self.grey[0])
        self.grey[1] = self.grey[0]

    def act(self, action):
        """Plays the output `action` for REPEAT frames."""
        for i in range(REPEAT):
            self.score += self.ale.act(self.actions[action])
            if i >= REPEAT - 2:
                self.ale.getScreenGrayscale(self.grey[i - (REPEAT - 2)])
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
