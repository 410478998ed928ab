"""Waiting helpers: tests wait for what they need, and fail where it does not come."""

import time
from collections.abc import Callable

LOOK_S = 0.01


def wait_until(is_so: Callable[[], bool], seconds: float = 30) -> None:
    """Return as soon as the condition holds. Raises AssertionError where it does not in time."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"it did not come to be in {seconds} s"
        time.sleep(LOOK_S)
