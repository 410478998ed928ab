"""Feeding budget: how much of a tick's time prompts may take from texts that are being written.

By the measured time of each call, so that it holds on a slow or busy machine too, and whatever a
chunk costs: a call that took longer than its budget is owed for, and no prompt is fed until steps
have paid for it. So texts keep their share of the time, and what they wait for between two steps
is at most the budget and one call of the runner.

Decides; knows nothing of requests, clocks and threads.
"""

from service.timeouts import FEEDING_BUDGET_ALONE_S, FEEDING_BUDGET_S

# Of the engine's time, at most, while texts are being written. With two thirds of it they keep half
# of their speed or more: a step beside feeding finds less of what it needs in the CPU's caches.
FEEDING_SHARE = 1 / 3


class FeedingBudget:
    """Seconds that feeding may still take before the next steps; less than none are owed."""

    def __init__(self) -> None:
        self._left_s = FEEDING_BUDGET_ALONE_S

    @property
    def is_left(self) -> bool:
        """Whether a chunk may be fed now."""
        return self._left_s > 0

    def begin_tick(self, *, is_writing: bool) -> None:
        """Begin a tick. Where no text is being written nothing is owed to any."""
        if is_writing:
            self._left_s = min(self._left_s, FEEDING_BUDGET_S)
        else:
            self._left_s = FEEDING_BUDGET_ALONE_S

    def note_fed(self, seconds: float) -> None:
        """Take the time of a call that fed prompts off the budget."""
        self._left_s -= seconds

    def note_stepped(self, seconds: float) -> None:
        """Earn feeding its share for the time that steps took; no more is saved than a budget."""
        earned = seconds * FEEDING_SHARE / (1 - FEEDING_SHARE)
        self._left_s = min(self._left_s + earned, FEEDING_BUDGET_S)
