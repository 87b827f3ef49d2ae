"""Lets this project's loader and torchvision's take turns on the same pictures, one thread and one worker process, and prints a table.
scripts/bench_loaders calls it."""

import argparse
import os
import statistics
import sys
import tempfile

import compare
from compare import DISTURBED, HERE, Meter, Program, fail, processor_seconds

# augment= -> side of the input
SIDES = {"inception": 224, "pad_crop": 32}
BATCH = 32

CFG = """[net]
height={side}
width={side}
channels=3
batch={batch}
max_batches=1
[data]
train={list}
valid={list}
missing=1
augment={augment}
loaders=1
[avgpool]
[connected]
output=2
activation=linear
[sobolev]
order=0
"""


class LoaderProgram(Program):
    worker = None

    def wait_until_ready(self):
        words = self.read_line(60)
        if words[:2] == ["ready", "worker"]:
            self.worker, self.remark = words[2], " ".join(words[3:])

    def processor_seconds(self):
        return super().processor_seconds() + (processor_seconds(self.worker) if self.worker else 0)

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        words = self.read_line(600)
        if len(words) != 3:
            fail(f"{self.name} cannot load these pictures")
        return [float(word) for word in words]


def start_programs(arguments, folder):
    side = SIDES[arguments.augment]
    cfg = os.path.join(folder, "loader.cfg")
    with open(cfg, "w", encoding="utf-8") as out:
        out.write(CFG.format(side=side, batch=BATCH, list=arguments.list, augment=arguments.augment))
    environment = dict(os.environ, OMP_NUM_THREADS="1")
    programs = [LoaderProgram("darknet_ext", [arguments.darknet, "sobolev", "bench", cfg, "-requests", "-threads", "1"], environment)]
    if arguments.peers:
        command = [sys.executable, os.path.join(HERE, "torch_loader.py"), arguments.list, arguments.augment, str(side), str(BATCH)]
        programs.append(LoaderProgram("torchvision", command, environment))
    for program in programs:
        program.wait_until_ready()
    return programs


def measure(arguments, programs):
    found = {program.name: [] for program in programs}
    for program in programs:  # the files come from the disk, decoders wake up
        program.ask(f"loader {arguments.samples}")
    for _ in range(arguments.rounds):
        for program in programs:
            seconds, processor, taken = program.ask(f"loader {arguments.samples}")
            found[program.name].append((taken / seconds, taken / processor if processor > 0 else 0))
    return found


def main():
    compare.script = "scripts/bench_loaders"
    parser = argparse.ArgumentParser(prog="scripts/bench_loaders")
    parser.add_argument("-darknet", required=True)
    parser.add_argument("-list", required=True)
    parser.add_argument("-augment", choices=sorted(SIDES), default="inception")
    parser.add_argument("-rounds", type=int, default=7)
    parser.add_argument("-samples", type=int, default=256)
    parser.add_argument("-peers", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        programs = start_programs(arguments, folder)
        meter = Meter(programs)
        found = measure(arguments, programs)
        others = meter.others()
        for program in programs:
            program.end()
    print("| loader | images/s by the clock | per core (processor time) |\n|---|---|---|")
    for program in programs:
        clock, core = (statistics.median(values) for values in zip(*found[program.name]))
        print(f"| {program.name}{f' ({program.remark})' if program.remark else ''} | {clock:.0f} | {core:.0f} |")
    if len(programs) > 1:
        ratios = [[a / b for a, b in zip(ours, theirs)] for ours, theirs in zip(found["darknet_ext"], found["torchvision"])]
        clock, core = (statistics.median(values) for values in zip(*ratios))
        print(f"\ndarknet_ext / torchvision, median of the rounds: {clock:.2f} by the clock, {core:.2f} per core")
    print(f"\naugment={arguments.augment}, {arguments.rounds} rounds of {arguments.samples} images each in turn, one thread or worker process")
    if others > DISTURBED:
        print(f"other programs used {100 * others:.0f}% of the processors meanwhile: the rates by the clock are too low")


main()
