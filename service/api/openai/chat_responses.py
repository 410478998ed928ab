"""Responses of `/v1/chat/completions` by OpenAI's contract: one JSON object, or a stream of chunks.

Both read the same outbox and tell the same. A stream opens each choice with its role, and ends it
with a chunk that has no text.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Annotated, Literal, NotRequired

from flask import Response, jsonify
from pydantic import Field, RootModel
from typing_extensions import TypedDict

from service.api.due_logprobs import DueLogprobs, Placed
from service.api.openai.chat_body import ChatRequest
from service.api.openai.chat_logprobs import ChatLogprobs, chat_logprobs
from service.api.openai.completion_job import Completion
from service.api.response_models import (
    FINGERPRINT,
    FINISH,
    STOP,
    Count,
    FinishReason,
    PromptFacts,
    Usage,
    closed,
)
from service.api.streaming import EVENTS, event, job_events, streamed_response
from service.engine.outbox import Delta
from service.error_answers import ErrorAnswer


@closed
class ChatPrompt(PromptFacts):
    """Prompt of a chat: the text of one message, without its role."""

    message: Annotated[
        int, Field(ge=0, description="index of the message that is the prompt; no other was read")
    ]


@closed
class AssistantMessage(TypedDict):
    """One whole text, as a message."""

    role: Literal["assistant"]
    content: str
    refusal: None


@closed
class ChatChoice(TypedDict):
    """One text; text i has seed + i."""

    index: Count
    message: AssistantMessage
    logprobs: ChatLogprobs | None
    finish_reason: Annotated[FinishReason, Field(description=FINISH)]
    stop_reason: Annotated[str | None, Field(description=STOP)]


@closed
class MessageDelta(TypedDict):
    """Addition of a chunk to a message: its role first, then pieces of text, at last nothing."""

    role: NotRequired[Literal["assistant"]]
    content: NotRequired[str]


@closed
class ChatChunkChoice(TypedDict):
    """A piece of a text."""

    index: Count
    delta: MessageDelta
    logprobs: ChatLogprobs | None
    finish_reason: Annotated[
        FinishReason | None, Field(description=f"null but in the last chunk: {FINISH}")
    ]
    stop_reason: Annotated[str | None, Field(description=STOP)]


@closed
class ChatFacts(TypedDict):
    """Facts of a chat completion: what the answer and its chunks have in common."""

    id: Annotated[str, Field(description="to cancel it by")]
    created: Annotated[int, Field(description="seconds since 1970")]
    model: str
    system_fingerprint: Annotated[str, Field(description=FINGERPRINT)]
    prompt: ChatPrompt


@closed
class ChatAnswer(ChatFacts):
    """Everything at once, when it is done."""

    object: Literal["chat.completion"]
    choices: Annotated[list[ChatChoice], Field(min_length=1)]
    usage: Usage


@closed
class ChatChunk(ChatFacts):
    """An event with a piece of one choice; with include_usage the last one has no choice."""

    object: Literal["chat.completion.chunk"]
    choices: Annotated[list[ChatChunkChoice], Field(max_length=1)]
    usage: NotRequired[
        Annotated[
            Usage | None,
            Field(
                default=None, description="only with include_usage, and null but in the last chunk"
            ),
        ]
    ]


class ChatEvent(RootModel[ChatChunk | ErrorAnswer]):
    """The JSON after `data: ` in a stream of `/v1/chat/completions`."""


def facts_of(completion: Completion[ChatRequest]) -> ChatFacts:
    """Facts that open the answer and each chunk."""
    prompt = completion.job.requests[0].prompt
    return {
        "id": completion.job.job_id,
        "created": completion.created,
        "model": completion.job.model,
        "system_fingerprint": completion.job.fingerprint,
        "prompt": {
            "message": completion.body.prompt_message,
            "folded": prompt.num_folded,
            "unknown": prompt.num_unknown,
        },
    }


def logprobs_of(
    completion: Completion[ChatRequest], placed: Iterable[Placed]
) -> ChatLogprobs | None:
    """Log probabilities of tokens, where they are wanted."""
    if not completion.body.logprobs:
        return None
    return chat_logprobs((each.entry for each in placed), completion.tokenizer)


class ChatChunkEncoder:
    """Encoder of the chunks of `/v1/chat/completions`; an `EventEncoder`."""

    def __init__(self, completion: Completion[ChatRequest]) -> None:
        self._completion = completion
        self._facts = facts_of(completion)
        self._logprobs = [DueLogprobs(completion.tokenizer) for _ in completion.job.generations]

    def encode_roles(self) -> bytes:
        """Chunks that open the choices, one each."""
        roles: MessageDelta = {"role": "assistant", "content": ""}
        return b"".join([self._piece(index, roles) for index in range(len(self._logprobs))])

    def encode(self, deltas: list[Delta]) -> bytes:
        """Chunks of a batch of deltas: one with the text of each, and one behind the last."""
        return b"".join([chunk for delta in deltas for chunk in self._chunks(delta)])

    def encode_cut_short(self, index: int) -> bytes:
        """Chunk that ends a text which was cancelled by its id."""
        return self._piece(index, {}, finish_reason="cancelled")

    def encode_usage(self) -> bytes | None:
        """Chunk without a choice, with the usage; None where it is not wanted."""
        if not self._completion.body.wants_usage:
            return None
        return self._chunk([], self._completion.usage)

    def _chunks(self, delta: Delta) -> Iterator[bytes]:
        placed = self._logprobs[delta.index].due(delta.text, delta.logprobs)
        if delta.text or placed:
            yield self._piece(delta.index, {"content": delta.text}, placed)
        if delta.finish_reason is not None:
            yield self._piece(
                delta.index, {}, finish_reason=delta.finish_reason, stop_reason=delta.stop_reason
            )

    def _piece(
        self,
        index: int,
        delta: MessageDelta,
        placed: Sequence[Placed] = (),
        finish_reason: FinishReason | None = None,
        stop_reason: str | None = None,
    ) -> bytes:
        choice: ChatChunkChoice = {
            "index": index,
            "delta": delta,
            "logprobs": logprobs_of(self._completion, placed) if placed else None,
            "finish_reason": finish_reason,
            "stop_reason": stop_reason,
        }
        return self._chunk([choice])

    def _chunk(self, choices: list[ChatChunkChoice], usage: Usage | None = None) -> bytes:
        chunk: ChatChunk = {
            **self._facts,
            "object": "chat.completion.chunk",
            "choices": choices,
            "usage": usage,
        }
        if not self._completion.body.wants_usage:
            del chunk["usage"]
        return event(chunk)


def chat_chunk_response(completion: Completion[ChatRequest]) -> Response:
    """Stream of chunks, as the text comes."""
    response = streamed_response(completion.jobs, completion.job, _chunks(completion), EVENTS)
    completion.add_headers(response)
    return response


def _chunks(completion: Completion[ChatRequest]) -> Iterator[bytes]:
    encoder = ChatChunkEncoder(completion)
    # At once, so that the headers are sent while the request still waits.
    yield encoder.encode_roles()
    yield from job_events(completion.job, encoder)


def chat_json_response(completion: Completion[ChatRequest]) -> Response:
    """One JSON object with all choices, when they are done."""
    texts = completion.jobs.collect(completion.job)
    answer: ChatAnswer = {
        **facts_of(completion),
        "object": "chat.completion",
        "choices": [choice_of(completion, index, deltas) for index, deltas in enumerate(texts)],
        "usage": completion.usage,
    }
    response = jsonify(answer)
    completion.add_headers(response)
    return response


def choice_of(
    completion: Completion[ChatRequest], index: int, deltas: Sequence[Delta]
) -> ChatChoice:
    """Response model of one whole text, from all of its deltas."""
    last = deltas[-1] if completion.job.is_delivered(index) else None
    text = "".join([delta.text for delta in deltas])
    entries = [entry for delta in deltas for entry in delta.logprobs]
    placed = DueLogprobs(completion.tokenizer).due(text, entries)
    reason = None if last is None else last.finish_reason
    return {
        "index": index,
        "message": {"role": "assistant", "content": text, "refusal": None},
        "logprobs": logprobs_of(completion, placed),
        "finish_reason": "cancelled" if reason is None else reason,
        "stop_reason": None if last is None else last.stop_reason,
    }
