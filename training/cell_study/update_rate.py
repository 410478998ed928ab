"""Number of weight updates that fit into a time budget, equally many for every cell.

A share of the clock for each cell would give the quickest one more updates, and the comparison
would be of speed. Knows nothing of what an update is.
"""

import time
from collections.abc import Callable, Sequence


def affordable(updates: Sequence[Callable[[], object]], seconds: float, *, trials: int) -> int:
    """Count how often all of `updates` can be made in `seconds`, to go by `trials` of each.

    At least once.
    """
    for update in updates:
        update()  # the first one also sets up
    began = time.monotonic()
    for _ in range(trials):
        for update in updates:
            update()
    return max(1, int(seconds * trials / (time.monotonic() - began)))
