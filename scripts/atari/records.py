"""Records of play: HDF5 files that `[data] file=FILE history=4` of a cfg reads."""

import os
import shutil

import h5py
import numpy as np

from arcade import GAMES, SIDE
from common import Failure

CHUNK = 64  # frames that are compressed together


class Records:
    """A file that is written episode by episode under another name and gets its own when it is whole.

        frames   uint8 [N, 84, 84]            one observation each; the history is made by the reader
        episode  int32 [N]                    not decreasing
        y        float32 [N, outputs]         logarithms of the policy's probabilities
        action   uint8 [N]                    what was played
        returns  float32 [episodes]           points; NaN of an episode that was cut short
    """

    def __init__(self, path, game, attributes, start=None):
        """`start`: a file of records of the same game that stand before the new ones."""
        self.path = path
        self.part = path + ".part"
        self.count = 0
        self.returns = []
        if start:
            self.go_on(start, game)
        else:
            self.file = h5py.File(self.part, "w")
            self.make_sets(game)
            self.file.attrs.update(game=game, actions=GAMES[game]["actions"])
        for name, value in attributes.items():
            self.file.attrs[name] = f"{self.file.attrs[name]}; {value}" if name in self.file.attrs else str(value)

    def go_on(self, start, game):
        try:
            shutil.copyfile(start, self.part)
            self.file = h5py.File(self.part, "r+")
            self.returns = list(self.file["returns"][:])
            del self.file["returns"]
            self.count = len(self.file["frames"])
            of = self.file.attrs["game"]
        except (OSError, KeyError) as error:
            if os.path.exists(self.part):
                os.remove(self.part)
            raise Failure(f"{start}: not a file of records ({error})") from None
        if of != game:
            self.abandon()
            raise Failure(f"{start}: records of {of}, not of {game}")

    def make_sets(self, game):
        outputs = len(GAMES[game]["actions"])
        for name, shape, kind in (("frames", (SIDE, SIDE), "u1"), ("episode", (), "i4"), ("y", (outputs,), "f4"), ("action", (), "u1")):
            images = name == "frames"
            self.file.create_dataset(name, (0, *shape), kind, maxshape=(None, *shape), chunks=(CHUNK if images else 4096, *shape),
                                     compression="gzip" if images else None, compression_opts=1 if images else None)

    def add(self, episode, count):
        """The first `count` steps of an episode."""
        start, end = self.count, self.count + count
        for name, rows in (("frames", episode.frames), ("y", episode.y), ("action", episode.actions)):
            self.file[name].resize(end, 0)
            self.file[name][start:] = np.stack(rows[:count])
        self.file["episode"].resize(end, 0)
        self.file["episode"][start:] = len(self.returns)
        self.returns.append(episode.score if count == len(episode.frames) else np.nan)
        self.count = end

    def close(self):
        self.file["returns"] = np.array(self.returns, np.float32)
        self.file.close()
        os.replace(self.part, self.path)

    def abandon(self):
        self.file.close()
        os.remove(self.part)
