"""Episodes of a game played by a policy, several at a time, in an order and with a result that the seed decides."""

import numpy as np


class Episode:
    def __init__(self, number):
        self.number = number
        self.frames, self.y, self.actions = [], [], []
        self.score = None  # when it is over


class Players:
    """`policy` and `judge` answer log_probabilities(players, arcades) and forget(player). The policy plays, the judge, often the same, says what
    the records hold. Of an episode counts only what its number and the seed make of it: whole episodes come in the order of their
    beginnings, so that those that end early are not preferred."""

    def __init__(self, arcades, policy, judge, seed, greedy=False, keep=True):
        self.arcades, self.policy, self.judge, self.seed, self.greedy, self.keep = arcades, policy, judge, seed, greedy, keep
        self.episodes = [None] * len(arcades)
        self.random = [None] * len(arcades)
        self.begun = 0
        self.finished = {}  # by number: whole, but an earlier one is not

    def begin(self, player):
        self.random[player] = np.random.default_rng([self.seed, self.begun])
        self.arcades[player].start(int(self.random[player].integers(1 << 30)))
        self.episodes[player] = Episode(self.begun)
        self.begun += 1
        for network in {self.policy, self.judge}:
            network.forget(player)

    def step(self, players):
        y = played = self.policy.log_probabilities(players, self.arcades)
        if self.judge is not self.policy:
            y = self.judge.log_probabilities(players, self.arcades)
        for i, player in enumerate(players):
            episode, arcade = self.episodes[player], self.arcades[player]
            action = self.choose(player, played[i])
            if self.keep:
                episode.frames.append(arcade.observation)
                episode.y.append(y[i])
                episode.actions.append(action)
            arcade.act(action)
            if arcade.over:
                episode.score = arcade.score
                episode.steps = arcade.steps
                self.finished[episode.number] = episode
                self.episodes[player] = None

    def choose(self, player, log_probabilities):
        if self.greedy:
            return int(log_probabilities.argmax())
        shares = np.cumsum(np.exp(log_probabilities.astype(np.float64)))
        return min(int(np.searchsorted(shares, self.random[player].random() * shares[-1], "right")), len(shares) - 1)

    def unfinished_steps(self):
        """Of the episodes that were begun and not yet handed out."""
        return sum(arcade.steps for arcade, episode in zip(self.arcades, self.episodes) if episode) + sum(e.steps for e in self.finished.values())

    def play(self, more):
        """Whole episodes in order. more(begun, steps not handed out): shall another be begun?"""
        due = 0
        while True:
            for player, episode in enumerate(self.episodes):
                if episode is None and more(self.begun, self.unfinished_steps()):
                    self.begin(player)
            players = [player for player, episode in enumerate(self.episodes) if episode]
            if not players:
                return
            self.step(players)
            while due in self.finished:
                yield self.finished.pop(due)
                due += 1
