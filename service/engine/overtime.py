"""Whose time is up: requests that took too long, and what a drain leaves no time for.

Decides; ends nobody. Knows nothing of threads, tensors and HTTP.
"""

from collections.abc import Iterator

from service.engine.failure import Failure
from service.engine.lifecycle import Lifecycle
from service.engine.request import Request
from service.engine.scheduler import Scheduler


def out_of_time(
    scheduler: Scheduler[Request], lifecycle: Lifecycle
) -> Iterator[tuple[Request, Failure]]:
    """Each request that has to end, and why."""
    # From the last one on: the next in the queue must not get the slots of one that has to end.
    for request in reversed(scheduler.jobs):
        is_not_to_begin = lifecycle.is_draining and scheduler.is_waiting(request)
        if is_not_to_begin or lifecycle.is_drain_over:
            yield request, Failure.STOPPING
        elif lifecycle.is_too_late_for(request.submitted_at):
            yield request, Failure.TIMEOUT
