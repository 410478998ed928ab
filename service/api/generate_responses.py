"""Responses of `/v1/generate`: plain text, server-sent events, or one JSON object.

All three read the same outbox and show the same text. Every way out, a client that has gone
included, ends the job, which frees its slots.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, NotRequired

from flask import Response, jsonify
from pydantic import Field, RootModel
from typing_extensions import TypedDict

from model.copies.copy_index import CopyIndex
from model.tokenizer import Tokenizer
from service.api.copy_reports import COPIES, CopyFacts, StreamedTexts, copy_facts
from service.api.due_logprobs import DueLogprobs
from service.api.event_ids import EventIds
from service.api.jobs import Job, Jobs
from service.api.response_models import (
    FINGERPRINT,
    FINISH,
    STOP,
    Count,
    FinishReason,
    PromptFacts,
    TokenLogprob,
    Usage,
    closed,
    token_logprob_response,
    usage_of,
)
from service.api.resuming import Received
from service.api.streaming import (
    EVENTS,
    StreamCutError,
    event,
    job_events,
    job_headers,
    streamed_response,
)
from service.engine.failure import ClientGoneError, RequestFailedError
from service.engine.outbox import Delta
from service.error_answers import ErrorAnswer
from service.timeouts import HEADERS_AFTER_S


@closed
class GenerateOpening(TypedDict):
    """The first event of a stream; the same opens the JSON answer."""

    id: Annotated[str, Field(description="to cancel it by")]
    model: str
    fingerprint: Annotated[str, Field(description=FINGERPRINT)]
    seed: Annotated[int, Field(ge=0, description="send it to get the same text again")]
    prompt: PromptFacts


@closed
class GenerateChoice(TypedDict):
    """One whole text."""

    index: Count
    text: str
    finish_reason: Annotated[FinishReason, Field(description=FINISH)]
    stop_reason: Annotated[str | None, Field(description=STOP)]
    logprobs: Annotated[
        list[TokenLogprob] | None, Field(description="one a token; null when not asked for")
    ]
    copies: NotRequired[Annotated[CopyFacts, Field(description=COPIES)]]


@closed
class GenerateAnswer(GenerateOpening):
    """Everything at once, when it is done."""

    choices: Annotated[list[GenerateChoice], Field(min_length=1)]
    usage: Usage


@closed
class GeneratePiece(TypedDict):
    """An event with a piece of text; pieces of several texts are mixed."""

    index: Annotated[int, Field(ge=0, description="of the text that this is a piece of")]
    text: str
    logprobs: NotRequired[
        Annotated[list[TokenLogprob], Field(default=[], description="of the piece's tokens")]
    ]
    finish_reason: NotRequired[
        Annotated[
            FinishReason | None, Field(default=None, description=f"in the last piece: {FINISH}")
        ]
    ]
    stop_reason: NotRequired[
        Annotated[str | None, Field(default=None, description=f"in the last piece: {STOP}")]
    ]
    copies: NotRequired[Annotated[CopyFacts, Field(description=f"in the last piece: {COPIES}")]]


@closed
class UsageEvent(TypedDict):
    """The last event before `data: [DONE]`."""

    usage: Usage


class GenerateEvent(RootModel[GenerateOpening | GeneratePiece | UsageEvent | ErrorAnswer]):
    """The JSON after `data: ` in a stream of `/v1/generate`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuation:
    """Texts that continue one prompt: a job under way, and the prompt where it is given back."""

    job: Job
    jobs: Jobs
    tokenizer: Tokenizer
    echo: str  # the prompt, or nothing
    received: Received  # what the client has of each text, the echo included
    copy_index: CopyIndex | None = None  # where the texts' copies are to be told

    @property
    def opening(self) -> GenerateOpening:
        """Facts that are known before the first delta."""
        prompt = self.job.requests[0].prompt
        assert self.job.seed is not None  # noqa: S101 - each text has one
        return {
            "id": self.job.job_id,
            "model": self.job.model,
            "fingerprint": self.job.fingerprint,
            "seed": self.job.seed,
            "prompt": {"folded": prompt.num_folded, "unknown": prompt.num_unknown},
        }

    @property
    def usage(self) -> Usage:
        """Tokens read and generated so far."""
        return usage_of(self.job.num_prompt_tokens, self.job.num_tokens)

    def echo_left(self, index: int) -> str:
        """Echo before text `index`, but for what the client has of it."""
        return self.echo[self.received.lengths[index] :]

    def opening_of(self, index: int) -> str:
        """Text before the pieces of text `index`: the echo, and what was received behind it."""
        return self.echo + self.job.generations[index].received_text

    def due_logprobs(self, index: int) -> DueLogprobs:
        """Matcher of the log probabilities of text `index` with what is shown of it."""
        generation, received = self.job.generations[index], self.received.lengths[index]
        return DueLogprobs.of(self.tokenizer, generation, len(self.echo), received)


def plain_text_response(continuation: Continuation) -> Response:
    """Plain text as it comes. Waits a little for the first delta, to answer errors as such."""
    batches = continuation.job.delta_batches()
    first = _first_deltas(batches)
    chunks = _text_chunks(continuation, first, batches)
    return streamed_response(
        continuation.jobs, continuation.job, chunks, "text/plain; charset=utf-8"
    )


