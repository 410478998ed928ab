"""Crash loop: deaths of the worker in a row, without one that came to serve between them.

The master would start another worker for ever, and a probe that meets one on its way up would be
told that all is well. Knows nothing of gunicorn: the application asks before each worker.
"""

import mmap
from dataclasses import dataclass

MAX_DEATHS = 3


class SharedFlag:
    """Flag that a process sets and its parent reads: to be made before the fork."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, 1)  # of no file, and shared with forked processes

    def set(self) -> None:
        """Set the flag, for good."""
        self._memory[0] = 1

    @property
    def is_set(self) -> bool:
        """Whether either process has set the flag."""
        return self._memory[0] == 1


@dataclass(slots=True)
class CrashLoop:
    """Count of workers that died in a row before they had tried every checkpoint."""

    num_deaths: int = 0

    def note_death(self, *, was_ready: bool) -> None:
        """Count the end of a worker; after one that was ready the count begins anew."""
        self.num_deaths = 0 if was_ready else self.num_deaths + 1

    @property
    def is_detected(self) -> bool:
        """Whether another worker would only die as well."""
        return self.num_deaths >= MAX_DEATHS
