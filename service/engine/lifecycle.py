"""Where an engine stands between its start and its end, and why it may not serve.

    started -> draining -> stopping -> closed        or, by an error: -> broken -> closed

Takes no lock: each fact is one assignment, so a signal handler may call it.
Knows nothing of threads and requests.
"""

import math
from collections.abc import Callable

from service.engine.failure import Failure

STALLED_AFTER_S = 15.0  # a tick takes milliseconds; this long without one is no progress
FOR_EVER = math.inf
STOPPED = Failure.STOPPING.value


class Lifecycle:
    """The facts, and what follows from them."""

    def __init__(self, clock: Callable[[], float], max_request_s: float) -> None:
        self._clock = clock
        self._max_request_s = max_request_s
        self._last_tick: float | None = None  # until it has started
        self._drain_deadline: float | None = None
        self._is_failed = False
        self.is_stopping = False
        self.is_closed = False  # the work has ended, whatever the reason

    def note_tick(self) -> None:
        """It has started, or begins another round of work."""
        self._last_tick = self._clock()

    def begin_drain(self, seconds: float) -> None:
        """Take no more requests; those that still run after `seconds` are to fail.

        A second time changes nothing: whoever stops us does not wait longer for it.
        """
        if self._drain_deadline is None:
            self._drain_deadline = self._clock() + seconds

    def stop(self) -> None:
        """End the work as soon as may be."""
        self.is_stopping = True

    def fail(self) -> None:
        """It cannot go on."""
        self._is_failed = True

    def close(self) -> None:
        """The work has ended."""
        self.is_closed = True

    @property
    def goes_on(self) -> bool:
        """Whether there is to be another round."""
        return not self.is_stopping and not self._is_failed

    @property
    def is_draining(self) -> bool:
        """Whether nobody new may begin."""
        return self._drain_deadline is not None

    @property
    def is_drain_over(self) -> bool:
        """Whether the time of those that still run is up."""
        return self._drain_deadline is not None and self._clock() >= self._drain_deadline

    def is_too_late_for(self, submitted_at: float) -> bool:
        """Whether a request has taken longer than it may."""
        return self._clock() - submitted_at > self._max_request_s

    @property
    def is_broken(self) -> bool:
        """Whether it has ended by an error and only a restart can help."""
        return self._is_failed or (self.is_closed and not self.is_stopping)

    @property
    def since_tick_s(self) -> float | None:
        """How long ago the last round of work began; None before the first."""
        return None if self._last_tick is None else self._clock() - self._last_tick

    @property
    def trouble(self) -> str | None:
        """Why no request can be served now; None when all is well."""
        if self.is_stopping or self.is_draining:
            return STOPPED
        if self.is_broken:
            return "the engine has failed and the service must be restarted"
        if self.since_tick_s is None:
            return "the engine has not started"
        if self.since_tick_s > STALLED_AFTER_S:
            return "the engine makes no progress"
        return None
