"""Replicas benchmark: streams through nginx while replicas are killed, replaced and swapped.

    python benchmarks/bench_replicas.py --kill 200 --roll 3 --swap 2 --redis --nginx
    python benchmarks/bench_replicas.py --address 127.0.0.1:8080 --minutes 2

Readers ask for random texts without a pause and go on with what breaks (`resuming_reader.py`). What
each text must be is asked once before, unbroken, of a service that is not disturbed. With an
address, a deployment that others disturb is read from instead. Prints a row for each disturbance,
what was wrong, and all of it as one line of JSON; exit code 1 if anything was.
"""

import argparse
import random
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import torch
from disturbances import (
    STILL_S,
    SWAPPED,
    Deployment,
    kill,
    put_in_place,
    reload_nginx,
    restart_nginx,
    restart_redis,
    roll,
    swap,
)
from drawn_requests import DrawnRequest, draw_request
from measured import ROOT, show_json, show_table
from received_answer import ReceivedAnswer
from replicas import Nginx, Redis, Replica, Restartable
from resuming_reader import (
    ANSWERED,
    CUT,
    LEFT,
    OTHER_CHECKPOINT,
    RESUMED,
    TOLD_TO_STOP,
    UNREACHED,
    Tally,
    UnfinishedError,
    compare,
    read_whole,
)

from model import checkpoint as checkpoints
from model.extra_files import WORDS

SHIPPED = ROOT / "model" / "pretrained" / "verse"
SHARE_LEAVING = 0.15  # of readers who break off by themselves
COLUMNS = (
    *("whole and right", ANSWERED, CUT, TOLD_TO_STOP, LEFT, RESUMED, OTHER_CHECKPOINT, UNREACHED),
    *("failed", "silently short", "bytes lost", "bytes doubled or wrong"),
)

Known = Mapping[tuple[int, str], ReceivedAnswer]  # by the number of a request and a fingerprint
Address = tuple[str, int]


class Readers:
    """Readers who ask for the same requests again and again, until they are told to stop."""

    def __init__(self, address: Address, requests: list[DrawnRequest], known: Known) -> None:
        self._address, self._requests, self._known = address, requests, known

    @contextmanager
    def reading(self, count: int, seed: int) -> Iterator[Tally]:
        """Read meanwhile with so many readers; on leaving, what was begun is read to its end."""
        tally, over = Tally(), threading.Event()
        with ThreadPoolExecutor(count) as pool:
            draws = [random.Random(f"{seed}:{number}") for number in range(count)]
            readers = [pool.submit(self._read_until, over, draw, tally) for draw in draws]
            try:
                yield tally
            finally:
                over.set()
            for reader in readers:
                reader.result()

    def _read_until(self, over: threading.Event, draw: random.Random, tally: Tally) -> None:
        while not over.is_set():
            number = draw.randrange(len(self._requests))
            leaving = [draw.randrange(20_000)] if draw.random() < SHARE_LEAVING else []
            try:
                answer = read_whole(self._address, self._requests[number], tally, leaving)
            except UnfinishedError as error:
                tally.note("never whole", str(error))
                continue
            known = self._known.get((number, answer.fingerprint or ""))
            if known is None:
                tally.count("of a checkpoint that is not known")
            else:
                compare(answer, known, tally)


def known_answers(
    address: Address, requests: list[DrawnRequest], known: dict[tuple[int, str], ReceivedAnswer]
) -> None:
    """Ask for each text once, unbroken, and keep it by its fingerprint."""
    tally = Tally()
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda request: read_whole(address, request, tally), requests)
        for number, answer in enumerate(answers):
            known[number, answer.fingerprint or ""] = answer
    if tally.seen[RESUMED] or tally.faults:
        raise RuntimeError(f"what the texts must be was not answered in one piece: {tally.faults}")


def write_versions(folder: Path) -> list[Path]:
    """Write two checkpoints whose texts differ: the one that ships, and a copy that was shaken."""
    first, second = folder / "first", folder / "second"
    shutil.copytree(SHIPPED, first)
    shaken = checkpoints.load(SHIPPED)
    torch.manual_seed(1)
    with torch.no_grad():
        for weights in shaken.network.parameters():
            weights.add_(torch.randn_like(weights), alpha=0.05 * float(weights.std()))
    checkpoints.save(shaken, second)
    words = (SHIPPED / WORDS).read_bytes()  # without which it would compose no poems
    checkpoints.add_file(second, WORDS, words, facts={}, card=shaken.card)
    return [first, second]


@contextmanager
def running(*processes: Restartable) -> Iterator[None]:
    """Run processes; on leaving they are ended."""
    with ExitStack() as stack:
        for process in processes:
            process.start()
            stack.callback(process.end)
        yield


@contextmanager
def deployed(folder: Path, args: argparse.Namespace) -> Iterator[Deployment]:
    """Run the replicas, nginx, and Redis where it is asked for, on ports of their own."""
    served, versions = folder / "checkpoints", folder / "versions"
    served.mkdir()
    found = write_versions(versions) if args.swap else []
    if found:
        put_in_place(found[0], served / SWAPPED)
    settings = {"checkpoints": served, "drain": args.drain, "poll": 0.5, "log_level": "warning"}
    settings["default_model"] = SWAPPED if found else "verse"
    redis = Redis(program("redis-server"), folder / "redis") if args.redis else None
    if redis is not None:
        settings["rate_limit"] = "1000000/minute"
        settings["rate_limit_storage"] = f"redis://127.0.0.1:{redis.port}/0"
    names = "abc"[: args.replicas]
    replicas = [Replica(name, folder / f"replica-{name}", **settings) for name in names]
    nginx = Nginx(program("nginx"), folder / "nginx", {each.name: each.port for each in replicas})
    with running(*([redis] if redis else []), *replicas, nginx):
        for replica in replicas:
            replica.wait_until_ready()
        nginx.wait_until_ready()
        yield Deployment(
            replicas=replicas, nginx=nginx, redis=redis, checkpoints=served, versions=found
        )


