"""The two forms of an answer to `/v1/completions`, by OpenAI's contract: one object, or chunks.

Choice i of prompt p has the index p * n + i. Both forms read the same outbox and tell the same.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, jsonify

from model.tokenizer import Tokenizer
from service.api import sse
from service.api.error_handlers import failure_body
from service.api.jobs import Job, Jobs
from service.api.openai.completions_body import CompletionRequest
from service.api.openai.logprobs import LegacyLogprobs, joined
from service.api.streaming import event_chunks, job_headers, stream
from service.engine.failure import RequestFailedError
from service.engine.outbox import Delta

Told = tuple[str, dict[str, Any] | None]  # a part of a text, and the log probabilities with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Completion:
    """A job under way, and what its answer tells beside the text."""

    job: Job
    jobs: Jobs
    tokenizer: Tokenizer
    wanted: CompletionRequest
    fingerprint: str
    echoes: Sequence[str]  # the prompts as text, whether or not they are wanted
    ignored: Sequence[str]  # fields that were left aside
    created: int = field(default_factory=lambda: int(time.time()))

    def describe(self, choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
        """An answer or a chunk of one with these choices."""
        return {
            "id": self.job.job_id,
            "object": "text_completion",
            "created": self.created,
            "model": self.job.model,
            "system_fingerprint": self.fingerprint,
            "choices": choices,
        }

    def tell_ignored(self, response: Response) -> Response:
        """The answer, with a header that names what was left aside."""
        if self.ignored:
            response.headers["X-Strophe-Ignored-Fields"] = ",".join(self.ignored)
        return response

    def choice(self, index: int) -> "_Choice":
        """The text of this index, of which nothing is told yet."""
        return _Choice(completion=self, written=index, _logprobs=LegacyLogprobs(self.tokenizer))


@dataclass(slots=True, kw_only=True)
class _Choice:
    """One text as it grows: what was written under an index of the job."""

    completion: Completion
    written: int
    _logprobs: LegacyLogprobs
    _has_begun: bool = False

    def grown(self, delta: Delta) -> dict[str, Any]:
        """What is new, in OpenAI's form; the prompt comes first where it is wanted."""
        told = self._echo()
        told.append((delta.text, self._logprobs.grown(delta.text, delta.logprobs)))
        return self._choice(told, delta.finish_reason, delta.stop_reason)

    def cut_short(self) -> dict[str, Any]:
        """The end of a text that was cancelled by its id."""
        return self._choice(self._echo(), "cancelled", None)

    def whole(self, deltas: Sequence[Delta]) -> dict[str, Any]:
        """All of it."""
        parts = [self.grown(delta) for delta in deltas]
        if not self.completion.job.is_told_whole(self.written):
            parts.append(self.cut_short())
        told = [(part["text"], part["logprobs"]) for part in parts]
        return self._choice(told, parts[-1]["finish_reason"], parts[-1]["stop_reason"])

    def _echo(self) -> list[Told]:
        wanted = self.completion.wanted
        if not wanted.echo or self._has_begun:
            return []
        self._has_begun = True
        number = self.written // wanted.num_written
        prompt = self.completion.echoes[number]
        scored = self.completion.job.requests[number].scored_prompt
        return [(prompt, self._logprobs.echoed(prompt, scored or ()))]

    def _choice(
        self, told: Sequence[Told], finish_reason: str | None, stop_reason: str | None
    ) -> dict[str, Any]:
        wants_logprobs = self.completion.wanted.logprobs is not None
        return {
            "index": self.written,
            "text": "".join(text for text, _ in told),
            "logprobs": joined(logprobs for _, logprobs in told) if wants_logprobs else None,
            "finish_reason": finish_reason,
            "stop_reason": stop_reason,
        }


def chunks(completion: Completion) -> Response:
    """The text as it comes."""
    answer = stream(completion.jobs, completion.job, _chunks(completion), sse.CONTENT_TYPE)
    return completion.tell_ignored(answer)


def _chunks(completion: Completion) -> Iterator[bytes]:
    job, options = completion.job, completion.wanted.stream_options
    wants_usage = options is not None and options.include_usage
    blank = {"usage": None} if wants_usage else {}
    choices = [completion.choice(index) for index in range(len(job.generations))]

    def chunk(choice: dict[str, Any]) -> bytes:
        return sse.event({**completion.describe([choice]), **blank})

    def encoded(deltas: Sequence[Delta]) -> bytes:
        return b"".join(chunk(choices[delta.index].grown(delta)) for delta in deltas)

    # At once, so that the headers are sent while the request still waits.
    yield sse.PING
    try:
        yield from event_chunks(job, encoded)
    except RequestFailedError as error:
        yield sse.event(failure_body(error.failure).as_json())
        return
    for index in job.cut_short:
        yield chunk(choices[index].cut_short())
    if wants_usage:
        yield sse.event({**completion.describe([]), "usage": job.usage()})
    yield sse.DONE


def whole(completion: Completion) -> Response:
    """Everything at the end, as one object."""
    job = completion.job
    gathered = completion.jobs.gathered(job)
    choices = [
        {**completion.choice(written).whole(gathered[written]), "index": index}
        for index, written in enumerate(_best(completion, gathered))
    ]
    response = jsonify({**completion.describe(choices), "usage": job.usage()})
    response.headers.update(job_headers(job))
    return completion.tell_ignored(response)


def _best(completion: Completion, gathered: Sequence[Sequence[Delta]]) -> list[int]:
    """The texts to give, of those that were written: for each prompt the n likeliest."""
    wanted = completion.wanted
    if not wanted.has_choice:
        return list(range(len(gathered)))
    best = []
    for first in range(0, len(gathered), wanted.num_written):
        written = range(first, first + wanted.num_written)
        best += sorted(written, key=lambda index: -_mean_logprob(gathered[index]))[: wanted.n]
    return best


def _mean_logprob(deltas: Sequence[Delta]) -> float:
    logprobs = [entry.logprob for delta in deltas for entry in delta.logprobs]
    return sum(logprobs) / len(logprobs) if logprobs else 0.0
