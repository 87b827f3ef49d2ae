"""Lets this project and its peers take turns in training steps of the same networks, and prints a table. scripts/bench_peers calls it."""

import argparse
import os
import select
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RESNET = "/usr/share/darknet/cfg/resnet50.cfg"
KINDS = ("plain", "sobolev")
READY_SECONDS = 900  # to load, and to compile
PAUSE = 0.03  # between two programs: idle threads of the one before still wait actively for a while
DISTURBED = 0.05  # of the processors' time, used by others

# name -> (cfg, batch)
WORKLOADS = {
    "mlp_20": ("mlp", 20),
    "mlp_100": ("mlp", 100),
    "mlp_256": ("mlp", 256),
    "mlp_1024": ("mlp", 1024),
    "student_32": ("student", 32),
    "student_200": ("student", 200),
    "cifar_32": ("cifar", 32),
    "resnet50_4": ("resnet50", 4),
}
QUICK = ["mlp_20", "student_32"]

RESNET_NET = "[net]\nheight=224\nwidth=224\nchannels=3\nlearning_rate=1e-7\npolicy=constant\nmomentum=.9\ndecay=1e-4\n"
RESNET_END = "[sobolev]\norder=1\nloss=l2\nloss_1=l2\ndifferentiate=loss\nobjective_loss=cross_entropy\ntarget=zero\n"


script = "scripts/bench_peers"  # whose messages these are


def fail(text):
    sys.exit(f"{script}: error: {text}")


def write_cfg(name, batch, folder):
    """The cfg of a workload, for all programs. ResNet-50 is Darknet's own, with another head."""
    if name == "resnet50":
        if not os.path.exists(RESNET):
            fail(f"there is no {RESNET} (package darknet)")
        text = open(RESNET, encoding="ascii").read()
        layers = text[text.index("[convolutional]"):text.index("[softmax]")]
        text = RESNET_NET + layers + RESNET_END
    else:
        text = open(os.path.join(HERE, f"{name}.cfg"), encoding="ascii").read()
    lines = [line for line in text.splitlines() if not line.startswith("batch=")]
    lines.insert(lines.index("[net]") + 1, f"batch={batch}")
    path = os.path.join(folder, f"{name}_{batch}.cfg")
    with open(path, "w", encoding="ascii") as out:
        out.write("\n".join(lines) + "\n")
    return path


def processor_seconds(pid):
    fields = open(f"/proc/{pid}/stat", encoding="ascii").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Program:
    """A process that answers requests for steps."""

    def __init__(self, name, command, environment):
        self.name = name
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True, env=environment)
        self.remark, self.units, self.operations = "", {}, {}

    def read_line(self, seconds):
        ready, _, _ = select.select([self.process.stdout], [], [], seconds)
        line = self.process.stdout.readline() if ready else ""
        if not line.endswith("\n"):
            self.errors.seek(0)
            fail(f"{self.name} did not answer: {self.errors.read()[-2000:]}")
        return line.split()

    def wait_until_ready(self):
        words = self.read_line(READY_SECONDS)
        if words[0] != "ready":
            fail(f"{self.name} said {words}")
        if words[1] == "parameters":  # a peer
            self.remark = words[4].replace("_", " ")
            return
        for i in range(1, len(words), 3):
            kind = words[i].lower()
            self.operations[kind], self.units[kind] = float(words[i + 1]), float(words[i + 2])

    def ask(self, request):
        self.process.stdin.write(request + "\n")
        self.process.stdin.flush()
        words = self.read_line(READY_SECONDS)
        if words == ["error"]:
            fail(f"{self.name} did not understand '{request}'")
        return float(words[0])

    def processor_seconds(self):
        return processor_seconds(self.process.pid)

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.errors.close()


def start_programs(arguments, cfg):
    environment = dict(os.environ, OMP_NUM_THREADS=str(arguments.threads), MALLOC_TRIM_THRESHOLD_=str(1 << 30), MALLOC_MMAP_THRESHOLD_=str(1 << 30))
    threads = str(arguments.threads)
    programs = [Program("darknet_ext", [arguments.darknet, "sobolev", "bench", cfg, "-requests", "-threads", threads], environment)]
    for peer in arguments.peers:
        command = [sys.executable, os.path.join(HERE, f"{peer}_peer.py"), cfg, threads]
        if arguments.quick:
            command.append("-eager")
        programs.append(Program(peer, command, environment))
        programs[-1].wait_until_ready()  # one after the other: they choose between ways by timing them
    programs[0].wait_until_ready()
    return programs


