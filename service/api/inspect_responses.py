"""Responses of `/v1/inspect`: one object, or events with parts of it as they are read.

The parts are slices of the whole: the same numbers, to the bit.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Response

from model.tokenizer import EncodedPrompt
from service.api.error_handlers import failure_body
from service.api.inspect_models import (
    InspectOpening,
    InspectPart,
    steps_without_tokens,
    token_seen,
)
from service.api.jobs import Job, Jobs
from service.api.json_text import json_object_parts
from service.api.prompt_scoring import scores_of, text_facts
from service.api.streaming import (
    DONE,
    EVENTS,
    Comments,
    StreamCutError,
    event,
    job_headers,
    streamed_response,
)
from service.engine.failure import ClientGoneError, Failure, RequestFailedError
from service.models.served_model import ServedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """One text that is being read, and what of a model is looked at meanwhile."""

    job: Job
    jobs: Jobs
    served: ServedModel
    text: EncodedPrompt
    layer: int
    units: Sequence[int]

    @property
    def opening(self) -> InspectOpening:
        """Facts that are known before the text is read: model, layer and text."""
        architecture = self.served.architecture
        return {
            "id": self.job.job_id,
            "model": self.served.name,
            "fingerprint": self.served.fingerprint,
            "num_layers": architecture.num_layers,
            "hidden_size": architecture.hidden_size,
            "layer": self.layer,
            "text": text_facts(self.served, self.text),
        }


def json_response(looking: Looking) -> Response:
    """One JSON object, when all is read."""
    scores = scores_of(looking.job, looking.jobs)
    inspection = looking.job.requests[0].inspection
    assert inspection is not None  # noqa: S101 - it comes with the scores
    answer = {**looking.opening, **steps_without_tokens(inspection.steps(), looking.units)}
    parts = json_object_parts(answer, tokens=map(token_seen, scores))
    response = Response("".join(parts), content_type="application/json")
    response.headers.update(job_headers(looking.job))
    return response


def event_response(looking: Looking) -> Response:
    """Stream of JSON events: what is looked into, and parts of it as they are read."""
    return streamed_response(looking.jobs, looking.job, _events(looking), EVENTS)


def _events(looking: Looking) -> Iterator[bytes]:
    yield event(looking.opening)
    reader, comments = PartReader(looking), Comments(looking.job)
    try:
        for _ in looking.job.delta_batches():
            if (part := reader.next_part()) is not None:
                comments.note_sent()
                yield part
            elif (comment := comments.next()) is not None:
                yield comment
    except ClientGoneError as error:
        raise StreamCutError from error
    except RequestFailedError as error:
        yield event(failure_body(error.failure).as_json())
        return
    if (part := reader.next_part()) is not None:
        yield part
    if looking.job.requests[0].scored_prompt is None:
        yield event(failure_body(Failure.CANCELLED).as_json())
        return
    yield DONE


class PartReader:
    """Reader of what was read of a text, each chunk once."""

    def __init__(self, looking: Looking) -> None:
        self._looking = looking
        self._num_chunks = 0
        self._num_tokens = 0

    def next_part(self) -> bytes | None:
        """Event of all that was read since the last time; None where that is nothing."""
        reading = self._looking.job.requests[0].reading
        if reading is None:
            return None
        scores, inspection = reading
        first, last = self._num_chunks, inspection.num_chunks
        if last == first:
            return None
        steps = inspection.steps(first, last)
        part: InspectPart = {
            "first": self._num_tokens,
            **steps_without_tokens(steps, self._looking.units),
            "tokens": [token_seen(entry) for entry in scores.of_chunks(first, last)],
        }
        self._num_chunks, self._num_tokens = last, self._num_tokens + len(steps)
        return event(part)
