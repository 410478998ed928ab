"""When a job's stations were, over all of its requests; on the monotonic clock."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.engine.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Stations:
    """None: it has not come to that, or not with all of its texts."""

    submitted_at: float
    began_at: float | None  # the first of its requests had slots
    first_piece_at: float | None
    ended_at: float | None  # the last of them ended

    @classmethod
    def of(cls, requests: Sequence[Request]) -> "Stations":
        """As they are at this moment."""
        ends = [request.ended_at for request in requests]
        return cls(
            submitted_at=min(request.submitted_at for request in requests),
            began_at=_first(request.began_at for request in requests),
            first_piece_at=_first(request.first_piece_at for request in requests),
            ended_at=None if None in ends else max(end for end in ends if end is not None),
        )

    def until(self, station: float | None) -> float | None:
        """Seconds from the submission."""
        return None if station is None else station - self.submitted_at


def _first(times: Iterable[float | None]) -> float | None:
    return min((each for each in times if each is not None), default=None)
