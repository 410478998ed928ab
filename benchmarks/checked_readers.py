"""Readers of a deployment while it is disturbed, every text of whom is checked against one known.

They ask for random texts without a pause and go on with what breaks (`resuming_reader.py`). What
each text must be is asked once before, unbroken, of a service that nobody disturbs. Knows nothing
of what the deployment is made of, nor of how it is disturbed.
"""

import argparse
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from drawn_requests import DrawnRequest, draw_request
from measured import show_json, show_table
from received_answer import ReceivedAnswer
from replicas import Replica, running
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

STILL_S = 3.0  # under way before a disturbance, and after it
SHARE_LEAVING = 0.15  # of readers who break off by themselves
COLUMNS = (
    *("whole and right", ANSWERED, CUT, TOLD_TO_STOP, LEFT, RESUMED, OTHER_CHECKPOINT, UNREACHED),
    *("failed", "silently short", "bytes lost", "bytes doubled or wrong"),
)

Known = Mapping[tuple[int, str], ReceivedAnswer]  # by the number of a request and a fingerprint
Address = tuple[str, int]
Disturbance = Callable[[Tally], int]  # gives how often it did what it is for


class Readers:
    """Readers who ask for the same requests again and again, until they are told to stop."""

    def __init__(self, address: Address, requests: list[DrawnRequest], known: Known) -> None:
        self._address, self._requests, self._known = address, requests, known

    def read_under(
        self, disturbances: Mapping[str, Disturbance], count: int, seed: int
    ) -> dict[str, Tally]:
        """Read under each disturbance, one after the other; what so many readers saw meanwhile."""
        found: dict[str, Tally] = {}
        for what, disturb in disturbances.items():
            with self.reading(count, seed) as tally:
                time.sleep(STILL_S)
                tally.count("disturbed", disturb(tally))
                time.sleep(STILL_S)
            found[what] = tally
            show({what: tally})
        return found

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


def drawn(args: argparse.Namespace, poems: float) -> list[DrawnRequest]:
    """Requests that the readers ask for."""
    draws = [random.Random(f"{args.seed}:{number}") for number in range(args.requests)]
    return [draw_request(draw, max_tokens=args.max_tokens, poems=poems) for draw in draws]


def of_model(requests: Sequence[DrawnRequest], model: str) -> list[DrawnRequest]:
    """Requests of one model, else as they are."""
    return [replace(each, fields={**each.fields, "model": model}) for each in requests]


def known_answers(address: Address, requests: Sequence[DrawnRequest]) -> Known:
    """Ask for each text once, unbroken, and keep it by its fingerprint. Raises RuntimeError."""
    tally = Tally()
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda request: read_whole(address, request, tally), requests)
        known = {(n, answer.fingerprint or ""): answer for n, answer in enumerate(answers)}
    if tally.seen[RESUMED] or tally.faults:
        raise RuntimeError(f"what the texts must be was not answered in one piece: {tally.faults}")
    return known


def ask_before(
    checkpoints: Path, models: Sequence[str], requests: Sequence[DrawnRequest], folder: Path
) -> Known:
    """Ask a service of its own what each text must be, by each of the models of a folder."""
    alone = Replica("alone", folder, checkpoints=checkpoints, log_level="warning")
    known: dict[tuple[int, str], ReceivedAnswer] = {}
    with running(alone):
        alone.wait_until_ready()
        for model in models:
            known |= known_answers(("127.0.0.1", alone.port), of_model(requests, model))
    return known


def address_of(text: str) -> Address:
    """Parse HOST:PORT. Raises ValueError."""
    host, _, port = text.rpartition(":")
    return host, int(port)


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


def exit_code(found: Mapping[str, Tally]) -> int:
    """Print all counts as one line of JSON; gives 1 where anything was wrong, else 0."""
    show_json({what: dict(tally.seen) for what, tally in found.items()})
    return 1 if any(tally.faults for tally in found.values()) else 0
