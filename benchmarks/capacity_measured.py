"""Load test of the service with Locust: a service on one core, its readers on another, windows.

What the service counts (Prometheus metrics, CPU seconds of its processes) is read every few
seconds, and what the readers saw comes from capacity_readers.py. Knows nothing of the model.
"""

import json
import os
import socket
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from capacity_model import ReaderKind
from measured import ROOT, machine, quantile
from served import Served, running_service

READERS = Path(__file__).parent / "capacity_readers.py"
SERVICE_CORE, READERS_CORE = "0", "1"
WINDOW_S = 5.0
SETTLED_S = 20.0  # from the last reader's start on, until the steady part begins
SLOTS, QUEUE = 64, 512
STAIRS = (1, 2, 4, 8, 16, 32, 64)  # readers who are never away
STAIR_S = 4.0
SHARES = {"human": 0.7, "impatient": 0.15, "resuming": 0.15}  # as in capacity_readers.py
SHIPPED = ROOT / "model" / "pretrained"
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTest:
    """Load test: so many readers, who come evenly within `ramp_s`, for `seconds` in all."""

    readers: int
    ramp_s: float
    seconds: float
    locust: str
    is_fitted: bool = True  # the speeds with readers who are never away are measured first
    seed: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Window of a load test: some seconds of it, as the service counted them."""

    seconds: float
    cpu_s: float  # of the service's processes
    readers_cpu_s: float
    characters: float
    requests: float


@dataclass(frozen=True, slots=True)
class _Counts:
    """Counters of the service and the CPU of all, at one moment."""

    at: float
    cpu_s: float
    readers_cpu_s: float
    characters: float
    requests: float


def measure(test: LoadTest) -> dict[str, Any]:
    """Run a load test against a service of its own, and collect what was seen."""
    before = ["taskset", "-c", SERVICE_CORE]
    with tempfile.TemporaryDirectory() as temporary:
        rounds = Path(temporary) / "rounds.jsonl"
        with running_service(
            before=before, max_streams=SLOTS, max_queue=QUEUE, checkpoints=SHIPPED
        ) as served:
            speeds = _never_away(served, test, Path(temporary)) if test.is_fitted else {}
            with _locust(test, served.port, rounds) as readers:
                counts = list(_counted(served, readers, test.seconds))
            memory = served.memory_bytes()
            sent = _bytes_a_character(served.port)
        lines = rounds.read_text(encoding="utf-8").splitlines()
    steady_from = counts[0].at + test.ramp_s + SETTLED_S
    settled = [c for c in counts if c.at >= steady_from]
    if len(settled) < 2:
        raise ValueError(f"a test of {test.seconds:.0f} s has no steady part; give more --seconds")
    done = [json.loads(line) for line in lines]
    done = [each for each in done if settled[0].at <= each["ended_at"] <= settled[-1].at]
    steady = _window(settled[0], settled[-1])
    return {
        "readers": test.readers,
        "slots": SLOTS,
        "speeds": speeds,
        "steady": asdict(steady),
        "kinds": [asdict(kind) for kind in kinds_of(done, steady)],
        **_seen(done),
        "memory_bytes": memory,
        "bytes_a_character": sent,
        "machine": machine(),
    }


def _never_away(served: Served, test: LoadTest, folder: Path) -> dict[int, float]:
    """Measure characters a second with n readers who are never away, by n."""
    speeds = {}
    for readers in STAIRS:
        stair = replace(test, readers=readers, ramp_s=1.0, seconds=60)
        with _locust(stair, served.port, folder / "stair.jsonl", CAPACITY_NEVER_AWAY="1") as users:
            _wait_until_written(served, readers)
            before = _count(served, users.pid)
            time.sleep(STAIR_S)
            window = _window(before, _count(served, users.pid))
        speeds[readers] = window.characters / window.seconds
    return speeds


def _wait_until_written(served: Served, texts: int) -> None:
    """Wait until as many texts are written as are meant to be. Raises RuntimeError."""
    until = time.monotonic() + 30
    while served.metric("slots_used") < 0.9 * texts:
        if time.monotonic() > until:
            raise RuntimeError(f"there are never {texts} texts at once")
        time.sleep(0.02)


@contextmanager
def _locust(
    test: LoadTest, port: int, rounds: Path, **more: str
) -> "Iterator[subprocess.Popen[bytes]]":
    rate = test.readers / test.ramp_s
    command = [test.locust, "-f", str(READERS), "--headless", "--only-summary"]
    command += ["--host", f"http://127.0.0.1:{port}", "-u", str(test.readers), "-r", f"{rate:.3f}"]
    command += ["-t", f"{test.seconds + 2 * WINDOW_S:.0f}s", "--stop-timeout", "0"]
    environment = {"CAPACITY_ROUNDS": str(rounds), "CAPACITY_SEED": str(test.seed), **more}
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    process = subprocess.Popen(
        ["taskset", "-c", READERS_CORE, *command],
        env={**kept, **environment},
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(30)


def _counted(
    served: Served, readers: "subprocess.Popen[bytes]", seconds: float
) -> Iterator[_Counts]:
    """Read all counters every window."""
    began, number = time.monotonic(), 0
    while time.monotonic() - began <= seconds:
        if readers.poll() is not None:
            raise RuntimeError("locust has ended before its time; try its command by hand")
        yield _count(served, readers.pid)
        number += 1
        time.sleep(max(0.0, number * WINDOW_S - (time.monotonic() - began)))


def _count(served: Served, readers: int) -> _Counts:
    return _Counts(
        at=time.monotonic(),
        cpu_s=sum(map(_cpu_s, [served.process.pid, *served.workers()])),
        readers_cpu_s=_cpu_s(readers),
        characters=served.metric("generated_tokens_total"),
        requests=served.metric("time_to_first_token_seconds_count"),
    )


def _cpu_s(pid: int) -> float:
    """Seconds of CPU that a process has had."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _window(before: _Counts, after: _Counts) -> Window:
    return Window(
        seconds=after.at - before.at,
        cpu_s=after.cpu_s - before.cpu_s,
        readers_cpu_s=after.readers_cpu_s - before.readers_cpu_s,
        characters=after.characters - before.characters,
        requests=after.requests - before.requests,
    )


