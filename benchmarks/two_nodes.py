"""Training over two hosts beside one process: losses, speed, and what a host's death costs.

    sudo python benchmarks/two_nodes.py [--preset small] [--steps 300] [--away 5]

The hosts are network namespaces of this machine (hosts.py), each with one process and one thread;
the command is that of docs/training.md. Trained is one network from one seed three times: by one
process; over both hosts; over both, while first the second host is killed and then the first,
which holds the rendezvous and the lock of the run's folder. Who is killed is away for so many
seconds and then gives the same command again, as a supervisor would; so does a host whose torchrun
has given up. Prints a table, what was found of the files, and everything as one line of JSON. Exits
with 1 where losses or files are not as they should be.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from hosts import Host, hosts
from measured import ROOT, show_json, show_table
from safetensors.torch import load_file

from model import checkpoint as checkpoints
from model.atomic_write import TEMPORARY_PREFIX
from training.distributed import FRESH_STORE
from training.run_log import LOG_EVERY_STEPS, METRICS, read_metrics
from training.train_config import ANTHOLOGY

NAMES = ("strophe-0", "strophe-1")
PORT = 29_500  # of the rendezvous, on the first host's own network
LOSSES = ("valid_nats", "final_nats")  # train_nats is a mean over the steps since it went on
TOLERANCE = 1e-4  # of losses, as docs/training.md promises for fp32 without dropout
TIMEOUT_S = 300  # for each third of a run
SHOWN_OF_LOG = 4000  # characters
ALONE, TOGETHER, HURT = "one process", "two hosts", "two hosts, each killed once"


class Training:
    """Training run on one or two hosts, started again on a host wherever its command fails."""

    def __init__(self, folder: Path, fields: list[str], output: Path) -> None:
        self.run = folder
        self._fields = [*fields, "--name", folder.name]
        self._output = output
        self._running: dict[Host, subprocess.Popen[str]] = {}
        self.starts = 0

    def start(self, host: Host, *, alone: bool = False) -> None:
        """Give the training command on a host."""
        launcher = [sys.executable, "-m"]
        if not alone:
            launcher += ["torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1"]
            launcher += ["--max-restarts", "3", "--rdzv-backend", "c10d", "--rdzv-id", "two-nodes"]
            launcher += ["--rdzv-endpoint", f"{NAMES[0]}:{PORT}", "-m"]
        environment = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", FRESH_STORE: "1"}
        with self._output.open("a", encoding="utf-8") as output:
            command = [*launcher, "training", "train", *self._fields]
            self._running[host] = host.start(command, environment, output)
        self.starts += 1

    def wait(self, until_step: int | None = None) -> None:
        """Wait until a step is reached, or by default for the end. Raises RuntimeError."""
        until = time.monotonic() + TIMEOUT_S
        while not self._is_ended():
            if until_step is not None and self.step() >= until_step:
                return
            if time.monotonic() > until:
                said = self._output.read_text(encoding="utf-8")[-SHOWN_OF_LOG:]
                raise RuntimeError(f"{self.run.name} does not come on:\n{said}")
            time.sleep(0.05)

    def _is_ended(self) -> bool:
        """Check whether all hosts are done; those that failed begin again."""
        for host, process in list(self._running.items()):
            if process.poll() not in (None, 0):
                self.start(host)
        return all(process.poll() == 0 for process in self._running.values())

    def kill(self, host: Host, away_s: float) -> dict[str, float]:
        """Kill a host, start it again when it is back, and wait until all is as far as it was."""
        step, killed = self.step(), time.monotonic()
        host.kill()
        self._running.pop(host).wait()
        until = killed + away_s
        while time.monotonic() < until:
            self._is_ended()
            time.sleep(0.05)
        self.start(host)
        self.wait(until_step=step + LOG_EVERY_STEPS)
        return {"step": step, "seconds": time.monotonic() - killed}

    def step(self) -> int:
        """Last step that metrics.jsonl tells of."""
        try:
            lines = (self.run / METRICS).read_text(encoding="utf-8").splitlines()
            return int(json.loads(lines[-1])["step"])
        except (FileNotFoundError, IndexError, json.JSONDecodeError):
            return 0  # it has not begun, or is writing this line


@contextmanager
def places(args: argparse.Namespace) -> Iterator[tuple[Path, list[str]]]:
    """Folder of runs, and the fields that all of them have."""
    with tempfile.TemporaryDirectory() as temporary:
        home = Path(temporary)
        fields = ["--preset", args.preset, "--steps", str(args.steps)]
        fields += ["--corpus", str(args.corpus.resolve())]
        fields += ["--dropout", "0", "--state-reset", "0", "--precision", "fp32"]
        fields += ["--threads", "1", "--device", "cpu"]
        fields += ["--evaluations", "10", "--patience", "0", "--save-seconds", str(args.save)]
        fields += ["--checkpoints-dir", str(home / "checkpoints"), *runs_dir(home)]
        yield home, fields


def runs_dir(home: Path) -> list[str]:
    """Field that names the folder of runs."""
    return ["--runs-dir", str(home / "runs")]


def train(args: argparse.Namespace, home: Path, fields: list[str]) -> dict[str, Any]:
    """Train the three runs, one after the other, and find what is to be told of each."""
    found: dict[str, Any] = {}
    for name, label in (("alone", ALONE), ("together", TOGETHER), ("hurt", HURT)):
        with hosts(NAMES) as (first, second):
            training = Training(home / "runs" / name, fields, home / f"{name}.log")
            began = time.monotonic()
            training.start(first, alone=label == ALONE)
            if label != ALONE:
                training.start(second)
            deaths = []
            if label == HURT:
                for host, share in ((second, 0.3), (first, 0.6)):
                    training.wait(until_step=round(share * args.steps))
                    deaths.append({"host": host.name, **training.kill(host, args.away)})
            training.wait()
        found[label] = {"seconds": time.monotonic() - began, "deaths": deaths}
        found[label] |= {"starts": training.starts, "metrics": read_metrics(training.run)}
    return found


def lines_of(metrics: list[dict[str, Any]], figure: str) -> list[tuple[int, float]]:
    """Steps and values of a figure of metrics.jsonl."""
    return [(line["step"], line[figure]) for line in metrics if figure in line]


def furthest(metrics: list[dict[str, Any]], reference: list[dict[str, Any]]) -> float:
    """Largest relative distance of a loss from that of the reference, at the same steps."""
    largest = 0.0
    for figure in LOSSES:
        ours, theirs = lines_of(metrics, figure), lines_of(reference, figure)
        if [step for step, _ in ours] != [step for step, _ in theirs]:
            return float("inf")  # a line is missing, or there twice
        pairs = zip(ours, theirs, strict=True)
        largest = max([largest, *(abs(a / b - 1) for (_, a), (_, b) in pairs)])
    return largest


def damage(home: Path, name: str) -> list[str]:
    """Find what of a run's files is damaged or left over; nothing where all is whole."""
    for folder in (home / "runs" / name / "last", home / "checkpoints" / name):
        checkpoints.load(folder)  # or raises CheckpointError
    left = home.rglob(f"{TEMPORARY_PREFIX}*")
    problems = [f"{path.name} is left over" for path in left]
    flags = ["--resume", "--name", name, *runs_dir(home)]
    command = [sys.executable, "-m", "training", "train", *flags]
    again = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if again.returncode != 0 or "it had come to its end" not in again.stderr:
        problems.append(f"--resume says: {again.stderr.strip()}")
    return problems


