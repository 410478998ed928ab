"""A job: what one HTTP request asked the engine for, from its submission to its last piece.

Several prompts of one request are several requests of the engine, with one outbox for their one
reader. Jobs can be cancelled by their id. Knows nothing of Flask and of the forms of an answer.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from model.decoding.generation import Generation
from service.api.client_connection import Client
from service.engine.engine import Engine
from service.engine.failure import (
    ClientGoneError,
    Failure,
    RequestFailedError,
    SaturatedError,
    UnavailableError,
)
from service.engine.outbox import Delta, Outbox
from service.engine.request import Outcome, Request

LOOK_S = 0.25  # between looks whether the client is still there


class JobMetrics(Protocol):
    """Metrics of what becomes of jobs and of the streams that readers take."""

    def rejected(self, model: str) -> None:
        """Count a job that was refused because the service is full or stopping."""

    def piece_taken(self, gap: float) -> None:
        """Record the seconds between two pieces that a reader took."""


@dataclass(kw_only=True)
class Job:
    """`requests` number their texts through and write into `outbox`."""

    job_id: str
    requests: Sequence[Request]
    outbox: Outbox
    client: Client
    engine: Engine
    metrics: JobMetrics
    is_cancelled: bool = field(default=False, init=False)  # by its id: its text ends where it is
    _told_whole: set[int] = field(default_factory=set, init=False)

    @property
    def generations(self) -> list[Generation]:
        """All texts, by index."""
        return [generation for request in self.requests for generation in request.generations]

    @property
    def cut_short(self) -> list[int]:
        """Which texts its reader has not got the end of, when it was cancelled by its id.

        The engine may write on for a moment, and even to the end: nobody reads that.
        """
        return [i for i in range(len(self.generations)) if not self.is_told_whole(i)]

    def is_told_whole(self, index: int) -> bool:
        """Whether its reader has got the end of this text."""
        return index in self._told_whole

    @property
    def num_tokens(self) -> int:
        """How many tokens were written so far."""
        return sum(request.num_tokens for request in self.requests)

    @property
    def outcome(self) -> Outcome:
        """How it has ended, or will: the engine may not yet have come to a cancellation."""
        outcomes = {request.outcome or "cancelled" for request in self.requests}
        worst: tuple[Outcome, ...] = ("error", "cancelled", "length", "stop")
        return next(outcome for outcome in worst if outcome in outcomes)

    @property
    def failure(self) -> Failure | None:
        """Why not all of its texts are whole; None when they are, or were not wanted."""
        failed = (request.failure for request in self.requests if request.outcome == "error")
        return next(failed, None)

    @property
    def model(self) -> str:
        """The model that writes it."""
        return self.requests[0].model

    @property
    def seed(self) -> int | None:
        """That of the first text, from which the others' follow; None where none is written."""
        return self.generations[0].params.seed if self.generations else None

    @property
    def num_ahead(self) -> int | None:
        """How many requests wait before the first of its own; None when none of its own waits."""
        ahead = [self.engine.num_ahead(request) for request in self.requests]
        return min((each for each in ahead if each is not None), default=None)

    def usage(self) -> dict[str, int]:
        """What was read and written, in tokens."""
        prompt = sum(request.num_prompt_tokens for request in self.requests)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": self.num_tokens,
            "total_tokens": prompt + self.num_tokens,
        }

    def waves(self) -> Iterator[list[Delta]]:
        """What is written, as it comes; an empty list now and then while nothing does.

        Ends early when the job was cancelled by its id. Raises RequestFailedError, and
        ClientGoneError where the client was seen to leave.
        """
        next_look, last = time.monotonic(), None
        while not self.outbox.is_done:
            # Also while text comes: a JSON answer writes nothing that could tell.
            if time.monotonic() >= next_look:
                self._require_client()
                next_look = time.monotonic() + LOOK_S
            try:
                deltas = self.outbox.take(LOOK_S)
            except RequestFailedError as error:
                if self.is_cancelled and error.failure is Failure.CANCELLED:
                    return
                raise
            if deltas:
                now = time.monotonic()
                if last is not None:
                    self.metrics.piece_taken(now - last)
                last = now
            self._told_whole.update(d.index for d in deltas if d.finish_reason is not None)
            yield deltas

    def _require_client(self) -> None:
        if self.client.has_gone:
            self.drop()
            raise ClientGoneError

    def drop(self) -> None:
        """Nobody wants what is still unwritten. May be called twice, and after its end."""
        for request in self.requests:
            self.engine.cancel(request)


class Jobs:
    """Those under way, by id."""

    def __init__(self, engine: Engine, metrics: JobMetrics) -> None:
        self._engine = engine
        self._metrics = metrics
        self._lock = threading.Lock()
        self._under_way: dict[str, Job] = {}

    def begin(self, job_id: str, requests: Sequence[Request], client: Client) -> Job:
        """Hand all requests, which share an outbox, to the engine.

        Raises SaturatedError or UnavailableError. Whoever begins a job must end it.
        """
        job = Job(
            job_id=job_id,
            requests=requests,
            outbox=requests[0].outbox,
            client=client,
            engine=self._engine,
            metrics=self._metrics,
        )
        try:
            self._engine.submit(*requests)
        except (SaturatedError, UnavailableError):
            self._metrics.rejected(requests[0].model)
            raise
        with self._lock:
            self._under_way[job_id] = job
        return job

    def end(self, job: Job) -> None:
        """Its answer has been sent, or has broken off. May be called twice."""
        with self._lock:
            self._under_way.pop(job.job_id, None)
        job.drop()

    def gathered(self, job: Job) -> list[list[Delta]]:
        """All that it writes, by text, when it is done; the job ends with it."""
        texts: list[list[Delta]] = [[] for _ in job.generations]
        try:
            for deltas in job.waves():
                for delta in deltas:
                    texts[delta.index].append(delta)
        finally:
            self.end(job)
        return texts

    def cancel(self, job_id: str) -> bool:
        """End the texts of a job where they are; False when no such job is under way."""
        with self._lock:
            job = self._under_way.get(job_id)
        if job is None:
            return False
        job.is_cancelled = True
        job.drop()
        return True