def busy_seconds():
    fields = [int(word) for word in open("/proc/stat", encoding="ascii").readline().split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


class Meter:
    """The part of the processors' time that others used."""

    def __init__(self, programs):
        self.programs = programs
        self.busy, self.own, self.clock = self.now()

    def now(self):
        return busy_seconds(), sum(p.processor_seconds() for p in self.programs) + time.process_time(), time.monotonic()

    def others(self):
        busy, own, clock = self.now()
        return max(0, busy - self.busy - (own - self.own)) / ((clock - self.clock) * os.cpu_count())


def measure(arguments, name):
    cfg_name, batch = WORKLOADS[name]
    with tempfile.TemporaryDirectory() as folder:
        programs = start_programs(arguments, write_cfg(cfg_name, batch, folder))
        steps = {}
        for program in programs:
            for kind in KINDS:
                program.ask(f"{kind} 2")
                one = program.ask(f"{kind} 1")
                steps[program.name, kind] = max(1, int(arguments.seconds / one))
        meter, times, roof = Meter(programs), {key: [] for key in steps}, 0
        for _ in range(arguments.rounds):
            for program in programs:
                time.sleep(PAUSE)
                if program is programs[0]:
                    roof = max(roof, program.ask("roof"), program.ask("roof"))
                for kind in KINDS:
                    n = steps[program.name, kind]
                    program.ask(f"{kind} {max(1, n // 10)}")  # caches and threads wake up
                    times[program.name, kind].append(program.ask(f"{kind} {n}") / n)
        others = meter.others()
        for program in programs:
            program.end()
    medians = {key: statistics.median(values) for key, values in times.items()}
    return {"programs": programs, "medians": medians, "times": times, "roof": roof, "others": others}


def cell(found, program):
    plain, sobolev = (1e3 * found["medians"][program.name, kind] for kind in KINDS)
    remark = f" ({program.remark})" if program.remark not in ("", "jit") else ""
    return f"{plain:.3g} / {sobolev:.3g}{remark} | {sobolev / plain:.2f}"


def row(name, found):
    ours, peers = found["programs"][0], found["programs"][1:]
    cells = [name, cell(found, ours)] + [cell(found, peer) for peer in peers]
    if peers:
        for kind in KINDS:
            # ratios within each round, so that what disturbs a round disturbs both sides
            best = min(peers, key=lambda p: found["medians"][p.name, kind])
            ratios = [b / a for a, b in zip(found["times"][ours.name, kind], found["times"][best.name, kind])]
            cells.append(f"{statistics.median(ratios):.2f} ({best.name})")
    fractions = (100 * ours.operations[kind] / found["medians"][ours.name, kind] / found["roof"] for kind in KINDS)
    cells.append(" / ".join(f"{fraction:.0f}%" for fraction in fractions))
    return "| " + " | ".join(cells) + " |"


def header(peers):
    names = ["workload"]
    for program in ["darknet_ext", *peers]:
        names += [f"{program}: ms plain / Sobolev", "ratio"]
    if peers:
        names += ["faster than the best peer, plain", "Sobolev"]
    names.append("of the matrix-product rate")
    return "| " + " | ".join(names) + " |\n|" + "---|" * len(names)


def read_arguments():
    words = lambda text: [word for word in text.split(",") if word]
    parser = argparse.ArgumentParser(prog="scripts/bench_peers")
    parser.add_argument("-darknet", required=True)
    parser.add_argument("-peers", type=words, default=[])
    parser.add_argument("-workloads", type=words)
    parser.add_argument("-threads", type=int, default=2)
    parser.add_argument("-rounds", type=int)
    parser.add_argument("-seconds", type=float)
    parser.add_argument("-quick", action="store_true")
    arguments = parser.parse_args()
    arguments.workloads = arguments.workloads or (QUICK if arguments.quick else list(WORKLOADS))
    arguments.rounds = arguments.rounds or (2 if arguments.quick else 15)
    arguments.seconds = arguments.seconds or (0.05 if arguments.quick else 0.3)
    for name in arguments.workloads:
        if name not in WORKLOADS:
            fail(f"there is no workload '{name}': {' '.join(WORKLOADS)}")
    return arguments


def main():
    arguments = read_arguments()
    print(header(arguments.peers), flush=True)
    disturbed = []
    for name in arguments.workloads:
        found = measure(arguments, name)
        print(row(name, found), flush=True)
        if found["others"] > DISTURBED:
            disturbed.append(f"{name} {100 * found['others']:.0f}%")
    print(f"\nmedians of {arguments.rounds} rounds, {arguments.threads} threads, float")
    if disturbed:
        print(f"other programs used the processors meanwhile, the times are too long: {', '.join(disturbed)}")


if __name__ == "__main__":
    main()
