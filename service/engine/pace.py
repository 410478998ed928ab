"""How many steps to take in one go: as many as fit into a fiftieth of a second.

One call of some steps costs less than as many calls, and readers take what was written every
30 ms or so (`service.engine.outbox`); but between two calls requests join, leave and are
cancelled, so a call must not last. The texts are the same, whatever the pace.
Knows nothing of tensors and requests.
"""

TARGET_S = 0.02
MOST_STEPS = 16  # a text that ends inside a call has wasted the rest of it


class Pace:
    """Learns how long a step takes."""

    def __init__(self) -> None:
        self._step_s = TARGET_S  # until it is known, one step at a time

    @property
    def steps(self) -> int:
        """A power of two: CUDA graphs are recorded for each number of steps."""
        affordable = TARGET_S / max(self._step_s, TARGET_S / MOST_STEPS)
        return 1 << (max(1, int(affordable)).bit_length() - 1)

    def note(self, steps: int, seconds: float) -> None:
        """So many steps took so long."""
        self._step_s += (seconds / steps - self._step_s) / 2
