"""Timings of a job: submission, first slot, first token and end, over all of its engine requests.

The log line and the span of a request both tell them. Knows nothing of HTTP.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.engine.request import Request


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTimings:
    """Times of a job's milestones, in seconds on the monotonic clock.

    A time is None where the job has not come so far, or not with all of its texts.
    """

    submitted_at: float
    began_at: float | None  # the first of its requests had slots
    first_piece_at: float | None
    ended_at: float | None  # the last of them ended

    @classmethod
    def of(cls, requests: Sequence[Request]) -> "JobTimings":
        """Timings of the engine requests of one job, as they stand at this moment."""
        ends = [request.ended_at for request in requests]
        return cls(
            submitted_at=min(request.submitted_at for request in requests),
            began_at=_earliest(request.began_at for request in requests),
            first_piece_at=_earliest(request.first_piece_at for request in requests),
            ended_at=None if None in ends else max(end for end in ends if end is not None),
        )

    def since_submission(self, time: float | None) -> float | None:
        """Seconds from the submission to a time of these; None for one that has not come."""
        return None if time is None else time - self.submitted_at


def _earliest(times: Iterable[float | None]) -> float | None:
    return min((each for each in times if each is not None), default=None)
