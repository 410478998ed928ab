r"""Readers of a load test with Locust: at human pace, impatient ones, and ones whose answers break.

    CAPACITY_ROUNDS=rounds.jsonl locust -f benchmarks/capacity_readers.py --headless \
        --host http://127.0.0.1:8000 -u 100 -r 5 -t 60s

Started by capacity.py. Every reader asks for a text of a length of its own, reads it as it comes,
is away for as long as people need to read it, and asks again. An impatient one closes its
connection at a place of its own and is back sooner. Of a resuming one the connection breaks, and
it goes on with what it has received. What each round was is written to the file that
CAPACITY_ROUNDS names, a JSON object a line. Knows nothing of the model of capacity.
"""

import http.client
import json
import os
import random
import time
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from locust import User, constant, events, task

READING = 25.0  # characters a second: 250 words a minute
PAUSE_S = 4.0  # before another text is asked for, in the mean
BACK_AFTER_S = 5.0  # that an impatient reader is away, in the mean
BROKEN_FOR_S = 0.5
CHARACTERS = (200, 600)  # of a text, any length between them as likely
SOON = 20  # characters that are read before anybody cancels or anything breaks
TIMEOUT_S = 60
PROMPTS = ("The sea ", "My love ", "O moon, ", "When I was young ", "The old house ", "Spring ")

# With readers who are never away, requests come from each kind as often as from those who are.
IS_NEVER_AWAY = os.environ.get("CAPACITY_NEVER_AWAY") == "1"
WEIGHTS = (61, 25, 14) if IS_NEVER_AWAY else (70, 15, 15)

file = open(os.environ["CAPACITY_ROUNDS"], "w", encoding="utf-8")  # noqa: SIM115, PTH123 - see close
seeds = random.Random(int(os.environ.get("CAPACITY_SEED", "1")))


@dataclass(slots=True)
class Round:
    """Round of a reader: a text asked for, and the time away before it. In seconds."""

    kind: str
    away_s: float
    ended_at: float = 0.0
    first_s: float | None = None
    duration_s: float = 0.0
    characters: int = 0
    requests: int = 0
    is_first: bool = False  # of its reader, who came in the midst of being away
    is_cut: bool = False  # the reader closed a connection before its answer had ended
    problem: str | None = None


class AnswerError(Exception):
    """Raised for an answer that is not what was asked for."""


class Reader(User):  # type: ignore[misc]  # Locust is there for the load test only
    """Reader who takes whole texts."""

    abstract = True
    wait_time = constant(0)  # a round has its own time away
    kind = ""

    def on_start(self) -> None:
        """Give the reader random numbers of its own."""
        self.random = random.Random(seeds.random())
        longest = 0.0 if IS_NEVER_AWAY else self.time_away(sum(CHARACTERS) / 2)
        self.away_s = self.random.uniform(0, longest)
        self.is_first = True

    @task  # type: ignore[untyped-decorator]
    def round(self) -> None:
        """Be away, then ask for a text and read it; note how that went."""
        time.sleep(self.away_s)
        done = Round(kind=self.kind, away_s=self.away_s, is_first=self.is_first)
        self.is_first = False
        length = self.random.randint(*CHARACTERS)
        fields = {"prompt": self.random.choice(PROMPTS), "seed": self.random.getrandbits(32)}
        fields |= {"max_tokens": length, "min_tokens": length, "temperature": 0.8}
        began = time.perf_counter()
        try:
            self.read(fields, length, done)
        except (OSError, http.client.HTTPException, AnswerError) as error:
            done.problem = f"{type(error).__name__}: {error}"
        done.duration_s, done.ended_at = time.perf_counter() - began, time.monotonic()
        self.away_s = 0.0 if IS_NEVER_AWAY else self.time_away(done.characters)
        self.note(done)

    def read(self, fields: dict[str, Any], length: int, done: Round) -> None:
        """Read a text of so many characters."""
        if len(self.answer(fields, done)) != length:
            raise AnswerError(f"not {length} characters")

    def time_away(self, characters: float) -> float:
        """Draw how long a reader is away with a text of so many characters."""
        pause = self.random.expovariate(1 / PAUSE_S)
        return float(characters / READING * self.random.uniform(0.75, 1.25) + pause)

    def answer(self, fields: dict[str, Any], done: Round, most: int | None = None) -> str:
        """Read an answer to its end, or close it once it has `most` characters."""
        address = urlsplit(self.environment.host)
        connection = http.client.HTTPConnection(address.hostname, address.port, timeout=TIMEOUT_S)
        sent, read = time.perf_counter(), bytearray()
        try:
            headers = {"Accept": "text/plain", "Connection": "close"}
            connection.request("POST", "/v1/generate", json.dumps(fields), headers)
            response = connection.getresponse()
            done.requests += 1
            if response.status != http.client.OK:
                raise AnswerError(f"status {response.status}")
            while piece := response.read1(65_536):
                if done.first_s is None:
                    done.first_s = time.perf_counter() - sent
                read += piece
                if most is not None and len(read) >= most:
                    done.is_cut = True
                    break
        finally:
            connection.close()
        text = read.decode("utf-8", "ignore")  # cut within a character, where it is cut
        done.characters += len(text)
        return text

    def note(self, done: Round) -> None:
        """Write the round down, for capacity.py and for Locust's own table."""
        print(json.dumps(asdict(done)), file=file)
        self.environment.events.request.fire(
            request_type="round",
            name=self.kind,
            response_time=done.duration_s * 1000,
            response_length=done.characters,
            exception=AnswerError(done.problem) if done.problem is not None else None,
            context={},
        )

    def place(self, length: int) -> int:
        """Draw a place in a text of so many characters."""
        return self.random.randint(SOON, length - SOON)


class HumanReader(Reader):
    """Reader at human pace."""

    weight, kind = WEIGHTS[0], "human"


class ImpatientReader(Reader):
    """Reader who has seen enough before the text ends, and soon tries again."""

    weight, kind = WEIGHTS[1], "impatient"

    def read(self, fields: dict[str, Any], length: int, done: Round) -> None:
        """Read some of a text, and close the connection."""
        self.answer(fields, done, most=self.place(length))

    def time_away(self, characters: float) -> float:
        """Draw how long a reader is away who did not like it."""
        return float(self.random.expovariate(1 / BACK_AFTER_S))


class ResumingReader(Reader):
    """Reader whose connection breaks, and who goes on with what it has."""

    weight, kind = WEIGHTS[2], "resuming"

    def read(self, fields: dict[str, Any], length: int, done: Round) -> None:
        """Read a text in two answers, and hold them together."""
        received = self.answer(fields, done, most=self.place(length))
        broken_for_s = 0.0 if IS_NEVER_AWAY else BROKEN_FOR_S
        time.sleep(broken_for_s)
        done.away_s += broken_for_s
        rest = self.answer({**fields, "received": received}, done)
        if len(received) + len(rest) != length:
            raise AnswerError(f"{len(received)} and {len(rest)} are not {length} characters")


@events.quitting.add_listener  # type: ignore[untyped-decorator]
def close(**_: Any) -> None:
    """Close the file of rounds."""
    file.close()
