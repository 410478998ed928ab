"""The three forms of an answer to `/v1/generate`: plain text, server-sent events, one JSON object.

All three read the same outbox and show the same text. Every way out, a client that has gone
included, ends the job, which frees its slots.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, jsonify

from model.decoding.generation import TokenLogprob
from service.api import sse
from service.api.error_handlers import failure_body
from service.api.jobs import Job, Jobs
from service.api.streaming import StreamCutError, event_chunks, job_headers, stream
from service.engine.failure import ClientGoneError, RequestFailedError
from service.engine.outbox import Delta

HEADERS_AFTER_S = 5.0  # plain text: an error before the first piece can still be a status code


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A job under way and what its answer tells beside the text."""

    job: Job
    jobs: Jobs
    echo: str  # the prompt, or nothing

    def describe(self) -> dict[str, Any]:
        """What is known before the first piece."""
        prompt = self.job.requests[0].prompt
        return {
            "id": self.job.job_id,
            "model": self.job.model,
            "seed": self.job.seed,
            "prompt": {"folded": prompt.num_folded, "unknown": prompt.num_unknown},
        }


def plain_text(answer: Answer) -> Response:
    """The text as it comes. Waits a little for the first piece, to answer errors as such."""
    waves = answer.job.waves()
    begun = _first_waves(waves)
    return stream(
        answer.jobs, answer.job, _plain_chunks(answer, begun, waves), "text/plain; charset=utf-8"
    )


def _first_waves(waves: Iterator[list[Delta]]) -> list[Delta]:
    deadline = time.monotonic() + HEADERS_AFTER_S
    for deltas in waves:
        if deltas or time.monotonic() >= deadline:
            return deltas
    return []


def _plain_chunks(
    answer: Answer, begun: Sequence[Delta], waves: Iterator[list[Delta]]
) -> Iterator[bytes]:
    yield (answer.echo + _text(begun)).encode()
    try:
        for deltas in waves:
            yield _text(deltas).encode()
    except (RequestFailedError, ClientGoneError) as error:
        raise StreamCutError from error
    if answer.job.cut_short:
        raise StreamCutError


def _text(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def events(answer: Answer) -> Response:
    """One JSON event a piece, between an opening event and the usage."""
    return stream(answer.jobs, answer.job, _events(answer), sse.CONTENT_TYPE)


def _events(answer: Answer) -> Iterator[bytes]:
    job = answer.job
    yield sse.event(answer.describe())
    if answer.echo:
        for index in range(len(job.generations)):
            yield sse.event({"index": index, "text": answer.echo})
    try:
        yield from event_chunks(job, _pieces)
    except RequestFailedError as error:
        yield sse.event(failure_body(error.failure).as_json())
        return
    for index in job.cut_short:
        yield sse.event(
            {"index": index, "text": "", "finish_reason": "cancelled", "stop_reason": None}
        )
    yield sse.event({"usage": job.usage()})
    yield sse.DONE


def _pieces(deltas: Sequence[Delta]) -> bytes:
    return b"".join(sse.event(_piece(delta)) for delta in deltas)


def _piece(delta: Delta) -> dict[str, Any]:
    piece: dict[str, Any] = {"index": delta.index, "text": delta.text}
    if delta.logprobs:
        piece["logprobs"] = [logprob_json(entry) for entry in delta.logprobs]
    if delta.finish_reason is not None:
        piece["finish_reason"] = delta.finish_reason
        piece["stop_reason"] = delta.stop_reason
    return piece


def logprob_json(entry: TokenLogprob) -> dict[str, Any]:
    """How one token's log probability and its alternatives are shown."""
    top = [{"token": token, "logprob": value} for token, value in entry.top]
    return {"token": entry.token, "logprob": entry.logprob, "top": top}


def whole(answer: Answer) -> Response:
    """Everything at the end, as one object."""
    job = answer.job
    gathered = answer.jobs.gathered(job)
    choices = [_choice(answer, index, deltas) for index, deltas in enumerate(gathered)]
    response = jsonify({**answer.describe(), "choices": choices, "usage": job.usage()})
    response.headers.update(job_headers(job))
    return response


def _choice(answer: Answer, index: int, deltas: Sequence[Delta]) -> dict[str, Any]:
    params = answer.job.generations[index].params
    last = deltas[-1] if answer.job.is_told_whole(index) else None
    logprobs = [logprob_json(entry) for delta in deltas for entry in delta.logprobs]
    return {
        "index": index,
        "text": answer.echo + _text(deltas),
        "finish_reason": "cancelled" if last is None else last.finish_reason,
        "stop_reason": None if last is None else last.stop_reason,
        "logprobs": None if params.logprobs is None else logprobs,
    }
