"""The three forms of an answer to `/v1/generate`: plain text, server-sent events, one JSON object.

All three read the same outbox and show the same text. Every way out, a client that has gone
included, cancels the request, which frees its slots.
"""

import errno
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify

from model.generation import TokenLogprob
from service import sse
from service.client import Client
from service.engine.engine import Engine
from service.engine.failure import RequestFailedError
from service.engine.outbox import Delta
from service.engine.request import Request
from service.errors import CLIENT_CLOSED_REQUEST, ApiError, ErrorBody, failure_body

LOOK_S = 0.25  # between looks whether the client is still there
PING_S = 5.0
HEADERS_AFTER_S = 5.0  # plain text: an error before the first piece can still be a status code


class StreamCutError(ConnectionResetError):
    """Ends a plain-text stream that failed, so that nobody takes it for whole.

    gunicorn treats it like a connection that broke: the chunked body stays unterminated.
    """

    def __init__(self) -> None:
        super().__init__(errno.ECONNRESET, "the stream was cut")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A submitted request and what answering it needs."""

    request: Request
    engine: Engine
    client: Client
    model: str
    seed: int
    echo: str  # the prompt, or nothing
    handed_over: Callable[[float], None]  # told the seconds between two waves of text

    def describe(self) -> dict[str, Any]:
        """What is known before the first piece."""
        prompt = self.request.prompt
        return {
            "id": self.request.request_id,
            "model": self.model,
            "seed": self.seed,
            "prompt": {"folded": prompt.num_folded, "unknown": prompt.num_unknown},
        }

    def usage(self) -> dict[str, int]:
        """What was read and written."""
        prompt, written = self.request.num_prompt_tokens, self.request.num_tokens
        return {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
        }

    def waves(self) -> Iterator[list[Delta]]:
        """What is written, as it comes; an empty list now and then while nothing does.

        Raises RequestFailedError, and ClientGoneError where the client was seen to leave.
        """
        outbox = self.request.outbox
        next_look, last = time.monotonic(), None
        while not outbox.is_done:
            # Also while text comes: a JSON answer writes nothing that could tell.
            if time.monotonic() >= next_look:
                self._require_client()
                next_look = time.monotonic() + LOOK_S
            deltas = outbox.take(LOOK_S)
            if deltas:
                now = time.monotonic()
                if last is not None:
                    self.handed_over(now - last)
                last = now
            yield deltas

    def _require_client(self) -> None:
        if self.client.has_gone:
            self.engine.cancel(self.request)
            raise ClientGoneError


class ClientGoneError(ApiError):
    """The client has closed the connection before its answer was there."""

    def __init__(self) -> None:
        super().__init__(CLIENT_CLOSED_REQUEST, ErrorBody(message="the client has gone"))


def plain_text(job: Job) -> Response:
    """The text as it comes. Waits a little for the first piece, to answer errors as such."""
    waves = job.waves()
    begun = _first_waves(waves)
    return _stream(job, _plain_chunks(job, begun, waves), "text/plain; charset=utf-8")


def _first_waves(waves: Iterator[list[Delta]]) -> list[Delta]:
    deadline = time.monotonic() + HEADERS_AFTER_S
    for deltas in waves:
        if deltas or time.monotonic() >= deadline:
            return deltas
    return []


def _plain_chunks(
    job: Job, begun: Sequence[Delta], waves: Iterator[list[Delta]]
) -> Iterator[bytes]:
    yield (job.echo + _text(begun)).encode()
    try:
        for deltas in waves:
            yield _text(deltas).encode()
    except (RequestFailedError, ClientGoneError) as error:
        raise StreamCutError from error


def _text(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def events(job: Job) -> Response:
    """One JSON event a piece, between an opening event and the usage."""
    return _stream(job, _events(job), "text/event-stream; charset=utf-8")


def _events(job: Job) -> Iterator[bytes]:
    yield sse.event(job.describe())
    if job.echo:
        for index in range(job.request.num_rows):
            yield sse.event({"index": index, "text": job.echo})
    try:
        yield from _pieces_and_pings(job)
    except RequestFailedError as error:
        yield sse.event(failure_body(error.failure).as_json())
        return
    except ClientGoneError as error:
        raise StreamCutError from error
    yield sse.event({"usage": job.usage()})
    yield sse.DONE


def _pieces_and_pings(job: Job) -> Iterator[bytes]:
    last_sent = time.monotonic()
    for deltas in job.waves():
        if deltas:
            yield b"".join(sse.event(_piece(delta)) for delta in deltas)
        elif time.monotonic() - last_sent >= PING_S:
            yield sse.PING
        else:
            continue
        last_sent = time.monotonic()


def _piece(delta: Delta) -> dict[str, Any]:
    piece: dict[str, Any] = {"index": delta.index, "text": delta.text}
    if delta.logprobs:
        piece["logprobs"] = [_logprob(entry) for entry in delta.logprobs]
    if delta.finish_reason is not None:
        piece["finish_reason"] = delta.finish_reason
        piece["stop_reason"] = delta.stop_reason
    return piece


def _logprob(entry: TokenLogprob) -> dict[str, Any]:
    top = [{"token": token, "logprob": value} for token, value in entry.top]
    return {"token": entry.token, "logprob": entry.logprob, "top": top}


def whole(job: Job) -> Response:
    """Everything at the end, as one object."""
    choices = [_Choice(index=index) for index in range(job.request.num_rows)]
    try:
        for deltas in job.waves():
            for delta in deltas:
                choices[delta.index].add(delta)
    finally:
        job.engine.cancel(job.request)
    content = {**job.describe(), "choices": [c.as_json(job) for c in choices], "usage": job.usage()}
    response = jsonify(content)
    response.headers.update(_headers(job))
    return response


class _Choice:
    """One of the texts of a JSON answer, as it grows."""

    def __init__(self, *, index: int) -> None:
        self._index = index
        self._deltas: list[Delta] = []

    def add(self, delta: Delta) -> None:
        self._deltas.append(delta)

    def as_json(self, job: Job) -> dict[str, Any]:
        generation = job.request.generations[self._index]
        logprobs = [_logprob(entry) for delta in self._deltas for entry in delta.logprobs]
        return {
            "index": self._index,
            "text": job.echo + _text(self._deltas),
            "finish_reason": generation.finish_reason,
            "stop_reason": generation.stop_reason,
            "logprobs": None if generation.params.logprobs is None else logprobs,
        }


def _stream(job: Job, chunks: Iterator[bytes], content_type: str) -> Response:
    response = Response(chunks, content_type=content_type)
    response.headers.update(_headers(job))
    # Not in the generator: a response that is never iterated would never get there.
    response.call_on_close(lambda: job.engine.cancel(job.request))
    return response


def _headers(job: Job) -> dict[str, str]:
    return {
        "Cache-Control": "no-store",
        "X-Accel-Buffering": "no",
        "X-Strophe-Model": job.model,
        "X-Strophe-Seed": str(job.seed),
    }
