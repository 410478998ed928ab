"""Who is served next: slots, the queue, and whose prompt is fed. Decides; computes nothing.

First come, first served. A request needs one slot a row and gets all of them at once or waits.
Prompts are fed in turns, for a bounded time between two steps, so that a long prompt neither
stalls running streams nor holds up the short prompts behind it.

Knows nothing of tensors, threads and HTTP; whoever shares a Scheduler between threads locks it.
"""

from collections import deque
from collections.abc import Sequence
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
    def num_waiting(self) -> int:
        """Jobs without slots."""
        return len(self._waiting)

    @property
    def num_running(self) -> int:
        """Jobs with slots."""
        return len(self._feeding) + len(self._writing)

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

    def submit(self, job: J) -> None:
        """Give it slots, or a place in the queue. Raises SaturatedError when there is neither."""
        can_start = not self._waiting and job.num_rows <= self.num_free
        if not can_start and len(self._waiting) >= self._max_waiting:
            raise SaturatedError
        self._waiting.append(job)
        self._admit()

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

    def _admit(self) -> None:
        while self._waiting and self._waiting[0].num_rows <= self.num_free:
            job = self._waiting.popleft()
            self._held[job] = job.num_rows
            self._feeding.append(job)
