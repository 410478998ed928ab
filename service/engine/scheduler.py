"""Who is served next: slots, the queue, and whose prompt is fed. Decides; computes nothing.

First come, first served. A request needs one slot a row and gets all of them at once or waits.
Prompts are fed in turns, for a bounded time between two steps, so that a long prompt neither
stalls running streams nor holds up the short prompts behind it.

Knows nothing of tensors, threads and HTTP; whoever shares a Scheduler between threads locks it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from service.engine.failure import SaturatedError

FEEDING_S = 0.01  # between two steps while texts are being written
FEEDING_ALONE_S = 0.05


class Job(Protocol):
    """What the scheduler must know of a request."""

    @property
    def num_rows(self) -> int:
        """How many slots it needs at once."""
        ...


J = TypeVar("J", bound=Job)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Slots, and the jobs that hold some (running) or want some (waiting)."""

    num_slots: int
    num_free: int
    num_running: int
    num_waiting: int

    @property
    def num_used(self) -> int:
        """Slots that somebody holds."""
        return self.num_slots - self.num_free


class Scheduler(Generic[J]):
    """Moves jobs from waiting to feeding to writing as slots allow."""

    def __init__(self, *, num_slots: int, max_waiting: int) -> None:
        self.num_slots = num_slots
        self._max_waiting = max_waiting
        self._waiting: deque[J] = deque()
        self._feeding: deque[J] = deque()
        self._writing: list[J] = []
        self._held: dict[J, int] = {}  # slots, by who holds them

    @property
    def load(self) -> Load:
        """What is in use now."""
        return Load(
            num_slots=self.num_slots,
            num_free=self.num_free,
            num_running=len(self._feeding) + len(self._writing),
            num_waiting=len(self._waiting),
        )

    @property
    def num_free(self) -> int:
        """Slots that nobody holds."""
        return self.num_slots - sum(self._held.values())

    @property
    def writing(self) -> tuple[J, ...]:
        """The jobs whose texts are being written."""
        return tuple(self._writing)

    @property
    def jobs(self) -> tuple[J, ...]:
        """Every job that has not left, in the order in which they will be served."""
        return (*self._writing, *self._feeding, *self._waiting)

    @property
    def feeding(self) -> tuple[J, ...]:
        """The jobs whose prompts are being fed, the one whose turn it is first."""
        return tuple(self._feeding)

    @property
    def feeding_budget_s(self) -> float:
        """How long to feed before the next step."""
        return FEEDING_S if self._writing else FEEDING_ALONE_S

    def submit(self, *jobs: J) -> None:
        """Give all of them slots or places in the queue, or none. Raises SaturatedError then."""
        num_late = self._num_that_must_wait(jobs)
        if num_late and len(self._waiting) + num_late > self._max_waiting:
            raise SaturatedError
        self._waiting.extend(jobs)
        self._admit()

    def num_ahead(self, job: J) -> int | None:
        """How many stand before it in the queue; None when it does not stand there."""
        return self._waiting.index(job) if job in self._waiting else None

    def is_waiting(self, job: J) -> bool:
        """Whether it stands in the queue."""
        return job in self._waiting

    def took_turn(self, jobs: Sequence[J]) -> None:
        """Each had a chunk of its prompt fed: now it is the others' turn."""
        for job in jobs:
            self._feeding.remove(job)
            self._feeding.append(job)

    def fed(self, job: J) -> None:
        """Its prompt is fed; its texts are written from now on."""
        self._feeding.remove(job)
        self._writing.append(job)

    def release_row(self, job: J) -> bool:
        """One of its texts has ended; with the last of them the job leaves, and this is True."""
        self._held[job] -= 1
        was_last = self._held[job] == 0
        if was_last:
            self.remove(job)
        else:
            self._admit()
        return was_last

    def remove(self, job: J) -> None:
        """Let it leave, wherever it stands, and give its slots to whoever is next."""
        for place in (self._waiting, self._feeding, self._writing):
            if job in place:
                place.remove(job)
        self._held.pop(job, None)
        self._admit()

    def _num_that_must_wait(self, jobs: Sequence[J]) -> int:
        free = 0 if self._waiting else self.num_free
        for place, job in enumerate(jobs):
            free -= job.num_rows
            if free < 0:
                return len(jobs) - place
        return 0

    def _admit(self) -> None:
        while self._waiting and self._waiting[0].num_rows <= self.num_free:
            job = self._waiting.popleft()
            self._held[job] = job.num_rows
            self._feeding.append(job)
