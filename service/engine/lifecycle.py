"""Lifecycle of the engine: start, drain, stop, failure, and which requests have run out of time.

    started -> draining -> stopping -> closed        or, by an error: -> broken -> closed

Takes no lock: each fact is one assignment, so a signal handler may call it.
Decides which requests have run out of time; ends none. Knows nothing of threads, tensors and HTTP.
"""

import math
from collections.abc import Callable, Iterator

from service.engine.failure import Failure
from service.engine.request import Request
from service.engine.scheduler import Scheduler
from service.timeouts import STALLED_AFTER_S

FOR_EVER = math.inf
STOPPED = Failure.STOPPING.value


class Lifecycle:
    """State of one engine between its start and its end.

    `clock` gives monotonic seconds; `max_request_s` is how long a request may take in all, from its
    submission on.
    """

    def __init__(self, clock: Callable[[], float], max_request_s: float) -> None:
        self._clock = clock
        self._max_request_s = max_request_s
        self._last_tick: float | None = None  # until it has started
        self._drain_deadline: float | None = None
        self._is_failed = False
        self.is_stopping = False
        self.is_closed = False  # the work has ended, whatever the reason

    def note_tick(self) -> None:
        """Note that the engine has started, or begins another tick."""
        self._last_tick = self._clock()

    def begin_drain(self, seconds: float) -> None:
        """Begin to drain: take no more requests; those that still run after `seconds` are to fail.

        A second time changes nothing: whoever stops us does not wait longer for it.
        """
        if self._drain_deadline is None:
            self._drain_deadline = self._clock() + seconds

    def stop(self) -> None:
        """Ask the engine's thread to end as soon as may be."""
        self.is_stopping = True

    def fail(self) -> None:
        """Note that the engine is broken: an error has ended its work for good."""
        self._is_failed = True

    def close(self) -> None:
        """Note that the engine's thread has ended, whatever the reason."""
        self.is_closed = True

    @property
    def goes_on(self) -> bool:
        """Whether there is to be another tick."""
        return not self.is_stopping and not self._is_failed

    def overdue(self, scheduler: Scheduler[Request]) -> Iterator[tuple[Request, Failure]]:
        """Requests that have to end now, and why: a drain, or longer than a request may take."""
        # From the last one on: the next in the queue must not get the slots of one that has to end.
        for request in reversed(scheduler.requests):
            is_not_to_begin = self._is_draining and scheduler.is_waiting(request)
            if is_not_to_begin or self._is_drain_over:
                yield request, Failure.STOPPING
            elif self._clock() - request.submitted_at > self._max_request_s:
                yield request, Failure.TIMEOUT

    @property
    def _is_draining(self) -> bool:
        return self._drain_deadline is not None

    @property
    def _is_drain_over(self) -> bool:
        """Whether the time of requests that still run in a drain is up."""
        return self._drain_deadline is not None and self._clock() >= self._drain_deadline

    @property
    def is_broken(self) -> bool:
        """Whether the engine has ended by an error and only a restart can help."""
        return self._is_failed or (self.is_closed and not self.is_stopping)

    @property
    def since_tick_s(self) -> float | None:
        """Seconds since the last tick began; None before the first."""
        return None if self._last_tick is None else self._clock() - self._last_tick

    @property
    def trouble(self) -> str | None:
        """Reason why the engine can serve no request now; None when all is well."""
        if self.is_stopping or self._is_draining:
            return STOPPED
        if self.is_broken:
            return "the engine has failed and the service must be restarted"
        if self.since_tick_s is None:
            return "the engine has not started"
        if self.since_tick_s > STALLED_AFTER_S:
            return "the engine makes no progress"
        return None
