"""Waiting helpers: tests wait for what they need, and fail where it does not come or end."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

LOOK_S = 0.01
ENDS_WITHIN_S = (
    60  # whatever was told to end; reached only where it does not, on a busy machine too
)


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Return as soon as the condition holds. Raises AssertionError where it does not in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"it did not come to be in {seconds} s"
        time.sleep(LOOK_S)


@contextmanager
def time_limit(seconds: float = 30) -> Iterator[None]:
    """Interrupt the main thread where the block takes longer. Raises RuntimeError."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise RuntimeError(f"it took longer than {seconds} s")

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
