"""Streamed responses: how they begin, keep alive, and end on every way out; server-sent events.

The payload of an event is always JSON on one line, so a newline in a poem cannot end it. Knows
nothing of what the payloads look like.
"""

import errno
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

from flask import Response

from service.api.error_handlers import failure_body
from service.api.jobs import Job, Jobs
from service.api.json_text import json_text
from service.engine.failure import ClientGoneError, RequestFailedError
from service.engine.outbox import Delta
from service.timeouts import STREAM_PING_S, STREAM_PROGRESS_S

EVENTS = "text/event-stream; charset=utf-8"
DONE = b"data: [DONE]\n\n"
# One newline: a comment that is followed by a blank line is an empty event to some clients.
PING = b": ping\n"


class StreamCutError(ConnectionResetError):
    """Raised to end a stream that failed, so that nobody takes it for whole.

    gunicorn treats it like a connection that broke: the chunked body stays unterminated.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the stream was cut")


class DeltaEncoder(Protocol):
    """Encoder of the events that tell of deltas."""

    def encode(self, deltas: list[Delta]) -> bytes:
        """Events of a batch of deltas."""


class EventEncoder(DeltaEncoder, Protocol):
    """Encoder of one route's events: deltas, texts cut short, and the usage at the end."""

    def encode_cut_short(self, index: int) -> bytes:
        """Event that ends text `index`, which was cancelled by its id."""

    def encode_usage(self) -> bytes | None:
        """Event of the usage, the last before `[DONE]`; None where it is not wanted."""


def event(payload: Mapping[str, object], event_id: str | None = None) -> bytes:
    """Server-sent event with a JSON payload, and with an id that a client can go on from."""
    opening = b"" if event_id is None else b"id: " + event_id.encode() + b"\n"
    return opening + b"data: " + json_text(payload).encode() + b"\n\n"


def waiting_comment(num_ahead: int) -> bytes:
    """Comment in an event stream: so many requests are served before this one begins."""
    return f": waiting, {num_ahead} ahead\n".encode()


def reading_comment(num_fed: int, num_tokens: int) -> bytes:
    """Comment in an event stream: so many tokens of prompt and received text were read."""
    return f": reading, {num_fed} of {num_tokens}\n".encode()


def job_headers(job: Job) -> dict[str, str]:
    """Headers of every response that a job has, streamed or not; a seed where it draws by one."""
    headers = {
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
        "X-Strophe-Id": job.job_id,
        "X-Strophe-Model": job.model,
        "X-Strophe-Fingerprint": job.fingerprint,
    }
    if job.seed is not None:
        headers["X-Strophe-Seed"] = str(job.seed)
    return headers


def streamed_response(jobs: Jobs, job: Job, chunks: Iterator[bytes], content_type: str) -> Response:
    """Response with `chunks` as its body; however it ends, the job ends with it."""
    response = Response(chunks, content_type=content_type)
    response.headers.update(job_headers(job))
    # Not in the generator: a response that is never iterated would never get there.
    response.call_on_close(lambda: jobs.end(job))
    return response


def job_events(job: Job, encoder: EventEncoder) -> Iterator[bytes]:
    """Events of a job from its first delta to `[DONE]`, or to the error that ends them.

    Raises StreamCutError where the client has gone.
    """
    try:
        yield from delta_events(job, encoder)
    except RequestFailedError as error:
        yield event(failure_body(error.failure).as_json())
        return
    for index in job.cut_short:
        yield encoder.encode_cut_short(index)
    if (usage := encoder.encode_usage()) is not None:
        yield usage
    yield DONE


def delta_events(job: Job, encoder: DeltaEncoder) -> Iterator[bytes]:
    """Events of a job's deltas; while none comes, comments on what it waits for.

    Raises RequestFailedError, and StreamCutError where the client has gone.
    """
    comments = Comments(job)
    try:
        for deltas in job.delta_batches():
            if deltas:
                comments.note_sent()
                yield encoder.encode(deltas)
            elif (comment := comments.next()) is not None:
                yield comment
    except ClientGoneError as error:
        raise StreamCutError from error


class Comments:
    """Comments of one event stream, which keep the connection open and tell why nothing comes.

    While the job waits for its turn, how many wait before it, as soon as that changes; while its
    prompts are fed, now and then how far they are. `clock` gives monotonic seconds.
    """

    def __init__(self, job: Job, clock: Callable[[], float] = time.monotonic) -> None:
        self._job = job
        self._clock = clock
        self._told: tuple[int | None, int] = (None, 0)  # requests ahead, tokens fed
        self.note_sent()

    def note_sent(self) -> None:
        """Note that something else was sent."""
        self._sent_at = self._clock()

    def next(self) -> bytes | None:
        """Comment that is due, if any."""
        ahead, fed = self._job.num_ahead, self._job.num_fed_tokens
        num_tokens, silent_s = self._job.num_tokens_to_feed, self._clock() - self._sent_at
        comment = None
        if ahead is not None and ahead != self._told[0]:
            comment = waiting_comment(ahead)
        elif self._told[1] != fed < num_tokens and silent_s >= STREAM_PROGRESS_S:
            comment = reading_comment(fed, num_tokens)
        elif silent_s >= STREAM_PING_S:
            comment = PING
        if comment is not None:
            self._told = ahead, fed
            self.note_sent()
        return comment
