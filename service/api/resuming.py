"""Resuming: what of an answer its client has, by the text itself or by the id of the last event.

A text is a function of its request and seed, so any replica with the same checkpoint goes on with
it at the next character. Every event's id says all that this needs: seed, checkpoint, and how many
characters of each text were sent. Knows nothing of how a text goes on.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from flask import request
from pydantic import BaseModel, Field, field_validator

from model.decoding.resumption import FIELD, Resumption, resumption_of
from model.errors import ParameterError, shortened
from model.parameters import MAX_SEED, SamplingParams
from service.api.jobs import Job
from service.api.request_body import MAX_CHOICES, whole_characters
from service.error_answers import ApiError, ErrorBody
from service.models.served_model import ServedModel

MAX_TEXTS_IN_ID = (
    MAX_CHOICES  # of more texts events have no ids: they would be longer than the text
)
HEADER = "Last-Event-ID"
_ID = r"([0-9]{1,19})\.(fp_[0-9a-f]{1,64})\.([0-9]{1,9}(?:-[0-9]{1,9})*)"  # of an id

Texts = str | Annotated[list[str], Field(min_length=1)]


class Resumable(BaseModel):
    """Fields of a body whose answer may go on with one that broke off."""

    received: Texts | None = Field(
        None,
        description="text received so far of the same request, with its `seed`: the answer goes on "
        "behind it; a list where there are several texts",
    )
    fingerprint: str | None = Field(
        None, max_length=64, description="of the checkpoint that began the text; another is refused"
    )

    @field_validator("received")
    @classmethod
    def _whole_texts(cls, value: Texts | None) -> Texts | None:
        for text in [value] if isinstance(value, str) else value or ():
            whole_characters(text)
        return value


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """What was received of each text: its length in characters and, where it was sent, itself."""

    lengths: tuple[int, ...]
    texts: tuple[str, ...] | None = None

    @classmethod
    def nothing(cls, num_texts: int) -> Self:
        """Nothing yet, of so many texts."""
        return cls(lengths=(0,) * num_texts)

    def behind(self, opening: str, index: int) -> "Received | None":
        """What was received of text `index` behind its `opening`; None where that came to nothing.

        Raises ParameterError where what was received does not begin with the opening.
        """
        length = self.lengths[index] - len(opening)
        if self.texts is None:
            return Received(lengths=(length,)) if length > 0 else None
        text = self.texts[index]
        if text[: len(opening)] != opening[: len(text)]:
            raise ParameterError(FIELD, "does not begin with the prompt, as echo has it")
        rest = text[len(opening) :]
        return Received(lengths=(length,), texts=(rest,)) if rest else None

    def resumption(self, served: ServedModel, params: SamplingParams) -> Resumption:
        """Resumption of the only text. Raises ParameterError for what the model cannot write."""
        if self.texts is None:
            return Resumption(length=self.lengths[0])
        runner = served.runner
        return resumption_of(runner.tokenizer, params, self.texts[0], is_exact=runner.is_exact)


def received_by_client(
    body: Resumable, served: ServedModel, seed: int | None, num_texts: int
) -> tuple[Received, int | None]:
    """Received part of the current request's answer, of each of its texts, and the seed of that.

    By the body's `received`, else by the header Last-Event-ID, else nothing. Raises ParameterError
    where they do not fit the request, and ApiError (409) where another checkpoint began the answer.
    """
    _require_same_checkpoint(body.fingerprint, served)
    if body.received is not None:
        texts = (body.received,) if isinstance(body.received, str) else tuple(body.received)
        if len(texts) != num_texts:
            raise ParameterError(FIELD, f"must be {num_texts} texts, got {len(texts)}")
        if seed is None:
            raise ParameterError("seed", "is needed to go on with what was received")
        return Received(lengths=tuple(map(len, texts)), texts=texts), seed
    header = request.headers.get(HEADER, "")
    if not header:
        return Received.nothing(num_texts), seed
    return _by_event_id(header, served, seed, num_texts)


def _by_event_id(
    header: str, served: ServedModel, seed: int | None, num_texts: int
) -> tuple[Received, int]:
    match = re.fullmatch(_ID, header)
    if match is None or int(match[1]) > MAX_SEED:
        raise ParameterError(HEADER, f"{shortened(header)} is no id of an event from here")
    _require_same_checkpoint(match[2], served)
    lengths = tuple(map(int, match[3].split("-")))
    if len(lengths) != num_texts:
        raise ParameterError(HEADER, f"is of {len(lengths)} texts, the request has {num_texts}")
    if seed is not None and seed != int(match[1]):
        raise ParameterError("seed", f"must be {match[1]}, as {HEADER} says, or left out")
    return Received(lengths=lengths), int(match[1])


def _require_same_checkpoint(fingerprint: str | None, served: ServedModel) -> None:
    if fingerprint is None or fingerprint == served.fingerprint:
        return
    message = (
        f"the text was begun by another checkpoint: {shortened(fingerprint)}, and the model "
        f"{served.name} is {served.fingerprint} here"
    )
    body = ErrorBody(message=message, param="fingerprint", code="fingerprint_differs")
    raise ApiError(409, body)


class EventIds:
    """Ids of a stream's events: what a client has once it has read one."""

    def __init__(self, job: Job, lengths: Sequence[int]) -> None:
        """Begin behind so many characters of each text."""
        self._before = f"{job.seed}.{job.fingerprint}."
        self._lengths = list(lengths)

    def after(self, index: int = 0, text: str = "") -> str | None:
        """Id of the event that adds `text` to text `index`; None where there are too many texts."""
        self._lengths[index] += len(text)
        if len(self._lengths) > MAX_TEXTS_IN_ID:
            return None
        return self._before + "-".join(map(str, self._lengths))