def _first_deltas(batches: Iterator[list[Delta]]) -> list[Delta]:
    deadline = time.monotonic() + HEADERS_AFTER_S
    for deltas in batches:
        if deltas or time.monotonic() >= deadline:
            return deltas
    return []


def _text_chunks(
    continuation: Continuation, first: Sequence[Delta], batches: Iterator[list[Delta]]
) -> Iterator[bytes]:
    yield (continuation.echo_left(0) + _text(first)).encode()
    try:
        for deltas in batches:
            yield _text(deltas).encode()
    except (RequestFailedError, ClientGoneError) as error:
        raise StreamCutError from error
    if continuation.job.cut_short:
        raise StreamCutError


def _text(deltas: Sequence[Delta]) -> str:
    return "".join(delta.text for delta in deltas)


def event_response(continuation: Continuation) -> Response:
    """Stream of JSON events, one a delta, between an opening event and the usage."""
    return streamed_response(continuation.jobs, continuation.job, _events(continuation), EVENTS)


def _events(continuation: Continuation) -> Iterator[bytes]:
    ids = EventIds(continuation.job, continuation.received.lengths)
    yield event(continuation.opening, ids.after())
    for index in range(len(continuation.job.generations)):
        if text := continuation.echo_left(index):
            echo: GeneratePiece = {"index": index, "text": text}
            yield event(echo, ids.after(index, text))
    yield from job_events(continuation.job, PieceEncoder(continuation, ids))


class PieceEncoder:
    """Encoder of the events of `/v1/generate`; an `EventEncoder`."""

    def __init__(self, continuation: Continuation, ids: EventIds) -> None:
        self.continuation = continuation
        self._ids = ids
        index, count = continuation.copy_index, len(continuation.job.generations)
        self._texts = None if index is None else StreamedTexts(index, continuation.opening_of)
        self._logprobs = [continuation.due_logprobs(number) for number in range(count)]

    def encode(self, deltas: list[Delta]) -> bytes:
        """Events of a batch of deltas, one each but for those that have nothing to tell."""
        return b"".join([self._event(delta) for delta in deltas])

    def _event(self, delta: Delta) -> bytes:
        piece = self._piece(delta)
        if piece == {"index": delta.index, "text": ""}:  # held back, or written again in silence
            return b""
        return event(piece, self._ids.after(delta.index, delta.text))

    def _piece(self, delta: Delta) -> GeneratePiece:
        piece = piece_of(delta, self._logprobs[delta.index])
        if self._texts is not None:
            self._texts.add(delta.index, delta.text)
            if delta.finish_reason is not None:
                piece["copies"] = self._texts.facts(delta.index)
        return piece

    def encode_cut_short(self, index: int) -> bytes:
        """Event that ends a text which was cancelled by its id."""
        last: GeneratePiece = {
            "index": index,
            "text": "",
            "finish_reason": "cancelled",
            "stop_reason": None,
        }
        if self._texts is not None:
            last["copies"] = self._texts.facts(index)
        return event(last, self._ids.after(index))

    def encode_usage(self) -> bytes:
        """Event of the usage."""
        last: UsageEvent = {"usage": self.continuation.usage}
        return event(last)


def piece_of(delta: Delta, logprobs: DueLogprobs) -> GeneratePiece:
    """Response model of one delta; what a piece need not have is left out."""
    piece: GeneratePiece = {"index": delta.index, "text": delta.text}
    if due := logprobs.due(delta.text, delta.logprobs):
        piece["logprobs"] = [token_logprob_response(entry) for _, entry in due]
    if delta.finish_reason is not None:
        piece["finish_reason"] = delta.finish_reason
        piece["stop_reason"] = delta.stop_reason
    return piece


def json_response(continuation: Continuation) -> Response:
    """One JSON object with all texts, when they are done."""
    job = continuation.job
    texts = continuation.jobs.collect(job)
    answer: GenerateAnswer = {
        **continuation.opening,
        "choices": [choice_of(continuation, index, deltas) for index, deltas in enumerate(texts)],
        "usage": continuation.usage,
    }
    response = jsonify(answer)
    response.headers.update(job_headers(job))
    return response


def choice_of(continuation: Continuation, index: int, deltas: Sequence[Delta]) -> GenerateChoice:
    """Response model of one whole text, from all of its deltas."""
    params = continuation.job.generations[index].params
    last = deltas[-1] if continuation.job.is_delivered(index) else None
    due = continuation.due_logprobs(index)
    logprobs = [
        token_logprob_response(entry)
        for delta in deltas
        for _, entry in due.due(delta.text, delta.logprobs)
    ]
    reason = None if last is None else last.finish_reason
    choice: GenerateChoice = {
        "index": index,
        "text": continuation.echo_left(index) + _text(deltas),
        "finish_reason": "cancelled" if reason is None else reason,
        "stop_reason": None if last is None else last.stop_reason,
        "logprobs": None if params.logprobs is None else logprobs,
    }
    if continuation.copy_index is not None:
        whole = continuation.opening_of(index) + _text(deltas)
        choice["copies"] = copy_facts(continuation.copy_index, whole)
    return choice