def kinds_of(rounds: Sequence[dict[str, Any]], steady: Window) -> list[ReaderKind]:
    """Find what each kind of reader asks for in a round, in the mean of those that went well.

    What the service wrote and nobody read, it wrote for those whose connections were closed: a
    share of it for each.
    """
    well = [each for each in rounds if each["problem"] is None]
    cut = sum(each["is_cut"] for each in well)
    unread = max(0.0, steady.characters - sum(each["characters"] for each in well)) / max(1, cut)
    return [
        _kind(
            name,
            share,
            [each for each in well if each["kind"] == name and not each["is_first"]],
            unread,
        )
        for name, share in SHARES.items()
    ]


def _kind(name: str, share: float, rounds: Sequence[dict[str, Any]], unread: float) -> ReaderKind:
    return ReaderKind(
        name=name,
        share=share,
        characters=statistics.mean(r["characters"] + unread * r["is_cut"] for r in rounds),
        requests=statistics.mean(r["requests"] for r in rounds),
        away_s=statistics.mean(r["away_s"] for r in rounds),
    )


def _seen(rounds: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Rounds that readers went through: count, failures, times to the first character."""
    firsts = sorted(each["first_s"] for each in rounds if each["first_s"] is not None)
    problems = [each["problem"] for each in rounds if each["problem"] is not None]
    return {
        "rounds": len(rounds),
        "problems": problems[:5],
        "failed": len(problems),
        "first_p50_s": quantile(firsts, 0.5),
        "first_p95_s": quantile(firsts, 0.95),
        "first_p99_s": quantile(firsts, 0.99),
    }


def _bytes_a_character(port: int) -> float:
    """Bytes on the wire a character of one streamed text, head and chunk sizes included."""
    body = json.dumps({"prompt": "The sea ", "max_tokens": 400, "min_tokens": 400, "seed": 1})
    head = f"POST /v1/generate HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
    received = 0
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n{body}".encode())
        while data := connection.recv(65_536):
            received += len(data)
    return received / 400
