"""Scheduler: slots (a text each), the queue, whose prompt is fed, and how many steps a tick takes.

First come, first served. A request needs one slot a row and gets all of them at once or waits.
Prompts are fed in turns, so that a long prompt does not hold up the short prompts behind it, and
some poems are composed in turns; how long, between two steps, is `service.engine.time_budget`'s
to say.

Decides; computes nothing. Knows nothing of tensors, threads and HTTP; whoever shares a Scheduler
between threads locks it.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from service.engine.failure import SaturatedError
from service.timeouts import TICK_TARGET_S

MAX_STEPS_PER_TICK = 16  # a text that ends inside a call has wasted the rest of it
COMPOSED_AT_ONCE = 4  # poems; of more, each would wait longer for its first line than need be


class Schedulable(Protocol):
    """Facts of a request that the scheduler must know."""

    @property
    def num_rows(self) -> int:
        """Count of slots the request needs at once."""
        ...

    @property
    def is_composed(self) -> bool:
        """Whether it is composed, and so has no prompt to be fed."""
        ...


R = TypeVar("R", bound=Schedulable)


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Counts of slots, and of requests that hold some (running) or want some (waiting)."""

    num_slots: int
    num_free: int
    num_running: int
    num_waiting: int

    @property
    def num_used(self) -> int:
        """Count of slots that requests hold."""
        return self.num_slots - self.num_free


class Scheduler(Generic[R]):
    """Queues of requests, moved from waiting to feeding and writing, or composing, as slots allow.

    Only `fed`, `release_row` and `remove` change who is writing.
    """

    def __init__(self, *, num_slots: int, max_waiting: int) -> None:
        self.num_slots = num_slots
        self._max_waiting = max_waiting
        self._waiting: deque[R] = deque()
        self._feeding: deque[R] = deque()
        self._writing: list[R] = []
        self._composing: list[R] = []
        self._held: dict[R, int] = {}  # slots, by who holds them

    @property
    def load(self) -> Load:
        """Counts of what is in use now."""
        return Load(
            num_slots=self.num_slots,
            num_free=self.num_free,
            num_running=len(self._feeding) + len(self._writing) + len(self._composing),
            num_waiting=len(self._waiting),
        )

    @property
    def num_free(self) -> int:
        """Count of slots that nobody holds."""
        return self.num_slots - sum(self._held.values())

    @property
    def writing(self) -> tuple[R, ...]:
        """Requests whose texts are being written."""
        return tuple(self._writing)

    @property
    def requests(self) -> tuple[R, ...]:
        """Every request that has not left, in the order in which they will be served."""
        return (*self._writing, *self._composing, *self._feeding, *self._waiting)

    @property
    def feeding(self) -> tuple[R, ...]:
        """Requests whose prompts are being fed, the one whose turn it is first."""
        return tuple(self._feeding)

    @property
    def next_composed(self) -> R | None:
        """Request whose turn it is to be composed; None where there is none."""
        return self._composing[0] if self._composing else None

    def submit(self, *requests: R) -> None:
        """Give all `requests` slots or a turn in the queue, or none and raise SaturatedError."""
        num_late = self._num_that_must_wait(requests)
        if num_late and len(self._waiting) + num_late > self._max_waiting:
            raise SaturatedError
        self._waiting.extend(requests)
        self._admit()

    def num_ahead(self, request: R) -> int | None:
        """Count of requests before it in the queue; None when it does not stand there."""
        return self._waiting.index(request) if request in self._waiting else None

    def is_waiting(self, request: R) -> bool:
        """Whether a request stands in the queue."""
        return request in self._waiting

    def took_turn(self, requests: Sequence[R]) -> None:
        """Note that each had a chunk of its prompt fed: now it is the others' turn."""
        for request in requests:
            self._feeding.remove(request)
            self._feeding.append(request)

    def composed(self, request: R) -> None:
        """Note that a request was composed on: now it is the turn of those that are at once."""
        if request in self._composing:
            self._composing.remove(request)
            self._composing.insert(COMPOSED_AT_ONCE - 1, request)

    def fed(self, request: R) -> None:
        """Note that a request's prompt is fed; its texts are written from now on."""
        self._feeding.remove(request)
        self._writing.append(request)

    def release_row(self, request: R) -> bool:
        """Free the slot of a text that has ended; True if the request has left with its last."""
        self._held[request] -= 1
        was_last = self._held[request] == 0
        if was_last:
            self.remove(request)
        else:
            self._admit()
        return was_last

    def remove(self, request: R) -> None:
        """Let a request leave, wherever it stands, and give its slots to whoever is next."""
        for queue in (self._waiting, self._feeding, self._writing, self._composing):
            if request in queue:
                queue.remove(request)
        self._held.pop(request, None)
        self._admit()

    def _num_that_must_wait(self, requests: Sequence[R]) -> int:
        free = 0 if self._waiting else self.num_free
        for number, request in enumerate(requests):
            free -= request.num_rows
            if free < 0:
                return len(requests) - number
        return 0

    def _admit(self) -> None:
        while self._waiting and self._waiting[0].num_rows <= self.num_free:
            request = self._waiting.popleft()
            self._held[request] = request.num_rows
            (self._composing if request.is_composed else self._feeding).append(request)


class StepsPerTick:
    """Count of steps to take in one call of a runner: as many as fit into a fiftieth of a second.

    One call of some steps costs less than as many calls, and readers take what was written every
    30 ms or so (`service.engine.outbox`); but between two calls requests join, leave and are
    cancelled, so a call must not last. The texts are the same, whatever the count.
    """

    def __init__(self) -> None:
        self._step_s = TICK_TARGET_S  # until it is known, one step at a time

    @property
    def count(self) -> int:
        """Count of steps, a power of two: CUDA graphs are recorded for each number of steps."""
        affordable = TICK_TARGET_S / max(self._step_s, TICK_TARGET_S / MAX_STEPS_PER_TICK)
        return 1 << (max(1, int(affordable)).bit_length() - 1)

    def note(self, steps: int, seconds: float) -> None:
        """Learn from a tick whose `steps` steps took `seconds` in all."""
        self._step_s += (seconds / steps - self._step_s) / 2
