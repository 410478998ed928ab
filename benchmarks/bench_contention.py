"""Training and the engine beside busy processes: how OpenMP's threads wait, before and after.

    python benchmarks/bench_contention.py [--work train] [--threads 2] [--busy 0 1 2] [--turns 7]
        [--settings GOMP_SPINCOUNT=1000 OMP_WAIT_POLICY=PASSIVE ...]

Each way of waiting has a process of its own, and they take turns, some seconds each, beside the
same loops that only count. "Nothing set" is libgomp as it comes, "as it is" what the commands
set by default; --settings names others. Ratios are taken turn by turn: to the same setting alone,
and to "nothing set" beside as many loops. Prints tables, then everything as one line of JSON.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from measured import ratio, show_json, show_table, spread

from training.process_settings import WAIT_VARIABLES, limit_spinning

HERE = Path(__file__).parent
BEFORE, AFTER = "nothing set", "as it is"


class Side:
    """Process with one setting of OpenMP, which works while it is asked to."""

    def __init__(self, environment: dict[str, str], command: list[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, str(HERE / "contended.py"), *command],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def speed(self, seconds: float) -> float:
        """Measure characters a second over so many seconds."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(seconds, file=self._process.stdin, flush=True)
        return float(self._process.stdout.readline())

    def end(self) -> None:
        """Let the process end."""
        self._process.communicate()


def environment_of(setting: str) -> dict[str, str]:
    """Environment with this setting of OpenMP's waiting and none of the caller's."""
    environment = {name: value for name, value in os.environ.items() if name not in WAIT_VARIABLES}
    if setting == AFTER:
        limit_spinning(environment)
    elif setting != BEFORE:
        environment |= dict(part.split("=", 1) for part in setting.split())
    return environment


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Run so many loops that only count, each a process."""
    loops = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    time.sleep(0.3)
    try:
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.wait()


def measure(args: argparse.Namespace, settings: list[str]) -> dict[str, dict[int, list[float]]]:
    """Measure characters a second by setting and number of loops, a figure a turn."""
    found: dict[str, dict[int, list[float]]] = {s: {n: [] for n in args.busy} for s in settings}
    command = [args.work, str(args.threads), str(args.rows)]
    with ExitStack() as stack:
        sides = {setting: Side(environment_of(setting), command) for setting in settings}
        for side in sides.values():
            stack.callback(side.end)
            side.speed(args.seconds)  # warms up
        for _ in range(args.turns):
            for count in args.busy:
                with busy(count):
                    for setting, side in sides.items():
                        found[setting][count].append(side.speed(args.seconds))
    return found


def row_of_table(speeds: dict[int, list[float]], before: dict[int, list[float]]) -> list[str]:
    """Format a setting's figures beside each number of loops as a row of the table."""
    cells = []
    for count, values in speeds.items():
        alone = spread(ratio(values, speeds[0]), 2)
        to_before = spread(ratio(values, before[count]), 2)
        cells += [f"{statistics.median(values):,.0f}", *([alone] if count else []), to_before]
    return cells


def header(counts: list[int]) -> list[str]:
    """Column titles of `row_of_table`."""
    cells = ["setting"]
    for count in counts:
        where = f"beside {count}" if count else "alone"
        share = ["of alone"] if count else []
        cells += [f"{where}, characters/s", *share, f'to "{BEFORE}"']
    return cells


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", choices=("train", "engine"), default="train")
    parser.add_argument("--rows", type=int, default=16, help="texts at once, of the engine")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--busy", type=int, nargs="+", default=[0, 1, 2], help="counts of loops")
    parser.add_argument("--turns", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=2.0, help="of a side's turn")
    parser.add_argument("--settings", nargs="*", default=[], help="others to compare, NAME=VALUE")
    args = parser.parse_args()
    args.busy = sorted({0, *args.busy})
    settings = [BEFORE, AFTER, *args.settings]
    load = os.getloadavg()[0]  # of others: above a tenth or so the figures say little
    speeds = measure(args, settings)
    rows = [[name, *row_of_table(speeds[name], speeds[BEFORE])] for name in settings]
    show_table(header(args.busy), rows)
    facts: dict[str, Any] = {"work": args.work, "threads": args.threads, "load_before": load}
    show_json({**facts, "speeds": speeds})


if __name__ == "__main__":
    main()