def same_weights(home: Path, one: str, other: str) -> bool:
    """Check whether two runs ended with the same bits."""
    files = [home / "runs" / name / "last" / "model.safetensors" for name in (one, other)]
    ours, theirs = map(load_file, files)
    return all(torch.equal(ours[name], theirs[name]) for name in theirs)


def show(found: dict[str, Any]) -> None:
    """Print the comparison as a table."""
    header = ["trained by", "characters/s", "seconds in all", "final nats", "furthest loss"]
    rows = []
    for label, each in found.items():
        final = each["final_nats"]
        speed = f"{each['characters_per_second']:,.0f}"
        rows.append([label, speed, f"{each['seconds']:.0f}", f"{final:.5f}", f"{each['off']:.1e}"])
    show_table(header, rows)
    for death in found[HURT]["deaths"]:
        seconds = f"{death['seconds']:.1f}"
        print(f"{death['host']} killed at step {death['step']}, past it {seconds} s later")


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--preset", default="small")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--away", type=float, default=5.0, help="seconds that a killed host is off")
    parser.add_argument("--save", type=float, default=5.0, help="seconds between saves")
    parser.add_argument("--corpus", type=Path, default=ANTHOLOGY)
    args = parser.parse_args()
    with places(args) as (home, fields):
        found = train(args, home, fields)
        reference = found[ALONE]["metrics"]
        for each in found.values():
            metrics = each.pop("metrics")
            each["off"] = furthest(metrics, reference)
            speeds = [speed for _, speed in lines_of(metrics, "characters_per_second")]
            each["characters_per_second"] = statistics.median(speeds)
            each["final_nats"] = metrics[-1]["final_nats"]
        problems = [p for name in ("together", "hurt") for p in damage(home, name)]
        equal = same_weights(home, "hurt", "together")
    show(found)
    print(
        f"weights of the run that was killed and of the other two hosts' equal bit by bit: {equal}"
    )
    print("\n".join(problems) if problems else "all files are whole")
    show_json({"preset": args.preset, "steps": args.steps, "runs": found, "bits_equal": equal})
    is_well = not problems and all(each["off"] <= TOLERANCE for each in found.values())
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