def program(name: str) -> str:
    """Path of a program; Debian's servers are not in everyone's path. Raises FileNotFoundError."""
    found = shutil.which(name) or shutil.which(f"/usr/sbin/{name}")
    if found is None:
        raise FileNotFoundError(f"{name} is not installed")
    return found


def ask_before(folder: Path, requests: list[DrawnRequest], *, is_swapped: bool) -> Known:
    """Ask a service of its own what each text must be, by each checkpoint that will be served."""
    known: dict[tuple[int, str], ReceivedAnswer] = {}
    models = ["first", "second"] if is_swapped else ["verse"]
    where = folder / "versions" if is_swapped else folder / "checkpoints"
    alone = Replica("alone", folder / "alone", checkpoints=where, log_level="warning")
    with running(alone):
        alone.wait_until_ready()
        for model in models:
            asked = [replace(each, fields={**each.fields, "model": model}) for each in requests]
            known_answers(("127.0.0.1", alone.port), asked, known)
    return known


def measure(args: argparse.Namespace) -> dict[str, Tally]:
    """Disturb a deployment in each way that is asked for; what readers saw meanwhile."""
    requests = drawn(args, poems=0.03)
    with tempfile.TemporaryDirectory() as name, deployed(Path(name), args) as deployment:
        known = ask_before(Path(name), requests, is_swapped=bool(args.swap))
        readers = Readers(deployment.address, requests, known)
        until = time.monotonic() + 60 * args.minutes
        found: dict[str, Tally] = {}

        def under(what: str, disturb: Callable[[Tally], int]) -> None:
            with readers.reading(args.readers, args.seed) as tally:
                time.sleep(STILL_S)
                tally.count("disturbed", disturb(tally))
                time.sleep(STILL_S)
            found[what] = tally
            show({what: tally})

        if args.kill:
            under("kill -9", lambda tally: kill(deployment, tally, args.kill, until))
        if args.roll:
            under("rolling", lambda _: roll(deployment, args.roll))
        if args.swap:
            under("model swaps", lambda _: swap(deployment, args.swap))
        if args.redis:
            under("Redis killed", lambda _: restart_redis(deployment))
        if args.nginx:
            under("nginx reloaded", lambda _: reload_nginx(deployment))
            under("nginx restarted", lambda _: restart_nginx(deployment))
        return found


def read_address(args: argparse.Namespace) -> dict[str, Tally]:
    """Read from a deployment that others disturb."""
    host, _, port = args.address.rpartition(":")
    address = (host, int(port))
    requests = drawn(args, poems=0.0)
    known: dict[tuple[int, str], ReceivedAnswer] = {}
    known_answers(address, requests, known)
    print("known: what each text must be; disturb it now", flush=True)
    with Readers(address, requests, known).reading(args.readers, args.seed) as tally:
        time.sleep(60 * args.minutes)
    show({args.address: tally})
    return {args.address: tally}


def drawn(args: argparse.Namespace, poems: float) -> list[DrawnRequest]:
    """Requests that the readers ask for."""
    draws = [random.Random(f"{args.seed}:{number}") for number in range(args.requests)]
    return [draw_request(draw, max_tokens=args.max_tokens, poems=poems) for draw in draws]


def show(found: Mapping[str, Tally]) -> None:
    """Print what readers saw as a table, a row for each disturbance, and what was wrong."""
    rows = [
        [f"{what} ({tally.seen['disturbed']})", *(f"{tally.seen[name]:,}" for name in COLUMNS)]
        for what, tally in found.items()
    ]
    show_table(["", *COLUMNS], rows)
    for tally in found.values():
        others = sorted(tally.seen.keys() - {*COLUMNS, "disturbed"})
        for name in others:
            print(f"{name}: {tally.seen[name]:,}")
        for fault in tally.faults[:5]:
            print(fault[:2000])
    sys.stdout.flush()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kill", type=int, default=0, help="streams that are to be cut by kills")
    parser.add_argument("--roll", type=int, default=0, help="rolling replacements")
    parser.add_argument("--swap", type=int, default=0, help="swaps of the model")
    parser.add_argument("--redis", action="store_true", help="kill Redis, which counts limits")
    parser.add_argument("--nginx", action="store_true", help="reload and restart nginx")
    parser.add_argument("--address", help="HOST:PORT of a deployment that others disturb")
    parser.add_argument("--minutes", type=float, default=15.0, help="kills at most, or reading")
    parser.add_argument("--replicas", type=int, choices=(2, 3), default=2)
    parser.add_argument("--readers", type=int, default=24)
    parser.add_argument("--requests", type=int, default=60, help="different requests")
    parser.add_argument("--max-tokens", type=int, default=3000)
    parser.add_argument("--drain", type=int, default=3, help="seconds")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    found = read_address(args) if args.address else measure(args)
    show_json({what: dict(tally.seen) for what, tally in found.items()})
    return 1 if any(tally.faults for tally in found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
