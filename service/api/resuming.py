"""Resuming: what of an answer its client has, by the text itself or by the id of the last event.

A text is a function of its request and seed, so any replica with the same checkpoint goes on with
it at the next character. Knows nothing of how a text goes on.
"""

from dataclasses import dataclass
from typing import Annotated, Self

from flask import request
from pydantic import BaseModel, Field, field_validator

from model.count_in_words import counted
from model.decoding.resumption import FIELD, Resumption, resumption_of
from model.errors import ParameterError, shortened
from model.parameters import SamplingParams
from service.api.event_ids import HEADER, EventId
from service.api.request_body import whole_characters
from service.error_answers import ApiError, ErrorBody
from service.models.served_model import ServedModel

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
    """Received part of each text: its length in characters and, where it was sent, itself."""

    lengths: tuple[int, ...]
    texts: tuple[str, ...] | None = None

    @classmethod
    def nothing(cls, num_texts: int) -> Self:
        """Received part of an answer that begins anew: nothing, of so many texts."""
        return cls(lengths=(0,) * num_texts)

    def behind(self, opening: str, index: int) -> "Received | None":
        """Received part of text `index` behind its `opening`; None where that came to nothing.

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
            raise ParameterError(FIELD, f"must be {counted(num_texts, 'text')}, got {len(texts)}")
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
    found = EventId.parsed(header)
    _require_same_checkpoint(found.fingerprint, served)
    if len(found.lengths) != num_texts:
        raise ParameterError(
            HEADER, f"is of {counted(len(found.lengths), 'text')}, the request has {num_texts}"
        )
    if seed is not None and seed != found.seed:
        raise ParameterError("seed", f"must be {found.seed}, as {HEADER} says, or left out")
    return Received(lengths=found.lengths), found.seed


def _require_same_checkpoint(fingerprint: str | None, served: ServedModel) -> None:
    if fingerprint is None or fingerprint == served.fingerprint:
        return
    message = (
        f"the text was begun by another checkpoint: {shortened(fingerprint)}, and the model "
        f"{served.name} is {served.fingerprint} here"
    )
    body = ErrorBody(message=message, param="fingerprint", code="fingerprint_differs")
    raise ApiError(409, body)
