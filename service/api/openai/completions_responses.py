"""Responses of `/v1/completions` by OpenAI's contract: one JSON object, or a stream of chunks.

Choice i of prompt p has the index p * n + i. Both read the same outbox and tell the same.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Literal, NotRequired

from flask import Response, jsonify
from pydantic import Field, RootModel
from typing_extensions import TypedDict

from service.api.copy_reports import COPIES, CopyFacts, StreamedTexts
from service.api.due_logprobs import DueLogprobs
from service.api.event_ids import EventIds
from service.api.openai.completion_job import Completion
from service.api.openai.completion_logprobs import (
    CompletionLogprobs,
    behind,
    echoed,
    joined,
    listed,
)
from service.api.openai.completions_body import CompletionRequest
from service.api.openai.prompts import Echo, echo_of
from service.api.response_models import (
    FINGERPRINT,
    FINISH,
    STOP,
    Count,
    FinishReason,
    Usage,
    closed,
)
from service.api.streaming import EVENTS, PING, event, job_events, streamed_response
from service.engine.outbox import Delta
from service.error_answers import ErrorAnswer

Part = tuple[str, CompletionLogprobs]  # of a text, and the log probabilities that come with it


@closed
class CompletionChoice(TypedDict):
    """One text; choice i of prompt p has the index p x n + i."""

    index: Count
    text: str
    logprobs: CompletionLogprobs | None
    finish_reason: Annotated[FinishReason, Field(description=FINISH)]
    stop_reason: Annotated[str | None, Field(description=STOP)]
    copies: NotRequired[Annotated[CopyFacts, Field(description=COPIES)]]


@closed
class ChunkChoice(TypedDict):
    """A piece of a text."""

    index: Count
    text: str
    logprobs: CompletionLogprobs | None
    finish_reason: Annotated[
        FinishReason | None, Field(description=f"null but in the last piece: {FINISH}")
    ]
    stop_reason: Annotated[str | None, Field(description=STOP)]
    copies: NotRequired[Annotated[CopyFacts, Field(description=f"in the last piece: {COPIES}")]]


@closed
class CompletionFacts(TypedDict):
    """Facts of a completion: what the answer and its chunks have in common."""

    id: Annotated[str, Field(description="to cancel it by")]
    object: Literal["text_completion"]
    created: Annotated[int, Field(description="seconds since 1970")]
    model: str
    system_fingerprint: Annotated[str, Field(description=FINGERPRINT)]


@closed
class CompletionAnswer(CompletionFacts):
    """Everything at once, when it is done."""

    choices: Annotated[list[CompletionChoice], Field(min_length=1)]
    usage: Usage


@closed
class CompletionChunk(CompletionFacts):
    """An event with a piece of one choice; with include_usage the last one has no choice."""

    choices: Annotated[list[ChunkChoice], Field(max_length=1)]
    usage: NotRequired[
        Annotated[
            Usage | None,
            Field(
                default=None, description="only with include_usage, and null but in the last chunk"
            ),
        ]
    ]


class CompletionEvent(RootModel[CompletionChunk | ErrorAnswer]):
    """The JSON after `data: ` in a stream of `/v1/completions`."""


class ChoiceWriter:
    """One text of a completion as it grows: what is generated under an index of the job."""

    def __init__(
        self, completion: Completion[CompletionRequest], written: int, echo: Echo | None
    ) -> None:
        self._completion = completion
        self._written = written
        self._echo = echo  # None once it is given back, or was not wanted
        self._generation = completion.job.generations[written]
        self._received = completion.received.lengths[written]
        self._before = "" if echo is None else echo.text
        self._logprobs = DueLogprobs.of(
            completion.tokenizer, self._generation, len(self._before), self._received
        )
        index = completion.copy_index
        self._texts = None if index is None else StreamedTexts(index, self._had)

    def grown(self, delta: Delta) -> ChunkChoice:
        """Response model of a delta; the prompt comes first where it is given back."""
        parts = self._opening()
        parts.append((delta.text, listed(self._logprobs.due(delta.text, delta.logprobs))))
        return self._choice(parts, delta.finish_reason, delta.stop_reason)

    def cut_short(self) -> ChunkChoice:
        """Response model of the end of a text that was cancelled by its id."""
        return self._choice(self._opening(), "cancelled", None)

    def whole(self, deltas: Sequence[Delta], index: int) -> CompletionChoice:
        """Response model of the whole text as choice `index` of the answer."""
        chunks = [self.grown(delta) for delta in deltas]
        if not self._completion.job.is_delivered(self._written):
            chunks.append(self.cut_short())
        logprobs = [chunk["logprobs"] for chunk in chunks if chunk["logprobs"] is not None]
        reason = chunks[-1]["finish_reason"]
        choice: CompletionChoice = {
            "index": index,
            "text": "".join([chunk["text"] for chunk in chunks]),
            "logprobs": joined(logprobs) if self._wants_logprobs else None,
            "finish_reason": "cancelled" if reason is None else reason,
            "stop_reason": chunks[-1]["stop_reason"],
        }
        if "copies" in chunks[-1]:
            choice["copies"] = chunks[-1]["copies"]
        return choice

    def _had(self, _: int) -> str:
        """Text before any piece: what the client had of it, the echo included."""
        return self._before[: self._received] + self._generation.received_text

    @property
    def _wants_logprobs(self) -> bool:
        return self._completion.body.logprobs is not None

    def _opening(self) -> list[Part]:
        echo, self._echo = self._echo, None
        if echo is None or (self._received and self._received >= len(echo.text)):
            return []
        found = next(
            each.scored_prompt
            for each in self._completion.job.requests
            if self._generation in each.generations
        )
        logprobs = echoed(echo, found if found is not None else ())
        return [(echo.text[self._received :], behind(self._received, logprobs))]

    def _choice(
        self, parts: Sequence[Part], finish_reason: FinishReason | None, stop_reason: str | None
    ) -> ChunkChoice:
        choice: ChunkChoice = {
            "index": self._written,
            "text": "".join([text for text, _ in parts]),
            "logprobs": joined(each for _, each in parts) if self._wants_logprobs else None,
            "finish_reason": finish_reason,
            "stop_reason": stop_reason,
        }
        if self._texts is not None:
            self._texts.add(self._written, choice["text"])
            if finish_reason is not None:
                choice["copies"] = self._texts.facts(self._written)
        return choice


def choice_writers(completion: Completion[CompletionRequest]) -> list[ChoiceWriter]:
    """Writers of all texts of a completion, by their index in the job."""
    body, wants_offsets = completion.body, completion.body.logprobs is not None
    echoes = [
        echo_of(prompt, completion.tokenizer, with_offsets=wants_offsets) if body.echo else None
        for prompt in body.prompt
    ]
    return [
        ChoiceWriter(completion, index, echoes[index // body.num_written])
        for index in range(len(completion.job.generations))
    ]


def facts_of(completion: Completion[CompletionRequest]) -> CompletionFacts:
    """Facts that open the answer and each chunk."""
    return {
        "id": completion.job.job_id,
        "object": "text_completion",
        "created": completion.created,
        "model": completion.job.model,
        "system_fingerprint": completion.job.fingerprint,
    }


class ChunkEncoder:
    """Encoder of the chunks of `/v1/completions`; an `EventEncoder`."""

    def __init__(self, completion: Completion[CompletionRequest]) -> None:
        self._completion = completion
        self._facts = facts_of(completion)
        self._choices = choice_writers(completion)
        self._ids = EventIds(completion.job, completion.received.lengths)

    def encode(self, deltas: list[Delta]) -> bytes:
        """Chunks of a batch of deltas, one each but for those that have nothing to tell."""
        return b"".join([self._choice(self._choices[d.index].grown(d)) for d in deltas])

    def encode_cut_short(self, index: int) -> bytes:
        """Chunk that ends a text which was cancelled by its id."""
        return self._choice(self._choices[index].cut_short())

    def _choice(self, choice: ChunkChoice) -> bytes:
        logprobs = choice["logprobs"]
        is_empty = not choice["text"] and not (logprobs and logprobs["tokens"])
        if is_empty and choice["finish_reason"] is None:  # held back, or written again in silence
            return b""
        return self._chunk([choice], event_id=self._ids.after(choice["index"], choice["text"]))

    def encode_usage(self) -> bytes | None:
        """Chunk without a choice, with the usage; None where it is not wanted."""
        return (
            self._chunk([], self._completion.usage) if self._completion.body.wants_usage else None
        )

    def _chunk(
        self, choices: list[ChunkChoice], usage: Usage | None = None, event_id: str | None = None
    ) -> bytes:
        chunk: CompletionChunk = {**self._facts, "choices": choices, "usage": usage}
        if not self._completion.body.wants_usage:
            del chunk["usage"]
        return event(chunk, event_id)


def chunk_response(completion: Completion[CompletionRequest]) -> Response:
    """Stream of chunks, as the text comes."""
    response = streamed_response(completion.jobs, completion.job, _chunks(completion), EVENTS)
    completion.add_headers(response)
    return response


def _chunks(completion: Completion[CompletionRequest]) -> Iterator[bytes]:
    # At once, so that the headers are sent while the request still waits.
    yield PING
    yield from job_events(completion.job, ChunkEncoder(completion))


def json_response(completion: Completion[CompletionRequest]) -> Response:
    """One JSON object with all choices, when they are done."""
    texts = completion.jobs.collect(completion.job)
    writers = choice_writers(completion)
    answer: CompletionAnswer = {
        **facts_of(completion),
        "choices": [
            writers[written].whole(texts[written], index)
            for index, written in enumerate(_best(completion.body, texts))
        ],
        "usage": completion.usage,
    }
    response = jsonify(answer)
    completion.add_headers(response)
    return response


def _best(body: CompletionRequest, texts: Sequence[Sequence[Delta]]) -> list[int]:
    """Indexes of the texts to give: for each prompt the n likeliest of those generated."""
    if not body.has_choice:
        return list(range(len(texts)))
    best = []
    for first in range(0, len(texts), body.num_written):
        written = range(first, first + body.num_written)
        best += sorted(written, key=lambda index: -_mean_logprob(texts[index]))[: body.n]
    return best


def _mean_logprob(deltas: Sequence[Delta]) -> float:
    logprobs = [entry.logprob for delta in deltas for entry in delta.logprobs]
    return sum(logprobs) / len(logprobs) if logprobs else 0.0
