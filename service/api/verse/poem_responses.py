"""Responses of `/v1/poems`: plain text, server-sent events, or one JSON object.

All three read the same composition and show the same lines. Every way out, a client that has gone
included, ends the job, which frees its slot.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass

from flask import Response, jsonify

from model.copies.copy_index import CopyIndex
from service.api.copy_reports import copy_facts
from service.api.error_handlers import failure_body
from service.api.event_ids import EventIds
from service.api.jobs import Job, Jobs
from service.api.resuming import Received
from service.api.streaming import (
    DONE,
    EVENTS,
    StreamCutError,
    delta_events,
    event,
    job_headers,
    streamed_response,
)
from service.api.verse.poem_models import (
    PoemAnswer,
    PoemEnding,
    PoemOpening,
    poem_line,
    poem_report,
)
from service.engine.composition import Composition
from service.engine.failure import ClientGoneError, Failure, RequestFailedError
from service.engine.outbox import Delta
from service.error_answers import ApiError, ErrorBody
from service.timeouts import HEADERS_AFTER_S
from verse.composing import report_of
from verse.forms import PoemSpec
from verse.poem import ComposedLine, Poem
from verse.poem_request import PoemRequest


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """A poem under way: its job and composition, and what was asked for."""

    job: Job
    jobs: Jobs
    composition: Composition[Poem]
    seed: int
    request: PoemRequest
    spec: PoemSpec
    received: Received  # what the client has of the poem's text
    copy_index: CopyIndex | None

    @property
    def opening(self) -> PoemOpening:
        """Facts that are known before the first line."""
        prompt = self.job.requests[0].prompt
        return {
            "id": self.job.job_id,
            "model": self.job.model,
            "fingerprint": self.job.fingerprint,
            "seed": self.seed,
            "form": self.spec.name,
            "title": self.request.title,
            "num_lines": len(self.spec.lines),
            "prompt": {"folded": prompt.num_folded, "unknown": prompt.num_unknown},
        }

    @property
    def ending(self) -> PoemEnding:
        """Facts that are known after the last line."""
        poem = self.composition.result
        missing = self.request.keywords if poem is None else poem.missing_keywords
        found = self.so_far()
        copied = None if self.copy_index is None else copy_facts(self.copy_index, found.text)
        return {
            "report": poem_report(report_of(found, self.spec), missing, copied),
            "seed": self.seed,
            "finish_reason": "cancelled" if poem is None else "stop",
        }

    def so_far(self, num_lines: int | None = None) -> Poem:
        """Poem of the first lines, or of all that there are."""
        lines = tuple(self.composition.lines[:num_lines])
        return Poem(lines=lines, title=self.request.title, seed=self.seed)

    def refusal(self, error: RequestFailedError) -> ErrorBody:
        """Error body of a poem that failed, with the lines that there are if its form did."""
        found = self.composition.error
        if error.failure is not Failure.FORM or found is None:
            return failure_body(error.failure)
        return ErrorBody(
            message=str(found),
            param="form" if self.request.spec is None else "spec",
            code="form_not_kept",
            partial={"text": found.partial.text, "seed": self.seed},
        )


def plain_text_response(writing: Writing) -> Response:
    """Lines as they come. Waits a little for the first one, to answer errors as such."""
    batches = writing.job.delta_batches()
    try:
        _wait_for_line(batches)
    except RequestFailedError as error:
        raise as_answer(writing, error) from error
    chunks = _text_chunks(writing, batches)
    return streamed_response(writing.jobs, writing.job, chunks, "text/plain; charset=utf-8")


def _wait_for_line(batches: Iterator[list[Delta]]) -> None:
    deadline = time.monotonic() + HEADERS_AFTER_S
    for deltas in batches:
        if deltas or time.monotonic() >= deadline:
            return


def _text_chunks(writing: Writing, batches: Iterator[list[Delta]]) -> Iterator[bytes]:
    reader = LineReader(writing)
    yield reader.text()
    try:
        for _ in batches:
            yield reader.text()
    except (RequestFailedError, ClientGoneError) as error:
        raise StreamCutError from error
    if not writing.composition.is_done:
        raise StreamCutError


def as_answer(writing: Writing, error: RequestFailedError) -> Exception:
    """Exception to raise for a poem that failed before anything of it was sent."""
    if error.failure is not Failure.FORM:
        return error
    return ApiError(422, writing.refusal(error))


def event_response(writing: Writing) -> Response:
    """Stream of JSON events: an opening, one a line, and the report."""
    return streamed_response(writing.jobs, writing.job, _events(writing), EVENTS)


def _events(writing: Writing) -> Iterator[bytes]:
    reader = LineReader(writing)
    yield event(writing.opening, reader.event_id)
    try:
        yield from delta_events(writing.job, reader)
    except RequestFailedError as error:
        yield event(writing.refusal(error).as_json())
        return
    yield event(writing.ending)
    yield DONE


class LineReader:
    """Reader of a composition's lines, each once, behind what the client has of the poem.

    A poem that goes on is written again in silence: what its lines may be hangs on all of them.
    """

    def __init__(self, writing: Writing) -> None:
        self._writing = writing
        self._ids = EventIds(writing.job, (0,))
        self._num_read = 0
        self._length = 0  # of the poem's text, as far as it was read

    def text(self) -> bytes:
        """Text that has come since the last time, with an empty line between stanzas.

        Raises RequestFailedError where it is not what was received.
        """
        received = self._writing.received.lengths[0]
        start = self._length
        text = "".join([self._read(line) for line in self._new_lines()])
        return text[max(0, received - start) :].encode()

    def lines(self) -> list[tuple[ComposedLine, str | None]]:
        """Lines that have come since the last time, with their events' ids. Raises the same."""
        received = self._writing.received.lengths[0]
        found = []
        for line in self._new_lines():
            end = self._length + len(line.text)
            event_id = self._ids.after(0, self._read(line))
            if end > received:
                found.append((line, event_id))
        return found

    def encode(self, _: list[Delta]) -> bytes:
        """Events of the lines that have come since the last time."""
        lines = self.lines()
        report = report_of(self._writing.so_far(self._num_read), self._writing.spec)
        return b"".join([event(poem_line(line, report), event_id) for line, event_id in lines])

    @property
    def event_id(self) -> str | None:
        """Id of an event before which nothing came but what was received."""
        return EventIds(self._writing.job, self._writing.received.lengths).after()

    def _new_lines(self) -> list[ComposedLine]:
        return self._writing.composition.lines[self._num_read :]

    def _read(self, line: ComposedLine) -> str:
        """Text of the next line, compared with what was received of it."""
        is_last = line.number == len(self._writing.spec.lines)
        text = line.text + ("\n\n" if line.ends_stanza and not is_last else "\n")
        texts = self._writing.received.texts
        had = "" if texts is None else texts[0][self._length : self._length + len(text)]
        if not text.startswith(had):
            raise RequestFailedError(Failure.RECEIVED)
        self._num_read += 1
        self._length += len(text)
        return text


def json_response(writing: Writing) -> Response:
    """One JSON object with the whole poem, when it is done."""
    try:
        writing.jobs.wait(writing.job)
    except RequestFailedError as error:
        raise as_answer(writing, error) from error
    poem = writing.so_far()
    report = report_of(poem, writing.spec)
    left = LineReader(writing).lines()
    answer: PoemAnswer = {
        **writing.opening,
        "text": poem.text[writing.received.lengths[0] :],
        "lines": [poem_line(line, report) for line, _ in left],
        **writing.ending,
    }
    response = jsonify(answer)
    response.headers.update(job_headers(writing.job))
    return response
