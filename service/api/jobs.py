"""Job: what one HTTP request asked the engine for (one engine request a prompt), to its last text.

Several prompts of one HTTP request are several requests of the engine, with one outbox for their
one reader. Jobs can be cancelled by their id. Knows nothing of Flask and of the shape of a
response.
"""

import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from model.decoding.generation import Generation
from service.client_connection import ClientConnection
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
from service.timeouts import CLIENT_CHECK_S


class JobMetrics(Protocol):
    """Metrics of what becomes of jobs and of the streams that readers take."""

    def rejected(self, model: str) -> None:
        """Count a job that was refused because the service is full or stopping."""

    def deltas_taken(self, gap: float) -> None:
        """Record that a reader took deltas, `gap` seconds after those before them."""


@dataclass(kw_only=True)
class Job:
    """Requests of one HTTP request, which number their texts through and write into `outbox`."""

    job_id: str
    fingerprint: str  # of the checkpoint that generates
    requests: Sequence[Request]
    outbox: Outbox
    client: ClientConnection
    engine: Engine
    metrics: JobMetrics
    is_cancelled: bool = field(default=False, init=False)  # by its id: its text ends where it is
    _delivered: set[int] = field(default_factory=set, init=False)

    @property
    def generations(self) -> list[Generation]:
        """Generated texts of all requests, by index."""
        return [generation for request in self.requests for generation in request.generations]

    @property
    def cut_short(self) -> list[int]:
        """Indexes of the texts whose end the reader has not taken, after a cancellation by id.

        The engine may write on for a moment, and even to the end: nobody reads that.
        """
        return [i for i in range(len(self.generations)) if not self.is_delivered(i)]

    def is_delivered(self, index: int) -> bool:
        """True once the reader has taken the end of text `index`."""
        return index in self._delivered

    @property
    def num_prompt_tokens(self) -> int:
        """Number of tokens of all prompts, each once, however many requests it is fed for."""
        one_of_each = {id(request.prompt): request for request in self.requests}
        return sum(request.num_prompt_tokens for request in one_of_each.values())

    @property
    def num_tokens_to_feed(self) -> int:
        """Number of tokens that are to be fed: of all requests' prompts, and of received texts."""
        return sum(request.num_tokens_to_feed for request in self.requests)

    @property
    def num_fed_tokens(self) -> int:
        """Number of these that are fed so far."""
        return sum(request.num_fed_tokens for request in self.requests)

    @property
    def num_tokens(self) -> int:
        """Number of tokens generated so far, over all texts."""
        return sum(request.num_tokens for request in self.requests)

    @property
    def outcome(self) -> Outcome:
        """Outcome of the job, the worst of its requests'.

        A request without one counts as cancelled: the engine may not yet have come to it.
        """
        outcomes = {request.outcome or "cancelled" for request in self.requests}
        worst: tuple[Outcome, ...] = ("error", "cancelled", "length", "stop")
        return next(outcome for outcome in worst if outcome in outcomes)

    @property
    def failure(self) -> Failure | None:
        """Reason why not all texts are whole; None when they are, or were not wanted."""
        failed = (request.failure for request in self.requests if request.outcome == "error")
        return next(failed, None)

    @property
    def model(self) -> str:
        """Name of the model that generates the texts."""
        return self.requests[0].model

    @property
    def seed(self) -> int | None:
        """Seed of the first text, from which the others' follow; None where none is generated."""
        if (composition := self.requests[0].composition) is not None:
            return composition.seed
        return self.generations[0].params.seed if self.generations else None

    @property
    def num_ahead(self) -> int | None:
        """Number of queued requests before the first of the job's; None when none of them waits."""
        ahead = [self.engine.num_ahead(request) for request in self.requests]
        return min((each for each in ahead if each is not None), default=None)

    def delta_batches(self) -> Iterator[list[Delta]]:
        """Deltas of the texts as they come, in batches; an empty one now and then while none does.

        Ends early when the job was cancelled by its id. Raises RequestFailedError, and
        ClientGoneError where the client was seen to leave.
        """
        next_check, last = time.monotonic(), None
        while not self.outbox.is_done:
            # Also while text comes: a JSON response writes nothing that could tell.
            if time.monotonic() >= next_check:
                self._require_client()
                next_check = time.monotonic() + CLIENT_CHECK_S
            try:
                deltas = self.outbox.take(CLIENT_CHECK_S)
            except RequestFailedError as error:
                if self.is_cancelled and error.failure is Failure.CANCELLED:
                    return
                raise
            if deltas:
                now = time.monotonic()
                if last is not None:
                    self.metrics.deltas_taken(now - last)
                last = now
            self._delivered.update(d.index for d in deltas if d.finish_reason is not None)
            yield deltas

    def _require_client(self) -> None:
        if self.client.is_closed:
            self.abandon()
            raise ClientGoneError

    def abandon(self) -> None:
        """Cancel what is still ungenerated. May be called twice, and after the job's end."""
        for request in self.requests:
            self.engine.cancel(request)


class Jobs:
    """Jobs under way, by id: starts, collects, cancels and ends them.

    Ids name the `replica` that they are of, where it has a name.
    """

    def __init__(self, engine: Engine, metrics: JobMetrics, replica: str | None = None) -> None:
        self.replica = replica
        self._engine = engine
        self._metrics = metrics
        self._lock = threading.Lock()
        self._under_way: dict[str, Job] = {}

    def start(
        self,
        job_id: str,
        requests: Sequence[Request],
        client: ClientConnection,
        *,
        fingerprint: str,
    ) -> Job:
        """Submit requests, which share an outbox, to the engine as one job.

        Raises SaturatedError or UnavailableError. Whoever starts a job must end it.
        """
        job = Job(
            job_id=job_id,
            fingerprint=fingerprint,
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

    def require_available(self) -> None:
        """Check that requests are taken at all. Raises UnavailableError."""
        if (trouble := self._engine.trouble) is not None:
            raise UnavailableError(trouble)

    def end(self, job: Job) -> None:
        """Forget a job whose response was sent or broke off, and free its slots; idempotent."""
        with self._lock:
            self._under_way.pop(job.job_id, None)
        job.abandon()

    def collect(self, job: Job) -> list[list[Delta]]:
        """Wait for all deltas of a job, and give them by text; the job ends with it."""
        texts: list[list[Delta]] = [[] for _ in job.generations]
        try:
            for deltas in job.delta_batches():
                for delta in deltas:
                    texts[delta.index].append(delta)
        finally:
            self.end(job)
        return texts

    def wait(self, job: Job) -> None:
        """Wait until a job that writes no texts is done; it ends with it."""
        try:
            for _ in job.delta_batches():
                pass
        finally:
            self.end(job)

    def cancel(self, job_id: str) -> bool:
        """End the texts of a job where they are; False when no such job is under way."""
        with self._lock:
            job = self._under_way.get(job_id)
        if job is None:
            return False
        job.is_cancelled = True
        job.abandon()
        return True
