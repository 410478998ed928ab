"""Reader who goes on with every answer that breaks, until it is whole, and counts what it saw.

Raw http.client, so that nothing is mended or retried on the way. Any number of readers, each in a
thread of its own, share one count.
"""

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from drawn_requests import DrawnRequest
from received_answer import ReceivedAnswer, StreamError

TIMEOUT_S = 60.0  # without a byte
PAUSE_S = 0.3  # before an answer that broke off is gone on with
MAX_TRIES = 200
GONE = (ConnectionError, http.client.HTTPException, TimeoutError)

# What a reader counts of requests, beside what it counts of texts.
ANSWERED, CUT, TOLD_TO_STOP, LEFT, RESUMED = "answered", "cut", "told to stop", "left", "resumed"
OTHER_CHECKPOINT, UNREACHED = "refused: another checkpoint", "not reached"


@dataclass(slots=True)
class Tally:
    """Count of what readers saw, and what was wrong, in words."""

    seen: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, what: str, number: int = 1) -> None:
        """Count something once, or so many times."""
        with self._lock:
            self.seen[what] += number

    def note(self, what: str, fault: str) -> None:
        """Count something that is wrong, and keep what is told of it."""
        with self._lock:
            self.seen[what] += 1
            self.faults.append(f"{what}: {fault}")


class UnfinishedError(Exception):
    """Raised for an answer that did not become whole in so many tries."""


def read_whole(
    address: tuple[str, int], request: DrawnRequest, tally: Tally, leaving: Iterable[int] = ()
) -> ReceivedAnswer:
    """Read an answer until it is whole, whatever breaks. Raises UnfinishedError.

    `leaving` are counts of bytes after which the reader breaks off itself, one for each connection
    until there are no more.
    """
    answer, patience = ReceivedAnswer(request), iter(leaving)
    for _ in range(MAX_TRIES):
        most = next(patience, None)
        answer = _try_once(address, answer, tally, most)
        if answer.is_whole:
            return answer
        if most is None:
            time.sleep(PAUSE_S)
    raise UnfinishedError(f"{request}")


def _try_once(
    address: tuple[str, int], answer: ReceivedAnswer, tally: Tally, most: int | None
) -> ReceivedAnswer:
    """Ask for what is left, and read it as far as it comes; gives what there is then."""
    fields, headers = answer.next_request()
    connection = http.client.HTTPConnection(*address, timeout=TIMEOUT_S)
    try:
        try:
            connection.request("POST", answer.request.path, json.dumps(fields).encode(), headers)
            response = connection.getresponse()
        except GONE:
            tally.count(UNREACHED)
            return answer
        if response.status != 200:
            return _refused(response, answer, tally)
        tally.count(ANSWERED if answer.is_empty else RESUMED)
        fingerprint = response.headers["X-Strophe-Fingerprint"]
        if not answer.is_empty and fingerprint != answer.fingerprint:
            tally.note("two checkpoints in one text", f"{answer.request}")
        answer.fingerprint = fingerprint
        answer.begin_body()
        _read_body(response, answer, tally, most)
    finally:
        connection.close()
    return answer


def _refused(
    response: http.client.HTTPResponse, answer: ReceivedAnswer, tally: Tally
) -> ReceivedAnswer:
    code = _code_of(response.read())
    if code == "fingerprint_differs":
        tally.count(OTHER_CHECKPOINT)
        return ReceivedAnswer(answer.request)
    tally.note("failed", f"{response.status} {code} to {answer.request}")
    return answer


def _code_of(body: bytes) -> str:
    """Code of an error; of a proxy's, which has none, its first line."""
    try:
        error: Any = json.loads(body)["error"]
    except ValueError:
        return body[:80].decode(errors="replace").splitlines()[0] if body else "no body"
    return str(error["code"] or error["message"])


def _read_body(
    response: http.client.HTTPResponse, answer: ReceivedAnswer, tally: Tally, most: int | None
) -> None:
    num_read = 0
    try:
        while data := response.read1(65_536):
            if most is not None and num_read + len(data) > most:
                answer.take(data[: most - num_read])
                tally.count(LEFT)
                return
            num_read += len(data)
            answer.take(data)
        answer.end_body()
    except GONE:
        tally.count(CUT)
    except StreamError as error:
        if str(error) == "stopping":
            tally.count(TOLD_TO_STOP)
        else:
            tally.note("failed", f"{error} amid {answer.request}")
    else:
        if not answer.is_whole:
            tally.note("silently short", f"events without an end of {answer.request}")


def compare(answer: ReceivedAnswer, known: ReceivedAnswer, tally: Tally) -> None:
    """Count a whole answer as right, or what of it was lost or doubled."""
    if answer.facts == known.facts:
        tally.count("whole and right")
        return
    if answer.texts == known.texts:
        tally.note("log probabilities or ends differ", f"{answer.facts} of {answer.request}")
        return
    lost = doubled = 0
    for found, right in zip(answer.texts, known.texts, strict=True):
        same = _common_length(found, right)
        lost += len(right[same:].encode())
        doubled += len(found[same:].encode())
    is_short = all(map(str.startswith, known.texts, answer.texts))
    tally.count("bytes lost", lost)
    tally.count("bytes doubled or wrong", doubled)
    what = "silently short" if is_short else "wrong"
    tally.note(what, f"{answer.texts} instead of {known.texts} of {answer.request}")


def _common_length(one: str, other: str) -> int:
    pairs = enumerate(zip(one, other, strict=False))
    shorter = min(len(one), len(other))
    return next((index for index, (left, right) in pairs if left != right), shorter)
