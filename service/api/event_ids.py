"""Ids of a stream's events: seed, checkpoint, and how many characters of each text were sent.

A text is a function of its request and seed, so an id, which comes back in the header
Last-Event-ID, says all that it takes to go on behind its event. Knows nothing of how that is done.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from model.errors import ParameterError, shortened
from model.parameters import MAX_SEED
from service.api.jobs import Job
from service.api.request_body import MAX_CHOICES

# Of more texts events have no ids: they would be longer than the text.
MAX_TEXTS_IN_ID = MAX_CHOICES
HEADER = "Last-Event-ID"
_FORM = r"([0-9]{1,19})\.(fp_[0-9a-f]{1,64})\.([0-9]{1,9}(?:-[0-9]{1,9})*)"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventId:
    """Id of an event, such as `7.fp_2038b6c7c096.16`; of two texts `7.fp_2038b6c7c096.16-20`."""

    seed: int
    fingerprint: str  # of the checkpoint
    lengths: tuple[int, ...]  # in characters, of each text up to the event, with it

    @classmethod
    def parsed(cls, text: str) -> Self:
        """Event id that a header holds. Raises ParameterError (Last-Event-ID) where it is none."""
        match = re.fullmatch(_FORM, text)
        if match is None or int(match[1]) > MAX_SEED:
            raise ParameterError(HEADER, f"{shortened(text)} is no id of an event from here")
        lengths = tuple(map(int, match[3].split("-")))
        return cls(seed=int(match[1]), fingerprint=match[2], lengths=lengths)


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
