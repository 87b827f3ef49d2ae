"""What the programs of this folder share: flags, messages, and the end of a run."""

import argparse
import importlib
import os
import signal
import sys


class Failure(Exception):
    """One sentence for the user."""


def fail(message):
    print(f"{os.path.basename(sys.argv[0])}: error: {message}", file=sys.stderr)
    sys.exit(2)


def need_modules(*more):
    """Those of requirements.txt that every program here needs, and more; or one sentence that says how to get them."""
    here = os.path.dirname(os.path.abspath(__file__))
    for name in ("ale_py", "cv2", "h5py", "numpy", *more):
        try:
            importlib.import_module(name)
        except ImportError:
            fail(f"this Python has no module '{name}': python3 -m venv VENV && VENV/bin/pip install -r {here}/requirements.txt, "
                 f"then VENV/bin/python {sys.argv[0]}")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        fail(message)


def whole(low):
    def parse(text):
        value = int(text) if text.isascii() and text.isdigit() else -1
        if value < low:
            raise argparse.ArgumentTypeError(f"'{text}' is not a whole number of at least {low}")
        return value
    return parse


def parser(description):
    """A parser of one-dash flags, as darknet's are, with what every program here takes."""
    p = Parser(description=description, add_help=True, allow_abbrev=False, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-seed", type=whole(0), default=1, help="the same seed plays the same episodes (1)")
    p.add_argument("-players", type=whole(1), default=8, help="episodes played at the same time (8)")
    return p


def run(main):
    """Calls main; what went wrong in a known way becomes one message and status 2."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        main()
    except Failure as failure:
        fail(failure)
    except KeyboardInterrupt:
        sys.exit(130)


def check_out(path):
    folder = os.path.dirname(os.path.abspath(path))
    if not os.path.isdir(folder):
        raise Failure(f"-out {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise Failure(f"-out {path}: the folder {folder} cannot be written to")


def record(players, records, states):
    """Follows the players until `states` are recorded; the last episode is cut there. Prints a line for each episode."""
    try:
        for episode in players.play(lambda begun, steps: records.count + steps < states):
            count = min(len(episode.frames), states - records.count)
            if count > 0:
                records.add(episode, count)
                print(f"episode {episode.number}: {episode.score:g} points in {episode.steps} actions; {records.count} of {states} states", flush=True)
            if records.count == states:
                break
        records.close()
    except BaseException:
        records.abandon()
        raise


def play(players, episodes):
    """The returns of so many episodes; prints a line for each, and what they come to."""
    scores = []
    for episode in players.play(lambda begun, steps: begun < episodes):
        scores.append(episode.score)
        print(f"episode {episode.number}: {episode.score:g} points in {episode.steps} actions", flush=True)
    print(summary(scores))
    return scores


def summary(scores):
    import numpy as np
    scores = np.asarray(scores, float)
    if not len(scores):
        return "no whole episode"
    error = scores.std(ddof=1) / len(scores) ** 0.5 if len(scores) > 1 else float("nan")
    return (f"return: mean {scores.mean():.2f} ± {error:.2f} (standard error), median {np.median(scores):g}, "
            f"{scores.min():g} to {scores.max():g}, {len(scores)} episodes")
