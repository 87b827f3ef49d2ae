"""What the peers have in common: they answer requests as `darknet sobolev bench -requests` does."""

import sys
import time


def serve(parameters, steps, roof, remark):
    """steps: name -> function that runs n steps and waits for their end; roof: operations per second of a large product."""
    out = sys.__stdout__
    print("ready", "parameters", parameters, "remark", remark.replace(" ", "_"), file=out, flush=True)
    for line in sys.stdin:
        words = line.split()
        if words == ["roof"]:
            print(f"{roof():.6g}", file=out, flush=True)
        elif len(words) == 2 and words[0] in steps:
            start = time.perf_counter()
            steps[words[0]](int(words[1]))
            print(f"{time.perf_counter() - start:.9g}", file=out, flush=True)
        else:
            print("error", file=out, flush=True)


def best_rate(multiply, size):
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        multiply()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best
