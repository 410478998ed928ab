"""Time budget: how much of a tick's time other work may take from texts that are being written.

Prompts that are fed have one, poems that are composed another. By the measured time of each call,
so that it holds on a slow or busy machine too, and whatever a call costs: one that took longer than
its budget is owed for, and there is none of its kind until steps have paid for it. So texts keep
their share of the time, and what they wait for between two steps is at most the budget and one call
of the runner.

Decides; knows nothing of requests, clocks and threads.
"""

from service.timeouts import (
    COMPOSING_BUDGET_ALONE_S,
    COMPOSING_BUDGET_S,
    FEEDING_BUDGET_ALONE_S,
    FEEDING_BUDGET_S,
)

# Of the engine's time, at most, while texts are being written. With two thirds of it they keep half
# of their speed or more: a step beside feeding finds less of what it needs in the CPU's caches.
FEEDING_SHARE = 1 / 3
COMPOSING_SHARE = 1 / 2


class TimeBudget:
    """Seconds that work of one kind may still take before the next steps; less than none are owed.

    Of the time that it and the steps take, it may have `share`; between two steps it may have
    `beside_s`, and `alone_s` where no text is being written.
    """

    def __init__(self, *, share: float, beside_s: float, alone_s: float) -> None:
        self._earned_by_steps = share / (1 - share)
        self._beside_s = beside_s
        self._alone_s = alone_s
        self._left_s = alone_s

    @property
    def is_left(self) -> bool:
        """Whether there may be a call now."""
        return self._left_s > 0

    def begin_tick(self, *, is_writing: bool) -> None:
        """Begin a tick. Where no text is being written nothing is owed to any."""
        self._left_s = min(self._left_s, self._beside_s) if is_writing else self._alone_s

    def note_taken(self, seconds: float) -> None:
        """Take the time of a call off the budget."""
        self._left_s -= seconds

    def note_stepped(self, seconds: float) -> None:
        """Earn the share for the time that steps took; no more is saved than a budget."""
        self._left_s = min(self._left_s + seconds * self._earned_by_steps, self._beside_s)


def feeding_budget() -> TimeBudget:
    """Budget of prompts that are fed."""
    return TimeBudget(
        share=FEEDING_SHARE, beside_s=FEEDING_BUDGET_S, alone_s=FEEDING_BUDGET_ALONE_S
    )


def composing_budget() -> TimeBudget:
    """Budget of poems that are composed."""
    return TimeBudget(
        share=COMPOSING_SHARE, beside_s=COMPOSING_BUDGET_S, alone_s=COMPOSING_BUDGET_ALONE_S
    )
